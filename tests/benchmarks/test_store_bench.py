"""`commonweal bench store`: what it counts, and what it says of its goal."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from benchmarks import store_bench
from benchmarks.store import open_run
from benchmarks.store_bench import CostRow, StoreBench, measure_store, stub_episodes
from benchmarks.store_bench_table import render_store
from benchmarks.suite_file import suite_named


@pytest.fixture(scope="module")
def played(tiny_suite):
    talks = suite_named("negotiation-smoke").arenas[0]
    talks = replace(talks, conditions=talks.conditions[:1], policies=("conceder", "stub-erratic"))
    return stub_episodes([tiny_suite, talks], num_episodes=1)


def test_every_episode_is_kept_and_read_under_a_number_of_its_own(played, tmp_path):
    assert len(played) == 3 + 1
    measured = measure_store(played, num_episodes=11, folder=tmp_path / "run")
    assert [(row.name, row.n) for row in measured.rows] == [
        ("keep an episode", 11),
        ("read its numbers", 11),
        ("read its record", 11),
    ]
    for row in measured.rows:
        assert 0.0 < row.median_ms <= row.p95_ms <= row.max_ms
    with open_run(tmp_path / "run") as reader:
        assert sorted(row.episode for row in reader.rows()) == list(range(11))
        assert {kept.record["policy"] for kept in reader.episodes()} == {"stub-erratic"}
    assert measured.bytes_per_episode < measured.record_bytes


@pytest.mark.parametrize(
    ("mean_ms", "is_met", "word"), [(1.9, True, "met"), (2.1, False, "missed")]
)
def test_the_goal_is_met_or_missed_by_the_mean(mean_ms, is_met, word, capsys):
    row = CostRow(
        name="keep", n=3, mean_ms=mean_ms, median_ms=1.0, p95_ms=9.0, max_ms=9.0, cpu_ms=1.0,
        goal_ms=2.0,
    )  # fmt: skip
    assert row.to_dict()["is_met"] is is_met
    table = render_store(StoreBench(rows=(row,), bytes_per_episode=5.0, record_bytes=7.0))
    assert list(table.columns[-1].cells) == [f"2 ms: {word}"]
    assert replace(row, goal_ms=None).is_met is None


def test_the_command_says_what_it_measured(command, monkeypatch, played):
    monkeypatch.setattr(store_bench, "stub_episodes", lambda _: played)
    code, out, err = command("bench", "store", "--episodes", 5, "--json")
    told = json.loads(out)
    assert (code, err) == (0, "commonweal: 4 episodes played, to be kept under 5 numbers\n")
    assert told["rows"][0].keys() >= {"name", "n", "mean_ms", "median_ms", "p95_ms", "is_met"}
    assert told["rows"][0]["goal_ms"] == 2.0
    code, out, _ = command("bench", "store", "--episodes", 5)
    assert "keep an episode" in out
