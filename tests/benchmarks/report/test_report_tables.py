"""The means of a report, over episodes or over training seeds."""

from __future__ import annotations

from dataclasses import replace

import pytest
from built_reports import small_arena

from benchmarks.episode_row import EpisodeRow
from benchmarks.report.measures import CLEANUP_MEASURES, shown_measures
from benchmarks.report.tables import estimates_of, table_of
from benchmarks.seated_training import SeatedTraining
from benchmarks.statistics import EPISODE, TRAINING_SEED, estimate_over_seeds


@pytest.fixture
def arena():
    """One script and a training of three seeds, under the contract `none`."""
    trained = SeatedTraining(
        name="learned",
        contract="none",
        files=("policy.zip",),
        deterministic=False,
        checkpoints={"0": "a", "1": "b", "2": "c"},
    )
    one = small_arena("cleanup-smoke", 2, ("all-harvest",), ("none",))
    return one.with_trained([trained])


def make_row(policy, episode, welfare, malformed=0):
    return EpisodeRow(
        arena="cleanup-smoke",
        policy=policy,
        contract="none",
        episode=episode,
        seed=episode,
        started_at="",
        ended_at="",
        wall_s=0.0,
        measures={"welfare": welfare, "efficiency": None},
        malformed=malformed,
        calls=0,
        prompt_tokens=0,
        completion_tokens=0,
        latency_s=0.0,
    )


def test_a_training_counts_its_seeds_and_a_script_its_episodes(arena):
    rows = [make_row("all-harvest", k, 10.0 + k) for k in range(2)]
    rows += [make_row(f"learned/{seed}", k, 10.0 * seed + k) for seed in range(3) for k in range(2)]
    cells, _ = estimates_of(arena, rows)
    script, learned = (cells[policy, "none"]["welfare"] for policy in ("all-harvest", "learned"))
    assert (script.n, script.unit, script.mean) == (2, EPISODE, 10.5)
    assert (learned.n, learned.unit) == (3, TRAINING_SEED)
    assert learned == estimate_over_seeds([0.5, 10.5, 20.5])


def test_a_measure_without_a_value_has_no_cell(arena):
    cells, _ = estimates_of(arena, [make_row("all-harvest", 0, 1.0)])
    table = table_of(cells, CLEANUP_MEASURES)
    assert [column["key"] for column in table["columns"]] == ["welfare"]
    assert table["rows"][0]["cells"]["welfare"]["text"] == "1.00 one episode"


def test_episodes_with_malformed_answers_are_left_out_where_there_are_any(arena):
    rows = [make_row("all-harvest", k, 1.0 + k, malformed=k) for k in range(3)]
    cells, readable = estimates_of(arena, rows)
    assert cells["all-harvest", "none"]["welfare"].mean == 2.0
    assert readable["all-harvest", "none"]["welfare"].mean == 1.0
    assert estimates_of(arena, rows[:1])[1] is None


def test_an_unknown_measure_is_shown_by_its_name():
    known, unknown = shown_measures("cleanup", ["brand_new", "welfare"])
    assert (known.name, unknown.label) == ("welfare", "brand new")


def test_a_wide_sample_is_not_mistaken_for_a_rate(arena):
    rows = [replace(make_row("all-harvest", k, 10.0 * k)) for k in range(4)]
    cells, _ = estimates_of(arena, rows)
    estimate = cells["all-harvest", "none"]["welfare"]
    assert estimate.mean == 15.0
    assert estimate.low < 15.0 < estimate.high
