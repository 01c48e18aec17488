"""`commonweal play`: a person takes a seat."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import RenderableType

from benchmarks.settings_option import Settings, read_settings
from benchmarks.terminal import FAILED, console, say
from cleanup_icn import ConfigError

if TYPE_CHECKING:
    from benchmarks.model_config import ModelsConfig
    from benchmarks.play import Partners, Person

_PARTNERS: Mapping[str, str] = {
    "cleanup": "conditional-cooperator",
    "negotiation": "best-guess",
}
"""Who plays the others if nobody is named, by game."""

_Game = Annotated[str, typer.Argument(help="cleanup or negotiation.")]
_Seat = Annotated[
    str | None,
    typer.Option(metavar="NAME", help="agent_0 and so on; a party, or proposer or veto."),
]
_OtherSeats = Annotated[
    str | None,
    typer.Option(
        metavar="POLICY",
        help="Who plays the others.",
        show_default=" or ".join(_PARTNERS.values()),
    ),
]
_BaseUrl = Annotated[
    list[str] | None,
    typer.Option(metavar="URL", help="A model plays the others: its server, http://HOST:PORT/v1."),
]
_Model = Annotated[str | None, typer.Option(help="Name of the served model.")]
_Contract = Annotated[
    str | None,
    typer.Option(
        metavar="NAME",
        help="Cleanup: none, icn (talks), wage:RATE or share:FRACTION.",
        show_default="none",
    ),
]
_Preset = Annotated[str | None, typer.Option(help="Cleanup: named settings, see `presets`.")]
_NegotiationGame = Annotated[
    str | None,
    typer.Option("--game", help="Negotiation: a game's name or folder.", show_default="base"),
]
_Incentives = Annotated[
    str | None,
    typer.Option(
        metavar="NAME",
        help="Negotiation: what the parties are after, cooperative, greedy-veto, ...",
        show_default="cooperative",
    ),
]
_Reveal = Annotated[
    bool, typer.Option("--reveal", help="Negotiation: show everybody's scores at the end.")
]
_Seed = Annotated[int, typer.Option(min=0, help="The same seed is the same game.")]
_MaxRepairs = Annotated[
    int, typer.Option(min=0, help="Times a malformed answer is asked for again.")
]


def play(
    game: _Game,
    seat: _Seat = None,
    partners: _OtherSeats = None,
    base_url: _BaseUrl = None,
    model: _Model = None,
    contract: _Contract = None,
    preset: _Preset = None,
    values: Settings = None,
    game_name: _NegotiationGame = None,
    incentives: _Incentives = None,
    reveal: _Reveal = False,
    seed: _Seed = 0,
    max_repairs: _MaxRepairs = 3,
) -> None:
    """Take a seat: you are told what a model is told, and what you type is read as its answer is.

    Type ? to see everything again, Ctrl-D or Ctrl-C to leave.
    """
    from agents.human import PersonLeftError
    from benchmarks.play import Person
    from benchmarks.play_screen import Screen

    if game not in _PARTNERS:
        raise ConfigError("game", game, f"one of {', '.join(_PARTNERS)}")
    of_cleanup = {"--contract": contract, "--preset": preset}
    of_negotiation = {"--game": game_name, "--incentives": incentives, "--reveal": reveal or None}
    _refuse_idle(game, of_negotiation if game == "cleanup" else of_cleanup)
    settings = read_settings(values or [])
    called = partners or model or _PARTNERS[game]
    screen = Screen(console())
    person = Person(seat=seat, ask=screen.ask, show=screen.show, max_repairs=max_repairs)
    outcome: RenderableType
    try:
        with _seated(called, _served(partners, base_url or [], model)) as others:
            if game == "cleanup":
                world = {"preset": preset, **settings}
                outcome = _cleanup(
                    person, others, called=called, contract=contract, world=world, seed=seed
                )
            else:
                chosen = (game_name or "base", incentives or "cooperative", settings)
                outcome = _negotiation(person, others, chosen=chosen, seed=seed, reveal=reveal)
    except PersonLeftError:
        say("\ncommonweal: you left before the end")
        raise typer.Exit(FAILED) from None
    screen.lay_out("outcome", outcome)


def _refuse_idle(game: str, others: Mapping[str, Any]) -> None:
    """Raise for an option that is another game's."""
    for option, value in others.items():
        if value is not None:
            raise typer.BadParameter(f"is not for {game}", param_hint=option)


def _served(partners: str | None, urls: Sequence[str], model: str | None) -> ModelsConfig | None:
    """Return the model that plays the others; None if a policy does."""
    from benchmarks.model_file import served_model

    if bool(urls) != bool(model):
        missing = "--model" if urls else "--base-url"
        raise typer.BadParameter("is needed too", param_hint=missing)
    if not model:
        return None
    if partners is not None:
        raise typer.BadParameter("not together with --model", param_hint="--partners")
    return served_model(base_urls=urls, model=model)


def _seated(called: str, served: ModelsConfig | None) -> AbstractContextManager[Partners]:
    from benchmarks.play import model_partners, policy_partners

    return nullcontext(policy_partners(called)) if served is None else model_partners(served)


def _cleanup(
    person: Person,
    others: Partners,
    *,
    called: str,
    contract: str | None,
    world: Mapping[str, Any],
    seed: int,
) -> RenderableType:
    from benchmarks.play import condition_named, play_cleanup
    from benchmarks.play_outcome import cleanup_outcome
    from cleanup_icn import CleanupConfig

    config = CleanupConfig.create(**world)
    condition = condition_named(contract or "none")
    result = play_cleanup(person, partners=others, config=config, condition=condition, seed=seed)
    return cleanup_outcome(result, seat=str(person.seat), partners=called)


def _negotiation(
    person: Person,
    others: Partners,
    *,
    chosen: tuple[str, str, Mapping[str, Any]],
    seed: int,
    reveal: bool,
) -> RenderableType:
    from benchmarks.play import negotiation_of, play_negotiation
    from benchmarks.play_outcome import negotiation_outcome

    env = negotiation_of(*chosen)
    party = play_negotiation(person, partners=others, env=env, seed=seed)
    return negotiation_outcome(env, party=party, reveal=reveal)
