"""Checkpoints as bytes and back."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.executors.shipping import lay_out, read_files, read_folder

NAMES = st.lists(
    st.sampled_from(["policy.zip", "policy.json", "last.zip", "seat-0/best.json", "events.0"]),
    min_size=1,
    unique=True,
)


@given(names=NAMES, content=st.binary(max_size=50))
def test_what_is_laid_out_is_read_again(names, content, tmp_path_factory):
    run = tmp_path_factory.mktemp("run")
    files = {f"ppo/arena/fixed/{name}": content + name.encode() for name in names}
    lay_out(files, run=run)
    assert read_folder(run / "ppo" / "arena", run=run) == files
    assert read_files([run / name for name in files], run=run) == files


def test_a_folder_that_is_not_there_has_no_files(tmp_path):
    assert read_folder(tmp_path / "nothing", run=tmp_path) == {}


def test_drafts_that_a_killed_writer_left_are_not_sent(tmp_path):
    (tmp_path / ".last.zip").write_bytes(b"half")
    (tmp_path / "last.zip").write_bytes(b"whole")
    assert read_folder(tmp_path, run=tmp_path) == {"last.zip": b"whole"}


@pytest.mark.parametrize("broken_at", range(4))
def test_a_checkpoint_counts_as_finished_only_when_all_of_it_is_there(
    broken_at, tmp_path, monkeypatch
):
    names = ["a/last.json", "a/last.zip", "a/policy.json", "a/policy.zip"]
    moved = []

    def replace(source, target, really=os.replace):
        if len(moved) == broken_at:
            raise KeyboardInterrupt
        really(source, target)
        moved.append(Path(target).name)

    monkeypatch.setattr(os, "replace", replace)
    with pytest.raises(KeyboardInterrupt):
        lay_out(dict.fromkeys(names, b"x"), run=tmp_path)
    assert moved == ["last.json", "last.zip", "policy.zip", "policy.json"][:broken_at]
    assert not (tmp_path / "a" / "policy.json").exists()
    assert {path.read_bytes() for path in (tmp_path / "a").glob("[!.]*")} <= {b"x"}
