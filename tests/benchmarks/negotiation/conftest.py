"""A comparison in negotiation small enough to be played in every test."""

from __future__ import annotations

from dataclasses import replace

import pytest

from benchmarks.suite_file import suite_named

NEGOTIATION_SMOKE = suite_named("negotiation-smoke").arenas[0]


@pytest.fixture(scope="session")
def tiny_suite():
    """Three policies in both settings of one game, two episodes."""
    return replace(
        NEGOTIATION_SMOKE,
        conditions=NEGOTIATION_SMOKE.conditions[:2],
        policies=("best-guess", "planner", "stub-erratic"),
        num_episodes=2,
        training_agent_steps=64,
    )
