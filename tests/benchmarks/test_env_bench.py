"""`commonweal bench env`: its rows, what they are beside, and the empty environments."""

from __future__ import annotations

import json

import numpy as np
import pytest
from pettingzoo.test import api_test, parallel_api_test

import cleanup_icn
import negotiation_games
from benchmarks import cli
from benchmarks.env_bench import (
    EnvBenchRow,
    Lap,
    measure,
    play_batch,
    play_parallel,
    play_turns,
    profile,
)
from benchmarks.env_bench_rows import Compilation
from benchmarks.env_bench_table import render_rows
from benchmarks.env_floor import CopiedCleanup, EmptyCleanup, EmptyNegotiation
from benchmarks.terminal import console

NAMES = [
    *("floor", "parallel-text", "parallel-vector", "aec", "contract"),
    *("batch-1", "batch-64", "batch-1024", "batch-4096", "batch-4096-noise"),
    *("negotiation-floor", "negotiation-vector", "negotiation-text"),
    *("negotiation-batch-1", "negotiation-batch-64", "negotiation-batch-1024"),
    *("batch-1024-n2", "batch-1024-n4", "batch-1024-n8", "batch-1024-n16"),
    *("floor-copied", "parallel-both", "parallel-vector-noise", "parallel-vector-n8"),
    *("batch-contract-1024", "batch-icn-1024"),
]


@pytest.fixture
def bench(capsys):
    """Run the command; returns its exit code, stdout and the lines it said."""

    def run(*arguments):
        code = cli.run(["bench", "env", *arguments])
        captured = capsys.readouterr()
        return code, captured.out, captured.err.splitlines()

    return run


@pytest.fixture
def vector_env():
    return cleanup_icn.parallel_env(observation="vector")


@pytest.fixture
def negotiation_env():
    return negotiation_games.raw_env(game="base", observation="vector")


def test_every_row_is_there_in_order_beside_the_floor(bench):
    code, out, said = bench("--quick", "--json")
    assert code == 0
    rows = {row["name"]: row for row in json.loads(out)}
    assert list(rows) == NAMES
    floor = rows["floor"]["agent_steps_per_s"]
    own = rows["negotiation-floor"]["agent_steps_per_s"]
    for name, row in rows.items():
        assert row["ratio_to_floor"] == pytest.approx(row["agent_steps_per_s"] / floor)
        assert row["low"] <= row["agent_steps_per_s"] <= row["high"]
        assert (row["bytes"] is not None) == ("batch" in name)
        beside = row["ratio_to_negotiation_floor"]
        assert (beside is not None) == name.startswith("negotiation")
        assert beside is None or beside == pytest.approx(row["agent_steps_per_s"] / own)
    lanes = [rows[f"batch-{b}"]["num_lanes"] for b in (1, 64, 1024, 4096)]
    assert lanes == [1, 64, 1024, 4096]
    assert [rows[f"batch-1024-n{n}"]["num_agents"] for n in (2, 4, 8, 16)] == [2, 4, 8, 16]
    per_lane = {b: rows[f"batch-{b}"]["bytes_per_lane"] for b in (1024, 4096)}
    assert per_lane[4096] == pytest.approx(per_lane[1024], rel=0.1)  # linear in B
    goals = {name: row["goal_ratio"] for name, row in rows.items() if row["goal_ratio"]}
    assert goals == {"parallel-text": 1 / 4, "parallel-vector": 1 / 1.5, "batch-4096": 100.0}
    assert any("repeat 2 of 2" in line for line in said)


def test_a_profile_names_the_functions_that_take_the_time(bench):
    code, out, _ = bench("--quick", "--json", "--profile", "parallel-vector")
    rows = json.loads(out)
    assert code == 0
    assert any(row["function"].startswith("cleanup_icn/env.py") for row in rows)
    assert [row["own_s"] for row in rows] == sorted((row["own_s"] for row in rows), reverse=True)
    assert 0.5 < sum(row["share"] for row in rows) <= 1


def test_a_profile_of_what_is_no_row_is_refused_with_the_rows(bench):
    code, out, said = bench("--profile", "batch-7")
    assert (code, out, len(said)) == (2, "", 1)
    assert "'batch-7'" in said[0]
    assert "batch-4096-noise" in said[0]


def row(name, *rates, **more):
    return EnvBenchRow(name=name, num_agents=2, num_lanes=1, rates=rates, floor=100.0, **more)


def test_a_row_is_the_median_of_its_repeats():
    told = row("batch-1", 700.0, 100.0, 300.0).to_dict()
    assert (told["agent_steps_per_s"], told["low"], told["high"], told["n"]) == (300, 100, 700, 3)
    assert told["ratio_to_floor"] == 3.0


@pytest.mark.parametrize(("goal", "met"), [(3.0, True), (3.1, False), (None, None)])
def test_a_goal_is_met_from_its_ratio_on(goal, met):
    assert row("batch-1", 300.0, goal=goal).to_dict()["goal_met"] is met


def told(rows, *, compiled_now=0, is_compiled=True):
    compilation = Compilation(kernels=5, compiled_now=compiled_now, seconds=7.0)
    shown = console()
    with shown.capture() as captured:
        shown.print(render_rows(rows, compilation, is_compiled=is_compiled))
    return " ".join(captured.get().split())


def test_the_table_says_whether_goals_are_met_and_where_to_look_if_not():
    words = told([row("parallel-vector", 50.0, goal=1 / 1.5), row("batch-1", 500.0, goal=4.0)])
    assert "parallel-vector takes at most 1.5 times the floor's time: 2.00 times, missed" in words
    assert "--profile parallel-vector" in words
    assert "batch-1 is at least 4 times as fast as the floor: 5 times, met" in words


def test_the_table_says_what_compiling_cost_or_that_there_was_none():
    rows = [row("floor", 100.0)]
    assert "2 kernels compiled now, 3 from the cache" in told(rows, compiled_now=2)
    interpreted = told(rows, is_compiled=False)
    assert "ran interpreted" in interpreted
    assert "commonweal[ppo]" in interpreted


def test_the_table_says_what_a_lane_takes():
    few = EnvBenchRow(
        name="batch-1024", num_agents=2, num_lanes=1024, rates=[1.0], floor=1.0, num_bytes=50_000
    )
    many = EnvBenchRow(
        name="batch-4096", num_agents=2, num_lanes=4096, rates=[1.0], floor=1.0, num_bytes=357_200
    )
    assert "from batch-1024 to batch-4096 each lane takes 100 bytes more" in told([few, many])


def test_plays_take_turns_and_each_gets_its_share():
    played = []

    def play(name, lap):
        return lambda: (played.append(name), lap)[1]

    plays = {"slow": play("slow", Lap(10, 0.5)), "fast": play("fast", Lap(100, 1.0))}
    rates = measure(plays, repeats=2, share_s=1.0, tell=lambda line: None)
    assert rates == {"slow": [20.0, 20.0], "fast": [100.0, 100.0]}
    assert played == ["slow", "slow", "fast"] * 2


def test_an_episode_counts_each_agent_in_each_step(vector_env, negotiation_env):
    assert play_parallel(vector_env)().agent_steps == 2 * 50
    assert play_turns(cleanup_icn.env(observation="vector"), num_actions=4)().agent_steps == 2 * 50
    turns = play_turns(negotiation_env, num_actions=negotiation_env.game.num_deals)().agent_steps
    assert turns == negotiation_env.num_turns + 1
    empty = EmptyNegotiation(negotiation_env)
    assert play_turns(empty, num_actions=1)().agent_steps == turns


class Lanes:
    """A batch that notes what it is given."""

    num_lanes, num_agents, num_actions = 3, 2, 5

    def __init__(self):
        self.given = []

    def reset(self, seeds=None):
        self.given.append(list(seeds))

    def step(self, actions):
        self.given.append(actions.shape)


@pytest.mark.parametrize(("in_turn", "shape"), [(False, (3, 2)), (True, (3,))])
def test_a_batch_is_given_seeds_and_an_action_for_all_that_act(in_turn, shape):
    lanes = Lanes()
    lap = play_batch(lanes, in_turn=in_turn)()
    assert lanes.given == [[0, 1, 2], shape]
    assert lap.agent_steps == np.prod(shape)


def test_a_profile_shows_the_slowest_first():
    def slow():
        return sum(range(20_000))

    def play():
        slow()
        return Lap(1, 1.0)

    first, *_ = profile(play, share_s=1.0)
    assert first.calls == 1
    assert 0 < first.share <= 1


def kinds(value):
    """The keys and the types of a nest of dictionaries."""
    if isinstance(value, dict):
        return {key: kinds(each) for key, each in value.items()}
    if isinstance(value, np.ndarray):
        return value.dtype, value.shape
    return type(value)


@pytest.mark.parametrize("floor", [EmptyCleanup, CopiedCleanup])
def test_the_floor_tells_what_cleanup_tells(vector_env, floor):
    empty = floor(vector_env)
    ours, floors = vector_env.reset(seed=0), empty.reset(seed=0)
    assert kinds(floors[0]) == kinds(ours[0])
    while vector_env.agents:
        actions = dict.fromkeys(vector_env.agents, 2)
        ours, floors = vector_env.step(actions), empty.step(actions)
        assert [kinds(part) for part in floors] == [kinds(part) for part in ours]
        assert floors[3] == ours[3]
    assert empty.agents == []
    parallel_api_test(empty, num_cycles=60)


def test_the_floor_of_the_negotiation_tells_what_it_tells(negotiation_env):
    empty = EmptyNegotiation(negotiation_env)
    for env in (negotiation_env, empty):
        env.reset(seed=0)
        env.step(1)
    agent = negotiation_env.agent_selection
    (seen, _, _, _, info), (floors, _, _, _, floor_info) = (
        (env.observe(name), *env.last(observe=False)[1:])
        for env, name in ((negotiation_env, agent), (empty, empty.agent_selection))
    )
    assert kinds(floors) == kinds(seen)
    assert list(floor_info) == list(info)
    api_test(empty, num_cycles=60)


@pytest.mark.parametrize("floor", [EmptyCleanup, CopiedCleanup])
def test_what_a_floor_hands_out_is_fresh(vector_env, negotiation_env, floor):
    empty = floor(vector_env)
    empty.reset()
    first = empty.step({"agent_0": 0, "agent_1": 0})
    again = empty.step({"agent_0": 0, "agent_1": 0})
    for agent in ("agent_0", "agent_1"):
        assert first[0][agent] is not again[0][agent]
        assert first[4][agent]["public"] is not again[4][agent]["public"]
        assert first[4][agent]["action_mask"] is not again[4][agent]["action_mask"]
        assert (first[4][agent]["step"], again[4][agent]["step"]) == (1, 2)
    # What agents share they share in the environment that is measured against it too.
    for told in (first[4], vector_env.reset(seed=0)[1]):
        shared = [
            name for name in told["agent_0"] if told["agent_0"][name] is told["agent_1"][name]
        ]
        assert {"public", "changed"} == {n for n in shared if isinstance(told["agent_0"][n], dict)}
    bargaining = EmptyNegotiation(negotiation_env)
    bargaining.reset()
    agent = bargaining.agent_selection
    assert bargaining.observe(agent) is not bargaining.observe(agent)
