"""Negotiators of negmas on one seat of a negotiation that proposes in turn."""

from __future__ import annotations

import random
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("negmas", reason="the extra [negmas] is not installed")

from hypothesis import given, settings
from hypothesis import strategies as st

from agents import Agent, Decision
from agents.negmas_agent import NEGOTIATORS, Ballot, Heard, NegmasAgent

NUM_OPTIONS = (3, 2, 4)
NUM_OUTCOMES = 24
POINTS = tuple(float(17 * k % 23) for k in range(NUM_OUTCOMES))
BEST = POINTS.index(max(POINTS))
ROOT = Path(__file__).resolve().parents[2]

offers = st.lists(st.integers(0, NUM_OUTCOMES - 1), max_size=3).map(tuple)
talks = st.lists(offers, min_size=4, max_size=4)


def negotiator(name, *, points=POINTS, reserved_value=9.0, num_turns=4):
    return NegmasAgent(
        name,
        num_options=NUM_OPTIONS,
        utilities=points,
        reserved_value=reserved_value,
        num_turns=num_turns,
        read=lambda heard: heard,
    )


def proposals(agent, heard, *, seed=0):
    """Play one episode in which the others propose what is heard before each turn."""
    agent.reset(seed=seed)
    return [agent.act(Heard(offered)).action for offered in heard]


@pytest.mark.parametrize("name", NEGOTIATORS)
def test_every_negotiator_is_an_agent_that_proposes_outcomes(name):
    agent = negotiator(name)
    assert isinstance(agent, Agent)
    decision = agent.act(Heard((3, 5)))
    assert decision == Decision(action=decision.action)
    assert type(decision.action) is int
    assert 0 <= decision.action < NUM_OUTCOMES


@pytest.mark.parametrize("name", NEGOTIATORS)
def test_it_begins_with_its_best_where_nothing_was_offered(name):
    assert proposals(negotiator(name), [()]) == [BEST]


# Tit for tat gives as much as it gets, and below its reserve if others go there.
@pytest.mark.parametrize("name", [name for name in NEGOTIATORS if name != "tit-for-tat"])
@settings(max_examples=25)
@given(heard=talks)
def test_it_proposes_nothing_below_its_reserve(name, heard):
    assert all(POINTS[each] >= 9.0 for each in proposals(negotiator(name), heard))


def test_those_who_watch_the_clock_ask_for_less_with_every_turn():
    points = [float(k) for k in range(NUM_OUTCOMES)]
    asked = {
        name: proposals(negotiator(name, points=points, reserved_value=0.0), [()] * 4)
        for name in ("boulware", "linear", "conceder")
    }
    for each in asked.values():
        assert each[0] == NUM_OUTCOMES - 1
        assert each == sorted(each, reverse=True)
        assert each[-1] == 0
    assert asked["linear"] == [23, 16, 8, 0]
    assert all(b >= a >= c for b, a, c in zip(*asked.values(), strict=True))


@pytest.mark.parametrize("num_turns", [1, 2, 7])
def test_the_last_turn_is_the_end_of_time(num_turns):
    points = [float(k) for k in range(NUM_OUTCOMES)]
    agent = negotiator("linear", points=points, reserved_value=5.0, num_turns=num_turns)
    made = proposals(agent, [()] * num_turns)
    assert made[-1] == 5
    assert 5 not in made[:-1]


def test_what_it_accepts_it_proposes_again():
    points = [float(k) for k in range(NUM_OUTCOMES)]
    agent = negotiator("linear", points=points, reserved_value=0.0)
    assert proposals(agent, [(), (), (20,)]) == [23, 16, 20]
    assert proposals(agent, [(), (20,), (4,)]) == [23, 20, 8]


def test_the_latest_offer_is_the_one_that_stands():
    points = [float(k) for k in range(NUM_OUTCOMES)]
    agent = negotiator("linear", points=points, reserved_value=0.0)
    assert proposals(agent, [(), (20, 2)]) == [23, 16]
    assert proposals(agent, [(), (2, 20)]) == [23, 20]


def test_of_outcomes_worth_the_same_the_order_of_their_numbers_decides():
    points = [float(k // 4) for k in range(NUM_OUTCOMES)]
    in_time = negotiator("linear", points=points, reserved_value=2.0)
    assert proposals(in_time, [()] * 4) == [20, 16, 12, 8]
    one_by_one = negotiator("rational", points=points, reserved_value=2.0)
    assert proposals(one_by_one, [()] * 4) == [23, 22, 21, 20]


def test_micro_concedes_as_often_as_it_hears_something_new():
    points = [float(k) for k in range(NUM_OUTCOMES)]
    agent = negotiator("micro", points=points, reserved_value=0.0, num_turns=9)
    assert proposals(agent, [(), (1,), (1,), (2, 3), (2,)])[:2] == [23, 22]
    heard_three = proposals(agent, [(), (1,), (2,), (3,)])
    assert heard_three == [23, 22, 21, 20]
    repeated = proposals(agent, [(), (1,), (1,), (1,)])
    assert {*repeated} == {23, 22}


@pytest.mark.parametrize("name", NEGOTIATORS)
def test_it_votes_for_its_best_and_against_what_is_below_its_reserve(name):
    agent = negotiator(name)
    proposals(agent, [(), (), (), ()])
    worst = POINTS.index(min(POINTS))
    assert agent.act(Heard((), Ballot(BEST, 30, 31))).action == 30
    assert agent.act(Heard((), Ballot(worst, 30, 31))).action == 31


@pytest.mark.parametrize("name", NEGOTIATORS)
@settings(max_examples=15)
@given(heard=talks, seed=st.integers(0, 2**32 - 1), noise=st.integers(0, 99))
def test_the_same_seed_gives_the_same_episode_whatever_ran_before(name, heard, seed, noise):
    first = proposals(negotiator(name), heard, seed=seed)
    random.seed(noise)
    np.random.seed(noise)  # noqa: NPY002 - it is this generator that must not matter
    used = negotiator(name)
    proposals(used, heard[::-1], seed=noise)
    assert proposals(used, heard, seed=seed) == first


@pytest.mark.parametrize("name", NEGOTIATORS)
def test_it_leaves_global_chance_as_it_was(name):
    before = random.getstate(), np.random.get_state()[1].tolist()  # noqa: NPY002
    proposals(negotiator(name), [(), (1,), (1,), (1, 2)], seed=3)
    assert (random.getstate(), np.random.get_state()[1].tolist()) == before  # noqa: NPY002


def test_what_micro_repeats_follows_from_the_seed():
    agent = negotiator("micro", num_turns=30)
    heard = [(), (1,), (2,), (3,), *[(1,)] * 20]
    played = {seed: proposals(agent, heard, seed=seed) for seed in range(4)}
    assert proposals(agent, heard, seed=2) == played[2]
    assert len({tuple(each) for each in played.values()}) > 1


def test_agents_in_threads_do_not_disturb_each_other():
    heard = [(), (1,), (2,), *[(1,)] * 20]
    names = [name for name in NEGOTIATORS for _ in range(2)]
    alone = [proposals(negotiator(name), heard, seed=k) for k, name in enumerate(names)]
    together = [None] * len(names)

    def play(k):
        for _ in range(3):
            together[k] = proposals(negotiator(names[k]), heard, seed=k)

    threads = [threading.Thread(target=play, args=(k,)) for k in range(len(names))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert together == alone


def test_another_process_plays_the_same():
    program = (
        "from agents.negmas_agent import *\n"
        f"points = {list(POINTS)}\n"
        "for name in NEGOTIATORS:\n"
        f"    agent = NegmasAgent(name, num_options={NUM_OPTIONS}, utilities=points,\n"
        "        reserved_value=9.0, num_turns=9, read=lambda heard: heard)\n"
        "    agent.reset(seed=7)\n"
        "    print([agent.act(Heard((k, 2))).action for k in (1, 5, 1, 8, 1, 1, 1, 1, 1)])\n"
    )
    ran = [
        subprocess.run(
            [sys.executable, "-c", program],
            cwd=ROOT,
            env={"PYTHONHASHSEED": str(hash_seed)},
            check=True,
            capture_output=True,
            text=True,
        ).stdout
        for hash_seed in (0, 1)
    ]
    assert ran[0] == ran[1]
    assert len(ran[0].splitlines()) == len(NEGOTIATORS)


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"name": "nobody"}, "negotiator = 'nobody': expected one of aspiration, boulware"),
        ({"points": (1.0, 2.0)}, "utilities = 2 numbers: expected 24"),
        ({"num_turns": 0}, "num_turns = 0: expected an integer of at least 1"),
    ],
)
def test_what_cannot_be_is_refused(wrong, told):
    with pytest.raises(ValueError, match=told):
        negotiator(**{"name": "linear", **wrong})
