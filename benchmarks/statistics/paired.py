"""Two rows side by side: what pairs with what, what is a unit, and how the two differ."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

import numpy as np

from benchmarks.statistics.bootstrap import (
    Floats,
    bootstrap_interval,
    difference_of_means,
    mean_of_means,
    widened,
)
from benchmarks.statistics.effects import (
    SMALLEST_SAMPLE,
    probability_of_improvement,
    share_improved,
    standardized_difference,
    standardized_mean,
)
from benchmarks.statistics.estimates import CONFIDENCE, EPISODE, SAME_WITHIN, TRAINING_SEED
from benchmarks.statistics.permutation import sign_flip_test, two_sample_test
from benchmarks.statistics.power import groups_needed, pairs_needed

Key = Any
"""What an episode has in common with the one it pairs with, as its number and seed; keys sort."""


@dataclass(frozen=True, kw_only=True)
class Side:
    """What one row of a comparison played.

    ``values``: by player, then by episode. Of a training every training seed is a player; a script
    or a table of models is the only one of its row.
    """

    values: Mapping[str, Mapping[Key, float]]
    is_learned: bool = False


@dataclass(frozen=True, kw_only=True)
class Contrast:
    """Two rows on the episodes they have in common, as samples of independent units.

    ``samples``: one, of differences, where units pair; two where they do not.
    """

    samples: tuple[Floats, ...]
    mean: float  # of the first row
    base_mean: float
    unit: str
    strata: tuple[Key, ...] | None = None  # of each difference

    @property
    def is_paired(self) -> bool:
        """Whether a unit of one row has its partner in the other."""
        return len(self.samples) == 1


@dataclass(frozen=True, kw_only=True)
class Difference:
    """How much a row exceeds another, and how sure that is.

    What a sample is too small to say is None: interval and p of a single unit, the effect of fewer
    than three.
    """

    n: int  # units of the first row, or pairs
    base_n: int  # units of the other row, or pairs
    unit: str
    is_paired: bool
    mean: float  # of the first row
    base_mean: float
    difference: float
    low: float | None  # of the 95% interval
    high: float | None
    p: float | None  # of the permutation test, two-sided
    effect: float | None  # in standard deviations, with Hedges' correction
    improvement: float  # probability that a unit of the first row is the better one
    further: int | None  # units a row still needs to be told apart; None if that cannot be said


def contrast(first: Side, base: Side) -> Contrast | None:
    """Lay two rows side by side on the episodes that all their players have in common.

    - Neither is learned: episodes pair, a unit is an episode.
    - One is learned: a unit is a training seed, see `_dealt`.
    - Both are: training seeds do not pair, for nothing ties the third training of one to the third
      of the other; each is a unit, its value the mean over the common episodes.

    Returns None where there is no common episode.
    """
    order = _in_common([first, base])
    if not order:
        return None
    mine, theirs = _matrix(first, order), _matrix(base, order)
    samples: tuple[Floats, ...]
    unit = EPISODE
    if first.is_learned and base.is_learned:
        samples, unit = (mine.mean(axis=1), theirs.mean(axis=1)), TRAINING_SEED
    elif first.is_learned or base.is_learned:
        differences = mine - theirs  # of the learned row's training seeds, whichever row that is
        samples = (_dealt(differences),)
        if len(differences) <= differences.shape[1]:
            unit = TRAINING_SEED
    else:
        samples = ((mine - theirs)[0],)
    return Contrast(
        samples=samples, unit=unit, mean=float(mine.mean()), base_mean=float(theirs.mean())
    )


def contrast_over_strata(
    pairs: Mapping[Key, Sequence[tuple[Side, Side]]],
) -> Contrast | None:
    """Lay two rows side by side over several conditions, neither of them learned.

    `pairs` has the two rows under every condition, by stratum. Within a stratum the episodes of one
    number and seed have the same start under all conditions: they are one unit, its value their
    mean. Strata are resampled each on its own, and all count the same. Only episodes that are
    played under all conditions take part; returns None where there is none.
    """
    played = [side for pair in chain(*pairs.values()) for side in pair]
    if not played or not (order := _in_common(played)):
        return None
    strata = {stratum: each for stratum, each in pairs.items() if each}
    mine, theirs = (
        [
            np.mean([_matrix(pair[side], order)[0] for pair in each], axis=0)
            for each in strata.values()
        ]
        for side in (0, 1)
    )
    return Contrast(
        samples=(np.concatenate(mine) - np.concatenate(theirs),),
        mean=float(np.mean(mine)),
        base_mean=float(np.mean(theirs)),
        unit=EPISODE,
        strata=tuple(stratum for stratum in strata for _ in order),
    )


def _in_common(sides: Sequence[Side]) -> list[Key]:
    """Return the episodes that all players of all sides have, but for players without any.

    They are sorted: in which order they were played must not matter to what is resampled.
    """
    if any(not any(side.values.values()) for side in sides):
        return []
    played = [values for side in sides for values in side.values.values() if values]
    return sorted(key for key in played[0] if all(key in values for values in played))


def _matrix(side: Side, order: Sequence[Key]) -> Floats:
    """Return a side's values in these episodes, players by episodes, (K, E)."""
    played = [values for values in side.values.values() if values]
    return np.asarray([[values[key] for key in order] for values in played], dtype=np.float64)


def _dealt(differences: Floats) -> Floats:
    """Return a difference for each training seed that no other shares a session with, (K,).

    `differences`, (K, E), are of K training seeds and a row that is not learned, in E episodes.
    Means over all episodes alone would leave out that the other row's sessions are a sample too:
    all K would share its luck, and look sure of it. So the episodes are dealt out, the k-th to seed
    k mod K. A seed's difference is that of the two rows, plus how far the seed lies from the mean
    of all seeds, plus how far its share of the episodes lies from the mean of all shares. With
    fewer episodes than seeds, seeds are dealt out to episodes instead.
    """
    groups = min(differences.shape)
    by_seed = _means_of_shares(differences.mean(axis=1), groups)
    by_episode = _means_of_shares(differences.mean(axis=0), groups)
    spread: Floats = (by_seed - by_seed.mean()) + (by_episode - by_episode.mean())
    return float(differences.mean()) + spread


def _means_of_shares(values: Floats, shares: int) -> Floats:
    return np.asarray([values[share::shares].mean() for share in range(shares)])


def measure_difference(found: Contrast, *, seed: int) -> Difference:
    """Measure how the two rows of a contrast differ; resamples are drawn from `seed`."""
    n, base_n = len(found.samples[0]), len(found.samples[-1])
    difference = found.mean - found.base_mean
    low, high = _interval(found, difference, seed=seed)
    effect, needed = _effect(found)
    is_testable = min(n, base_n) > 1
    return Difference(
        n=n,
        base_n=base_n,
        unit=found.unit,
        is_paired=found.is_paired,
        mean=found.mean,
        base_mean=found.base_mean,
        difference=difference,
        low=low,
        high=high,
        p=_p_value(found.samples, seed=seed) if is_testable else None,
        effect=effect,
        improvement=_improvement(found.samples),
        further=None if needed is None else max(0, needed - min(n, base_n)),
    )


def _interval(
    found: Contrast, difference: float, *, seed: int
) -> tuple[float | None, float | None]:
    samples = list(found.samples)
    if min(map(len, samples)) < 2:
        return None, None
    if all(np.ptp(sample) <= SAME_WITHIN for sample in samples):
        return difference, difference
    statistic: Callable[..., Floats] = difference_of_means
    if found.is_paired:
        samples, statistic = _by_stratum(samples[0], found.strata), mean_of_means
        if min(map(len, samples)) < 2:
            return None, None
    confidence = widened(CONFIDENCE, [len(sample) for sample in samples])
    return bootstrap_interval(samples, statistic, seed=seed, confidence=confidence)


def _by_stratum(differences: Floats, strata: Sequence[Key] | None) -> list[Floats]:
    if strata is None:
        return [differences]
    labels = list(dict.fromkeys(strata))
    return [differences[[each == label for each in strata]] for label in labels]


def _p_value(samples: Sequence[Floats], *, seed: int) -> float:
    if len(samples) == 1:
        return sign_flip_test(samples[0], seed=seed)
    return two_sample_test(samples[0], samples[1], seed=seed)


def _effect(found: Contrast) -> tuple[float | None, int | None]:
    """Return the effect size, and how many units a row needs for it to be told from none."""
    if found.is_paired:
        effect, needed = standardized_mean(found.samples[0]), pairs_needed
    else:
        effect, needed = standardized_difference(*found.samples), groups_needed
    if effect is None and min(map(len, found.samples)) >= SMALLEST_SAMPLE:
        return None, needed(math.inf)  # units that differ all alike
    return effect, None if not effect else needed(effect)


def _improvement(samples: Sequence[Floats]) -> float:
    if len(samples) == 1:
        return share_improved(samples[0])
    return probability_of_improvement(samples[0], samples[1])
