import numpy as np
import pytest
from sb3_contrib.common.maskable.utils import get_action_masks, is_masking_supported

from agents.ppo import BatchVecEnv, PythonLanes, lane_seeds


@pytest.fixture
def rows_of(make_symbol_game):
    """Makes rows of symbol games, seeded."""

    def make(num_lanes=2, *, seed=1, reward_scale=1.0, bootstrap_truncation=False, **config):
        lanes = PythonLanes(make_symbol_game(**config), num_lanes, auto_reset=True)
        rows = BatchVecEnv(
            lanes, reward_scale=reward_scale, bootstrap_truncation=bootstrap_truncation
        )
        rows.seed(seed)
        return rows

    return make


def play(rows, num_steps):
    """Observations, rewards and ends of random play, stacked over steps."""
    rng = np.random.default_rng(0)
    trace = [(rows.reset(), np.zeros(rows.num_envs), np.zeros(rows.num_envs))]
    for _ in range(num_steps):
        trace.append(rows.step(rng.integers(3, size=rows.num_envs))[:3])
    return [np.array(each) for each in zip(*trace, strict=True)]


@pytest.mark.parametrize("num_agents", [1, 3])
def test_rows_are_the_agents_of_lane_after_lane(make_symbol_game, rows_of, num_agents):
    rows = rows_of(4, horizon_steps=3, num_agents=num_agents)
    lanes = PythonLanes(
        make_symbol_game(horizon_steps=3, num_agents=num_agents), 4, auto_reset=True
    )
    observation, mask = lanes.reset(lane_seeds(1, 4))
    assert np.array_equal(rows.reset(), observation.reshape(4 * num_agents, -1))
    rng = np.random.default_rng(0)
    for _ in range(7):
        actions = rng.integers(3, size=(4, num_agents))
        observation, reward, ended, mask, _ = lanes.step(actions)
        given = rows.step(actions.reshape(-1))
        assert np.array_equal(given[0], observation.reshape(4 * num_agents, -1))
        assert given[1].tolist() == reward.reshape(-1).tolist()
        assert given[2].tolist() == [end for end in ended for _ in range(num_agents)]
        assert np.array_equal(rows.action_masks(), mask.reshape(4 * num_agents, -1))
        assert given[3] == [{}] * (4 * num_agents)


def test_the_same_seed_repeats_everything_and_another_does_not(rows_of):
    rows = rows_of(horizon_steps=3)
    first = play(rows, 10)
    onwards = play(rows, 10)
    rows.seed(1)
    assert all(map(np.array_equal, first, play(rows, 10)))
    assert not all(map(np.array_equal, first, onwards))
    assert not all(map(np.array_equal, first, play(rows_of(horizon_steps=3, seed=2), 10)))


def test_lanes_of_training_are_seeded_apart_from_those_of_evaluation():
    seeds = lane_seeds(7, 1000)
    assert seeds.min() >= 2**31
    assert seeds.max() < 2**32
    assert np.unique(seeds).size > 990
    assert np.array_equal(seeds[:3], lane_seeds(7, 3))
    assert not np.isin(seeds, lane_seeds(8, 1000)).any()


def test_every_row_knows_the_seed_of_its_lane(rows_of):
    rows = rows_of(3)
    assert rows.seed(9) == lane_seeds(9, 3).repeat(2).tolist()
    assert rows.seed() != rows.seed()


@pytest.mark.parametrize(("terminates", "is_valued"), [(False, True), (True, False)])
def test_what_lies_past_a_truncation_is_valued_where_that_is_wanted(rows_of, terminates, is_valued):
    rows = rows_of(horizon_steps=2, terminates=terminates, bootstrap_truncation=True)
    rows.reset()
    assert rows.step(np.zeros(4, int))[3] == [{}] * 4
    *_, dones, infos = rows.step(np.zeros(4, int))
    assert dones.all()
    for row, info in enumerate(infos):
        assert bool(info) == is_valued
        if is_valued:
            assert info["TimeLimit.truncated"]
            assert info["terminal_observation"][:2].tolist() == [row % 2, 1.0]


def test_valuing_truncations_takes_a_batch_that_tells_last_observations(lanes_of):
    lanes = lanes_of(2)
    step = lanes.step
    lanes.step = lambda actions: (*step(actions)[:4], None)
    rows = BatchVecEnv(lanes, bootstrap_truncation=True)
    rows.seed(1)
    rows.reset()
    with pytest.raises(ValueError, match="bootstrap_truncation = True: expected a batch whose"):
        rows.step(np.zeros(4, int))


def test_rewards_are_scaled_for_the_learner(rows_of):
    full, quarter = (play(rows_of(reward_scale=scale), 20)[1] for scale in (1.0, 0.25))
    assert full.sum() > 0
    assert np.array_equal(full * 0.25, quarter)


def test_returns_are_told_unscaled_once_episodes_have_ended(rows_of):
    rows = rows_of(3, horizon_steps=4, reward_scale=0.25)
    rows.reset()
    rewards = [rows.step(np.zeros(6, int))[1] / 0.25 for _ in range(3)]
    assert rows.pop_mean_return() is None
    rewards += [rows.step(np.zeros(6, int))[1] / 0.25 for _ in range(5)]
    assert rows.pop_mean_return() == pytest.approx(np.sum(rewards, axis=0).mean() / 2)
    rows.step(np.zeros(6, int))
    assert rows.pop_mean_return() is None


def test_masks_reach_the_masked_learner(rows_of):
    rows = rows_of(4)
    rows.reset()
    masks = get_action_masks(rows)
    kept = masks.copy()
    assert is_masking_supported(rows)
    assert masks.shape == (8, 3)
    assert (masks.sum(axis=1) == 2).all()
    assert np.array_equal(rows.env_method("action_masks", indices=[6, 1]), masks[[6, 1]])
    assert np.array_equal(rows.get_attr("action_masks", indices=2)[0](), masks[2])
    rows.step(np.zeros(8, int))
    assert np.array_equal(masks, kept)
    assert not np.array_equal(get_action_masks(rows), kept)


def test_rows_have_no_settable_attributes_and_no_other_methods(rows_of):
    rows = rows_of(1)
    assert not rows.has_attr("no_such_thing")
    assert rows.env_is_wrapped(object) == [False, False]
    with pytest.raises(NotImplementedError, match="make the batch with it"):
        rows.set_attr("horizon_steps", 3)
    with pytest.raises(AttributeError, match="expected 'action_masks'"):
        rows.env_method("render")
