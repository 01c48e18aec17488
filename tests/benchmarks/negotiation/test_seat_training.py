"""A p1 that learns among the partners of an arena with a seat."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

pytest.importorskip("sb3_contrib")

from benchmarks.arena import Cell
from benchmarks.cells import seat_players
from benchmarks.negotiation.training import train_policy
from benchmarks.training import checkpoint_folder
from cleanup_icn import ConfigError


def trained(arena, out):
    setting = arena.conditions[0]
    return train_policy(arena, setting, out=out, on_agent_steps=lambda _steps: None)


@pytest.mark.parametrize("seat", ["proposer", "SportCo"])
def test_p1_is_trained_among_the_partners_that_it_plays_with(tiny_suite, seat, tmp_path):
    arena = replace(tiny_suite, seat=seat, partners="linear", policies=("ppo",))
    setting = arena.conditions[0]
    out = checkpoint_folder(tmp_path, arena.name, "ppo", setting)
    trained(arena, out)
    assert json.loads((out / "policy.json").read_text())["meta"]["partners"] == "linear"
    agents = seat_players(
        arena, Cell(policy="ppo", contract=setting.name), setting.make_env(), run=tmp_path
    )
    learned = [party for party, agent in agents.items() if type(agent).__name__ == "PPOAgent"]
    assert learned == ["SportCo"]
    assert len(agents) == 6


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"seat": "veto"}, "seat = 'veto': expected proposer or "),
        ({"partners": "planner"}, "partners = 'planner': expected one of stubborn"),
        ({"partners": "negmas-linear"}, "partners = 'negmas-linear': expected one of stubborn"),
    ],
)
def test_a_seat_or_partners_that_cannot_be_learned_are_refused(tiny_suite, wrong, told, tmp_path):
    arena = replace(tiny_suite, **{"seat": "proposer", "partners": "linear", **wrong})
    with pytest.raises(ConfigError, match=told):
        trained(arena, tmp_path)
