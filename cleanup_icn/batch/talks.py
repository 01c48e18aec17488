"""Many negotiations side by side: when talks are held, what is said in them, what comes of it.

Kernels here change the arrays that they are given. What they decide, they ask of the functions that
a single environment asks: `cleanup_icn.icn.talk_rules` and the judges. Axes are B (lanes), N
(agents); contracts are indices in a `ContractTable`.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from cleanup_icn.batch.compiled import compiled
from cleanup_icn.batch.ledger import LaneAccounts, clear, end_if_over, sign
from cleanup_icn.batch.world import LARGEST_AMOUNT, Flags, Floats, Ints
from cleanup_icn.config import CleanupConfig, ConfigError
from cleanup_icn.contracts import Contract
from cleanup_icn.contracts.table import ContractTable, Terms
from cleanup_icn.icn import judge as judges
from cleanup_icn.icn import talk_rules
from cleanup_icn.icn.config import ICNConfig
from cleanup_icn.icn.judge import Every, Judge, Situation, WelfareFall, has_fallen, judge_named
from cleanup_icn.icn.observe import ACCEPT, FIRST_PROPOSAL, REJECT
from cleanup_icn.icn.talk_rules import FAILED, RATIFIED, TO_VOTE, can_say, follow
from cleanup_icn.state import WAIT

PLAY, PROPOSE, RESPOND, WAITING = 0, 1, 2, 3
"""Codes of a lane's phase, of what comes next: play, talks in two stages, forced waiting."""

PHASES = ("play", "propose", "respond", "waiting")
"""The phases by code, in the words of the single environment."""

NONE = -1
"""In the place of a contract's index: nothing is proposed."""

_STEP_JUDGES = (judges.never, judges.at_start, judges.on_change, judges.on_change_only)

# What actions say in talks; the actions themselves bear some of the same names.
_SAYS_PASS, _SAYS_PROPOSE = talk_rules.PASS, talk_rules.PROPOSE
_SAYS_ACCEPT, _SAYS_REJECT = talk_rules.ACCEPT, talk_rules.REJECT
_SAYS_NOTHING = talk_rules.NOTHING


class TalkSettings(NamedTuple):
    """Settings of negotiation as numbers, over T play steps."""

    num_agents: int
    num_actions: int
    max_rounds: int
    cost_steps: int  # play steps of forced waiting after talks
    voids: bool  # whether failed talks leave the null contract
    shows_history: bool  # whether vectors tell what earlier talks came to
    null: int  # the null contract
    initial: int  # the contract in force before any talks
    is_due: Flags  # (T,): whether the judge calls for talks before a step, whatever happened
    changes: Flags  # (T,): whether the world changes when a step begins
    window_steps: int  # talks are due too when welfare in so many steps has fallen; 0 for never
    fraction: float  # below this fraction of the best window


class LaneTalks(NamedTuple):
    """Where negotiation stands in B lanes, (B,) each unless said; the kernels write into them."""

    phase: Ints
    proposer: Ints  # who is to propose, or whose proposal is voted on
    rounds: Ints  # rounds of these talks completed
    proposal: Ints  # index of the contract that is voted on, or NONE
    waiting: Ints  # play steps of forced waiting still to come
    is_due: Flags  # whether talks are to be held once the wait is over
    num_talks: Ints  # negotiations held in this episode
    latest: Ints  # play step before which the latest were held, 0 before any
    ratified: Flags  # whether the latest ended in agreement
    welfare: Floats  # (B, T), or (B, 0) where no judge asks: game rewards of each step


def settings_of(config: CleanupConfig, icn: ICNConfig, table: ContractTable) -> TalkSettings:
    """Lay settings out; the table holds the menu and then the initial contract.

    Raises:
        ConfigError: the judge is one that a batch cannot ask, or a number too large to count to.
    """
    for name in ("max_rounds", "negotiation_cost_steps"):
        if getattr(icn, name) > LARGEST_AMOUNT:
            raise ConfigError(name, getattr(icn, name), f"at most {LARGEST_AMOUNT} in a batch")
    judge = judge_named(icn.judge)
    falls = judge if isinstance(judge, WelfareFall) else None
    return TalkSettings(
        num_agents=config.num_agents,
        num_actions=FIRST_PROPOSAL + len(icn.menu),
        max_rounds=icn.max_rounds,
        cost_steps=icn.negotiation_cost_steps,
        voids=icn.disagreement == "void",
        shows_history=icn.history,
        null=table.null_index,
        initial=len(icn.menu),
        is_due=_due_steps(config, judge),
        changes=np.array([bool(config.changed_at(t)) for t in range(config.horizon_steps)]),
        window_steps=min(falls.window_steps, config.horizon_steps) if falls else 0,
        fraction=falls.fraction if falls else 0.0,
    )


def lane_talks(settings: TalkSettings, num_lanes: int) -> LaneTalks:
    """Return room for B negotiations, none of which has begun."""
    horizon = len(settings.is_due) if settings.window_steps else 0
    ints = np.zeros((6, num_lanes), np.int64)
    flags = np.zeros((2, num_lanes), np.bool_)
    phase, proposer, rounds, waiting, num_talks, latest = ints
    return LaneTalks(
        phase=phase,
        proposer=proposer,
        rounds=rounds,
        proposal=np.full(num_lanes, NONE, np.int64),
        waiting=waiting,
        is_due=flags[0],
        num_talks=num_talks,
        latest=latest,
        ratified=flags[1],
        welfare=np.zeros((num_lanes, horizon)),
    )


def speech_of(action: int, num_actions: int) -> int:
    """Return what an action says in talks, a code of `cleanup_icn.icn.talk_rules`."""
    if action == WAIT:
        return _SAYS_PASS
    if action == ACCEPT:
        return _SAYS_ACCEPT
    if action == REJECT:
        return _SAYS_REJECT
    return _SAYS_PROPOSE if FIRST_PROPOSAL <= action < num_actions else _SAYS_NOTHING


def conclude(
    settings: TalkSettings,
    terms: Terms,
    accounts: LaneAccounts,
    talks: LaneTalks,
    lane: int,
    step: int,
    is_ratified: bool,
) -> None:
    """End a lane's talks: sign what was agreed, keep a record, and wait as long as it costs."""
    if is_ratified:
        sign(accounts, lane, talks.proposal[lane])
    elif settings.voids:
        sign(accounts, lane, settings.null)
    end_if_over(terms, accounts, lane, step, settings.null)
    talks.num_talks[lane] += 1
    talks.latest[lane] = step
    talks.ratified[lane] = is_ratified
    talks.waiting[lane] = settings.cost_steps
    talks.phase[lane] = WAITING if settings.cost_steps > 0 else PLAY


def ask_judge(settings: TalkSettings, talks: LaneTalks, lane: int, step: int) -> None:
    """Open a lane's talks if they are due, but only when the last are waited out."""
    is_due = talks.is_due[lane] or settings.is_due[step]
    if settings.window_steps > 0 and not is_due:
        is_due = has_fallen(
            talks.welfare[lane], talks.latest[lane], step, settings.window_steps, settings.fraction
        )
    talks.is_due[lane] = is_due and talks.waiting[lane] > 0
    talks.phase[lane] = WAITING if talks.waiting[lane] > 0 else PLAY
    if is_due and talks.waiting[lane] == 0:
        talks.phase[lane] = PROPOSE
        talks.proposer[lane] = talks.num_talks[lane] % settings.num_agents
        talks.rounds[lane] = 0
        talks.proposal[lane] = NONE


@compiled
def begin(
    settings: TalkSettings, terms: Terms, accounts: LaneAccounts, talks: LaneTalks, which: Flags
) -> None:
    """Start an episode's negotiation in the lanes where ``which`` (B,) is true."""
    for b in range(len(which)):
        if which[b]:
            clear(accounts, b)
            talks.waiting[b] = 0
            talks.is_due[b] = False
            talks.num_talks[b] = 0
            talks.latest[b] = 0
            talks.ratified[b] = False
            sign(accounts, b, settings.initial)
            end_if_over(terms, accounts, b, 0, settings.null)
            ask_judge(settings, talks, b, 0)


@compiled
def hear(
    settings: TalkSettings,
    terms: Terms,
    accounts: LaneAccounts,
    talks: LaneTalks,
    steps: Ints,
    actions: Ints,
    illegal: Floats,
    ended: Flags,
    ratified: Flags,
) -> None:
    """Make one step of talks in the lanes that are in talks.

    Args:
        settings: of negotiation.
        terms: of the contracts.
        accounts: written to when a contract is signed or over.
        talks: written to.
        steps: (B,): play steps made.
        actions: (B, N): any integers; what cannot be said is nothing said, and illegal.
        illegal: (B, N): written to, in these lanes.
        ended: (B,), written to in every lane: whether its talks ended in this step.
        ratified: (B,), likewise: whether they ended in agreement.
    """
    num_agents = actions.shape[1]
    speeches = np.zeros(num_agents, np.int64)
    for b in range(len(steps)):
        ended[b] = ratified[b] = False
        if talks.phase[b] not in (PROPOSE, RESPOND):
            continue
        has_proposal = talks.phase[b] == RESPOND
        proposer = talks.proposer[b]
        for i in range(num_agents):
            speeches[i] = speech_of(actions[b, i], settings.num_actions)
            illegal[b, i] = not can_say(speeches[i], i == proposer, has_proposal)
        turn = follow(speeches, proposer, has_proposal, talks.rounds[b], settings.max_rounds)
        talks.rounds[b] = turn.rounds
        if turn.result in (RATIFIED, FAILED):
            ended[b], ratified[b] = True, turn.result == RATIFIED
            conclude(settings, terms, accounts, talks, b, steps[b], turn.result == RATIFIED)
        elif turn.result == TO_VOTE:
            talks.phase[b] = RESPOND
            talks.proposal[b] = actions[b, turn.proposer] - FIRST_PROPOSAL
            talks.proposer[b] = turn.proposer
        else:
            talks.phase[b] = PROPOSE
            talks.proposal[b] = NONE
            talks.proposer[b] = turn.proposer


@compiled
def follow_play(
    settings: TalkSettings,
    terms: Terms,
    accounts: LaneAccounts,
    talks: LaneTalks,
    steps: Ints,
    plays: Flags,
    game_rewards: Floats,
) -> None:
    """After a play step has been booked: end contracts that are over, and ask the judge.

    Args:
        settings: of negotiation.
        terms: of the contracts.
        accounts: written to when a contract is over.
        talks: written to.
        steps: (B,): play steps made, this one included.
        plays: (B,): where this step was one of play; nothing is done elsewhere.
        game_rewards: (B, N): of this step.
    """
    horizon = len(settings.is_due)
    for b in range(len(steps)):
        if not plays[b]:
            continue
        step = steps[b]
        if settings.window_steps > 0:
            welfare = 0.0
            for i in range(game_rewards.shape[1]):
                welfare += game_rewards[b, i]
            talks.welfare[b, step - 1] = welfare
        talks.waiting[b] = max(talks.waiting[b] - 1, 0)
        talks.phase[b] = WAITING if talks.waiting[b] > 0 else PLAY
        if step < horizon:
            if settings.changes[step] and terms.until_change[accounts.in_force[b]]:
                sign(accounts, b, settings.null)
            end_if_over(terms, accounts, b, step, settings.null)
            ask_judge(settings, talks, b, step)


def _due_steps(config: CleanupConfig, judge: Judge) -> Flags:
    """Ask a judge about every step, if the step and what changes are all that it looks at."""
    # What is derived from one of the two may look at anything.
    if type(judge) not in (Every, WelfareFall) and judge not in _STEP_JUDGES:
        allowed = "never, start, change, change-only, every:<steps> or welfare-fall, for a batch"
        raise ConfigError("judge", judge, allowed)
    steps = range(config.horizon_steps)
    return np.array([judge(_situation(config, step)) for step in steps], np.bool_)


def _situation(config: CleanupConfig, step: int) -> Situation:
    """Return what such a judge looks at; without welfare that of `WelfareFall` sees no fall."""
    return Situation(
        step=step,
        horizon_steps=config.horizon_steps,
        public={},
        changed=config.changed_at(step),
        contract=Contract(),
        welfare=(),
        negotiated_at=(),
    )
