"""The questions of a run, found again by playing its records anew: no model is needed.

The environment of an episode is made again and given the actions on record. Before each step every
seat whose turn it is is asked what a model in that seat would be asked. Repairs of answers that
could not be read are left out: the last answer counts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from agents import ScriptedAgent
from agents.llm.chat import Message
from agents.llm.prompt import PromptParts, compose, lines_shown
from agents.llm.recorded_client import RecordedClient
from agents.llm.seat import Seat
from agents.llm.styles import DIRECT, steps_of
from agents.lm.pairs import Pair
from agents.protocol import OK_STATUS
from benchmarks.arena import Arena
from benchmarks.checked import one_of_nearest
from benchmarks.cleanup.arena import CleanupArena
from benchmarks.cleanup.conditions import Env
from benchmarks.cleanup.runner import EpisodeResult, StepRecord
from benchmarks.episode_row import EpisodeRow, KeptEpisode
from benchmarks.judging import judge_of
from benchmarks.kinds import is_judged_by_model, kind_of, read_record
from benchmarks.lineups import players_by_seat
from benchmarks.negotiation.runner import NegotiationResult, Turn
from benchmarks.report.cleanup_replay import as_action
from benchmarks.store import RunReader
from benchmarks.suite import Suite
from benchmarks.teaching.thinking import check_thinks
from cleanup_icn import ConfigError, policies
from cleanup_icn.answers import parse_plan
from cleanup_icn.icn.protocol import Stage
from cleanup_icn.icn.text import render_answer as render_action
from cleanup_icn.prompt import CleanupSeat
from cleanup_icn.thoughts import THINK, thought_of
from cleanup_icn.wordings import OWN, RewordedSeat, wording_named
from negotiation_games import NegotiationEnv, ParseStatus, Speech
from negotiation_games import policies as negotiation_policies
from negotiation_games.answers import render_answer as render_speech
from negotiation_games.prompt import NegotiationSeat
from negotiation_games.state import Phase


@dataclass(frozen=True, kw_only=True)
class Asked:
    """One question of one episode, with the answer on record or one put in its place."""

    pair: Pair  # the prompt that a model in this seat is given, and the answer
    choice: str  # the shortest answer of the same meaning; empty where the answer was not read
    arena: str
    policy: str  # as `EpisodeRow.policy`
    condition: str
    episode: int  # number in its cell, from 0
    seed: int  # of the environment
    agent: str  # the seat
    player: str  # who sat there: a policy or a model
    step: int  # play steps made before; in negotiation turns made after the opening
    phase: str  # "play", or what the talks are at; "discuss", "final" or "vote"
    status: str  # of the answer on record; "ok" where a policy answers in its place
    episode_return: float  # the agent's after transfers; in negotiation its reward, points
    return_to_go: float  # likewise from this step on; in negotiation all of it


class _Meant(NamedTuple):
    """An answer, and shorter ones that mean the same; None where there is none."""

    said: str | None  # None of players without words
    status: str
    shortest: str | None
    open: str | None  # with public words and notes, without thoughts


class _Asking(NamedTuple):
    """How questions are put and answered; see `questions_of`."""

    record_lines: int | None
    steps: tuple[str, ...]
    relabel: str | None
    scratchpads: bool
    wording: str

    def thought(self, observation: Any) -> str:
        """Return what the teacher thinks aloud about an observation of Cleanup."""
        if self.relabel is None or THINK not in self.steps:
            return ""
        return thought_of(self.relabel, observation)

    def cleanup_seat(self, env: Env, agent: str) -> Seat:
        """Return what a model in a seat of Cleanup would be told by."""
        seat = CleanupSeat(env, agent)
        return seat if self.wording == OWN else RewordedSeat(seat, self.wording)

    def messages(self, seat: Seat, observation: Any) -> tuple[Message, ...]:
        """Return what a model in a seat is asked now."""
        parts = PromptParts(*seat.parts(observation, self.steps))
        return compose(parts, record_lines=self.record_lines)

    def answer(self, meant: _Meant) -> str | None:
        """Return the answer to keep; None where there is none."""
        if meant.said is None:
            return meant.shortest
        if self.scratchpads:
            return _whole(meant.said)
        return meant.open if meant.status == OK_STATUS else None


def questions_of(
    reader: RunReader,
    *,
    record_lines: int | None = 0,
    style: str | Sequence[str] = DIRECT,
    relabel: str | None = None,
    scratchpads: bool = True,
    wording: str = OWN,
    wanted: Callable[[EpisodeRow], bool] = lambda _row: True,
) -> Iterator[Asked]:
    """Return all questions of a run's episodes, in the order of the run's tables and of play.

    An answer that was said stands as it was said; one of a player without words is the shortest
    that means its action. Where no answer means it there is no question.

    Args:
        reader: of the run.
        record_lines: how many of the last lines of the public record a prompt has; None for all.
        style: which thoughts are asked for, see `agents.llm.styles.steps_of`.
        relabel: a scripted policy of the run's games. The answers are what it would have done in
            each place, whoever played there (DAgger: Ross et al. 2011, arXiv:1011.0686), with what
            it thinks where the style asks to think; notes that players left themselves are then in
            no prompt.
        scratchpads: whether answers that were said keep their secret thoughts. Without, they are
            put in the shortest words, public ones and notes kept, and there is no question where
            the answer could not be read.
        wording: in which Cleanup is told, a name in `cleanup_icn.wordings.WORDINGS`.
        wanted: which episodes to look at.

    Raises:
        ConfigError: there is no such policy or wording, the policy has no thoughts of the style,
            the run has games that are told in no other words, or a record is not one that this
            version plays as it was played.
        ValueError: there is no such style, or fewer record lines than none are asked for.
    """
    lines_shown(0, record_lines)
    asking = _Asking(record_lines, steps_of(style), relabel, scratchpads, wording)
    suite = Suite.from_dict(reader.about["suite"])
    if relabel is not None:
        check_teacher(suite, relabel)
        check_thinks(relabel, style)
    check_wording(suite, wording)
    return _questions(reader, {arena.name: arena for arena in suite.arenas}, asking, wanted)


def check_teacher(suite: Suite, name: str) -> None:
    """Raise `ConfigError` unless the games of a suite all have a scripted policy of this name."""
    for arena in suite.arenas:
        game: Any = policies if isinstance(arena, CleanupArena) else negotiation_policies
        if name not in game.SCRIPTED:
            raise ConfigError("--relabel", name, one_of_nearest(name, game.SCRIPTED))


def check_wording(suite: Suite, name: str) -> None:
    """Raise `ConfigError` unless all games of a suite can be told in this wording."""
    wording_named(name)
    for arena in suite.arenas:
        if name != OWN and not isinstance(arena, CleanupArena):
            raise ConfigError("--wording", name, f"{OWN}: {arena.name} is told in no other words")


def _questions(
    reader: RunReader,
    arenas: Mapping[str, Arena[Any]],
    asking: _Asking,
    wanted: Callable[[EpisodeRow], bool],
) -> Iterator[Asked]:
    for kept in reader.episodes():
        if wanted(kept.row):
            arena = arenas[kept.row.arena]
            try:
                yield from _of_episode(arena, kept, asking)
            except _PartedError as error:
                row = kept.row
                found = f"{row.arena}, {row.policy}, {row.contract}, episode {row.episode}"
                allowed = f"an episode that goes as it was recorded, but {error}"
                raise ConfigError(str(reader.path), found, allowed) from None


def _of_episode(arena: Arena[Any], kept: KeptEpisode, asking: _Asking) -> Iterator[Asked]:
    result: Any = read_record(arena, kept.record)
    row = kept.row
    if isinstance(arena, CleanupArena):
        env = _cleanup_env(arena, result)
        answered = _cleanup_answers(env, result, asking)
    else:
        env = arena.condition(result.contract).make_env(observation="text")
        answered = _negotiation_answers(env, result, asking)
    training = arena.training_of(row.policy)
    policy = row.policy if training is None else training.name
    players = players_by_seat(arena, policy, kind_of(arena).seat_names(env))
    for each in answered:
        answer = asking.answer(each.meant)
        if answer is None:
            continue
        is_read = each.meant.status == OK_STATUS
        yield Asked(
            pair=Pair(each.messages, answer),
            choice=(each.meant.shortest or "") if is_read else "",
            arena=row.arena,
            policy=row.policy,
            condition=row.contract,
            episode=row.episode,
            seed=row.seed,
            agent=each.agent,
            player=players[each.agent],
            step=each.step,
            phase=each.phase,
            status=each.meant.status,
            episode_return=each.episode_return,
            return_to_go=each.return_to_go,
        )


def _whole(said: str) -> str:
    """Return words without halves of characters, which no file in UTF-8 can hold."""
    return said if said.isascii() else said.encode("utf-8", "replace").decode("utf-8")


class _PartedError(Exception):
    """The episode does not go as it was recorded."""


def _require_equal(what: str, recorded: object, now: object) -> None:
    if recorded != now:
        raise _PartedError(f"{what}: {recorded!r} was recorded, now {now!r}")


class _Answered(NamedTuple):
    """A question and what was answered; the rest as in `Asked`."""

    agent: str
    step: int
    phase: str
    messages: tuple[Message, ...]
    meant: _Meant
    episode_return: float
    return_to_go: float


# --- Cleanup -------------------------------------------------------------------------------------


def _cleanup_env(arena: CleanupArena, result: EpisodeResult) -> Env:
    condition = arena.condition(result.contract)
    judge = None
    if arena.models is not None and is_judged_by_model(condition):
        answers = RecordedClient(result.judge_calls)
        judge = judge_of(arena.models, arena, result.episode, lambda _model: answers)
    return condition.make_env(arena.scenario.config, observation="text", ask=judge)


def _cleanup_answers(env: Env, result: EpisodeResult, asking: _Asking) -> Iterator[_Answered]:
    seats = {agent: asking.cleanup_seat(env, agent) for agent in result.agents}
    teacher = None
    if asking.relabel is not None:
        teacher = ScriptedAgent(policies.scripted_policy(asking.relabel, env))
        teacher.reset(seed=result.agent_seeds[0])
    to_go = _returns_to_go(result)
    seen, infos = env.reset(seed=result.seed, options=dict(result.start))
    for number, step in enumerate(result.steps):
        _require_same(step, infos)
        for index, (agent, seat) in enumerate(seats.items()):
            messages = asking.messages(seat, seen[agent])
            if teacher is None:
                meant = _cleanup_meant(step, index)
                if meant.said is not None:
                    seat.heed(meant.said)
            else:
                action = teacher.act(seen[agent]).action
                meant = _taught(action, _stage(step.phase), asking.thought(seen[agent]))
            earned, left = float(to_go[0, index]), float(to_go[number, index])
            yield _Answered(agent, step.step, step.phase, messages, meant, earned, left)
        actions = map(as_action, step.actions)
        seen, _, _, _, infos = env.step(dict(zip(result.agents, actions, strict=True)))


def _cleanup_meant(step: StepRecord, index: int) -> _Meant:
    action, said, stage = as_action(step.actions[index]), step.answers[index], _stage(step.phase)
    shortest = with_notes = _in_words(render_action, action, stage)
    if said is not None and shortest is not None:
        with_notes = render_action(action, stage, plan=parse_plan(said))
    return _Meant(said, step.statuses[index], shortest, with_notes)


def _taught(action: int, stage: Stage | None, thought: str) -> _Meant:
    """Return a teacher's answer; one that thinks said its thought, and others said nothing."""
    shortest = _in_words(render_action, action, stage)
    if not thought or shortest is None:
        return _Meant(None, OK_STATUS, shortest, shortest)
    said = render_action(action, stage, thought=thought)
    return _Meant(said, OK_STATUS, shortest, shortest)


def _stage(phase: str) -> Stage | None:
    return Stage(phase) if phase in list(Stage) else None


def _returns_to_go(result: EpisodeResult) -> npt.NDArray[np.float64]:
    """Return what agents earn from each step on after transfers, (steps, agents)."""
    earned = [np.add(step.game_rewards, step.transfers) for step in result.steps]
    return np.cumsum(earned[::-1], axis=0)[::-1]


def _require_same(step: StepRecord, infos: Mapping[str, Mapping[str, Any]]) -> None:
    if not infos:
        raise _PartedError("it is over earlier")
    told = next(iter(infos.values()))
    _require_equal("step", step.step, told["step"])
    _require_equal("phase", step.phase, told.get("phase", "play"))
    _require_equal("pollution", step.pollution, told["pollution"])
    _require_equal("fruit", step.fruit, told["fruit"])


# --- negotiation ---------------------------------------------------------------------------------


def _negotiation_answers(
    env: NegotiationEnv, result: NegotiationResult, asking: _Asking
) -> Iterator[_Answered]:
    seats = {party: NegotiationSeat(env, party) for party in result.parties}
    teacher = None
    if asking.relabel is not None:
        teacher = ScriptedAgent(negotiation_policies.scripted_policy(asking.relabel, env))
        teacher.reset(seed=result.agent_seeds[0])
    rewards = dict(zip(result.parties, result.rewards, strict=True))
    env.reset(seed=result.seed)
    for number, turn in enumerate(result.turns[1:]):
        party = env.agent_selection
        _require_equal("turn of", turn.party, party)
        messages = asking.messages(seats[party], None)
        made = _speech_made(env, turn)
        meant = _Meant(turn.answer, turn.status, *_worded(made))
        if teacher is not None:
            taught = _as_speech(env, teacher.act(env.observe(party)).action)
            meant = _Meant(None, OK_STATUS, *_worded(taught))
            made = made._replace(plan="")
        phase = str(env.negotiation_state.phase)
        earned = float(rewards[party])
        yield _Answered(party, number, phase, messages, meant, earned, earned)
        env.step(made)
        _require_equal("status", turn.status, env.infos[party]["status"])


def _speech_made(env: NegotiationEnv, turn: Turn) -> Speech:
    if turn.answer is None:
        return _as_speech(env, turn.action)
    return env.parse_answer(turn.party, turn.answer).action


def _as_speech(env: NegotiationEnv, action: int | None) -> Speech:
    """Return an action by number as what is said; one that is none says nothing."""
    deals, is_vote = env.game.num_deals, env.negotiation_state.phase is Phase.VOTE
    if is_vote and action in (deals + 1, deals + 2):
        return Speech(None, accepts=action == deals + 1)
    if not is_vote and action is not None and 0 <= action < deals:
        return Speech(env.game.deal_at(action))
    is_silent = not is_vote and action == deals
    return Speech(None, status=ParseStatus.NO_PROPOSAL if is_silent else ParseStatus.UNKNOWN_OPTION)


def _worded(speech: Speech) -> tuple[str | None, str | None]:
    """Return the shortest answer that means a speech, and that with public words and notes."""
    bare = speech._replace(public="", plan="")
    return _in_words(render_speech, bare), _in_words(render_speech, speech)


def _in_words(render: Callable[..., str], *values: Any) -> str | None:
    """Return the answer that stands for an action; None where there is none."""
    try:
        return render(*values)
    except ValueError:
        return None
