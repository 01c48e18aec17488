"""Those who follow contracts and negotiate them."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import cleanup_icn
from cleanup_icn import CleanupConfig, icn
from cleanup_icn.contracts import Contract, ContractWrapper, Quota, Wage
from cleanup_icn.icn.bots import follow_contract, fruit_per_step, negotiate, outlook
from cleanup_icn.icn.protocol import Stage
from cleanup_icn.icn.text import TalkView
from cleanup_icn.observe import view
from cleanup_icn.policies import scripted_policy
from cleanup_icn.solve import social_optimum
from cleanup_icn.state import CleanupState

WAIT, MOVE, HARVEST, CLEAN, ACCEPT, REJECT, FIRST_PROPOSAL = range(7)
RATES = (0.5, 1.0, 1.5, 2.0, 3.0)


def wage(rate):
    return Contract([Wage(payer="others", payee="all", per="cleaned", rate=rate)])


def quota(amount, *, payer="agent_1", at_least=1):
    terms = {"payee": "agent_0", "per": "cleaned", "at_least": at_least, "amount": amount}
    return Contract([Quota(payer=payer, **terms)])


MENU = (Contract(), *map(wage, RATES))
LINEAR = {"preset": "linear", "schedule": [(25, {"pollution_threshold": 12})]}


def seen_by(agent_index, *, at_shore=0, **config):
    made = CleanupConfig.create(**config)
    return view(made, CleanupState(at_shore, 0, 10), 0, agent_index)


def talks(*, stage=Stage.PROPOSE, proposer=0, proposal=None, menu=MENU):
    return TalkView(stage, proposer, 1, 3, proposal, menu)


def welfare_by_step(env):
    """Welfare of each play step when contract-followers play."""
    policy = scripted_policy("contract-follower", env)
    observations, infos = env.reset(seed=0)
    welfare = []
    while env.agents:
        is_play = infos["agent_0"].get("phase", "play") == "play"
        actions = {agent: policy(observations[agent]) for agent in env.agents}
        observations, rewards, *_, infos = env.step(actions)
        assert not any(info["illegal"] for info in infos.values())
        if is_play:
            welfare.append(sum(rewards.values()))
    return welfare


# --- the point of it all ---------------------------------------------------------------------


def test_the_fixed_contract_fails_after_the_change_and_negotiation_does_not():
    game = cleanup_icn.parallel_env(**LINEAR)
    fixed = welfare_by_step(ContractWrapper(game, wage(1.0), settle="step"))
    negotiated = welfare_by_step(icn.parallel_env(judge="change", menu=MENU, **LINEAR))
    optimum = social_optimum(CleanupConfig.create(**LINEAR)).welfare
    assert len(fixed) == len(negotiated) == 50
    assert sum(negotiated[25:]) > 1.3 * sum(fixed[25:])
    assert sum(negotiated[:25]) == pytest.approx(sum(fixed[:25]))
    assert sum(negotiated) > 0.9 * optimum
    assert sum(negotiated) <= optimum + 1e-9


def test_negotiation_only_at_the_start_fails_like_any_fixed_contract():
    start = welfare_by_step(icn.parallel_env(judge="start", menu=MENU, **LINEAR))
    change = welfare_by_step(icn.parallel_env(judge="change", menu=MENU, **LINEAR))
    assert sum(start[:25]) == pytest.approx(sum(change[:25]))
    assert sum(start[25:]) < sum(change[25:])


def test_followers_agree_on_a_better_wage_when_the_river_is_worth_more():
    env = icn.parallel_env(judge="change", menu=MENU, **LINEAR)
    welfare_by_step(env)
    first, second = env.history
    assert (first.step, second.step) == (0, 25)
    assert first.is_ratified
    assert second.is_ratified
    assert second.after.clauses[0].rate > first.after.clauses[0].rate


@pytest.mark.parametrize("num_agents", [2, 3, 5])
def test_followers_reach_agreement_in_every_number(num_agents):
    env = icn.parallel_env(judge="start", num_agents=num_agents)
    with_contract = sum(welfare_by_step(env))
    assert env.history[0].is_ratified
    assert with_contract > 0.75 * social_optimum(env.config).welfare


# --- the forecast ----------------------------------------------------------------------------


def look_ahead(*contracts, num_agents=2, **config):
    return outlook(CleanupConfig.create(**config).parameters_at(0), num_agents, contracts)


def test_fruit_per_step_is_what_grows_at_a_level_of_pollution():
    plain = CleanupConfig().parameters_at(0)
    assert [fruit_per_step(plain, level) for level in (0, 5, 6, 30)] == [3, 3, 0, 0]
    linear = CleanupConfig.create(preset="linear").parameters_at(0)
    assert [fruit_per_step(linear, level) for level in (3, 4, 6)] == [6, 4, 0]
    half = CleanupConfig.create(prob_fruit_growth=0.5).parameters_at(0)
    assert fruit_per_step(half, 3) == 1.5


def test_a_wage_that_is_a_fair_share_keeps_the_river_clean():
    assert look_ahead(wage(0.5)) == (3, pytest.approx((1.5, 1.5)))
    assert look_ahead(wage(0.9)) == (3, pytest.approx((0.3, 2.7)))


def test_without_pay_nobody_cleans_and_nobody_earns():
    assert look_ahead() == (None, (0.0, 0.0))
    assert look_ahead(wage(0.4)) == (None, (0.0, 0.0))


def test_a_quota_that_costs_a_fair_share_to_miss_keeps_the_river_clean():
    assert look_ahead(quota(1.5)) == (3, pytest.approx((3.0, 0.0)))
    assert look_ahead(quota(9.0, at_least=3)) == (3, pytest.approx((3.0, 0.0)))


def test_where_nobody_cleans_quotas_are_missed():
    assert look_ahead(quota(1.4)) == (None, pytest.approx((1.4, -1.4)))
    assert look_ahead(quota(9.0, at_least=3.5)) == (None, pytest.approx((9.0, -9.0)))
    assert look_ahead(quota(9.0), clean_per_action=2) == (None, pytest.approx((9.0, -9.0)))
    of_all = Contract([Quota(payer="all", payee="others", per="cleaned", at_least=1, amount=1)])
    assert look_ahead(of_all) == (None, (0.0, 0.0))


def test_nobody_agrees_to_a_quota_that_it_will_miss():
    asked = {"stage": Stage.RESPOND, "proposal": quota(1.4), "menu": (Contract(),)}
    assert negotiate(seen_by(1), (), talks(**asked)) == REJECT
    assert negotiate(seen_by(0), (), talks(proposer=1, **asked)) == ACCEPT


def test_a_wage_pays_for_a_river_as_clean_as_its_share_of_the_yield():
    changed = {"preset": "linear", "pollution_threshold": 12}
    assert look_ahead(wage(1.5), **changed) == (3, pytest.approx((4.5, 4.5)))
    assert look_ahead(wage(1.0), **changed) == (6, pytest.approx((3.0, 3.0)))


def test_a_river_that_cannot_be_kept_clean_is_given_up():
    assert look_ahead(wage(3.0), clean_per_action=2).level is None


@given(st.integers(2, 6), st.sampled_from(RATES), st.integers(0, 9), st.integers(0, 30))
def test_contracts_move_income_in_an_outlook_and_make_none(num_agents, rate, growth, threshold):
    config = {"pollution_growth_per_step": growth, "pollution_threshold": threshold}
    ahead = look_ahead(wage(rate), num_agents=num_agents, **config)
    parameters = CleanupConfig(num_agents=num_agents, **config).parameters_at(0)
    grown = 0.0 if ahead.level is None else fruit_per_step(parameters, ahead.level)
    assert sum(ahead.incomes) == pytest.approx(grown)


# --- what they do ----------------------------------------------------------------------------


def test_a_follower_works_for_a_fair_wage_and_harvests_otherwise():
    assert follow_contract(seen_by(1), ()) == HARVEST
    assert follow_contract(seen_by(1), (wage(0.4),)) == HARVEST
    assert follow_contract(seen_by(1), (wage(0.5),)) == MOVE
    assert follow_contract(seen_by(1), (quota(1.4),)) == HARVEST
    assert follow_contract(seen_by(1), (quota(1.5),)) == MOVE
    assert follow_contract(seen_by(1, at_shore=0b10), ()) == MOVE
    assert follow_contract(seen_by(0), (wage(0.5),)) == HARVEST


def test_the_proposal_is_that_under_which_the_worst_off_is_best_off():
    assert negotiate(seen_by(0), (), talks()) == FIRST_PROPOSAL + MENU.index(wage(0.5))
    unequal = (Contract(), wage(0.9), wage(0.6))
    assert negotiate(seen_by(0), (), talks(menu=unequal)) == FIRST_PROPOSAL + 2


def test_idle_agents_pass():
    assert negotiate(seen_by(1), (), talks(menu=())) == WAIT
    proposal = talks(stage=Stage.RESPOND, proposal=wage(0.5), menu=())
    assert negotiate(seen_by(0), (), proposal) == WAIT


@pytest.mark.parametrize(
    ("agent_index", "offered", "answer"),
    [
        (1, wage(0.5), ACCEPT),
        (1, wage(0.9), ACCEPT),
        (1, wage(0.4), FIRST_PROPOSAL + 1),
        (1, Contract(), FIRST_PROPOSAL + 1),
        (0, wage(0.5), ACCEPT),
        (0, wage(0.9), FIRST_PROPOSAL + 1),
    ],
)
def test_an_offer_is_accepted_if_it_is_no_worse_than_ones_own_and_countered_otherwise(
    agent_index, offered, answer
):
    proposal = talks(stage=Stage.RESPOND, proposer=1 - agent_index, proposal=offered)
    assert negotiate(seen_by(agent_index), (), proposal) == answer


def test_nobody_gives_up_a_contract_that_pays_it_more():
    proposal = talks(stage=Stage.RESPOND, proposer=0, proposal=wage(0.5))
    assert negotiate(seen_by(1), (wage(0.9),), proposal) != ACCEPT


def test_an_offer_is_rejected_where_nothing_on_the_menu_would_help():
    proposal = talks(stage=Stage.RESPOND, proposer=0, proposal=wage(0.1), menu=(Contract(),))
    standing = (wage(0.5),)
    assert negotiate(seen_by(1), standing, proposal) == REJECT


@settings(deadline=None, max_examples=40)
@given(st.data())
def test_a_follower_never_answers_what_the_mask_excludes_nor_accepts_a_loss(table, data):
    num_agents = data.draw(st.integers(2, 4))
    offered, standing = (data.draw(table.contracts(num_agents)) for _ in range(2))
    me = data.draw(st.integers(0, num_agents - 1))
    proposer = data.draw(st.integers(0, num_agents - 1).filter(lambda i: i != me))
    seen = seen_by(me, num_agents=num_agents)
    proposal = talks(stage=Stage.RESPOND, proposer=proposer, proposal=offered)
    answer = negotiate(seen, (standing,), proposal)
    assert answer in (ACCEPT, REJECT, *range(FIRST_PROPOSAL, FIRST_PROPOSAL + len(MENU)))
    if answer == ACCEPT:
        before, after = (
            outlook(seen.parameters, num_agents, (c,)).incomes[me] for c in (standing, offered)
        )
        assert after >= before - 1e-6
