"""Cleanup with iterated contract negotiation over lanes: for learners."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from cleanup_icn.batch.cleanup import BatchStart
from cleanup_icn.batch.compiled import compiled
from cleanup_icn.batch.ledger import (
    NUM_PUBLIC,
    LaneAccounts,
    book,
    open_accounts,
    read_public,
    settle,
)
from cleanup_icn.batch.talks import (
    PLAY,
    PROPOSE,
    RESPOND,
    WAITING,
    LaneTalks,
    TalkSettings,
    begin,
    follow_play,
    hear,
    lane_talks,
    settings_of,
    speech_of,
)
from cleanup_icn.batch.world import Flags, Floats, Ints, LaneWorlds, Masks, Vectors
from cleanup_icn.config import CleanupConfig, ConfigError
from cleanup_icn.contracts.encode import LARGEST
from cleanup_icn.contracts.table import ContractTable
from cleanup_icn.env import CleanupEnv
from cleanup_icn.icn.config import ICNConfig
from cleanup_icn.icn.observe import ICNObserver
from cleanup_icn.icn.signing import check_contracts
from cleanup_icn.icn.talk_rules import can_say
from cleanup_icn.observe import agent_names
from cleanup_icn.starts import Starts
from cleanup_icn.state import NUM_ACTIONS, WAIT

_NUM_TOLD = 9  # entries of a vector between what it tells of the world and the two contracts


class ICNFeatures(NamedTuple):
    """What came of a step: for every agent, float64 (B, N), and then for every lane, (B,)."""

    harvested: Floats  # fruit units taken, 0 in talks
    cleaned: Floats  # pollution units removed
    illegal: Floats  # 1 where the action was not possible
    game_reward: Floats  # the reward before any transfer
    transfer: Floats  # received minus paid in this step
    balance: Floats  # due (or owed) and not settled after it
    was_play: Flags  # whether the world moved; else it was a step of talks
    phase: Ints  # what came next, a code: see `cleanup_icn.batch.talks.PHASES`
    in_force: Ints  # index in `BatchICN.table` of the contract in force after the step
    ended: Flags  # whether talks ended in this step
    ratified: Flags  # whether they ended in agreement
    num_talks: Ints  # negotiations of this episode that have ended


class ICNBatchStep(NamedTuple):
    """What came of one step in B lanes."""

    observation: Vectors  # float32 (B, N, D): of the episode to come where one has just ended
    reward: Floats  # float64 (B, N): from the game and by transfers
    truncated: Flags  # bool (B,): whether the lane's episode ended in this step
    mask: Masks  # int8 (B, N, A), to go with the observation
    features: ICNFeatures


@compiled
def split_phases(talks: LaneTalks, actions: Ints, over: Flags, plays: Flags, played: Ints) -> None:
    """Say which lanes play, (B,), and what is played there, (B, N): who has to wait, waits."""
    for b in range(len(plays)):
        plays[b] = not over[b] and (talks.phase[b] == PLAY or talks.phase[b] == WAITING)
        for i in range(actions.shape[1]):
            played[b, i] = WAIT if talks.phase[b] == WAITING else actions[b, i]


@compiled
def count_waits(talks: LaneTalks, actions: Ints, plays: Flags, illegal: Floats) -> None:
    """Where waiting is forced, write what else was tried, (B, N), as illegal."""
    for b in range(actions.shape[0]):
        if plays[b] and talks.phase[b] == WAITING:
            for i in range(actions.shape[1]):
                illegal[b, i] = actions[b, i] != WAIT


def copy(told: Vectors, row: Vectors) -> None:
    """Copy a vector, (E,), into another."""
    for k in range(told.shape[0]):
        row[k] = told[k]


@compiled
def write_talks(
    settings: TalkSettings,
    accounts: LaneAccounts,
    talks: LaneTalks,
    shown: Vectors,
    rows: Vectors,
    head: int,
) -> None:
    """Write what `cleanup_icn.icn.observe.ICNObserver` shows, behind the vectors of the world.

    Args:
        settings: of negotiation.
        accounts: the accounts.
        talks: where the lanes stand.
        shown: (K, N, E): every contract as every agent sees it.
        rows: (B, N, D), written to from ``head`` on.
        head: length of the vectors of the world.
    """
    horizon = len(settings.is_due)
    size = shown.shape[2]
    for b in range(rows.shape[0]):
        in_talks = talks.phase[b] in (PROPOSE, RESPOND)
        contract = accounts.in_force[b]
        proposal = talks.proposal[b] if talks.phase[b] == RESPOND else settings.null
        num_shown = talks.num_talks[b] if settings.shows_history else 0
        for i in range(rows.shape[1]):
            # Through views of one axis long copies are compiled to copies of whole words.
            row = rows[b, i, head:]
            for k in range(6):
                row[k] = 0.0
            row[talks.phase[b]] = 1.0
            if in_talks:
                row[4] = i == talks.proposer[b]
                row[5] = (talks.rounds[b] + 1) / settings.max_rounds
            row[6] = max(-LARGEST, min(LARGEST, accounts.balance[b, i]))
            row[7] = num_shown / horizon
            row[8] = num_shown > 0 and talks.ratified[b]
            copy(shown[contract, i], row[_NUM_TOLD : _NUM_TOLD + size])
            copy(shown[proposal, i], row[_NUM_TOLD + size :])


@compiled
def write_talk_masks(talks: LaneTalks, masks: Masks) -> None:
    """Write the masks, (B, N, A), whose head says already what can be done in play."""
    for b in range(masks.shape[0]):
        phase = talks.phase[b]
        in_talks = phase in (PROPOSE, RESPOND)
        for i in range(masks.shape[1]):
            for action in range(0 if phase != PLAY else NUM_ACTIONS, masks.shape[2]):
                masks[b, i, action] = in_talks and can_say(
                    speech_of(action, masks.shape[2]), i == talks.proposer[b], phase == RESPOND
                )
            if phase == WAITING:
                masks[b, i, WAIT] = 1


class BatchICN:
    """B lanes of Cleanup in which talks and play alternate, stepped together.

    A lane does what ``cleanup_icn.icn.parallel_env(observation="vector", ...)`` does for the same
    seed and actions, integers all, whatever B and whatever the other lanes do, which may be in
    other phases. Its amounts are floats and agree with the single environment's within 1e-9 (see
    `cleanup_icn.batch.ledger`). Every array returned is fresh.

    Args:
        config: the game of all lanes.
        icn: the negotiation of all lanes. Its judge is one of "never", "start", "change",
            "change-only", "every:<steps>" and "welfare-fall", or what `cleanup_icn.icn.judge` makes
            of the last two; contracts consist of clauses.
        num_lanes: B, at least 1.
        auto_reset: whether a lane whose episode has ended starts its next one at once. Otherwise it
            stands still, nothing done and nothing paid, until the others have ended too.
        starts: ranges from which every episode's start is drawn; by default it is configured.

    Raises:
        ConfigError: an argument that cannot be, here or in any environment.
        ContractError: a contract given names what this game does not have.

    >>> batch = BatchICN(CleanupConfig.create(), ICNConfig(), 3)
    >>> batch.reset(seeds=[5, 6, 7]).mask[0].sum(axis=1).tolist()  # pass or any of the menu; pass
    [11, 1]
    >>> batch.step([[0, 0], [6, 0], [9, 0]]).features.phase.tolist()
    [1, 2, 2]
    """

    def __init__(
        self,
        config: CleanupConfig,
        icn: ICNConfig,
        num_lanes: int,
        *,
        auto_reset: bool = False,
        starts: Starts | None = None,
    ) -> None:
        _refuse_plain_language(icn)
        self.config, self.icn = config, icn
        self.auto_reset = auto_reset
        self._worlds = LaneWorlds(config, num_lanes, starts=starts)
        self.num_lanes, self.num_agents = self._worlds.num_lanes, config.num_agents
        observer = ICNObserver(config, icn)
        check_contracts(icn, observer.encoder)
        self.table = ContractTable.of(
            (*icn.menu, icn.initial_contract),
            agents=agent_names(config.num_agents),
            feature_names=CleanupEnv.contract_features,
            public_names=CleanupEnv.public_features,
            encoder=observer.encoder,
        )
        self.num_actions = observer.num_actions
        self.observation_size = self._worlds.vector_size + _NUM_TOLD + 2 * observer.encoder.size
        self._settings = settings_of(config, icn, self.table)
        self._accounts = open_accounts(self.table, num_lanes)
        self._talks = lane_talks(self._settings, num_lanes)

    def reset(
        self,
        seeds: npt.ArrayLike | None = None,
        *,
        pollution_initial: npt.ArrayLike | None = None,
        fruit_initial: npt.ArrayLike | None = None,
    ) -> BatchStart:
        """Start an episode in every lane, with fresh accounts and no history.

        Args:
            seeds: B integers; lane b does what ``reset(seed=seeds[b])`` of the single environment
                leads to. None goes on to the next episode of every lane.
            pollution_initial: pollution units, (B,) or one for all, in place of drawn ones.
            fruit_initial: fruit units, likewise.

        Raises:
            ConfigError: for other seeds or starts, or without seeds at first.
        """
        self._worlds.reset(seeds, pollution_initial=pollution_initial, fruit_initial=fruit_initial)
        self._begin(np.ones(self.num_lanes, np.bool_))
        return BatchStart(*self._seen())

    def step(self, actions: npt.ArrayLike) -> ICNBatchStep:
        """Make one step of play or of talks in every lane.

        Args:
            actions: integers (B, N), each as `num_actions` counts them; what is not possible is,
                in play, a wait, and in talks nothing said, and counts as illegal.

        Raises:
            ValueError: for another shape or type, or if the episodes of all lanes are over.
        """
        given = self._worlds.checked_actions(actions)
        were_over = self._worlds.is_over
        features = self._make(given, were_over)
        truncated = self._worlds.is_over & ~were_over
        if self.auto_reset and truncated.any():
            self._worlds.begin(truncated)
            self._begin(truncated)
        observation, mask = self._seen()
        reward = features.game_reward + features.transfer
        return ICNBatchStep(observation, reward, truncated, mask, features)

    @property
    def phase(self) -> Ints:
        """What comes next in every lane, (B,): a code, see `cleanup_icn.batch.talks.PHASES`."""
        return self._talks.phase.copy()

    @property
    def in_force(self) -> Ints:
        """Index in ``table.contracts`` of the contract in force in every lane, (B,).

        The menu comes first in the table, in its order.
        """
        return self._accounts.in_force.copy()

    @property
    def num_steps(self) -> Ints:
        """Play steps made in every lane's episode, (B,)."""
        return self._worlds.lanes.step.copy()

    def _begin(self, which: Flags) -> None:
        begin(self._settings, self.table.terms, self._accounts, self._talks, which)

    def _make(self, given: Ints, were_over: Flags) -> ICNFeatures:
        """Make a step in all lanes that are not over; what came of it."""
        settings, terms = self._settings, self.table.terms
        accounts, talks, worlds = self._accounts, self._talks, self._worlds
        plays, played = np.empty(self.num_lanes, np.bool_), np.empty_like(given)
        split_phases(talks, given, were_over, plays, played)
        public = np.empty((self.num_lanes, NUM_PUBLIC))
        read_public(worlds.world, worlds.lanes, public)
        did = worlds.advance(played, plays)
        count_waits(talks, given, plays, did.illegal)
        book(terms, accounts, plays, did, public)
        transfer = np.empty_like(did.harvested)
        settles = plays if self.icn.settle == "step" else worlds.is_over & ~were_over
        settle(accounts, settles, self.icn.limited_liability, transfer)
        ended, ratified = np.empty_like(plays), np.empty_like(plays)
        steps = worlds.lanes.step
        hear(settings, terms, accounts, talks, steps, given, did.illegal, ended, ratified)
        follow_play(settings, terms, accounts, talks, steps, plays, did.harvested)
        return ICNFeatures(
            *did,
            game_reward=did.harvested.copy(),
            transfer=transfer,
            balance=accounts.balance.copy(),
            was_play=plays,
            phase=talks.phase.copy(),
            in_force=accounts.in_force.copy(),
            ended=ended,
            ratified=ratified,
            num_talks=talks.num_talks.copy(),
        )

    def _seen(self) -> tuple[Vectors, Masks]:
        worlds, shape = self._worlds, (self.num_lanes, self.num_agents)
        rows = np.empty((*shape, self.observation_size), np.float32)
        worlds.observe(rows)
        write_talks(
            self._settings, self._accounts, self._talks, self.table.rows, rows, worlds.vector_size
        )
        masks = np.empty((*shape, self.num_actions), np.int8)
        worlds.write_masks(masks)
        write_talk_masks(self._talks, masks)
        return rows, masks


def _refuse_plain_language(icn: ICNConfig) -> None:
    if icn.natural_language:
        raise ConfigError("natural_language", True, "False in a batch, whose contracts are clauses")
    if icn.ask is not None:
        raise ConfigError("ask", icn.ask, "None in a batch, whose contracts are clauses")
