import numpy as np
import pytest
from gymnasium import spaces
from sb3_contrib.common.maskable.utils import get_action_masks, is_masking_supported

from agents.ppo import LaneVecEnv


def play(vec_env, num_steps, *, seed=0):
    """Observations, rewards, ends and masks of random play, each stacked over steps."""
    rng = np.random.default_rng(seed)
    trace = [(vec_env.reset(), np.zeros(vec_env.num_envs), np.zeros(vec_env.num_envs), None)]
    for _ in range(num_steps):
        actions = rng.integers(vec_env.action_space.n, size=vec_env.num_envs)
        observations, rewards, dones, _ = vec_env.step(actions)
        trace.append((observations, rewards, dones, vec_env.action_masks()))
    return trace


def same(trace, other):
    return all(
        np.array_equal(a, b)
        for row, other_row in zip(trace, other, strict=True)
        for a, b in zip(row, other_row, strict=True)
        if a is not None
    )


@pytest.mark.parametrize("num_agents", [1, 2, 5])
def test_rows_are_lanes_of_agents_and_equal_the_lanes_played_alone(make_symbol_game, num_agents):
    make = make_symbol_game(horizon_steps=4, num_agents=num_agents)
    vec_env = LaneVecEnv(make, 3, seed=5)
    lane_seeds = vec_env.seed(5)[::num_agents]
    trace = play(vec_env, 3)
    rng = np.random.default_rng(0)
    alone = [make() for _ in range(3)]
    for lane, seed in zip(alone, lane_seeds, strict=True):
        lane.reset(seed=seed)
    for observations, rewards, dones, masks in trace[1:]:
        actions = rng.integers(3, size=3 * num_agents)
        for index, lane in enumerate(alone):
            rows = slice(index * num_agents, (index + 1) * num_agents)
            lane_actions = dict(zip(lane.possible_agents, actions[rows], strict=True))
            lane_observations, lane_rewards, *_, infos = lane.step(lane_actions)
            assert np.array_equal(observations[rows], list(lane_observations.values()))
            assert rewards[rows].tolist() == list(lane_rewards.values())
            assert masks[rows].tolist() == [
                info["action_mask"].astype(bool).tolist() for info in infos.values()
            ]
        assert not dones.any()


def test_the_same_seed_repeats_everything_and_another_does_not(make_symbol_game):
    make = make_symbol_game(horizon_steps=3)
    vec_env = LaneVecEnv(make, 2, seed=1)
    first = play(vec_env, 10)
    vec_env.seed(1)
    assert same(first, play(vec_env, 10))
    assert same(first, play(LaneVecEnv(make, 2, seed=1), 10))
    assert not same(first, play(LaneVecEnv(make, 2, seed=2), 10))


def test_a_lane_plays_the_same_whatever_the_number_of_lanes(make_symbol_game):
    few, many = (LaneVecEnv(make_symbol_game(horizon_steps=3), n, seed=1) for n in (2, 6))
    few.reset()
    many.reset()
    for _ in range(8):
        observations = few.step(np.zeros(4, int))[0]
        assert np.array_equal(observations, many.step(np.zeros(12, int))[0][:4])


def test_only_the_first_reset_after_a_seed_is_seeded(make_symbol_game):
    vec_env = LaneVecEnv(make_symbol_game(horizon_steps=2), 2, seed=1)
    play(vec_env, 5)
    for seeds in vec_env.get_attr("seeds"):
        assert seeds[0] is not None
        assert seeds[1:] == [None, None]


def test_options_are_drawn_for_every_episode_and_repeat_with_the_seed(make_symbol_game):
    def draw(rng):
        return {"first_symbol": int(rng.integers(3))}

    make = make_symbol_game(horizon_steps=2)
    vec_env, twin = (LaneVecEnv(make, 3, seed=1, reset_options=draw) for _ in range(2))
    play(vec_env, 40)
    play(twin, 40)
    drawn = vec_env.get_attr("options")[::2]
    assert drawn == twin.get_attr("options")[::2]
    assert all({o["first_symbol"] for o in options} == {0, 1, 2} for options in drawn)
    assert drawn[0] != drawn[1]


@pytest.mark.parametrize(
    ("terminates", "bootstrap", "counted"),
    [(False, True, True), (False, False, False), (True, True, False)],
)
def test_an_ended_lane_restarts_and_hands_over_its_last_observation(
    make_symbol_game, terminates, bootstrap, counted
):
    make = make_symbol_game(horizon_steps=2, terminates=terminates)
    vec_env = LaneVecEnv(make, 2, seed=1, bootstrap_truncation=bootstrap)
    vec_env.reset()
    vec_env.step(np.zeros(4, int))
    observations, _, dones, infos = vec_env.step(np.zeros(4, int))
    assert dones.all()
    assert (observations[:, 1] == 0).all()
    for info in infos:
        assert info["terminal_observation"][1] == 1.0
        assert info["TimeLimit.truncated"] is counted
    *_, dones, infos = vec_env.step(np.zeros(4, int))
    assert not dones.any()
    assert not any("terminal_observation" in info for info in infos)


def test_what_was_returned_does_not_change_with_the_next_step(make_symbol_game):
    vec_env = LaneVecEnv(make_symbol_game(), 2, seed=1)
    observations, masks = vec_env.reset(), vec_env.env_method("action_masks")
    kept = observations.copy(), np.stack(masks)
    for _ in range(5):
        vec_env.step(np.zeros(4, int))
    assert np.array_equal(observations, kept[0])
    assert np.array_equal(np.stack(masks), kept[1])


def test_rewards_are_scaled_for_the_learner(make_symbol_game):
    traces = [
        play(LaneVecEnv(make_symbol_game(), 2, seed=1, reward_scale=scale), 20)
        for scale in (1.0, 0.25)
    ]
    full, quarter = (np.array([rewards for _, rewards, *_ in trace]) for trace in traces)
    assert full.sum() > 0
    assert np.array_equal(full * 0.25, quarter)


def test_masks_reach_the_masked_learner(make_symbol_game):
    vec_env = LaneVecEnv(make_symbol_game(), 4, seed=1)
    vec_env.reset()
    masks = get_action_masks(vec_env)
    assert is_masking_supported(vec_env)
    assert masks.shape == (8, 3)
    assert (masks.sum(axis=1) == 2).all()
    assert np.array_equal(vec_env.env_method("action_masks", indices=[6, 1]), masks[[6, 1]])
    assert np.array_equal(vec_env.get_attr("action_masks", indices=2)[0](), masks[2])


def test_without_masks_everything_is_legal(make_symbol_game):
    vec_env = LaneVecEnv(make_symbol_game(masked=False), 2, seed=1)
    vec_env.reset()
    vec_env.step(np.zeros(4, int))
    assert get_action_masks(vec_env).all()


def spaces_of(make, observation_spaces=None, action_spaces=None):
    def make_lane():
        lane = make()
        if observation_spaces:
            lane.observation_space = observation_spaces.__getitem__
        if action_spaces:
            lane.action_space = action_spaces.__getitem__
        return lane

    return make_lane


def pair(first, second):
    return {"agent_0": first, "agent_1": second}


BOX = spaces.Box(0, 1, (5,))


@pytest.mark.parametrize(
    ("observation_spaces", "action_spaces", "message"),
    [
        (pair(*[spaces.Dict(observation=BOX)] * 2), None, "expected a Box of one axis"),
        (pair(*[spaces.Box(0, 1, (5, 5))] * 2), None, "expected a Box of one axis"),
        (pair(BOX, spaces.Box(0, 1, (6,))), None, "spaces of agent_1 = .* expected those"),
        (None, pair(*[BOX] * 2), "expected a Discrete that starts at 0"),
        (None, pair(*[spaces.Discrete(3, start=1)] * 2), "expected a Discrete that starts at 0"),
        (None, pair(spaces.Discrete(3), spaces.Discrete(4)), "spaces of agent_1 = .* expected"),
    ],
)
def test_spaces_that_do_not_fit_into_rows_are_refused(
    make_symbol_game, observation_spaces, action_spaces, message
):
    make_lane = spaces_of(make_symbol_game(), observation_spaces, action_spaces)
    with pytest.raises(ValueError, match=message):
        LaneVecEnv(make_lane, 2, seed=0)


def test_at_least_one_lane_is_needed(make_symbol_game):
    with pytest.raises(ValueError, match="num_lanes = 0: expected"):
        LaneVecEnv(make_symbol_game(), 0, seed=0)


def test_an_agent_that_leaves_before_the_others_is_refused(make_symbol_game):
    def make_lane():
        lane = make_symbol_game()()
        whole_step = lane.step

        def step(actions):
            observations, rewards, terminations, truncations, infos = whole_step(actions)
            return observations, rewards, {**terminations, "agent_1": True}, truncations, infos

        lane.step = step
        return lane

    vec_env = LaneVecEnv(make_lane, 2, seed=0)
    vec_env.reset()
    with pytest.raises(ValueError, match=r"agents that left = \['agent_1'\]: expected all of"):
        vec_env.step(np.zeros(4, int))


def test_lanes_have_no_settable_attributes_and_no_other_row_methods(make_symbol_game):
    vec_env = LaneVecEnv(make_symbol_game(), 1, seed=0)
    assert not vec_env.has_attr("no_such_thing")
    assert vec_env.env_is_wrapped(object) == [False, False]
    with pytest.raises(NotImplementedError, match="let make_lane set it"):
        vec_env.set_attr("horizon_steps", 3)
    with pytest.raises(AttributeError, match="expected 'action_masks'"):
        vec_env.env_method("render")
