"""Critical magnitudes: the smallest change at which it pays to renegotiate, and how sure that is.

A curve holds, for every magnitude of a change, what renegotiation gains over a contract that stays:
the efficiency after the change of the one less that of the other. Units pair across the curve:
episodes of one number share their dice whatever the magnitude, so whole units are resampled, with
all their magnitudes.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from benchmarks.statistics import EPISODE, SAME_WITHIN, TRAINING_SEED
from benchmarks.study.resampling import Floats, estimate, resampled_means, tails

LEVELS = (0.05, 0.1)
"""Gains in efficiency that count as worth a negotiation."""

Pairs = Mapping[Hashable, tuple[float, float]]
"""By unit: efficiency under the contract that stays, and renegotiated."""


class Point(NamedTuple):
    """What renegotiation gains at one magnitude; the bounds are those of the 95% interval."""

    magnitude: int
    difference: float
    low: float | None
    high: float | None


class Crossing(NamedTuple):
    """Where a curve crosses a level: between two magnitudes, outwards."""

    inner: int | None  # None: it begins above the level
    outer: int
    direction: str  # "up": from here on it pays; "down": from here on it no longer does


@dataclass(frozen=True, eq=False)
class Curve:
    """Gains by magnitude, from the smallest to the largest."""

    magnitudes: tuple[int, ...]  # by absolute value
    gains: Floats  # (units, magnitudes)
    unit: str = EPISODE

    @property
    def points(self) -> list[Point]:
        """The mean at every magnitude, with its interval."""
        found = (estimate(column.tolist(), unit=self.unit) for column in self.gains.T)
        return [
            Point(magnitude, each.mean, each.low, each.high)
            for magnitude, each in zip(self.magnitudes, found, strict=True)
        ]


@dataclass(frozen=True, kw_only=True)
class Critical:
    """The smallest magnitude at which a curve reaches a level.

    ``low`` and ``high`` bound the 95% interval of the bootstrap; None is beyond the largest
    magnitude played or, where ``never`` is None as well, unknown: one training seed says nothing
    of others.
    """

    level: float
    magnitude: int | None  # None: no magnitude played reaches it
    low: int | None
    high: int | None
    never: float | None  # fraction of resamples that do not reach the level
    crossings: tuple[Crossing, ...]  # all of them, outwards


def curve_of(pairs: Mapping[int, Pairs], *, unit: str = EPISODE) -> Curve | None:
    """Return the curve over the units that all magnitudes have in common.

    Magnitudes without any pair are left out; None where no unit is left.
    """
    magnitudes = sorted((each for each in pairs if pairs[each]), key=lambda m: (abs(m), m))
    if not magnitudes:
        return None
    units = [
        unit for unit in pairs[magnitudes[0]] if all(unit in pairs[other] for other in magnitudes)
    ]
    if not units:
        return None
    both = np.array([[pairs[each][unit] for each in magnitudes] for unit in units], np.float64)
    return Curve(tuple(magnitudes), both[..., 1] - both[..., 0], unit)


def critical_magnitude(curve: Curve, level: float, *, seed: int = 0) -> Critical:
    """Find where a curve first reaches a level, resampling its units from a seed.

    A curve without spread, of one episode or of equal ones, is exact: both bounds are the magnitude
    itself.
    """
    means = curve.gains.mean(axis=0)
    first = int(_first_reaching(means[None], level)[0])
    low, high, never = _spread(curve, level, seed=seed)
    return Critical(
        level=level,
        magnitude=_at(curve, first),
        low=low,
        high=high,
        never=never,
        crossings=tuple(_crossings(curve.magnitudes, _reaches(means, level))),
    )


def _spread(
    curve: Curve, level: float, *, seed: int
) -> tuple[int | None, int | None, float | None]:
    """Return the bounds of the crossing and how often there is none."""
    num_units = len(curve.gains)
    if num_units == 1 and curve.unit == TRAINING_SEED:
        return None, None, None
    if (np.ptp(curve.gains, axis=0) <= SAME_WITHIN).all():
        first = int(_first_reaching(curve.gains[:1], level)[0])
        return _at(curve, first), _at(curve, first), float(first == len(curve.magnitudes))
    found = _first_reaching(resampled_means(curve.gains, seed=seed), level)
    low, high = np.quantile(found, tails(num_units), method="inverted_cdf")
    never = float(np.mean(found == len(curve.magnitudes)))
    return _at(curve, int(low)), _at(curve, int(high)), never


def _reaches(gains: Floats, level: float) -> npt.NDArray[np.bool_]:
    return np.asarray(gains >= level - SAME_WITHIN)


def _first_reaching(gains: Floats, level: float) -> npt.NDArray[np.int64]:
    """Return the index of the first magnitude in each row that reaches the level; or their number.

    ``gains`` is (rows, magnitudes).
    """
    reaches = _reaches(gains, level)
    first = np.where(reaches.any(axis=1), reaches.argmax(axis=1), gains.shape[1])
    return np.asarray(first, np.int64)


def _at(curve: Curve, index: int) -> int | None:
    return curve.magnitudes[index] if index < len(curve.magnitudes) else None


def _crossings(magnitudes: tuple[int, ...], reaches: npt.NDArray[np.bool_]) -> list[Crossing]:
    found: list[Crossing] = []
    inner, was_above = None, False
    for outer, is_above in zip(magnitudes, reaches.tolist(), strict=True):
        if is_above != was_above:
            found.append(Crossing(inner, outer, "up" if is_above else "down"))
        inner, was_above = outer, is_above
    return found
