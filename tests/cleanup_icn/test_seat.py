"""One seat of Cleanup, the others played by partners."""

from __future__ import annotations

import gymnasium
import numpy as np
import pytest

import cleanup_icn
from agents import Decision, RandomAgent
from cleanup_icn import ConfigError
from cleanup_icn.seat import CleanupSeatEnv
from cleanup_icn.state import CLEAN, HARVEST, MOVE, WAIT

WORLD = {"horizon_steps": 15, "prob_fruit_growth": 0.5, "prob_pollution_growth": 0.7}


def play(env, policy, *, seed=0):
    """Every step's return value when `policy(step)` plays the seat."""
    record = [env.reset(seed=seed)]
    while len(record) == 1 or not record[-1][3]:
        record.append(env.step(policy(len(record) - 1)))
    return record


def total(record):
    return sum(step[1] for step in record[1:])


def harvest_always(step):
    return HARVEST


def clean_for_good(step):
    return CLEAN if step else MOVE


def test_a_seat_among_harvesters_earns_its_part_of_thirteen():
    assert total(play(CleanupSeatEnv(), harvest_always)) == 6.5


@pytest.mark.parametrize(
    ("partner", "earned"), [("cleaner", 157.0), ("planner", 157.0), ("all-harvest", 6.5)]
)
def test_a_harvester_earns_what_its_partner_makes_possible(partner, earned):
    env = gymnasium.make("commonweal/CleanupSeat-v0", seat="agent_0", partners=partner)
    assert total(play(env, harvest_always)) == earned


def test_each_partner_can_be_chosen():
    env = CleanupSeatEnv(
        seat="agent_1",
        num_agents=3,
        partners={"agent_0": "all-harvest", "agent_2": "cleaner"},
    )
    assert total(play(env, harvest_always)) == pytest.approx(157 / 2)


def test_the_seat_may_be_any():
    assert total(play(CleanupSeatEnv(seat="agent_1"), clean_for_good)) == 0.0


def test_the_game_is_the_parallel_one_seen_from_the_seat():
    seat = CleanupSeatEnv(seat="agent_1", partners="cleaner", **WORLD)
    env = cleanup_icn.parallel_env(**WORLD)
    record = play(seat, harvest_always, seed=3)
    observations, infos = env.reset(seed=3)
    for step, (seen, reward, terminated, truncated, info) in enumerate(record[1:]):
        cleaner = MOVE if step == 0 else CLEAN if infos["agent_0"]["pollution"] else WAIT
        observations, rewards, _, truncations, infos = env.step(
            {"agent_0": cleaner, "agent_1": HARVEST}
        )
        assert seen["text"] == observations["agent_1"]["text"]
        assert np.array_equal(seen["observation"], observations["agent_1"]["observation"])
        assert (reward, truncated) == (rewards["agent_1"], truncations["agent_1"])
        assert not terminated
        assert info["harvested"] == infos["agent_1"]["harvested"]


@pytest.mark.parametrize(("kind", "space"), [("text", "Text"), ("vector", "Box"), ("both", "Dict")])
def test_the_seat_sees_what_it_asks_for_and_partners_see_everything(kind, space):
    env = CleanupSeatEnv(observation=kind, partners="cleaner", **WORLD)
    assert type(env.observation_space).__name__ == space
    for step in play(env, harvest_always):
        assert env.observation_space.contains(step[0])


def test_a_partner_may_be_a_function_of_its_observation():
    met = []

    def partner(observation):
        met.append(observation["text"].split(",")[0])
        return WAIT

    assert total(play(CleanupSeatEnv(partners=partner, horizon_steps=2), harvest_always)) == 8.0
    assert met == ["You are agent_1"] * 2


class Counting:
    """An agent that counts its episodes and waits."""

    def __init__(self):
        self.seeds = []

    def reset(self, *, seed):
        self.seeds.append(seed)

    def act(self, observation):
        return Decision(WAIT)


def test_an_agent_as_partner_is_reset_with_a_seed_of_its_own_every_episode():
    first, second = Counting(), Counting()
    env = CleanupSeatEnv(num_agents=3, partners={"agent_1": first, "agent_2": second})
    env.reset(seed=5)
    env.reset()
    assert len({*first.seeds, *second.seeds}) == 4
    seeds = first.seeds[:]
    env.reset(seed=5)
    assert first.seeds[2] == seeds[0]
    assert all(seed >= 0 for seed in first.seeds)


def test_an_agent_with_chance_plays_the_same_again_from_the_same_seed():
    partner = RandomAgent()
    env = CleanupSeatEnv(partners=partner, **WORLD)
    first, second, other = (
        [step[0]["text"] for step in play(env, harvest_always, seed=seed)] for seed in (1, 1, 2)
    )
    assert first == second != other


def test_options_of_a_reset_are_cleanups():
    seen, info = CleanupSeatEnv().reset(seed=0, options={"pollution_initial": 4})
    assert info["pollution"] == 4
    assert "Pollution 4" in seen["text"]


def test_the_seat_can_be_drawn():
    env = CleanupSeatEnv(render_mode="ansi")
    env.reset(seed=0)
    assert env.render().startswith("step 0/50")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"seat": "agent_2"}, "seat = 'agent_2': expected one of agent_0, agent_1"),
        ({"partners": "nice"}, "partners = 'nice': expected one of all-harvest"),
        ({"partners": 3}, "partners = 3: expected one of all-harvest"),
        ({"partners": {"agent_0": "cleaner"}}, "expected one for each of agent_1"),
        ({"partners": {}}, "expected one for each of agent_1"),
        ({"observation": "smell"}, "observation = 'smell': expected one of both, text, vector"),
        ({"num_agents": 1}, "num_agents = 1"),
    ],
)
def test_what_cannot_be_is_refused_by_name(arguments, message):
    with pytest.raises(ConfigError, match=message):
        CleanupSeatEnv(**arguments)


def test_partners_may_be_listed_in_the_order_of_their_names():
    env = CleanupSeatEnv(seat="agent_1", partners=["all-harvest", "cleaner"], num_agents=3)
    env.reset(seed=0)
    _, _, _, _, info = env.step(0)
    assert info["fruit"] == 10 - 4 + 3
    with pytest.raises(ConfigError, match="one for each of agent_0, agent_2"):
        CleanupSeatEnv(seat="agent_1", partners=["all-harvest"], num_agents=3)


def test_a_planner_plays_from_a_start_that_a_large_game_was_not_solved_for():
    env = CleanupSeatEnv(partners="planner", pollution_max=1000, fruit_max=1000, horizon_steps=4)
    env.reset(seed=0, options={"fruit_initial": 7})
    done = False
    while not done:
        _, _, _, done, info = env.step(2)
    assert info["step"] == 4
