"""`commonweal lessons`: a run like any other, and what is told of it."""

from __future__ import annotations

import json

import pytest

from benchmarks.store import open_run


def play(command, out, *more, episodes=6, seed=0):
    return command(
        "lessons", "cleanup", "--out", out, "--episodes", episodes, "--seed", seed,
        "--workers", 0, *more,
    )  # fmt: skip


def rows_of(out):
    """The episodes of a run without their times."""
    with open_run(out) as reader:
        return {row.key: (row.seed, dict(row.measures)) for row in reader.rows()}


def test_lessons_are_played_into_a_whole_run_and_told_as_json(command, tmp_path):
    out = tmp_path / "lessons"
    code, printed, _ = play(command, out, "--json")
    assert code == 0
    told = json.loads(printed)
    assert told.pop("seconds") >= 0
    assert told == {"episodes": 6, "arenas": 6, "out": str(out)}
    with open_run(out) as reader:
        assert reader.is_complete
        assert len(reader) == 6
        assert reader.about["suite"]["name"] == "lessons-cleanup"
        assert reader.about["command"] is not None


def test_what_was_played_is_told_by_table_and_so_is_the_next_command(command, tmp_path):
    code, printed, remarks = play(command, tmp_path / "run")
    assert code == 0
    assert all(name in printed for name in ("division-of-labour", "teacher-agent_1", "wavering"))
    assert all(name in printed for name in ("episodes", "welfare", "efficiency"))
    assert "6 episodes in 6 worlds or games" in remarks
    assert f"commonweal dataset {tmp_path / 'run'} --relabel division-of-labour" in remarks


def test_the_same_seed_plays_the_same_lessons_and_another_one_others(command, tmp_path):
    for name, seed in (("first", 1), ("again", 1), ("other", 2)):
        assert play(command, tmp_path / name, seed=seed, episodes=3)[0] == 0
    first, again, other = (rows_of(tmp_path / name) for name in ("first", "again", "other"))
    assert first == again
    assert {seed for seed, _ in first.values()}.isdisjoint(seed for seed, _ in other.values())


def test_lessons_are_played_again_from_their_records_and_exported(command, tmp_path):
    assert play(command, tmp_path / "run", episodes=4)[0] == 0
    code, printed, _ = command("replay", tmp_path / "run", "--json")
    assert code == 0
    assert [one["difference"] for one in json.loads(printed)] == [None] * 4
    code, printed, _ = command("export", tmp_path / "run", "--what", "turns", "--json")
    assert code == 0
    assert len(json.loads(printed)) > 4 * 2 * 49


def test_a_run_that_was_whole_is_resumed_without_playing(command, tmp_path):
    assert play(command, tmp_path / "run", episodes=3)[0] == 0
    with open_run(tmp_path / "run") as reader:
        kept = list(reader.rows())
    code, printed, _ = play(command, tmp_path / "run", "--resume", "--json", episodes=3)
    assert code == 0
    assert json.loads(printed)["episodes"] == 3
    with open_run(tmp_path / "run") as reader:
        assert list(reader.rows()) == kept  # times included


def test_the_lessons_can_be_listed(command, monkeypatch):
    from benchmarks.teaching import lessons as registry

    of_cleanup = {name: registry.LESSONS[name] for name in registry.CLEANUP}
    monkeypatch.setattr(registry, "LESSONS", of_cleanup)
    code, printed, _ = command("lessons", "--list", "--json")
    assert code == 0
    told = json.loads(printed)
    assert [each["name"] for each in told] == list(of_cleanup)
    assert all(each["teacher"] and each["description"] for each in told)


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (("lessons", "chess", "--out", "x"), "lessons = 'chess': expected one of cleanup"),
        (("lessons", "--out", "x"), "NAME"),
        (("lessons", "cleanup"), "--out"),
        (("lessons", "cleanup", "--out", "x", "--episodes", "0"), "--episodes"),
        (("lessons", "cleanup", "--out", "x", "--seed", "-1"), "--seed"),
    ],
)
def test_wrong_usage_is_refused_in_one_line_and_nothing_is_made(
    command, tmp_path, monkeypatch, arguments, problem
):
    monkeypatch.chdir(tmp_path)
    code, _, remarks = command(*arguments)
    assert code == 2
    assert problem in remarks
    assert list(tmp_path.iterdir()) == []
