import numpy as np
import pytest
from gymnasium import spaces

from agents.ppo import PythonLanes


def play(lanes, num_steps, *, seeds=None):
    """Observations, rewards, ends and masks of random play, each stacked over steps."""
    rng = np.random.default_rng(0)
    observation, mask = lanes.reset(seeds)
    nothing = np.zeros(lanes.num_lanes)
    trace = [(observation, nothing, nothing, mask)]
    for _ in range(num_steps):
        actions = rng.integers(lanes.num_actions, size=(lanes.num_lanes, lanes.num_agents))
        trace.append(lanes.step(actions)[:4])
    return trace


def same(trace, other):
    return all(
        np.array_equal(a, b)
        for row, other_row in zip(trace, other, strict=True)
        for a, b in zip(row, other_row, strict=True)
    )


@pytest.mark.parametrize("num_agents", [1, 2, 5])
def test_lanes_equal_their_environments_played_alone(make_symbol_game, num_agents):
    make = make_symbol_game(horizon_steps=4, num_agents=num_agents)
    seeds = [5, 2**32 - 1, 7]
    trace = play(PythonLanes(make, 3, auto_reset=True), 9, seeds=seeds)
    rng = np.random.default_rng(0)
    alone = [make() for _ in seeds]
    for lane, seed in zip(alone, seeds, strict=True):
        lane.reset(seed=seed)
    for observation, reward, ended, mask in trace[1:]:
        actions = rng.integers(3, size=(3, num_agents))
        for index, lane in enumerate(alone):
            lane_actions = dict(zip(lane.possible_agents, actions[index], strict=True))
            seen, rewards, *_, infos = lane.step(lane_actions)
            assert ended[index] == (not lane.agents)
            if ended[index]:
                seen, infos = lane.reset()
            assert np.array_equal(observation[index], list(seen.values()))
            assert reward[index].tolist() == list(rewards.values())
            assert mask[index].tolist() == [info["action_mask"].tolist() for info in infos.values()]


def test_a_lane_plays_the_same_whatever_the_number_of_lanes(make_symbol_game):
    few, many = (PythonLanes(make_symbol_game(horizon_steps=3), n, auto_reset=True) for n in (2, 6))
    few.reset([1, 2])
    many.reset([1, 2, 3, 4, 5, 6])
    for _ in range(8):
        observation = few.step(np.zeros((2, 2), int))[0]
        assert np.array_equal(observation, many.step(np.zeros((6, 2), int))[0][:2])


def test_a_reset_without_seeds_starts_the_next_episode(make_symbol_game):
    make = make_symbol_game(horizon_steps=2)
    waiting, restarting = PythonLanes(make, 2), PythonLanes(make, 2, auto_reset=True)
    waiting.reset([1, 2])
    restarting.reset([1, 2])
    for _ in range(2):
        actions = np.zeros((2, 2), int)
        waiting.step(actions)
        observation, *_ = restarting.step(actions)
    assert np.array_equal(waiting.reset()[0], observation)


def test_without_automatic_restarts_an_ended_lane_cannot_be_stepped(make_symbol_game):
    lanes = PythonLanes(make_symbol_game(horizon_steps=1), 2)
    lanes.reset([1, 2])
    lanes.step(np.zeros((2, 2), int))
    with pytest.raises(ValueError, match="lane 0 has ended: expected a reset"):
        lanes.step(np.zeros((2, 2), int))


def test_options_are_drawn_for_every_episode_and_repeat_with_the_seed(make_symbol_game):
    drawn = []

    def draw(rng):
        drawn.append(int(rng.integers(3)))
        return {"first_symbol": drawn[-1]}

    make = make_symbol_game(horizon_steps=2)
    traces = [
        play(PythonLanes(make, 3, reset_options=draw, auto_reset=True), 40, seeds=[4, 5, 6])
        for _ in range(2)
    ]
    half = len(drawn) // 2
    assert half == 3 * 21
    assert set(drawn) == {0, 1, 2}
    assert drawn[:half] == drawn[half:]
    assert same(*traces)


@pytest.mark.parametrize("terminates", [True, False])
def test_an_ended_lane_restarts_and_tells_its_last_observation(make_symbol_game, terminates):
    make = make_symbol_game(horizon_steps=2, terminates=terminates)
    lanes = PythonLanes(make, 2, auto_reset=True)
    lanes.reset([1, 2])
    actions = np.zeros((2, 2), int)
    assert not lanes.step(actions)[2].any()
    observation, _, ended, _, features = lanes.step(actions)
    assert ended.all()
    assert (observation[:, :, 1] == 0).all()
    assert (features.last_observation[:, :, 1] == 1).all()
    assert (features.terminated == terminates).all()


def test_what_was_returned_does_not_change_with_the_next_step(make_symbol_game):
    lanes = PythonLanes(make_symbol_game(), 2)
    results = [*lanes.reset([1, 2])]
    kept = [array.copy() for array in results]
    for _ in range(5):
        step = lanes.step(np.ones((2, 2), int))
        results += step[:4]
        kept += [array.copy() for array in step[:4]]
    assert all(np.array_equal(a, b) for a, b in zip(results, kept, strict=True))


def test_without_masks_everything_is_legal(make_symbol_game):
    lanes = PythonLanes(make_symbol_game(masked=False), 2)
    assert lanes.reset([1, 2])[1].all()
    assert lanes.step(np.zeros((2, 2), int))[3].all()


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
        PythonLanes(make_lane, 2)


def test_at_least_one_lane_is_needed(make_symbol_game):
    with pytest.raises(ValueError, match="num_lanes = 0: expected"):
        PythonLanes(make_symbol_game(), 0)


@pytest.mark.parametrize("seeds", [[1], [1, 2, 3], 4])
def test_every_lane_needs_a_seed_of_its_own(make_symbol_game, seeds):
    with pytest.raises(ValueError, match=r"seeds = .*: expected 2 integers, one a lane"):
        PythonLanes(make_symbol_game(), 2).reset(seeds)


def test_an_agent_that_leaves_before_the_others_is_refused(make_symbol_game):
    def make_lane():
        lane = make_symbol_game()()
        whole_step = lane.step

        def step(actions):
            observations, rewards, terminations, truncations, infos = whole_step(actions)
            return observations, rewards, {**terminations, "agent_1": True}, truncations, infos

        lane.step = step
        return lane

    lanes = PythonLanes(make_lane, 2)
    lanes.reset([1, 2])
    with pytest.raises(ValueError, match=r"agents that left = \['agent_1'\]: expected all of"):
        lanes.step(np.zeros((2, 2), int))
