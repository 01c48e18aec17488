"""A whole comparison in which models take part, small."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from run_folders import about_run, outcome_of, play_run, records_by_key

from agents.llm import ChatError
from benchmarks.arena import Cell
from benchmarks.cleanup import figure
from benchmarks.model_cells import play_model_cells
from benchmarks.model_config import JudgeSpec
from benchmarks.replay import replay_run
from benchmarks.store import FIGURES, TABLE, open_run
from benchmarks.work import Task


@pytest.fixture(scope="module")
def suite(tiny_suite):
    """One scripted policy, to be joined by models."""
    return replace(tiny_suite, policies=("all-harvest", "stub-erratic"))


@pytest.fixture
def play(tmp_path, monkeypatch):
    """Play a suite in a folder of this name, without a figure; returns what came of it."""
    monkeypatch.setattr(figure, "save_figure", lambda *_: None)

    def play(suite, clients, *, name="run", **options):
        return play_run(suite, tmp_path / name, clients=clients, **options)

    return play


def test_a_model_plays_every_cell_in_the_place_of_the_stubs(suite, play, models_of, fake_model):
    told = suite.with_models(models_of("m"))
    assert told.policies == ("all-harvest", "m")
    done = play(told, {"m": fake_model()})
    assert done.is_complete
    assert [(row.policy, row.contract, row.n) for row in done.rows] == [
        (policy, contract, 2)
        for policy in ("all-harvest", "m")
        for contract in ("none", "fixed", "icn")
    ]


def test_rows_do_not_depend_on_how_many_questions_are_asked_at_a_time(
    suite, play, models_of, fake_model, tmp_path
):
    found = []
    for most in (1, 3, 16):
        model = fake_model(garbled=0.3, latency_s=0.004)
        told = suite.with_models(models_of("m", max_in_flight=most))
        play(told, {"m": model}, name=str(most))
        assert min(most, 4) <= model.most_at_once <= most
        out = tmp_path / str(most)
        found.append(outcome_of(out, TABLE))
    assert found[0] == found[1] == found[2]
    steps = [step for record in records_by_key(out).values() for step in record["steps"]]
    assert len({status for step in steps for status in step["statuses"]}) > 1


def test_a_repaired_answer_is_on_record_with_the_one_it_replaces(
    suite, play, models_of, fake_model, tmp_path
):
    play(suite.with_models(models_of("m")), {"m": fake_model(garbled=0.3)})
    calls = [
        calls
        for (policy, *_), record in records_by_key(tmp_path / "run").items()
        for step in record["steps"]
        for calls in step["calls"]
        if policy == "m"
    ]
    assert {len(each) for each in calls} == {1, 2}
    assert all(each[0]["status"] != "ok" for each in calls if len(each) == 2)
    assert all(each[-1]["form"] in ("choice", "json") for each in calls)


def test_the_seed_of_every_question_of_an_episode_is_its_own(suite, play, models_of, fake_model):
    model = fake_model(garbled=0.3)
    one = replace(suite, num_episodes=1, conditions=suite.conditions[:1])
    play(one.with_models(models_of("m")), {"m": model})
    seeds = [seed for _, seed, _ in model.asked]
    assert len(set(seeds)) == len(seeds) > 100


def test_a_model_and_a_script_share_a_table(suite, play, models_of, fake_model, tmp_path):
    table = {"name": "mixed", "everyone": "all-harvest", "seats": {"agent_1": "m"}}
    model = fake_model()
    done = play(suite.with_models(models_of("m", tables=[table])), {"m": model})
    assert [row.policy for row in done.rows][3:] == ["mixed"] * 3
    for (policy, *_), record in records_by_key(tmp_path / "run").items():
        for step in record["steps"]:
            scripted, modelled = step["calls"]
            assert (scripted, len(modelled)) == ([], policy == "mixed")
            assert step["answers"][0] is None
    assert all("You are agent_1" in messages[-1].content for messages, _, _ in model.asked)


def test_two_models_at_a_table_are_asked_for_their_own_seats_alone(
    suite, play, models_of, fake_model
):
    table = {"name": "duel", "everyone": "a", "seats": {"agent_1": "b"}}
    models = {"a": fake_model(), "b": fake_model()}
    one = replace(suite, num_episodes=1, policies=("all-harvest",))
    play(one.with_models(models_of("a", "b", tables=[table])), models)
    for name, seat in (("a", "agent_0"), ("b", "agent_1")):
        prompts = [messages[-1].content for messages, _, _ in models[name].asked]
        assert prompts
        assert all(f"You are {seat}" in prompt for prompt in prompts)


@pytest.mark.parametrize("questions", [0, 1, 99, 250])
def test_a_run_whose_server_is_lost_keeps_what_is_done_and_goes_on_later(
    questions, suite, play, models_of, fake_model, gone_after, tmp_path
):
    told = suite.with_models(models_of("m"))
    play(told, {"m": fake_model()}, name="undisturbed")
    whole = records_by_key(tmp_path / "undisturbed")

    done = play(told, {"m": fake_model(refuse=gone_after(questions))})
    kept = records_by_key(tmp_path / "run")
    assert done.stopped == "no server answers at http://nowhere/v1"
    assert done.missing == len(whole) - len(kept) > 0
    assert done.failures == ()
    assert all(kept[key] == whole[key] for key in kept)
    assert sum(row.n for row in done.rows) == len(kept)
    assert len(json.loads((tmp_path / "run" / TABLE).read_text())) == len(done.rows)
    about = about_run(tmp_path / "run")
    assert (about["status"], about["stopped"]) == ("stopped", done.stopped)

    again = play(told, {"m": fake_model()}, resume=True)
    assert again.is_complete
    assert outcome_of(tmp_path / "run", TABLE) == outcome_of(tmp_path / "undisturbed", TABLE)


@pytest.mark.parametrize(
    ("budget", "said"),
    [
        ({"requests": 150}, "the budget of 150 requests is spent"),
        ({"tokens": 1800}, "the budget of 1800 tokens is spent"),
        ({"seconds": 1e-9}, "the budget of 1e-09 seconds is spent"),
    ],
)
def test_a_run_that_has_cost_enough_stops_and_can_go_on_with_another_budget(
    budget, said, suite, play, models_of, fake_model
):
    model = fake_model()
    done = play(suite.with_models(models_of("m", budget=budget)), {"m": model})
    assert done.stopped == said
    assert done.missing > 0
    assert len(model.asked) <= 150 + 4  # those then in flight go beyond it
    assert play(suite.with_models(models_of("m")), {"m": fake_model()}, resume=True).is_complete


def test_what_was_paid_for_is_told_with_the_price(suite, play, models_of, fake_model):
    prices = {"price_per_million_prompt_tokens": 100.0, "price_per_million_completion_tokens": 500}
    done = play(suite.with_models(models_of("m", **prices)), {"m": (model := fake_model())})
    serving, asked = done.serving, len(model.asked)
    assert (serving["requests"], serving["decisions"]) == (asked, asked)
    tokens = [serving[f"{kind}_tokens"] for kind in ("prompt", "completion", "cached")]
    assert tokens == [10 * asked, 2 * asked, 4 * asked]
    assert serving["money"] == pytest.approx(asked * (10 * 100 + 2 * 500) / 1e6)


def test_money_is_a_budget_too(suite, play, models_of, fake_model):
    prices = {"price_per_million_prompt_tokens": 100.0, "price_per_million_completion_tokens": 0.0}
    model = fake_model()
    told = suite.with_models(models_of("m", budget={"money": 0.05}, max_in_flight=1, **prices))
    assert play(told, {"m": model}).stopped == "the budget of 0.05 money is spent"
    assert len(model.asked) in (50, 51)


def test_what_is_malformed_or_repaired_is_counted(suite, play, models_of, fake_model, tmp_path):
    done = play(suite.with_models(models_of("m")), {"m": fake_model(garbled=0.4)})
    calls = [
        calls
        for (policy, *_), record in records_by_key(tmp_path / "run").items()
        for step in record["steps"]
        for calls in step["calls"]
        if policy == "m"
    ]
    assert done.serving["decisions"] == len(calls)
    assert done.serving["malformed"] == sum(each[-1]["status"] != "ok" for each in calls) > 0
    repaired = sum(len(each) > 1 and each[-1]["status"] == "ok" for each in calls)
    assert done.serving["repaired"] == repaired > 0


def refuse_rules(words, error):
    def refuse(_number, messages):
        if any(words in message.content for message in messages):
            raise error

    return refuse


def test_an_episode_without_an_answer_is_named_and_tried_again_when_resumed(
    suite, play, models_of, fake_model, tmp_path
):
    told = suite.with_models(models_of("m"))
    broken = fake_model(refuse=refuse_rules("propose", ChatError("the answer came to nothing")))
    done = play(told, {"m": broken})
    assert (done.stopped, done.missing, done.is_complete) == (None, 2, False)
    assert sorted(done.failures) == [
        f"{suite.name}, m, icn, episode {k}: the answer came to nothing" for k in (0, 1)
    ]
    assert [(row.policy, row.contract) for row in done.rows][-1] == ("m", "fixed")
    assert not any(key[:2] == ("m", "icn") for key in records_by_key(tmp_path / "run"))
    about = about_run(tmp_path / "run")
    assert (about["status"], about["failures"]) == ("stopped", list(done.failures))

    mended = fake_model()
    assert play(told, {"m": mended}, resume=True).is_complete
    assert all("propose" in messages[0].content for messages, _, _ in mended.asked)
    play(told, {"m": fake_model()}, name="undisturbed")
    assert outcome_of(tmp_path / "run", TABLE) == outcome_of(tmp_path / "undisturbed", TABLE)


def test_a_fault_of_our_own_is_raised_and_what_is_done_stays(
    suite, play, models_of, fake_model, tmp_path
):
    told = suite.with_models(models_of("m"))
    with pytest.raises(ZeroDivisionError):
        play(told, {"m": fake_model(refuse=lambda number, _: 1 // (100 - number))})
    assert sum(policy == "all-harvest" for policy, *_ in records_by_key(tmp_path / "run")) == 6
    assert play(told, {"m": fake_model()}, resume=True).is_complete


def test_every_condition_has_its_first_episode_before_any_has_its_second(
    suite, models_of, fake_model
):
    told = replace(suite, num_episodes=3).with_models(models_of("m", max_in_flight=1))
    kept = []
    wanted = zip(told.conditions, [(0, 1, 2), (1,), (0, 2)], strict=True)
    play_model_cells(
        [
            Task(arena=told, cell=Cell(policy="m", contract=each.name), episodes=episodes)
            for each, episodes in wanted
        ],
        models=told.models,
        keep=lambda each: kept.append((each.row.contract, each.row.episode)),
        clients={"m": fake_model()},
    )
    assert sorted(kept) == [
        ("fixed", 1),
        ("icn", 0),
        ("icn", 2),
        ("none", 0),
        ("none", 1),
        ("none", 2),
    ]
    assert kept.index(("icn", 0)) < kept.index(("none", 2))


def test_status_is_told_and_ends_with_the_whole(suite, play, models_of, fake_model):
    told = []
    done = play(suite.with_models(models_of("m")), {"m": fake_model()}, on_status=told.append)
    assert (told[-1].in_flight, told[-1].requests) == (0, done.serving["requests"])
    assert told[-1].episodes == 6


def test_a_suite_of_models_alone_has_its_figure(suite, models_of, fake_model, tmp_path):
    told = suite.with_models(models_of("m")).with_policies(["m"])
    assert play_run(told, tmp_path, clients={"m": fake_model()}).is_complete
    assert "m" in (tmp_path / FIGURES[0]).read_text()
    assert all((tmp_path / name).stat().st_size > 1000 for name in FIGURES)


def test_a_run_replays_from_its_records_without_the_models(
    suite, play, models_of, fake_model, tmp_path
):
    told = suite.with_models(models_of("m", max_in_flight=4))
    play(told, {"m": fake_model(garbled=0.3, latency_s=0.002)})
    with open_run(tmp_path / "run") as reader:
        replayed = list(replay_run(reader))
        assert len(replayed) == len(reader) == 12
    assert [each for each in replayed if each.difference is not None] == []


def test_a_model_that_judges_is_asked_in_the_tables_of_models_alone(
    suite, play, models_of, fake_model, tmp_path
):
    models = {"m": fake_model(), "wise": fake_model()}
    config = replace(
        models_of("m", "wise", tables=[{"name": "m-plays", "everyone": "m"}]),
        judge=JudgeSpec(model="wise", every_steps=5),
    )
    done = play(suite.with_models(config), models)
    assert done.is_complete
    judged = {row.policy for row in done.rows if row.contract == "icn-model-judge"}
    assert judged == {"m-plays"}
    records = records_by_key(tmp_path / "run")
    calls = {key: record["judge_calls"] for key, record in records.items()}
    assert {key[:2] for key, asked in calls.items() if asked} == {("m-plays", "icn-model-judge")}
    assert sum(map(len, calls.values())) == len(models["wise"].asked) > 0
