"""What contracts are worth to two agents in talks: what they bring if they play an equilibrium.

Values are those of the high selection (`cleanup_icn.solve.equilibrium`) in the world that the
agents believe in, from the state and the step at which the talks are held. The steps of forced
waiting that follow any talks are counted, with what a contract moves in them, and lump sums where
a contract is newly signed. Nobody reckons with later talks.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from cleanup_icn.beliefs import Solutions, without_lump_sums
from cleanup_icn.config import SCHEDULED_NAMES, CleanupConfig
from cleanup_icn.contracts import Contract, transfers
from cleanup_icn.icn.bargaining import Stakes
from cleanup_icn.icn.config import ICNConfig
from cleanup_icn.solve.settlement import covers
from cleanup_icn.solve.two_agents import AGENTS, NUM_AGENTS, lump_sums, state_index, tables_for
from cleanup_icn.solve.worlds import Floats, outcomes_of
from cleanup_icn.state import CleanupState

Amounts = tuple[int, int]
"""Pollution and fruit, in units."""

_IDLE = {agent: {"harvested": 0.0, "cleaned": 0.0, "reward": 0.0} for agent in AGENTS}


class Foresight:
    """What the talks held in one state at one step can lead to.

    Args:
        world: what is believed, see `cleanup_icn.beliefs.believed`.
        state: the state in which the talks are held.
        step: the play step before which they are held.
        icn: the rules of the talks.
        solutions: where solutions are kept.
    """

    def __init__(
        self,
        world: CleanupConfig,
        *,
        state: CleanupState,
        step: int,
        icn: ICNConfig,
        solutions: Solutions,
    ) -> None:
        self._world, self._state, self._step, self._icn = world, state, step, icn
        self._solutions = solutions
        self._first_change = min((c for c in world.change_steps if c > step), default=None)
        self._resumed = min(step + icn.negotiation_cost_steps, world.horizon_steps)
        self._waits = _waits(world, state, range(step, self._resumed))

    def stakes(self, standing: Contract, proposal: Contract | None = None) -> Stakes:
        """Return what is at stake with this contract in force and this proposal, if any."""
        menu, keeps = self._icn.menu, self._icn.disagreement == "keep"
        contracts = [*menu, standing if keeps else Contract()]
        contracts += [proposal] if proposal is not None else []
        worth = self._worth(contracts)
        # An initial contract's lump sums fall due in the first step, if it stands until then.
        paid_before = None if self._step == 0 else len(menu)
        for k, contract in enumerate(contracts):
            if k != paid_before and np.isfinite(worth[k]).all():
                worth[k] += self._lump_sums(contract)
        size = len(menu)
        return Stakes(worth[:size], worth[size], worth[-1] if proposal is not None else None)

    def _worth(self, contracts: Sequence[Contract]) -> Floats:
        """Return what contracts are worth, (k, 2), lump sums left out."""
        grid = tables_for(self._world, self._step).grid
        by_state = self._solutions.values(self._world, contracts, self._resumed)
        worth = np.full((len(contracts), NUM_AGENTS), -np.inf)
        for k, values in enumerate(by_state):
            if values is None:
                continue
            worth[k] = self._moved_in_waiting(contracts[k])
            for (pollution, fruit), prob in self._waits[-1].items():
                reached = CleanupState(self._state.at_shore, pollution, fruit)
                places, pair = state_index(grid, reached)
                worth[k] += prob * values[:, places, pair]
        return worth

    def _moved_in_waiting(self, contract: Contract) -> Floats:
        """Return what a contract moves while both wait, (2,)."""
        lasting = without_lump_sums(contract)
        moved = np.zeros(NUM_AGENTS)
        for step, reached in zip(range(self._step, self._resumed), self._waits, strict=False):
            if lasting.is_null or not covers(contract, step, self._first_change):
                break
            parameters = self._world.parameters_at(step)
            public: dict[str, float] = {"step": step}
            public.update(zip(SCHEDULED_NAMES, parameters, strict=False))
            for (pollution, fruit), prob in reached.items():
                here = {**public, "pollution": pollution, "fruit": fruit}
                gained = transfers(lasting, _IDLE, here)
                moved += prob * np.array([gained[agent] for agent in AGENTS])
        return moved

    def _lump_sums(self, contract: Contract) -> Floats:
        """Return what each gains once from a contract that is in force in the next step, (2,)."""
        if not covers(contract, self._step, self._first_change):
            return np.zeros(NUM_AGENTS)
        return lump_sums(contract)


def _waits(
    world: CleanupConfig, state: CleanupState, steps: Sequence[int]
) -> list[dict[Amounts, float]]:
    """Return the chances of amounts before each of these steps and after the last, all waiting."""
    waits = [{(state.pollution, state.fruit): 1.0}]
    for step in steps:
        ahead: dict[Amounts, float] = {}
        for (pollution, fruit), chance in waits[-1].items():
            for prob, pair in outcomes_of(pollution, fruit, 0, 0, world.parameters_at(step))[1]:
                ahead[pair] = ahead.get(pair, 0.0) + chance * prob
        waits.append(ahead)
    return waits
