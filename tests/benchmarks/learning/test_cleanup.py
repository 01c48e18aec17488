"""Experiments in Cleanup: what evaluations measure."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip("sb3_contrib")

import cleanup_icn
from agents.ppo import lane_seeds
from agents.ppo.draws import uniforms
from benchmarks.cleanup.conditions import contract_encoder
from benchmarks.learning.cleanup import WelfareNotes
from benchmarks.learning.config_file import load_experiment
from benchmarks.learning.experiment import ACTION_SEED
from benchmarks.learning.seeds import TEST, VALIDATION, episode_seeds
from cleanup_icn.contracts import ContractWrapper
from cleanup_icn.solve import social_optimum
from cleanup_icn.state import HARVEST

SEEDS = episode_seeds(TEST, 5)


@pytest.fixture
def wage(tiny_file):
    """Cleanup under a wage, from drawn starts."""
    return load_experiment(str(tiny_file()), game="cleanup")[0]


@pytest.fixture
def talks():
    """Cleanup with talks; the world changes at step 25."""
    return load_experiment("cleanup-icn", game="cleanup")[0]


class Everybody:
    """Takes one action always."""

    def __init__(self, action):
        self.action = action

    def act(self, observations, masks, uniforms):
        del masks, uniforms
        return np.full(len(observations), self.action)


def solo(experiment, policy, seed):
    """Play an episode in the single environment; returns what was earned in each step."""
    config = experiment.config
    game = cleanup_icn.parallel_env(observation="vector", **config.to_dict())
    (contract,) = experiment.terms.contracts
    env = ContractWrapper(game, contract, settle="step", encoder=contract_encoder(config))
    seen, infos = env.reset(seed=int(seed), options=experiment.starts.options(int(seed)))
    earned = []
    while env.agents:
        drawn = uniforms(np.full(2, seed), ACTION_SEED, len(earned), np.arange(2))
        masks = np.stack([infos[agent]["action_mask"] for agent in env.agents])
        actions = policy.act(np.stack(list(seen.values())), masks, drawn)
        seen, _, _, _, infos = env.step(dict(zip(env.agents, actions.tolist(), strict=True)))
        earned.append(sum(info["game_reward"] for info in infos.values()))
    return earned


def test_an_evaluation_plays_what_the_single_environment_plays(wage, anything_legal):
    drawn = wage.evaluate(anything_legal, SEEDS)["episodes"]["drawn"]
    assert drawn["welfare"] == pytest.approx(
        [sum(solo(wage, anything_legal, seed)) for seed in SEEDS]
    )


def test_efficiency_is_all_welfare_over_all_optima_from_the_same_starts(wage, anything_legal):
    measured = wage.evaluate(anything_legal, SEEDS)
    best = 0.0
    for seed in SEEDS:
        best += social_optimum(replace(wage.config, **wage.starts.options(int(seed)))).welfare
    drawn = measured["episodes"]["drawn"]
    assert sum(drawn["optimum"]) == pytest.approx(best)
    assert measured["measures"]["efficiency"] == pytest.approx(sum(drawn["welfare"]) / best)
    assert wage.score_of(measured) == measured["measures"]["efficiency"]


def test_the_fixed_start_is_the_configured_one(wage, anything_legal):
    fixed = wage.evaluate(anything_legal, SEEDS)["episodes"]["fixed"]
    assert set(fixed["optimum"]) == {social_optimum(wage.config).welfare}


def test_transfers_change_what_agents_get_and_not_what_there_is(wage, anything_legal):
    drawn = wage.evaluate(anything_legal, SEEDS)["episodes"]["drawn"]
    assert np.sum(drawn["returns"], axis=1) == pytest.approx(drawn["welfare"])


def test_a_quick_evaluation_gives_the_same_score(wage, anything_legal):
    quick = wage.evaluate(anything_legal, SEEDS, complete=False)
    assert wage.score_of(quick) == wage.score_of(wage.evaluate(anything_legal, SEEDS))


def test_an_evaluation_measures_what_the_experiment_names(wage, talks, anything_legal):
    for experiment in (wage, talks):
        measured = experiment.evaluate(anything_legal, SEEDS)["measures"]
        assert list(measured) == [measure.name for measure in experiment.measures]


def test_only_a_world_that_changes_has_an_efficiency_after_the_change(wage, talks):
    assert "efficiency_after_change" not in [measure.name for measure in wage.measures]
    assert "efficiency_after_change" in [measure.name for measure in talks.measures]


def test_after_the_change_is_measured_from_its_step_on(anything_legal):
    experiment = load_experiment("cleanup-icn-fixed", game="cleanup")[0]
    optimum = social_optimum(experiment.config)
    welfare = best = 0.0
    for seed in SEEDS:
        welfare += sum(solo(experiment, anything_legal, seed)[25:])
        start = experiment.starts.options(int(seed))
        best += optimum.welfare_by_step(*start.values())[25:].sum()
    measured = experiment.evaluate(anything_legal, SEEDS)["measures"]
    assert measured["efficiency_after_change"] == pytest.approx(welfare / best)


def test_steps_of_talks_are_no_steps_of_play(talks, anything_legal):
    drawn = talks.evaluate(anything_legal, SEEDS)["episodes"]["drawn"]
    assert np.sum(drawn["returns"], axis=1) == pytest.approx(drawn["welfare"])
    assert min(drawn["welfare"]) > 0


def test_what_comes_after_an_episode_is_not_noted():
    notes = WelfareNotes(2, 2)

    class Features:
        game_reward = np.array([[1.0, 2.0], [4.0, 8.0]])
        was_play = np.array([True, False])

    notes.note((None, None, None, None, Features), np.array([True, True]))
    notes.note((None, None, None, None, Features), np.array([False, True]))
    assert notes.welfare.tolist() == [[3.0, 0.0], [0.0, 0.0]]


def test_the_lower_reference_is_what_harvesters_alone_reach(wage):
    optimum, harvest = wage.references
    assert optimum.value == 1.0
    seeds = episode_seeds(TEST, wage.evaluation.episodes)
    measured = wage.evaluate(Everybody(HARVEST), seeds)
    assert harvest.value == pytest.approx(measured["measures"]["efficiency"])


def test_the_families_of_seeds_never_meet():
    validation, test = episode_seeds(VALIDATION, 10_000), episode_seeds(TEST, 10_000)
    assert validation.max() < TEST <= test.min()
    assert test.max() < 2**31 <= lane_seeds(0, 512).min()


def test_an_experiment_under_drawn_contracts_is_evaluated_under_them(tiny_file, anything_legal):
    file = tiny_file(
        ('kind = "fixed"', 'kind = "random"'),
        (
            'clauses = [{ type = "wage", payer = "others", payee = "all", per = "cleaned", '
            "rate = 0.6 }]",
            "menu = [0.5, 2.0]",
        ),
    )
    experiment = load_experiment(str(file), game="cleanup")[0]
    batch = experiment.make_batch(64)
    batch.reset(range(64))
    assert set(batch.contracts.tolist()) == {0, 1, 2}
    assert 0.0 <= experiment.score_of(experiment.evaluate(anything_legal, SEEDS)) <= 1.0
