"""`commonweal compare` where nothing, or no more, can be written: one line and no traceback."""

from __future__ import annotations

import mounts
import pytest
from run_folders import num_kept
from stored_episodes import play_alone

from benchmarks.suite import Suite


@pytest.mark.parametrize("resume", [[], ["--resume"]])
def test_a_read_only_folder_is_refused_before_anything_is_played(tiny, command, tmp_path, resume):
    (tmp_path / "run").mkdir()
    with mounts.read_only(tmp_path / "run"):
        code, out, err = command("compare", "tiny", "--out", tmp_path / "run", *resume)
    assert (code, out) == (2, "")
    assert err.count("\n") == 1
    assert "expected a folder to write in" in err


def test_a_run_in_a_read_only_folder_is_exported_replayed_and_not_resumed(tiny, command, tmp_path):
    play_alone(Suite.of(tiny), tmp_path / "run")
    with mounts.read_only(tmp_path / "run"):
        code, out, _ = command("export", tmp_path / "run")
        assert (code, len(out.splitlines())) == (0, 1 + 2 * 3 * 2)
        assert command("replay", tmp_path / "run", "3")[0] == 0
        code, out, err = command("export", tmp_path / "run", "--format", "parquet")
        assert (code, out, err.count("\n")) == (2, "", 1)
        assert "Read-only file system" in err
        code, _, err = command("compare", "tiny", "--out", tmp_path / "run", "--resume")
    assert (code, err.count("\n")) == (2, 1)


def test_a_disk_that_runs_full_ends_the_run_in_one_line_and_resuming_completes_it(
    tiny, command, tmp_path, monkeypatch
):
    monkeypatch.setattr("benchmarks.cleanup.figure.save_figure", lambda *_: None)
    with mounts.small_disk(tmp_path / "disk", size="4m") as disk:
        (disk / "run").mkdir()
        filler = disk / "filler"
        filler.write_bytes(b"x" * 3_980_000)
        words = ("compare", "tiny", "--out", disk / "run", "--episodes", 6, "--json")
        code, out, err = command(*words)
        assert (code, out) == (1, "")
        assert [line for line in err.splitlines() if line.startswith("commonweal: ")] == [
            f"commonweal: {disk / 'run' / 'run.db'}: database or disk is full"
        ]
        assert "Traceback" not in err
        kept = num_kept(disk / "run")
        assert 0 < kept < 2 * 3 * 6
        filler.unlink()
        assert command(*words, "--resume")[0] == 0
        assert num_kept(disk / "run") == 2 * 3 * 6
