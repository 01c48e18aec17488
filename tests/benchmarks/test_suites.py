"""The built-in suite, and what a suite is made of."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from benchmarks.policies import POLICIES
from benchmarks.suites import CLEANUP_SMOKE, suite_named
from cleanup_icn import ConfigError


def test_drawn_starts_stay_in_their_range_and_reach_its_ends():
    rng = np.random.default_rng(0)
    starts = [CLEANUP_SMOKE.scenario.draw_start(rng) for _ in range(500)]
    assert {start["pollution_initial"] for start in starts} == set(range(6))
    assert {start["fruit_initial"] for start in starts} == set(range(25))


def test_the_smoke_suite_changes_the_threshold_by_surprise_halfway():
    scenario = CLEANUP_SMOKE.scenario
    assert scenario.change_step == 25
    assert scenario.config.changed_at(25) == {"pollution_threshold": (6, 12)}
    assert not scenario.config.announce_changes


def test_every_policy_of_the_smoke_suite_exists():
    assert set(CLEANUP_SMOKE.policies) <= set(POLICIES)
    assert CLEANUP_SMOKE.shown_policy in CLEANUP_SMOKE.policies


def test_a_suite_is_written_as_json():
    assert json.loads(json.dumps(CLEANUP_SMOKE.to_dict())) == CLEANUP_SMOKE.to_dict()


def test_an_unknown_suite_is_refused_with_the_names_there_are():
    with pytest.raises(ConfigError, match="cleanup-smoke"):
        suite_named("nothing")


@pytest.mark.parametrize(("name", "value"), [("num_episodes", 0), ("seed", -1), ("seed", True)])
def test_numbers_that_cannot_be_are_refused_by_name(name, value):
    with pytest.raises(ConfigError, match=name):
        replace(CLEANUP_SMOKE, **{name: value})
