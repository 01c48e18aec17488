from functools import partial

import numpy as np
import pytest
from gymnasium import spaces
from pettingzoo import ParallelEnv

NUM_SYMBOLS = 3


class SymbolGame(ParallelEnv):
    """Each agent sees a symbol and earns 1 for naming it; one other symbol is illegal.

    Observation: agent index, share of the horizon gone, the symbol as a one-hot vector.
    Options: `{"first_symbol": k}` fixes the symbol of the first step.
    """

    render_mode = None

    def __init__(self, *, horizon_steps=50, masked=True, terminates=False, num_agents=2):
        self.metadata = {"name": "symbol_game_v0"}
        self.possible_agents = [f"agent_{i}" for i in range(num_agents)]
        self.agents = []
        self.horizon_steps = horizon_steps
        self.masked = masked
        self.terminates = terminates
        self.seeds = []
        self.options = []
        self._observation_space = spaces.Box(0.0, 1.0, (2 + NUM_SYMBOLS,), np.float32)
        self._action_space = spaces.Discrete(NUM_SYMBOLS)

    def observation_space(self, agent):
        return self._observation_space

    def action_space(self, agent):
        return self._action_space

    def reset(self, seed=None, options=None):
        self.seeds.append(seed)
        self.options.append(options)
        if seed is not None:
            self._rng = np.random.default_rng(seed)
        self.agents = list(self.possible_agents)
        self.step_index = 0
        self._deal()
        if options:
            self.symbols[:] = options["first_symbol"]
        return self._observations(), self._infos()

    def step(self, actions):
        rewards = {
            agent: float(actions[agent] == symbol)
            for agent, symbol in zip(self.possible_agents, self.symbols, strict=True)
        }
        self.step_index += 1
        ended = self.step_index == self.horizon_steps
        self._deal()
        if ended:
            self.agents = []
        return (
            self._observations(),
            rewards,
            dict.fromkeys(self.possible_agents, ended and self.terminates),
            dict.fromkeys(self.possible_agents, ended and not self.terminates),
            self._infos(),
        )

    def _deal(self):
        num_agents = len(self.possible_agents)
        self.symbols = (self._rng.random(num_agents) * NUM_SYMBOLS).astype(int)

    def _observations(self):
        gone = self.step_index / self.horizon_steps
        return {
            agent: np.array(
                [index, gone, *(float(symbol == s) for s in range(NUM_SYMBOLS))], np.float32
            )
            for index, (agent, symbol) in enumerate(
                zip(self.possible_agents, self.symbols, strict=True)
            )
        }

    def _infos(self):
        if not self.masked:
            return {agent: {} for agent in self.possible_agents}
        infos = {}
        for agent, symbol in zip(self.possible_agents, self.symbols, strict=True):
            mask = np.ones(NUM_SYMBOLS, np.int8)
            mask[(symbol + 1) % NUM_SYMBOLS] = 0
            infos[agent] = {"action_mask": mask}
        return infos


@pytest.fixture
def make_symbol_game():
    def make(**config):
        return partial(SymbolGame, **config)

    return make


@pytest.fixture(scope="session")
def symbol_game():
    return partial(SymbolGame, horizon_steps=20)
