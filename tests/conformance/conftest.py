"""What the conformance tests share."""

from __future__ import annotations

import numpy as np
import pytest


@pytest.fixture(scope="session")
def random_episode():
    """A function that plays one episode and returns everything it saw."""
    return _random_episode


def _random_episode(env, *, seed=None, action_seed=0, first_reset=True):
    """Everything the parallel env returns in one episode of random actions, legal or not."""
    dice = np.random.default_rng(action_seed)
    record = [env.reset(seed=seed)] if first_reset else []
    while env.agents:
        actions = {agent: int(dice.integers(4)) for agent in env.agents}
        record.append(env.step(actions))
    return record
