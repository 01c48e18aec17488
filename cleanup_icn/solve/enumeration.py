"""The payoffs of all pure subgame-perfect equilibria of two agents, where horizons are tiny.

From the last step back, every state has a set of payoffs that equilibria of the rest of the game
can have. A joint action belongs to an equilibrium if some continuation makes it a best reply: its
own continuation is any of the set ahead of it, and whoever deviates is met by the continuation that
is worst for the deviator. Strategies may thus depend on what was done before, not on the state
alone, which is more than `cleanup_icn.solve.equilibria` selects from (Abreu, Pearce and Stacchetti
1990, *Econometrica* 58, for repeated games; here the horizon is finite). A state with a successor
that has no pure equilibrium has none itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import inf

import numpy as np

from cleanup_icn.config import CleanupConfig, ConfigError
from cleanup_icn.contracts import Contract
from cleanup_icn.solve.markov import Play
from cleanup_icn.solve.optimum import social_optimum
from cleanup_icn.solve.stage import TOLERANCE
from cleanup_icn.solve.two_agents import NUM_AGENTS, lump_sums, state_index
from cleanup_icn.solve.worlds import Floats

MOST_PAYOFFS = 100_000
"""Up to so many payoffs are kept for all states of a step together."""

_DIGITS = 9  # payoffs that are the same in these are one

_State = tuple[int, int]  # places, pair
_Payoffs = Mapping[_State, Floats]  # (payoffs, 2) of each state


@dataclass(frozen=True, eq=False)
class EquilibriumPayoffs:
    """What all pure subgame-perfect equilibria of one game are worth from the configured start."""

    payoffs: Floats  # (equilibrium payoffs, 2), reward units, in lexicographic order
    social_optimum: float

    @property
    def price_of_anarchy(self) -> float | None:
        """The optimum over the welfare of the worst equilibrium; None if there is none.

        Infinite where only the optimum is worth something, 1 where that is worth nothing too.
        """
        return self._price(min(self._welfares, default=None))

    @property
    def price_of_stability(self) -> float | None:
        """The same over the welfare of the best equilibrium."""
        return self._price(max(self._welfares, default=None))

    @property
    def _welfares(self) -> list[float]:
        return [float(welfare) for welfare in self.payoffs.sum(axis=1)]

    def _price(self, welfare: float | None) -> float | None:
        if welfare is None:
            return None
        if welfare > TOLERANCE:
            return self.social_optimum / welfare
        return inf if self.social_optimum > TOLERANCE else 1.0


def equilibrium_payoffs(
    config: CleanupConfig, contract: Contract | None = None
) -> EquilibriumPayoffs:
    """Find the payoffs of every pure subgame-perfect equilibrium, by set-valued induction.

    Raises:
        ConfigError: not two agents, a contract that is not additive, a surprise (agents would not
            know which game they play), or more payoffs than `MOST_PAYOFFS` in some step.
    """
    play = Play(config, contract)
    if any(config.change_steps) and not config.announce_changes:
        raise ConfigError("announce_changes", False, "True where the schedule changes the world")
    start = config.start
    first = state_index(play.tables(0).grid, start)
    visited = _reachable(play, first)
    found: _Payoffs = {state: np.zeros((1, NUM_AGENTS)) for state in visited.pop()}
    for step in reversed(range(config.horizon_steps)):
        stage = _Stage(play, step, found)
        found = {state: stage.equilibria(*state) for state in visited.pop()}
        _check_number(config, sum(map(len, found.values())))
    payoffs = found[first] + lump_sums(play.contract)
    return EquilibriumPayoffs(payoffs, social_optimum(config).welfare)


def _reachable(play: Play, first: _State) -> list[set[_State]]:
    """Return the states before every step, and after the last, that some play leads to."""
    visited = [{first}]
    for step in range(play.config.horizon_steps):
        tables = play.tables(step)
        visited.append(
            {
                divmod(int(flat), tables.num_pairs)
                for places, pair in visited[-1]
                for successors in tables.successors
                for flat in successors[places, ..., pair].flat
            }
        )
    return visited


def _check_number(config: CleanupConfig, num_payoffs: int) -> None:
    if num_payoffs > MOST_PAYOFFS:
        allowed = f"fewer steps: more than {MOST_PAYOFFS} payoffs have to be kept for one step"
        raise ConfigError("horizon_steps", config.horizon_steps, allowed)


class _Stage:
    """The stage games of one step, with what equilibria of the next steps can be worth."""

    def __init__(self, play: Play, step: int, ahead: _Payoffs) -> None:
        self._config, self._tables, self._ahead = play.config, play.tables(step), ahead
        self._now = play.payoffs(step)

    def equilibria(self, places: int, pair: int) -> Floats:
        """Return the payoffs of all pure equilibria from this state on, (payoffs, 2)."""
        after = {
            (a, b): self._now[:, places, a, b, pair] + self._continuations(places, a, b, pair)
            for a in range(3)
            for b in range(3)
        }
        if not all(map(len, after.values())):
            return np.zeros((0, NUM_AGENTS))
        worst = {joint: worths.min(axis=0) for joint, worths in after.items()}
        kept = []
        for (a, b), worths in after.items():
            best_deviations = [  # staying is among them: its worst never exceeds what is compared
                max(worst[i, b][0] for i in range(3)),
                max(worst[a, j][1] for j in range(3)),
            ]
            kept.append(worths[(worths >= np.array(best_deviations) - TOLERANCE).all(axis=1)])
        return _distinct(np.concatenate(kept))

    def _continuations(self, places: int, a: int, b: int, pair: int) -> Floats:
        """Return what equilibria after a joint action can be worth, each fall of the dice apart."""
        sums = np.zeros((1, NUM_AGENTS))
        for prob, successors in zip(self._tables.probs, self._tables.successors, strict=True):
            state = divmod(int(successors[places, a, b, pair]), self._tables.num_pairs)
            worths = self._ahead[state]
            _check_number(self._config, len(sums) * len(worths))
            sums = _distinct((sums[:, None] + prob * worths[None]).reshape(-1, NUM_AGENTS))
        return sums


def _distinct(payoffs: Floats) -> Floats:
    """Return the payoffs without those that are the same but for rounding."""
    return np.unique(payoffs.round(_DIGITS) + 0.0, axis=0)
