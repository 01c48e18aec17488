"""Learned policies in a comparison."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

pytest.importorskip("sb3_contrib")

from run_folders import play_run, records_in


def test_a_learned_policy_is_trained_once_a_run_played_and_kept(tiny_suite, tmp_path):
    suite = replace(tiny_suite, policies=("ppo",), conditions=tiny_suite.conditions[2:])
    made = {"agent_steps": 0, "episodes": 0}

    def report(kind, amount):
        made[kind] += amount

    play_run(replace(suite, num_episodes=1), tmp_path / "short")
    play_run(suite, tmp_path / "run", report=report)
    assert made["agent_steps"] >= suite.training_agent_steps
    assert made["episodes"] == 2
    kept = tmp_path / "run" / "ppo" / suite.name / "icn"
    assert json.loads((kept / "policy.json").read_text())["meta"]["contract"]["name"] == "icn"
    trained_at = (kept / "policy.zip").stat().st_mtime_ns

    whole = records_in(tmp_path / "run")
    assert records_in(tmp_path / "short") == whole[:1]
    assert play_run(suite, tmp_path / "run", resume=True).is_complete
    assert (kept / "policy.zip").stat().st_mtime_ns == trained_at
    assert records_in(tmp_path / "run") == whole
