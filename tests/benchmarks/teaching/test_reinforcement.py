"""A tiny student plays, learns from what it did, and ends as an ordinary folder."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

pytest.importorskip("torch", reason="needs commonweal[lm]")
pytest.importorskip("transformers", reason="needs commonweal[lm]")

from agents.llm.prompt import PromptParts, compose
from agents.lm.pairs import Pair
from agents.lm.reinforcement_settings import ReinforcementSettings
from agents.lm.settings import StudentSettings
from benchmarks.model_file import load_models
from benchmarks.store import open_run
from benchmarks.teaching.questions import questions_of
from benchmarks.teaching.reinforcement import ITERATIONS, Plan, Reinforcement
from cleanup_icn import ConfigError, parallel_env
from cleanup_icn.prompt import CleanupSeat
from cleanup_icn.state import HARVEST

PLAN = Plan(
    iterations=2, groups=2, group_size=2, horizon_steps=3, examined=1, max_tokens=6, answers=20
)
SETTINGS = ReinforcementSettings(
    learning_rate=0.01, warmup_steps=0, batch_size=8, precision="float32"
)
ANSWER = "Action: harvest"


def prompts():
    """What a model is asked in a few steps of Cleanup."""
    env = parallel_env(horizon_steps=8)
    observations, _ = env.reset(seed=0)
    seats = {agent: CleanupSeat(env, agent) for agent in env.agents}
    while env.agents:
        for agent, observation in observations.items():
            yield compose(PromptParts(*seats[agent].parts(observation, ())), record_lines=0)
        observations, *_ = env.step(dict.fromkeys(env.agents, HARVEST))


@pytest.fixture(scope="module")
def student(tmp_path_factory):
    """A folder with a student of one layer that often says the same thing."""
    from agents.lm.isolation import isolated
    from agents.lm.reinforce import Attempt, Reinforcer
    from agents.lm.student import make_student

    folder = tmp_path_factory.mktemp("student") / "model"
    pairs = [Pair(messages, ANSWER) for messages in prompts()]
    tiny = StudentSettings(layers=1, width=32, heads=1, vocab_size=600)
    with isolated(seed=0, threads=1):
        make_student(tiny, pairs).finished().save(folder)
        quick = Reinforcer(folder, settings=replace(SETTINGS, kl=0.0, passes=8, clip=0.99))
        quick.update([Attempt(pair, 1.0) for pair in pairs])
        quick.save(folder)
    (folder / "teaching.json").write_text(json.dumps({"about": {"lessons": "cleanup"}}))
    return folder


@pytest.fixture(scope="module")
def done(student, tmp_path_factory):
    """A reinforcement of two iterations, with its records, and what was told of it."""
    out = tmp_path_factory.mktemp("reinforced") / "model"
    return out, reinforced(student, out, keep_records=True)


def reinforced(student, out, *, plan=PLAN, keep_records=False, resume=False, **told):
    wanted = Reinforcement(
        folder=student, out=out, plan=plan, settings=SETTINGS, keep_records=keep_records
    )
    wanted.open(resume=resume)
    return wanted.run(**told)


def weights(folder):
    return (folder / "model.safetensors").read_bytes()


def without_times(told):
    def timeless(value):
        if isinstance(value, dict):
            return {k: timeless(v) for k, v in value.items() if k != "seconds"}
        return [timeless(v) for v in value] if isinstance(value, list) else value

    return timeless(told)


def test_it_ends_with_an_ordinary_folder_that_tells_how_it_came_about(done, student):
    from transformers import AutoModelForCausalLM, AutoTokenizer

    out, told = done
    assert AutoTokenizer.from_pretrained(out).chat_template
    assert AutoModelForCausalLM.from_pretrained(out).num_parameters() > 0
    assert weights(out) != weights(student)
    teaching = json.loads((out / "teaching.json").read_text())
    assert teaching["about"] == {"lessons": "cleanup"}
    assert teaching["reinforcement"] == told
    assert json.loads((out / "reinforcement.json").read_text()) == told
    for curve in ("curve.svg", "curve.png"):
        assert (out / curve).stat().st_size > 0


def test_it_can_be_played_as_it_was_asked(done):
    out, _ = done
    asked = load_models(out / "models.toml").models["taught"]
    assert asked.model == str(out.resolve())
    assert (asked.record_lines, asked.structured, asked.temperature) == (0, "off", 0.0)


def test_a_model_that_thinks_is_asked_to_in_play_and_in_what_it_learns_from(
    student, tmp_path, monkeypatch
):
    asked = []

    def spied(reader, **told):
        for question in questions_of(reader, **told):
            asked.append(question.pair.messages[-1].content)
            yield question

    monkeypatch.setattr("benchmarks.teaching.reinforcement.questions_of", spied)
    plan = replace(PLAN, style="chain-of-thought", iterations=1)
    reinforced(student, tmp_path / "out", plan=plan)
    assert asked
    assert all("Think step by step" in question for question in asked)
    models = load_models(tmp_path / "out" / "models.toml").models
    assert models["taught"].style == "chain-of-thought"


def test_the_curve_has_a_point_for_every_iteration(done):
    _, told = done
    assert [point["iteration"] for point in told["curve"]] == [1, 2]
    for point in told["curve"]:
        assert 0.0 <= point["low"] <= point["efficiency"] <= point["high"]
        assert 0.0 <= point["valid"] <= 1.0
        assert point["answers"] >= PLAN.groups * PLAN.group_size * PLAN.horizon_steps * 2
        assert 0 < point["learned"] <= PLAN.answers
        assert point["entropy"] > 0.0
    assert told["curve"][0]["kl"] == 0.0
    assert told["curve"][1]["kl"] > 0.0


def test_it_is_examined_before_and_after_in_the_same_settings_beside_the_teacher(done):
    _, told = done
    for when in ("before", "after"):
        assert told[when]["n"] == told[when]["drawn"]["n"] == PLAN.examined
        assert told[when]["policies"].keys() == {"division-of-labour"}
    assert told["before"]["policies"] == told["after"]["policies"]


def test_every_iteration_is_a_run_of_groups_from_one_start(done):
    out, _ = done
    starts = []
    for number in ("001", "002"):
        with open_run(out / ITERATIONS / number) as reader:
            assert reader.is_complete
            assert len(reader) == PLAN.groups * PLAN.group_size
            found = {}
            for kept in reader.episodes():
                found.setdefault(kept.row.arena, []).append(kept.record)
        assert len(found) == PLAN.groups
        for episodes in found.values():
            assert episodes[0]["start"] == episodes[1]["start"]
            assert episodes[0]["config"] == episodes[1]["config"]
            assert episodes[0]["config"]["horizon_steps"] == PLAN.horizon_steps
            assert episodes[0]["agent_seeds"] != episodes[1]["agent_seeds"]
        starts.append([episodes[0]["config"] for episodes in found.values()])
    assert starts[0] != starts[1]


def test_one_that_was_interrupted_ends_like_one_that_was_not(done, student, tmp_path):
    out = tmp_path / "model"

    def interrupt(done_so_far, _total):
        if done_so_far == 1:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        reinforced(student, out, on_iteration=interrupt)
    (out / ITERATIONS / "002").mkdir()  # had begun
    told = reinforced(student, out, resume=True)
    whole, expected = done
    assert without_times(told) == without_times(expected)
    assert weights(out) == weights(whole)
    assert not (out / ITERATIONS).exists()


def test_what_is_complete_is_not_done_again(done, student):
    out, expected = done
    before = weights(out)
    assert reinforced(student, out, keep_records=True, resume=True) == expected
    assert weights(out) == before


def test_more_iterations_follow_where_records_were_kept_and_else_are_refused(
    done, student, tmp_path
):
    import shutil

    out = tmp_path / "model"
    shutil.copytree(done[0], out)
    longer = replace(PLAN, iterations=3)
    assert len(reinforced(student, out, plan=longer, resume=True)["curve"]) == 3
    with pytest.raises(ConfigError, match="iterations = 4: expected 3, as it was"):
        reinforced(student, out, plan=replace(PLAN, iterations=4), resume=True)


def test_another_plan_cannot_go_on_in_the_same_folder(done, student):
    out, _ = done
    with pytest.raises(ConfigError, match=r"discount = 0\.5: expected"):
        reinforced(student, out, plan=replace(PLAN, discount=0.5), resume=True)
    with pytest.raises(ConfigError, match=r"--out = .*: expected a new folder; --resume"):
        reinforced(student, out)


def test_settings_that_are_learned_from_are_not_those_of_the_examination():
    plan = replace(PLAN, groups=20, examined=20)
    examined = {arena.seed for arena in plan.examination().arenas}
    for iteration in (1, 2):
        played = {arena.seed for arena in plan.suite(iteration).arenas}
        assert len(played) == 20
        assert not played & examined


def test_worlds_cut_short_change_no_more_after_their_end():
    plan = replace(PLAN, groups=20, horizon_steps=16)
    changes = [arena.scenario.config.schedule for arena in plan.suite(1).arenas]
    assert all(change.step < 16 for schedule in changes for change in schedule)
    whole = replace(plan, horizon_steps=None).suite(1)
    assert any(arena.scenario.config.schedule for arena in whole.arenas)
