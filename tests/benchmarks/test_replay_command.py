"""`commonweal replay`: what it says of records that are whole, changed, or of another version."""

from __future__ import annotations

import json
import sqlite3
import zlib
from dataclasses import replace

import pytest
from stored_episodes import play_alone

from benchmarks.database import FILE
from benchmarks.model_config import Table
from benchmarks.store import open_run
from benchmarks.suite import Suite
from benchmarks.suite_file import suite_named

DRY = """
[clients.dry]
kind = "stub"
[models.m]
client = "dry"
model = "none"
[judge]
model = "m"
"""


@pytest.fixture
def played(tiny, command, tmp_path, monkeypatch):
    """A run of a script and of a model that also judges; returns its folder."""
    monkeypatch.setattr("benchmarks.cleanup.figure.save_figure", lambda *_: None)
    (tmp_path / "models.toml").write_text(DRY)
    options = ("--models", tmp_path / "models.toml", "--episodes", "1")
    assert command("compare", "tiny", "--out", tmp_path / "run", *options)[0] == 0
    return tmp_path / "run"


@pytest.fixture
def replay(command, played):
    """Replay the run; returns the exit code, the episodes and the lines said on stderr."""

    def run(*arguments):
        code, out, err = command("replay", played, *arguments, "--json")
        return code, json.loads(out) if out else None, err.splitlines()

    return run


def edit_cell(run, query, edit):
    """Change one value of a run's file that the query finds: ``(id, value)`` by table and name."""
    table, key, column = query
    with sqlite3.connect(run / FILE) as plain:
        found = f"SELECT {key}, {column} FROM {table}"
        *_, (where, value) = plain.execute(f"{found} ORDER BY {key}")
        changed = f"UPDATE {table} SET {column} = ? WHERE {key} = ?"
        plain.execute(changed, (edit(value), where))


@pytest.fixture
def change(played):
    """Change the record of the model's episode under the judge, the last."""

    def apply(edit):
        def of_bytes(value):
            record = json.loads(zlib.decompress(value))
            edit(record)
            return zlib.compress(json.dumps(record).encode())

        edit_cell(played, ("records", "id", "record"), of_bytes)

    return apply


def test_a_run_that_was_left_alone_is_the_same_in_everything(replay):
    code, episodes, said = replay()
    assert (code, said) == (0, [])
    assert [one["number"] for one in episodes] == list(range(7))
    assert [one["policy"] for one in episodes] == ["all-harvest"] * 3 + ["m"] * 4
    assert {one["difference"] for one in episodes} == {None}


def test_one_episode_can_be_replayed_by_its_number(replay):
    _, (episode,), _ = replay("6")
    assert (episode["number"], episode["policy"]) == (6, "m")
    assert episode["contract"] == "icn-model-judge"
    code, _, (said,) = replay("7")
    assert code == 2
    assert "a number from 0, below 7" in said


def test_a_folder_without_a_run_is_refused_in_one_line(command, tmp_path):
    code, out, err = command("replay", tmp_path)
    assert (code, out) == (2, "")
    assert err.count("\n") == 1
    assert FILE in err


def set_reward(record):
    record["steps"][4]["game_rewards"][1] += 0.5


def set_transfer(record):
    record["steps"][-1]["transfers"][0] += 0.5


def set_answer(record):
    record["steps"][4]["calls"][1][0]["text"] = "Action: dance"


def set_question(record):
    record["steps"][4]["calls"][1][0]["prompt_key"] = "0" * 16


def drop_answer(record):
    record["steps"][-1]["calls"][0] = []


def set_verdict(record):
    record["judge_calls"][0]["text"] = "Decision: dance"


@pytest.mark.parametrize(
    "edit", [set_reward, set_transfer, set_answer, set_question, drop_answer, set_verdict]
)
def test_a_record_that_was_changed_is_named(edit, change, replay):
    change(edit)
    code, episodes, (said,) = replay()
    assert code == 1
    assert [one["difference"] is None for one in episodes] == [True] * 6 + [False]
    assert said.startswith(
        "commonweal: tiny, m, icn-model-judge, episode 0 (number 6) is not what was recorded: "
    )


def test_a_measure_that_was_changed_is_named(played, replay):
    def edit(told):
        return json.dumps({**json.loads(told), "welfare": 999.0})

    edit_cell(played, ("episodes", "id", "measures"), edit)
    code, episodes, (said,) = replay()
    assert code == 1
    assert "row.measures.welfare: 999.0 was recorded, now " in said
    assert [one["difference"] is None for one in episodes].count(False) == 1


@pytest.mark.parametrize(
    ("edit", "told"),
    [
        (lambda record: record.pop("steps"), "'steps'"),
        (lambda record: record.pop("policy"), "'policy'"),
        (lambda record: record.update(policy="nobody"), "'nobody'"),
        (lambda record: record.update(contract="none such"), "'none such'"),
    ],
)
def test_what_is_no_record_of_this_version_is_refused_in_one_line(edit, told, change, replay):
    change(edit)
    code, episodes, (said,) = replay()
    assert (code, episodes) == (2, None)
    assert told in said


@pytest.mark.parametrize(
    ("edit", "told"),
    [
        (lambda arena: arena.pop("seed"), "seed"),
        (lambda arena: arena["models"]["m"].update(wisdom=3), "wisdom"),
        (lambda arena: arena.update(name="gone"), "'tiny'"),
        (lambda arena: arena["scenario"]["config"].update(fruit_max=-1), "fruit_max"),
    ],
)
def test_a_suite_of_another_version_is_refused_in_one_line(edit, told, played, replay):
    with open_run(played) as reader:
        suite = reader.about["suite"]
    edit(suite["arenas"][0])
    with sqlite3.connect(played / FILE) as plain:
        plain.execute("UPDATE about SET value = ? WHERE name = 'suite'", (json.dumps(suite),))
    code, episodes, (said,) = replay()
    assert (code, episodes) == (2, None)
    assert told in said


def test_seats_among_partners_and_tables_of_several_games_are_replayed(
    command, tiny_suite, tmp_path
):
    seated = replace(
        tiny_suite,
        name="seated",
        policies=("stub-erratic", "mixed"),
        shown_policy="mixed",
        seat="agent_1",
        partners="contract-follower",
        lineups=(Table(name="mixed", everyone="random", seats={"agent_0": "all-harvest"}),),
        num_episodes=1,
    )
    talks = replace(
        suite_named("negotiation-smoke").arenas[0],
        name="talks",
        policies=("stub-erratic", "conceder"),
        shown_policy="conceder",
        num_episodes=1,
    )
    suite = Suite(name="both", description="", arenas=(seated, talks))
    play_alone(suite, tmp_path / "run")
    code, out, err = command("replay", tmp_path / "run", "--json")
    replayed = json.loads(out)
    assert (code, err) == (0, "")
    assert [one["arena"] for one in replayed] == ["seated"] * 6 + ["talks"] * 12
    assert {one["difference"] for one in replayed} == {None}
