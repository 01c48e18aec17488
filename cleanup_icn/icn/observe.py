"""What an agent sees in iterated contract negotiation, as a vector and as a mask."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from gymnasium import spaces

from cleanup_icn.config import CleanupConfig
from cleanup_icn.contracts import Contract, ContractEncoder
from cleanup_icn.env import CleanupEnv
from cleanup_icn.icn.config import ICNConfig
from cleanup_icn.icn.protocol import Speech, Stage, can_say
from cleanup_icn.observe import FloatArray, MaskArray, VectorObserver, action_mask, agent_names
from cleanup_icn.state import NUM_ACTIONS, WAIT

if TYPE_CHECKING:
    from cleanup_icn.icn.text import Phase  # which reads and writes these actions

ACCEPT, REJECT = NUM_ACTIONS, NUM_ACTIONS + 1
FIRST_PROPOSAL = NUM_ACTIONS + 2
"""Actions: 0..3 as in Cleanup (0 is also ``pass`` in talks), accept, reject, then the menu."""


MAX_ENCODED = 256
"""How many contracts' vectors are kept; there is no end to those proposed in words."""


class ICNObserver:
    """Writes vectors and masks of one configuration.

    A vector is Cleanup's, then: phase one-hot (play, propose, respond, forced waiting), whether I
    am the proposer, round over max_rounds, my open balance, of the history the number of
    negotiations over the horizon and whether the last one was ratified, and at last the contract
    in force and the one proposed (`ContractEncoder`).
    """

    def __init__(self, config: CleanupConfig, icn: ICNConfig) -> None:
        self._config, self._icn = config, icn
        self._agents = agent_names(config.num_agents)
        self._world = VectorObserver(config)
        self.encoder = ContractEncoder(
            agents=self._agents,
            feature_names=CleanupEnv.contract_features,
            public_names=CleanupEnv.public_features,
            max_clauses=icn.max_clauses,
            horizon_steps=config.horizon_steps,
        )
        self.num_actions = FIRST_PROPOSAL + len(icn.menu)
        self._encoded: dict[Contract, FloatArray] = {}

    def vector_space(self) -> spaces.Box:
        """Return the space of one agent's vector."""
        world, contract = self._world.space(), self.encoder.space
        low = (world.low, [0.0] * 6, [-1e6], [0.0, 0.0], contract.low, contract.low)
        high = (world.high, [1.0] * 6, [1e6], [1.0, 1.0], contract.high, contract.high)
        return spaces.Box(
            np.concatenate(low, dtype=np.float32), np.concatenate(high, dtype=np.float32)
        )

    def mask_space(self) -> spaces.Box:
        """Return the space of an action mask."""
        return spaces.Box(0, 1, (self.num_actions,), np.int8)

    def vectors(
        self,
        world: Sequence[FloatArray],
        *,
        phase: Phase,
        contract: Contract,
        balances: Sequence[float],
        negotiations: int,
        last_ratified: bool,
    ) -> FloatArray:
        """Return all agents' vectors, (N, D), freshly allocated; ``world`` are Cleanup's own."""
        talks = phase.talks
        proposal = talks.proposal if talks and talks.proposal is not None else Contract()
        n = len(self._agents)
        tail = np.zeros((n, 9), np.float32)
        tail[:, 6] = np.clip(balances, -1e6, 1e6)
        tail[:, 7:] = (negotiations / self._config.horizon_steps, last_ratified)
        if talks is None:
            tail[:, 3 if phase.waiting_steps else 0] = 1.0
        else:
            tail[:, 1 if talks.stage is Stage.PROPOSE else 2] = 1.0
            tail[talks.proposer, 4] = 1.0
            tail[:, 5] = talks.round_number / talks.max_rounds
        return np.concatenate(
            [np.stack(world), tail, self._encode(contract), self._encode(proposal)], axis=1
        )

    def mask(self, agent_index: int, *, at_shore: bool, phase: Phase) -> MaskArray:
        """Return what the agent may do, int8 of shape (num_actions,)."""
        mask = np.zeros(self.num_actions, np.int8)
        if phase.talks is None:
            mask[:NUM_ACTIONS] = action_mask(at_shore)
            if phase.waiting_steps:
                mask[:NUM_ACTIONS] = 0
                mask[WAIT] = 1
            return mask
        mask[WAIT] = can_say(phase.talks, agent_index, Speech.PASS)
        mask[ACCEPT] = mask[REJECT] = can_say(phase.talks, agent_index, Speech.ACCEPT)
        mask[FIRST_PROPOSAL:] = can_say(phase.talks, agent_index, Speech.PROPOSE)
        return mask

    def _encode(self, contract: Contract) -> FloatArray:
        """Return the contract's vector for every agent, (N, size)."""
        rows = self._encoded.get(contract)
        if rows is None:
            if len(self._encoded) >= MAX_ENCODED:
                self._encoded.clear()
            rows = np.stack([self.encoder.encode(contract, agent) for agent in self._agents])
            self._encoded[contract] = rows
        return rows
