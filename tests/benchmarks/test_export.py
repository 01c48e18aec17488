"""`commonweal export`: rows, their order, their types, and what is not in them."""

from __future__ import annotations

import csv
import io
import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from stored_episodes import make_kept, play_alone

from benchmarks import export_files
from benchmarks.compare import open_folder, planned_cells
from benchmarks.database import FILE
from benchmarks.export import TIMES, RunRows, columns_of
from benchmarks.export_words import action_in_words
from benchmarks.model_config import Table
from benchmarks.store import RunFolder, open_run
from benchmarks.suite import Suite
from benchmarks.suite_file import suite_named
from cleanup_icn.contracts import Contract, Wage

pq = pytest.importorskip("pyarrow.parquet")

ROOT = Path(__file__).parents[2]
COMMON = ["number", "arena", "game", "world", "contract", "policy", "training_seed", "episode"]
TALKS = replace(
    suite_named("negotiation-smoke").arenas[0],
    name="talks",
    policies=("stub-erratic", "conceder"),
    shown_policy="conceder",
    num_episodes=1,
)


@pytest.fixture(scope="module")
def suite(tiny_suite):
    """Two games; in one of them a policy sits among partners."""
    river = replace(
        tiny_suite,
        name="river",
        policies=("stub-erratic", "among"),
        shown_policy="stub-erratic",
        lineups=(Table(name="among", everyone="random", seats={"agent_1": "stub-erratic"}),),
    )
    return Suite(name="both", description="", arenas=(river, TALKS))


@pytest.fixture(scope="module")
def played(suite, tmp_path_factory):
    """The folder of a run of both games."""
    out = tmp_path_factory.mktemp("runs") / "run"
    play_alone(suite, out)
    return out


@pytest.fixture(scope="module")
def kept(played):
    """Its episodes."""
    with open_run(played) as reader:
        return list(reader.episodes())


@pytest.fixture
def export(command):
    """Export to stdout as CSV; returns the rows."""

    def run(*arguments):
        code, out, err = command("export", *arguments)
        assert (code, err) == (0, "")
        return list(csv.DictReader(io.StringIO(out, newline="")))

    return run


def test_there_is_a_row_an_episode_in_the_order_of_tables(export, played, kept):
    rows = export(played, "--what", "episodes")
    assert [int(row["number"]) for row in rows] == list(range(len(kept)))
    for row, each in zip(rows, kept, strict=True):
        told = each.row
        assert (row["arena"], row["policy"], row["contract"]) == told.key[:3]
        assert int(row["episode"]) == told.episode
        for name in ("seed", "malformed", "calls", "prompt_tokens", "completion_tokens"):
            assert int(row[name]) == getattr(told, name)
        for name in ("started_at", "ended_at"):
            assert row[name] == getattr(told, name)
        assert float(row["wall_s"]) == told.wall_s
        for name, value in told.measures.items():
            if name != "malformed":
                assert row[name] == ("" if value is None else str(float(value)))


def test_what_a_game_does_not_have_is_empty(export, played, suite):
    river, talks = (
        [row for row in export(played) if row["arena"] == name] for name in ("river", "talks")
    )
    assert {row["world"] for row in river} == {suite.arenas[0].scenario.name}
    assert {row["world"] for row in talks} == {"base", "game1", "base_7players"}
    assert {row["incentives"] for row in river} == {""}
    assert {row["incentives"] for row in talks} == {"cooperative", "greedy-veto"}
    assert {(row["final_success"], row["malformed_share"]) for row in river} == {("", "")}
    assert {row["efficiency"] for row in talks} == {""}
    assert {row["final_success"] for row in talks} <= {"0.0", "1.0"}


def test_the_columns_follow_from_the_games_alone(suite):
    river, talks = (Suite.of(arena) for arena in suite.arenas)
    for what in ("episodes", "turns"):
        both = [column.name for column in columns_of(suite, what)]
        apart = [[column.name for column in columns_of(each, what)] for each in (river, talks)]
        assert len(set(both)) == len(both)
        assert set(both) == {*apart[0], *apart[1]}
        for own in apart:
            assert own == [name for name in both if name in own]
        assert "incentives" not in apart[0]
    assert [c.name for c in columns_of(river, "turns")][: len(COMMON)] == COMMON


def test_there_is_a_row_an_agent_and_step_with_all_of_the_record(export, played, kept):
    rows = export(played, "--what", "turns")
    for number, each in enumerate(kept):
        of_episode = [row for row in rows if int(row["number"]) == number]
        if each.row.arena == "talks":
            _check_negotiation(of_episode, each.record)
        else:
            _check_cleanup(of_episode, each.record)
        for name in ("calls", "prompt_tokens", "completion_tokens"):
            assert sum(int(row[name]) for row in of_episode) == getattr(each.row, name)


def _check_cleanup(rows, record):
    agents, steps = record["agents"], record["steps"]
    assert [(int(row["turn"]), row["agent"]) for row in rows] == [
        (turn, agent) for turn in range(len(steps)) for agent in agents
    ]
    for row in rows:
        step, seat = steps[int(row["turn"])], agents.index(row["agent"])
        assert (int(row["step"]), row["phase"]) == (step["step"], step["phase"])
        assert (int(row["pollution"]), int(row["fruit"])) == (step["pollution"], step["fruit"])
        assert float(row["reward"]) == step["game_rewards"][seat]
        assert float(row["transfer"]) == step["transfers"][seat]
        assert row["status"] == step["statuses"][seat]
        number = step["actions"][seat]
        assert row["action"] == (str(number) if isinstance(number, int) else "")


def _check_negotiation(rows, record):
    for turn, (row, told) in enumerate(zip(rows, record["turns"], strict=True)):
        assert (int(row["turn"]), row["agent"]) == (turn, told["party"])
        assert (row["deal"], row["said"]) == (told["deal"] or "", told["public"])
        for name in ("own_score", "collective_score", "agreeing", "illegal", "status"):
            assert row[name] == ("" if told[name] is None else str(told[name]))


def test_a_turn_says_who_played_the_seat(export, played):
    rows = export(played, "--what", "turns")
    among = {(row["agent"], row["player"]) for row in rows if row["policy"] == "among"}
    assert among == {("agent_0", "random"), ("agent_1", "stub-erratic")}
    others = [row for row in rows if row["policy"] != "among"]
    assert {row["player"] == row["policy"] for row in others} == {True}


def test_actions_are_told_in_words(export, played, kept):
    rows = export(played, "--what", "turns")
    said = {(row["phase"], row["action_text"].partition(" ")[0]) for row in rows if row["phase"]}
    assert {("play", "harvest"), ("play", "clean"), ("propose", "propose")} <= said
    assert {("respond", "accept"), ("respond", "nothing")} <= said
    wages = {row["action_text"] for row in rows if row["action"] == "8"}
    menu = [Contract(), *(Contract([_wage(rate)]) for rate in (0.5, 1.0))]
    assert wages == {f"propose {menu[2].to_text()}"}
    deals = {row["action_text"] for row in rows if row["arena"] == "talks"}
    assert "no proposal" in deals
    assert all(text.startswith(("propose A", "no proposal")) for text in deals)


def _wage(rate):
    return Wage(payer="others", payee="all", per="cleaned", rate=rate)


@pytest.mark.parametrize(
    ("phase", "action", "words"),
    [
        ("play", 3, "clean"),
        ("waiting", 0, "wait"),
        ("play", 7, "7"),
        ("propose", 0, "pass"),
        ("respond", 5, "reject"),
        ("respond", 6, "counter no payments"),
        ("respond", {"words": "I pay you"}, "counter I pay you"),
        ("propose", {"version": 1, "clauses": []}, "propose no payments"),
        ("propose", "nothing", "nothing"),
        ("propose", 99, "nothing"),
    ],
)
def test_an_action_on_record_has_its_words(phase, action, words):
    told = action_in_words(phase, action, [Contract()])
    assert told == words.replace("no payments", Contract().to_text())


def test_secrets_are_there_only_if_they_are_asked_for(command, played, kept):
    secrets = [
        turn["scratchpad"]
        for each in kept
        for turn in each.record.get("turns", ())
        if turn["scratchpad"]
    ]
    assert len(secrets) > 10
    for wanted in ([], ["--json"]):
        _, out, _ = command("export", played, "--what", "turns", *wanted)
        assert not [secret for secret in secrets if secret in out]
        assert "SCRATCHPAD" not in out
    _, out, _ = command("export", played, "--what", "turns", "--with-scratchpads")
    assert all(secret in out for secret in secrets)
    assert next(iter(out.splitlines())).endswith(",answer")


def test_what_an_agent_of_cleanup_thought_is_not_what_it_said(export, suite, kept, tmp_path):
    (first, *_) = (each for each in kept if each.row.arena == "river")
    (step, *steps) = first.record["steps"]
    answers = ["<SCRATCHPAD>mine alone</SCRATCHPAD>Action: wait", "<PLAN>never closed"]
    record = {**first.record, "steps": [{**step, "answers": answers}, *steps]}
    with open_folder(tmp_path, suite) as folder:
        folder.keep_episode(replace(first, record=record))
    one, other, *_ = export(tmp_path, "--what", "turns")
    assert [row["said"] for row in (one, other)] == ["Action: wait", ""]
    one, other, *_ = export(tmp_path, "--what", "turns", "--with-scratchpads")
    assert [row["answer"] for row in (one, other)] == answers


def test_equal_runs_have_equal_exports_whatever_came_first(export, suite, played, tmp_path):
    play_alone(suite, tmp_path / "again", backwards=True)
    for what in ("episodes", "turns"):
        one, other = export(played, "--what", what), export(tmp_path / "again", "--what", what)
        for row in (*one, *other):
            for name in TIMES:
                row.pop(name, None)
        assert one == other
        assert str(played) not in str(one)


def test_every_format_has_the_same_cells_and_parquet_their_types(command, played, suite, tmp_path):
    for what in ("episodes", "turns"):
        rows = json.loads(command("export", played, "--what", what, "--json")[1])
        file = tmp_path / f"{what}.parquet"
        words = ("export", played, "--what", what, "--format", "parquet", "--out", file)
        assert command(*words) == (0, "", f"written: {file}\n")
        table = pq.read_table(file)
        types = {"text": "string", "integer": "int64", "number": "double"}
        times = "timestamp[ms, tz=UTC]"
        for column in columns_of(suite, what):
            assert str(table.schema.field(column.name).type) == types.get(column.type.value, times)
        for name in set(rows[0]) - {"started_at", "ended_at"}:
            assert table[name].to_pylist() == [row[name] for row in rows]
        text = csv.DictReader(io.StringIO(command("export", played, "--what", what)[1], newline=""))
        assert [
            {name: "" if value is None else str(value) for name, value in row.items()}
            for row in rows
        ] == list(text)


def test_parquet_is_written_in_row_groups(command, played, kept, tmp_path, monkeypatch):
    monkeypatch.setattr(export_files, "ROW_GROUP", 5)
    out = tmp_path / "e.parquet"
    command("export", played, "--format", "parquet", "--out", out)
    file = pq.ParquetFile(out)
    assert file.num_row_groups == -(-len(kept) // 5)
    assert file.metadata.num_rows == len(kept)


def test_parquet_without_a_place_to_go_stands_in_the_folder_of_the_run(
    command, suite, played, tmp_path
):
    with open_folder(tmp_path, suite):
        pass
    code, out, err = command("export", tmp_path, "--what", "turns", "--format", "parquet")
    assert (code, out, err) == (0, "", f"written: {tmp_path / 'turns.parquet'}\n")
    assert pq.read_table(tmp_path / "turns.parquet").num_rows == 0


def test_without_pyarrow_there_is_csv_and_one_line_that_says_what_to_install(
    command, played, tmp_path, monkeypatch
):
    monkeypatch.setattr(export_files, "has_parquet", lambda: False)
    out = tmp_path / "e.parquet"
    code, printed, err = command("export", played, "--format", "parquet", "--out", out)
    assert (code, printed, err.count("\n")) == (1, "", 1)
    assert 'pip install "commonweal[export]"' in err
    assert not out.exists()
    assert command("export", played)[0] == 0


TRICKY = [
    "=1+1",
    "-2",
    "@sum",
    'a "quoted", text',
    "two\r\nlines",
    "a\rreturn",
    "",
    "\x00",
    "é 你 \u202e",
]


@pytest.mark.parametrize("what", ["csv", "parquet"])
def test_whatever_was_said_comes_back_as_it_was(what, command, suite, kept, tmp_path):
    (of_talks, *_) = (each for each in kept if each.row.arena == "talks")
    turns = of_talks.record["turns"]
    said = [*TRICKY, "half \ud83d of a sign"]
    edited = [{**turn, "public": words} for turn, words in zip(turns, said, strict=False)]
    record = {**of_talks.record, "turns": [*edited, *turns[len(said) :]]}
    with open_folder(tmp_path / "run", suite) as folder:
        folder.keep_episode(replace(of_talks, record=record))
    out = tmp_path / "t"
    command("export", tmp_path / "run", "--what", "turns", "--format", what, "--out", out)
    if what == "csv":
        with out.open(newline="", encoding="utf-8") as file:
            found = [row["said"] for row in csv.DictReader(file)]
    else:
        found = pq.read_table(out)["said"].to_pylist()
    assert found[: len(said)] == [*TRICKY, "half \\ud83d of a sign"]


def test_a_training_seed_has_a_column_of_its_own(tiny_suite, tmp_path, monkeypatch):
    class Training:
        name, players, contract = "learned", ("learned/3", "learned/12"), "fixed"

    arena = replace(tiny_suite, policies=("random",))
    cells = planned_cells(Suite.of(arena))
    monkeypatch.setattr(
        type(arena), "training_of", lambda _, player: Training if "/" in player else None
    )
    named = [cells[1]._replace(policy=player) for player in ("random", *Training.players)]
    with RunFolder(tmp_path, Suite.of(arena).to_dict(), named) as folder:
        for cell in named:
            folder.keep_episode(make_kept(cell, measures={}))
    with open_run(tmp_path) as reader:
        rows = list(RunRows(reader, Suite.of(arena)).of("episodes"))
    assert [(row["policy"], row["training_seed"]) for row in rows] == [
        ("random", None),
        ("learned", 3),
        ("learned", 12),
    ]


def test_a_run_is_exported_while_it_goes_on(export, suite, kept, tmp_path):
    with open_folder(tmp_path, suite) as folder:
        assert export(tmp_path) == []
        folder.keep_episode(kept[3])
        folder.keep_episode(kept[1])
        rows = export(tmp_path)
        assert [(row["number"], row["episode"]) for row in rows] == [("0", "1"), ("1", "1")]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--what", "moves"), "episodes or turns"),
        (("--format", "xlsx"), "csv or parquet"),
        (("--out", "{run}/run.db"), "a new file, or one to replace"),
        (("--out", "{run}"), "a new file, or one to replace"),
        (("--out", "/dev/null"), "a new file, or one to replace"),
        (("--out", "{run}/nowhere/e.csv"), "No such file"),
    ],
)
def test_wrong_usage_gets_one_line_and_touches_nothing(arguments, told, command, played):
    before = (played / FILE).read_bytes()
    words = [word.format(run=played) for word in arguments]
    code, out, err = command("export", played, *words)
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert told in err
    assert (played / FILE).read_bytes() == before
    assert {file.name for file in played.iterdir()} <= {FILE, "run.lock"}


def test_an_export_that_fails_halfway_leaves_what_was_there(command, played, tmp_path, monkeypatch):
    out = tmp_path / "e.csv"
    out.write_text("the last one")

    def fail(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(export_files, "write_csv", fail)
    code, _, err = command("export", played, "--out", out)
    assert (code, err.count("\n")) == (2, 1)
    assert "No space left on device" in err
    assert (out.read_text(), list(tmp_path.iterdir())) == ("the last one", [out])


def test_a_reader_that_has_seen_enough_ends_the_export_in_silence(played):
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    words = f"{sys.executable} -m benchmarks.cli export {played} --what turns | head -n 1"
    ran = subprocess.run(words, shell=True, capture_output=True, text=True, env=environment)
    assert ran.stderr == ""
    assert ran.stdout.startswith("number,arena,")
