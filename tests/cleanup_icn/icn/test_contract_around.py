"""A contract that nobody negotiates, around an environment in which others are negotiated."""

from __future__ import annotations

import pickle

import pytest
from pettingzoo.utils import parallel_to_aec

from cleanup_icn import ConfigError, icn
from cleanup_icn.contracts import Contract, ContractError, ContractWrapper, Duration, Fine, Wage
from cleanup_icn.icn.observe import FIRST_PROPOSAL

PINNED = """{"version": 1,
 "clauses": [
   {"type": "share", "payer": "agent_0", "payee": "others", "of": "harvested", "fraction": 0.4},
   {"type": "wage", "payer": "others", "payee": "agent_1", "per": "cleaned", "rate": 0.6,
    "cap": 40.0},
   {"type": "fine", "payer": "all", "payee": "others", "per": "harvested", "rate": 1.0,
    "when": {"feature": "pollution", "op": ">=", "value": 6}},
   {"type": "lump_sum", "payer": "agent_0", "payee": "agent_1", "amount": 5.0}],
 "duration": {"until": "end"}}"""

TAX = Fine(payer="agent_0", payee="agent_1", per="harvested", rate=0.5)
HARVEST, WAIT = 2, 0


def talk_without_agreement(env):
    """Make steps of talks until they have failed; return how many there were."""
    steps = 0
    while env.phase == "propose":
        env.step(dict.fromkeys(env.agents, WAIT))
        steps += 1
    return steps


def harvest_transfers(env, steps):
    paid = []
    for _ in range(steps):
        infos = env.step({"agent_0": HARVEST, "agent_1": WAIT})[-1]
        paid.append(infos["agent_1"]["transfer"])
    return paid


def test_its_duration_counts_play_steps_and_not_talks():
    game = icn.parallel_env(judge="start", max_rounds=3, pollution_growth_per_step=0)
    env = ContractWrapper(game, Contract([TAX], Duration("step", 2)), settle="step")
    env.reset(seed=0)
    assert talk_without_agreement(env) == 3
    assert harvest_transfers(env, 3) == [2.0, 2.0, 0.0]


def test_its_duration_counts_play_steps_with_turns_too():
    game = icn.parallel_env(judge="start", max_rounds=3, pollution_growth_per_step=0)
    env = ContractWrapper(
        parallel_to_aec(game), Contract([TAX], Duration("step", 2)), settle="step"
    )
    env.reset(seed=0)
    paid = 0.0
    for agent in env.agent_iter():
        _, reward, terminated, truncated, _ = env.last()
        paid += reward if agent == "agent_1" else 0.0
        in_talks = game.phase in ("propose", "respond")
        harvests = agent == "agent_0" and not in_talks
        env.step(None if terminated or truncated else HARVEST if harvests else WAIT)
    assert paid == pytest.approx(4.0)


def test_talks_after_a_change_do_not_show_it_again_to_a_contract_until_then():
    game = icn.parallel_env(
        judge="start", schedule=[(0, {"harvest_per_action": 2})], pollution_growth_per_step=0
    )
    env = ContractWrapper(game, Contract([TAX], Duration("change")), settle="step")
    env.reset(seed=0)
    talk_without_agreement(env)
    assert harvest_transfers(env, 2) == [1.0, 1.0]


def test_the_contract_of_the_interface_can_be_in_force_and_can_be_proposed_in_words():
    pinned = Contract.from_json(PINNED)
    assert icn.parallel_env(initial_contract=pinned)
    env = icn.parallel_env(judge="start")
    env.reset(seed=0)
    for answer in (
        f"Fair.\nAction: propose {pinned.to_text()}",
        f"Fair.\nAction: propose\n```json\n{PINNED}\n```\nIs that {{not}} fair?",
    ):
        read = env.parse_answer("agent_0", answer)
        assert (read.action, read.status) == (pinned, "ok")


def test_a_number_between_the_signs_of_the_form_is_read_as_that_number():
    env = icn.parallel_env(judge="start")
    env.reset(seed=0)
    assert env.parse_answer("agent_0", "Action: propose <3>").action == FIRST_PROPOSAL + 3


def test_numbers_that_no_agent_could_propose_are_refused_from_a_configuration():
    huge = Contract([Wage(payer="others", payee="all", per="cleaned", rate=1e300)])
    with pytest.raises(ConfigError, match=r"menu\[0\].*no number above 1000000"):
        icn.parallel_env(menu=[huge])
    with pytest.raises(ConfigError, match="initial_contract"):
        icn.parallel_env(initial_contract=huge)


def test_limited_liability_of_the_talks_holds_only_with_no_contract_around():
    env = icn.parallel_env(limited_liability=True)
    with pytest.raises(ContractError, match="no limited liability inside"):
        ContractWrapper(env, Contract([TAX]))


def test_an_environment_can_be_sent_to_another_process_in_mid_episode():
    env = icn.parallel_env(judge="start")
    env.reset(seed=0)
    copied = pickle.loads(pickle.dumps(env))
    for each in (env, copied):
        each.step({"agent_0": FIRST_PROPOSAL + 2, "agent_1": WAIT})
        each.step({"agent_0": WAIT, "agent_1": 4})
    assert copied.contract == env.contract == env.menu[2]


def test_before_a_reset_there_is_no_contract_and_a_step_says_what_to_do():
    env = icn.parallel_env()
    assert env.contract.is_null
    with pytest.raises(ValueError, match=r"call reset\(\)"):
        env.step({"agent_0": WAIT, "agent_1": WAIT})
