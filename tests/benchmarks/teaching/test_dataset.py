"""A data set from runs: its files, what stands on which side, and what leaves nothing."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from itertools import chain

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from run_folders import begin_run, kept_in
from stored_episodes import play_alone

from agents.lm.pairs import read_pairs
from benchmarks.store import open_run
from benchmarks.suite import Suite
from benchmarks.suite_file import suite_named
from benchmarks.teaching.dataset import (
    DatasetSettings,
    card_file,
    command_of,
    held_out_file,
    write_dataset,
)
from benchmarks.teaching.questions import questions_of
from benchmarks.teaching.splitting import is_held_out
from cleanup_icn import ConfigError


@pytest.fixture(scope="module")
def arena(tiny_suite):
    """Two policies under two contracts, six short episodes each."""
    world = tiny_suite.scenario
    short = replace(world, config=replace(world.config, horizon_steps=12, schedule=()))
    return replace(
        tiny_suite,
        name="river",
        scenario=short,
        conditions=tiny_suite.conditions[:2],
        policies=("all-harvest", "division-of-labour"),
        num_episodes=6,
    )


@pytest.fixture(scope="module")
def run(arena, tmp_path_factory):
    """The folder of a run of it."""
    out = tmp_path_factory.mktemp("runs") / "first"
    play_alone(Suite.of(arena), out)
    return out


@pytest.fixture(scope="module")
def later_run(arena, tmp_path_factory):
    """Another run, with another policy in the episodes of the same seeds."""
    out = tmp_path_factory.mktemp("runs") / "second"
    later = replace(arena, name="later", policies=("random",), shown_policy="random")
    play_alone(Suite.of(later), out)
    return out


def lines_in(file):
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]


def test_all_questions_stand_in_one_of_the_files(run, tmp_path):
    out = tmp_path / "data.jsonl"
    written = write_dataset([run], out, settings=DatasetSettings(held_out=0.5))
    with open_run(run) as reader:
        asked = list(questions_of(reader))
    sides = [read_pairs(out), read_pairs(held_out_file(out))]
    assert (written.train, written.held_out) == tuple(map(len, sides))
    assert min(written.train, written.held_out) > 0
    assert Counter(chain(*sides)) == Counter(each.pair for each in asked)
    assert (written.questions, written.episodes) == (len(asked), 24)
    assert [written.out, written.card] == [str(out), str(tmp_path / "data.md")]


@settings(max_examples=8)
@given(st.floats(0.05, 0.95), st.integers(0, 2**32))
def test_no_seed_stands_on_both_sides_whatever_run_or_cell_it_was_played_in(
    run, later_run, tmp_path_factory, share, seed
):
    out = tmp_path_factory.mktemp("split") / "data.jsonl"
    chosen = DatasetSettings(held_out=share, seed=seed, per_episode=1)
    seeds = [kept.row.seed for kept in kept_in(run)]
    assume(not all(is_held_out(each, share=share, split_seed=seed) for each in seeds))
    write_dataset([run, later_run], out, settings=chosen)
    sides = [lines_in(out), lines_in(held_out_file(out))]
    train, held_out = ({line["about"]["seed"] for line in side} for side in sides)
    assert not train & held_out
    assert len(train | held_out) == 6
    for side, seeds in zip(sides, (train, held_out), strict=True):
        cells = {(a["run"], a["policy"], a["condition"]) for a in (line["about"] for line in side)}
        assert len(cells) == (6 if seeds else 0)  # four cells of the first run, two of the other


def test_every_line_says_what_it_is_about(run, tmp_path):
    out = tmp_path / "data.jsonl"
    write_dataset([run], out, settings=DatasetSettings(held_out=0.0))
    told = lines_in(out)[-1]
    row = kept_in(run)[-1].row
    assert told["about"] == {
        "run": "first",
        "arena": row.arena,
        "policy": row.policy,
        "condition": row.contract,
        "episode": row.episode,
        "seed": row.seed,
        "agent": "agent_1",
        "player": row.policy,
        "step": 11,
        "phase": "play",
        "status": "ok",
        "return": pytest.approx(told["about"]["return"]),
    }
    assert [message["role"] for message in told["messages"]] == ["system", "user", "assistant"]


def test_equal_runs_and_settings_give_equal_files(run, tmp_path):
    chosen = DatasetSettings(held_out=0.4, per_episode=3, seed=5)
    out = tmp_path / "data.jsonl"
    contents = []
    for _ in range(2):
        write_dataset([run], out, settings=chosen)
        contents.append([f.read_bytes() for f in (out, held_out_file(out), card_file(out))])
    assert contents[0] == contents[1]
    write_dataset([run], out, settings=replace(chosen, seed=6))
    assert out.read_bytes() != contents[0][0]


def test_so_many_questions_are_drawn_from_each_episode_changes_first(run, tmp_path):
    out = tmp_path / "data.jsonl"
    write_dataset([run], out, settings=DatasetSettings(held_out=0.0, per_episode=4))
    found = [line["about"] for line in lines_in(out)]
    drawn = Counter((a["policy"], a["condition"], a["episode"]) for a in found)
    assert set(drawn.values()) == {4}
    # Who always harvests answers something new in the first step alone.
    steps = [a["step"] for a in found if a["policy"] == "all-harvest" and a["condition"] == "none"]
    assert steps.count(0) == 12


def test_filters_must_all_hold(run, tmp_path):
    out = tmp_path / "data.jsonl"
    filters = ("policy=all-harvest", "agent=agent_1", "condition=none", "return>=1")
    written = write_dataset([run], out, settings=DatasetSettings(held_out=0.0, filters=filters))
    found = [line["about"] for line in lines_in(out)]
    assert len(found) == written.train > 0
    assert {(a["policy"], a["agent"], a["condition"]) for a in found} == {
        ("all-harvest", "agent_1", "none")
    }
    assert min(a["return"] for a in found) >= 1
    assert written.episodes == 24


def test_where_nothing_is_left_it_is_said_which_filter_took_how_many(run, tmp_path):
    out = tmp_path / "data.jsonl"
    chosen = DatasetSettings(filters=("condition=none", "status=missing"))
    with pytest.raises(ConfigError, match="condition=none took 12 of them") as refused:
        write_dataset([run], out, settings=chosen)
    assert "288 questions in the others, status=missing took 288 of them" in str(refused.value)
    assert list(tmp_path.iterdir()) == []


def test_a_split_that_leaves_nothing_to_teach_is_refused(run, tmp_path):
    out = tmp_path / "data.jsonl"
    chosen = DatasetSettings(held_out=0.999999)
    with pytest.raises(ConfigError, match="all 576 pairs are of held-out seeds"):
        write_dataset([run], out, settings=chosen)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"format": "alpaca"}, "format = 'alpaca': expected one of chat, prompt-completion"),
        ({"held_out": 1.0}, "held_out = 1.0: expected a share from 0 to below 1"),
        ({"per_episode": 0}, "per_episode = 0: expected an integer of at least 1"),
        ({"record_lines": -1}, "record_lines = -1: expected an integer of at least 0"),
        ({"wording": "latin"}, "wording = 'latin': expected one of own, synonyms"),
        ({"seed": -1}, "seed = -1: expected an integer of at least 0"),
        ({"filters": "status=ok"}, "filters = 'status=ok': expected a list"),
    ],
)
def test_settings_that_cannot_be_are_refused(values, message):
    with pytest.raises(ConfigError) as refused:
        DatasetSettings(**values)
    assert message in str(refused.value)


def test_what_cannot_be_is_refused_before_any_episode_is_read(arena, tmp_path):
    begin_run(Suite.of(arena), tmp_path / "run")
    out = tmp_path / "data.jsonl"
    for run, file, values, name in (
        ("run", out, {"filters": ("agent=agent_9",)}, "--filter"),
        ("run", out, {"filters": ("staus=ok",)}, "--filter"),
        ("run", out, {"relabel": "planer"}, "--relabel"),
        ("run", tmp_path / "data.json", {}, "--out"),
        ("run", tmp_path / "nowhere" / "data.jsonl", {}, "--out"),
        ("none", out, {}, "run"),
    ):
        with pytest.raises(ConfigError) as refused:
            write_dataset([tmp_path / run], file, settings=DatasetSettings(**values))
        assert refused.value.name == name
    out.mkdir()
    with pytest.raises(ConfigError, match="a new file, or one to replace"):
        write_dataset([tmp_path / "run"], out)


def test_the_other_form_and_more_of_the_record(run, tmp_path):
    out = tmp_path / "data.jsonl"
    chosen = DatasetSettings(format="prompt-completion", record_lines=1, held_out=0.0)
    write_dataset([run], out, settings=chosen)
    told = lines_in(out)
    assert all({"prompt", "completion", "about"} == set(line) for line in told)
    later = [line for line in told if line["about"]["step"] > 1]
    assert all("(The first" in line["prompt"][-1]["content"] for line in later)


def test_the_same_answers_stand_to_questions_in_other_words(run, tmp_path):
    """What is drawn and how it is split hangs on no wording."""
    told = {}
    for wording in ("own", "varied"):
        out = tmp_path / f"{wording}.jsonl"
        chosen = DatasetSettings(held_out=0.4, per_episode=3, wording=wording)
        write_dataset([run], out, settings=chosen)
        told[wording] = lines_in(out) + lines_in(held_out_file(out))
        assert f"in the wording `{wording}`" in card_file(out).read_text(encoding="utf-8")
    for key in ("about", "answer"):
        own, varied = (
            [line["messages"][-1] if key == "answer" else line[key] for line in told[wording]]
            for wording in ("own", "varied")
        )
        assert own == varied
    with open_run(run) as reader:
        asked = {each.pair for each in questions_of(reader, wording="varied")}
    assert asked.issuperset(read_pairs(tmp_path / "varied.jsonl"))


def test_a_negotiation_is_refused_in_other_words_before_any_episode_is_read(tmp_path):
    begin_run(Suite.of(suite_named("negotiation-smoke").arenas[0]), tmp_path / "run")
    with pytest.raises(ConfigError, match="told in no other words") as refused:
        write_dataset(
            [tmp_path / "run"], tmp_path / "data.jsonl", settings=DatasetSettings(wording="varied")
        )
    assert refused.value.name == "--wording"
    assert not (tmp_path / "data.jsonl").exists()


def test_two_runs_of_one_name_are_told_apart(run, arena, tmp_path):
    twin = tmp_path / run.name
    play_alone(Suite.of(replace(arena, policies=("all-harvest",), seed=9)), twin)
    out = tmp_path / "data.jsonl"
    write_dataset([run, twin], out, settings=DatasetSettings(held_out=0.0, per_episode=1))
    assert {line["about"]["run"] for line in lines_in(out)} == {str(run), str(twin)}


def test_the_command_on_the_card_makes_the_same_again(run, tmp_path):
    chosen = DatasetSettings(
        format="prompt-completion",
        filters=("status=ok", "return>=1"),
        relabel="planner",
        record_lines=None,
        wording="varied",
        per_episode=2,
        scratchpads=False,
        seed=3,
    )
    assert command_of([run], tmp_path / "my data.jsonl", chosen) == (
        f"commonweal dataset {run} --format prompt-completion --relabel planner "
        "--record-lines all --wording varied --per-episode 2 --seed 3 --filter status=ok "
        f"--filter 'return>=1' --without-scratchpads --out '{tmp_path}/my data.jsonl'"
    )
