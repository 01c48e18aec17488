"""A comparison small enough to be played in every test, and results written by hand."""

from __future__ import annotations

from dataclasses import replace

import pytest

from benchmarks.runner import EpisodeResult, StepRecord
from benchmarks.suites import CLEANUP_SMOKE


@pytest.fixture(scope="session")
def tiny_suite():
    """Three policies, all contract conditions, two episodes."""
    return replace(
        CLEANUP_SMOKE,
        policies=("all-harvest", "contract-follower", "stub-erratic"),
        num_episodes=2,
        training_agent_steps=64,
    )


@pytest.fixture(scope="session")
def make_step():
    """Make one step's record from what a test cares about."""

    def make(**values):
        return StepRecord(
            **{
                "step": 0,
                "phase": "play",
                "pollution": 0,
                "fruit": 0,
                "actions": (0, 0),
                "answers": (None, None),
                "statuses": ("ok", "ok"),
                "game_rewards": (0.0, 0.0),
                "transfers": (0.0, 0.0),
                "illegal": 0,
                **values,
            }
        )

    return make


@pytest.fixture(scope="session")
def make_result():
    """Make an episode's result from its steps and what a test cares about."""

    def make(*steps, **values):
        return EpisodeResult(
            **{
                "policy": "p",
                "contract": "c",
                "episode": 0,
                "seed": 0,
                "agent_seeds": (0, 1),
                "start": {},
                "config": {},
                "agents": ("agent_0", "agent_1"),
                "change_step": None,
                "optimum_by_step": (10.0, 10.0),
                "negotiations": (),
                "steps": steps,
                **values,
            }
        )

    return make
