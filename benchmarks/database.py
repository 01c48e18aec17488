"""The SQLite file of a run: its tables, how it is opened, and who may write.

```
about      what a run tells of itself, JSON values by name
cells      what is to be played, in the order of tables: arena, policy, condition, episodes
episodes   one row an episode that is over, in numbers
records    its record: JSON text, compressed by zlib
```

The file is in WAL mode: readers see whole episodes, also while a run is writing. A process that is
killed loses what it had not committed and nothing else. Whoever writes holds a lock on a file
beside it for as long as it lives.
"""

from __future__ import annotations

import json
import sqlite3
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cleanup_icn import ConfigError

FILE, LOCK = "run.db", "run.lock"
VERSION = 1
"""Of the tables; kept in the file as ``user_version``."""

_APPLICATION = 0x434F4D57
"""Tells our files from other SQLite files: ``COMW``."""

_BUSY_S = 30.0
_LOCK_S = 1.0  # who only asks whether a run is being written holds the lock for a moment
_SCHEMA = """
CREATE TABLE about (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE cells (
    id INTEGER PRIMARY KEY,
    arena TEXT NOT NULL,
    policy TEXT NOT NULL,
    contract TEXT NOT NULL,
    num_episodes INTEGER NOT NULL,
    UNIQUE (arena, policy, contract)
);
CREATE TABLE episodes (
    id INTEGER PRIMARY KEY,
    cell INTEGER NOT NULL REFERENCES cells,
    episode INTEGER NOT NULL,
    seed INTEGER NOT NULL,
    started_at TEXT NOT NULL,
    ended_at TEXT NOT NULL,
    wall_s REAL NOT NULL,
    measures TEXT NOT NULL,
    malformed INTEGER NOT NULL,
    calls INTEGER NOT NULL,
    prompt_tokens INTEGER NOT NULL,
    completion_tokens INTEGER NOT NULL,
    latency_s REAL NOT NULL,
    UNIQUE (cell, episode)
);
CREATE TABLE records (id INTEGER PRIMARY KEY REFERENCES episodes, record BLOB NOT NULL);
"""


class StoreError(Exception):
    """A run cannot be written or read any more: no room, a damaged file."""


@contextmanager
def told_plainly(file: Path) -> Iterator[None]:
    """Turn what is wrong with a file, or with what stands in it, into a `StoreError`."""
    try:
        yield
    except sqlite3.Error as error:
        raise StoreError(f"{file}: {error}") from error
    except (zlib.error, json.JSONDecodeError, UnicodeDecodeError) as error:
        raise StoreError(f"{file}: damaged: {error}") from error


def open_to_write(folder: Path) -> sqlite3.Connection:
    """Open a run's file, making it if there is none.

    Raises:
        ConfigError: it was written by another version.
        StoreError: it is no such file, or cannot be written.
    """
    file = folder / FILE
    with told_plainly(file):
        connection = sqlite3.connect(
            file, timeout=_BUSY_S, isolation_level=None, check_same_thread=False
        )
        try:
            is_new = not connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
            if not is_new:  # nothing of another file is changed, the mode of its journal included
                _check_version(connection, file)
            connection.execute("PRAGMA journal_mode = WAL")
            # What is committed outlives the process; a power cut may take the last episodes.
            connection.execute("PRAGMA synchronous = NORMAL")
            connection.execute("PRAGMA foreign_keys = ON")
            if is_new:
                with transaction(connection):
                    _make_tables(connection)
        except BaseException:
            connection.close()
            raise
    return connection


def open_to_read(folder: Path) -> sqlite3.Connection:
    """Open a run's file without changing anything in its folder.

    Raises:
        ConfigError: there is none, or another version wrote it.
        StoreError: it is no such file.
    """
    file = folder / FILE
    if not file.is_file():
        allowed = f"a folder of a run, with its {FILE}"
        raise ConfigError("run", str(folder), allowed + _told_if_earlier(folder))
    with told_plainly(file):
        connection = _connected(file)
        try:
            _check_version(connection, file)
        except BaseException:
            connection.close()
            raise
    return connection


def _told_if_earlier(folder: Path) -> str:
    """Return what to add of a folder that is none of ours: whether an earlier version wrote it."""
    is_earlier = (folder / "run.json").is_file() and (folder / "episodes.jsonl").is_file()
    return "; an earlier version wrote this one, which can no longer be used" if is_earlier else ""


def _connected(file: Path) -> sqlite3.Connection:
    """Connect to read; a file that nobody can write beside is read as it is."""
    try:
        return _connected_in(file, "mode=ro")
    except sqlite3.OperationalError:
        # As it is, it lacks what a run that was killed had written beside it.
        beside = file.with_name(f"{FILE}-wal")
        if beside.exists() and beside.stat().st_size:
            why = f"its last episodes are in {beside.name}: to read them the folder must be"
            raise StoreError(f"{file}: {why} one to write in") from None
        return _connected_in(file, "immutable=1")


def _connected_in(file: Path, mode: str) -> sqlite3.Connection:
    connection = sqlite3.connect(
        f"{file.resolve().as_uri()}?{mode}", uri=True, timeout=_BUSY_S, check_same_thread=False
    )
    try:
        connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    except BaseException:
        connection.close()
        raise
    return connection


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """Do all of it or nothing."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:  # a full disk may have rolled it back already
            connection.execute("ROLLBACK")
        raise


def _make_tables(connection: sqlite3.Connection) -> None:
    for statement in _SCHEMA.split(";"):
        connection.execute(statement)
    connection.execute(f"PRAGMA application_id = {_APPLICATION}")
    connection.execute(f"PRAGMA user_version = {VERSION}")


def _check_version(connection: sqlite3.Connection, file: Path) -> None:
    application = connection.execute("PRAGMA application_id").fetchone()[0]
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    if application != _APPLICATION:
        raise ConfigError("run", str(file), "a file that `commonweal compare` wrote")
    if version != VERSION:
        raise ConfigError(f"version of {file}", version, f"{VERSION}, as this version writes it")


class WriterLock:
    """The right to write a run, held until `release` or the end of the process.

    It is SQLite's own lock on an empty file: it works on every system and is gone with its holder.

    Args:
        folder: of the run.
        patience_s: how long to wait for another process to give it up.

    Raises:
        BlockedError: another process holds it.
        StoreError: nobody can hold it, as nothing can be written there.
    """

    def __init__(self, folder: Path, *, patience_s: float = _LOCK_S) -> None:
        with told_plainly(folder / LOCK):
            self._connection = sqlite3.connect(
                folder / LOCK, timeout=patience_s, isolation_level=None, check_same_thread=False
            )
        try:
            self._connection.execute("BEGIN EXCLUSIVE")
        except sqlite3.Error as error:
            self._connection.close()
            if error.sqlite_errorcode == sqlite3.SQLITE_BUSY:
                raise BlockedError(str(folder)) from None
            raise StoreError(f"{folder / LOCK}: {error}") from error

    def release(self) -> None:
        """Let others write."""
        self._connection.close()


class BlockedError(Exception):
    """Another process writes this run."""


def is_being_written(folder: Path) -> bool:
    """Whether some process holds the right to write a run."""
    if not (folder / LOCK).exists():
        return False
    try:
        WriterLock(folder, patience_s=0.0).release()
    except BlockedError:
        return True
    except StoreError:
        return False  # nobody can lock what nobody may write
    return False


def refuse_strangers(path: Path) -> None:
    """Raise where a folder holds files, and no run."""
    ours = {path / FILE, path / LOCK, path / f"{LOCK}-journal"}
    if not (path / FILE).exists() and not ours.issuperset(path.iterdir()):
        allowed = "a new folder, an empty one, or that of an earlier run"
        raise ConfigError("--out", str(path), allowed + _told_if_earlier(path))
