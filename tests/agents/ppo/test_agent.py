import asyncio
from collections import Counter

import numpy as np
import pytest
import torch

from agents import Agent, Decision
from agents.ppo import MaskedPolicy, PPOAgent


def constant_policy(*probabilities):
    """A policy with these probabilities whatever it sees (two numbers)."""
    logits = np.log(np.array(probabilities, np.float32))
    return MaskedPolicy([(np.zeros((2, logits.size), np.float32), logits)])


def test_it_draws_in_proportion_to_the_policy():
    agent = PPOAgent(constant_policy(0.2, 0.5, 0.3))
    agent.reset(seed=0)
    counts = Counter(agent.act(np.zeros(2)).action for _ in range(5000))
    for action, probability in enumerate((0.2, 0.5, 0.3)):
        assert counts[action] / 5000 == pytest.approx(probability, abs=0.03)


def test_it_takes_the_likeliest_legal_action_when_deterministic():
    agent = PPOAgent(constant_policy(0.2, 0.5, 0.3), deterministic=True)
    observation = {"observation": np.zeros(2), "action_mask": np.array([1, 0, 1], np.int8)}
    assert agent.act(np.zeros(2)) == Decision(action=1)
    assert agent.act(observation) == Decision(action=2)


def test_illegal_actions_are_never_drawn():
    agent = PPOAgent(constant_policy(0.9, 0.05, 0.05))
    observation = {"observation": np.zeros(2), "action_mask": np.array([0, 1, 1], np.int8)}
    assert {agent.act(observation).action for _ in range(200)} == {1, 2}


def test_draws_follow_from_the_seed_and_leave_the_global_generators_alone(trained):
    agent, twin = PPOAgent(trained.policy), PPOAgent(trained.policy)
    observation = {"observation": np.zeros(5), "action_mask": np.ones(3, np.int8)}
    global_state = torch.get_rng_state()
    agent.reset(seed=8)
    twin.reset(seed=8)
    drawn = [agent.act(observation) for _ in range(20)]
    torch.rand(3)
    assert drawn == [asyncio.run(twin.act_async(observation)) for _ in range(20)]
    torch.set_rng_state(global_state)
    agent.act(observation)
    assert torch.equal(torch.get_rng_state(), global_state)


def test_a_batch_is_drawn_like_its_observations_one_by_one():
    agent, twin = (PPOAgent(constant_policy(0.2, 0.5, 0.3)) for _ in range(2))
    agent.reset(seed=1)
    twin.reset(seed=1)
    assert agent.act_batch(np.zeros((50, 2))).tolist() == [
        twin.act(np.zeros(2)).action for _ in range(50)
    ]


def test_a_checkpoint_plays_like_the_policy_it_keeps(trained):
    loaded, kept = PPOAgent.load(trained.checkpoint), PPOAgent(trained.policy)
    loaded.reset(seed=2)
    kept.reset(seed=2)
    observations = np.random.default_rng(0).normal(size=(100, 5))
    masks = np.ones((100, 3), np.int8)
    assert isinstance(loaded, Agent)
    assert np.array_equal(
        loaded.act_batch(observations, masks), kept.act_batch(observations, masks)
    )
