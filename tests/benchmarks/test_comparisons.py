"""The comparisons of a run, on episodes written by hand."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from io import StringIO

import numpy as np
import pytest
from rich.console import Console

from benchmarks.cleanup.arena import CleanupArena, Scenario
from benchmarks.cleanup.conditions import Fixed
from benchmarks.comparisons import Question, comparisons, comparisons_to_json
from benchmarks.comparisons_table import render_comparisons
from benchmarks.episode_row import EpisodeRow
from benchmarks.model_config import Table
from benchmarks.negotiation.arena import NegotiationArena, Setting
from benchmarks.sensitivity import render_sensitivity, sensitivity
from benchmarks.statistics import EPISODE, TRAINING_SEED, estimate_rate, holm
from cleanup_icn import CleanupConfig
from cleanup_icn.contracts import Contract

EPISODES = 8


@dataclass(frozen=True)
class Training:
    """As much of a seated training as comparisons look at."""

    name: str
    contract: str
    players: tuple[str, ...]


TRAININGS = (
    Training("first", "none", ("first/0", "first/1", "first/2")),
    Training("second", "wage", ("second/0", "second/1", "second/2", "second/3")),
)

WORLD = CleanupArena(
    name="world",
    description="",
    scenario=Scenario(
        name="w",
        config=CleanupConfig.create(preset="linear"),
        pollution_initial=(0, 0),
        fruit_initial=(0, 0),
    ),
    conditions=tuple(Fixed(name=name, contract=Contract()) for name in ("none", "wage", "share")),
    policies=("idle", "model", "shown"),
    shown_policy="shown",
    num_episodes=EPISODES,
)
SEATED = replace(WORLD, policies=(*WORLD.policies, "first", "second"), trained=TRAININGS)
TALKS = NegotiationArena(
    name="talks",
    description="",
    conditions=tuple(
        Setting(game=game, incentives=incentives)
        for game in ("base", "game1")
        for incentives in ("cooperative", "greedy-veto")
    ),
    policies=("model", "shown"),
    shown_policy="shown",
    num_episodes=EPISODES,
    learned_games=("base",),
)


def row(arena, policy, contract, episode, *, malformed=0, **measures):
    return EpisodeRow(
        arena=arena,
        policy=policy,
        contract=contract,
        episode=episode,
        seed=1_000 + episode,
        started_at="2026-01-01T00:00:00Z",
        ended_at="2026-01-01T00:00:01Z",
        wall_s=1.0,
        measures=measures,
        malformed=malformed,
        calls=0,
        prompt_tokens=0,
        completion_tokens=0,
        latency_s=0.0,
    )


LEVELS = {"idle": 0.1, "model": 0.5, "shown": 0.6, "first": 0.3, "second": 0.9}
RAISED = {"none": 0.0, "wage": 0.2, "share": 0.1}


def played(arena, seed=0):
    """Yield episodes whose efficiency is the policy's, the contract's, the start's and chance."""
    rng = np.random.default_rng(seed)
    starts = rng.normal(size=EPISODES)
    for policy in arena.policies:
        for condition in arena.conditions:
            if arena.plays(policy, condition):
                for player in arena.players(policy):
                    luck = rng.normal(0.0, 0.02)
                    for episode in range(EPISODES):
                        level = LEVELS[policy] + RAISED[condition.name] + luck
                        value = level + 0.3 * starts[episode] + rng.normal(0.0, 0.05)
                        yield row(arena.name, player, condition.name, episode, efficiency=value)


def talked(arena):
    rng = np.random.default_rng(1)
    for policy in arena.policies:
        for condition in arena.conditions:
            for episode in range(EPISODES):
                score = 40.0 + 20.0 * (policy == "shown") + rng.normal()
                yield row(
                    *(arena.name, policy, condition.name, episode),
                    final_success=float(rng.random() < 0.5),
                    own_score=score,
                    malformed=0,
                )


def of(drawn, question, **wanted):
    return [
        each
        for each in drawn
        if each.question is question
        and all(getattr(each, name) == value for name, value in wanted.items())
    ]


@pytest.fixture(scope="module")
def drawn():
    return comparisons(played(SEATED), [SEATED])


def test_every_contract_is_compared_with_the_first_for_every_policy(drawn):
    found = of(drawn, Question.CONTRACT)
    assert [(c.policy, c.contract, c.base_policy, c.base_contract) for c in found] == [
        (policy, contract, policy, "none")
        for policy in ("idle", "model", "shown")
        for contract in ("wage", "share")
    ]


def test_every_policy_is_compared_with_the_shown_one_under_every_contract(drawn):
    found = of(drawn, Question.POLICY)
    assert [(c.policy, c.contract) for c in found] == [
        *(("idle", name) for name in RAISED),
        *(("model", name) for name in RAISED),
        ("first", "none"),
        ("second", "wage"),
    ]
    assert {(c.base_policy, c.base_contract == c.contract) for c in found} == {("shown", True)}


def test_episodes_pair_by_start_so_that_small_differences_are_found(drawn):
    (wage,) = of(drawn, Question.CONTRACT, policy="model", contract="wage")
    assert (wage.n, wage.unit, wage.is_paired) == (EPISODES, EPISODE, True)
    assert wage.difference == pytest.approx(wage.mean - wage.base_mean)
    assert 0.0 < wage.low < wage.difference < wage.high < 0.4  # starts alone scatter by 0.3
    assert wage.p == 2 / 2**EPISODES
    assert (wage.improvement, wage.further) == (1.0, 0)


def test_the_units_of_trainings_are_their_training_seeds(drawn):
    (against_script,) = of(drawn, Question.POLICY, policy="first")
    assert (against_script.n, against_script.unit) == (3, TRAINING_SEED)
    (against_other,) = of(drawn, Question.TRAINING)
    assert (against_other.policy, against_other.contract) == ("second", "wage")
    assert (against_other.base_policy, against_other.base_contract) == ("first", "none")
    assert (against_other.n, against_other.base_n) == (4, 3)
    assert not against_other.is_paired
    assert against_other.p == pytest.approx(2 / 35)


def test_p_values_are_corrected_within_a_question(drawn):
    for question in Question:
        family = of(drawn, question)
        smallest = min(family, key=lambda each: each.p)
        assert smallest.p_holm == pytest.approx(min(1.0, smallest.p * len(family)))
        assert all(each.p_holm >= each.p for each in family)


def test_over_all_conditions_scripts_are_compared_and_trainings_are_not(drawn):
    found = of(drawn, Question.OVERALL)
    assert [(c.policy, c.contract, c.n) for c in found] == [
        ("idle", "all", EPISODES),
        ("model", "all", EPISODES),
    ]
    under_each = of(drawn, Question.POLICY, policy="idle")
    assert found[0].difference == pytest.approx(np.mean([each.difference for each in under_each]))


def test_comparisons_do_not_depend_on_what_else_was_played(drawn):
    rows = [r for r in played(SEATED) if r.policy in ("model", "shown")]
    alone = comparisons(reversed(rows), [replace(WORLD, policies=("model", "shown"))])
    for each in alone:
        (same,) = [
            other
            for other in drawn
            if (other.question, other.policy, other.contract)
            == (each.question, each.policy, each.contract)
        ]
        assert replace(each, p_holm=None) == replace(same, p_holm=None)


def test_episodes_of_other_seeds_do_not_pair():
    rows = [r if r.policy == "shown" else replace(r, seed=r.seed + 1) for r in played(WORLD)]
    found = of(comparisons(rows, [WORLD]), Question.POLICY)
    assert {(each.n, each.difference, each.p, each.p_holm) for each in found} == {
        (0, None, None, None)
    }


def test_a_cell_that_was_not_played_is_there_and_empty():
    rows = [r for r in played(WORLD) if (r.policy, r.contract) != ("model", "wage")]
    drawn = comparisons(rows, [WORLD])
    (gone,) = of(drawn, Question.CONTRACT, policy="model", contract="wage")
    assert (gone.n, gone.mean, gone.low) == (0, None, None)
    family = [each for each in of(drawn, Question.CONTRACT) if each is not gone]
    assert [each.p_holm for each in family] == holm([each.p for each in family])
    assert gone.p_holm is None


def test_in_negotiation_incentives_are_compared_within_a_game_by_success_and_own_score():
    drawn = comparisons(talked(TALKS), [TALKS])
    found = of(drawn, Question.CONTRACT, policy="model")
    assert [(c.measure, c.contract, c.base_contract) for c in found] == [
        (measure, f"{game}/greedy-veto", f"{game}/cooperative")
        for measure in ("final_success", "own_score")
        for game in ("base", "game1")
    ]
    (overall,) = of(drawn, Question.OVERALL, measure="own_score")
    assert overall.n == 2 * EPISODES  # games are strata, the incentives of a game are one unit
    assert overall.difference == pytest.approx(-20.0, abs=1.0)


def test_an_arena_may_say_what_is_compared():
    arena = replace(WORLD, measures=("welfare",))
    rows = [replace(r, measures={"welfare": r.measures["efficiency"]}) for r in played(WORLD)]
    assert {(each.measure, each.n) for each in comparisons(rows, [arena])} == {
        ("welfare", EPISODES)
    }


def test_a_policy_trained_once_is_marked():
    arena = replace(WORLD, policies=("ppo", "shown"))
    rows = [replace(r, policy="ppo") for r in played(WORLD) if r.policy == "model"]
    rows += [r for r in played(WORLD) if r.policy == "shown"]
    marked = {(each.policy, each.one_training) for each in comparisons(rows, [arena])}
    assert marked == {("ppo", True), ("shown", False)}


def test_a_lineup_with_a_policy_trained_once_is_marked_too():
    mixed = Table(name="mixed", everyone="shown", seats={"agent_0": "ppo"})
    arena = replace(WORLD, policies=("mixed", "shown"), lineups=(mixed,))
    rows = [replace(r, policy="mixed") for r in played(WORLD) if r.policy == "model"]
    rows += [r for r in played(WORLD) if r.policy == "shown"]
    marked = {(each.policy, each.one_training) for each in comparisons(rows, [arena])}
    assert marked == {("mixed", True), ("shown", False)}


@pytest.mark.parametrize(
    ("measure", "improvement"), [("efficiency", 1.0), ("illegal", 0.0), ("transfers", None)]
)
def test_who_is_better_depends_on_whether_more_or_less_of_a_measure_is(measure, improvement):
    arena = replace(WORLD, policies=("other", "shown"), measures=(measure,))
    rows = [
        row("world", policy, condition.name, episode, **{measure: level})
        for policy, level in (("other", 2.0), ("shown", 1.0))
        for condition in WORLD.conditions
        for episode in range(EPISODES)
    ]
    drawn = of(comparisons(rows, [arena]), Question.POLICY)
    assert {(each.difference, each.improvement) for each in drawn} == {(1.0, improvement)}


def test_comparisons_are_json_values(drawn):
    values = comparisons_to_json(drawn)
    assert json.loads(json.dumps(values, allow_nan=False)) == values
    assert values[0]["question"] == "contract"
    assert {"n", "unit", "low", "high", "p", "p_holm", "effect", "improvement", "further"} <= set(
        values[0]
    )


def printed(group, width=120):
    console = Console(file=StringIO(), width=width)
    console.print(group)
    return console.file.getvalue()


def test_the_tables_have_an_interval_and_n_for_every_difference(drawn):
    text = printed(render_comparisons(drawn, SEATED))
    assert "wage - none" in text
    assert "efficiency: each policy against shown" in text
    assert "4 + 3 seeds" in text
    assert "second - first" in text
    assert text.count("[") == len(drawn) - len(of(drawn, Question.OVERALL)) + 1  # the caption
    assert "permutation test" in text
    assert "read these for episodes" in text


def test_with_many_conditions_policies_are_shown_over_all_of_them():
    drawn = comparisons(talked(TALKS), [TALKS])
    text = printed(render_comparisons(drawn, TALKS))
    assert "over all conditions" in text
    assert "own_score" not in text
    assert "seeds, read" not in text


def test_a_comparison_without_common_episodes_says_so():
    rows = [r for r in played(WORLD) if r.contract != "wage"]
    text = printed(render_comparisons(comparisons(rows, [WORLD]), WORLD))
    assert "nothing in common" in text


def test_an_episode_of_each_game_is_not_called_a_single_one():
    drawn = comparisons([r for r in talked(TALKS) if r.episode == 0], [TALKS])
    (overall,) = of(drawn, Question.OVERALL, measure="final_success")
    text = printed(render_comparisons([overall], TALKS))
    assert overall.n == 2
    assert "one episode of each" in text


def test_on_a_narrow_terminal_no_comparison_loses_its_answer(drawn):
    wide = printed(render_comparisons(drawn, SEATED), width=140)
    narrow = printed(render_comparisons(drawn, SEATED, width=70), width=70)
    numbers = {word for word in wide.split() if word[0] in "[+-" and word[-1].isdigit()}
    assert numbers <= set(narrow.split())
    assert "…" not in narrow


def test_without_comparisons_nothing_is_shown():
    arena = replace(WORLD, policies=("shown",), conditions=WORLD.conditions[:1])
    drawn = comparisons(played(arena), [arena])
    assert drawn == []
    assert printed(render_comparisons(drawn, arena)).strip() == ""


def test_dropping_malformed_episodes_leaves_the_others_of_the_cell():
    rows = [
        replace(r, malformed=3) if (r.policy, r.episode) in {("model", 0), ("model", 5)} else r
        for r in played(WORLD)
    ]
    found = {(r.policy, r.contract): r for r in sensitivity(rows, [WORLD])}
    assert list(found) == [(p, c) for p in WORLD.policies for c in RAISED]
    model = found["model", "none"]
    assert (model.malformed_episodes, model.malformed_answers) == (2, 6)
    assert (model.n, model.left["efficiency"].n, model.played["efficiency"].n) == (6, 6, 8)
    kept = [
        r.measures["efficiency"]
        for r in rows
        if (r.policy, r.contract) == ("model", "none") and not r.malformed
    ]
    assert model.left["efficiency"].mean == pytest.approx(np.mean(kept))
    assert not found["shown", "none"].is_affected
    assert found["shown", "none"].left == found["shown", "none"].played


def test_a_cell_of_which_nothing_is_left_is_empty_and_not_left_out():
    rows = [replace(r, malformed=int(r.policy == "model")) for r in played(WORLD)]
    found = sensitivity(rows, [WORLD])
    model = [each for each in found if each.policy == "model"]
    assert [(each.n, each.left) for each in model] == [(0, {})] * 3
    assert json.loads(json.dumps(model[0].to_dict()))["empty"]
    text = printed(render_sensitivity(found, WORLD))
    assert text.count("empty") == 3
    assert "shown" not in text


def test_episodes_without_an_answer_are_missing():
    rows = [r for r in played(WORLD) if (r.policy, r.episode) != ("model", 3)]
    found = {(r.policy, r.contract): r for r in sensitivity(rows, [WORLD])}
    assert (found["model", "wage"].planned, found["model", "wage"].missing) == (8, 1)
    assert found["idle", "wage"].missing == 0


def test_the_units_that_are_left_of_a_training_are_training_seeds():
    rows = [replace(r, malformed=int(r.policy == "first/1")) for r in played(SEATED)]
    found = {(r.policy, r.contract): r for r in sensitivity(rows, [SEATED])}
    first = found["first", "none"]
    assert (first.unit, first.planned, first.n) == (TRAINING_SEED, 24, 2)
    assert first.left["efficiency"].unit == TRAINING_SEED


def test_rates_have_wilsons_interval_in_what_is_left_too():
    rows = [replace(r, measures={"final_success": 1.0}) for r in talked(TALKS)]
    found = sensitivity(rows, [TALKS])[0]
    assert found.left["final_success"] == estimate_rate([True] * EPISODES)


def test_in_which_order_episodes_were_played_does_not_matter_to_what_is_left():
    rows = list(played(WORLD))
    assert sensitivity(reversed(rows), [WORLD]) == sensitivity(rows, [WORLD])


def test_where_nothing_went_wrong_that_is_said():
    text = printed(render_sensitivity(sensitivity(played(WORLD), [WORLD]), WORLD))
    assert "No episode is missing" in text
