"""Reading the files of a game's folder: every fault is one `GameError` naming file and line."""

from __future__ import annotations

import re
from pathlib import Path

from negotiation_games.game import (
    Deal,
    Game,
    GameError,
    Incentive,
    Issue,
    Party,
    Role,
    deal_name,
    option_name,
)

_FILE_NAME = re.compile(r"[^\W_][\w .'-]*")
_INTEGER = re.compile(r"[+-]?[0-9]{1,9}")


def read_text(folder: Path, file: str) -> str:
    r"""Return a file's text with ``\n`` line ends.

    Args:
        folder: the game's folder, out of which no file may lead, not even by a symbolic link.
        file: the file's path in the folder.

    Raises:
        GameError: there is no such file, it is empty, not UTF-8, or outside the folder.
    """
    where = str(folder / file)
    try:
        path = (folder / file).resolve()
        if not path.is_relative_to(folder.resolve()):
            raise GameError(where, str(path), f"a file inside {folder}")
        if not path.is_file():
            raise GameError(where, "no such file", "a text file")
        data = path.read_bytes()
    except (OSError, RuntimeError, ValueError) as error:
        if isinstance(error, GameError):
            raise
        raise GameError(where, str(error), "a text file that can be read") from error
    text = _decode(where, data).replace("\r\n", "\n").replace("\r", "\n")
    if not text.strip():
        raise GameError(where, "an empty file", "text")
    return text


def _decode(where: str, data: bytes) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        byte = data[error.start : error.start + 1]
        raise GameError(f"{where}, line {line}", byte, "UTF-8") from error


def at_line(where: str, line: int) -> str:
    """Return the place of a fault: a file and a line, from 1."""
    return f"{where}, line {line}"


def check_file_name(where: str, name: object) -> str:
    """Return the name of a file, without folder, or raise `GameError`."""
    if not isinstance(name, str) or not _FILE_NAME.fullmatch(name) or ".." in name:
        raise GameError(where, name, "a file name of letters, digits and _ - . ' that stays inside")
    return name


def check_name(where: str, name: object) -> str:
    """Return the name of a party or a game, or raise `GameError`."""
    if not isinstance(name, str) or not name.strip() or not name.isprintable():
        raise GameError(where, name, "a name, on one line")
    return name.strip()


def check_role(where: str, word: object) -> Role:
    """Return the role of a word, or raise `GameError`."""
    if not isinstance(word, str) or word not in [*Role]:
        raise GameError(where, word, "one of " + ", ".join(Role))
    return Role(word)


def check_incentive(where: str, word: object) -> Incentive:
    """Return the incentive of a word, or raise `GameError`."""
    if not isinstance(word, str) or word not in [*Incentive]:
        raise GameError(where, word, "one of " + ", ".join(Incentive))
    return Incentive(word)


def check_integer(where: str, word: str) -> int:
    """Return the whole number that a word writes, or raise `GameError`."""
    word = word.strip()
    if not _INTEGER.fullmatch(word):
        raise GameError(where, word, "a whole number of at most nine digits")
    return int(word)


def check_threshold(where: str, threshold: int, scores: tuple[tuple[int, ...], ...]) -> int:
    """Return a threshold that some deal reaches, or raise `GameError`."""
    best = sum(max(points) for points in scores)
    if threshold > best:
        raise GameError(where, threshold, f"at most {best}, the party's best deal")
    return threshold


def check_deal(where: str, text: object, num_options: tuple[int, ...]) -> Deal:
    """Return the deal that a text such as ``A1,B2,C4`` writes, or raise `GameError`."""
    allowed = "one option of every issue, as in " + deal_name([0] * len(num_options))
    if not isinstance(text, str):
        raise GameError(where, text, allowed)
    names = [name.strip() for name in text.strip().split(",")]
    if len(names) != len(num_options):
        raise GameError(where, text.strip(), allowed)
    deal = []
    for i, name in enumerate(names):
        known = [option_name(i, option) for option in range(num_options[i])]
        if name not in known:
            raise GameError(where, name, f"{known[0]} to {known[-1]}")
        deal.append(known.index(name))
    return tuple(deal)


def build_game(
    where: str,
    *,
    name: str,
    issues: tuple[Issue, ...],
    parties: tuple[Party, ...],
    initial_deal: Deal | None,
    scenario: str,
    title: str,
) -> Game:
    """Return the `Game` of these parts; a fault of the whole names the file ``where``."""
    try:
        return Game(name, issues, parties, initial_deal, scenario, title)
    except GameError as error:
        raise GameError(f"{where}, {error.where}", error.found, error.allowed) from error
