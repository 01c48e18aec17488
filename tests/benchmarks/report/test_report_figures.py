"""The figures of a report: they are there, and words say what they show."""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ElementTree

import numpy as np
import pytest
from built_reports import played, small_arena, small_suite, value_in
from run_folders import begin_run, play_run

from benchmarks.compare import planned_trainings
from benchmarks.report.build import build_report
from benchmarks.report.cleanup_figures import CleanupFigures, course_of
from benchmarks.report.cleanup_transcript import CleanupTranscripts
from benchmarks.report.figures import Sample, few, named_file, pairs_of, sample_of
from benchmarks.report.learning_figures import curve_of, draw_curves
from benchmarks.report.measures import CLEANUP_MEASURES
from benchmarks.report.negotiation_figures import NegotiationFigures, bargain_of
from benchmarks.report.pair_figures import draw_pairs
from benchmarks.statistics import estimate_mean, estimate_over_seeds
from benchmarks.suite import Suite
from benchmarks.suite_file import suite_named

EFFICIENCY = CLEANUP_MEASURES[1]


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    run = tmp_path_factory.mktemp("run")
    play_run(small_suite(), run)
    return build_report(run)


def test_every_figure_has_a_file_a_title_a_caption_and_words_for_those_who_do_not_see(report):
    arenas = value_in(report / "data" / "run.js")["arenas"]
    assert [len(arena["figures"]) for arena in arenas] == [3, 2]
    for arena in arenas:
        for figure in arena["figures"]:
            drawn = ElementTree.parse(report / figure["file"]).getroot()
            assert drawn.tag.endswith("svg")
            assert figure["title"]
            assert re.search(r"n = \d", figure["caption"])
            assert re.search(r"\d", figure["alt"])
            assert all(policy in figure["alt"] for policy in arena["policies"])


def test_figures_name_the_policies_and_conditions_that_they_show(report):
    arenas = value_in(report / "data" / "run.js")["arenas"]
    words = (report / arenas[0]["figures"][0]["file"]).read_text()
    for name in ("contract-follower", "stub-erratic", "none", "fixed", "icn", "social optimum"):
        assert f">{name}<" in words


def test_the_words_of_the_welfare_figure_are_the_means_of_the_episodes(tmp_path):
    arena = small_arena("cleanup-smoke", 2, ("division-of-labour",), ("none",))
    figures, writer = CleanupFigures(arena), CleanupTranscripts(arena)
    results = list(played(arena))
    for result in results:
        figures.add(course_of(result, writer.of(result, number=0)))
    (figure,) = figures.draw(tmp_path)
    mean = np.mean([sum(step.game_rewards) for r in results for step in r.steps])
    best = np.mean([result.optimum_by_step for result in results])
    assert f"division-of-labour {mean:.1f} under none" in figure.alt
    assert f"optimum is {best:.1f}" in figure.alt
    assert "at step 25 pollution threshold 6 → 12" in figure.caption


def test_the_words_of_the_contracts_figure_are_what_was_in_force(tmp_path):
    arena = small_arena("cleanup-smoke", 2, ("contract-follower", "all-harvest"), ("icn",))
    figures, writer = CleanupFigures(arena), CleanupTranscripts(arena)
    results = list(played(arena))
    for result in results:
        figures.add(course_of(result, writer.of(result, number=0)))
    _, figure = figures.draw(tmp_path)
    moved = np.mean([sum(abs(t) / 2 for s in r.steps for t in s.transfers) for r in results[:2]])
    assert f"contract-follower moves {moved:.1f} an episode and ends with in 100%" in figure.alt
    assert "every agent 1.5 for each unit cleaned" in figure.alt
    assert "all-harvest moves 0.0 an episode and ends with no contract" in figure.alt


def test_the_words_of_the_negotiation_figures_are_those_of_p1s_proposals(tmp_path):
    arena = small_arena("negotiation-smoke", 2, ("planner",), ("base/cooperative",))
    figures = NegotiationFigures(arena)
    for result in played(arena):
        figures.add(bargain_of(result))
    scores, agreement = figures.draw(tmp_path)
    assert "own score from 100 to 70, mean of all parties from 40 to 60" in scores.alt
    assert "planner, cooperative: 100%" in agreement.alt


def test_a_band_of_episodes_is_the_bootstrap_of_the_mean():
    values = np.random.default_rng(0).normal(size=(12, 1))
    low, high = Sample(courses=values, is_of_seeds=False).band()
    known = estimate_mean(values[:, 0].tolist(), seed=0)
    assert [low[0], high[0]] == pytest.approx([known.low, known.high], abs=0.08)


def test_a_band_of_training_seeds_is_by_students_t():
    values = np.random.default_rng(0).normal(size=(5, 3))
    low, high = Sample(courses=values, is_of_seeds=True).band()
    for step in range(3):
        known = estimate_over_seeds(values[:, step].tolist())
        assert [low[step], high[step]] == pytest.approx([known.low, known.high])


def test_one_episode_has_no_band():
    assert Sample(courses=np.ones((1, 4)), is_of_seeds=False).band() is None


def test_a_policy_without_episodes_has_no_sample():
    arena = small_arena("cleanup-smoke")
    assert sample_of(arena, {}, "planner") is None
    found = sample_of(arena, {"planner": [[1.0, 2.0], [3.0, 4.0]]}, "planner")
    assert (found.n, found.mean.tolist()) == (2, [2.0, 3.0])


def test_pairs_are_a_matrix_of_who_sits_where(tmp_path):
    arena = suite_named("cross-play").arenas[0]
    pairs = pairs_of(arena.policies)
    means = {(policy, "none"): (0.5, 10) for policy in pairs}
    means["planner + random", "none"] = (0.9, 10)
    means["random + planner", "none"] = (0.1, 10)
    figure = draw_pairs(arena, means, measure=EFFICIENCY, report=tmp_path)
    assert "highest 0.90, planner with random" in figure.alt
    assert "lowest 0.10, random with planner" in figure.alt
    assert "n = 10" in figure.caption
    written = (tmp_path / figure.file).read_text()
    assert written.count(">0.50<") == len(pairs) - 2


def test_an_arena_without_pairs_has_no_matrix(tmp_path):
    arena = small_arena("cleanup-smoke")
    means = {("planner", "none"): (0.5, 10)}
    assert draw_pairs(arena, means, measure=EFFICIENCY, report=tmp_path) is None


def test_of_many_policies_a_figure_shows_some_and_says_so():
    names = [f"p{k}" for k in range(30)]
    chosen, words = few(names, "p29")
    assert len(chosen) == 12
    assert "p29" in chosen
    assert words == " Of 30 policies 12 are shown."
    assert few(names[:5], "p0") == (names[:5], "")


def test_of_many_pairs_a_figure_shows_those_of_a_policy_with_itself():
    names = [f"{a} + {b}" for a in "abcde" for b in "abcde"]
    assert few(names, "a + a")[0] == [f"{a} + {a}" for a in "abcde"]


def test_names_of_files_are_safe_whatever_is_played():
    assert named_file("a/../b c", "É") == "figures/a-b-c.x.svg"


@pytest.fixture
def trained_run(tmp_path):
    """A run whose training left what it did on test episodes, and on those it learned from."""
    arena = small_arena("cleanup-smoke", 1, ("planner", "ppo"), ("none", "fixed"))
    suite = Suite.of(arena)
    begin_run(suite, tmp_path)
    first, second = planned_trainings(suite)
    for training in (first, second):
        training.folder(tmp_path).mkdir(parents=True)
    lines = [
        {"chunk": k, "agent_steps": 100 * (k + 1), "seconds": 1.0, "evaluation": {"score": 2.0 * k}}
        for k in range(3)
    ]
    (first.folder(tmp_path) / "progress.jsonl").write_text("\n".join(map(json.dumps, lines)))
    tensorboard = pytest.importorskip("torch.utils.tensorboard")
    with tensorboard.SummaryWriter(str(second.folder(tmp_path) / "tensorboard")) as writer:
        for k in range(4):
            writer.add_scalar("rollout/episode_return", 5.0 + k, 50 * (k + 1))
    return tmp_path, arena, (first, second)


def test_learning_curves_are_of_evaluations_or_else_of_training(trained_run, tmp_path):
    run, arena, trainings = trained_run
    judged, learned = (curve_of(training, run) for training in trainings)
    assert (judged.agent_steps, judged.scores) == ((100, 200, 300), (0.0, 2.0, 4.0))
    assert (learned.agent_steps, learned.scores) == ((50, 100, 150, 200), (5.0, 6.0, 7.0, 8.0))
    figure = draw_curves(arena, trainings, run=run, report=tmp_path / "report")
    assert "ppo under none from 0.0 to 4.0 in 300 agent-steps" in figure.alt
    assert "ppo under fixed from 5.0 to 8.0 in 200 agent-steps" in figure.alt
    assert (tmp_path / "report" / figure.file).is_file()


def test_a_run_that_trained_nothing_has_no_learning_curves(tmp_path):
    arena = small_arena("cleanup-smoke", 1, ("planner", "ppo"), ("none",))
    trainings = planned_trainings(Suite.of(arena))
    assert draw_curves(arena, trainings, run=tmp_path, report=tmp_path / "report") is None
