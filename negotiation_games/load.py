"""Games from their files: bundled by name, or from a folder in our form or the published one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from negotiation_games.files import check_incentive
from negotiation_games.game import Game, GameError, Incentive, Party, Role
from negotiation_games.published import CONFIG, read_published
from negotiation_games.toml_form import FIGURES, read_folder, write_folder

TARGET = "{target}"
"""Stands in a role text for the name of the party with role target, until the game has one."""

_DATA = Path(__file__).parent / "data"


def bundled_games() -> tuple[str, ...]:
    """Return the names of the games that need no files of the user's."""
    return tuple(sorted(path.parent.name for path in _DATA.glob("*/game.toml")))


def load_game(
    source: str | Path,
    *,
    incentives: Mapping[str, str] | None = None,
    target: str | None = None,
    evaluation_only: bool = False,
) -> Game:
    """Return a game read from its files.

    Args:
        source: the name of a bundled game, or a folder: in our form if it holds ``game.toml``, in
            the published layout if it holds ``config.txt``. A string that names a bundled game is
            that game; ``./base`` or a `Path` is a folder.
        incentives: incentives by party, in place of the file's.
        target: the player against whom a targeted saboteur works, in place of the file's.
        evaluation_only: read the figures alone: no texts and no initial deal, nor need there be
            any.

    Raises:
        GameError: a fault, naming file and line (or field), what was found and what is allowed.
    """
    plays = _incentives(incentives or {})
    try:
        game = _read(_folder(source), plays, evaluation_only)
    except OSError as error:
        raise GameError("game", str(source), f"a folder that can be read: {error}") from error
    return recast(game, incentives=plays, target=target)


def write_game(game: Game, folder: str | Path) -> None:
    """Write a game to a folder in our form, so that `load_game` gives it back.

    Files of the same names are replaced.

    Raises:
        GameError: a text that the form cannot hold, or the folder cannot be written.
    """
    write_folder(game, Path(folder))


def recast(
    game: Game, *, incentives: Mapping[str, str] | None = None, target: str | None = None
) -> Game:
    """Return the game with other incentives, or another target, and all else as it was.

    Args:
        game: the game.
        incentives: incentives by party; the others keep theirs.
        target: the player against whom a targeted saboteur works; None keeps what is.

    Raises:
        GameError: an unknown party or incentive, an incentive for which the party has no text, a
            target that is no player or sabotages, or sabotage with a target where there is none.
    """
    plays = _incentives(incentives or {})
    for name, incentive in plays.items():
        party = game.party(name)
        if party.instructions and incentive not in party.instructions:
            known = "one of " + ", ".join(party.instructions)
            raise GameError(f"{game.name}: incentive of {name}", str(incentive), known)
    parties = tuple(replace(p, incentive=plays.get(p.name, p.incentive)) for p in game.parties)
    if target is not None:
        parties = _aim(game, parties, target)
    return replace(game, parties=tuple(_name_target(party, parties) for party in parties))


def _incentives(words: Mapping[str, str]) -> dict[str, Incentive]:
    return {name: check_incentive(f"incentive of {name}", word) for name, word in words.items()}


def _folder(source: str | Path) -> Path:
    if isinstance(source, str) and source in bundled_games():
        return _DATA / source
    folder = Path(source)
    if not folder.is_dir():
        known = ", ".join(bundled_games())
        raise GameError("game", str(source), f"a folder, or one of {known}")
    return folder


def _read(folder: Path, plays: Mapping[str, Incentive], evaluation_only: bool) -> Game:
    if (folder / FIGURES).exists():
        return read_folder(folder, evaluation_only=evaluation_only, plays=plays)
    if (folder / CONFIG).exists():
        return read_published(folder, evaluation_only=evaluation_only, plays=plays)
    raise GameError(str(folder), f"neither {FIGURES} nor {CONFIG}", "a game's folder")


def _aim(game: Game, parties: tuple[Party, ...], target: str) -> tuple[Party, ...]:
    """Give the role target to this player alone."""
    where = f"{game.name}: target"
    party = next(p for p in parties if p.name == game.party(target).name)
    if party.role not in (Role.PLAYER, Role.TARGET):
        raise GameError(where, target, "a party that is neither p1 nor p2")
    if party.incentive is Incentive.TARGETED_SABOTAGE:
        raise GameError(where, target, "a party other than the saboteur")
    others = {p.name for p in parties if p.role is Role.TARGET} - {target}
    if others:
        raise GameError(where, target, f"{others.pop()}, the game's target")
    return tuple(replace(p, role=Role.TARGET) if p is party else p for p in parties)


def _name_target(party: Party, parties: tuple[Party, ...]) -> Party:
    """Put the target's name into the party's texts, if the game has a target."""
    names = [p.name for p in parties if p.role is Role.TARGET]
    if len(names) != 1:
        return party
    texts = {key: text.replace(TARGET, names[0]) for key, text in party.instructions.items()}
    return replace(party, instructions=texts)
