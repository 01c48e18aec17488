"""Recorded sessions: files in both published layouts, and records of our own.

```
history*.json    published 2024   {"rounds": [{"agent", "public_answer", ...}, ...]}
answers*.json    published 2023   {"rounds": [[name, answer], ...],
                                   "voting_sessions": {"0": {"deal_suggestion": answer}}}
a record         our own          {"game", "turns": [{"party", "public", "deal", "status"}, ...]},
                                  the final proposal last
```

Files are found by name, in a folder to any depth or in a zip archive. A file that cannot be used
never stops the rest: it raises `SessionError`, which says why.
"""

from __future__ import annotations

import json
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from pathlib import Path, PurePosixPath
from typing import Any

from negotiation_games.game import GameError


class Layout(Enum):
    """How a published session was recorded; the value is the pattern of its file's name."""

    HISTORY = "history*.json"
    ANSWERS = "answers*.json"


class SessionError(ValueError):
    """A session that cannot be evaluated; the message says why."""


@dataclass(frozen=True)
class Entry:
    """What one party said in public.

    ``deal`` and ``status`` are what the environment read from the answer when it was given; None
    in published logs, which hold the words alone.
    """

    party: str
    public: str
    deal: str | None = None  # as in A1,B2,C4
    status: str | None = None


@dataclass(frozen=True)
class Session:
    """One recorded negotiation: entries in the order spoken, the final proposal apart if it is.

    ``final`` is the words of the final proposal where the layout keeps them outside the entries
    (`Layout.ANSWERS`), else None: then the last entry is the final proposal.
    """

    layout: Layout | None  # None: a record of our own
    entries: tuple[Entry, ...]
    final: str | None = None
    game: str | None = None  # the name of the game, where the record has one


@dataclass(frozen=True)
class LogFile:
    """A file found: its name relative to where the search began, and what is in it."""

    name: str
    layout: Layout
    content: bytes | SessionError


def find_log_files(logs: Path, layouts: tuple[Layout, ...]) -> Iterator[LogFile]:
    """Yield the files of these layouts in a folder or a zip archive.

    Raises:
        GameError: ``logs`` is neither, or cannot be opened.
    """
    if logs.is_dir():
        yield from _in_folder(logs, layouts)
    elif logs.is_file() and zipfile.is_zipfile(logs):
        yield from _in_archive(logs, layouts)
    else:
        found = "no such file or folder" if not logs.exists() else "a file of another kind"
        raise GameError(f"logs {logs}", found, "a folder or a zip archive")


def read_session(file: LogFile) -> Session | SessionError:
    """Return the session of a file; if it cannot be read, why."""
    if isinstance(file.content, SessionError):
        return file.content
    try:
        document = _object(_parse_json(file.content), "the file")
        return _READERS[file.layout](document)
    except SessionError as error:
        return error


def _in_folder(folder: Path, layouts: tuple[Layout, ...]) -> Iterator[LogFile]:
    for path in sorted(folder.rglob("*")):
        layout = _layout(path.name, layouts)
        if layout is not None and path.is_file():
            yield LogFile(path.relative_to(folder).as_posix(), layout, _read(path))


def _in_archive(archive: Path, layouts: tuple[Layout, ...]) -> Iterator[LogFile]:
    try:
        with zipfile.ZipFile(archive) as opened:
            for name in sorted(set(opened.namelist())):
                layout = _layout(PurePosixPath(name).name, layouts)
                if layout is not None and not name.endswith("/"):
                    yield LogFile(name, layout, _read_member(opened, name))
    except (OSError, zipfile.BadZipFile) as error:
        raise GameError(f"logs {archive}", str(error), "a zip archive that opens") from error


def _layout(file_name: str, layouts: tuple[Layout, ...]) -> Layout | None:
    return next((each for each in layouts if PurePosixPath(file_name).match(each.value)), None)


def _read(path: Path) -> bytes | SessionError:
    try:
        return path.read_bytes()
    except OSError as error:
        return SessionError(f"cannot be read: {error.strerror or error}")


def _read_member(archive: zipfile.ZipFile, name: str) -> bytes | SessionError:
    try:
        return archive.read(name)
    except (RuntimeError, OSError, zipfile.BadZipFile, zlib.error, EOFError) as error:
        return SessionError(f"cannot be unpacked: {error}")


def _parse_json(data: bytes) -> Any:
    try:
        return json.loads(data)
    except RecursionError:
        raise SessionError("JSON nested too deeply") from None
    except ValueError as error:  # broken JSON and broken encodings alike
        raise SessionError(f"not JSON: {error}") from error


def _read_history(document: Mapping[str, Any]) -> Session:
    entries = tuple(
        Entry(
            party=_text(_member(each, "agent", where), f"{where}.agent"),
            public=_text(_member(each, "public_answer", where), f"{where}.public_answer"),
        )
        for where, each in _rounds(document)
    )
    return Session(Layout.HISTORY, entries)


def _read_answers(document: Mapping[str, Any]) -> Session:
    votes = _object(_member(document, "voting_sessions", "the file"), "voting_sessions")
    first = _object(_member(votes, "0", "voting_sessions"), 'voting_sessions["0"]')
    where = 'voting_sessions["0"]'
    final = _text(_member(first, "deal_suggestion", where), f"{where}.deal_suggestion")
    entries = tuple(
        Entry(party=_text(each[0], f"{where}[0]"), public=_text(each[1], f"{where}[1]"))
        for where, each in _rounds(document)
        if isinstance(each, list) and len(each) == 2
    )
    return Session(Layout.ANSWERS, entries, final)


def read_record(document: Mapping[str, Any]) -> Session:
    """Return the session of one of our own records. Raises `SessionError` on another form."""
    turns = _list(_member(document, "turns", "the record"), "turns")
    entries = tuple(_read_turn(f"turns[{i}]", each) for i, each in enumerate(turns))
    game = document.get("game")
    return Session(None, entries, game=None if game is None else _text(game, "game"))


def _read_turn(where: str, turn: Any) -> Entry:
    fields = _object(turn, where)
    deal = fields.get("deal")
    return Entry(
        party=_text(_member(fields, "party", where), f"{where}.party"),
        public=_text(_member(fields, "public", where), f"{where}.public"),
        deal=None if deal is None else _text(deal, f"{where}.deal"),
        status=_text(_member(fields, "status", where), f"{where}.status"),
    )


_READERS = {Layout.HISTORY: _read_history, Layout.ANSWERS: _read_answers}


def _rounds(document: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    rounds = _list(_member(document, "rounds", "the file"), "rounds")
    return ((f"rounds[{i}]", each) for i, each in enumerate(rounds))


def _member(value: Any, key: str, where: str) -> Any:
    fields = _object(value, where)
    if key not in fields:
        raise SessionError(f"{where} has no {key!r}")
    return fields[key]


def _object(value: Any, where: str) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise SessionError(f"{where} is {type(value).__name__}, not an object")
    return value


def _list(value: Any, where: str) -> list[Any]:
    if not isinstance(value, list):
        raise SessionError(f"{where} is {type(value).__name__}, not a list")
    return value


def _text(value: Any, where: str) -> str:
    if not isinstance(value, str):
        raise SessionError(f"{where} is {type(value).__name__}, not text")
    return value
