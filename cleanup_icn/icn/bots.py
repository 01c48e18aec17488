"""Those who work for pay: a scripted agent that follows contracts and negotiates them.

All of it rests on one forecast: how clean the river is kept under given contracts, and what each
agent then earns per step in the long run. Those whose job the river is keep it as clean as they are
paid for: clean enough for a yield of fruit of which their pay is an equal split, and no cleaner.
Pay is what they earn beyond what they would if nobody cleaned: not having to pay for a quota missed
is pay, too. That is a rule of thumb about fairness, not an equilibrium.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple

from cleanup_icn import rules
from cleanup_icn.bots import clean, cleaners_needed, harvest
from cleanup_icn.config import SCHEDULED_NAMES
from cleanup_icn.contracts import Contract, LumpSum, transfers
from cleanup_icn.icn.observe import ACCEPT, FIRST_PROPOSAL, REJECT
from cleanup_icn.icn.protocol import Stage
from cleanup_icn.icn.text import TalkView
from cleanup_icn.observe import View, agent_names
from cleanup_icn.state import MOVE, WAIT, Parameters

Contracts = tuple[Contract, ...]
MAX_LEVELS = 256
"""About so many levels of pollution are considered; in rivers that hold more, not every one."""

_TOLERANCE = 1e-9


class Outlook(NamedTuple):
    """What the long run looks like: the pollution that is kept to and each agent's income."""

    level: int | None  # pollution after each step's growth; None where nobody cleans
    incomes: tuple[float, ...]  # per step, by agent index, transfers included


def fruit_per_step(parameters: Parameters, level: int) -> float:
    """Return the fruit that grows per step while pollution is kept at a level (expected units)."""
    roomy = parameters._replace(fruit_max=max(parameters.fruit_growth_per_step, 1))
    _, grown = rules.grow(level, 0, False, True, roomy)
    return grown * parameters.prob_fruit_growth


@lru_cache(maxsize=4096)
def outlook(parameters: Parameters, num_agents: int, contracts: Contracts) -> Outlook:
    """Return the cleanest level at which those who clean are paid an equal split of what grows.

    Labour is divided as `cleanup_icn.bots.divide_labour` does it. If there is no such level, or so
    few cannot keep up with pollution, nobody cleans and in the long run nobody earns anything but
    what quotas move between those who do nothing. A quota is held against what is done per step on
    average.
    """
    cleaners = cleaners_needed(parameters, num_agents)
    idle = _idle_incomes(parameters, num_agents, contracts)
    growth = parameters.pollution_growth_per_step
    if cleaners * parameters.clean_per_action >= growth * parameters.prob_pollution_growth:
        threshold = parameters.pollution_threshold
        for level in range(growth, threshold, max((threshold - growth) // MAX_LEVELS, 1)):
            offer = _offer_at(level, parameters, num_agents, contracts, idle)
            if offer.pay >= offer.fair - _TOLERANCE:
                return Outlook(level if offer.fair > 0.0 else None, offer.incomes)
    return Outlook(None, idle)


class Offer(NamedTuple):
    """What it pays to keep the river at a level of pollution, in fruit a step."""

    fair: float  # an equal split of what grows
    pay: float  # of the worst paid of those who clean; infinite where nobody needs to
    incomes: tuple[float, ...]  # of all, by agent index, transfers included


def offer_at(
    level: int, parameters: Parameters, num_agents: int, contracts: Sequence[Contract]
) -> Offer:
    """Return what contracts pay those who keep the river at a level, beside an equal split."""
    known = tuple(contracts)
    idle = _idle_incomes(parameters, num_agents, known)
    return _offer_at(level, parameters, num_agents, known, idle)


def _offer_at(
    level: int,
    parameters: Parameters,
    num_agents: int,
    contracts: Contracts,
    idle: Sequence[float],
) -> Offer:
    incomes = _incomes(parameters, contracts, level, _labour(parameters, num_agents, level))
    first = num_agents - cleaners_needed(parameters, num_agents)
    pay = (incomes[i] - idle[i] for i in range(first, num_agents))
    fair = fruit_per_step(parameters, level) / num_agents
    return Offer(fair, min(pay, default=math.inf), incomes)


def _idle_incomes(
    parameters: Parameters, num_agents: int, contracts: Contracts
) -> tuple[float, ...]:
    return _incomes(parameters, contracts, parameters.pollution_max, [_NOTHING] * num_agents)


class Duty(NamedTuple):
    """What contracts ask for now, as those who follow them see it."""

    level: int | None  # pollution that is paid for; None: nobody is paid for cleaning
    ahead: int  # pollution after this step's growth, if nobody cleans
    wanted: int  # how many should clean now, those of highest index first


def duty_under(seen: View, contracts: Sequence[Contract]) -> Duty:
    """Return how clean the contracts pay for the river to be, and how many must clean for it."""
    p = seen.parameters
    level = outlook(p, seen.num_agents, tuple(contracts)).level
    ahead = min(seen.pollution + p.pollution_growth_per_step, p.pollution_max)
    if level is None or not p.clean_per_action:
        return Duty(level, ahead, 0)
    return Duty(level, ahead, math.ceil(max(ahead - level, 0) / p.clean_per_action))


def follow_contract(seen: View, contracts: Sequence[Contract]) -> int:
    """Harvest, or keep the river as clean as the contracts pay for if that is one's job."""
    duty = duty_under(seen, contracts)
    if duty.level is None:
        return harvest(seen)
    regulars = cleaners_needed(seen.parameters, seen.num_agents)
    place_from_last = seen.num_agents - seen.agent_index
    if place_from_last <= duty.wanted:
        return clean(seen)
    if place_from_last <= regulars:
        return WAIT if seen.is_at_shore else MOVE
    return harvest(seen)


class Hopes(NamedTuple):
    """What an agent in talks expects of the contracts there are: incomes of all, a step."""

    best: int | None  # in the menu, under which the worst-off is best off; None: no menu
    wanted: tuple[float, ...]  # under that
    standing: tuple[float, ...]  # under what is in force
    offered: tuple[float, ...] | None  # under what is proposed; None where nothing is


def hopes_in(talks: TalkView, seen: View, contracts: Sequence[Contract]) -> Hopes:
    """Return what contracts promise; the first of equals is the best of the menu."""

    def incomes(*under: Contract) -> tuple[float, ...]:
        return outlook(seen.parameters, seen.num_agents, under).incomes

    best = max(range(len(talks.menu)), key=lambda i: min(incomes(talks.menu[i])), default=None)
    return Hopes(
        best=best,
        wanted=(0.0,) * seen.num_agents if best is None else incomes(talks.menu[best]),
        standing=incomes(*contracts),
        offered=None if talks.proposal is None else incomes(talks.proposal),
    )


def negotiate(seen: View, contracts: Sequence[Contract], talks: TalkView) -> int:
    """Propose, accept, reject or counter: the action in `cleanup_icn.icn`'s action space.

    It proposes the contract of the menu under which the worst-off agent is best off, the first of
    equals. It accepts what leaves it no worse off than the contract in force and than what it would
    propose itself; else it counters with that, or rejects if that too promises nothing to someone.
    """
    me = seen.agent_index
    best, wanted, standing, offered = hopes_in(talks, seen, contracts)
    if talks.proposer == me:
        return WAIT if talks.stage is Stage.RESPOND or best is None else FIRST_PROPOSAL + best
    if offered is None:
        return WAIT
    if offered[me] >= max(standing[me], wanted[me]) - _TOLERANCE:
        return ACCEPT
    return FIRST_PROPOSAL + best if best is not None and min(wanted) > 0.0 else REJECT


_NOTHING: Mapping[str, float] = {"harvested": 0.0, "cleaned": 0.0, "reward": 0.0}


def _labour(parameters: Parameters, num_agents: int, level: int) -> list[Mapping[str, float]]:
    """Return what each agent does per step if pollution is kept at a level."""
    cleaners = cleaners_needed(parameters, num_agents)
    growth = parameters.pollution_growth_per_step * parameters.prob_pollution_growth
    yielded = fruit_per_step(parameters, level)
    done: list[Mapping[str, float]] = []
    for i in range(num_agents):
        is_cleaner = i >= num_agents - cleaners
        harvested = 0.0 if is_cleaner else yielded / (num_agents - cleaners)
        cleaned = growth / cleaners if is_cleaner else 0.0
        done.append({"harvested": harvested, "cleaned": cleaned, "reward": harvested})
    return done


def _incomes(
    parameters: Parameters, contracts: Contracts, level: int, done: Sequence[Mapping[str, float]]
) -> tuple[float, ...]:
    """Return each agent's income for what it does in a step, without what is paid once."""
    public: dict[str, float] = dict(zip(SCHEDULED_NAMES, parameters, strict=False))
    public.update(pollution=level, fruit=fruit_per_step(parameters, level))
    features = dict(zip(agent_names(len(done)), done, strict=True))
    incomes = {name: each["reward"] for name, each in features.items()}
    for contract in contracts:
        lasting = [clause for clause in contract.clauses if not isinstance(clause, LumpSum)]
        steady = Contract(lasting, parties=contract.parties)
        for name, amount in transfers(steady, features, public).items():
            incomes[name] += amount
    return tuple(incomes.values())
