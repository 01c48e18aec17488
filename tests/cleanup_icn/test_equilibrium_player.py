"""Players who solve what they believe in: whole episodes, by the words of observations."""

from __future__ import annotations

import numpy as np
import pytest

import cleanup_icn
from cleanup_icn import ConfigError, icn
from cleanup_icn.contracts import (
    Contract,
    ContractWrapper,
    Duration,
    LumpSum,
    NaturalLanguageContract,
    Quota,
    Share,
    Wage,
)
from cleanup_icn.icn.bargaining import Stakes, offers
from cleanup_icn.icn.observe import ACCEPT, FIRST_PROPOSAL
from cleanup_icn.policies import FOR_TWO, scripted_policy
from cleanup_icn.solve import equilibria, equilibrium, social_optimum
from cleanup_icn.state import WAIT, CleanupState

SHORT = {"preset": "linear", "horizon_steps": 20}
MIXED = {"preset": "linear", "horizon_steps": 12}


def wage(rate, **more):
    return Contract([Wage(payer="others", payee="all", per="cleaned", rate=rate, **more)])


def with_lump(rate, amount):
    payer, payee = ("agent_0", "agent_1") if amount > 0 else ("agent_1", "agent_0")
    return Contract([*wage(rate).clauses, LumpSum(payer=payer, payee=payee, amount=abs(amount))])


def share(fraction):
    return Contract([Share(payer="all", payee="others", of="harvested", fraction=fraction)])


MENU = (Contract(), wage(0.4), wage(0.6), wage(1.0), share(0.3), share(0.5))


def under(contract, *, observation="text", **config):
    game = cleanup_icn.parallel_env(observation=observation, **config)
    return ContractWrapper(game, contract, settle="step")


def with_talks(**config):
    return icn.parallel_env(**{"observation": "text", "judge": "start", "menu": MENU, **config})


def play(env, policy, *, seed=0, from_step=0):
    """Return what each agent got from a step on, (2,), and every action."""
    policy.reset(seed=seed)
    observations, infos = env.reset(seed=seed)
    got, actions = np.zeros(2), []
    while env.agents:
        counts = infos["agent_0"]["step"] >= from_step
        chosen = {agent: policy(observations[agent]) for agent in env.agents}
        assert all(infos[agent]["action_mask"][chosen[agent]] for agent in chosen)
        observations, rewards, _, _, infos = env.step(chosen)
        got += np.array(list(rewards.values())) * counts
        actions.append(tuple(chosen.values()))
    return got, actions


def returns(env, name="equilibrium", **how):
    return play(env, scripted_policy(name, env), **how)[0]


# --- play -----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", FOR_TWO)
@pytest.mark.parametrize("observation", ["text", "both"])
def test_without_a_contract_an_equilibrium_is_worth_76_and_under_the_wage_157(name, observation):
    plain = cleanup_icn.parallel_env(observation=observation)
    assert returns(plain, name).sum() == 76
    assert returns(under(Contract(), observation=observation), name).sum() == 76
    assert returns(under(wage(0.6), observation=observation), name).sum() == pytest.approx(157)


@pytest.mark.parametrize(
    "contract",
    [
        wage(1.0),
        share(0.4),
        Contract([Quota(payer="agent_1", payee="others", per="cleaned", at_least=3, amount=4)]),
        Contract(wage(1.0).clauses, Duration("step", 9)),
        with_lump(1.0, 12.0),
    ],
)
def test_play_is_worth_what_the_solver_says(contract):
    env = under(contract, **SHORT)
    np.testing.assert_allclose(returns(env), equilibrium(env.unwrapped.config, contract).payoffs)


def test_a_surprise_is_met_with_the_equilibrium_of_the_new_world():
    changes = {"schedule": [(7, {"pollution_threshold": 12}), (12, {"clean_per_action": 2})]}
    env = under(wage(1.0), **SHORT, **changes)
    solved = equilibrium(env.unwrapped.config, wage(1.0))
    np.testing.assert_allclose(returns(env), solved.payoffs)
    foreseen = under(wage(1.0), announce_changes=True, **SHORT, **changes)
    solved = equilibrium(foreseen.unwrapped.config, wage(1.0))
    np.testing.assert_allclose(returns(foreseen), solved.payoffs)


def test_a_contract_until_the_change_is_expected_to_last_where_the_change_is_a_surprise():
    brief = Contract(wage(1.0).clauses, Duration("change"))
    env = under(brief, schedule=[(10, {"pollution_threshold": 14})], **SHORT)
    np.testing.assert_allclose(returns(env), equilibrium(env.unwrapped.config, brief).payoffs)


def test_an_episode_depends_on_the_seed_alone():
    env = under(wage(0.3), **MIXED)
    policy = scripted_policy("equilibrium", env)
    first = [play(env, policy, seed=seed)[1] for seed in range(8)]
    assert [play(env, policy, seed=seed)[1] for seed in range(8)] == first
    assert len(set(map(tuple, first))) > 1


def test_a_mixture_is_drawn_as_it_is():
    env = under(wage(0.3), **MIXED)
    solved = equilibrium(env.unwrapped.config, wage(0.3))
    policy = scripted_policy("equilibrium", env)
    policy.reset(seed=1)
    observations, _ = env.reset(seed=0)
    step, state = 0, CleanupState(0, 0, 10)
    while (probs := solved.strategies(state, step)).max(axis=1).min() == 1.0:
        observations, *_ = env.step({a: policy(o) for a, o in observations.items()})
        state, step = env.unwrapped.cleanup_state, step + 1
    for index, agent in enumerate(env.agents):
        drawn = np.bincount([policy(observations[agent]) for _ in range(1500)], minlength=4)
        spread = np.sqrt(probs[index] * (1 - probs[index]) / 1500)
        assert (abs(drawn / 1500 - probs[index]) <= 5 * spread + 1e-12).all()


def test_what_one_draws_does_not_depend_on_the_other():
    env = under(wage(0.3), **MIXED)
    policies = {agent: scripted_policy("equilibrium", env) for agent in env.possible_agents}
    together = scripted_policy("equilibrium", env)
    for seed in range(4):
        for policy in policies.values():
            policy.reset(seed=seed)
        observations, _ = env.reset(seed=seed)
        apart = []
        while env.agents:
            chosen = {agent: policies[agent](observations[agent]) for agent in env.agents}
            apart.append(tuple(chosen.values()))
            observations, *_ = env.step(chosen)
        assert play(env, together, seed=seed)[1] == apart


# --- talks ----------------------------------------------------------------------------------


@pytest.mark.parametrize("max_rounds", [1, 2, 3])
def test_they_agree_in_the_first_round_on_what_the_equilibrium_of_the_talks_says(max_rounds):
    env = with_talks(max_rounds=max_rounds, **SHORT)
    got = returns(env)
    payoffs = np.array([each.payoffs for each in equilibria(env.config, MENU)])
    told = offers(Stakes(payoffs, payoffs[0]), proposer=0, rounds_left=max_rounds)[0]
    assert told.menu_index is not None
    (held,) = env.history
    assert (held.is_ratified, len(held.outcome.rounds)) == (True, 1)
    assert held.after == MENU[told.menu_index]
    np.testing.assert_allclose(got, payoffs[told.menu_index])
    assert got.sum() > payoffs[0].sum()


def test_who_makes_the_last_offer_is_better_off():
    first, second = (returns(with_talks(max_rounds=max_rounds, **SHORT)) for max_rounds in (3, 2))
    assert first[0] > second[0]
    assert first[1] < second[1]


@pytest.mark.parametrize("cost", [0, 3])
@pytest.mark.parametrize("standing", [Contract(), wage(0.4), wage(3.0), share(0.5)])
@pytest.mark.parametrize("name", FOR_TWO)
def test_talks_leave_nobody_worse_off_than_disagreement(name, standing, cost):
    def env(menu):
        return with_talks(
            judge=lambda seen: seen.step == 6,
            menu=menu,
            initial_contract=standing,
            negotiation_cost_steps=cost,
            schedule=[(6, {"pollution_threshold": 14})],
            **SHORT,
        )

    agreed, failed = (returns(env(menu), name, from_step=6) for menu in (MENU, ()))
    assert (agreed >= failed - 1e-9).all()


def test_renegotiation_with_side_payments_recovers_the_optimum_after_a_change():
    rates, amounts = (0.75, 1.0, 1.25, 1.5, 1.75, 2.0), range(-60, 61, 10)
    menu = [
        Contract(),
        *(with_lump(rate, amount) for rate in rates for amount in amounts if amount),
    ]
    efficiency = {}
    for judge in ("never", "change-only"):
        env = with_talks(
            judge=judge,
            menu=menu,
            initial_contract=wage(1.0),
            max_rounds=2,
            preset="linear",
            schedule=[(25, {"pollution_threshold": 10})],
        )
        best = social_optimum(env.config).value(CleanupState(1, 3, 18), 25)  # where both come to
        efficiency[judge] = returns(env, from_step=25).sum() / best
    assert efficiency["never"] < 0.96
    assert efficiency["change-only"] >= 0.99


def test_waiting_is_part_of_what_a_contract_is_worth():
    # In the steps of waiting nobody cleans, and by the quota agent_1 pays for that.
    quota = Contract([Quota(payer="agent_1", payee="others", per="cleaned", at_least=3, amount=2)])
    agreed = {}
    for cost in (0, 10):
        env = with_talks(menu=(quota, wage(0.6)), negotiation_cost_steps=cost, max_rounds=2)
        got = returns(env)
        agreed[cost] = env.history[0].after
        worth = equilibrium(env.config, agreed[cost]).payoffs
        assert (got < worth).all() if cost else np.allclose(got, worth)
    assert agreed[10] == wage(0.6)


# --- partners who are none of them ----------------------------------------------------------


@pytest.mark.parametrize("name", FOR_TWO)
@pytest.mark.parametrize(
    "proposal",
    [
        wage(0.6, cap=30.0),
        NaturalLanguageContract("Whoever cleans gets half of what the other harvests."),
    ],
)
def test_what_cannot_be_solved_is_never_signed(name, proposal):
    env = with_talks(natural_language=True, ask=lambda *_: "", horizon_steps=3)
    policy = scripted_policy(name, env)
    observations, _ = env.reset(seed=0)
    while env.phase != "play":
        mine = policy(observations["agent_1"])
        assert mine != ACCEPT
        asked = env.phase == "propose" or mine == WAIT
        chosen = {"agent_0": proposal if asked else WAIT, "agent_1": mine}
        observations, *_ = env.step(chosen)
    assert not env.history[0].is_ratified


@pytest.mark.parametrize("name", FOR_TWO)
def test_a_good_proposal_is_accepted_though_it_is_not_of_the_menu(name):
    env = with_talks()
    policy = scripted_policy(name, env)
    observations, _ = env.reset(seed=0)
    generous = with_lump(0.6, 70.0)
    observations, *_ = env.step({"agent_0": generous, "agent_1": policy(observations["agent_1"])})
    assert policy(observations["agent_0"]) == WAIT
    observations, *_ = env.step({"agent_0": WAIT, "agent_1": policy(observations["agent_1"])})
    assert env.contract == generous
    while env.agents:
        observations, *_ = env.step({a: policy(o) for a, o in observations.items()})


@pytest.mark.parametrize("name", FOR_TWO)
def test_play_goes_on_wherever_a_partner_leads(name):
    env = with_talks(judge="every:5", negotiation_cost_steps=1, prob_fruit_growth=0.6, **SHORT)
    policy, dice = scripted_policy(name, env), np.random.default_rng(0)
    observations, infos = env.reset(seed=0)
    while env.agents:
        other = int(dice.choice(np.flatnonzero(infos["agent_1"]["action_mask"])))
        mine = policy(observations["agent_0"])
        observations, _, _, _, infos = env.step({"agent_0": mine, "agent_1": other})
        assert infos["agent_0"]["illegal"] == 0
    assert infos["agent_0"]["step"] == 20


# --- haggling -------------------------------------------------------------------------------


def haggling(*, history, **config):
    """Talks at the start and at the change, in the default world; returns the negotiations."""
    env = with_talks(
        judge="change",
        disagreement="void",
        history=history,
        menu=(Contract(), *map(wage, (0.3, 0.6, 0.8, 1.0, 1.2))),
        schedule=[(25, {"pollution_threshold": 7})],
        **config,
    )
    returns(env, "equilibrium-haggler")
    return env.history


def test_hagglers_concede_over_rounds_and_with_a_precedent_agree_at_once():
    with_history, without = haggling(history=True), haggling(history=False)
    assert with_history[0].after == without[0].after
    rounds = [[len(held.outcome.rounds) for held in all_] for all_ in (with_history, without)]
    assert rounds[0][0] == rounds[1][0] > 1
    assert rounds[0][1] == 1 < rounds[1][1]
    assert with_history[1].after == with_history[0].after
    assert all(held.is_ratified for held in (*with_history, *without))


def test_the_precedent_is_what_was_ratified_last():
    env = with_talks(menu=tuple(map(wage, (0.4, 0.6, 0.7, 0.8))))
    words = env.reset(seed=0)[0]["agent_0"]
    results = ("agreed on", 0.7), ("agreed on", 0.8), ("no agreement, then in force", 0.6)
    past = [
        f"Talks before step {step} (pollution 3, fruit 9, fruit grows below 6): {result}: "
        + wage(rate).to_text()
        for step, (result, rate) in enumerate(results)
    ]
    policy = scripted_policy("equilibrium-haggler", env)
    assert policy("\n".join([*past, words])) == FIRST_PROPOSAL + 3
    assert policy("\n".join([*past[:1], words])) == FIRST_PROPOSAL + 2
    assert policy("\n".join([*past[2:], words])) == policy(words) == FIRST_PROPOSAL


def test_a_precedent_that_no_longer_pays_is_left():
    env = with_talks(
        judge="change",
        disagreement="void",
        menu=(Contract(), wage(0.6), wage(1.4)),
        schedule=[(25, {"harvest_per_action": 1})],
    )
    returns(env, "equilibrium-haggler")
    assert [held.after for held in env.history] == [wage(0.6), Contract()]


def test_the_equilibrium_of_talks_takes_no_notice_of_history():
    shown, hidden = (
        play(env, scripted_policy("equilibrium", env))
        for env in (with_talks(judge="every:10", history=each, **SHORT) for each in (True, False))
    )
    assert shown[1] == hidden[1]


# --- where they cannot play -----------------------------------------------------------------


@pytest.mark.parametrize("name", FOR_TWO)
@pytest.mark.parametrize(
    ("make", "told"),
    [
        (lambda: cleanup_icn.parallel_env(num_agents=3), "num_agents = 3: expected 2"),
        (lambda: cleanup_icn.parallel_env(pollution_max=999), r"pollution_max = 999: .* 20000"),
        (lambda: under(wage(0.6, cap=3.0)), r"clauses\[0\].cap = 3.0: expected no cap"),
        (lambda: with_talks(initial_contract=wage(0.6, cap=3.0)), "cap = 3.0"),
        (lambda: with_talks(limited_liability=True), "limited_liability = True: expected False"),
        (
            lambda: ContractWrapper(cleanup_icn.parallel_env(), MENU[1], limited_liability=True),
            "limited_liability = True",
        ),
        (lambda: ContractWrapper(with_talks(), wage(0.6)), "expected one contract at a time"),
        (lambda: ContractWrapper(under(wage(0.6)), wage(0.6)), "expected one contract at a time"),
    ],
)
def test_where_they_cannot_play_is_refused_before_play(name, make, told):
    env = make()
    with pytest.raises(ConfigError, match=told):
        scripted_policy(name, env)


def test_a_null_contract_around_talks_changes_nothing():
    env = ContractWrapper(with_talks(**SHORT), Contract(), settle="step")
    np.testing.assert_allclose(returns(env), returns(with_talks(**SHORT)))


def test_observations_without_words_are_refused():
    env = cleanup_icn.parallel_env(observation="vector")
    policy = scripted_policy("equilibrium", env)
    with pytest.raises(ConfigError, match='expected "both" or "text"'):
        policy(env.reset(seed=0)[0]["agent_0"])


def test_large_worlds_are_those_that_are_not_solved_from_every_state():
    env = cleanup_icn.parallel_env(pollution_max=99, fruit_max=199, horizon_steps=1)
    assert returns(env).tolist() == [4.0, 4.0]
