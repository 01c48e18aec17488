"""The single environment: what it hands out is the caller's, and what it does at the end."""

from __future__ import annotations

import pytest

import cleanup_icn


def test_what_is_done_to_infos_and_observations_shows_nowhere_later():
    def play(spoil):
        env = cleanup_icn.parallel_env(horizon_steps=8, schedule=[(4, {"clean_per_action": 1})])
        env.reset(seed=3)
        told = []
        for step in range(8):
            actions = {"agent_0": (2, 1, 3, 3)[step % 4], "agent_1": 2}
            observations, *_, infos = env.step(actions)
            told.append(repr((observations, infos)))
            if spoil:
                spoil_all(observations)
                spoil_all(infos)
        return told

    assert play(spoil=True) == play(spoil=False)


def spoil_all(nest):
    """Overwrite everything in a nest of dictionaries and arrays."""
    for key, value in nest.items():
        if isinstance(value, dict):
            spoil_all(value)
        elif hasattr(value, "fill"):
            value.fill(9)
        else:
            nest[key] = -1


def test_after_the_end_nothing_is_played():
    env = cleanup_icn.parallel_env(horizon_steps=1)
    env.reset(seed=0)
    actions = {"agent_0": 0, "agent_1": 0}
    env.step(actions)
    assert env.step({}) == ({}, {}, {}, {}, {})
    with pytest.raises(ValueError, match="expected \\[\\]"):
        env.step(actions)
    assert env.num_steps == 1


@pytest.mark.parametrize("given", [{}, {"agent_0": 0}, {"agent_0": 0, "agent_1": 0, "b": 0}])
def test_a_step_needs_an_action_for_each_agent_and_no_other(given):
    env = cleanup_icn.parallel_env()
    env.reset(seed=0)
    with pytest.raises(ValueError, match="agent_1"):
        env.step(given)


def test_the_order_in_which_actions_are_given_does_not_matter():
    env = cleanup_icn.parallel_env()
    env.reset(seed=0)
    *_, infos = env.step({"agent_1": 2, "agent_0": 1})
    assert (infos["agent_0"]["harvested"], infos["agent_1"]["harvested"]) == (0.0, 4.0)
