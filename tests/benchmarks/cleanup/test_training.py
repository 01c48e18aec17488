"""A policy that learns one seat of Cleanup among partners that do not learn."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

pytest.importorskip("sb3_contrib")

from agents.ppo import MaskedPolicy, play_episodes
from benchmarks.arena import Cell
from benchmarks.cells import play_cell, seat_players
from benchmarks.cleanup.training import among_partners, train_policy
from benchmarks.training import checkpoint_folder
from cleanup_icn import ConfigError


@pytest.fixture
def seated(tiny_suite):
    """Make an arena of one seat among partners."""

    def make(seat="agent_0", partners="contract-follower", **values):
        return replace(tiny_suite, seat=seat, partners=partners, policies=("ppo",), **values)

    return make


def trained(arena, contract, out):
    made = []
    condition = arena.condition(contract)
    checkpoint = train_policy(arena, condition, out=out, on_agent_steps=made.append)
    return checkpoint, sum(made)


@pytest.mark.parametrize("contract", ["none", "fixed", "icn"])
def test_one_seat_is_trained_under_every_condition_and_played_among_its_partners(
    seated, contract, tmp_path
):
    arena = seated("agent_1")
    out = checkpoint_folder(tmp_path, arena.name, "ppo", arena.condition(contract))
    _, agent_steps = trained(arena, contract, out)
    about = json.loads((out / "policy.json").read_text())
    assert about["num_agents"] == 1
    assert (about["meta"]["seat"], about["meta"]["partners"]) == ("agent_1", "contract-follower")
    assert agent_steps >= arena.training_agent_steps

    cell = Cell(policy="ppo", contract=contract)
    env = arena.condition(contract).make_env(arena.scenario.config)
    agents = seat_players(arena, cell, env, run=tmp_path)
    players = {seat: type(agent).__name__ for seat, agent in agents.items()}
    assert players == {"agent_0": "ScriptedAgent", "agent_1": "PPOAgent"}
    (result,) = play_cell(arena, cell, episodes=[1], run=tmp_path)
    assert result.episode == 1


def test_equal_trainings_of_a_seat_learn_the_same(seated, tmp_path):
    arena = seated()
    lanes = arena.condition("icn").make_batch(arena.scenario.config, 3)
    rows, _ = lanes.reset([1, 2, 3])
    first, second = (trained(arena, "icn", tmp_path / name)[0] for name in "ab")
    values = [MaskedPolicy.load(path).values(rows[:, 0]) for path in (first, second)]
    assert values[0].tolist() == values[1].tolist()


def test_a_training_among_others_is_not_gone_on_with(seated, tmp_path):
    trained(seated(), "none", tmp_path)
    with pytest.raises(ValueError, match="partners"):
        trained(seated(partners="all-harvest"), "none", tmp_path)


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"seat": "agent_7"}, "seat = 'agent_7': expected one of agent_0, agent_1"),
        ({"partners": "stub-selfish"}, "partners = 'stub-selfish': expected one of all-harvest"),
        ({"partners": "ppo"}, "partners = 'ppo': expected one of all-harvest"),
    ],
)
def test_a_seat_or_partners_that_cannot_be_are_refused(seated, wrong, told, tmp_path):
    with pytest.raises(ConfigError, match=told):
        trained(seated(**wrong), "none", tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize(("contract", "least"), [("fixed", 120.0), ("icn", 150.0)])
def test_a_seat_learns_to_live_with_those_who_follow_contracts(seated, contract, least, tmp_path):
    arena = seated(training_agent_steps=60_000)
    checkpoint, _ = trained(arena, contract, tmp_path)
    lanes = arena.condition(contract).make_batch(
        arena.scenario.config, 64, starts=arena.scenario.starts
    )
    played = play_episodes(
        among_partners(lanes, seat=arena.seat, partners=arena.partners),
        MaskedPolicy.load(checkpoint),
        seeds=range(64),
        action_seed=0,
    )
    assert played.returns.mean() > least
