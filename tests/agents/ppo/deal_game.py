"""A game of one step for learners: choose a deal that is good for oneself and for the others."""

from itertools import product

import numpy as np

from agents.ppo import ScoredActions
from agents.ppo.draws import uniforms

ISSUES = (3, 2, 3)
NUM_OPTIONS = sum(ISSUES)
DEALS = np.zeros((1 + int(np.prod(ISSUES)), NUM_OPTIONS), np.float32)
for row, deal in enumerate(product(*map(range, ISSUES)), start=1):
    DEALS[row, np.cumsum((0, *ISSUES[:-1])) + deal] = 1.0


class DealGame:
    """Observed: how urgent it is, and the own scores and two others' wishes, a number an option.

    Action 0, to propose nothing, pays 2 where it is not urgent and else nothing. A deal pays the
    sum of the own scores plus twice what the less content of the others thinks of it on average.
    All numbers are drawn afresh in every episode.
    """

    num_agents, observation_size, num_actions = 1, 1 + 3 * NUM_OPTIONS, len(DEALS)

    def __init__(self, num_lanes):
        self.num_lanes = num_lanes

    def reset(self, seeds=None):
        if seeds is not None:
            self._seeds, self._episode = np.asarray(seeds), 0
        return self._deal_out()

    def step(self, actions):
        reward = np.take_along_axis(self.payoffs(), actions, axis=1)
        self._episode += 1
        observation, mask = self._deal_out()
        return observation, reward, np.ones(self.num_lanes, bool), mask, None

    def payoffs(self):
        """What every action pays now, (B, A)."""
        own, *others = self._seen[:, 1:].reshape(-1, 3, NUM_OPTIONS).swapaxes(0, 1)
        content = np.minimum(*(other @ DEALS.T / len(ISSUES) for other in others))
        payoffs = own @ DEALS.T + 2 * content
        payoffs[:, 0] = 2.0 * (self._seen[:, 0] < 0.5)
        return payoffs.astype(np.float64)

    def _deal_out(self):
        places = np.arange(self.observation_size)
        self._seen = uniforms(self._seeds[:, None], self._episode, places).astype(np.float32)
        observation = self._seen[:, None].copy()
        return observation, np.ones((self.num_lanes, 1, self.num_actions), np.int8)


def layout(**changes):
    """How actions of the game are scored."""
    given = {
        "options": DEALS,
        "observation_size": DealGame.observation_size,
        "sums": (1,),
        "groups": ((1 + NUM_OPTIONS, 1 + 2 * NUM_OPTIONS), (1 + NUM_OPTIONS,)),
        "scalars": (0,),
        "special": (0,),
        "hidden_sizes": (16, 8),
    }
    return ScoredActions(**{**given, **changes})
