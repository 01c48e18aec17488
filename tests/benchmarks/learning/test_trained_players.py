"""Trainings whose seeds play in another comparison."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

pytest.importorskip("sb3_contrib")

from agents.ppo import PPOAgent
from benchmarks.cleanup.arena import wage_for_cleaning
from benchmarks.cleanup.conditions import Fixed, Negotiated
from benchmarks.learning.config_file import load_experiment
from benchmarks.learning.folder import TrainingFolder
from benchmarks.learning.runs import train_seeds
from benchmarks.learning.trained_players import TrainedPlayers
from benchmarks.suite_file import suite_named
from cleanup_icn import CleanupConfig, ConfigError
from cleanup_icn.contracts import Contract

CLEANUP_SMOKE = suite_named("cleanup-smoke").arenas[0]

WAGES = (0.5, 1.0)


@pytest.fixture(scope="module")
def suite():
    """A short world under three contracts."""
    config = CleanupConfig.create(horizon_steps=10)
    return replace(
        CLEANUP_SMOKE,
        name="short",
        scenario=replace(CLEANUP_SMOKE.scenario, config=config, fruit_initial=(0, 20)),
        conditions=(
            Fixed(name="none", contract=Contract()),
            Fixed(name="fixed", contract=wage_for_cleaning(0.6)),
            Negotiated(
                name="icn",
                judge="change",
                menu=(Contract(), *map(wage_for_cleaning, WAGES)),
            ),
        ),
    )


def trained(file, path, seeds=(0,)):
    experiment, written = load_experiment(str(file), game="cleanup")
    folder = TrainingFolder(path, experiment.to_dict(), name=experiment.name, written=written)
    train_seeds(experiment, folder, seeds, num_workers=0)
    return folder


def test_every_training_seed_is_a_player_under_the_contract_it_was_trained_for(
    suite, tiny_file, tmp_path
):
    folder = trained(tiny_file(), tmp_path / "wage", seeds=[0, 1])
    found = TrainedPlayers.of(tmp_path / "wage", suite)
    assert (found.name, found.contract, found.seeds) == ("wage", "fixed", (0, 1))
    assert found.player_names == ("wage/0", "wage/1")

    env = suite.condition("fixed").make_env(suite.scenario.config)
    agents = found.agents("wage/1", env)
    assert list(agents) == env.possible_agents
    seen = env.reset(seed=0)[0]["agent_1"]
    kept = [PPOAgent.load(folder.of_seed(k) / "policy.zip") for k in (0, 1)]
    other, same = (draws(agent, seen) for agent in kept)
    assert draws(agents["agent_1"], seen) == same != other


def draws(agent, seen):
    """Two thousand actions at the same sight: policies that differ a little differ in some."""
    agent.reset(seed=5)
    return [agent.act(seen).action for _ in range(2000)]


def test_a_policy_for_each_seat_sits_in_its_own(suite, tiny_file, tmp_path):
    file = tiny_file(("[training]", '[training]\nsharing = "independent"'))
    folder = trained(file, tmp_path / "own")
    found = TrainedPlayers.of(tmp_path / "own", suite)
    env = suite.condition("fixed").make_env(suite.scenario.config)
    agents = found.agents("own/0", env)
    observations, _ = env.reset(seed=0)
    for seat, agent in enumerate(env.possible_agents):
        seen = observations[agent]
        kept = [PPOAgent.load(folder.of_seed(0) / f"seat-{k}" / "best.zip") for k in (0, 1)]
        by_seat = [draws(each, seen) for each in kept]
        assert draws(agents[agent], seen) == by_seat[seat] != by_seat[1 - seat]


CLAUSES = (
    'clauses = [{ type = "wage", payer = "others", payee = "all", per = "cleaned", rate = 0.6 }]'
)
FIXED = f'kind = "fixed"\n{CLAUSES}'


@pytest.mark.parametrize(
    ("contract", "condition"),
    [
        ('kind = "none"', "none"),
        (f'kind = "icn"\nmenu = {list(WAGES)}\njudge = "change"', "icn"),
    ],
)
def test_the_condition_is_that_of_the_same_contract(
    suite, tiny_file, tmp_path, contract, condition
):
    trained(tiny_file((FIXED, contract)), tmp_path / "out")
    assert TrainedPlayers.of(tmp_path / "out", suite).contract == condition


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("horizon_steps = 10", "horizon_steps = 9", "world.horizon_steps = 9: expected 10"),
        (CLAUSES, CLAUSES.replace("0.6", "0.7"), "contract = .*: expected that of .* short: none"),
        (
            FIXED,
            f"{FIXED}\nlimited_liability = true",
            "contract = .*: expected that of a condition",
        ),
        (FIXED, 'kind = "icn"\nmenu = [0.5]\njudge = "change"', "contract = .*: expected"),
    ],
)
def test_a_training_of_something_else_is_refused(suite, tiny_file, tmp_path, old, new, message):
    trained(tiny_file((old, new)), tmp_path / "out", seeds=[])
    (tmp_path / "out" / "seed-0").mkdir()
    (tmp_path / "out" / "seed-0" / "result.json").write_text("{}")
    with pytest.raises(ConfigError, match=message):
        TrainedPlayers.of(tmp_path / "out", suite)


def test_a_folder_without_a_finished_training_is_refused(suite, tiny_file, tmp_path):
    with pytest.raises(ConfigError, match="training"):
        TrainedPlayers.of(Path(tmp_path), suite)
    trained(tiny_file(), tmp_path / "out", seeds=[])
    with pytest.raises(ConfigError, match="at least one finished seed"):
        TrainedPlayers.of(tmp_path / "out", suite)
