"""The environment as PettingZoo meets it: turns, rewards, masks, seeds, and what cannot be."""

from __future__ import annotations

import copy
import pickle
from dataclasses import replace

import numpy as np
import pytest
from gymnasium import spaces
from gymnasium.utils.env_checker import data_equivalence
from hypothesis import given, settings
from hypothesis import strategies as st
from negotiation_worlds import at_random, ferry, games, make, mask, play, short

from negotiation_games import Game, GameError, Incentive, Issue, Party, Role, Speech, TextActions

law = settings(max_examples=30, deadline=None)
SILENCE, ACCEPT, REJECT = 6, 7, 8  # of the ferry
each_voting = pytest.mark.parametrize("voting", ["implicit", "explicit"])
each_view = pytest.mark.parametrize("view", ["both", "text", "vector"])


# --- rewards ---------------------------------------------------------------------------------


@law
@given(game=games(), voting=st.sampled_from(["implicit", "explicit"]), seed=st.integers(0, 99))
def test_rewards_come_at_the_end_and_each_party_meets_its_own_once(game, voting, seed):
    env = short(game, voting=voting)
    steps = play(env, at_random(np.random.default_rng(seed), env), seed=seed)
    living = [step for step in steps if not step.is_over]
    dead = [step for step in steps if step.is_over]
    assert {step.reward for step in living} == {0.0}
    assert sorted(step.agent for step in dead) == sorted(env.possible_agents)
    assert steps[-len(dead) :] == dead
    last = dead[0].info
    for step in dead:
        party = game.party(step.agent)
        if last["passed"]:
            options = [int(name[1:]) - 1 for name in last["deal"].split(",")]
            bonus = 10 * (party.role == "p1" and last["unanimous"])
            assert step.reward == party.score(options) + bonus
        else:
            expected = 150 if party.incentive.endswith("_adv") else party.threshold
            assert step.reward == expected


@each_voting
def test_an_episode_ends_by_termination_and_leaves_no_agents(voting):
    env = short(voting=voting)
    steps = play(env, lambda a, o, i: ACCEPT if i["phase"] == "vote" else 1)
    assert env.agents == []
    assert len([s for s in steps if not s.is_over]) == 4 + 1 + (3 if voting == "explicit" else 0)


# --- masks and illegal actions ---------------------------------------------------------------


@each_voting
def test_actions_are_deals_silence_and_votes_if_there_are_any(voting):
    env = make(voting=voting)
    for agent in env.possible_agents:
        assert env.action_space(agent) == spaces.Discrete(9 if voting == "explicit" else 7)


@law
@given(
    game=games(max_options=3),
    voting=st.sampled_from(["implicit", "explicit"]),
    view=st.sampled_from(["both", "vector"]),
    seed=st.integers(0, 99),
)
def test_the_mask_is_what_is_legal(game, voting, view, seed):
    env = short(game, voting=voting, observation=view)
    dice = np.random.default_rng(seed)
    env.reset(seed=seed)
    while True:
        agent = env.agent_selection
        observation, *_, terminated, truncated, info = env.last()
        if terminated or truncated:
            break
        legal = mask(observation, info)
        assert legal.shape == (env.action_space(agent).n,)
        is_vote = info["phase"] == "vote"
        expected = [is_vote == (i > game.num_deals) for i in range(env.action_space(agent).n)]
        assert legal.tolist() == [int(each) for each in expected]
        action = int(dice.integers(env.action_space(agent).n))
        env.step(action)
        assert env.infos[agent]["illegal"] == 1 - legal[action]


@pytest.mark.parametrize(
    "action", [-1, 9, 10**30, ACCEPT, REJECT, 1.0, float("nan"), "A1,B1", None, (0, 0), np.ones(2)]
)
@each_voting
def test_what_is_not_possible_proposes_nothing_and_is_counted(action, voting):
    env = short(voting=voting)
    env.reset(seed=0)
    agent = env.agent_selection
    env.step(action)
    assert env.infos[agent]["illegal"] == 1
    assert env.infos[agent]["status"] not in (None, "ok")
    assert env.unwrapped.record[-1][:3] == (agent, "", None)
    assert len(play(env, lambda a, o, i: action)) > 4


def test_numbers_of_any_integer_kind_are_numbers():
    env = short()
    for action in (np.int64(4), np.int8(4), np.array(4)):
        env.reset(seed=0)
        agent = env.agent_selection
        env.step(action)
        assert env.unwrapped.record[-1].deal == (1, 1)
        assert env.infos[agent]["illegal"] == 0


@pytest.mark.parametrize("deal", [(9, 9), (0,), (0, 0, 0), (-1, 0), (0, -1), "A1,B1", 3, (0, 1.5)])
@pytest.mark.parametrize("phase", ["discuss", "final"])
def test_a_speech_with_a_deal_that_cannot_be_proposes_nothing_and_is_counted(deal, phase):
    env = short()
    env.reset(seed=0)
    while env.infos[env.agent_selection]["phase"] != phase:
        env.step(SILENCE)
    agent = env.agent_selection
    env.step(Speech(deal, "Words."))
    assert env.infos[agent]["illegal"] == 1
    assert env.unwrapped.record[-1].deal is None


def test_a_malformed_answer_is_recorded_with_its_status():
    env = TextActions(short())
    env.reset(seed=0)
    for answer, status in (
        ("<ANSWER>Well.</ANSWER><DEAL>A1</DEAL>", "incomplete"),
        ("<ANSWER>Well.</ANSWER><DEAL>A1,B1</DEAL>", "ok"),
        ("mumble", "missing"),
    ):
        agent = env.agent_selection
        env.step(answer)
        assert env.infos[agent]["status"] == status
        assert (env.unwrapped.record[-1].deal is not None) == (status == "ok")


# --- babbling --------------------------------------------------------------------------------


@settings(max_examples=60, deadline=None)
@given(
    words=st.lists(st.text(st.characters(), max_size=80), min_size=1, max_size=8),
    voting=st.sampled_from(["implicit", "explicit"]),
    seed=st.integers(0, 99),
)
def test_babbling_parties_reach_no_deal_and_the_episode_ends(words, voting, seed):
    env = TextActions(short(voting=voting))
    said = iter(words * 99)
    steps = play(env, lambda a, o, i: next(said), seed=seed)
    assert env.agents == []
    assert all(env.observation_space(s.agent).contains(s.observation) for s in steps)
    for step in steps:
        if step.is_over:
            assert step.info["deal"] is None
            assert step.info["passed"] is False
            assert step.reward == ferry().party(step.agent).threshold


def test_babbling_voters_accept_nothing():
    env = TextActions(short(voting="explicit"))
    deal = "<ANSWER>This.</ANSWER><DEAL>A2,B2</DEAL>"
    steps = play(env, lambda a, o, i: deal if i["phase"] == "final" else "ŧøø ☂ yes accept!")
    assert steps[-1].info["deal"] == "A2,B2"
    assert steps[-1].info["accepted"] == ("Line",)
    assert steps[-1].info["passed"] is False


# --- seeds and state -------------------------------------------------------------------------


def whole(env, seed, action_seed=0):
    return play(env, at_random(np.random.default_rng(action_seed), env, legal=False), seed=seed)


@law
@given(
    game=games(max_options=3),
    view=st.sampled_from(["both", "text", "vector"]),
    voting=st.sampled_from(["implicit", "explicit"]),
    seed=st.integers(0, 2**40),
)
def test_a_seed_and_the_actions_determine_the_whole_episode(game, view, voting, seed):
    fresh = short(game, observation=view, voting=voting)
    used = short(game, observation=view, voting=voting)
    whole(used, 5, action_seed=9)
    assert data_equivalence(
        [tuple(s) for s in whole(fresh, seed)], [tuple(s) for s in whole(used, seed)], exact=True
    )


def test_the_kth_reset_is_the_same_wherever_the_episode_before_was_left():
    finished, left = make(), make()
    whole(finished, 8)
    left.reset(seed=8)
    left.step(2)
    orders = set()
    for _ in range(3):
        for env in (finished, left):
            env.reset()
        assert finished.unwrapped.negotiation_state == left.unwrapped.negotiation_state
        orders.add(finished.unwrapped.negotiation_state.order)
    assert len(orders) == 3


def test_other_seeds_give_other_orders_and_so_do_environments_without_one():
    orders = set()
    for seed in (0, 1, 2, 2**63, None, None):
        env = make()
        env.reset(seed=seed)
        orders.add(env.unwrapped.negotiation_state.order)
    assert len(orders) == 6


def test_nothing_is_drawn_from_the_global_dice():
    np.random.seed(1)  # noqa: NPY002 - it is this generator that must not be touched
    before = copy.deepcopy(np.random.get_state())  # noqa: NPY002
    whole(short(), 0)
    assert data_equivalence(tuple(before), tuple(np.random.get_state()))  # noqa: NPY002


def test_spoiling_what_was_returned_spoils_no_game():
    clean = whole(short(), 2)
    env = short()
    turn = iter(clean)

    def spoil(agent, observation, info):
        for each in env.possible_agents:
            seen = env.observe(each)
            seen["observation"][:] = 7
            seen["action_mask"][:] = 0
            seen.clear()
            env.infos[each].clear()
        return next(turn).action

    spoilt = play(env, spoil, seed=2)
    assert [s.reward for s in spoilt] == [s.reward for s in clean]
    assert [s.agent for s in spoilt] == [s.agent for s in clean]


def test_what_one_party_does_to_its_observation_is_not_seen_by_another():
    env = make()
    env.reset(seed=0)
    env.observe("Farm")["action_mask"][:] = 0
    assert env.observe("Port")["action_mask"].any()


# --- observations ----------------------------------------------------------------------------


@law
@given(
    game=games(max_options=3, least_score=-30),
    view=st.sampled_from(["both", "text", "vector"]),
    layout=st.sampled_from(["append", "published"]),
    voting=st.sampled_from(["implicit", "explicit"]),
    words=st.text(st.characters(), max_size=60),
)
def test_every_observation_lies_inside_its_space(game, view, layout, voting, words):
    env = short(game, observation=view, layout=layout, voting=voting)
    dice = np.random.default_rng(0)
    env.reset(seed=0)
    while env.agents:
        for agent in env.agents:
            assert env.observation_space(agent).contains(env.observe(agent))
        is_over = env.last()[2]
        deal = game.deal_at(int(dice.integers(game.num_deals)))
        env.step(None if is_over else Speech(deal, words, words, accepts=True))


def test_a_very_long_negotiation_lies_inside_its_space():
    env = make(num_turns=800, observation="text")
    env.reset(seed=0)
    while env.infos[env.agent_selection]["phase"] == "discuss":
        env.step(Speech((0, 0), "word " * 1_000))
    assert env.observation_space("Farm").contains(env.observe("Farm"))


@each_view
def test_all_views_are_of_one_episode(view):
    key = {"vector": "observation", "text": "text"}.get(view)
    full, part = (whole(short(observation=kind), 4) for kind in ("both", view))
    for one, other in zip(full, part, strict=True):
        expected = one.observation[key] if key else one.observation
        assert data_equivalence(expected, other.observation, exact=True)


def test_the_vector_holds_own_sheet_public_deals_turn_and_role():
    env = make(observation="vector")
    env.reset(seed=0)
    at_first = {agent: env.observe(agent) for agent in env.possible_agents}
    assert len({vector.tobytes() for vector in at_first.values()}) == 4
    env.step(4)
    spoken = {agent: env.observe(agent) for agent in env.possible_agents}
    other = make(observation="vector")
    other.reset(seed=0)
    other.step(5)
    for agent in env.possible_agents:
        assert not np.array_equal(at_first[agent], spoken[agent])
        assert not np.array_equal(other.observe(agent), spoken[agent])


def test_a_partys_vector_tells_its_own_scores_threshold_and_incentive_apart():
    base = ferry()
    vectors = set()
    farm = base.party("Farm")
    for changed in (
        farm,
        replace(farm, scores=((0, 30), (0, 10, 20))),
        replace(farm, threshold=21),
        replace(farm, incentive=Incentive.GREEDY),
    ):
        env = make(replace(base, parties=(changed, *base.parties[1:])), observation="vector")
        env.reset(seed=0)
        vectors.add(env.observe("Farm").tobytes())
    assert len(vectors) == 4


# --- what cannot be --------------------------------------------------------------------------


@pytest.mark.parametrize(
    "config",
    [
        {"voting": "secret"},
        {"voting": None},
        {"no_deal": "none"},
        {"layout": "other"},
        {"observation": "image"},
        {"render_mode": "rgb_array"},
        {"reasoning": ["dream"]},
        {"reasoning": "plan"},
        {"reasoning": 5},
        {"incentives": {"Farm": "kind"}},
        {"incentives": {"Nobody": "greedy"}},
    ],
)
def test_settings_that_cannot_be_are_one_error_that_names_them(config):
    with pytest.raises(GameError) as caught:
        make(**config)
    (name,) = config
    assert name.removesuffix("s") in str(caught.value) or "Nobody" in str(caught.value)


def test_sabotage_with_a_target_where_there_is_none_is_refused():
    game = ferry()
    parties = tuple(
        replace(p, role=Role.PLAYER if p.role == "target" else p.role) for p in game.parties
    )
    with pytest.raises(GameError, match="target"):
        make(replace(game, parties=parties), incentives={"Farm": "targeted_adv"})


def test_a_game_without_an_initial_deal_cannot_be_opened():
    with pytest.raises(GameError, match="initial deal"):
        make(replace(ferry(), initial_deal=None))


def test_a_game_of_two_is_refused():
    game = ferry()
    two = tuple(p for p in game.parties if p.role in ("p1", "p2"))
    with pytest.raises(GameError, match=r"parties.*3"):
        Game("two", game.issues, two, initial_deal=(0, 0))


def test_incentives_can_be_replaced():
    steps = play(short(incentives={"Farm": "untargeted_adv"}), lambda a, o, i: SILENCE)
    paid = {s.agent: s.reward for s in steps if s.is_over}
    assert paid == {"Farm": 150, "Line": 30, "Town": 30, "Port": 20}


def test_an_environment_can_be_copied_in_the_middle_of_an_episode():
    env = make()
    env.reset(seed=0)
    env.step(3)
    twin = pickle.loads(pickle.dumps(env.unwrapped))
    for each in (env.unwrapped, twin):
        each.step(4)
    assert data_equivalence(env.observe("Port"), twin.observe("Port"), exact=True)


def test_the_smallest_game_can_be_played():
    party = Party("p", Role.PLAYER, Incentive.COOPERATIVE, ((0,),), 0)
    roles = {"a": Role.PROPOSER, "b": Role.VETO, "c": Role.PLAYER}
    parties = tuple(replace(party, name=name, role=role) for name, role in roles.items())
    game = Game("one deal", (Issue("", ("",)),), parties, initial_deal=(0,))
    steps = play(short(game), lambda a, o, i: 0)
    assert {s.agent: s.reward for s in steps if s.is_over} == {"a": 10, "b": 0, "c": 0}
