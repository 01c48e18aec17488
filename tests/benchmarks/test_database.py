"""The file of a run between processes: who writes, who reads, and when there is no room."""

from __future__ import annotations

import os
import shutil
import signal
import sqlite3
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

import mounts
import pytest
from stored_episodes import CELLS, all_kept, make_kept, open_folder

from benchmarks import database
from benchmarks.database import (
    FILE,
    LOCK,
    VERSION,
    BlockedError,
    StoreError,
    WriterLock,
    is_being_written,
    open_to_write,
)
from benchmarks.store import open_run
from cleanup_icn import ConfigError

HERE = Path(__file__).parent
ROOT = HERE.parents[1]

HOLDER = """
import sys
from pathlib import Path
from stored_episodes import make_kept, open_folder
folder = open_folder(Path(sys.argv[1]))
folder.keep_episode(make_kept())
print("ready", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def writer(tmp_path):
    """Another process that has begun a run and kept one episode of it."""
    path = os.pathsep.join([str(ROOT), str(HERE)])
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(tmp_path / "run")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": path},
    )
    assert process.stdout.readline() == "ready\n"
    yield process
    process.kill()
    process.communicate()


@pytest.mark.parametrize("resume", [False, True])
def test_a_run_that_another_process_writes_is_refused_in_one_line(resume, writer, tmp_path):
    assert is_being_written(tmp_path / "run")
    with pytest.raises(ConfigError, match="no other process is writing") as refused:
        open_folder(tmp_path / "run", resume=resume)
    assert "\n" not in str(refused.value)
    with open_run(tmp_path / "run") as reader:
        assert list(reader.episodes()) == [make_kept()]


def test_what_a_killed_process_had_kept_is_there_and_the_run_is_free(writer, tmp_path):
    writer.send_signal(signal.SIGKILL)
    writer.wait()
    assert not is_being_written(tmp_path / "run")
    with open_run(tmp_path / "run") as reader:
        assert list(reader.episodes()) == [make_kept()]
    with open_folder(tmp_path / "run", resume=True) as folder:
        folder.keep_episode(make_kept(episode=1))
    with open_run(tmp_path / "run") as reader:
        assert list(reader.episodes()) == [make_kept(), make_kept(episode=1)]


def test_one_process_does_not_open_a_run_twice_either(tmp_path):
    with open_folder(tmp_path), pytest.raises(ConfigError, match="no other process"):
        open_folder(tmp_path)
    assert not is_being_written(tmp_path)


def test_who_asks_whether_a_run_is_written_takes_nothing_from_its_writer(tmp_path):
    assert not is_being_written(tmp_path)
    assert not (tmp_path / LOCK).exists()
    with open_folder(tmp_path) as folder:
        assert is_being_written(tmp_path)
        folder.keep_episode(make_kept())
        with pytest.raises(BlockedError):
            WriterLock(tmp_path)


def test_a_file_of_another_version_is_neither_read_nor_written(tmp_path):
    with open_folder(tmp_path):
        pass
    with sqlite3.connect(tmp_path / FILE) as plain:
        plain.execute(f"PRAGMA user_version = {VERSION + 1}")
    before = (tmp_path / FILE).read_bytes()
    for open_it in (open_run, open_folder, lambda path: open_folder(path, resume=True)):
        with pytest.raises(ConfigError, match=f"version of .*{FILE} = {VERSION + 1}: expected"):
            open_it(tmp_path)
    assert (tmp_path / FILE).read_bytes() == before


def test_somebody_elses_database_is_left_as_it_is(tmp_path):
    with sqlite3.connect(tmp_path / FILE) as plain:
        plain.execute("CREATE TABLE precious (x)")
    before = (tmp_path / FILE).read_bytes()
    for open_it in (open_run, open_folder):
        with pytest.raises(ConfigError, match="commonweal compare"):
            open_it(tmp_path)
    assert (tmp_path / FILE).read_bytes() == before


@pytest.mark.parametrize("content", [b"not a database at all" * 100, b"SQLite format 3\x00" * 50])
def test_a_file_that_is_no_database_is_one_error_that_names_it(content, tmp_path):
    (tmp_path / FILE).write_bytes(content)
    with pytest.raises(StoreError, match=FILE) as read:
        open_run(tmp_path)
    with pytest.raises(ConfigError, match=FILE) as written:
        open_folder(tmp_path)
    assert "\n" not in f"{read.value}{written.value}"
    assert (tmp_path / FILE).read_bytes() == content


def test_a_file_that_was_cut_short_is_one_error(tmp_path):
    with open_folder(tmp_path) as folder:
        for kept in all_kept():
            folder.keep_episode(kept)
    whole = (tmp_path / FILE).read_bytes()
    (tmp_path / FILE).write_bytes(whole[: len(whole) // 2])
    with pytest.raises(StoreError, match="malformed"), open_run(tmp_path) as reader:
        list(reader.episodes())


def test_a_run_whose_file_was_never_written_to_is_begun_again(tmp_path):
    (tmp_path / FILE).touch()
    (tmp_path / LOCK).touch()
    with open_folder(tmp_path, resume=True) as folder:
        folder.keep_episode(make_kept())
    with open_run(tmp_path) as reader:
        assert len(reader) == 1


def test_an_episode_for_which_there_is_no_room_is_one_error_and_all_others_stay(tmp_path):
    folder = open_folder(tmp_path)
    pages = folder._connection.execute("PRAGMA page_count").fetchone()[0]
    folder._connection.execute(f"PRAGMA max_page_count = {pages + 2}")
    folder.keep_episode(make_kept())
    big = make_kept(episode=1, record={"x": os.urandom(60_000).hex()})
    for _ in range(2):  # the second as clearly as the first
        with pytest.raises(StoreError, match=rf"{FILE}: .*full") as full:
            folder.keep_episode(big)
        assert "\n" not in str(full.value)
    folder.keep_episode(make_kept(episode=2))
    folder.close()
    with open_run(tmp_path) as reader:
        assert list(reader.episodes()) == [make_kept(), make_kept(episode=2)]


@pytest.fixture
def small_disk(tmp_path):
    """A disk of 400 kB."""
    with mounts.small_disk(tmp_path / "disk", size="400k") as disk:
        yield disk


@pytest.fixture
def read_only():
    """Make a folder one that not even root can write to."""
    with ExitStack() as mounted:
        yield lambda folder: mounted.enter_context(mounts.read_only(folder))


def test_a_full_disk_is_one_error_and_what_was_kept_is_read_and_resumed(small_disk, tmp_path):
    noise = [make_kept(CELLS[0], k, record={"x": os.urandom(20_000).hex()}) for k in range(3)]
    with open_folder(small_disk / "run") as folder:
        folder.keep_episode(noise[0])
        room = small_disk / "filler"
        with pytest.raises(OSError, match="No space"):
            room.write_bytes(b"x" * 400_000)
        with pytest.raises(StoreError, match=FILE) as full:
            folder.keep_episode(noise[1])
    assert "\n" not in str(full.value)
    with open_run(small_disk / "run") as reader:
        assert list(reader.episodes()) == noise[:1]
    room.unlink()
    with open_folder(small_disk / "run", resume=True) as folder:
        folder.keep_episode(noise[2])
    with open_run(small_disk / "run") as reader:
        assert list(reader.episodes()) == [noise[0], noise[2]]


def test_a_full_disk_refuses_a_new_run_in_one_line(small_disk):
    with pytest.raises(OSError, match="No space"):
        (small_disk / "filler").write_bytes(b"x" * 500_000)
    with pytest.raises(ConfigError, match="a folder to write in") as refused:
        open_folder(small_disk / "run")
    assert "\n" not in str(refused.value)


def test_a_read_only_folder_is_refused_to_writers_and_open_to_readers(read_only, tmp_path):
    with open_folder(tmp_path / "run") as folder:
        folder.keep_episode(make_kept())
    read_only(tmp_path / "run")
    assert not is_being_written(tmp_path / "run")
    with open_run(tmp_path / "run") as reader:
        assert list(reader.episodes()) == [make_kept()]
    for resume in (False, True):
        with pytest.raises(ConfigError, match="a folder to write in") as refused:
            open_folder(tmp_path / "run", resume=resume)
        assert "\n" not in str(refused.value)


def test_a_run_that_somebody_read_to_its_end_is_read_from_a_read_only_folder_too(
    read_only, tmp_path
):
    with open_folder(tmp_path / "run") as folder:
        folder.keep_episode(make_kept())
        reader = open_run(tmp_path / "run")
        under_way = reader.rows()
        next(under_way)
    under_way.close()
    reader.close()
    with sqlite3.connect(tmp_path / "run" / FILE) as plain:
        assert plain.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    plain.close()
    for name in (f"{FILE}-wal", f"{FILE}-shm"):
        (tmp_path / "run" / name).unlink(missing_ok=True)
    read_only(tmp_path / "run")
    with open_run(tmp_path / "run") as reader:
        assert list(reader.episodes()) == [make_kept()]


def test_a_read_only_place_has_no_room_for_a_run(read_only, tmp_path):
    (tmp_path / "place").mkdir()
    read_only(tmp_path / "place")
    with pytest.raises(ConfigError, match=r"a folder to write in \(Read-only"):
        open_folder(tmp_path / "place" / "run")


def test_episodes_of_a_killed_run_are_never_left_out_in_silence(writer, read_only, tmp_path):
    writer.send_signal(signal.SIGKILL)
    writer.wait()
    assert (tmp_path / "run" / f"{FILE}-wal").stat().st_size
    copied = tmp_path / "copied"
    copied.mkdir()
    for name in (FILE, f"{FILE}-wal"):
        shutil.copy(tmp_path / "run" / name, copied / name)
    for folder in (tmp_path / "run", copied):
        read_only(folder)
    with open_run(tmp_path / "run") as reader:
        assert list(reader.episodes()) == [make_kept()]
    with pytest.raises(StoreError, match=f"{FILE}-wal: to read them"):
        open_run(copied)


def test_a_file_is_opened_once_its_tables_are_whole(tmp_path, monkeypatch):
    def killed(*_):
        raise SystemExit

    with monkeypatch.context() as patched:
        patched.setattr(database, "_make_tables", killed)
        with pytest.raises(SystemExit):
            open_to_write(tmp_path)
    open_to_write(tmp_path).close()
    with open_run(tmp_path) as reader:
        assert len(reader) == 0
