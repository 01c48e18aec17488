"""Cleanup under contracts over lanes, each lane under a contract of its own: for learners."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from cleanup_icn.batch.cleanup import BatchStart
from cleanup_icn.batch.compiled import compiled
from cleanup_icn.batch.ledger import (
    NUM_PUBLIC,
    LaneAccounts,
    book,
    end_if_over,
    open_accounts,
    read_public,
    settle,
    sign,
)
from cleanup_icn.batch.world import (
    BatchFeatures,
    Flags,
    Floats,
    Ints,
    LaneWorlds,
    Masks,
    Vectors,
    lane_integers,
)
from cleanup_icn.config import CleanupConfig, ConfigError
from cleanup_icn.contracts import Contract, ContractEncoder
from cleanup_icn.contracts.encode import LARGEST
from cleanup_icn.contracts.table import ContractTable, Terms, checked_contracts
from cleanup_icn.contracts.wrapper import SETTLE, USUAL_MAX_CLAUSES
from cleanup_icn.env import CleanupEnv
from cleanup_icn.noise import draw_at_start, episode_seed
from cleanup_icn.observe import agent_names
from cleanup_icn.starts import Starts, draw_integers
from cleanup_icn.state import NUM_ACTIONS

_CONTRACT = 2  # channel of what is drawn at the start of an episode; `Starts` has 0 and 1


class ContractFeatures(NamedTuple):
    """What every agent did in a step and what it came to, float64 of shape (B, N) each."""

    harvested: Floats  # fruit units taken
    cleaned: Floats  # pollution units removed
    illegal: Floats  # 1 where the action was not possible
    game_reward: Floats  # the reward before any transfer
    transfer: Floats  # received minus paid in this step
    balance: Floats  # due (or owed) and not settled after it
    contract: Ints  # (B,): index of the contract that was in force in the step


class ContractBatchStep(NamedTuple):
    """What came of one step in B lanes."""

    observation: Vectors  # float32 (B, N, D): of the episode to come where one has just ended
    reward: Floats  # float64 (B, N): from the game and by transfers
    truncated: Flags  # bool (B,): whether the lane's episode ended in this step
    mask: Masks  # int8 (B, N, A), to go with the observation
    features: ContractFeatures


@compiled
def end_contracts(
    terms: Terms, accounts: LaneAccounts, null_index: int, steps: Ints, changed: Flags
) -> None:
    """Put the null contract in place of those that are over after the step just made.

    Args:
        terms: of all contracts.
        accounts: written to.
        null_index: the null contract's place among them.
        steps: (B,) steps made.
        changed: (T + 1,) whether the world changes when a step begins.
    """
    for b in range(steps.shape[0]):
        if terms.until_change[accounts.in_force[b]] and changed[steps[b]]:
            sign(accounts, b, null_index)
        end_if_over(terms, accounts, b, steps[b], null_index)


@compiled
def write_contracts(
    encoded: Vectors, in_force: Ints, balance: Floats, first: int, rows: Vectors
) -> None:
    """Write the contract in force and the open balance to rows (B, N, D), from entry ``first``."""
    size = encoded.shape[2]
    for b in range(rows.shape[0]):
        for i in range(rows.shape[1]):
            # Through views of one axis this is compiled to a copy of whole words, ten times faster.
            told, row = encoded[in_force[b], i], rows[b, i, first:]
            for k in range(size):
                row[k] = told[k]
            row[size] = max(-LARGEST, min(LARGEST, balance[b, i]))


class BatchContract:
    """B lanes of Cleanup, each under a contract of its own, stepped together.

    A lane plays what ``ContractWrapper(parallel_env(observation="vector", ...), contract, ...)``
    plays for the same seed, actions and encoder, whatever B and whatever the other lanes do. Its
    amounts are floats and agree with the wrapper's within 1e-9 (see `cleanup_icn.batch.ledger`).
    Every array returned is fresh.

    Args:
        config: the game of all lanes.
        contracts: those that lanes can be under; `table` adds the null contract to them.
        num_lanes: B, at least 1.
        settle: "step" or "episode_end".
        limited_liability: whether no agent pays more than it has.
        encoder: what turns contracts into vectors. By default over all that Cleanup declares, with
            room for four clauses or as many as a contract given has.
        auto_reset: whether a lane whose episode has ended starts its next one at once.
        starts: ranges from which every episode's start is drawn; by default it is configured.
        draw_contracts: whether every episode's contract is drawn uniformly from those given (see
            `drawn_contract`); by default lanes begin under the first one and keep theirs.

    Raises:
        ConfigError: an argument that cannot be.
        ContractError: a contract that cannot be played here; see `ContractTable.of`.

    >>> from cleanup_icn.contracts import LumpSum
    >>> gift = Contract([LumpSum(payer="agent_0", payee="agent_1", amount=3)])
    >>> batch = BatchContract(CleanupConfig.create(), [Contract(), gift], 2)
    >>> _ = batch.reset(seeds=[5, 5], contracts=[0, 1])
    >>> batch.step([[2, 2], [2, 2]]).reward.tolist()
    [[4.0, 4.0], [1.0, 7.0]]
    """

    num_actions = NUM_ACTIONS

    def __init__(
        self,
        config: CleanupConfig,
        contracts: Sequence[Contract],
        num_lanes: int,
        *,
        settle: str = "step",
        limited_liability: bool = False,
        encoder: ContractEncoder | None = None,
        auto_reset: bool = False,
        starts: Starts | None = None,
        draw_contracts: bool = False,
    ) -> None:
        if settle not in SETTLE:
            raise ConfigError("settle", settle, " or ".join(map(repr, SETTLE)))
        if not isinstance(limited_liability, bool):
            raise ConfigError("limited_liability", limited_liability, "True or False")
        self.config, self.num_agents = config, config.num_agents
        self.settle, self.limited_liability = settle, limited_liability
        self.auto_reset, self.draw_contracts = auto_reset, draw_contracts
        self._worlds = LaneWorlds(config, num_lanes, starts=starts)
        self.num_lanes = self._worlds.num_lanes
        self.encoder = usual_encoder(config, contracts) if encoder is None else encoder
        self.table = ContractTable.of(
            contracts,
            agents=agent_names(config.num_agents),
            feature_names=CleanupEnv.contract_features,
            public_names=CleanupEnv.public_features,
            encoder=self.encoder,
        )
        self.observation_size = self._worlds.vector_size + self.table.rows.shape[2] + 1
        steps = range(config.horizon_steps + 1)
        self._changed = np.array([bool(config.changed_at(step)) for step in steps])
        self._accounts = open_accounts(self.table, num_lanes)
        self._contracts = np.zeros(num_lanes, np.int64)

    def reset(
        self,
        seeds: npt.ArrayLike | None = None,
        contracts: npt.ArrayLike | None = None,
        *,
        pollution_initial: npt.ArrayLike | None = None,
        fruit_initial: npt.ArrayLike | None = None,
    ) -> BatchStart:
        """Start an episode in every lane, with fresh accounts.

        Args:
            seeds: B integers; lane b plays what ``reset(seed=seeds[b])`` of the single environment
                plays. None goes on to the next episode of every lane.
            contracts: indices in ``table.contracts``, (B,) or one for all, for this episode and
                for those after it unless they are drawn. None keeps each lane's or draws.
            pollution_initial: pollution units, (B,) or one for all, in place of drawn ones.
            fruit_initial: fruit units, likewise.

        Raises:
            ConfigError: for other seeds, contracts or starts, or without seeds at first.
        """
        given = None
        if contracts is not None:
            last = len(self.table.contracts) - 1
            given = lane_integers("contracts", contracts, num_lanes=self.num_lanes, highest=last)
        self._worlds.reset(seeds, pollution_initial=pollution_initial, fruit_initial=fruit_initial)
        self._sign(np.ones(self.num_lanes, np.bool_), given)
        return BatchStart(*self._seen())

    def step(self, actions: npt.ArrayLike) -> ContractBatchStep:
        """Play one step in every lane.

        Args:
            actions: integers (B, N); what is none of the four counts as an illegal wait.

        Raises:
            ValueError: for another shape or type, or if the episode of a lane is over.
        """
        checked = self._worlds.checked_actions(actions)
        public = np.empty((self.num_lanes, NUM_PUBLIC))
        read_public(self._worlds.world, self._worlds.lanes, public)
        did = self._worlds.advance(checked)
        truncated = self._worlds.is_over
        features = self._account_for(did, public, truncated)
        if self.auto_reset and truncated.any():
            self._worlds.begin(truncated)
            self._sign(truncated, None)
        observation, mask = self._seen()
        reward = features.game_reward + features.transfer
        return ContractBatchStep(observation, reward, truncated, mask, features)

    @property
    def contracts(self) -> Ints:
        """Index in ``table.contracts`` of the contract of every lane's episode, (B,)."""
        return self._contracts.copy()

    @property
    def in_force(self) -> Ints:
        """Index of the contract in force in every lane, (B,): the null one's once it is over."""
        return self._accounts.in_force.copy()

    def _account_for(
        self, did: BatchFeatures, public: Floats, truncated: Flags
    ) -> ContractFeatures:
        accounts, transfer = self._accounts, np.empty_like(did.harvested)
        contract = accounts.in_force.copy()
        plays = np.ones_like(truncated)
        settles = truncated if self.settle == "episode_end" else plays
        book(self.table.terms, accounts, plays, did, public)
        settle(accounts, settles, self.limited_liability, transfer)
        end_contracts(
            self.table.terms,
            accounts,
            self.table.null_index,
            self._worlds.lanes.step,
            self._changed,
        )
        return ContractFeatures(
            *did,
            game_reward=did.harvested.copy(),
            transfer=transfer,
            balance=accounts.balance.copy(),
            contract=contract,
        )

    def _sign(self, which: Flags, given: Ints | None) -> None:
        """Open fresh accounts in these lanes, under the contracts given, drawn or kept."""
        chosen = given
        if chosen is None and self.draw_contracts:
            seeds = self._worlds.lanes.episode_seed
            chosen = draw_integers(seeds, _CONTRACT, 0, self.table.num_given - 1)
        if chosen is not None:
            self._contracts[which] = chosen[which]
        accounts, null = self._accounts, self.table.null_index
        covers_none = self.table.terms.end_step[self._contracts] <= 0
        accounts.in_force[which] = np.where(covers_none, null, self._contracts)[which]
        accounts.lump_sums_are_due[which] = True
        for amounts in (accounts.moved, accounts.balance, accounts.earned, accounts.transferred):
            amounts[which] = 0.0

    def _seen(self) -> tuple[Vectors, Masks]:
        worlds, accounts = self._worlds, self._accounts
        rows = np.empty((self.num_lanes, self.num_agents, self.observation_size), np.float32)
        worlds.observe(rows)
        write_contracts(
            self.table.rows, accounts.in_force, accounts.balance, worlds.vector_size, rows
        )
        masks = np.empty((self.num_lanes, self.num_agents, NUM_ACTIONS), np.int8)
        worlds.write_masks(masks)
        return rows, masks


def drawn_contract(seed: int, episode: int, num_contracts: int) -> int:
    """Return which of so many contracts a lane that draws is under in an episode of its seed.

    The k-th episode (from 0) is that of the k-th ``reset`` after ``reset(seed=seed)``.
    """
    begun = episode_seed(operator.index(seed), operator.index(episode))
    return draw_at_start(begun, _CONTRACT, 0, num_contracts - 1)


def usual_encoder(config: CleanupConfig, contracts: Sequence[Contract]) -> ContractEncoder:
    """Return the encoder that a `ContractWrapper` around the game would choose for itself.

    Raises:
        ContractError: no contract, or what is none.
    """
    given = checked_contracts(contracts)
    return ContractEncoder(
        agents=agent_names(config.num_agents),
        feature_names=CleanupEnv.contract_features,
        public_names=CleanupEnv.public_features,
        max_clauses=max(USUAL_MAX_CLAUSES, *(len(each.clauses) for each in given)),
    )
