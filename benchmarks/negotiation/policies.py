"""Policies: from a name to an agent for every party."""

from __future__ import annotations

from functools import partial

from agents import Agent, RandomAgent, ScriptedAgent
from agents.llm import ChatAgent, StubClient, TextSeat
from benchmarks.arena import LEARNED, STUB_PREFIX
from benchmarks.model_config import Table
from benchmarks.negotiation.arena import PARTNER
from benchmarks.negotiation.negmas_players import NEGMAS_POLICIES, negmas_party
from benchmarks.speakers import Speakers
from cleanup_icn import ConfigError
from negotiation_games import Game, Incentive, NegotiationEnv
from negotiation_games.bots import BOTS
from negotiation_games.personas import PERSONAS, persona
from negotiation_games.policies import SCRIPTED, scripted_policy
from negotiation_games.prompt import NegotiationSeat

_SCRIPT_OF = {
    Incentive.GREEDY: "greedy",
    Incentive.SABOTAGE: "saboteur",
    Incentive.TARGETED_SABOTAGE: "target-saboteur",
}
_PERSONA_OF = {
    Incentive.GREEDY: "greedy",
    Incentive.SABOTAGE: "saboteur",
    Incentive.TARGETED_SABOTAGE: "saboteur",
}

POLICIES = (
    *SCRIPTED,
    *NEGMAS_POLICIES,
    "random",
    *(STUB_PREFIX + name for name in PERSONAS),
    *LEARNED,
)
"""The names of all policies."""


def make_agents(
    name: str, env: NegotiationEnv, *, checkpoint: str | None = None
) -> dict[str, Agent]:
    """Return an agent for every party: cooperative ones play the policy, others their incentive.

    A greedy party plays the script of that name, beside stubs the persona; saboteurs likewise. A
    learned policy plays p1 with the `checkpoint` that its training left, among `partners`. Raises
    `ConfigError` for an unknown name.
    """
    if name in LEARNED and checkpoint is not None:
        from agents.ppo import PPOAgent

        p1 = env.game.parties[env.game.proposer_index].name
        return partners(env) | {p1: PPOAgent.load(checkpoint)}
    if name in LEARNED or name not in POLICIES:
        raise ConfigError("policy", name, "one of " + ", ".join(POLICIES))
    return _everybody(name, env)


def partners(env: NegotiationEnv) -> dict[str, Agent]:
    """Return those among whom a learned p1 plays: `PARTNER`, or what their incentive says."""
    return _everybody(PARTNER, env)


def partner_scripts(game: Game, partner: str = PARTNER) -> tuple[str, ...]:
    """Return the names of the scripts by which parties play among whom p1 learns.

    Raises:
        ConfigError: the partner's name is none of `negotiation_games.bots.BOTS`.
    """
    if partner not in BOTS:
        raise ConfigError("partners", partner, f"one of {', '.join(BOTS)}, with a learned policy")
    return tuple(_played_by(partner, party.incentive) for party in game.parties)


def seat_names(env: NegotiationEnv) -> dict[str, tuple[str, ...]]:
    """Return, by party, the names under which a table may speak of it: its own and its role's."""
    return {party.name: (party.name, party.role.name.lower()) for party in env.game.parties}


def seat_table(table: Table, env: NegotiationEnv, speakers: Speakers) -> dict[str, Agent]:
    """Return an agent for every party of a table that models share with other policies.

    A model is told what its party is after; other policies play it as in `make_agents`.
    """
    return speakers.seat_everybody(
        table,
        names_of=seat_names(env),
        make_seat=lambda party: NegotiationSeat(env, party),
        make_agents=lambda name: _everybody(name, env),
    )


def _everybody(name: str, env: NegotiationEnv) -> dict[str, Agent]:
    made: dict[str, Agent] = {}
    scripts: dict[str, Agent] = {}
    for party in env.game.parties:
        played = _played_by(name, party.incentive)
        if played.startswith(STUB_PREFIX):
            made[party.name] = _stub_agent(played, env, party.name)
        elif played in NEGMAS_POLICIES:
            made[party.name] = negmas_party(played, env, party.name)
        elif played == "random":
            made[party.name] = RandomAgent()
        else:
            if played not in scripts:
                scripts[played] = ScriptedAgent(scripted_policy(played, env))
            made[party.name] = scripts[played]
    return made


def _played_by(name: str, incentive: Incentive) -> str:
    if incentive is Incentive.COOPERATIVE:
        return name
    if name.startswith(STUB_PREFIX):
        return STUB_PREFIX + _PERSONA_OF[incentive]
    return _SCRIPT_OF[incentive]


def _stub_agent(name: str, env: NegotiationEnv, party: str) -> Agent:
    client = StubClient(persona(name.removeprefix(STUB_PREFIX)).answer)
    words = TextSeat(parse=partial(env.parse_answer, party), rules=env.rules_text(party))
    # A stub has not learned to read complaints: it would not repair what it spoiled on purpose.
    return ChatAgent(client, words, max_repairs=0)
