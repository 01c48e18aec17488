"""Those who work for pay: a scripted agent that follows contracts and negotiates them.

All of it rests on one forecast: what each agent earns per step, in the long run and under a
contract, if labour is divided and everybody does its part.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from cleanup_icn import rules
from cleanup_icn.bots import clean, harvest, on_duty
from cleanup_icn.contracts import Contract, transfers
from cleanup_icn.icn.observe import ACCEPT, FIRST_PROPOSAL, REJECT
from cleanup_icn.icn.protocol import Stage
from cleanup_icn.icn.text import TalkView
from cleanup_icn.observe import View, agent_names
from cleanup_icn.state import WAIT, Parameters

Incomes = Mapping[str, float]
_TOLERANCE = 1e-9


def fruit_per_step(parameters: Parameters) -> float:
    """Return the fruit a step yields while the river is kept clean (units, expected)."""
    pollution = min(parameters.pollution_growth_per_step, parameters.pollution_max)
    unlimited = parameters._replace(fruit_max=max(parameters.fruit_growth_per_step, 1))
    _, grown = rules.grow(pollution, 0, False, True, unlimited)
    return grown * parameters.prob_fruit_growth


def forecast(seen: View, contracts: Sequence[Contract]) -> Incomes:
    """Return each agent's income per step under the contracts if everybody does its part."""
    p = seen.parameters
    names = agent_names(seen.num_agents)
    workers = on_duty(seen)
    others = [i for i in range(seen.num_agents) if i not in workers]
    removed = p.pollution_growth_per_step * p.prob_pollution_growth
    done: dict[str, dict[str, float]] = {}
    for i, name in enumerate(names):
        harvested = 0.0 if i in workers else fruit_per_step(p) / len(others)
        cleaned = removed / len(workers) if i in workers else 0.0
        done[name] = {"harvested": harvested, "cleaned": cleaned, "reward": harvested}
    public = {"pollution": float(p.pollution_growth_per_step), "fruit": fruit_per_step(p)}
    public["pollution_threshold"] = float(p.pollution_threshold)
    incomes = {name: features["reward"] for name, features in done.items()}
    for contract in contracts:
        for name, amount in transfers(contract, done, public).items():
            incomes[name] += amount
    return incomes


def is_worth_it(seen: View, contracts: Sequence[Contract], agent_index: int) -> bool:
    """Whether an agent's job pays at least an equal split of the fruit: its reservation income."""
    incomes = forecast(seen, contracts)
    mine = incomes[agent_names(seen.num_agents)[agent_index]]
    return mine >= fruit_per_step(seen.parameters) / seen.num_agents - _TOLERANCE


def prospects(seen: View, contracts: Sequence[Contract]) -> Incomes:
    """Return the forecast, or nothing for anyone where an agent on duty would not do its job."""
    if all(is_worth_it(seen, contracts, worker) for worker in on_duty(seen)):
        return forecast(seen, contracts)
    return dict.fromkeys(agent_names(seen.num_agents), 0.0)


def follow_contract(seen: View, contracts: Sequence[Contract]) -> int:
    """Do one's job at the river if the contracts make it worth it; harvest otherwise."""
    if seen.agent_index in on_duty(seen) and is_worth_it(seen, contracts, seen.agent_index):
        return clean(seen)
    return harvest(seen)


def negotiate(seen: View, contracts: Sequence[Contract], talks: TalkView) -> int:
    """Propose, accept, reject or counter: the action in `cleanup_icn.icn`'s action space.

    It proposes the contract of the menu under which the worst-off agent is best off, the first of
    equals. It accepts what leaves it no worse off than the contract in force and the proposal it
    would make itself; else it counters with that proposal, unless that is what stands already.
    """
    me = agent_names(seen.num_agents)[seen.agent_index]
    ideal = max(
        range(len(talks.menu)),
        key=lambda i: min(prospects(seen, (talks.menu[i],)).values()),
        default=None,
    )
    if talks.stage is Stage.PROPOSE:
        is_mine = talks.proposer == seen.agent_index and ideal is not None
        return FIRST_PROPOSAL + ideal if is_mine and ideal is not None else WAIT
    if talks.proposer == seen.agent_index or talks.proposal is None:
        return WAIT
    offered = prospects(seen, (talks.proposal,))[me]
    standing = prospects(seen, contracts)[me]
    wanted = prospects(seen, (talks.menu[ideal],)) if ideal is not None else {}
    if offered >= standing - _TOLERANCE and offered >= wanted.get(me, 0.0) - _TOLERANCE:
        return ACCEPT
    if ideal is not None and min(wanted.values()) > 0.0:
        return FIRST_PROPOSAL + ideal
    return REJECT
