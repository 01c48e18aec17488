"""The study as it is played: kept, interrupted, gone on with, summed up."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from benchmarks.compare import open_folder
from benchmarks.executors.local import InProcess
from benchmarks.model_config import JudgeSpec
from benchmarks.store import open_run
from benchmarks.study import play as playing
from benchmarks.study import summary
from benchmarks.study.play import play_study
from benchmarks.study.suite import study_suite

LISTS = ("rows", "critical_magnitudes", "stale", "gains", "regions", "courses")


class GivesUp(InProcess):
    """Is interrupted after so many episodes."""

    def __init__(self, after):
        self._left = after

    def perform(self, tasks, *, folder, report, keep):
        def keep_or_give_up(kept):
            if not self._left:
                raise KeyboardInterrupt
            self._left -= 1
            keep(kept)

        super().perform(tasks, folder=folder, report=report, keep=keep_or_give_up)


@pytest.fixture
def play(small_suite, tmp_path, monkeypatch):
    monkeypatch.setattr(playing, "save_figures", lambda _study, folder: [folder / "course.svg"])

    def run(name, executor=None, **values):
        with open_folder(tmp_path / name, small_suite, **values) as folder:
            return play_study(
                small_suite,
                size="quick",
                folder=folder,
                executor=executor or InProcess(),
                num_workers=0,
            )

    return run


def test_an_interrupted_study_goes_on_to_the_same_rows(play, tmp_path):
    whole = play("whole")
    with pytest.raises(KeyboardInterrupt):
        play("parts", GivesUp(after=7))
    with open_run(tmp_path / "parts") as reader:
        assert len(reader) == 7
    assert not (tmp_path / "parts" / "study.json").exists()
    resumed = play("parts", resume=True)
    assert resumed.played.missing == whole.played.missing == 0
    assert {name: resumed.study[name] for name in LISTS} == {
        name: whole.study[name] for name in LISTS
    }
    kept = json.loads((tmp_path / "parts" / "study.json").read_text())
    assert (kept["rows"], kept["n"]) == (whole.study["rows"], whole.study["n"])
    with open_run(tmp_path / "parts") as reader:
        assert reader.is_complete
        assert len(reader) == whole.study["n"]


def test_a_new_run_leaves_nothing_of_the_one_before(play, tmp_path):
    play("run")
    (tmp_path / "run" / "notes.txt").write_text("mine")
    with pytest.raises(KeyboardInterrupt):
        play("run", GivesUp(after=0))
    left = {file.name for file in (tmp_path / "run").iterdir()}
    assert left.isdisjoint({"study.json", "regions.json", "course.svg"})
    assert "notes.txt" in left


def test_a_served_model_plays_and_judges_where_the_stub_would(
    tmp_path, monkeypatch, models_of, fake_model
):
    monkeypatch.setattr(playing, "save_figures", lambda _study, _folder: [])
    monkeypatch.setattr(summary, "kept_regions", lambda *_, **__: [])
    models = replace(models_of("m"), judge=JudgeSpec(model="m", every_steps=25))
    suite = study_suite("quick", groups=["learned"], models=models)
    suite = suite.with_run(num_episodes=1, seed=None)
    with open_folder(tmp_path / "run", suite) as folder:
        studied = play_study(
            suite,
            size="quick",
            folder=folder,
            executor=InProcess(),
            clients={"m": fake_model()},
        )
    rows = studied.study["rows"]
    assert studied.played.missing == 0
    assert {row["policy"] for row in rows} == {"m"}
    assert [row["judge"] for row in rows if row["fate"] == "renegotiated"] == [
        "change-only",
        "model",
    ]
