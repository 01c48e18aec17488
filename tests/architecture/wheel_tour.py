"""Play an episode of everything that is registered; print how many steps each took, as JSON.

`test_wheel.py` runs this with the Python of an environment that holds the wheel alone, so it uses
nothing but what the wheel brings.
"""

from __future__ import annotations

import importlib.util
import json
import sys
from typing import Any

import gymnasium
import numpy as np
import pettingzoo

import cleanup_icn
import negotiation_games
from cleanup_icn.contracts import Contract, ContractWrapper, Wage

WAGE = Contract([Wage(payer="others", payee="all", per="cleaned", rate=0.6)])


def a_legal_action(infos: dict[str, Any], rng: np.random.Generator) -> int:
    """Draw one of the actions the mask allows."""
    return int(rng.choice(np.flatnonzero(infos["action_mask"])))


def play_parallel(env: Any) -> int:
    """Play one episode of a parallel environment."""
    rng = np.random.default_rng(0)
    observations, infos = env.reset(seed=0)
    steps = 0
    while env.agents:
        for agent in env.agents:
            assert env.observation_space(agent).contains(observations[agent]), agent
        actions = {agent: a_legal_action(infos[agent], rng) for agent in env.agents}
        observations, _, _, _, infos = env.step(actions)
        steps += 1
    env.close()
    return steps


def play_aec(env: Any) -> int:
    """Play one episode of an AEC environment; a step is one agent's turn."""
    rng = np.random.default_rng(0)
    env.reset(seed=0)
    turns = 0
    for agent in env.agent_iter():
        observation, _, terminated, truncated, infos = env.last()
        assert env.observation_space(agent).contains(observation), agent
        over = terminated or truncated
        env.step(None if over else a_legal_action(infos, rng))
        turns += not over
    env.close()
    return turns


def play_seat(env: gymnasium.Env[Any, Any]) -> int:
    """Play one episode of a single seat."""
    rng = np.random.default_rng(0)
    _, infos = env.reset(seed=0)
    steps, over = 0, False
    while not over:
        _, _, terminated, truncated, infos = env.step(a_legal_action(infos, rng))
        over = terminated or truncated
        steps += 1
    env.close()
    return steps


def play_everything() -> dict[str, int]:
    """Return how many steps or turns each environment's episode took."""
    played: dict[str, int] = {}
    for name in pettingzoo.parallel_registry:
        if name.startswith("commonweal/"):
            played[f"parallel {name}"] = play_parallel(pettingzoo.make("parallel", name))
    for name in pettingzoo.aec_registry:
        if name.startswith("commonweal/"):
            played[f"aec {name}"] = play_aec(pettingzoo.make("aec", name))
    seat = gymnasium.make("commonweal/CleanupSeat-v0", seat="agent_0", partners="all-harvest")
    for game in negotiation_games.bundled_games():
        played[f"negotiation {game}"] = play_aec(negotiation_games.env(game=game))
    played["seat"] = play_seat(seat)
    played["contract, parallel"] = play_parallel(ContractWrapper(cleanup_icn.parallel_env(), WAGE))
    played["contract, aec"] = play_aec(ContractWrapper(cleanup_icn.env(), WAGE))
    return played


def check_picture() -> None:
    """Draw an image, for which Pillow and the package's own code must be there."""
    env = cleanup_icn.parallel_env(render_mode="rgb_array")
    env.reset(seed=0)
    picture = env.render()
    assert isinstance(picture, np.ndarray)
    assert picture.ndim == 3
    assert picture.std() > 0


def main() -> None:
    """Check that this is the wheel, without extras; then play."""
    assert "site-packages" in cleanup_icn.__file__, cleanup_icn.__file__
    extras = ("torch", "stable_baselines3", "numba", "openai")
    present = [name for name in extras if importlib.util.find_spec(name)]
    assert not present, present
    check_picture()
    sys.stdout.write(json.dumps(play_everything()))


if __name__ == "__main__":
    main()
