"""What the tests of iterated contract negotiation share: a way to play, and contracts to draw."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, NamedTuple

import numpy as np
import pytest
from hypothesis import strategies as st

from cleanup_icn.contracts import Condition, Contract, Duration, Fine, LumpSum, Quota, Share, Wage

WAIT, MOVE, HARVEST, CLEAN, ACCEPT, REJECT, FIRST_PROPOSAL = range(7)


class Transition(NamedTuple):
    """One call of ``step()``: what was to be done, what was done, and what came of it."""

    phase: str
    actions: dict[str, Any]
    observations: dict[str, Any]
    rewards: dict[str, float]
    truncations: dict[str, bool]
    infos: dict[str, Any]


def play(
    env: Any,
    choose: Callable[[str, Any, dict[str, Any]], Any],
    *,
    seed: int | None = 0,
    options: dict[str, Any] | None = None,
) -> list[Transition]:
    """Play an episode; ``choose(agent, observation, info)`` gives the actions."""
    observations, infos = env.reset(seed=seed, options=options)
    record = []
    while env.agents:
        phase = infos[env.agents[0]]["phase"]
        actions = {a: choose(a, observations[a], infos[a]) for a in env.agents}
        observations, rewards, terminations, truncations, infos = env.step(actions)
        assert not any(terminations.values())
        record.append(Transition(phase, actions, observations, rewards, truncations, infos))
    return record


def say(env: Any, *actions: Any) -> dict[str, Any]:
    """Make one step with the agents' actions in order; return the infos."""
    return env.step(dict(zip(env.agents, actions, strict=True)))[-1]


def agree(env: Any, proposal: Any) -> dict[str, Any]:
    """From the start of talks: let the proposer propose and the others accept; the last infos."""
    assert env.phase == "propose", env.phase
    proposer = len(env.history) % len(env.agents)
    others = [i != proposer for i in range(len(env.agents))]
    say(env, *(WAIT if is_other else proposal for is_other in others))
    return say(env, *(ACCEPT if is_other else WAIT for is_other in others))


def disagree(env: Any) -> dict[str, Any]:
    """From the start of talks: let nobody propose until they have failed; the last infos."""
    assert env.phase == "propose", env.phase
    while env.phase == "propose":
        infos = say(env, *[WAIT] * len(env.agents))
    return infos


def wage(rate: float, duration: Duration | None = None) -> Contract:
    """The others pay whoever cleans this much a unit."""
    clause = Wage(payer="others", payee="all", per="cleaned", rate=rate)
    return Contract([clause], duration or Duration())


def amounts(high: int) -> st.SearchStrategy[float]:
    return st.integers(0, high).map(float) | st.decimals(0, high, places=3).map(float)


@st.composite
def contracts(draw: Any, num_agents: int, *, lump_sums: bool = True, caps: bool = True) -> Any:
    """Contracts that can be signed among so many agents, of at most two clauses."""
    names = [f"agent_{i}" for i in range(num_agents)]
    role = st.sampled_from([*names, "others", "all"])
    quantity = st.sampled_from(["pollution", "fruit", "pollution_threshold"])
    operator = st.sampled_from([">=", ">", "<=", "<", "==", "!="])
    limits = {
        "cap": st.none() | amounts(20) if caps else st.none(),
        "when": st.none() | st.builds(Condition, quantity, operator, amounts(20)),
    }
    between = {"payer": role, "payee": role}
    feature = st.sampled_from(["harvested", "cleaned", "reward"])
    quotas = st.sampled_from([0.5, 1.0, 3.0, 4.0])
    kinds = [
        st.builds(Share, **between, **limits, of=feature, fraction=amounts(1)),
        st.builds(Wage, **between, **limits, per=feature, rate=amounts(5)),
        st.builds(Fine, **between, **limits, per=feature, rate=amounts(5)),
        st.builds(Quota, **between, **limits, per=feature, at_least=quotas, amount=amounts(5)),
    ]
    if lump_sums:
        kinds.append(st.builds(LumpSum, **between, amount=amounts(20)))
    duration = (
        st.just(Duration())
        | st.just(Duration("change"))
        | st.integers(0, 12).map(lambda step: Duration("step", step))
    )
    clauses = draw(st.lists(st.one_of(kinds), max_size=2))
    parties = draw(st.none() | st.permutations(names))
    return Contract(clauses, draw(duration), parties)


def random_policy(dice, signable=()):
    """Choose at random what the mask allows and, where a proposal is, other contracts too."""

    def choose(agent, observation, info):
        legal = np.flatnonzero(info["action_mask"])
        if FIRST_PROPOSAL in legal and signable and dice.random() < 0.7:
            return signable[dice.integers(len(signable))]
        if ACCEPT in legal and dice.random() < 0.6:
            return ACCEPT
        return int(dice.choice(legal))

    return choose


@pytest.fixture(scope="session")
def table() -> SimpleNamespace:
    """The negotiating table: ways to play and to talk, and contracts to talk about."""
    return SimpleNamespace(
        play=play,
        say=say,
        agree=agree,
        disagree=disagree,
        wage=wage,
        contracts=contracts,
        random_policy=random_policy,
    )
