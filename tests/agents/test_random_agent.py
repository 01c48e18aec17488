from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents import RandomAgent

masks = st.lists(st.integers(0, 1), min_size=1, max_size=12).filter(any)


@given(mask=masks, seed=st.integers(0, 2**32))
def test_every_draw_is_legal_and_follows_from_the_seed(mask, seed):
    observation = {"action_mask": np.array(mask, np.int8)}
    agent, twin = RandomAgent(), RandomAgent()
    agent.reset(seed=seed)
    twin.reset(seed=seed)
    drawn = [agent.act(observation) for _ in range(5)]
    assert all(mask[decision.action] for decision in drawn)
    assert all(type(decision.action) is int for decision in drawn)
    assert drawn == [twin.act(observation) for _ in range(5)]


def test_legal_actions_are_drawn_about_equally_often():
    agent = RandomAgent()
    agent.reset(seed=1)
    observation = {"action_mask": np.array([1, 0, 1, 1], np.int8)}
    counts = Counter(agent.act(observation).action for _ in range(3000))
    assert set(counts) == {0, 2, 3}
    assert min(counts.values()) > 900


@pytest.mark.parametrize(
    "observation", [{"action_mask": np.zeros(3, np.int8)}, {}, "text", None, np.zeros(3)]
)
def test_without_a_legal_action_it_falls_back_and_says_so(observation):
    decision = RandomAgent().act(observation)
    assert (decision.action, decision.status) == (0, "no_legal_action")
