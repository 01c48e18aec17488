import pytest

from agents.ppo import PPOSettings, train

TINY = PPOSettings(
    total_agent_steps=2000, num_lanes=10, n_steps=20, batch_size=100, n_epochs=4, hidden_sizes=(32,)
)


@pytest.fixture(scope="session")
def tiny_settings():
    return TINY


@pytest.fixture(scope="session")
def trained(tmp_path_factory, symbol_game):
    """A policy trained for a moment, and what the run left."""
    out = tmp_path_factory.mktemp("trained")
    return train(symbol_game, TINY, seed=3, out=out, meta={"preset": "default"})
