"""Policies that are functions of what an agent sees, as tables over all states and steps."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np
import numpy.typing as npt

from cleanup_icn.config import CleanupConfig
from cleanup_icn.contracts import Contract
from cleanup_icn.observe import View, view
from cleanup_icn.policies import FOR_TWO, play, scripted_bot
from cleanup_icn.solve.equilibrium import equilibrium
from cleanup_icn.solve.markov import MarkovPolicy
from cleanup_icn.solve.settlement import covers
from cleanup_icn.solve.two_agents import LEGAL, NUM_PLACES, check_two_agents, tables_for
from cleanup_icn.solve.worlds import Floats
from cleanup_icn.state import NUM_ACTIONS, CleanupState

Act = Callable[[View], int | Sequence[float] | npt.NDArray[np.floating]]
"""From what an agent sees to its action, or to the probabilities of the four actions."""


def tabulate(config: CleanupConfig, agent_index: int, act: Act) -> MarkovPolicy:
    """Ask a policy what it does in every state at every step.

    An action that is not possible where the agent stands, or is none of the four, counts as a wait,
    as it does in the game.

    Args:
        config: the game; two agents.
        agent_index: whose policy it is.
        act: the policy; what it sees has no past, so that it must be Markov in it.
    """
    check_two_agents(config)
    grid = tables_for(config, 0).grid
    probs = np.zeros((config.horizon_steps, NUM_PLACES, len(grid.pairs), 3))
    for step, places, pair, seen in _views(config, agent_index):
        probs[step, places, pair] = legal_probs(act(seen), is_at_shore=seen.is_at_shore)
    return MarkovPolicy(agent_index, probs)


def tabulate_scripted(
    config: CleanupConfig, agent_index: int, name: str, *, contract: Contract | None = None
) -> MarkovPolicy:
    """Return a scripted policy under a contract that is in force from the first step on.

    Raises:
        ConfigError: no scripted policy has that name, or the contract is not additive and the
            policy one of `cleanup_icn.policies.FOR_TWO`, which solve the game.
    """
    if name in FOR_TWO:
        return equilibrium(config, contract).policies[agent_index]
    bot = scripted_bot(name, config)
    in_force = [contract_at(config, contract, step) for step in range(config.horizon_steps)]
    shown = [() if each.is_null else (each,) for each in in_force]

    def act(seen: View) -> int:
        return play(seen, bot, contracts=shown[seen.step], under_way=None, talks=False)

    return tabulate(config, agent_index, act)


def uniform_policy(config: CleanupConfig, agent_index: int) -> MarkovPolicy:
    """Return the policy that takes each legal action with the same probability."""
    check_two_agents(config)
    shape = (config.horizon_steps, NUM_PLACES, len(tables_for(config, 0).grid.pairs), 3)
    return MarkovPolicy(agent_index, np.full(shape, 1 / 3))


def contract_at(config: CleanupConfig, contract: Contract | None, step: int) -> Contract:
    """Return the contract in force at a step, the null contract once its duration is over."""
    first_change = next((change for change in config.change_steps if change), None)
    if contract is None or not covers(contract, step, first_change):
        return Contract()
    return contract


def legal_probs(
    answer: int | Sequence[float] | npt.NDArray[np.floating], *, is_at_shore: bool
) -> Floats:
    """Return the probabilities of the three legal actions, (3,), see `LEGAL`.

    Args:
        answer: an action, or the probabilities of the four actions; what is illegal is a wait.
        is_at_shore: where the agent stands.
    """
    legal = LEGAL[is_at_shore]
    if isinstance(answer, int | np.integer):
        return np.asarray(_SURE[legal.index(answer) if answer in legal else 0])
    given = np.asarray(answer, np.float64)
    found = given[list(legal)]
    found[0] += sum(given[action] for action in range(NUM_ACTIONS) if action not in legal)
    return found


_SURE = np.eye(3)


def _views(config: CleanupConfig, agent_index: int) -> Iterator[tuple[int, int, int, View]]:
    """Yield (step, places, pair) of every state, and what the agent sees there."""
    pairs = tables_for(config, 0).grid.pairs
    for step in range(config.horizon_steps):
        like = view(config, CleanupState(0, 0, 0), step, agent_index)
        for places in range(NUM_PLACES):
            for pair, (pollution, fruit) in enumerate(pairs):
                seen = like._replace(at_shore=places, pollution=pollution, fruit=fruit)
                yield step, places, pair, seen
