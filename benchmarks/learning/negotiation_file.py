"""What a file says of an experiment in negotiation: sheets, partners, and how deals are judged."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from benchmarks.learning.experiment import Experiment
from benchmarks.learning.negotiation import FEATURES, FREE, NegotiationExperiment
from benchmarks.sections import SectionReader
from cleanup_icn import ConfigError
from negotiation_games import Game, GameError, load_game
from negotiation_games.batch import BatchProposer, ConcessionPartners
from negotiation_games.draw import SheetPlan
from negotiation_games.load import bundled_games

SECTIONS = ("world", "partners", "policy")
"""The sections that are read here."""

PUBLISHED, FRESH = "published", "fresh"
"""The sheets of the game, or others of its shape, drawn afresh for every episode."""

_PLAYED = ("num_turns", "voting", "no_deal")
_DRAWN = ("sparsity", "feasible", "is_sorted")


def read_negotiation(reader: SectionReader) -> Callable[..., Experiment] | None:
    """Read the sections; see `benchmarks.learning.config_file.ReadGame`."""
    world = reader.section("world")
    sheets = _read_sheets(reader, world)
    partners = reader.made_of(
        "partners", _partners, reader.section("partners"), known=("exponents",)
    )
    policy = reader.section("policy")
    deals = reader.word("policy", policy, "deals", (FREE, FEATURES)) if policy else FREE
    reader.refuse_unknown("[policy]", policy, ("deals",))
    given = {key: world[key] for key in _PLAYED if key in world}
    if sheets is None or partners is None:
        return None
    checked = reader.made_of("world", partial(_checked, sheets), given, known=_PLAYED)
    if checked is None:
        return None
    return partial(
        NegotiationExperiment,
        sheets=sheets,
        partners=partners,
        by_features=deals == FEATURES,
        **checked,
    )


def _read_sheets(reader: SectionReader, world: dict[str, Any]) -> Game | SheetPlan | None:
    """Return the game, or the plan of the sheets to draw in its shape."""
    name = reader.word("world", world, "game", bundled_games())
    kind = reader.word("world", world, "sheets", (PUBLISHED, FRESH))
    plan = {key: world.pop(key) for key in _DRAWN if key in world} if kind == FRESH else {}
    reader.refuse_unknown("[world]", world, _PLAYED)
    if not name or not kind:
        return None
    game = load_game(name)
    if kind == PUBLISHED:
        return game
    make = partial(
        SheetPlan,
        num_parties=game.num_parties,
        num_options=game.num_options,
        name=f"{name}, fresh sheets",
    )
    return reader.made_of("world", _in_our_words(make), plan, known=_DRAWN)


def _partners(*, exponents: Any = None) -> ConcessionPartners:
    if exponents is None:
        return ConcessionPartners()
    numbers = exponents if isinstance(exponents, list) else []
    if not numbers or not all(type(each) in (int, float) and each > 0 for each in numbers):
        raise ConfigError("exponents", exponents, "a list of numbers above 0")
    return ConcessionPartners(tuple(float(each) for each in numbers))


def _checked(sheets: Game | SheetPlan, **played: Any) -> dict[str, Any]:
    """Return how the negotiation is played, complete; a batch has been made so."""
    complete = {"num_turns": None, "voting": "implicit", "no_deal": "threshold", **played}
    _in_our_words(BatchProposer)(sheets, 1, **complete)
    return complete


def _in_our_words(make: Callable[..., Any]) -> Callable[..., Any]:
    """Let errors of the game name the key alone, without the name of the game."""

    def made(*arguments: Any, **named: Any) -> Any:
        try:
            return make(*arguments, **named)
        except GameError as error:
            name = error.where.rpartition(": ")[2]
            raise ConfigError(name, error.found, error.allowed) from None

    return made
