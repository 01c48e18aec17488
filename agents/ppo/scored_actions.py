"""Actions that combine options, judged by features rather than by a free logit each.

Where an action is one option of each of several issues, what is known about options says something
about every action that contains them. One small network maps an action's features to its logit, the
same for all actions, so what is learned about one deal holds for all that look alike.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from agents.ppo.layers import Layer, product

_BLOCK = 12_000
"""Actions judged at once, of several observations: what they need stays in the cache."""


@dataclass(frozen=True, eq=False, kw_only=True)
class ScoredActions:
    """Where an observation says something about options, and which actions combine them.

    A slice is O consecutive numbers of the observation, one an option. An action's features are:
    for every slice of `sums` the sum over the action's options; for every group the mean over the
    action's options of each of its slices, pooled over the slices of the group to their mean and
    their least (one number where a group has one slice). So parties that are alike belong in one
    group, however many they are. All actions see the `scalars` too. A `special` action is none of
    these: its logit is linear in the scalars.

    Wrong layouts raise `ValueError`.
    """

    options: NDArray[np.float32]  # (A, O), 1 where an action contains an option; else 0
    observation_size: int  # length D of an observation
    sums: tuple[int, ...]  # where slices start of which an action's sum counts, as own scores
    groups: tuple[tuple[int, ...], ...]  # where slices start that are pooled, as others' proposals
    scalars: tuple[int, ...]  # numbers of the observation that every action sees
    special: tuple[int, ...] = ()  # actions that combine nothing, as to propose nothing
    hidden_sizes: tuple[int, ...] = (32, 16)  # rectified units a layer, of the shared network

    def __post_init__(self) -> None:
        options = np.array(self.options, np.float32)
        options.setflags(write=False)
        object.__setattr__(self, "options", options)
        if options.ndim != 2 or not np.isin(options, (0, 1)).all():
            raise ValueError(f"options of shape {options.shape}: expected a 0/1 matrix (A, O)")
        last = self.observation_size - self.num_options
        _require("sums", self.sums, last)
        for group in self.groups:
            _require("groups", group, last)
        if not all(self.groups) or not self.num_features:
            raise ValueError(f"groups = {self.groups}: expected slices in each, one at least")
        _require("scalars", self.scalars, self.observation_size - 1)
        _require("special", self.special, self.num_actions - 1)
        if not self.hidden_sizes or min(self.hidden_sizes) < 1:
            raise ValueError(f"hidden_sizes = {self.hidden_sizes}: expected one layer at least")

    @property
    def num_actions(self) -> int:
        """Number A of actions, special ones among them."""
        return int(self.options.shape[0])

    @property
    def num_options(self) -> int:
        """Number O of options."""
        return int(self.options.shape[1])

    @property
    def num_features(self) -> int:
        """Number F of features of an action, scalars apart."""
        return len(self.sums) + sum(min(len(group), 2) for group in self.groups)

    @property
    def slice_indices(self) -> NDArray[np.intp]:
        """Numbers of the observation in every slice, (S, O): sums first, then group by group."""
        starts = (*self.sums, *(start for group in self.groups for start in group))
        return np.array(starts)[:, None] + np.arange(self.num_options)

    @property
    def pooled(self) -> list[slice]:
        """Which of the slices, in the order of `slice_indices`, each group pools."""
        ends = len(self.sums) + np.cumsum([len(group) for group in self.groups], dtype=int)
        return [
            slice(int(end) - len(group), int(end))
            for group, end in zip(self.groups, ends, strict=True)
        ]

    @property
    def sum_weights(self) -> NDArray[np.float32]:
        """Options by actions (O, A), for sums."""
        return np.ascontiguousarray(self.options.T)

    @property
    def mean_weights(self) -> NDArray[np.float32]:
        """Options by actions (O, A), for means over an action's options."""
        chosen = np.maximum(self.options.sum(axis=1), np.float32(1.0))
        weights: NDArray[np.float32] = self.sum_weights / chosen
        return weights

    @property
    def block_rows(self) -> int:
        """Observations whose actions are judged at once."""
        return max(1, _BLOCK // self.num_actions)

    def digest(self) -> str:
        """SHA-256 of all of it, in hexadecimal: equal layouts have equal digests."""
        said = hashlib.sha256(self.options.astype(np.uint8).tobytes())
        rest = [getattr(self, field.name) for field in fields(self) if field.name != "options"]
        said.update(repr((self.options.shape, rest)).encode())
        return said.hexdigest()


class Scorer:
    """The network that judges actions by their features, in NumPy.

    Args:
        layout: where the features come from.
        layers: of the shared network: the first takes the features, then the scalars; the last
            gives one logit. Rectified units between them.
        special: the layer from the scalars to the logits of special actions, if there are any.
    """

    def __init__(
        self, layout: ScoredActions, layers: Sequence[Layer], special: Layer | None
    ) -> None:
        self.layout = layout
        self._layers, self._special = tuple(layers), special
        self._slices, self._pooled = layout.slice_indices, layout.pooled
        self._sum_weights, self._mean_weights = layout.sum_weights, layout.mean_weights
        self._combines = np.ones(layout.num_actions, np.bool_)
        self._combines[list(layout.special)] = False

    def logits(self, observations: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return every action's logit (..., A) for observations (..., D)."""
        return self._judged(observations)[0]

    def expected_features(self, observations: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the features (..., F) that the policy expects of its action, special ones apart.

        A critic sees them beside the observation (..., D): they say what is about to be proposed.
        """
        return self._judged(observations)[1]

    def _judged(
        self, observations: NDArray[np.float32]
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        lead = observations.shape[:-1]
        rows = observations.reshape(-1, self.layout.observation_size)
        logits = np.empty((len(rows), self.layout.num_actions), np.float32)
        expected = np.empty((len(rows), self.layout.num_features), np.float32)
        for first in range(0, len(rows), self.layout.block_rows):
            block = slice(first, first + self.layout.block_rows)
            logits[block], expected[block] = self._judge(rows[block])
        return logits.reshape(*lead, -1), expected.reshape(*lead, -1)

    def _judge(self, rows: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        features = self._features(rows)
        scalars = rows[:, list(self.layout.scalars)]
        num_features = self.layout.num_features
        (weights, biases), *others = self._layers
        seen_by_all = scalars @ weights[num_features:] + biases
        units = product(weights[:num_features].T, features.reshape(num_features, -1))
        units.reshape(len(units), len(rows), -1)[:] += seen_by_all.T[:, :, None]
        for weights, biases in others:
            np.maximum(units, 0.0, out=units)
            units = product(weights.T, units)
            units += biases[:, None]
        logits = units.reshape(len(rows), -1)
        odds = np.exp(logits - logits.max(axis=1, keepdims=True)) * self._combines
        odds /= odds.sum(axis=1, keepdims=True)
        expected = (features * odds).sum(axis=2).T
        if self._special is not None:
            logits[:, list(self.layout.special)] = scalars @ self._special[0] + self._special[1]
        return logits, expected

    def _features(self, rows: NDArray[np.float32]) -> NDArray[np.float32]:
        """Features (F, R, A) of every action."""
        slices = rows.T[self._slices].transpose(0, 2, 1)  # (S, R, O)
        num_sums = len(self.layout.sums)
        found = np.empty((self.layout.num_features, len(rows), self.layout.num_actions), np.float32)
        found[:num_sums] = slices[:num_sums] @ self._sum_weights
        place = num_sums
        for group in self._pooled:
            means = slices[group] @ self._mean_weights
            means.mean(axis=0, out=found[place])
            if len(means) > 1:
                means.min(axis=0, out=found[place + 1])
            place += min(len(means), 2)
        return found


def _require(name: str, indices: tuple[int, ...], last: int) -> None:
    if not all(0 <= index <= last for index in indices):
        raise ValueError(f"{name} = {indices}: expected integers from 0 to {last}")
