"""A run's folder: what it keeps, in which order, and what it refuses."""

from __future__ import annotations

import json
import sqlite3
import tempfile
import threading
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from stored_episodes import CELLS, SUITE, all_kept, make_kept, open_folder

from benchmarks.database import FILE, LOCK, StoreError
from benchmarks.drift import DriftError
from benchmarks.store import COMPARISONS, FIGURES, SENSITIVITY, TABLE, RunReader, open_run
from cleanup_icn import ConfigError


def keep_all(path, episodes, *, resume=False):
    with open_folder(path, resume=resume) as folder:
        for kept in episodes:
            folder.keep_episode(kept)


def read_all(path):
    with open_run(path) as reader:
        return list(reader.episodes())


def about(path):
    with open_run(path) as reader:
        return reader.about


def files_in(path):
    return {file.name for file in path.rglob("*") if file.is_file()}


def test_a_folder_is_made_with_its_parents(tmp_path):
    with open_folder(tmp_path / "a" / "b") as folder:
        folder.write_json(TABLE, [{"n": 1}])
    assert json.loads((tmp_path / "a" / "b" / TABLE).read_text()) == [{"n": 1}]


def test_a_run_says_what_is_played_before_it_is_played(tmp_path):
    with open_folder(tmp_path):
        told = about(tmp_path)
    assert (told["status"], told["suite"]) == ("running", SUITE)
    assert {"python", "numpy", "pettingzoo"} <= told["versions"].keys()


@pytest.mark.parametrize(("is_complete", "status"), [(True, "complete"), (False, "stopped")])
def test_a_run_says_how_it_went(is_complete, status, tmp_path):
    with open_folder(tmp_path) as folder:
        folder.write_run({"seconds": 3.0}, is_complete=is_complete)
    told = about(tmp_path)
    assert (told["status"], told["seconds"], told["suite"]) == (status, 3.0, SUITE)
    with open_run(tmp_path) as reader:
        assert reader.is_complete == is_complete


def test_a_resumed_run_tells_of_each_of_its_parts(tmp_path):
    for seconds in (1.0, 2.0, 3.0):
        with open_folder(tmp_path, resume=True) as folder:
            folder.write_run({"seconds": seconds}, is_complete=False)
    told = about(tmp_path)
    assert (told["seconds"], [part["seconds"] for part in told["earlier"]]) == (3.0, [1.0, 2.0])
    assert {part["status"] for part in told["earlier"]} == {"stopped"}


def test_a_finished_run_is_one_file_that_opens_anywhere(tmp_path):
    keep_all(tmp_path, all_kept())
    assert files_in(tmp_path) == {FILE, LOCK}
    with sqlite3.connect(tmp_path / FILE) as plain:
        assert plain.execute("SELECT count(*) FROM episodes").fetchone() == (8,)


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters()),  # half characters too: a model may write them
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=12,
)
numbers = st.floats(allow_nan=False, allow_infinity=False)


@settings(max_examples=30, deadline=None)
@given(
    record=st.dictionaries(st.text(st.characters()), json_values, max_size=4),
    measures=st.dictionaries(st.text(), st.none() | numbers, max_size=4),
    seed=st.integers(0, 2**63 - 1),
    wall_s=numbers,
)
def test_what_is_kept_is_read_back_as_it_was(record, measures, seed, wall_s):
    kept = make_kept(record=record, measures=measures, seed=seed, wall_s=wall_s)
    with tempfile.TemporaryDirectory() as path:
        keep_all(Path(path), [kept])
        assert read_all(Path(path)) == [kept]


@settings(max_examples=12, deadline=None)
@given(st.permutations(all_kept()), st.integers(0, 8))
def test_episodes_are_read_in_the_order_of_tables_whatever_came_first(episodes, killed_after):
    with tempfile.TemporaryDirectory() as path:
        keep_all(Path(path), episodes[:killed_after])
        keep_all(Path(path), episodes[killed_after:], resume=True)
        assert read_all(Path(path)) == all_kept()
        with open_run(Path(path)) as reader:
            assert [kept.row for kept in all_kept()] == list(reader.rows())
            assert [reader.episode(k) for k in range(len(reader))] == all_kept()
            assert list(reader.rows(CELLS[1])) == [k.row for k in all_kept()[3:6]]
            assert list(reader.episodes(CELLS[2])) == all_kept()[6:]


def test_keeping_an_episode_again_changes_nothing(tmp_path):
    keep_all(tmp_path, [make_kept(), make_kept(record={"other": 1}, malformed=9)])
    keep_all(tmp_path, [make_kept(record={"other": 2})], resume=True)
    assert read_all(tmp_path) == [make_kept()]


def test_several_threads_keep_their_episodes_in_one_run(tmp_path):
    with open_folder(tmp_path) as folder:
        threads = [
            threading.Thread(target=folder.keep_episode, args=(kept,)) for kept in all_kept()
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert read_all(tmp_path) == all_kept()


@pytest.mark.parametrize("number", [-1, 8, 100])
def test_there_is_no_episode_of_another_number(number, tmp_path):
    keep_all(tmp_path, all_kept())
    with open_run(tmp_path) as reader, pytest.raises(ConfigError, match="below 8"):
        reader.episode(number)


def test_a_run_is_read_while_it_is_written(tmp_path):
    first, second, *_ = all_kept()
    with open_folder(tmp_path) as folder:
        folder.keep_episode(first)
        with open_run(tmp_path) as reader:
            under_way = reader.episodes()
            assert next(under_way) == first
            folder.keep_episode(second)
            assert list(under_way) == []  # it began before the second was there
            assert list(reader.episodes()) == [first, second]
            assert reader.cells() == CELLS
        assert (tmp_path / f"{FILE}-wal").exists()


def test_who_reads_on_keeps_a_run_from_nothing(tmp_path):
    with open_folder(tmp_path) as folder:
        folder.keep_episode(make_kept())
        reader = open_run(tmp_path)
        under_way = reader.episodes()
        next(under_way)
    assert read_all(tmp_path) == [make_kept()]
    reader.close()


def test_a_second_run_replaces_the_files_of_the_first_and_no_others(tmp_path):
    keep_all(tmp_path, all_kept())
    ours = (TABLE, COMPARISONS, SENSITIVITY, *FIGURES, "figure-a.svg")
    exported = ("episodes.parquet", "turns.parquet")
    for name in (*ours, *exported, "notes.txt"):
        (tmp_path / name).write_text("mine")
    for place in ("ppo/a/none/policy.zip", "ppo/a/none/last.json", "trained/x/seed-1/policy.zip"):
        (tmp_path / place).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / place).write_text("weights")
    other = {**SUITE, "name": "other"}
    with open_folder(tmp_path, other):
        assert read_all(tmp_path) == []
        assert about(tmp_path)["suite"] == other
    assert files_in(tmp_path) == {FILE, LOCK, "notes.txt"}


def test_a_run_that_is_killed_while_it_replaces_another_is_not_resumed_with_its_checkpoints(
    tmp_path, monkeypatch
):
    keep_all(tmp_path, all_kept())
    checkpoint = tmp_path / "ppo" / "a" / "none" / "policy.zip"
    checkpoint.parent.mkdir(parents=True)
    checkpoint.write_text("weights of the first run")

    def killed(*_, **__):
        raise SystemExit

    other = {**SUITE, "name": "other"}
    with monkeypatch.context() as patched:
        patched.setattr(Path, "unlink", killed)
        with pytest.raises(SystemExit):
            open_folder(tmp_path, other)
    with open_run(tmp_path) as reader, pytest.raises(ConfigError, match="a run that has begun"):
        _ = reader.about
    with open_folder(tmp_path, other, resume=True):
        assert not checkpoint.exists()
        assert read_all(tmp_path) == []


@pytest.mark.parametrize("status", ["running", "stopped", "complete"])
def test_a_run_is_resumed_with_all_that_it_has(status, tmp_path):
    with open_folder(tmp_path) as folder:
        folder.keep_episode(make_kept())
        if status != "running":
            folder.write_run({}, is_complete=status == "complete")
    checkpoint = tmp_path / "ppo" / "a" / "none" / "policy.zip"
    checkpoint.parent.mkdir(parents=True)
    checkpoint.write_text("weights")
    keep_all(tmp_path, [make_kept(episode=1)], resume=True)
    assert read_all(tmp_path) == [make_kept(), make_kept(episode=1)]
    assert checkpoint.exists()
    assert about(tmp_path)["earlier"][0]["status"] == status


@pytest.mark.parametrize("make", [lambda path: path / "new", lambda path: path])
def test_resuming_where_there_is_no_run_begins_one(make, tmp_path):
    with open_folder(make(tmp_path), resume=True) as folder, folder.reader() as reader:
        assert len(reader) == 0
        assert reader.about["suite"] == SUITE


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"name": "t"}, ["name = 't'"]),
        ({"models": {"m": {"style": "social", "max_tokens": 512}}}, ["models.m.style = 'social'"]),
        (
            {"arenas": [{"name": "a", "policies": ["p"], "seed": 1}], "judge": {"model": "m"}},
            ["arenas[0].policies = ['p']", "arenas[0].seed = 1", "judge = {'model': 'm'}"],
        ),
        ({"models": {}}, ["models.m = None"]),
    ],
)
def test_a_run_of_something_else_is_not_resumed_and_not_touched(change, named, tmp_path):
    keep_all(tmp_path, [make_kept()])
    before = (about(tmp_path), read_all(tmp_path), files_in(tmp_path))
    with pytest.raises(DriftError, match="--resume") as refused:
        open_folder(tmp_path, {**SUITE, **change}, resume=True)
    lines = str(refused.value).splitlines()
    assert len(lines) == len(named)
    for line, name in zip(lines, named, strict=True):
        assert line.startswith(f"--resume with {name}: expected ")
        assert str(tmp_path) in line
    assert (about(tmp_path), read_all(tmp_path), files_in(tmp_path)) == before
    keep_all(tmp_path, [make_kept(episode=1)], resume=True)  # nobody holds it any more


def test_what_reads_the_same_in_json_is_the_same_run(tmp_path):
    with open_folder(tmp_path, {"policies": ("p", "q")}):
        pass
    with open_folder(tmp_path, {"policies": ["p", "q"]}, resume=True):
        assert about(tmp_path)["suite"] == {"policies": ["p", "q"]}


@pytest.mark.parametrize("resume", [False, True])
def test_a_folder_of_something_else_is_left_alone(resume, tmp_path):
    (tmp_path / "table.json").write_text("precious")
    with pytest.raises(ConfigError, match=r"--out = .*: expected a new folder"):
        open_folder(tmp_path, resume=resume)
    assert files_in(tmp_path) == {"table.json"}


@pytest.mark.parametrize("resume", [False, True])
def test_a_run_of_an_earlier_version_is_refused_as_such(resume, tmp_path):
    (tmp_path / "run.json").write_text("{}")
    (tmp_path / "episodes.jsonl").write_text("")
    with pytest.raises(ConfigError, match="an earlier version wrote this one"):
        open_folder(tmp_path, resume=resume)
    with pytest.raises(ConfigError, match="an earlier version wrote this one"):
        open_run(tmp_path)
    assert files_in(tmp_path) == {"run.json", "episodes.jsonl"}


def test_a_folder_without_a_run_cannot_be_read_and_stays_as_it_is(tmp_path):
    with pytest.raises(ConfigError, match="a folder of a run"):
        open_run(tmp_path)
    with pytest.raises(ConfigError, match="a folder of a run"):
        open_run(tmp_path / "nowhere")
    assert list(tmp_path.iterdir()) == []


def test_a_place_where_nothing_can_be_written_is_refused(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match="a folder to write in") as refused:
        open_folder(tmp_path / "file" / "run")
    assert "\n" not in str(refused.value)


def damage(path, table, column, value):
    with sqlite3.connect(path / FILE) as plain:
        plain.execute(f"UPDATE {table} SET {column} = ?", (value,))


@pytest.mark.parametrize(
    ("table", "column", "value"),
    [
        ("records", "record", b"no zlib"),
        ("records", "record", b""),
        ("episodes", "measures", "{"),
    ],
)
def test_a_damaged_episode_is_one_error_that_names_the_file(table, column, value, tmp_path):
    keep_all(tmp_path, [make_kept()])
    damage(tmp_path, table, column, value)
    with RunReader(tmp_path) as reader:
        with pytest.raises(StoreError, match=FILE) as read_all_of_it:
            list(reader.episodes())
        with pytest.raises(StoreError, match=FILE):
            reader.episode(0)
    assert "\n" not in str(read_all_of_it.value)


def test_a_run_whose_own_words_are_damaged_is_neither_read_nor_resumed(tmp_path):
    keep_all(tmp_path, [make_kept()])
    damage(tmp_path, "about", "value", "{")
    with open_run(tmp_path) as reader, pytest.raises(StoreError, match=FILE):
        _ = reader.about
    with pytest.raises(StoreError, match=FILE):
        open_folder(tmp_path, resume=True)


def test_a_file_is_written_whole_or_not_at_all(tmp_path):
    with open_folder(tmp_path) as folder:
        folder.write_json(TABLE, [1])
        with pytest.raises(TypeError):
            folder.write_json(TABLE, [2, object()])
    assert json.loads((tmp_path / TABLE).read_text()) == [1]
    assert files_in(tmp_path) == {FILE, LOCK, TABLE}


def test_a_reader_tells_which_cells_of_an_arena_have_an_episode(tmp_path):
    keep_all(tmp_path, [make_kept(CELLS[0]), make_kept(CELLS[0], 1)])
    with open_run(tmp_path) as reader:
        assert reader.kept_cells(CELLS[0].arena) == {(CELLS[0].policy, CELLS[0].contract)}
        assert reader.kept_cells("nowhere") == set()
