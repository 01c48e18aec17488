"""Negotiation over lanes: each lane is the single environment, whatever phase the others are in."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from cleanup_icn import CleanupConfig, ConfigError, icn
from cleanup_icn.batch.icn import BatchICN
from cleanup_icn.batch.talks import PHASES
from cleanup_icn.batch.world import LARGEST_AMOUNT
from cleanup_icn.contracts import (
    Condition,
    Contract,
    ContractError,
    Duration,
    Fine,
    LumpSum,
    NaturalLanguageContract,
    Quota,
    Share,
    Wage,
)
from cleanup_icn.icn import ICNConfig, judge
from cleanup_icn.observe import VectorObserver
from cleanup_icn.starts import Starts

WAIT, MOVE, HARVEST, CLEAN, ACCEPT, REJECT, FIRST_PROPOSAL = range(7)
SEEDS = st.lists(st.integers(-(2**63), 2**70), min_size=1, max_size=4)
GIFT = Contract([LumpSum(payer="agent_0", payee="agent_1", amount=3)])
slow_first_call = settings(deadline=None, max_examples=60)
fewer = settings(slow_first_call, max_examples=25)


@st.composite
def worlds(draw):
    """Small configurations with dice and schedules, in which something is mostly to be had."""
    horizon = draw(st.integers(1, 12))
    values = {
        "pollution_threshold": st.integers(0, 9),
        "harvest_per_action": st.integers(1, 5),
        "fruit_growth_per_step": st.integers(0, 9),
        "prob_fruit_growth": st.sampled_from([0.3, 1.0]),
    }
    changes = st.sampled_from(sorted(values)).flatmap(
        lambda name: st.fixed_dictionaries({name: values[name]})
    )
    return CleanupConfig(
        num_agents=draw(st.integers(2, 4)),
        horizon_steps=horizon,
        schedule=draw(st.lists(st.tuples(st.integers(0, horizon - 1), changes), max_size=3)),
        announce_changes=draw(st.booleans()),
        **{name: draw(each) for name, each in values.items()},
    )


def amounts(high):
    return st.integers(0, high).map(float) | st.decimals(0, high, places=3).map(float)


@st.composite
def contracts(draw, num_agents):
    """Contracts among so many agents, of at most two clauses."""
    names = [f"agent_{i}" for i in range(num_agents)]
    role = st.sampled_from([*names, "others", "all"])
    quantity = st.sampled_from(["pollution", "fruit", "step", "pollution_threshold"])
    operator = st.sampled_from([">=", ">", "<=", "<", "==", "!="])
    limits = {
        "cap": st.none() | amounts(9),
        "when": st.none() | st.builds(Condition, quantity, operator, amounts(9)),
    }
    between = {"payer": role, "payee": role}
    feature = st.sampled_from(["harvested", "cleaned", "illegal", "reward"])
    quotas = st.sampled_from([0.5, 1.0, 3.0, 4.0])
    clause = st.one_of(
        st.builds(Share, **between, **limits, of=feature, fraction=amounts(1)),
        st.builds(Wage, **between, **limits, per=feature, rate=amounts(5)),
        st.builds(Fine, **between, **limits, per=feature, rate=amounts(5)),
        st.builds(Quota, **between, **limits, per=feature, at_least=quotas, amount=amounts(5)),
        st.builds(LumpSum, **between, amount=amounts(9)),
    )
    duration = st.sampled_from([Duration(), Duration("change")]) | st.integers(0, 9).map(
        lambda step: Duration("step", step)
    )
    parties = draw(st.none() | st.permutations(names))
    return Contract(draw(st.lists(clause, max_size=2)), draw(duration), parties)


@st.composite
def negotiations(draw, num_agents):
    """Any settings of negotiation that a batch knows."""
    falls = st.builds(
        judge.on_welfare_fall, window_steps=st.integers(1, 3), fraction=st.sampled_from([0.5, 1.0])
    )
    named = st.sampled_from(
        ["never", "start", "change", "change-only", "welfare-fall", "every:1", "every:3"]
    )
    return ICNConfig(
        judge=draw(named | falls | st.integers(1, 5).map(judge.every)),
        menu=draw(st.lists(contracts(num_agents), max_size=4)),
        initial_contract=draw(st.just(Contract()) | contracts(num_agents)),
        max_rounds=draw(st.integers(1, 3)),
        disagreement=draw(st.sampled_from(["keep", "void"])),
        negotiation_cost_steps=draw(st.integers(0, 3)),
        history=draw(st.booleans()),
        settle=draw(st.sampled_from(["step", "episode_end"])),
        limited_liability=draw(st.booleans()),
    )


@st.composite
def games(draw):
    """A world and how contracts are negotiated in it."""
    config = draw(worlds())
    return config, draw(negotiations(config.num_agents))


FINES = Contract(
    [
        Fine(payer="all", payee="others", per="illegal", rate=1.0),
        Wage(
            payer="others",
            payee="all",
            per="harvested",
            rate=0.7,
            cap=8.3,
            when=Condition("fruit", ">=", 6),
        ),
    ]
)
CHANGES_IN_THE_WAIT = (
    CleanupConfig.create(
        horizon_steps=10,
        num_agents=3,
        schedule=[(3, {"pollution_threshold": 9}), (4, {"fruit_growth_per_step": 5})],
    ),
    ICNConfig(judge="change", negotiation_cost_steps=3, menu=(FINES,), initial_contract=FINES),
)
OVER_BEFORE_IT_BEGINS = (
    CleanupConfig.create(horizon_steps=3),
    ICNConfig(judge="never", initial_contract=Contract(GIFT.clauses, Duration("step", 0))),
)


def single(config, settings_):
    return icn.ICNEnv(config, settings_, observation="vector")


def choose(dice, mask):
    """Actions (B, N): mostly what the mask allows, agreement above all, but at times anything."""
    num_actions = mask.shape[-1]
    legal = (dice.random(mask.shape) * mask).argmax(-1)
    agreed = np.where((mask[..., ACCEPT] == 1) & (dice.random(legal.shape) < 0.7), ACCEPT, legal)
    anything = dice.integers(-2, num_actions + 2, legal.shape)
    return np.where(dice.random(legal.shape) < 0.15, anything, agreed)


def assert_shows(batch, rows, masks, env, observations, infos):
    """Assert that a lane shows what the environment does, to the bit but for the open balance."""
    expected = np.stack(list(observations.values()))
    balance = VectorObserver(batch.config).size + 6
    assert np.array_equal(np.delete(rows, balance, axis=1), np.delete(expected, balance, axis=1))
    assert rows[:, balance] == pytest.approx(expected[:, balance], rel=1e-6, abs=1e-9)
    assert np.array_equal(masks, np.stack([info["action_mask"] for info in infos.values()]))
    assert rows.shape[1:] == env.observation_space("agent_0").shape


def assert_came_of_it(batch, step, lane, env, was_play, before, alone):
    """Assert that a lane's step is the environment's, but for what is shown after it."""
    _, rewards, _, truncations, infos = alone
    told = step.features
    assert step.reward[lane] == pytest.approx(list(rewards.values()), abs=1e-9)
    assert step.truncated[lane] == all(truncations.values())
    for name in ("harvested", "cleaned", "illegal", "game_reward"):
        assert getattr(told, name)[lane].tolist() == [each[name] for each in infos.values()], name
    for name, in_infos in (("transfer", "transfer"), ("balance", "accrued")):
        expected = [each[in_infos] for each in infos.values()]
        assert getattr(told, name)[lane] == pytest.approx(expected, abs=1e-9), name
    assert told.was_play[lane] == was_play
    assert PHASES[told.phase[lane]] == env.phase
    assert batch.table.contracts[told.in_force[lane]] == env.contract
    assert told.num_talks[lane] == len(env.history)
    assert told.ended[lane] == (len(env.history) > before)
    assert told.ratified[lane] == (told.ended[lane] and env.history[-1].is_ratified)


@slow_first_call
@example(CHANGES_IN_THE_WAIT, [0, 1, 2, 3], True, 0)
@example(OVER_BEFORE_IT_BEGINS, [0], False, 0)
@given(games(), SEEDS, st.booleans(), st.integers(0, 2**32))
def test_a_lane_equals_the_single_environment_over_whole_episodes(game, seeds, is_drawn, luck):
    config, settings_ = game
    starts, dice = Starts.anywhere(config) if is_drawn else None, np.random.default_rng(luck)
    batch = BatchICN(config, settings_, len(seeds), auto_reset=True, starts=starts)
    envs, episodes = [single(config, settings_) for _ in seeds], [0] * len(seeds)

    shown = batch.reset(seeds)
    for lane, (env, seed) in enumerate(zip(envs, seeds, strict=True)):
        seen = env.reset(seed=seed, options=starts and starts.options(seed))
        assert_shows(batch, shown.observation[lane], shown.mask[lane], env, *seen)

    for _ in range(40):
        actions = choose(dice, shown.mask)
        shown = batch.step(actions)
        for lane, (env, seed) in enumerate(zip(envs, seeds, strict=True)):
            was_play, before = env.phase in ("play", "waiting"), len(env.history)
            alone = env.step(dict(zip(env.agents, actions[lane].tolist(), strict=True)))
            assert_came_of_it(batch, shown, lane, env, was_play, before, alone)
            seen = alone[0], alone[-1]
            if not env.agents:
                episodes[lane] += 1
                seen = env.reset(options=starts and starts.options(seed, episodes[lane]))
            assert_shows(batch, shown.observation[lane], shown.mask[lane], env, *seen)
            assert PHASES[batch.phase[lane]] == env.phase


@fewer
@given(games(), st.lists(st.integers(0, 99), min_size=2, max_size=6), st.data())
def test_a_lane_does_not_feel_its_company_in_whatever_phase_that_is(game, seeds, data):
    lane = data.draw(st.integers(0, len(seeds) - 1))
    together, alone = (BatchICN(*game, n, auto_reset=True) for n in (len(seeds), 1))
    in_company, by_itself = together.reset(seeds), alone.reset([seeds[lane]])
    dice = np.random.default_rng(0)
    for _ in range(30):
        actions = choose(dice, in_company.mask)
        in_company, by_itself = together.step(actions), alone.step(actions[[lane]])
        assert np.array_equal(in_company.observation[lane], by_itself.observation[0])
        assert np.array_equal(in_company.reward[lane], by_itself.reward[0])
        assert np.array_equal(in_company.mask[lane], by_itself.mask[0])
        for told, expected in zip(in_company.features, by_itself.features, strict=True):
            assert np.array_equal(told[lane], expected[0])


@fewer
@given(games(), st.integers(0, 2**32))
def test_an_action_is_counted_illegal_exactly_where_the_mask_says_so(game, luck):
    batch, dice = BatchICN(*game, 5, auto_reset=True), np.random.default_rng(luck)
    mask = batch.reset(range(5)).mask
    for _ in range(20):
        actions = dice.integers(0, batch.num_actions, (5, batch.num_agents))
        allowed = np.take_along_axis(mask, actions[..., None], axis=2)[..., 0]
        mask, features = batch.step(actions)[3:]
        assert np.array_equal(features.illegal, 1.0 - allowed)


@fewer
@given(games(), st.integers(0, 2**32))
def test_transfers_sum_to_zero_in_every_lane_and_step(game, luck):
    batch, dice = BatchICN(*game, 4, auto_reset=True), np.random.default_rng(luck)
    shown = batch.reset(range(4))
    for _ in range(20):
        shown = batch.step(choose(dice, shown.mask))
        assert shown.features.transfer.sum(axis=1) == pytest.approx(0.0, abs=1e-9)
        assert shown.features.balance.sum(axis=1) == pytest.approx(0.0, abs=1e-9)


@pytest.mark.parametrize("num_agents", [2, 7])
def test_no_masked_action_of_a_million_is_illegal_and_some_action_always_is_legal(num_agents):
    num_lanes = 1500
    config = CleanupConfig.create(
        num_agents=num_agents,
        horizon_steps=20,
        prob_fruit_growth=0.7,
        schedule=[(9, {"pollution_threshold": 9})],
    )
    settings_ = ICNConfig(judge="every:6", negotiation_cost_steps=2)
    batch, dice = BatchICN(config, settings_, num_lanes, auto_reset=True), np.random.default_rng(7)
    compared = {lane: single(config, settings_) for lane in (0, num_lanes // 2, num_lanes - 1)}
    mask, agent_steps, phases = batch.reset(range(num_lanes)).mask, 0, set()
    alone = {lane: env.reset(seed=lane)[1] for lane, env in compared.items()}
    while agent_steps < 1_000_000:
        assert mask.any(axis=2).all()
        phases |= set(batch.phase.tolist())
        for lane, infos in alone.items():
            expected = [info["action_mask"] for info in infos.values()]
            assert np.array_equal(mask[lane], np.stack(expected))
        actions = (dice.random(mask.shape, np.float32) * mask).argmax(axis=2)
        mask, features = batch.step(actions)[3:]
        assert not features.illegal.any()
        agent_steps += actions.size
        for lane, env in compared.items():
            alone[lane] = env.step(dict(zip(env.agents, actions[lane].tolist(), strict=True)))[-1]
            if not env.agents:
                alone[lane] = env.reset()[1]
    assert phases == set(range(len(PHASES)))


def start(num_lanes=2, *, auto_reset=False, horizon_steps=4, num_agents=2, **settings_):
    """Return a batch whose talks have just opened in all lanes."""
    config = CleanupConfig.create(horizon_steps=horizon_steps, num_agents=num_agents)
    settings_ = ICNConfig(**{"judge": "start", "menu": (Contract(), GIFT), **settings_})
    batch = BatchICN(config, settings_, num_lanes, auto_reset=auto_reset)
    batch.reset(range(num_lanes))
    return batch


def test_lanes_agree_or_fail_by_themselves_and_only_what_is_agreed_is_paid():
    batch = start(3, max_rounds=1)
    batch.step([[FIRST_PROPOSAL + 1, WAIT], [FIRST_PROPOSAL + 1, WAIT], [WAIT, WAIT]])
    assert [PHASES[code] for code in batch.phase] == ["respond", "respond", "play"]
    talked = batch.step([[WAIT, ACCEPT], [WAIT, REJECT], [HARVEST, HARVEST]])
    assert talked.features.ended.tolist() == [True, True, False]
    assert talked.features.ratified.tolist() == [True, False, False]
    assert talked.features.was_play.tolist() == [False, False, True]
    assert talked.reward.tolist() == [[0.0, 0.0], [0.0, 0.0], [4.0, 4.0]]
    assert [batch.table.contracts[i] for i in batch.in_force] == [GIFT, Contract(), Contract()]
    played = batch.step([[HARVEST, HARVEST]] * 3)
    assert played.reward[:2].tolist() == [[1.0, 7.0], [4.0, 4.0]]
    assert played.features.transfer[:2].tolist() == [[-3.0, 3.0], [0.0, 0.0]]


def test_talks_do_not_wear_the_episode_out():
    batch = start(2, horizon_steps=3, max_rounds=3)
    agreeing = iter([[FIRST_PROPOSAL, WAIT], [WAIT, ACCEPT], *[[HARVEST, HARVEST]] * 3])
    for number in range(5):  # the first lane lets three rounds pass
        truncated = batch.step([[WAIT, WAIT], next(agreeing)]).truncated
        assert truncated.tolist() == [False, number == 4]
    assert batch.num_steps.tolist() == [2, 3]


def test_a_fall_of_welfare_opens_talks_in_the_lane_where_it_happens():
    batch = start(2, judge="welfare-fall", horizon_steps=30, max_rounds=1)
    batch.step([[WAIT, WAIT]] * 2)  # the talks of the start fail
    phases = []
    for _ in range(12):  # one lane harvests until there is nothing left, the other never
        phases.append(batch.step([[HARVEST, HARVEST], [WAIT, WAIT]]).features.phase.tolist())
    assert ["propose" in [PHASES[each[lane]] for each in phases] for lane in (0, 1)] == [
        True,
        False,
    ]


def test_the_menu_comes_first_in_the_table_of_contracts():
    batch = start(menu=(GIFT, Contract(), GIFT), initial_contract=GIFT)
    assert batch.table.contracts[:3] == batch.icn.menu
    assert batch.table.contracts[batch.in_force[0]] == GIFT


def test_episodes_that_are_over_are_not_played_on():
    batch = start(judge="never", horizon_steps=1)
    assert batch.step([[HARVEST, HARVEST]] * 2).truncated.all()
    with pytest.raises(ValueError, match="over"):
        batch.step([[HARVEST, HARVEST]] * 2)
    assert not batch.reset().observation[:, :, 6].any()


def test_a_lane_that_is_over_stands_still_until_the_others_are():
    batch = start(2, horizon_steps=1, judge="start", max_rounds=3)
    agreeing = iter([[FIRST_PROPOSAL + 1, WAIT], [WAIT, ACCEPT], *[[HARVEST, HARVEST]] * 2])
    steps = [batch.step([[WAIT, WAIT], next(agreeing)]) for _ in range(4)]
    assert [step.truncated.tolist() for step in steps] == [
        [False, False],
        [False, False],
        [False, True],
        [True, False],
    ]
    assert steps[2].reward[1].tolist() == [1.0, 7.0]
    assert not steps[3].features.was_play[1]
    assert not steps[3].reward[1].any()
    assert np.array_equal(steps[3].observation[1], steps[2].observation[1])
    assert batch.num_steps.tolist() == [1, 1]
    with pytest.raises(ValueError, match="over"):
        batch.step([[WAIT, WAIT]] * 2)


@slow_first_call
@given(game=games(), luck=st.integers(0, 2**32))
def test_lanes_played_to_the_end_of_all_earn_what_they_earn_by_themselves(game, luck):
    config, settings_ = game
    together = BatchICN(config, settings_, 3)
    _, mask = together.reset(range(3))
    dice, total, ends, actions = np.random.default_rng(luck), 0.0, 0, []
    while ends < 3:
        actions.append(choose(dice, mask))
        step = together.step(actions[-1])
        total, ends, mask = total + step.reward, ends + step.truncated.sum(), step.mask
    for lane in range(3):
        alone = BatchICN(config, settings_, 1)
        alone.reset([lane])
        earned, is_over = 0.0, False
        for joint in actions:
            if not is_over:
                step = alone.step(joint[[lane]])
                earned, is_over = earned + step.reward[0], step.truncated[0]
        assert is_over
        assert np.allclose(total[lane], earned, rtol=0, atol=1e-9)


def test_arrays_returned_are_the_callers_own():
    batch = start(auto_reset=True)
    kept = batch.step([[FIRST_PROPOSAL + 1, WAIT]] * 2)
    arrays = [*kept[:4], *kept.features]
    before = [array.copy() for array in arrays]
    for _ in range(6):
        batch.step([[WAIT, ACCEPT]] * 2)
    assert all(np.array_equal(old, now) for old, now in zip(before, arrays, strict=True))


@pytest.mark.parametrize(
    "asked",
    [
        lambda seen: True,
        judge.Situation,
        judge.Situation._make,
        type("Dirty", (judge.Every,), {"__call__": lambda self, seen: len(seen.welfare) > 2})(1),
    ],
    ids=["function", "class", "method", "subclass"],
)
def test_a_judge_that_looks_at_more_than_a_lane_keeps_is_refused(asked):
    with pytest.raises(
        ConfigError, match=r"judge = .*never, start, change, change-only, every:<steps>"
    ):
        start(judge=asked)


@pytest.mark.parametrize(
    "asked", [judge.never, judge.at_start, judge.on_change, judge.on_change_only, judge.every(3)]
)
def test_judges_known_by_name_may_be_given_as_they_are(asked):
    assert start(judge=asked).num_lanes == 2


def test_contracts_in_plain_language_are_refused():
    def ask(*args):
        return "nobody pays"

    words = NaturalLanguageContract("Be fair.")
    for more in ({}, {"menu": (words,)}):
        with pytest.raises(ConfigError, match=r"ask = .*expected None in a batch"):
            start(ask=ask, **more)
    with pytest.raises(ConfigError, match=r"natural_language = True: expected False in a batch"):
        start(ask=ask, natural_language=True)


def test_what_the_single_environment_refuses_a_batch_refuses():
    stranger = Contract([LumpSum(payer="agent_0", payee="agent_9", amount=1)])
    with pytest.raises(ContractError, match=r"menu\[0\]"):
        start(menu=(stranger,))
    with pytest.raises(ConfigError, match="num_lanes"):
        start(0)
    with pytest.raises(ConfigError, match="initial_contract"):
        start(initial_contract=Contract([LumpSum(payer="all", payee="all", amount=1e7)]))


@pytest.mark.parametrize("name", ["max_rounds", "negotiation_cost_steps"])
def test_a_batch_counts_no_further_than_it_can(name):
    with pytest.raises(ConfigError, match=f"{name} = .* in a batch"):
        start(**{name: LARGEST_AMOUNT + 1})
    assert start(**{name: LARGEST_AMOUNT}).num_lanes == 2
