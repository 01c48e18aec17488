"""What a run may cost and ask at once, dealt out."""

from __future__ import annotations

from dataclasses import fields, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.executors.shares import (
    Purse,
    divided,
    gpus_of_worker,
    num_shares,
    runs_models,
    summed,
)
from benchmarks.model_config import Budget, ClientSpec, RunSettings
from benchmarks.serving import Serving


def used(**counts):
    return Serving(**{**dict.fromkeys((field.name for field in fields(Serving)), 0), **counts})


@given(
    st.integers(1, 1000),
    st.floats(0.01, 100.0),
    st.lists(st.tuples(st.integers(1, 5), st.floats(0.0, 1.0)), max_size=20),
)
def test_shares_never_come_to_more_than_there_is(requests, money, turns):
    purse, spent, held = Purse(Budget(requests=requests, money=money)), [0, 0.0], []
    for one_of, part in turns:
        share = purse.take(one_of=one_of, elapsed_s=0.0)
        if share is None:
            continue
        held.append(share)
        assert spent[0] + sum(each.requests for each in held) <= requests
        assert spent[1] + sum(each.money for each in held) <= money * (1 + 1e-9)
        if part > 0.5:
            share = held.pop(0)
            made = used(requests=int(part * share.requests), money=part * share.money)
            purse.give_back(share, made)
            spent = [spent[0] + made.requests, spent[1] + made.money]


def test_what_was_not_spent_is_dealt_out_again():
    purse = Purse(Budget(tokens=100))
    first, second = purse.take(one_of=2, elapsed_s=0.0), purse.take(one_of=1, elapsed_s=0.0)
    assert (first.tokens, second.tokens) == (50, 50)
    assert purse.take(one_of=1, elapsed_s=0.0) is None
    purse.give_back(first, used(prompt_tokens=10, completion_tokens=5))
    assert purse.take(one_of=1, elapsed_s=0.0).tokens == 35


def test_seconds_are_everybodys_and_pass():
    purse = Purse(Budget(seconds=60.0))
    assert purse.take(one_of=3, elapsed_s=20.0).seconds == 40.0
    assert purse.take(one_of=3, elapsed_s=60.0) is None


def test_without_a_budget_there_is_no_end():
    assert Purse(Budget()).take(one_of=7, elapsed_s=1e9) == Budget()


@given(in_flight=st.integers(1, 100), episodes=st.integers(1, 100), at_most=st.integers(1, 20))
def test_workers_ask_no_more_at_a_time_than_one_would(in_flight, episodes, at_most, models_of):
    run = RunSettings(max_in_flight=in_flight, max_episodes_in_flight=episodes)
    models = replace(models_of("fake"), run=run)
    by = num_shares(models, at_most=at_most)
    share = divided(models, by=by, budget=Budget(requests=3))
    assert 1 <= by <= at_most
    assert share.run.max_in_flight * by <= in_flight
    assert share.run.max_episodes_in_flight * by <= episodes
    assert share.budget == Budget(requests=3)


@pytest.mark.parametrize(
    ("budget", "run", "shares"),
    [
        ({}, {}, 8),
        ({"requests": 3}, {}, 3),
        ({"tokens": 2}, {}, 2),
        ({}, {"max_in_flight": 5}, 5),
        ({}, {"max_episodes_in_flight": 1}, 1),
    ],
)
def test_there_are_no_more_shares_than_can_be_asked_with(budget, run, shares, models_of):
    models = replace(models_of("fake"), budget=Budget(**budget), run=RunSettings(**run))
    assert num_shares(models, at_most=8) == shares


def test_an_adaptive_limit_is_found_by_each_worker(models_of):
    models = replace(models_of("fake"), run=RunSettings())
    assert divided(models, by=4, budget=Budget()).run == RunSettings()


@pytest.mark.parametrize(
    ("kind", "gpus", "needed"),
    [("stub", None, 0), ("vllm", None, 1), ("vllm", 4, 4), ("transformers", None, 0)],
)
def test_a_worker_has_the_gpus_of_the_models_it_runs(kind, gpus, needed, models_of):
    models = models_of("a", "b")
    client = ClientSpec(kind=kind, gpus=gpus)
    specs = {name: replace(spec, client=client) for name, spec in models.models.items()}
    models = replace(models, models={**specs, "c": replace(specs["a"], name="c")})
    assert gpus_of_worker(models) == 2 * needed  # c is the model of a
    assert runs_models(models) == (kind != "stub")


def test_gpus_of_servers_are_not_those_of_workers(models_of):
    models = models_of("a")
    client = ClientSpec(kind="openai", base_urls=["http://127.0.0.1:1/v1"], gpus=8)
    models = replace(models, models={"a": replace(models.models["a"], client=client)})
    assert gpus_of_worker(models) == 0


def test_counts_of_all_workers_add_up():
    total = summed([used(requests=2, in_flight=1), used(requests=3, in_flight=4)], seconds=2.0)
    assert (total.requests, total.in_flight, total.seconds) == (5, 5, 2.0)
    assert total.requests_per_s == 2.5
