"""What the other's policy leaves to be earned: exact best responses, and exploitability.

A best response is found by backward induction against a Markov policy in the world as it will be:
the responder knows the schedule, announced or not. So a policy that is surprised by a change can be
exploited where one that knew of it could not.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from cleanup_icn.config import CleanupConfig, ConfigError
from cleanup_icn.solve.markov import MarkovPolicy, Play, values_of
from cleanup_icn.solve.optimum import social_optimum
from cleanup_icn.solve.stage import TOLERANCE, first_best
from cleanup_icn.solve.two_agents import NUM_AGENTS, NUM_PLACES, lump_sums, state_index
from cleanup_icn.solve.worlds import Floats
from cleanup_icn.state import CleanupState


@dataclass(frozen=True, eq=False)
class BestResponse:
    """The best that one agent can do against a Markov policy of the other."""

    play: Play
    values: Floats  # (horizon_steps + 1, 4, pairs): the responder's, lump sums left out
    policy: MarkovPolicy  # the responder's; of equally good actions the lexicographically first

    @property
    def payoff(self) -> float:
        """The responder's expected return from the configured start, lump sums included."""
        agent = self.policy.agent_index
        return self.value(self.play.config.start) + float(lump_sums(self.play.contract)[agent])

    def value(self, state: CleanupState, step: int = 0) -> float:
        """Return what the responder expects from ``step`` on, lump sums left out.

        Raises:
            KeyError: the state is not among those solved.
        """
        places, pair = state_index(self.play.tables(0).grid, state)
        return float(self.values[step, places, pair])


@dataclass(frozen=True, eq=False)
class Exploitability:
    """What each of two agents would gain by responding best while the other stays as it is.

    Amounts are expected returns in reward units after transfers, lump sums included; where there
    are several starts, their means.
    """

    payoffs: Floats  # (2,): of the policies against each other
    best_responses: Floats  # (2,): of each agent's best response to the other's policy
    optimum: float  # welfare of the social optimum from the same starts

    @property
    def gains(self) -> Floats:
        """What each agent would gain, (2,); zero where it is not more than rounding."""
        gains = self.best_responses - self.payoffs
        return np.where(np.abs(gains) < _ROUNDING, 0.0, gains)

    @property
    def nash_conv(self) -> float:
        """The sum of the gains, zero in equilibrium (Lanctot et al. 2017, NashConv)."""
        return float(self.gains.sum())

    @property
    def per_agent_over_optimum(self) -> float | None:
        """NashConv an agent over the optimum: what this project calls exploitability.

        None where the optimum is zero and yet something is to be gained: transfers alone.
        """
        return exploitability_of(self.nash_conv, self.optimum)


def exploitability_of(nash_conv: float, optimum: float) -> float | None:
    """Return NashConv an agent over the optimum, see `Exploitability.per_agent_over_optimum`."""
    if nash_conv == 0.0:
        return 0.0
    return nash_conv / NUM_AGENTS / optimum if optimum > 0.0 else None


def best_response(play: Play, other: MarkovPolicy) -> BestResponse:
    """Return the best that the agent beside ``other`` can do against it, from every state on."""
    agent = 1 - other.agent_index
    horizon, num_pairs = play.config.horizon_steps, play.tables(0).num_pairs
    values = np.zeros((horizon + 1, NUM_PLACES, num_pairs))
    probs = np.zeros((horizon, NUM_PLACES, num_pairs, 3))
    for step in reversed(range(horizon)):
        joint = own_worth(play, agent, step, values[step + 1])
        worth = np.einsum("saop,spo->sap", joint, other.probs[step])
        chosen = first_best(worth, np.ones(worth.shape, np.bool_), highest=True, axis=1)
        values[step] = worth.max(axis=1)
        probs[step] = np.eye(3)[chosen]
    return BestResponse(play, values, MarkovPolicy(agent, probs))


def own_worth(play: Play, agent: int, step: int, ahead: Floats) -> Floats:
    """Return what joint actions are worth to one agent, given its values of the step after.

    Args:
        play: the game.
        agent: whose worth it is.
        step: of the actions.
        ahead: what the agent expects from the next step on, (4, pairs).

    Returns:
        (4, own actions (3), the other's (3), pairs), reward units.
    """
    worth = play.payoffs(step)[agent] + play.tables(step).expected(ahead)
    return np.asarray(worth if agent == 0 else np.swapaxes(worth, 1, 2))


def exploitability(
    play: Play,
    policies: Sequence[MarkovPolicy],
    *,
    starts: Sequence[CleanupState] | None = None,
) -> Exploitability:
    """Return what two policies that play each other leave to be gained.

    Args:
        play: the game.
        policies: agent 0's and agent 1's.
        starts: states in which episodes begin, equally likely; the configured start if none.

    Raises:
        ConfigError: ``starts`` is empty.
        KeyError: a start is not among the states solved.
    """
    begun = _starts(play.config, starts)
    places = [state_index(play.tables(0).grid, state) for state in begun]
    responses = [best_response(play, policies[1 - agent]).values[0] for agent in range(NUM_AGENTS)]
    once, values = lump_sums(play.contract), values_of(play, policies)[0]
    return Exploitability(
        payoffs=np.mean([values[:, where, pair] for where, pair in places], axis=0) + once,
        best_responses=np.array(
            [np.mean([own[where, pair] for where, pair in places]) for own in responses]
        )
        + once,
        optimum=mean_optimum(play.config, begun),
    )


def mean_optimum(config: CleanupConfig, starts: Sequence[CleanupState]) -> float:
    """Return the welfare of the social optimum, the mean over these starts."""
    solved = social_optimum(config)
    return float(np.mean([solved.value(state, 0) for state in starts]))


def _starts(config: CleanupConfig, starts: Sequence[CleanupState] | None) -> Sequence[CleanupState]:
    if starts is None:
        return [config.start]
    if not starts:
        raise ConfigError("starts", starts, "at least one state")
    return starts


_ROUNDING = 100 * TOLERANCE  # what a hundred steps can add up to, each within the tolerance
