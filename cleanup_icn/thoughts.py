"""What scripted players think, in words: how their rules come to an answer, step by step.

A model that is taught a player's answers can be taught these thoughts with them (Wei et al. 2022,
arXiv:2201.11903, let models think so; Magister et al. 2023, arXiv:2212.08410, teach it to small
ones). They name the numbers of the observation that the rule rests on, in the order in which it
takes them, and then what follows.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from cleanup_icn.bots import cleaners_needed, cleaners_wanted
from cleanup_icn.config import ConfigError
from cleanup_icn.icn.bots import duty_under, hopes_in, offer_at
from cleanup_icn.icn.text import TalkView, is_waiting, parse_contracts, parse_talks
from cleanup_icn.observe import View, agent_names
from cleanup_icn.text import parse_observation, words_of

THINK = "think"
"""The step of thought (`cleanup_icn.text.STEPS`) that these are an answer to."""


def thought_of(policy: str, observation: Any) -> str:
    """Return what a scripted policy thinks before it answers an observation that has words.

    Empty where there is nothing to choose, or nothing to choose by.

    Raises:
        ConfigError: the policy is none of `THINKERS`.
    """
    if policy not in THINKERS:
        raise ConfigError("policy", policy, "one of " + ", ".join(THINKERS))
    words = words_of(observation)
    seen = parse_observation(words)
    if is_waiting(words) or seen.step >= seen.horizon_steps:
        return ""
    talks = parse_talks(words)
    return THINKERS[policy](seen, words) if talks is None else _bargain(seen, words, talks)


def _divide_labour(seen: View, _words: str) -> str:
    """Say how many `cleanup_icn.bots.divide_labour` wants to clean, and who they are."""
    p = seen.parameters
    wanted = cleaners_wanted(seen)
    return (
        f"Pollution {seen.pollution}, +{p.pollution_growth_per_step}, -{p.clean_per_action} a "
        f"cleaning: {_who(wanted, seen.num_agents)}."
    )


def _follow_contract(seen: View, words: str) -> str:
    """Say how clean `cleanup_icn.icn.bots.follow_contract` keeps the river, and who is to clean."""
    p = seen.parameters
    if not p.clean_per_action:
        return "Nothing can be cleaned."
    contracts = parse_contracts(words)
    duty = duty_under(seen, contracts)
    level = p.pollution_growth_per_step if duty.level is None else duty.level
    offer = offer_at(level, p, seen.num_agents, contracts)
    grown = offer.fair * seen.num_agents
    if duty.level is None and grown == 0:
        return f"At pollution {level} grows no fruit. Nobody cleans for that."
    pays = "needs nobody" if math.isinf(offer.pay) else f"pays {_told(offer.pay)}"
    told = (
        f"At pollution {level} grow {_told(grown)} fruit, a fair part is {_told(offer.fair)}, "
        f"cleaning {pays}. "
    )
    if duty.level is None:
        too_few = offer.pay >= offer.fair
        return told + ("They cannot keep up." if too_few else "Nobody cleans for that.")
    ready = cleaners_needed(p, seen.num_agents) - duty.wanted
    names = agent_names(seen.num_agents)[: seen.num_agents - duty.wanted][-ready:]
    stand_by = f", {', '.join(names)} to stand by" if ready > 0 else ""
    return (
        f"{told}Pollution {seen.pollution}, +{p.pollution_growth_per_step} is {duty.ahead}, "
        f"-{p.clean_per_action} a cleaning: {_who(duty.wanted, seen.num_agents)}{stand_by}."
    )


def _bargain(seen: View, words: str, talks: TalkView) -> str:
    """Say what `cleanup_icn.icn.bots.negotiate` expects of the contracts that it compares."""
    me = seen.agent_index
    hopes = hopes_in(talks, seen, parse_contracts(words))
    fair = f"menu {hopes.best}"
    if talks.proposer == me:
        is_asked = hopes.offered is None and hopes.best is not None
        return (
            f"All have at least {_told(min(hopes.wanted), 1)} a step by {fair}." if is_asked else ""
        )
    if hopes.offered is None:
        return ""
    mine, without = _told(hopes.offered[me], 1), _told(hopes.standing[me], 1)
    told = f"I have {mine} a step by this, {without} without"
    return f"{told}." if hopes.best is None else f"{told}, {_told(hopes.wanted[me], 1)} by {fair}."


def _who(wanted: int, num_agents: int) -> str:
    names = agent_names(num_agents)[max(num_agents - wanted, 0) :]
    return f"{wanted} to clean, {', '.join(names) or 'nobody'}"


def _told(income: float, digits: int = 2) -> str:
    return f"{round(income, digits) + 0.0:g}"


THINKERS: Mapping[str, Callable[[View, str], str]] = MappingProxyType(
    {"division-of-labour": _divide_labour, "contract-follower": _follow_contract}
)
"""Scripted policies that say what they think, with their thoughts in play."""
