"""What an episode remembers of its talks."""

from __future__ import annotations

import pytest

from cleanup_icn import icn
from cleanup_icn.contracts import Contract, Share

WAIT, MOVE, HARVEST, CLEAN, ACCEPT, REJECT, FIRST_PROPOSAL = range(7)
TRIBUTE = Contract([Share(payer="agent_0", payee="agent_1", of="harvested", fraction=0.5)])


def harvest_for(table, env, steps):
    """Both harvest for so many steps of play; the transfers to agent_1."""
    return [table.say(env, HARVEST, HARVEST)["agent_1"]["transfer"] for _ in range(steps)]


def rich(**config):
    """A garden in which each of two harvesters takes 4 in every step."""
    world = {"pollution_threshold": 30, "fruit_growth_per_step": 20, "fruit_initial": 20}
    return icn.parallel_env(**{**world, "horizon_steps": 8, **config})


def test_the_history_keeps_situation_contracts_and_outcome_of_all_talks(table):
    env = rich(judge="every:4", initial_contract=TRIBUTE, max_rounds=2)
    env.reset(seed=0)
    table.agree(env, FIRST_PROPOSAL + 2)
    harvest_for(table, env, 4)
    table.disagree(env)
    agreed, failed = env.history
    assert (agreed.step, agreed.before, agreed.after) == (0, TRIBUTE, env.menu[2])
    assert agreed.is_ratified
    assert agreed.outcome.contract == env.menu[2]
    assert [r.proposer for r in agreed.outcome.rounds] == [0]
    assert agreed.public["fruit"] == 20
    assert (failed.step, failed.before, failed.after) == (4, env.menu[2], env.menu[2])
    assert not failed.is_ratified
    assert failed.outcome.contract is None
    assert [(r.proposer, r.proposal) for r in failed.outcome.rounds] == [(1, None), (0, None)]
    assert failed.public["pollution"] == 12


def test_the_history_ends_with_its_episode(table):
    env = rich(judge="start")
    env.reset(seed=0)
    table.agree(env, TRIBUTE)
    env.reset()
    assert env.history == ()
    assert env.contract.is_null


@pytest.mark.parametrize("num_agents", [2, 3, 5])
def test_the_first_proposer_rotates_from_talks_to_talks(table, num_agents):
    env = icn.parallel_env(judge="every:1", num_agents=num_agents, horizon_steps=7)
    _, infos = env.reset(seed=0)
    first = []
    while env.agents:
        first += [i for i, info in enumerate(infos.values()) if info["action_mask"][-1]]
        table.agree(env, FIRST_PROPOSAL)
        infos = table.say(env, *[WAIT] * num_agents)
    assert first == [step % num_agents for step in range(7)]
