import sys
from pathlib import Path

import pytest

from agents.ppo import PPOSettings, PythonLanes, train

sys.path.insert(0, str(Path(__file__).parent))  # for deal_game

TINY = PPOSettings(
    total_agent_steps=2000, num_lanes=10, n_steps=20, batch_size=100, n_epochs=4, hidden_sizes=(32,)
)


@pytest.fixture(scope="session")
def tiny_settings():
    return TINY


@pytest.fixture(scope="session")
def lanes_of(symbol_game):
    """Makes a batch of symbol games for learning."""

    def make(num_lanes=TINY.num_lanes, **options):
        return PythonLanes(symbol_game, num_lanes, auto_reset=True, **options)

    return make


@pytest.fixture(scope="session")
def trained(tmp_path_factory, lanes_of):
    """A policy trained for a moment, and what the run left."""
    out = tmp_path_factory.mktemp("trained")
    return train(lanes_of(), TINY, seed=3, out=out, meta={"preset": "default"})
