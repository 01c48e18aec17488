"""What docs/game.md says about equilibria, solved here from the rule book and nothing else."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from itertools import combinations, product
from typing import Any

import numpy as np
import pytest

from cleanup_icn import CleanupConfig
from cleanup_icn.rules import is_legal, step
from cleanup_icn.state import NUM_ACTIONS, CleanupState, Dice

Payoffs = tuple[float, float]
Choice = Callable[..., Payoffs]  # max or min, by welfare
TOLERANCE = 1e-7
HORIZON_STEPS = 50


@pytest.fixture(scope="module")
def stages() -> dict[CleanupState, dict[tuple[int, int], tuple[CleanupState, Any]]]:
    """Every state that can be reached at the defaults, and where each pair of actions leads."""
    config = CleanupConfig()
    found: dict[CleanupState, Any] = {}
    waiting = [CleanupState(0, config.pollution_initial, config.fruit_initial)]
    while waiting:
        state = waiting.pop()
        if state in found:
            continue
        legal = [
            [a for a in range(NUM_ACTIONS) if is_legal(a, bool(state.at_shore >> i & 1))]
            for i in (0, 1)
        ]
        found[state] = {
            actions: step(state, actions, Dice(0.0, 0.0), config.parameters_at(0))
            for actions in product(*legal)
        }
        waiting.extend(after for after, _ in found[state].values())
    return found


def test_the_worst_equilibrium_without_a_contract_is_worth_13(stages: Any) -> None:
    assert sum(equilibrium(stages, wage=0.0, choice=min)) == pytest.approx(13)


def test_the_best_equilibrium_without_a_contract_is_worth_76(stages: Any) -> None:
    assert sum(equilibrium(stages, wage=0.0, choice=max)) == pytest.approx(76)


@pytest.mark.parametrize("choice", [min, max])
def test_a_wage_of_0_6_makes_the_optimum_an_equilibrium_that_is_nearly_equal(
    stages: Any, choice: Choice
) -> None:
    assert equilibrium(stages, wage=0.6, choice=choice) == pytest.approx((77.2, 79.8))


def equilibrium(stages: Any, *, wage: float, choice: Choice) -> Payoffs:
    """Solve backwards, choosing the same way among the equilibria of every stage."""
    start = next(iter(stages))
    ahead: dict[CleanupState, Payoffs] = dict.fromkeys(stages, (0.0, 0.0))
    for _ in range(HORIZON_STEPS):
        ahead = {
            state: choice(
                stage_equilibria(
                    {
                        actions: gains(features, wage, ahead[after])
                        for actions, (after, features) in outcomes.items()
                    }
                ),
                key=welfare,
            )
            for state, outcomes in stages.items()
        }
    return ahead[start]


def welfare(payoffs: Payoffs) -> float:
    """Return the sum, rounded so that the first of equals is the same on every machine."""
    return round(sum(payoffs), 6)


def gains(features: Any, wage: float, ahead: Payoffs) -> Payoffs:
    """Return what each agent gets from a step on, if the other pays it for what it cleans."""
    harvested = [features.harvest_share * (features.harvesters >> i & 1) for i in (0, 1)]
    paid = [wage * features.clean_share * (features.cleaners >> i & 1) for i in (0, 1)]
    return (
        harvested[0] + paid[0] - paid[1] + ahead[0],
        harvested[1] + paid[1] - paid[0] + ahead[1],
    )


def stage_equilibria(payoffs: dict[tuple[int, int], Payoffs]) -> list[Payoffs]:
    """Return the payoffs of the pure equilibria of a two-agent game; if none, of the mixed."""
    rows = {a for a, _ in payoffs}
    columns = {b for _, b in payoffs}
    best_row = {b: max(payoffs[a, b][0] for a in rows) for b in columns}
    best_column = {a: max(payoffs[a, b][1] for b in columns) for a in rows}
    pure = [
        gained
        for (a, b), gained in payoffs.items()
        if gained[0] >= best_row[b] - TOLERANCE and gained[1] >= best_column[a] - TOLERANCE
    ]
    if pure:
        return pure
    table = np.array([[payoffs[a, b] for b in sorted(columns)] for a in sorted(rows)])
    # Rounded and shifted to a common corner, many stages are the same game.
    corner = table[0, 0]
    shape, key = table.shape, tuple(np.round(table - corner, 6).ravel())
    return [(u + corner[0], v + corner[1]) for u, v in mixed_equilibria(shape, key)]


@cache
def mixed_equilibria(shape: tuple[int, ...], entries: tuple[float, ...]) -> list[Payoffs]:
    """Return the mixed equilibria's payoffs, by enumeration of supports of equal size."""
    table = np.array(entries).reshape(shape)
    first, second = table[..., 0], table[..., 1]
    found = []
    for size in range(2, min(first.shape) + 1):
        for rows, columns in product(*(combinations(range(n), size) for n in first.shape)):
            y = indifferent(first[np.ix_(rows, columns)])
            x = indifferent(second[np.ix_(rows, columns)].T)
            if x is None or y is None:
                continue
            by_row = first[:, columns] @ y
            by_column = x @ second[rows, :]
            u, v = by_row[rows[0]], by_column[columns[0]]
            if by_row.max() <= u + TOLERANCE and by_column.max() <= v + TOLERANCE:
                found.append((float(u), float(v)))
    assert found, "every finite game has an equilibrium"
    return found


def indifferent(table: np.ndarray) -> np.ndarray | None:
    """Return the mixture of columns under which all rows pay the same, if there is one."""
    size = len(table)
    system = np.zeros((size + 1, size + 1))
    system[:size, :size] = table
    system[:size, size] = -1.0
    system[size, :size] = 1.0
    try:
        solved = np.linalg.solve(system, np.eye(size + 1)[size])[:size]
    except np.linalg.LinAlgError:
        return None
    return solved if (solved >= -TOLERANCE).all() else None
