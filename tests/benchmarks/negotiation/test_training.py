"""A learned p1 in a comparison."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

pytest.importorskip("sb3_contrib")

from run_folders import play_run, records_in


def test_a_learned_p1_is_trained_played_and_kept(tiny_suite, tmp_path):
    suite = replace(tiny_suite, policies=("ppo",), conditions=tiny_suite.conditions[1:])
    made = {"agent_steps": 0, "episodes": 0}

    def report(kind, amount):
        made[kind] += amount

    play_run(suite, tmp_path, report=report)
    assert len(records_in(tmp_path)) == made["episodes"] == suite.num_episodes
    assert made["agent_steps"] >= suite.training_agent_steps
    kept = tmp_path / "ppo" / suite.name / "base-greedy-veto"
    assert (kept / "policy.zip").exists()
    about = json.loads((kept / "policy.json").read_text())
    assert about["num_agents"] == 1
    assert about["meta"]["contract"]["name"] == "base/greedy-veto"
