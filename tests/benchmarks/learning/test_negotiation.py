"""Experiments in negotiation: what evaluations measure, and how deals are seen."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("sb3_contrib")

from benchmarks.learning.config_file import load_experiment
from benchmarks.learning.deal_scoring import deal_scoring
from benchmarks.learning.seeds import TEST, episode_seeds
from cleanup_icn import ConfigError
from negotiation_games import load_game, raw_env
from negotiation_games.draw import SheetPlan
from negotiation_games.scoring import BONUS, judge
from negotiation_games.sheets import sheets_of

SEEDS = episode_seeds(TEST, 6)
HEAD = 'game = "negotiation"\n[world]\ngame = "base"\n'


@pytest.fixture
def load(tmp_path):
    """Read a file of this text."""

    def read(text):
        file = tmp_path / "talks.toml"
        file.write_text(HEAD + text)
        return load_experiment(str(file), game="negotiation")[0]

    return read


@pytest.fixture
def problems(load):
    """Return what is said of a file of this text, a line each, without the file's name."""

    def read(text):
        with pytest.raises(ConfigError) as raised:
            load(text)
        return [line.partition("talks.toml: ")[2] for line in str(raised.value).splitlines()]

    return read


class Stubborn:
    """Proposes one deal always."""

    def __init__(self, deal):
        self.deal = deal

    def act(self, observations, masks, uniforms):
        del masks, uniforms
        return np.full(len(observations), self.deal)


def test_a_deal_that_all_accept_pays_its_score_and_the_bonus(load):
    experiment = load('sheets = "published"\n')
    game = load_game("base")
    deal = next(d for d in game.deals() if judge(game, d).unanimous)
    measured = experiment.evaluate(Stubborn(game.deal_number(deal)), SEEDS)
    p1 = game.parties[game.proposer_index]
    assert measured["measures"]["own_score"] == p1.score(deal) + BONUS
    assert measured["measures"]["success"] == measured["measures"]["unanimous"] == 1.0


def test_who_proposes_nothing_gets_its_threshold_and_regrets_it(load):
    experiment = load('sheets = "published"\n')
    game = load_game("base")
    measured = experiment.evaluate(Stubborn(game.num_deals), SEEDS)["measures"]
    p1 = game.parties[game.proposer_index]
    assert measured["success"] == 0.0
    assert measured["own_score"] == p1.threshold
    assert measured["planner_score"] == 80.0  # of the published base game, unanimous with bonus
    assert measured["regret"] == 80.0 - p1.threshold


def test_where_failure_pays_nothing_the_file_says_so(load):
    experiment = load('sheets = "published"\nno_deal = "zero"\n')
    assert experiment.evaluate(Stubborn(720), SEEDS)["measures"]["own_score"] == 0.0


def test_fresh_sheets_follow_from_the_seed_alone(load):
    experiment = load('sheets = "fresh"\n')
    once, again = (experiment.evaluate(Stubborn(3), s)["episodes"] for s in (SEEDS, SEEDS[::-1]))
    assert once["planner"] == again["planner"][::-1]
    assert len(set(once["planner"])) > 1


def test_an_evaluation_measures_what_the_experiment_names(load):
    experiment = load('sheets = "fresh"\n')
    measured = experiment.evaluate(Stubborn(3), SEEDS)
    assert list(measured["measures"]) == [measure.name for measure in experiment.measures]
    quick = experiment.evaluate(Stubborn(3), SEEDS, complete=False)
    assert experiment.score_of(quick) == experiment.score_of(measured)


def test_references_are_the_yardsticks_on_the_test_episodes(load):
    experiment = load('sheets = "fresh"\n[evaluation]\nepisodes = 6\n')
    measured = experiment.evaluate(Stubborn(3), SEEDS)["measures"]
    planner, blind = experiment.references
    assert (planner.value, blind.value) == (
        measured["planner_score"],
        measured["no_communication_score"],
    )


@pytest.mark.parametrize("explicit", [False, True])
def test_the_features_of_deals_are_where_the_vector_has_them(explicit):
    game = load_game("base")
    env = raw_env(game=game, observation="vector", voting="explicit" if explicit else "implicit")
    env.reset(seed=3)
    rng = np.random.default_rng(0)
    for _ in range(9):
        env.step(int(rng.integers(game.num_deals)))
    vector = env.observe(game.parties[game.proposer_index].name)
    scoring = deal_scoring(sheets_of([game]).shape, num_actions=game.num_deals + 1 + 2 * explicit)
    assert scoring.observation_size == len(vector)
    p1 = game.parties[game.proposer_index]
    best = sum(max(points) for points in p1.scores)
    own = scoring.options @ vector[scoring.sums[0] :][: scoring.num_options]
    for number in (0, 100, 719):
        assert own[number] == pytest.approx(p1.score(game.deal_at(number)) / best)
    said = {said.party: said.deal for said in env.record}
    latest = scoring.groups[::2]
    assert [len(group) for group in latest] == [1, 1, game.num_parties - 2]
    parties = [game.proposer_index, game.veto_index]
    parties += [i for i in range(game.num_parties) if i not in parties]
    for start, index in zip([s for group in latest for s in group], parties, strict=True):
        deal = said.get(game.parties[index].name)
        hot = scoring.options[game.deal_number(deal)] if deal else np.zeros(scoring.num_options)
        assert vector[start:][: scoring.num_options].tolist() == hot.tolist()
    assert scoring.special == tuple(range(game.num_deals, scoring.num_actions))
    assert vector[scoring.scalars[0]] == pytest.approx(p1.threshold / best)


def test_a_policy_judges_by_features_only_where_the_file_says_so(load):
    assert load('sheets = "fresh"\n').scoring is None
    scoring = load('sheets = "fresh"\n[policy]\ndeals = "features"\n').scoring
    assert scoring.num_actions == 721


def test_the_shape_and_the_number_of_feasible_deals_may_be_given(load):
    sheets = load('sheets = "fresh"\nfeasible = 30\n').sheets
    assert isinstance(sheets, SheetPlan)
    assert (sheets.feasible, sheets.num_options) == (30, load_game("base").num_options)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "world.sheets = (missing): expected one of published, fresh"),
        ('sheets = "mine"', "world.sheets = 'mine': expected one of published, fresh"),
        ('sheets = "published"\nfeasible = 5', "key in [world] = 'feasible': expected one of"),
        ('sheets = "fresh"\nfeasible = -1', "world.feasible = -1: expected 0 to 720"),
        ('sheets = "fresh"\nvoting = "loud"', "world.voting = 'loud': expected"),
        ('sheets = "fresh"\nnum_turns = 5', "world.num_turns = 5: expected a multiple of 6"),
        (
            'sheets = "fresh"\n[partners]\nexponents = [0.0]',
            "partners.exponents = [0.0]: expected a list of numbers above 0",
        ),
        (
            'sheets = "fresh"\n[policy]\ndeals = "all"',
            "policy.deals = 'all': expected one of free, features",
        ),
        (
            'sheets = "fresh"\n[policy]\ndeals = "features"\n[training]\nalgorithm = "ppo"',
            "training.algorithm = 'ppo': expected maskable-ppo to judge by features",
        ),
    ],
)
def test_what_cannot_be_is_refused_by_its_key(problems, text, expected):
    (said,) = problems(text + "\n")
    assert said.startswith(expected)
