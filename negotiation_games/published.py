"""The published folder layout, read as it is.

The layout is that of the code of Abdelnabi et al. (NeurIPS 2024 D&B):
``config.txt`` with ``name,file,role,incentive,model`` a line, a party each;
``scores_files/<file>.txt`` with a line of scores an issue and the threshold on the last;
``initial_deal.txt``; ``global_instructions.txt``, told to everybody; and
``individual_instructions/<incentive>/<file>.txt``, in which ``#A1_NUM`` stands for the party's
score of option A1 and ``#A_MAX_NUM`` for its best of issue A. The model's name is not used.

Names in double quotes in the global instructions are not compared with the configuration: the
published games quote issues and options too, and two of them name a party otherwise than their
configuration does.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from negotiation_games.files import (
    at_line,
    build_game,
    check_deal,
    check_file_name,
    check_incentive,
    check_integer,
    check_name,
    check_role,
    check_threshold,
    read_text,
)
from negotiation_games.game import (
    ISSUE_LETTERS,
    MAX_ISSUES,
    Deal,
    Game,
    GameError,
    Incentive,
    Issue,
    Party,
    Role,
)

CONFIG = "config.txt"
_COLUMNS = "name,file,role,incentive,model"
_PLACEHOLDER = re.compile(r"#([A-Z])(?:([0-9]{1,3})|_MAX)_NUM")

Sheet = tuple[tuple[int, ...], ...]


@dataclass(frozen=True)
class _ConfigLine:
    """A party's line in the configuration."""

    name: str
    file: str
    role: Role
    incentive: Incentive


def read_published(folder: Path, *, evaluation_only: bool, plays: Mapping[str, Incentive]) -> Game:
    """Return the game of a folder in the published layout.

    Args:
        folder: the folder.
        plays: by party, the incentive whose text must be there in place of the configured one's.
        evaluation_only: read the configuration and the score sheets, nothing else.

    Raises:
        GameError: a fault, naming file and line, what was found and what is allowed.
    """
    lines = _read_config(folder)
    sheets = [_read_sheet(folder, line.file) for line in lines]
    num_options = tuple(len(points) for points in sheets[0][0])
    for line, (sheet, _) in zip(lines, sheets, strict=True):
        _check_shape(f"{folder / _scores_file(line.file)}", sheet, num_options)
    parties = tuple(
        Party(
            name=line.name,
            role=line.role,
            incentive=line.incentive,
            scores=sheet,
            threshold=threshold,
            instructions={}
            if evaluation_only
            else _read_instructions(folder, line.file, plays.get(line.name, line.incentive), sheet),
        )
        for line, (sheet, threshold) in zip(lines, sheets, strict=True)
    )
    return build_game(
        f"{folder / CONFIG}",
        name=folder.resolve().name,
        issues=tuple(Issue("", ("",) * options) for options in num_options),
        parties=parties,
        initial_deal=None if evaluation_only else _read_initial_deal(folder, num_options),
        scenario="" if evaluation_only else read_text(folder, "global_instructions.txt").strip(),
        title="",
    )


def _read_config(folder: Path) -> list[_ConfigLine]:
    lines: list[_ConfigLine] = []
    for number, text in enumerate(read_text(folder, CONFIG).split("\n"), 1):
        if not text.strip():
            continue
        where = at_line(f"{folder / CONFIG}", number)
        columns = [column.strip() for column in text.split(",")]
        if len(columns) != _COLUMNS.count(",") + 1:
            raise GameError(where, text.strip(), _COLUMNS)
        name = check_name(where, columns[0])
        if name in [line.name for line in lines]:
            raise GameError(where, name, "a name that no other party has")
        file = check_file_name(where, columns[1])
        role = check_role(where, columns[2])
        lines.append(_ConfigLine(name, file, role, check_incentive(where, columns[3])))
    return lines


def _scores_file(file: str) -> str:
    return f"scores_files/{file}.txt"


def _read_sheet(folder: Path, file: str) -> tuple[Sheet, int]:
    """Return a score sheet and its threshold, the number alone on the last line."""
    where = f"{folder / _scores_file(file)}"
    rows = [
        tuple(check_integer(at_line(where, number), word) for word in text.split(","))
        for number, text in enumerate(read_text(folder, _scores_file(file)).rstrip().split("\n"), 1)
    ]
    if not 2 <= len(rows) <= MAX_ISSUES + 1:
        raise GameError(where, f"{len(rows)} lines", f"1 to {MAX_ISSUES} issues, then a threshold")
    last = at_line(where, len(rows))
    if len(rows[-1]) != 1:
        raise GameError(last, f"{len(rows[-1])} numbers", "the threshold alone")
    sheet = tuple(rows[:-1])
    return sheet, check_threshold(last, rows[-1][0], sheet)


def _check_shape(where: str, sheet: Sheet, num_options: tuple[int, ...]) -> None:
    """Compare a sheet's shape with that of the first party's."""
    if len(sheet) != len(num_options):
        expected = f"{len(num_options) + 1} lines: one an issue, then the threshold"
        raise GameError(
            at_line(where, min(len(sheet), len(num_options)) + 1),
            f"{len(sheet) + 1} lines",
            expected,
        )
    for i, points in enumerate(sheet):
        if len(points) != num_options[i]:
            expected = f"{num_options[i]}, one an option of issue {ISSUE_LETTERS[i]}"
            raise GameError(at_line(where, i + 1), f"{len(points)} scores", expected)


def _read_initial_deal(folder: Path, num_options: tuple[int, ...]) -> Deal:
    file = "initial_deal.txt"
    lines = read_text(folder, file).rstrip().split("\n")
    first = next(i for i, line in enumerate(lines) if line.strip())
    where = at_line(f"{folder / file}", first + 1)
    if len(lines) > first + 1:
        raise GameError(at_line(f"{folder / file}", first + 2), lines[first + 1], "one line")
    return check_deal(where, lines[first], num_options)


def _read_instructions(
    folder: Path, file: str, needed: Incentive, sheet: Sheet
) -> Mapping[Incentive, str]:
    """Read the text for the incentive needed, which must be there, and for the others if any."""
    texts = {}
    for incentive in Incentive:
        path = f"individual_instructions/{incentive}/{file}.txt"
        if incentive is needed or (folder / path).exists():
            texts[incentive] = _fill_in(f"{folder / path}", read_text(folder, path), sheet)
    return texts


def _fill_in(where: str, text: str, sheet: Sheet) -> str:
    """Put the party's scores in the place of the placeholders."""

    def score(match: re.Match[str]) -> str:
        issue, option = ISSUE_LETTERS.index(match[1]), match[2]
        points = sheet[issue] if issue < len(sheet) else ()
        if not points or (option and not 1 <= int(option) <= len(points)):
            number = text.count("\n", 0, match.start()) + 1
            raise GameError(at_line(where, number), match[0], "an option that the game has")
        return str(points[int(option) - 1] if option else max(points))

    return _PLACEHOLDER.sub(score, text).strip()
