"""Our form of a game's folder: figures in ``game.toml``, prose in Markdown.

``game.toml`` holds ``[game]`` (name, title, initial_deal, scenario), an ``[[issue]]`` each (title,
description, options) and a ``[[party]]`` each (name, role, incentive, file, threshold, scores).
``scenario`` names the file that is told to everybody; ``roles/<file>`` is a party's role text: what
stands before the first heading holds for every incentive, and each section ``## cooperative``,
``## greedy``, ``## untargeted_adv`` or ``## targeted_adv`` for that one. ``{target}`` stands for
the name of the party with role target. A game of figures alone leaves out ``scenario`` and
``file``. Prose has no figures: what a party is shown of its sheet is written from ``game.toml``,
so the two cannot drift apart.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from negotiation_games.files import (
    at_line,
    build_game,
    check_deal,
    check_file_name,
    check_incentive,
    check_name,
    check_role,
    check_threshold,
    read_text,
)
from negotiation_games.game import (
    ISSUE_LETTERS,
    Game,
    GameError,
    Incentive,
    Issue,
    Party,
    deal_name,
)

FIGURES = "game.toml"
_SCENARIO = "scenario.md"  # as written; read by the name that the figures give
_KEYS = {
    "game": ("name", "title", "initial_deal", "scenario"),
    "issue": ("title", "description", "options"),
    "party": ("name", "role", "incentive", "file", "threshold", "scores"),
}
_OPTIONAL = ("title", "description", "initial_deal")
_MAX_FIGURE = 10**9
_HEADING = re.compile(r"^## (\S+)[ \t]*$", re.MULTILINE)
_TOML_LINE = re.compile(r"\(at line (\d+)")


@dataclass(frozen=True)
class _Table:
    """A table of the figures: its contents, and where it and its keys stand in the file."""

    file: str
    header: str
    line: int
    values: Mapping[str, Any]
    key_lines: Mapping[str, int]

    def where(self, key: str) -> str:
        """Return the place of a key, or of the table's header if the key is not there."""
        return f"{at_line(self.file, self.key_lines.get(key, self.line))}, {self.header} {key}"

    def text(self, key: str) -> str:
        """Return a string, or raise `GameError`; empty where an optional one is left out."""
        value = self.values.get(key, "" if key in _OPTIONAL else None)
        if not isinstance(value, str):
            raise GameError(self.where(key), value, "a string")
        return value.strip()

    def list_of(self, key: str, kind: str) -> list[Any]:
        """Return a list with at least one entry, or raise `GameError`."""
        value = self.values.get(key)
        if not isinstance(value, list) or not value:
            raise GameError(self.where(key), value, f"a list of {kind}")
        return value


def read_folder(folder: Path, *, evaluation_only: bool, plays: Mapping[str, Incentive]) -> Game:
    """Return the game of a folder in our form.

    Args:
        folder: the folder.
        plays: by party, the incentive whose text must be there in place of the file's own.
        evaluation_only: read ``game.toml`` alone, without its initial deal.

    Raises:
        GameError: a fault, naming file and line, what was found and what is allowed.
    """
    text = read_text(folder, FIGURES)
    file = str(folder / FIGURES)
    tables = _read_tables(file, text)
    if len(tables["issue"]) not in range(1, len(ISSUE_LETTERS) + 1):
        raise GameError(file, f"{len(tables['issue'])} issues", f"1 to {len(ISSUE_LETTERS)}")
    issues = tuple(_read_issue(table) for table in tables["issue"])
    num_options = tuple(len(issue.options) for issue in issues)
    game = tables["game"][0]
    opens = "initial_deal" in game.values and not evaluation_only
    return build_game(
        file,
        name=check_name(game.where("name"), game.values.get("name")),
        title=game.text("title"),
        issues=issues,
        parties=_read_parties(folder, tables["party"], num_options, plays, evaluation_only),
        initial_deal=check_deal(
            game.where("initial_deal"), game.values["initial_deal"], num_options
        )
        if opens
        else None,
        scenario="" if evaluation_only else _read_scenario(folder, game),
    )


def _read_scenario(folder: Path, game: _Table) -> str:
    if "scenario" not in game.values:
        return ""
    file = check_file_name(game.where("scenario"), game.values["scenario"])
    return read_text(folder, file).strip()


def _read_tables(file: str, text: str) -> dict[str, list[_Table]]:
    """Parse the file into its tables; keys and tables of other names are faults."""
    try:
        document = tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        line = _TOML_LINE.search(str(error))
        where = at_line(file, int(line[1]) if line else text.count("\n") + 1)
        raise GameError(where, str(error), "TOML") from error
    for key in document:
        if key not in _KEYS:
            where = at_line(file, _find_line(text, key))
            raise GameError(where, key, "[game], [[issue]] or [[party]]")
    return {
        name: _tables_of(file, text, name, document.get(name, [] if name != "game" else {}))
        for name in _KEYS
    }


def _tables_of(file: str, text: str, name: str, value: object) -> list[_Table]:
    entries = [value] if name == "game" else value
    header = "[game]" if name == "game" else f"[[{name}]]"
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise GameError(at_line(file, _find_line(text, name)), value, header)
    places = _places(text, name)
    tables = []
    for i, entry in enumerate(entries):
        line, key_lines = places[i] if i < len(places) else (1, {})
        table = _Table(file, header, line, entry, key_lines)
        for key in entry:
            if key not in _KEYS[name]:
                raise GameError(table.where(key), key, "one of " + ", ".join(_KEYS[name]))
        tables.append(table)
    return tables


def _find_line(text: str, key: str) -> int:
    """Return the first line that a key or a table of this name begins, 1 if none does."""
    pattern = re.compile(rf"\s*\[*\s*[\"']?{re.escape(key)}\b")
    lines = enumerate(text.split("\n"), 1)
    return next((number for number, line in lines if pattern.match(line)), 1)


def _places(text: str, name: str) -> list[tuple[int, dict[str, int]]]:
    """Return the line of each table of this name, and the lines of its keys."""
    places: list[tuple[int, dict[str, int]]] = []
    inside = False
    for number, line in enumerate(text.split("\n"), 1):
        if header := re.match(r"\s*\[+\s*([A-Za-z]\w*)\s*\]+\s*(#.*)?$", line):
            inside = header[1] == name
            if inside:
                places.append((number, {}))
        elif inside and (key := re.match(r"\s*[\"']?([\w-]+)[\"']?\s*[.=]", line)):
            places[-1][1].setdefault(key[1], number)
    return places


def _read_issue(table: _Table) -> Issue:
    options = table.list_of("options", "strings")
    for option in options:
        if not isinstance(option, str):
            raise GameError(table.where("options"), option, "a string")
    return Issue(table.text("title"), tuple(options), table.text("description"))


def _read_parties(
    folder: Path,
    tables: list[_Table],
    num_options: tuple[int, ...],
    plays: Mapping[str, Incentive],
    evaluation_only: bool,
) -> tuple[Party, ...]:
    parties: list[Party] = []
    for table in tables:
        name = check_name(table.where("name"), table.values.get("name"))
        if name in [party.name for party in parties]:
            raise GameError(table.where("name"), name, "a name that no other party has")
        incentive = check_incentive(table.where("incentive"), table.values.get("incentive"))
        scores = _read_scores(table, num_options)
        threshold = _figure(table, "threshold", table.values.get("threshold"))
        parties.append(
            Party(
                name=name,
                role=check_role(table.where("role"), table.values.get("role")),
                incentive=incentive,
                scores=scores,
                threshold=check_threshold(table.where("threshold"), threshold, scores),
                instructions={}
                if evaluation_only or "file" not in table.values
                else _read_role(
                    folder,
                    check_file_name(table.where("file"), table.values["file"]),
                    plays.get(name, incentive),
                ),
            )
        )
    return tuple(parties)


def _figure(table: _Table, key: str, value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or abs(value) >= _MAX_FIGURE:
        raise GameError(table.where(key), value, "a whole number of at most nine digits")
    return value


def _read_scores(table: _Table, num_options: tuple[int, ...]) -> tuple[tuple[int, ...], ...]:
    where = table.where("scores")
    rows = table.list_of("scores", "lists, one an issue")
    if len(rows) != len(num_options):
        raise GameError(where, f"{len(rows)} lists", f"{len(num_options)}, one an issue")
    for i, row in enumerate(rows):
        if not isinstance(row, list) or len(row) != num_options[i]:
            expected = f"{num_options[i]} scores, one an option of issue {ISSUE_LETTERS[i]}"
            raise GameError(where, row, expected)
    return tuple(tuple(_figure(table, "scores", value) for value in row) for row in rows)


def _read_role(folder: Path, file: str, needed: Incentive) -> Mapping[Incentive, str]:
    """Return a party's text for each incentive that has a section, among them the one needed."""
    path = f"roles/{file}"
    text = read_text(folder, path)
    core, *sections = _HEADING.split(text)
    texts: dict[Incentive, str] = {}
    line = core.count("\n") + 1
    for word, section in zip(sections[::2], sections[1::2], strict=True):
        where = at_line(str(folder / path), line)
        incentive = check_incentive(where, word)
        if incentive in texts:
            raise GameError(where, word, "every incentive once")
        texts[incentive] = "\n\n".join(part for part in (core.strip(), section.strip()) if part)
        line += section.count("\n")
    if needed not in texts:
        found = "sections " + ", ".join(texts) if texts else "no section"
        raise GameError(at_line(str(folder / path), line), found, f"a section ## {needed}")
    return texts


def write_folder(game: Game, folder: Path) -> None:
    """Write a game in our form, so that `read_folder` gives it back.

    Files of the same names are replaced.

    Raises:
        GameError: a text that the form cannot hold, or the folder cannot be written.
    """
    files = _role_files(game)
    texts = {FIGURES: _render_figures(game, files)}
    if game.scenario.strip():
        texts[_SCENARIO] = game.scenario.strip() + "\n"
    for party, file in zip(game.parties, files, strict=True):
        if file:
            texts[f"roles/{file}"] = _render_role(f"{game.name}: text of {party.name}", party)
    try:
        (folder / "roles").mkdir(parents=True, exist_ok=True)
        for path, text in texts.items():
            (folder / path).write_text(text, encoding="utf-8", newline="\n")
    except (OSError, ValueError) as error:
        raise GameError(str(folder), str(error), "a folder that can be written") from error


def _role_files(game: Game) -> list[str]:
    """Return a file name for each party, made of its name, or nothing if it has no texts."""
    files: list[str] = []
    for number, party in enumerate(game.parties, 1):
        stem = re.sub(r"[^a-z0-9]+", "_", party.name.lower()).strip("_") or "party"
        file = f"{stem}.md" if f"{stem}.md" not in files else f"{stem}_{number}.md"
        files.append(file if party.instructions else "")
    return files


def _render_figures(game: Game, files: list[str]) -> str:
    head = ["[game]", f"name = {_quote(game.name)}", f"title = {_quote(game.title)}"]
    if game.initial_deal is not None:
        head.append(f"initial_deal = {_quote(deal_name(game.initial_deal))}")
    if game.scenario.strip():
        head.append(f"scenario = {_quote(_SCENARIO)}")
    tables = ["\n".join(head)]
    for issue in game.issues:
        options = "".join(f"  {_quote(option)},\n" for option in issue.options)
        tables.append(
            f"[[issue]]\ntitle = {_quote(issue.title)}\n"
            f"description = {_quote(issue.description)}\noptions = [\n{options}]"
        )
    for party, file in zip(game.parties, files, strict=True):
        role_file = f"file = {_quote(file)}\n" if file else ""
        rows = "".join(f"  {list(points)},\n" for points in party.scores)
        tables.append(
            f"[[party]]\nname = {_quote(party.name)}\nrole = {_quote(party.role)}\n"
            f"incentive = {_quote(party.incentive)}\n{role_file}"
            f"threshold = {party.threshold}\nscores = [\n{rows}]"
        )
    return "\n\n".join(tables) + "\n"


def _quote(text: str) -> str:
    """Write a string as TOML: quotes, backslashes and control characters escaped."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + re.sub(r"[\x00-\x1f\x7f]", lambda c: f"\\u{ord(c[0]):04x}", escaped) + '"'


def _render_role(where: str, party: Party) -> str:
    """Write what all the party's texts begin with, then a section for the rest of each."""
    for text in party.instructions.values():
        if heading := _HEADING.search(text):
            raise GameError(where, heading[0], "no line that begins like a section")
    texts = {key: text.strip().split("\n\n") for key, text in party.instructions.items()}
    shared = 0
    if len(texts) > 1:
        while all(len(text) > shared for text in texts.values()) and (
            len({text[shared] for text in texts.values()}) == 1
        ):
            shared += 1
    core = next(iter(texts.values()))[:shared]
    sections = [
        "\n\n".join([f"## {incentive}", *text[shared:]]) for incentive, text in texts.items()
    ]
    return "\n\n".join([*core, *sections]) + "\n"
