"""A run's folder."""

from __future__ import annotations

import json

import pytest

from benchmarks.store import EPISODES, RUN, TABLE, RunFolder
from cleanup_icn import ConfigError


def test_a_folder_is_made_with_its_parents(tmp_path):
    folder = RunFolder(tmp_path / "a" / "b")
    folder.write_json(TABLE, [{"n": 1}])
    assert json.loads((tmp_path / "a" / "b" / TABLE).read_text()) == [{"n": 1}]


def test_a_run_is_complete_only_once_it_says_what_it_was(tmp_path):
    folder = RunFolder(tmp_path)
    assert json.loads((tmp_path / RUN).read_text())["status"] == "running"
    folder.write_run({"suite": "s"})
    about = json.loads((tmp_path / RUN).read_text())
    assert about["status"] == "complete"
    assert {"python", "numpy", "pettingzoo"} <= about["versions"].keys()


def test_a_second_run_replaces_the_files_of_the_first_and_no_others(tmp_path):
    RunFolder(tmp_path).write_episodes([{"episode": 0}])
    (tmp_path / "notes.txt").write_text("mine")
    RunFolder(tmp_path)
    assert not (tmp_path / EPISODES).exists()
    assert (tmp_path / "notes.txt").read_text() == "mine"


@pytest.mark.parametrize("content", [None, "not json", '{"format": "other"}', "[]"])
def test_a_folder_of_something_else_is_left_alone(tmp_path, content):
    (tmp_path / "table.json").write_text("precious")
    if content is not None:
        (tmp_path / RUN).write_text(content)
    with pytest.raises(ConfigError, match="--out"):
        RunFolder(tmp_path)
    assert (tmp_path / "table.json").read_text() == "precious"


def test_a_place_where_nothing_can_be_written_is_refused(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match="a folder to write in"):
        RunFolder(tmp_path / "file" / "run")


def test_a_file_is_written_whole_or_not_at_all(tmp_path):
    folder = RunFolder(tmp_path)

    def broken():
        yield {"episode": 0}
        raise RuntimeError("halfway")

    with pytest.raises(RuntimeError):
        folder.write_episodes(broken())
    assert [file.name for file in tmp_path.iterdir()] == [RUN]
