"""Transcripts of negotiations: who said what, turn by turn, and what each deal is worth to whom."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np

from agents.protocol import OK_STATUS
from benchmarks.lineups import players_by_seat
from benchmarks.negotiation.arena import GAME, NegotiationArena
from benchmarks.negotiation.metrics import MEASURES, RATES
from benchmarks.negotiation.policies import seat_names
from benchmarks.negotiation.runner import NegotiationResult, Turn
from benchmarks.report.measures import NEGOTIATION_MEASURES
from benchmarks.report.transcript import (
    END,
    Act,
    Fact,
    Frame,
    SeatedAgent,
    Transcript,
    in_figures,
    parted_event,
    require_equal,
    shown_calls,
)
from negotiation_games import NegotiationEnv
from negotiation_games.game import Deal, Game, Incentive, Role, deal_name, option_name
from negotiation_games.scoring import implicit_votes, passes
from negotiation_games.solve import acceptance, score_table

OPENING, FINAL = "opening", "final"

_ROLES = {
    Role.PROPOSER: "p1: opens and makes the final proposal",
    Role.VETO: "p2: nothing passes without it",
    Role.TARGET: "against whom a saboteur works",
}
"""What is said of a party; of one that only takes part, nothing."""


class NegotiationTranscripts:
    """Writes transcripts of the episodes of one arena; environments are made once a setting."""

    def __init__(self, arena: NegotiationArena) -> None:
        self._arena = arena
        self._envs: dict[str, NegotiationEnv] = {}
        self._optima: dict[str, dict[str, Any] | None] = {}

    def of(self, result: NegotiationResult, *, number: int) -> Transcript:
        """Play a negotiation again from its record and write down what there was to see.

        A record that cannot be played again has a transcript too; an event says where both part.

        Args:
            result: what was recorded.
            number: of the episode in its run.

        """
        if result.contract not in self._envs:
            setting = self._arena.condition(result.contract)
            self._envs[result.contract] = setting.make_env(observation="text")
            self._optima[result.contract] = best_passable(setting.load())
        env = self._envs[result.contract]
        frames = tuple(_frames(result, env))
        return Transcript(
            number=number,
            arena=self._arena.name,
            policy=result.policy,
            contract=result.contract,
            episode=result.episode,
            seed=result.seed,
            game=GAME,
            agents=tuple(_seated(self._arena, result, env)),
            rules={party: "\n\n".join(env.prompt_parts(party)[:2]) for party in result.parties},
            outcome=_outcome(result),
            frames=frames,
            series=_series(result, env.game, optimum=self._optima[result.contract]),
        )


def _seated(
    arena: NegotiationArena, result: NegotiationResult, env: NegotiationEnv
) -> Iterable[SeatedAgent]:
    players = players_by_seat(arena, result.policy, seat_names(env))
    for party in env.game.parties:
        is_after_else = party.incentive is not Incentive.COOPERATIVE
        yield SeatedAgent(
            name=party.name,
            role=_ROLES.get(party.role),
            player=players[party.name] + f" ({party.incentive})" * is_after_else,
        )


def _frames(result: NegotiationResult, env: NegotiationEnv) -> Iterable[Frame]:
    env.reset(seed=result.seed)
    lost: Exception | None = None
    last = len(result.turns) - 1
    for index, turn in enumerate(result.turns):
        known, lost_here = _UNKNOWN, None
        if lost is None:
            try:
                known = _replayed(env, turn, is_opening=index == 0)
            except ValueError as error:
                lost = lost_here = error
        phase = OPENING if index == 0 else FINAL if index == last else "discuss"
        yield _frame(env.game, turn, index=index, phase=phase, known=known, lost=lost_here)
    yield _last_frame(result, env, is_replayed=lost is None)


class _Known(NamedTuple):
    """What the replay of a turn tells that the record does not."""

    saw: str | None  # rules and sheet apart
    plan: str  # the party's notes to itself


_UNKNOWN = _Known(None, "")


def _replayed(env: NegotiationEnv, turn: Turn, *, is_opening: bool) -> _Known:
    """Make a turn again; returns what the party saw, and noted for its next turn.

    Raises:
        PartedError: it is not what was recorded.
    """
    if is_opening:
        require_equal("opening", turn.deal, deal_name(env.record[0].deal or ()))
        return _UNKNOWN
    require_equal("turn of", turn.party, env.agent_selection)
    saw = "\n\n".join(part for part in env.prompt_parts(turn.party)[2:] if part)
    said = None if turn.answer is None else env.parse_answer(turn.party, turn.answer).action
    env.step(turn.action if said is None else said)
    heard, info = env.record[-1], env.infos[turn.party]
    now = None if heard.deal is None else deal_name(heard.deal)
    require_equal("public words", turn.public, heard.words)
    require_equal("deal", turn.deal, now)
    require_equal("status", turn.status, info["status"])
    require_equal("illegal", turn.illegal, info["illegal"])
    return _Known(saw, "" if said is None else said.plan)


def _frame(
    game: Game, turn: Turn, *, index: int, phase: str, known: _Known, lost: Exception | None
) -> Frame:
    deal = deal_of(turn.deal)
    titles = {OPENING: "Opening", FINAL: f"Turn {index}: final proposal"}
    events = [] if lost is None else [parted_event(lost)]
    if deal is not None and phase != FINAL:
        events += _support(game, deal)
    act = Act(
        agent=turn.party,
        saw=known.saw,
        said=turn.public if turn.answer is not None else None,
        thought=_thought(turn, known.plan),
        did=_deed(turn, phase),
        status=turn.status,
        illegal=bool(turn.illegal),
        calls=shown_calls(turn.calls),
    )
    return Frame(
        title=titles.get(phase, f"Turn {index}"),
        step=max(0, index - 1),
        phase=phase,
        acts=(act,),
        state=_state(game, deal),
        events=tuple(events),
    )


def _thought(turn: Turn, plan: str) -> str | None:
    """Return what of an answer is for nobody else; all of it where it could not be read."""
    if turn.answer is None:
        return None
    if turn.status != OK_STATUS:
        return turn.answer
    notes = f"Notes for its next turn: {plan}" if plan else ""
    return "\n\n".join(part for part in (turn.scratchpad, notes) if part) or None


def _deed(turn: Turn, phase: str) -> str:
    if turn.deal is None:
        why = "" if turn.status == OK_STATUS else f" (as it was read: {turn.status})"
        return f"propose nothing{why.replace('_', ' ')}"
    return {OPENING: "open with ", FINAL: "propose in the end "}.get(phase, "propose ") + turn.deal


def _support(game: Game, deal: Deal) -> list[str]:
    """Write who would accept a deal that would pass; of others there is nothing to tell."""
    votes = implicit_votes(game, deal)
    if not passes(game, votes):
        return []
    against = [name for name, vote in zip(game.party_names, votes, strict=True) if not vote]
    return [f"This would pass: all{' but ' * bool(against)}{', '.join(against)} would accept."]


def _state(game: Game, deal: Deal | None) -> dict[str, Any]:
    if deal is None:
        return {"deal": None, "scores": None, "agree": None}
    names = game.party_names
    return {
        "deal": deal_name(deal),
        "scores": dict(zip(names, game.scores(deal), strict=True)),
        "agree": dict(zip(names, implicit_votes(game, deal), strict=True)),
    }


def _last_frame(result: NegotiationResult, env: NegotiationEnv, *, is_replayed: bool) -> Frame:
    game = env.game
    events = [_verdict_in_words(result)]
    if is_replayed:
        try:
            _require_same_end(result, env)
        except ValueError as error:
            events.append(parted_event(error))
    deal = deal_of(result.deal)
    scores = (None,) * game.num_parties if deal is None else game.scores(deal)
    acts = tuple(
        Act(
            agent=party.name,
            did=_vote(score, party.threshold, accepts=party.name in result.accepted),
            reward=reward,
        )
        for party, score, reward in zip(game.parties, scores, result.rewards, strict=True)
    )
    return Frame(
        title="End",
        step=len(result.turns) - 1,
        phase=END,
        acts=acts,
        state=_state(game, deal),
        events=tuple(events),
    )


def _require_same_end(result: NegotiationResult, env: NegotiationEnv) -> None:
    told = env.infos[env.possible_agents[0]]
    require_equal("passed", result.passed, told.get("passed"))
    require_equal("accepted", list(result.accepted), list(told.get("accepted", ())))
    now = [float(env.rewards[party]) for party in env.possible_agents]
    require_equal("rewards", list(result.rewards), now)


def _verdict_in_words(result: NegotiationResult) -> str:
    if result.deal is None:
        return "There was no final proposal: nothing passes."
    verdict = "passes" if result.passed else "does not pass"
    with_all = ", with all in favour" if result.passed and result.unanimous else ""
    return f"{result.deal} {verdict}{with_all}."


def _vote(score: int | None, threshold: int, *, accepts: bool) -> str:
    if score is None:
        return f"nothing to accept; its threshold is {threshold}"
    verb = "in favour" if accepts else "against"
    return f"{verb}: the deal gives it {score} points, its threshold is {threshold}"


def _outcome(result: NegotiationResult) -> tuple[Fact, ...]:
    facts = [
        Fact(label="final deal", value=result.deal or "none"),
        Fact(label="passed", value="yes" if result.passed else "no"),
    ]
    for measure in NEGOTIATION_MEASURES:
        if measure.name in RATES:
            value = "yes" if RATES[measure.name](result) else "no"
        elif measure.name in MEASURES:
            value = in_figures(MEASURES[measure.name](result), digits=measure.digits)
        else:
            continue
        facts.append(Fact(label=measure.label, value=value))
    points = zip(result.parties, result.rewards, strict=True)
    return (
        *facts,
        *(Fact(label=f"points of {p}", value=in_figures(r, digits=1)) for p, r in points),
    )


def _series(
    result: NegotiationResult, game: Game, *, optimum: dict[str, Any] | None
) -> dict[str, Any]:
    return {
        "turns": [
            {
                "frame": frame,
                "party": turn.party,
                "own": turn.own_score,
                "collective": turn.collective_score,
                "agreeing": turn.agreeing,
            }
            for frame, turn in enumerate(result.turns)
        ],
        "parties": [
            {
                "name": party.name,
                "role": str(party.role),
                "threshold": party.threshold,
                "incentive": str(party.incentive),
            }
            for party in game.parties
        ],
        "issues": [_issue(game, index) for index in range(len(game.issues))],
        "optimum": optimum,
        "proposer": game.parties[game.proposer_index].name,
        "veto": game.parties[game.veto_index].name,
    }


def _issue(game: Game, index: int) -> dict[str, Any]:
    issue = game.issues[index]
    return {
        "name": issue.title or f"Issue {option_name(index, 0)[0]}",
        "options": [
            {
                "name": option_name(index, option),
                "text": words,
                "scores": {party.name: party.scores[index][option] for party in game.parties},
            }
            for option, words in enumerate(issue.options)
        ],
    }


def best_passable(game: Game) -> dict[str, Any] | None:
    """Return the passable deal with the highest sum of scores, the first such; None without any."""
    table = score_table(game)
    passable = np.flatnonzero(acceptance(game, table).passable)
    if not len(passable):
        return None
    deal = game.deal_at(int(passable[table[passable].sum(axis=1).argmax()]))
    scores = game.scores(deal)
    return {
        "deal": deal_name(deal),
        "points of p1": scores[game.proposer_index],
        "mean of all": sum(scores) / len(scores),
        "scores": dict(zip(game.party_names, scores, strict=True)),
    }


def deal_of(name: str | None) -> Deal | None:
    """Return the deal of a short name as records write it."""
    if name is None:
        return None
    return tuple(int(option[1:]) - 1 for option in name.split(","))
