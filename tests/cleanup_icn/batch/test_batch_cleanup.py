"""Cleanup over lanes: each lane is the single environment, whatever stands beside it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import cleanup_icn
from cleanup_icn import CleanupConfig, ConfigError
from cleanup_icn.batch import BatchCleanup
from cleanup_icn.batch.world import LARGEST_AMOUNT, advance
from cleanup_icn.starts import Starts

slow_first_call = settings(deadline=None, max_examples=60)
ANY_ACTION = st.integers(-2, 6)
SEEDS = st.integers(-(2**63), 2**70)


@st.composite
def configs(draw):
    """Any small configuration: presets' kinds of regrowth, dice, schedules announced or not."""
    horizon = draw(st.integers(1, 12))
    pollution_max, fruit_max = draw(st.integers(0, 30)), draw(st.integers(0, 40))
    chance = st.sampled_from([0.0, 0.3, 0.9, 1.0])
    values = {
        "pollution_threshold": st.integers(0, pollution_max),
        "pollution_growth_per_step": st.integers(0, 9),
        "fruit_growth_per_step": st.integers(0, 9),
        "harvest_per_action": st.integers(0, 9),
        "clean_per_action": st.integers(0, 9),
        "prob_pollution_growth": chance,
        "prob_fruit_growth": chance,
    }
    change = st.sets(st.sampled_from(sorted(values)), max_size=3).flatmap(
        lambda names: st.fixed_dictionaries({name: values[name] for name in sorted(names)})
    )
    return CleanupConfig(
        num_agents=draw(st.integers(2, 5)),
        horizon_steps=horizon,
        pollution_max=pollution_max,
        pollution_initial=draw(st.integers(0, pollution_max)),
        fruit_max=fruit_max,
        fruit_initial=draw(st.integers(0, fruit_max)),
        fruit_regrowth=draw(st.sampled_from(["step", "linear"])),
        schedule=draw(st.lists(st.tuples(st.integers(0, horizon - 1), change), max_size=3)),
        announce_changes=draw(st.booleans()),
        **{name: draw(each) for name, each in values.items()},
    )


def random_actions(seed, batch):
    shape = (batch.num_lanes, batch.num_agents)
    return np.random.default_rng(seed).integers(-1, 6, size=shape)


def single(config):
    return cleanup_icn.parallel_env(observation="vector", **config.to_dict())


def assert_shows(batch_rows, by_agent):
    assert np.array_equal(batch_rows, np.stack(list(by_agent.values())))


def assert_same_step(step, lane, alone):
    observations, rewards, _, truncations, infos = alone
    assert_shows(step.observation[lane], observations)
    assert step.reward[lane].tolist() == list(rewards.values())
    assert step.truncated[lane] == all(truncations.values())
    assert_shows(step.mask[lane], {a: info["action_mask"] for a, info in infos.items()})
    for name, told in step.features._asdict().items():
        assert told[lane].tolist() == [info[name] for info in infos.values()], name


@slow_first_call
@given(st.data())
def test_a_lane_equals_the_single_environment_over_whole_episodes(data):
    config = data.draw(configs())
    seeds = data.draw(st.lists(SEEDS, min_size=1, max_size=4))
    starts = data.draw(st.sampled_from([None, Starts.anywhere(config)]))
    batch, envs = BatchCleanup(config, len(seeds), starts=starts), [single(config) for _ in seeds]

    begun = batch.reset(seeds)
    for lane, (env, seed) in enumerate(zip(envs, seeds, strict=True)):
        observations, infos = env.reset(seed=seed, options=starts and starts.options(seed))
        assert_shows(begun.observation[lane], observations)
        assert_shows(begun.mask[lane], {a: info["action_mask"] for a, info in infos.items()})

    rows = st.lists(ANY_ACTION, min_size=config.num_agents, max_size=config.num_agents)
    for _ in range(config.horizon_steps):
        actions = [data.draw(rows) for _ in seeds]
        step = batch.step(np.array(actions))
        for lane, env in enumerate(envs):
            alone = env.step(dict(zip(env.agents, actions[lane], strict=True)))
            assert_same_step(step, lane, alone)
    assert step.truncated.all()


@slow_first_call
@given(config=configs(), seeds=st.lists(SEEDS, min_size=2, max_size=6), data=st.data())
def test_a_lane_does_not_feel_its_company(config, seeds, data):
    lane = data.draw(st.integers(0, len(seeds) - 1))
    together, alone = BatchCleanup(config, len(seeds)), BatchCleanup(config, 1)
    together.reset(seeds), alone.reset([seeds[lane]])
    for step_number in range(config.horizon_steps):
        actions = random_actions(step_number, together)
        in_company, by_itself = together.step(actions), alone.step(actions[[lane]])
        assert np.array_equal(in_company.observation[lane], by_itself.observation[0])
        assert np.array_equal(in_company.reward[lane], by_itself.reward[0])


@slow_first_call
@given(config=configs(), seeds=st.lists(SEEDS, min_size=1, max_size=3))
def test_lanes_that_reset_themselves_play_the_next_episodes_of_their_seeds(config, seeds):
    starts = Starts.anywhere(config)
    by_itself = BatchCleanup(config, len(seeds), auto_reset=True, starts=starts)
    by_hand = BatchCleanup(config, len(seeds), starts=starts)
    by_itself.reset(seeds), by_hand.reset(seeds)
    for number in range(3 * config.horizon_steps):
        actions = random_actions(number, by_hand)
        automatic, manual = by_itself.step(actions), by_hand.step(actions)
        shown = manual
        if manual.truncated.all():
            shown = by_hand.reset()
        assert np.array_equal(automatic.observation, shown.observation)
        assert np.array_equal(automatic.mask, shown.mask)
        assert np.array_equal(automatic.reward, manual.reward)
        assert np.array_equal(automatic.truncated, manual.truncated)


def test_the_second_reset_of_a_lane_is_the_second_reset_of_the_environment():
    config = CleanupConfig.create(prob_fruit_growth=0.5, prob_pollution_growth=0.5)
    batch, env = BatchCleanup(config, 2), single(config)
    batch.reset([3, 4]), batch.reset()
    env.reset(seed=4), env.reset()
    for number in range(config.horizon_steps):
        actions = random_actions(number, batch)
        step = batch.step(actions)
        assert_same_step(step, 1, env.step(dict(zip(env.agents, actions[1].tolist(), strict=True))))


@pytest.mark.slow
def test_over_a_million_random_agent_steps_the_mask_is_what_the_rules_allow():
    config = CleanupConfig.create(
        num_agents=4, prob_fruit_growth=0.5, schedule=[(20, {"pollution_threshold": 12})]
    )
    batch = BatchCleanup(config, 1024, auto_reset=True, starts=Starts.anywhere(config))
    rng = np.random.default_rng(0)
    _, mask = batch.reset(np.arange(1024))
    agent_steps = 0
    while agent_steps < 1_000_000:
        assert (mask.sum(axis=-1) >= 1).all()
        actions = rng.integers(4, size=mask.shape[:2])
        allowed = np.take_along_axis(mask, actions[..., None], axis=-1)[..., 0]
        step = batch.step(actions)
        assert np.array_equal(step.features.illegal, 1.0 - allowed)
        agent_steps += actions.size
        mask = step.mask


@pytest.mark.slow
def test_over_a_million_random_agent_steps_every_lane_equals_the_single_environment():
    config = CleanupConfig.create(
        num_agents=4,
        prob_fruit_growth=0.8,
        prob_pollution_growth=0.9,
        schedule=[(20, {"pollution_threshold": 12, "harvest_per_action": 6})],
    )
    starts, seeds, agent_steps = Starts.anywhere(config), range(250), 0
    batch, envs = BatchCleanup(config, 250, starts=starts), [single(config) for _ in seeds]
    for episode in range(20):
        begun = batch.reset(seeds if episode == 0 else None)
        for lane, (env, seed) in enumerate(zip(envs, seeds, strict=True)):
            options = starts.options(seed, episode)
            observations, _ = env.reset(seed=seed if episode == 0 else None, options=options)
            assert_shows(begun.observation[lane], observations)
        for number in range(config.horizon_steps):
            actions = random_actions(1000 * episode + number, batch)
            step = batch.step(actions)
            agent_steps += actions.size
            seen, earned = [], []
            for env, joint in zip(envs, actions.tolist(), strict=True):
                alone = env.step(dict(zip(env.possible_agents, joint, strict=True)))
                seen += alone[0].values()
                earned += alone[1].values()
            assert np.array_equal(step.observation.reshape(len(seen), -1), np.stack(seen))
            assert step.reward.ravel().tolist() == earned
    assert agent_steps == 1_000_000


def test_what_is_returned_is_the_callers_to_keep():
    batch = BatchCleanup(CleanupConfig.create(), 2)
    batch.reset([1, 2])
    first = batch.step(np.full((2, 2), 2))
    kept = first.observation.copy(), first.reward.copy(), first.mask.copy()
    first.features.harvested[:] = 99.0
    batch.step(np.full((2, 2), 1))
    for before, after in zip(kept, (first.observation, first.reward, first.mask), strict=True):
        assert np.array_equal(before, after)


def test_starts_may_be_given_lane_by_lane():
    batch = BatchCleanup(CleanupConfig.create(), 3, starts=Starts.anywhere(CleanupConfig.create()))
    batch.reset([1, 2, 3], pollution_initial=[0, 4, 30], fruit_initial=7)
    assert batch.pollution.tolist() == [0, 4, 30]
    assert batch.fruit.tolist() == [7, 7, 7]


@pytest.mark.parametrize(
    "wrong",
    [
        {"pollution_initial": 31},
        {"pollution_initial": -1},
        {"fruit_initial": [1, 2]},
        {"fruit_initial": 1.5},
    ],
)
def test_a_start_that_cannot_be_is_named(wrong):
    batch = BatchCleanup(CleanupConfig.create(), 3)
    with pytest.raises(ConfigError, match=next(iter(wrong))):
        batch.reset([1, 2, 3], **wrong)


def test_after_the_last_step_a_batch_wants_a_reset():
    batch = BatchCleanup(CleanupConfig.create(horizon_steps=1), 2)
    with pytest.raises(ConfigError, match="seeds"):
        batch.reset()
    with pytest.raises(ValueError, match="reset"):
        batch.step(np.zeros((2, 2), int))
    batch.reset([1, 2])
    batch.step(np.zeros((2, 2), int))
    with pytest.raises(ValueError, match="auto_reset"):
        batch.step(np.zeros((2, 2), int))


@pytest.mark.parametrize("actions", [[[0, 0]], np.zeros((2, 3), int), np.zeros((2, 2))])
def test_actions_of_another_shape_or_type_are_refused(actions):
    batch = BatchCleanup(CleanupConfig.create(), 2)
    batch.reset([1, 2])
    with pytest.raises(ValueError, match=r"integers of shape \(2, 2\)"):
        batch.step(actions)


@pytest.mark.parametrize("seeds", [[1], [1, 2, 3], 5, ["1", "2"], [1.0, 2.0]])
def test_seeds_are_one_integer_a_lane(seeds):
    with pytest.raises(ConfigError, match="seeds"):
        BatchCleanup(CleanupConfig.create(), 2).reset(seeds)


@pytest.mark.parametrize("num_lanes", [0, -1, True, 2.0])
def test_a_number_of_lanes_that_cannot_be_is_refused(num_lanes):
    with pytest.raises(ConfigError, match="num_lanes"):
        BatchCleanup(CleanupConfig.create(), num_lanes)


def test_amounts_beyond_what_lanes_count_are_refused_and_the_largest_are_not():
    with pytest.raises(ConfigError, match="harvest_per_action"):
        BatchCleanup(CleanupConfig.create(harvest_per_action=LARGEST_AMOUNT + 1), 1)
    config = CleanupConfig.create(
        harvest_per_action=LARGEST_AMOUNT,
        fruit_growth_per_step=LARGEST_AMOUNT,
        fruit_max=LARGEST_AMOUNT,
        fruit_regrowth="linear",
        horizon_steps=3,
    )
    batch, env = BatchCleanup(config, 1), single(config)
    batch.reset([0]), env.reset(seed=0)
    for _ in range(3):
        assert_same_step(batch.step([[2, 2]]), 0, env.step({"agent_0": 2, "agent_1": 2}))


def test_starts_are_drawn_over_their_whole_range_and_within_it():
    starts = Starts(pollution_initial=(2, 4), fruit_initial=(0, 20))
    batch = BatchCleanup(CleanupConfig.create(), 2000, starts=starts)
    batch.reset(range(2000))
    values, counts = np.unique(batch.pollution, return_counts=True)
    assert values.tolist() == [2, 3, 4]
    assert (counts > 550).all()
    assert np.unique(batch.fruit).tolist() == list(range(21))


@pytest.mark.parametrize("given", [(3, 2), (0, 31), (-1, 2), (1,), 3, (0.5, 2)])
def test_ranges_of_starts_outside_the_world_are_refused(given):
    starts = Starts(pollution_initial=given, fruit_initial=(0, 20))
    with pytest.raises(ConfigError, match=r"starts\.pollution_initial"):
        BatchCleanup(CleanupConfig.create(), 1, starts=starts)


@pytest.mark.parametrize("wrong", [{"fruit_initial": 99}, {"fruit_initial": [[1], [2, 3]]}])
def test_a_reset_that_is_refused_changes_nothing(wrong):
    config = CleanupConfig.create(prob_fruit_growth=0.5, prob_pollution_growth=0.5)
    disturbed, quiet = BatchCleanup(config, 2), BatchCleanup(config, 2)
    for batch in (disturbed, quiet):
        batch.reset([1, 2])
        batch.step([[1, 1], [1, 1]])
    with pytest.raises(ConfigError, match="fruit_initial"):
        disturbed.reset([7, 8], pollution_initial=3, **wrong)
    assert np.array_equal(disturbed.step([[3, 0]] * 2)[0], quiet.step([[3, 0]] * 2)[0])
    assert np.array_equal(disturbed.reset()[0], quiet.reset()[0])
    assert np.array_equal(disturbed.step([[2, 0]] * 2)[0], quiet.step([[2, 0]] * 2)[0])


def test_numbers_of_numpy_are_as_good_as_pythons():
    config = CleanupConfig.create()
    starts = Starts(
        pollution_initial=(np.int64(2), np.int64(9)), fruit_initial=(np.int32(0), np.int32(5))
    )
    assert starts.options(np.int64(-5), np.int64(1)) == starts.options(-5, 1)
    assert starts.options(np.uint64(2**64 - 5)) == starts.options(-5)
    batch = BatchCleanup(config, np.int64(2), starts=starts)
    assert type(batch.num_lanes) is int
    batch.reset(np.array([-5, 3], np.int8))
    assert batch.pollution[0] == starts.options(-5)["pollution_initial"]


def test_actions_that_cannot_be_written_to_need_no_machine_code_of_their_own():
    pytest.importorskip("numba")
    batch = BatchCleanup(CleanupConfig.create(), 2)
    batch.reset([1, 2])
    actions = np.full((2, 2), 2)
    batch.step(actions)
    known = len(advance.signatures)
    actions.setflags(write=False)
    assert batch.step(actions).features.harvested.any()
    assert len(advance.signatures) == known
