"""Scripted policies as policies of rows, in lanes under a contract or with talks.

In an environment they read words; here, what the words say is read back from the vectors of the
lanes. They then do the same.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from benchmarks.learning.bot_rows import RandomRows, WorldReader
from cleanup_icn import ConfigError
from cleanup_icn.batch.contracts import BatchContract
from cleanup_icn.batch.icn import BatchICN
from cleanup_icn.batch.talks import PROPOSE, RESPOND, WAITING
from cleanup_icn.contracts import Contract
from cleanup_icn.icn.protocol import Stage
from cleanup_icn.icn.text import TalkView
from cleanup_icn.policies import FOR_ANY_NUMBER, HAGGLERS, play, scripted_bot
from cleanup_icn.state import WAIT

if TYPE_CHECKING:
    from agents.ppo.batch import RowPolicy
    from cleanup_icn.icn import ICNConfig
    from cleanup_icn.observe import View

ROW_POLICIES = (*FOR_ANY_NUMBER, "random")
"""The policies that can play rows, by the names they have in arenas."""

_IS_PROPOSER, _ROUND, _NUM_TOLD = 4, 5, 9
"""Behind the world a row of `BatchICN` tells nine numbers on talks, two of them at these places."""


def row_policy(name: str, batch: BatchContract | BatchICN) -> RowPolicy:
    """Return the policy of that name for rows of these lanes.

    Raises:
        ConfigError: no policy of `ROW_POLICIES` has that name.
    """
    if name == "random":
        return RandomRows()
    if name not in FOR_ANY_NUMBER:
        raise ConfigError("partners", name, "one of " + ", ".join(ROW_POLICIES))
    return ScriptedRows(name, batch)


class ScriptedRows:
    """Plays a scripted policy for every row, each by itself.

    Args:
        name: one of `cleanup_icn.policies.FOR_ANY_NUMBER`.
        batch: the lanes whose rows are played.
    """

    def __init__(self, name: str, batch: BatchContract | BatchICN) -> None:
        self._bot, self._talks = scripted_bot(name, batch.config), name in HAGGLERS
        self._world = WorldReader(batch.config)
        self._icn = batch.icn if isinstance(batch, BatchICN) else None
        contracts, rows = batch.table.contracts, batch.table.rows
        self._contract_size = rows.shape[2]
        # By who is looking, since what a contract is to one may be what another is to the next.
        self._contracts = {
            (agent_index, row.tobytes()): contract
            for contract, of_agents in zip(contracts, rows, strict=True)
            for agent_index, row in enumerate(of_agents)
        }

    def act(
        self,
        observations: npt.NDArray[np.float32],
        masks: npt.NDArray[np.int8] | None,
        uniforms: npt.NDArray[np.float64] | None,
    ) -> npt.NDArray[np.intp]:
        """Actions (R,) for observations (R, D); they are legal, and nothing is drawn."""
        del masks, uniforms
        views = self._world.views(observations)
        told = observations[:, self._world.size :]
        return np.array([self._act(*each) for each in zip(views, told, strict=True)], np.intp)

    def _act(self, seen: View, told: npt.NDArray[np.float32]) -> int:
        """Answer what a row shows of the world, and what it tells behind that."""
        under_way = None
        if self._icn is not None:
            if told[WAITING]:
                return WAIT
            if told[PROPOSE] or told[RESPOND]:
                under_way = self._talks_told(self._icn, seen, told)
            told = told[_NUM_TOLD:]
        in_force = self._contract(seen, told)
        contracts = (in_force,) if in_force.clauses else ()
        return play(seen, self._bot, contracts=contracts, under_way=under_way, talks=self._talks)

    def _contract(self, seen: View, told: npt.NDArray[np.float32]) -> Contract:
        """Return the contract whose vector comes first."""
        return self._contracts[seen.agent_index, told[: self._contract_size].tobytes()]

    def _talks_told(self, icn: ICNConfig, seen: View, told: npt.NDArray[np.float32]) -> TalkView:
        # A row does not tell which of the others proposes, and no policy asks for it.
        other = (seen.agent_index + 1) % seen.num_agents
        is_response = bool(told[RESPOND])
        proposal = self._contract(seen, told[_NUM_TOLD + self._contract_size :])
        return TalkView(
            stage=Stage.RESPOND if is_response else Stage.PROPOSE,
            proposer=seen.agent_index if told[_IS_PROPOSER] else other,
            round_number=round(float(told[_ROUND]) * icn.max_rounds),
            max_rounds=icn.max_rounds,
            proposal=proposal if is_response else None,
            menu=icn.menu,
        )
