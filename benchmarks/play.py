"""One game with a person at the table: who sits there, and what came of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

from agents import Agent
from agents.human import Ask, HumanAgent, Show
from benchmarks.arena import LEARNED, Cell
from benchmarks.cleanup import runner as cleanup_runner
from benchmarks.cleanup.arena import CleanupArena, Scenario, wage_for_cleaning
from benchmarks.cleanup.conditions import Condition, Fixed, Negotiated
from benchmarks.clients import check_served, make_clients
from benchmarks.driver import play
from benchmarks.kinds import CLEANUP, NEGOTIATION, Kind
from benchmarks.lineups import seat_of
from benchmarks.model_config import ModelsConfig
from benchmarks.negotiation.arena import INCENTIVES, Setting
from benchmarks.negotiation.runner import episode_under_way
from benchmarks.seeds import AGENTS, DICE, seed_of
from benchmarks.shorthand import CleanupShorthand, NegotiationShorthand
from benchmarks.speakers import Speakers
from cleanup_icn import CleanupConfig, ConfigError
from cleanup_icn.contracts import Contract, Share
from cleanup_icn.prompt import CleanupSeat
from negotiation_games import NegotiationEnv, raw_env
from negotiation_games.prompt import NegotiationSeat

NEGOTIATION_SETTINGS = ("num_turns", "voting", "no_deal")
"""What of a negotiation can be set, see `negotiation_games.env`."""

Partners = Callable[[Kind, Any], Mapping[str, Agent]]
"""An agent for every seat of an environment, the person's included, which is not used."""


@dataclass(frozen=True, kw_only=True)
class Person:
    """Who sits where, and how it is talked to; see `agents.human.HumanAgent`."""

    seat: str | None  # None is refused with the names of all seats
    ask: Ask
    show: Show
    max_repairs: int = 3


def policy_partners(name: str) -> Partners:
    """Return the partners who play a policy, scripted or a stub.

    They raise `ConfigError` where the game has no such policy or it has to be trained first.
    """

    def seat(kind: Kind, env: Any) -> Mapping[str, Agent]:
        known = [policy for policy in kind.policies if policy not in LEARNED]
        if name not in known:
            raise ConfigError("--partners", name, f"one of {', '.join(known)}")
        return kind.make_agents(name, env)

    return seat


@contextmanager
def model_partners(models: ModelsConfig) -> Iterator[Partners]:
    """Give the partners for whom the first table's models speak, as long as they are served.

    Raises what `benchmarks.clients.check_served` does.
    """
    check_served(models.models)
    clients = make_clients(models.models)
    speakers = Speakers(models, lambda model, _seat: clients[model])
    with ExitStack() as opened:
        for client in clients.values():
            opened.callback(getattr(client, "close", lambda: None))
        yield lambda kind, env: kind.seat_table(models.tables[0], env, speakers)


def condition_named(name: str) -> Condition:
    """Return the contract condition of a name.

    ``none``; ``icn``, talks at the start and whenever the world changes; ``wage:RATE``, by which
    the others pay whoever cleans so much a unit; ``share:FRACTION``, by which everybody shares so
    much of every harvest with everybody. Raises `ConfigError` for any other name or amount.
    """
    if name == "none":
        return Fixed(name=name, contract=Contract())
    if name == "icn":
        menu = (Contract(), *map(wage_for_cleaning, _WAGES))
        return Negotiated(name=name, judge="change", menu=menu)
    kind, _, amount = name.partition(":")
    try:
        return Fixed(name=name, contract=_CONTRACTS[kind](float(amount)))
    except (KeyError, ValueError):
        allowed = "none, icn, wage:RATE (0 or more) or share:FRACTION (0 to 1)"
        raise ConfigError("--contract", name, allowed) from None


_WAGES = (0.5, 1.0, 1.5, 2.0, 3.0)


def _shared_harvest(fraction: float) -> Contract:
    return Contract([Share(payer="all", payee="all", of="harvested", fraction=fraction)])


_CONTRACTS: Mapping[str, Callable[[float], Contract]] = {
    "wage": wage_for_cleaning,
    "share": _shared_harvest,
}


def play_cleanup(
    person: Person, *, partners: Partners, config: CleanupConfig, condition: Condition, seed: int
) -> cleanup_runner.EpisodeResult:
    """Play one episode of Cleanup to its end.

    Raises:
        ConfigError: there is no such seat or partner.
        PersonLeftError: the person left before the end.
    """
    arena = _arena(config, condition, seed)
    env = condition.make_env(config)
    seat = _seat(person, CLEANUP.seat_names(env))
    human = _human(person, CleanupSeat(env, seat), CleanupShorthand(env, seat))
    agents = {**partners(CLEANUP, env), seat: human}
    cell = Cell(policy=_PERSON, contract=condition.name)
    result = play(cleanup_runner.begin(arena, cell, 0, env=env, agents=agents), agents)
    human.see_what_followed()
    return result


def _arena(config: CleanupConfig, condition: Condition, seed: int) -> CleanupArena:
    """Return the arena of this one episode, which starts as configured."""
    return CleanupArena(
        name="play",
        description="A game with a person",
        scenario=Scenario(
            name="as set",
            config=config,
            pollution_initial=(config.pollution_initial,) * 2,
            fruit_initial=(config.fruit_initial,) * 2,
        ),
        conditions=(condition,),
        policies=(_PERSON,),
        shown_policy=_PERSON,
        num_episodes=1,
        seed=seed,
    )


_PERSON = "person"


def negotiation_of(game: str, incentives: str, settings: Mapping[str, Any]) -> NegotiationEnv:
    """Make a negotiation.

    Args:
        game: name of a bundled game, or a folder.
        incentives: a name in `benchmarks.negotiation.arena.INCENTIVES`.
        settings: some of `NEGOTIATION_SETTINGS`.

    Raises:
        ConfigError: there are no such incentives, or no such setting.
        GameError: there is no such game, or a setting has a value that cannot be.
    """
    if incentives not in INCENTIVES:
        raise ConfigError("--incentives", incentives, f"one of {', '.join(INCENTIVES)}")
    for name, value in settings.items():
        if name not in NEGOTIATION_SETTINGS:
            allowed = f"one of {', '.join(NEGOTIATION_SETTINGS)}"
            raise ConfigError(f"--set {name}", value, allowed)
    return raw_env(game=Setting(game=game, incentives=incentives).load(), **settings)


def play_negotiation(person: Person, *, partners: Partners, env: NegotiationEnv, seed: int) -> str:
    """Play one negotiation to its end; the environment then has its verdict and rewards.

    Returns:
        The person's party.

    Raises:
        ConfigError: there is no such seat or partner.
        PersonLeftError: the person left before the end.
    """
    party = _seat(person, NEGOTIATION.seat_names(env))
    human = _human(person, NegotiationSeat(env, party), NegotiationShorthand(env))
    agents = {**partners(NEGOTIATION, env), party: human}
    seeds = {name: seed_of(seed, 0, AGENTS, i) for i, name in enumerate(env.possible_agents)}
    dice = seed_of(seed, 0, DICE)
    play(episode_under_way(env, agents, seed=dice, agent_seeds=seeds), agents)
    human.see_what_followed()
    return party


def _seat(person: Person, names_of: Mapping[str, tuple[str, ...]]) -> str:
    """Return the seat of a name that nobody else bears."""
    bearers = Counter(name for names in names_of.values() for name in names)
    own = {
        seat: tuple(name for name in names if bearers[name] == 1)
        for seat, names in names_of.items()
    }
    return seat_of(person.seat or "", own)


def _human(person: Person, seat: Any, shorthand: Any) -> HumanAgent:
    return HumanAgent(
        seat,
        ask=person.ask,
        show=person.show,
        shorthand=shorthand,
        max_repairs=person.max_repairs,
    )
