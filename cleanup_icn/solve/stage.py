"""Nash equilibria of many small two-player games at once: pure ones, and all extreme mixed ones.

A stage game is a pair of payoff matrices; rows are the first player's actions, columns the
second's. Payoffs within `TOLERANCE` of each other count as equal, for they are sums of rounded
numbers: a best response is one that nothing beats by more.
"""

from __future__ import annotations

from itertools import combinations
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
Ints = npt.NDArray[np.int64]

TOLERANCE = 1e-9
"""Reward units by which one payoff must exceed another to be better."""

_FEASIBLE = 1e-9  # of constraints whose coefficients are between 1 and 2
_SINGULAR = 1e-10


class Mixed(NamedTuple):
    """One equilibrium of each of g games."""

    rows: Floats  # (g, m): probabilities of the first player's actions
    columns: Floats  # (g, n): of the second's


def pure_equilibria(first: Floats, second: Floats, *, rows: int = -2, columns: int = -1) -> Bools:
    """Return which joint actions are pure Nash equilibria, in the shape of the payoffs.

    Args:
        first: payoffs of the first player, reward units.
        second: payoffs of the second player, likewise.
        rows: the axis of the first player's actions.
        columns: the axis of the second player's.
    """
    is_best_row = first >= first.max(axis=rows, keepdims=True) - TOLERANCE
    is_best_column = second >= second.max(axis=columns, keepdims=True) - TOLERANCE
    return np.asarray(is_best_row & is_best_column)


def first_best(worth: Floats, allowed: Bools, *, highest: bool, axis: int) -> Ints:
    """Return the first index along `axis` of the best worth among those allowed.

    Worths within `TOLERANCE` of the best are as good, so that the first of them is taken. Where
    nothing is allowed the index is 0.
    """
    signed = np.where(allowed, worth if highest else -worth, -np.inf)
    best = signed.max(axis=axis, keepdims=True)
    return np.asarray(np.argmax(allowed & (signed >= best - TOLERANCE), axis=axis))


def mixed_equilibria(first: Floats, second: Floats, *, highest: bool) -> Mixed:
    """Return of each game the extreme equilibrium of highest (or lowest) expected welfare.

    The extreme equilibria are all pairs of vertices of the two best-response polytopes that carry
    all labels; every game has one, degenerate games too, and every equilibrium is a mixture of
    them (von Stengel 2007, *Algorithmic Game Theory*, ch. 3.3 to 3.6). Of equals the first is
    taken, vertices in the lexicographic order of their binding constraints.

    Args:
        first: payoffs of the first player, (g, m, n), reward units.
        second: payoffs of the second player, likewise.
        highest: whether welfare, the sum of both payoffs, is to be highest, or else lowest.
    """
    num_games, m, n = first.shape
    if num_games == 0:
        return Mixed(np.zeros((0, m)), np.zeros((0, n)))
    # Labels 0..m-1 are the first player's actions, m..m+n-1 the second's.
    rows, row_labels = _vertices(np.swapaxes(_scaled(second), 1, 2), own_first=True)
    columns, column_labels = _vertices(_scaled(first), own_first=False)
    full = (1 << (m + n)) - 1
    is_equilibrium = (row_labels[:, :, None] | column_labels[:, None, :]) == full
    is_equilibrium &= (row_labels[:, :, None] > 0) & (column_labels[:, None, :] > 0)
    welfare = np.einsum("gpi,gij,gqj->gpq", rows, first + second, columns)
    flat = first_best(
        welfare.reshape(num_games, -1),
        is_equilibrium.reshape(num_games, -1),
        highest=highest,
        axis=1,
    )
    if not is_equilibrium.any(axis=(1, 2)).all():
        raise ArithmeticError("no equilibrium found: payoffs too large for their differences")
    p, q = np.divmod(flat, columns.shape[1])
    games = np.arange(num_games)
    return Mixed(rows[games, p], columns[games, q])


def _scaled(payoffs: Floats) -> Floats:
    """Return every game's payoffs between 1 and 2; equilibria are the same."""
    low = payoffs.min(axis=(1, 2), keepdims=True)
    spread = payoffs.max(axis=(1, 2), keepdims=True) - low
    return np.asarray((payoffs - low) / np.where(spread > 0.0, spread, 1.0) + 1.0)


def _vertices(against: Floats, *, own_first: bool) -> tuple[Floats, Ints]:
    """Return the vertices of ``{x >= 0: against @ x <= 1}``, scaled to sum to 1, and their labels.

    ``against`` is (g, other's actions, own actions), positive. The vertices are (g, bases, own
    actions); their labels (g, bases) are bits of the actions not played and of the other's best
    replies, 0 where a basis has no vertex. A vertex at the origin counts as none.
    """
    num_games, num_others, num_own = against.shape
    own_bit, other_bit = (0, num_own) if own_first else (num_others, 0)
    bits = np.array(
        [own_bit + i for i in range(num_own)] + [other_bit + j for j in range(num_others)]
    )
    identity = np.broadcast_to(np.eye(num_own), (num_games, num_own, num_own))
    constraints = np.concatenate([identity, against], axis=1)
    limits = np.array([0.0] * num_own + [1.0] * num_others)
    bases = np.array(list(combinations(range(num_own + num_others), num_own)))
    systems = constraints[:, bases]  # (g, bases, own, own)
    is_regular = np.abs(np.linalg.det(systems)) > _SINGULAR
    systems = np.where(is_regular[:, :, None, None], systems, np.eye(num_own))
    targets = np.broadcast_to(limits[bases], systems.shape[:-1])
    points = np.linalg.solve(systems, targets[..., None])[..., 0]
    slack = np.einsum("gbi,gci->gbc", points, constraints)
    slack[..., :num_own] *= -1.0  # x >= 0 reads -x <= 0
    total = points.sum(axis=-1)
    excess = slack - limits
    is_vertex = is_regular & (excess <= _FEASIBLE).all(axis=-1) & (total > _FEASIBLE)
    binding = (np.abs(excess) <= _FEASIBLE) & is_vertex[..., None]
    labels = (binding * (1 << bits)).sum(axis=-1)
    points = np.where(is_vertex[..., None], points, 0.0).clip(min=0.0)
    return points / np.where(is_vertex, points.sum(axis=-1), 1.0)[..., None], labels
