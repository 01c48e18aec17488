"""The episode loop of a negotiation, and what came of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import TypeAdapter

from agents import Agent, Call, Decision
from benchmarks.arena import Cell
from benchmarks.driver import GameUnderWay
from benchmarks.json_values import to_json_values
from benchmarks.negotiation.arena import NegotiationArena
from benchmarks.seeds import AGENTS, DICE, seed_of
from negotiation_games import NegotiationEnv, ParseStatus
from negotiation_games.game import Game, deal_name
from negotiation_games.metrics import measure
from negotiation_games.scoring import implicit_votes
from negotiation_games.text import Said


@dataclass(frozen=True, kw_only=True)
class Turn:
    """One turn: who spoke, what others heard, and how it was read."""

    party: str
    public: str  # words that everybody heard
    deal: str | None  # short name
    status: str  # a `negotiation_games.ParseStatus` value
    action: int | None  # a number as the environment takes it; None for an answer in words
    answer: str | None  # what a party that speaks said in full
    scratchpad: str  # secret
    calls: tuple[Call, ...]  # questions to a model, in the order they came
    illegal: int  # 1 if the action was not possible
    own_score: int | None  # of the deal for the party, points without bonus
    collective_score: float | None  # likewise, mean over all parties
    agreeing: int | None  # parties that would accept the deal, p1 tested with its bonus


@dataclass(frozen=True, kw_only=True)
class NegotiationResult:
    """One negotiation, with all that it takes to play it again without a model.

    ``env.reset(seed=seed)`` and then, turn by turn after the opening, ``env.step`` with the action
    or with what ``env.parse_answer`` makes of the answer gives the same episode.
    """

    policy: str
    contract: str  # name of the setting
    game: str
    incentives: str  # by the name they have in arenas
    incentive_of: Mapping[str, str]  # by party
    episode: int
    seed: int  # of the environment
    agent_seeds: tuple[int, ...]  # in the order of the parties
    parties: tuple[str, ...]
    proposer: str  # p1
    turns: tuple[Turn, ...]  # p1's opening first, its final proposal last
    deal: str | None  # the final proposal
    passed: bool
    unanimous: bool
    accepted: tuple[str, ...]  # parties in favour
    rewards: tuple[float, ...]  # in the order of the parties
    any_success: bool  # some proposal of p1 would have passed
    wrong_share: float  # proposals that their own proposer would not accept, of all
    malformed_rate: float  # answers that could not be read, of all
    regret: float  # points p1's best passable deal would have paid it on top
    gini: float | None  # of the rewards; None if one is negative
    nash_distance: float | None  # points; None if nothing passed or no deal is unanimous
    pareto_distance: float | None  # points; None if nothing passed
    turns_to_agreement: int | None  # turns before p1's first passable proposal; None: there is none
    leaks: int  # own numbers and scratchpad given away in public words
    hints: int  # public words about the own sheet without a number

    @property
    def judge_calls(self) -> tuple[Call, ...]:
        """None: nobody judges here."""
        return ()

    def calls_by_seat(self) -> dict[str, tuple[Call, ...]]:
        """Return the questions that models were asked, by party, in the order they came."""
        return {
            party: tuple(c for turn in self.turns if turn.party == party for c in turn.calls)
            for party in self.parties
        }

    def to_dict(self) -> dict[str, Any]:
        """Return the record as JSON values."""
        record: dict[str, Any] = to_json_values(self)
        return record


def from_record(record: Mapping[str, Any]) -> NegotiationResult:
    """Return the result that was kept as this record."""
    return _RECORDS.validate_python(dict(record))


_RECORDS = TypeAdapter(NegotiationResult)


def begin(
    arena: NegotiationArena,
    cell: Cell,
    episode: int,
    *,
    env: NegotiationEnv,
    agents: Mapping[str, Agent],
    judge: None = None,
) -> GameUnderWay[NegotiationResult]:
    """Begin one episode of a cell.

    Turn orders and the agents' seeds depend on the arena's seed and the episode alone, so they are
    the same in every cell of a game, whichever cells are played. Nobody judges here.
    """
    del judge
    seed = seed_of(arena.seed, episode, DICE)
    agent_seeds = {
        party: seed_of(arena.seed, episode, AGENTS, seat)
        for seat, party in enumerate(env.possible_agents)
    }
    turns = yield from episode_under_way(env, agents, seed=seed, agent_seeds=agent_seeds)
    return NegotiationResult(
        policy=cell.policy,
        contract=cell.contract,
        game=env.game.name,
        incentives=arena.condition(cell.contract).incentives,
        incentive_of={party.name: str(party.incentive) for party in env.game.parties},
        episode=episode,
        seed=seed,
        agent_seeds=tuple(agent_seeds.values()),
        parties=env.game.party_names,
        proposer=env.game.parties[env.game.proposer_index].name,
        turns=turns,
        **_outcome(env, turns),
    )


def _outcome(env: NegotiationEnv, turns: Sequence[Turn]) -> dict[str, Any]:
    """Return what came of a finished episode, by the fields of its result."""
    if env.verdict is None:
        raise ValueError("the negotiation is not over")
    measured = measure(
        env.game,
        env.record,
        env.verdict,
        statuses=[turn.status for turn in turns[1:]],
        scratchpads=[turn.scratchpad for turn in turns],
    )
    told = env.infos[env.possible_agents[0]]
    return {
        **{name: told[name] for name in ("deal", "passed", "unanimous", "accepted")},
        "rewards": tuple(env.rewards[party] for party in env.possible_agents),
        **{name: getattr(measured, name) for name in _MEASURED},
    }


_MEASURED = (
    "any_success",
    "wrong_share",
    "malformed_rate",
    "regret",
    "gini",
    "nash_distance",
    "pareto_distance",
    "turns_to_agreement",
    "leaks",
    "hints",
)
"""Fields of `negotiation_games.metrics.EpisodeMetrics` that a result has too."""


def episode_under_way(
    env: NegotiationEnv,
    agents: Mapping[str, Agent],
    *,
    seed: int,
    agent_seeds: Mapping[str, int],
) -> GameUnderWay[tuple[Turn, ...]]:
    """Begin one negotiation; it ends with its turns, the opening first."""
    env.reset(seed=seed)
    for party, agent_seed in agent_seeds.items():
        agents[party].reset(seed=agent_seed)
    opening = env.record[0]
    turns = [_turn(env.game, opening, Decision(action=None), status=ParseStatus.OK)]
    while not env.terminations[env.agent_selection]:
        party = env.agent_selection
        decision = (yield {party: env.observe(party)})[party]
        scratchpad = env.parse_answer(party, decision.said).scratchpad if decision.said else ""
        env.step(decision.action)
        info = env.infos[party]
        turns.append(
            _turn(
                env.game,
                env.record[-1],
                decision,
                status=info["status"],
                illegal=info["illegal"],
                scratchpad=scratchpad,
            )
        )
    return tuple(turns)


def _turn(
    game: Game,
    heard: Said,
    decision: Decision,
    *,
    status: str,
    illegal: int = 0,
    scratchpad: str = "",
) -> Turn:
    index = game.party_names.index(heard.party)
    deal = heard.deal
    scores = () if deal is None else game.scores(deal)
    is_number = decision.said is None and decision.action is not None
    return Turn(
        party=heard.party,
        public=heard.words,
        deal=None if deal is None else deal_name(deal),
        status=str(status),
        action=int(decision.action) if is_number else None,
        answer=decision.said,
        scratchpad=scratchpad,
        calls=decision.calls,
        illegal=illegal,
        own_score=scores[index] if scores else None,
        collective_score=sum(scores) / len(scores) if scores else None,
        agreeing=None if deal is None else sum(implicit_votes(game, deal)),
    )
