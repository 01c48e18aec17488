"""Cleanup under contracts over lanes: each lane is the wrapped environment it stands for."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import cleanup_icn
from cleanup_icn import CLEAN, HARVEST, MOVE, WAIT, CleanupConfig, CleanupEnv, ConfigError
from cleanup_icn.batch import contracts as module
from cleanup_icn.batch.contracts import BatchContract, drawn_contract
from cleanup_icn.contracts import (
    Condition,
    Contract,
    ContractEncoder,
    ContractError,
    ContractWrapper,
    Duration,
    Fine,
    LumpSum,
    NaturalLanguageContract,
    Quota,
    Share,
    Wage,
)
from cleanup_icn.starts import Starts

EXACT = 1e-9
slow_first_call = settings(deadline=None, max_examples=80)
SEEDS = st.integers(-(2**63), 2**70)
WAGE = Contract([Wage(payer="others", payee="all", per="cleaned", rate=0.6)])
GIFT = Contract([LumpSum(payer="agent_0", payee="agent_1", amount=3)])


def amounts(high):
    return st.integers(0, high).map(float) | st.decimals(0, high, places=6).map(float)


@st.composite
def any_contracts(draw, num_agents):
    """Contracts of up to three clauses among so many agents, on all that Cleanup declares."""
    names = [f"agent_{i}" for i in range(num_agents)]
    role = st.sampled_from([*names, "others", "all"])
    between = {"payer": role, "payee": role}
    quantity = st.sampled_from(CleanupEnv.public_features)
    operator = st.sampled_from([">=", ">", "<=", "<", "==", "!="])
    limits = {
        "cap": st.none() | amounts(20),
        "when": st.none() | st.builds(Condition, quantity, operator, amounts(12)),
    }
    feature = st.sampled_from(CleanupEnv.contract_features)
    quotas = st.sampled_from([0.5, 1.0, 1.5, 3.0, 4.0, 9.0])  # often just what somebody does
    clause = st.one_of(
        st.builds(Share, **between, **limits, of=feature, fraction=amounts(1)),
        st.builds(Wage, **between, **limits, per=feature, rate=amounts(5)),
        st.builds(Fine, **between, **limits, per=feature, rate=amounts(5)),
        st.builds(Quota, **between, **limits, per=feature, at_least=quotas, amount=amounts(5)),
        st.builds(LumpSum, **between, amount=amounts(20)),
    )
    lasting = st.sampled_from([Duration(), Duration("change")])
    duration = lasting | st.integers(0, 12).map(lambda step: Duration("step", step))
    parties = draw(st.none() | st.lists(st.sampled_from(names), min_size=1, unique=True))
    bound = {*(parties or names), "others", "all"}
    clauses = [c for c in draw(st.lists(clause, max_size=3)) if {c.payer, c.payee} <= bound]
    return Contract(clauses, draw(duration), parties)


@st.composite
def configs(draw):
    """Small games with dice and with changes that come as a surprise or not."""
    horizon = draw(st.integers(1, 12))
    chance = st.sampled_from([0.0, 0.3, 0.9, 1.0])
    changes = {
        "pollution_threshold": st.integers(0, 30),
        "fruit_growth_per_step": st.integers(0, 9),
        "prob_fruit_growth": chance,
    }
    change = st.fixed_dictionaries({}, optional=changes)
    return CleanupConfig(
        num_agents=draw(st.integers(2, 4) | st.just(12)),
        horizon_steps=horizon,
        pollution_initial=draw(st.integers(0, 30)),
        pollution_growth_per_step=draw(st.integers(0, 9)),
        clean_per_action=draw(st.integers(0, 9)),
        harvest_per_action=draw(st.integers(0, 9)),
        prob_pollution_growth=draw(chance),
        prob_fruit_growth=draw(chance),
        schedule=draw(st.lists(st.tuples(st.integers(0, horizon - 1), change), max_size=3)),
        announce_changes=draw(st.booleans()),
    )


terms_of_play = st.fixed_dictionaries(
    {"settle": st.sampled_from(["step", "episode_end"]), "limited_liability": st.booleans()}
)


@st.composite
def games(draw, max_lanes=4):
    """A config, contracts, which lane is under which, how they are settled, and seeds."""
    config = draw(configs())
    contracts = draw(st.lists(any_contracts(config.num_agents), min_size=1, max_size=3))
    lane = st.tuples(SEEDS, st.integers(0, len(contracts) - 1))
    lanes = draw(st.lists(lane, min_size=1, max_size=max_lanes))
    seeds, chosen = zip(*lanes, strict=True)
    return config, contracts, list(seeds), list(chosen), draw(terms_of_play)


def narrow_encoder(config):
    """Room for three clauses and steps as a share of the horizon, as suites have it."""
    return ContractEncoder(
        agents=[f"agent_{i}" for i in range(config.num_agents)],
        feature_names=CleanupEnv.contract_features,
        public_names=CleanupEnv.public_features,
        max_clauses=3,
        horizon_steps=config.horizon_steps,
    )


def wrapped(config, contract, **settled):
    game = cleanup_icn.parallel_env(observation="vector", **config.to_dict())
    return ContractWrapper(game, contract, **settled)


def random_actions(seed, batch):
    """Mostly what is possible in the garden or at the shore, now and then what is not."""
    shape = (batch.num_lanes, batch.num_agents)
    return np.random.default_rng(seed).choice([-1, 0, 1, 1, 2, 2, 3, 3, 4], size=shape)


def assert_shows(rows, by_agent):
    """Rows are equal, but for the balance, which was added up in floats."""
    expected = np.stack(list(by_agent.values()))
    assert rows.dtype == expected.dtype == np.float32
    assert np.array_equal(rows[:, :-1], expected[:, :-1])
    assert rows[:, -1] == pytest.approx(expected[:, -1], rel=1e-6, abs=EXACT)


def assert_same_step(step, lane, alone):
    observations, rewards, _, truncations, infos = alone
    assert_shows(step.observation[lane], observations)
    assert step.reward[lane] == pytest.approx(list(rewards.values()), abs=EXACT)
    assert step.truncated[lane] == all(truncations.values())
    masks = np.stack([info["action_mask"] for info in infos.values()])
    assert np.array_equal(step.mask[lane], masks)
    for name in ("harvested", "cleaned", "illegal", "game_reward", "transfer"):
        told = getattr(step.features, name)[lane]
        assert told == pytest.approx([info[name] for info in infos.values()], abs=EXACT), name
    balance = [info["accrued"] for info in infos.values()]
    assert step.features.balance[lane] == pytest.approx(balance, abs=EXACT)


def step_alone(env, actions):
    return env.step(dict(zip(env.agents, actions.tolist(), strict=True)))


@slow_first_call
@given(game=games(), drawn_starts=st.booleans(), dice=st.integers(0, 99))
def test_a_lane_equals_the_wrapped_environment_over_whole_episodes(game, drawn_starts, dice):
    config, contracts, seeds, chosen, settled = game
    starts = Starts.anywhere(config) if drawn_starts else None
    settled |= {"encoder": narrow_encoder(config)}
    batch = BatchContract(config, contracts, len(seeds), starts=starts, **settled)
    envs = [wrapped(config, contracts[index], **settled) for index in chosen]

    for episode in range(2):
        begun = batch.reset(None if episode else seeds, None if episode else chosen)
        for lane, (env, seed) in enumerate(zip(envs, seeds, strict=True)):
            options = starts and starts.options(seed, episode)
            observations, infos = env.reset(seed=None if episode else seed, options=options)
            assert_shows(begun.observation[lane], observations)
            masks = np.stack([info["action_mask"] for info in infos.values()])
            assert np.array_equal(begun.mask[lane], masks)
        for number in range(config.horizon_steps):
            actions = random_actions(dice + number, batch)
            in_force = [env.contract_in_force for env in envs]
            step = batch.step(actions)
            for lane, env in enumerate(envs):
                assert batch.table.contracts[step.features.contract[lane]] == in_force[lane]
                assert_same_step(step, lane, step_alone(env, actions[lane]))
                assert batch.table.contracts[batch.in_force[lane]] == env.contract_in_force
            assert step.features.transfer.sum(axis=1) == pytest.approx(0.0, abs=EXACT)
            assert step.features.balance.sum(axis=1) == pytest.approx(0.0, abs=EXACT)
        assert step.truncated.all()


@slow_first_call
@given(game=games(max_lanes=1), place=st.integers(0, 6))
def test_a_lane_does_not_feel_its_company(game, place):
    config, contracts, seeds, chosen, settled = game
    seeds_of_seven = [int(seed) for seed in range(7)]
    seeds_of_seven[place] = seeds[0]
    indices = np.arange(7) % (len(contracts) + 1)  # the null contract, too
    indices[place] = chosen[0]
    together = BatchContract(config, contracts, 7, **settled)
    alone = BatchContract(config, contracts, 1, **settled)
    together.reset(seeds_of_seven, np.minimum(indices, len(together.table.contracts) - 1))
    alone.reset(seeds, chosen)
    for number in range(config.horizon_steps):
        actions = random_actions(number, together)
        in_company, by_itself = together.step(actions), alone.step(actions[[place]])
        for left, right in zip(in_company[:4], by_itself[:4], strict=True):
            assert np.array_equal(left[place], right[0])
        for left, right in zip(in_company.features, by_itself.features, strict=True):
            assert np.array_equal(left[place], right[0])


@slow_first_call
@given(game=games(), draw_contracts=st.booleans())
def test_lanes_that_reset_themselves_play_the_next_episodes_of_their_seeds(game, draw_contracts):
    config, contracts, seeds, chosen, settled = game
    settled |= {"draw_contracts": draw_contracts, "starts": Starts.anywhere(config)}
    by_itself = BatchContract(config, contracts, len(seeds), auto_reset=True, **settled)
    by_hand = BatchContract(config, contracts, len(seeds), **settled)
    by_itself.reset(seeds, chosen), by_hand.reset(seeds, chosen)
    assert by_itself.contracts.tolist() == chosen
    for number in range(3 * config.horizon_steps):
        actions = random_actions(number, by_hand)
        automatic, manual = by_itself.step(actions), by_hand.step(actions)
        shown = by_hand.reset() if manual.truncated.all() else manual
        assert np.array_equal(automatic.observation, shown.observation)
        assert np.array_equal(automatic.mask, shown.mask)
        assert np.array_equal(automatic.reward, manual.reward)
        assert np.array_equal(automatic.truncated, manual.truncated)
        for left, right in zip(automatic.features, manual.features, strict=True):
            assert np.array_equal(left, right)
        assert np.array_equal(by_itself.contracts, by_hand.contracts)


def test_every_episodes_contract_is_drawn_from_its_own_seed():
    config = CleanupConfig.create(horizon_steps=2)
    few = BatchContract(config, [WAGE, GIFT], 4, auto_reset=True, draw_contracts=True)
    many = BatchContract(config, [WAGE, GIFT], 300, auto_reset=True, draw_contracts=True)
    few.reset([7, 8, 9, 7]), many.reset(np.arange(300))
    drawn = []
    for episode in range(3):
        expected = [drawn_contract(seed, episode, 2) for seed in (7, 8, np.int64(9), 7)]
        assert few.contracts.tolist() == few.in_force.tolist() == expected
        assert many.contracts[7:10].tolist() == expected[:3]
        drawn += many.contracts.tolist()
        for batch in (few, many, few, many):
            batch.step(np.zeros((batch.num_lanes, 2), int))
    assert set(drawn) == {0, 1}, "those given, and not the null contract that was added"
    assert 380 < sum(drawn) < 520, "each of them half of the time"
    assert len({tuple(drawn[lane::300]) for lane in range(300)}) == 8, "whatever came before"


def test_a_contract_drawn_for_an_episode_is_the_one_that_is_played():
    config = CleanupConfig.create(horizon_steps=3)
    batch = BatchContract(config, [WAGE, GIFT, Contract()], 5, draw_contracts=True)
    begun = batch.reset(range(5))
    for lane in range(5):
        contract = batch.table.contracts[drawn_contract(lane, 0, 3)]
        observations, _ = wrapped(config, contract).reset(seed=lane)
        assert_shows(begun.observation[lane], observations)


# Agent 0 harvests 4 in each of four steps; agent 1 cleans 3 in each but the first.
LABOUR_DIVIDED = [[HARVEST, MOVE], [HARVEST, CLEAN], [HARVEST, CLEAN], [HARVEST, CLEAN]]
# The river is seen at 0, 3, 6 and 9; agent 0 harvests 4, 4, 4 and the last 1.
RIVER_LEFT = [[HARVEST, WAIT]] * 4


def wage(*, duration=Duration(), **values):  # noqa: B008 - it is frozen
    clause = Wage(**{"payer": "others", "payee": "all", "per": "cleaned", "rate": 0.6, **values})
    return Contract([clause], duration)


def quota(*, duration=Duration(), **values):  # noqa: B008 - it is frozen
    terms = {"payer": "agent_1", "payee": "others", "per": "cleaned", "amount": 2, **values}
    return Contract([Quota(**terms)], duration)


BY_HAND = {
    "wage": (wage(), LABOUR_DIVIDED, [0, 1.8, 1.8, 1.8]),
    "a cap": (wage(cap=4.0), LABOUR_DIVIDED, [0, 1.8, 1.8, 0.4]),
    "until step 2": (wage(duration=Duration("step", 2)), LABOUR_DIVIDED, [0, 1.8, 0, 0]),
    "until step 0": (wage(duration=Duration("step", 0)), LABOUR_DIVIDED, [0, 0, 0, 0]),
    "until the world changes": (wage(duration=Duration("change")), LABOUR_DIVIDED, [0, 1.8, 0, 0]),
    "once": (GIFT, RIVER_LEFT, [3, 0, 0, 0]),
    "what is seen before the step": (
        wage(payer="agent_1", per="harvested", rate=1, when=Condition("pollution", ">=", 6)),
        RIVER_LEFT,
        [0, 0, -4, -1],
    ),
    "a quota that is just met": (quota(at_least=3), LABOUR_DIVIDED, [-2, 0, 0, 0]),
    "a quota that is not": (quota(at_least=3.1, cap=7), LABOUR_DIVIDED, [-2, -2, -2, -1]),
    "a quota while it matters": (
        quota(at_least=1, when=Condition("pollution", ">=", 6)),
        RIVER_LEFT,
        [0, 0, -2, -2],
    ),
    "a quota until step 3": (
        quota(at_least=1, duration=Duration("step", 3)),
        RIVER_LEFT,
        [-2, -2, -2, 0],
    ),
    "what is illegal": (wage(per="illegal"), [[CLEAN, WAIT]] * 4, [-0.6] * 4),
}


@pytest.mark.parametrize("name", BY_HAND)
def test_lanes_are_paid_by_their_own_contract_what_was_worked_out_by_hand(name):
    contract, played, expected = BY_HAND[name]
    change = (2, {"fruit_growth_per_step": 2}) if name == "until the world changes" else None
    config = CleanupConfig.create(horizon_steps=4, schedule=[change] if change else [])
    batch = BatchContract(config, [Contract(), contract], 3)
    batch.reset([0, 0, 0], [1, 0, 1])
    transfers = np.array([batch.step([joint] * 3).features.transfer for joint in played])
    assert transfers[:, 0, 1] == pytest.approx(expected)
    assert transfers[:, 0, 0] == pytest.approx([-amount for amount in expected])
    assert not transfers[:, 1].any()
    assert np.array_equal(transfers[:, 0], transfers[:, 2])


def test_what_is_settled_at_the_end_is_an_open_balance_until_then():
    config = CleanupConfig.create(horizon_steps=4)
    batch = BatchContract(config, [WAGE], 1, settle="episode_end")
    batch.reset([0])
    steps = [batch.step([joint]) for joint in LABOUR_DIVIDED]
    shown = [step.observation[0, 1, -1] for step in steps]
    assert shown == pytest.approx([0.0, 1.8, 3.6, 0.0])
    assert [step.features.balance[0, 0] for step in steps] == pytest.approx([0, -1.8, -3.6, 0])
    assert [step.features.transfer[0, 1] for step in steps] == pytest.approx([0, 0, 0, 5.4])
    assert [step.reward[0, 0] for step in steps] == pytest.approx([4, 4, 4, 4 - 5.4])


def test_under_limited_liability_creditors_share_what_the_debtor_has():
    gifts = Contract(
        [
            LumpSum(payer="agent_0", payee="agent_1", amount=9),
            LumpSum(payer="agent_0", payee="agent_2", amount=3),
        ]
    )
    config = CleanupConfig.create(num_agents=3, horizon_steps=2)
    batch = BatchContract(config, [gifts], 2, limited_liability=True)
    batch.reset([0, 1])
    first, second = (batch.step([[HARVEST, WAIT, WAIT]] * 2) for _ in range(2))
    assert first.features.transfer.tolist() == [[-4.0, 3.0, 1.0]] * 2
    assert first.reward.tolist() == [[0.0, 3.0, 1.0]] * 2
    assert not second.features.transfer.any(), "what could not be paid is forgiven"


def test_under_limited_liability_what_was_paid_cannot_be_paid_again():
    config = CleanupConfig.create(horizon_steps=4, pollution_initial=10)
    dear = wage(payer="agent_0", payee="agent_1", rate=2)
    batch = BatchContract(config, [dear], 1, limited_liability=True)
    batch.reset([0])
    played = [[HARVEST, MOVE], [WAIT, CLEAN], [WAIT, CLEAN], [WAIT, CLEAN]]
    paid = [batch.step([joint]).features.transfer[0, 1] for joint in played]
    assert paid == [0.0, 4.0, 0.0, 0.0]


def test_conditions_compare_any_public_quantity_as_everybody_saw_it():
    later = dict.fromkeys(CleanupEnv.public_features[3:8], 1)
    later |= {"prob_pollution_growth": 0.5, "prob_fruit_growth": 0.25}
    own = {"pollution_growth_per_step": 2, "fruit_growth_per_step": 5}
    config = CleanupConfig.create(horizon_steps=6, schedule=[(3, later)], **own)
    env = cleanup_icn.parallel_env(observation="vector", **config.to_dict())
    env.reset(seed=0)
    idle = dict.fromkeys(env.agents, WAIT)
    seen = [env.step(idle)[-1]["agent_0"]["public"] for _ in range(6)]
    cases = [(name, float(seen[step][name])) for name in seen[0] for step in (0, 4)]
    contracts = [
        wage(payer="agent_1", per="illegal", rate=1, when=Condition(name, "==", value))
        for name, value in cases
    ]
    batch = BatchContract(config, contracts, len(cases))
    batch.reset([0] * len(cases), np.arange(len(cases)))
    for public in seen:
        transfer = batch.step([[CLEAN, WAIT]] * len(cases)).features.transfer
        assert transfer[:, 0].tolist() == [float(public[name] == value) for name, value in cases]


def test_agent_10_is_not_agent_1():
    config = CleanupConfig.create(num_agents=12, horizon_steps=2)
    gift = Contract([LumpSum(payer="agent_1", payee="agent_10", amount=5)])
    fine = Contract([Fine(payer="agent_11", payee="agent_1", per="illegal", rate=2)])
    batch = BatchContract(config, [gift, fine], 2)
    batch.reset([0, 0], [0, 1])
    transfer = batch.step([[CLEAN] * 12] * 2).features.transfer
    assert {i: transfer[0, i] for i in np.flatnonzero(transfer[0])} == {1: -5.0, 10: 5.0}
    assert {i: transfer[1, i] for i in np.flatnonzero(transfer[1])} == {11: -2.0, 1: 2.0}


def test_where_there_is_no_one_to_be_paid_nobody_pays():
    share = Share(payer="agent_0", payee="others", of="harvested", fraction=1.0)
    alone = Contract([share], parties=["agent_0"])
    of_two = Contract([share], parties=["agent_0", "agent_2"])
    config = CleanupConfig.create(num_agents=3, horizon_steps=2)
    batch = BatchContract(config, [alone, of_two], 2)
    batch.reset([0, 0], [0, 1])
    step = batch.step([[HARVEST, WAIT, WAIT]] * 2)
    assert step.reward.tolist() == [[4.0, 0.0, 0.0], [0.0, 0.0, 4.0]]


def test_without_an_encoder_lanes_show_what_the_wrapper_shows_by_itself():
    config = CleanupConfig.create(horizon_steps=3)
    batch = BatchContract(config, [WAGE, GIFT], 2)
    begun = batch.reset([3, 4], [0, 1])
    for lane, contract in enumerate((WAGE, GIFT)):
        observations, _ = wrapped(config, contract).reset(seed=3 + lane)
        assert_shows(begun.observation[lane], observations)
    six = Contract(list(WAGE.clauses) * 6)
    assert BatchContract(config, [WAGE, six], 1).encoder.max_clauses == 6


def test_a_balance_too_large_to_show_is_clipped():
    gift = Contract([LumpSum(payer="agent_0", payee="agent_1", amount=1e7)])
    batch = BatchContract(CleanupConfig.create(), [gift], 1, settle="episode_end")
    batch.reset([0])
    assert batch.step([[WAIT, WAIT]]).observation[0, :, -1].tolist() == [-1e6, 1e6]


def test_kernels_say_the_same_interpreted(monkeypatch):
    pytest.importorskip("numba")
    config = CleanupConfig.create(num_agents=3, horizon_steps=6)
    contract = Contract([*wage(cap=4.0).clauses, *GIFT.clauses], Duration("step", 4))

    def played():
        batch = BatchContract(config, [contract, WAGE], 2, limited_liability=True)
        batch.reset([0, 1], [0, 1])
        steps = [batch.step(random_actions(number, batch)) for number in range(6)]
        return [array for step in steps for array in (*step[:4], *step.features)]

    compiled = played()
    for name in ("read_public", "book", "settle", "end_contracts", "write_contracts"):
        monkeypatch.setattr(module, name, getattr(module, name).py_func)
    for left, right in zip(compiled, played(), strict=True):
        assert np.array_equal(left, right)


def test_what_is_returned_is_the_callers_to_keep():
    batch = BatchContract(CleanupConfig.create(), [WAGE], 2)
    batch.reset([1, 2])
    first = batch.step(np.full((2, 2), MOVE))
    kept = [array.copy() for array in (*first[:4], *first.features)]
    batch.step(np.full((2, 2), CLEAN))
    batch.contracts[:] = batch.in_force[:] = 1
    for before, after in zip(kept, (*first[:4], *first.features), strict=True):
        assert np.array_equal(before, after)
    assert batch.contracts.tolist() == batch.in_force.tolist() == [0, 0]


@pytest.mark.parametrize(
    "contracts", [[0], [0, 2], [-1, 0], 2, 0.0, [0.0, 1.0], [[0], [0, 1]], "wage"]
)
def test_a_lane_cannot_be_under_a_contract_that_is_not_there(contracts):
    batch = BatchContract(CleanupConfig.create(), [WAGE], 2)
    with pytest.raises(ConfigError, match=r"contracts = .*: expected integers from 0 to 1, one or"):
        batch.reset([1, 2], contracts)
    with pytest.raises(ConfigError, match="seeds"):
        batch.reset()


@pytest.mark.parametrize(
    ("wrong", "error", "message"),
    [
        ({"settle": "never"}, ConfigError, "settle = 'never': expected 'episode_end' or 'step'"),
        ({"limited_liability": 1}, ConfigError, "limited_liability = 1: expected True or False"),
        ({"num_lanes": 0}, ConfigError, "num_lanes = 0"),
        ({"contracts": []}, ContractError, "contracts = "),
        ({"contracts": WAGE}, ContractError, "contracts = "),
        ({"contracts": [NaturalLanguageContract("be nice")]}, ContractError, "made of clauses"),
        ({"contracts": [wage(payee="agent_2")]}, ContractError, r"contracts\[0\]\.agents"),
    ],
)
def test_what_cannot_be_is_named(wrong, error, message):
    given_values = {"contracts": [WAGE], "num_lanes": 2, **wrong}
    with pytest.raises(error, match=message):
        BatchContract(
            CleanupConfig.create(),
            given_values.pop("contracts"),
            given_values.pop("num_lanes"),
            **given_values,
        )
