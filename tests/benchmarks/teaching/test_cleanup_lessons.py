"""Lessons and examinations of Cleanup: what is played, by whom, and how well the teacher does."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.arena import cells_of
from benchmarks.cells import play_cell
from benchmarks.cleanup.conditions import Negotiated
from benchmarks.cleanup.metrics import efficiency
from benchmarks.lineups import lineup_of
from benchmarks.model_config import ClientSpec, ModelsConfig, ModelSpec
from benchmarks.suite import Suite
from benchmarks.teaching.cleanup_lessons import CLEANUP_LESSONS, STRANGERS
from benchmarks.teaching.drawn_worlds import fair_rates
from cleanup_icn import ConfigError
from cleanup_icn.contracts import Contract, Share, Wage

COOPERATIVE, SELFISH = CLEANUP_LESSONS["cleanup"], CLEANUP_LESSONS["cleanup-selfish"]
EVERY = pytest.mark.parametrize("lessons", CLEANUP_LESSONS.values(), ids=CLEANUP_LESSONS)
WITH_KINDS = pytest.mark.parametrize(
    ("lessons", "kind"),
    [
        pytest.param(lessons, kind, id=f"{name}-{kind}")
        for name, lessons in CLEANUP_LESSONS.items()
        for kind in lessons.kinds
    ],
)


def num_episodes(suite):
    return sum(arena.num_episodes * len(cells_of(arena)) for arena in suite.arenas)


def conditions_of(suite):
    return [condition for arena in suite.arenas for condition in arena.conditions]


@EVERY
def test_lessons_are_as_many_episodes_as_asked_for_each_in_a_world_of_its_own(lessons):
    for wanted in (1, 8, 17):
        suite = lessons.teaching_suite(episodes=wanted, seed=0)
        assert num_episodes(suite) == len(suite.arenas) == wanted


@EVERY
def test_in_lessons_the_teacher_sits_alone_on_every_seat_and_beside_others_and_not_at_all(lessons):
    suite = lessons.teaching_suite(episodes=60, seed=0)
    seated = {}
    for arena in suite.arenas:
        for policy in arena.policies:
            table = lineup_of(arena, policy)
            taught = [seat for seat, player in table.seats.items() if player == lessons.teacher]
            key = policy, arena.scenario.config.num_agents
            seated[key] = (table.everyone, taught)
    of_two = {policy: seats for (policy, agents), seats in seated.items() if agents == 2}
    assert of_two == {
        lessons.teacher: (lessons.teacher, []),
        "teacher-agent_0": ("wavering", ["agent_0"]),
        "teacher-agent_1": ("wavering", ["agent_1"]),
        "wavering": ("wavering", []),
    }
    of_three = {policy for policy, agents in seated if agents == 3}
    assert ("teacher-agent_2" in of_three) == (lessons.most_agents == 3)


def test_lessons_come_under_every_kind_of_contract_with_prices_that_differ():
    conditions = conditions_of(COOPERATIVE.teaching_suite(episodes=400, seed=0))
    shares = {name: np.mean([c.name == name for c in conditions]) for name in ("none", "wage")}
    assert shares["none"] == pytest.approx(1 / 8, abs=0.06)
    assert shares["wage"] == pytest.approx(1 / 2, abs=0.08)
    assert {type(clause) for c in conditions for clause in c.contracts[0].clauses} == {Wage, Share}
    talks = [each for each in conditions if isinstance(each, Negotiated)]
    assert {each.judge for each in talks} == {"change", "start", "every:10"}
    assert {each.max_rounds for each in talks} == {3}
    assert all(Contract() in each.menu for each in talks)
    assert len({each.menu for each in talks}) > 0.95 * len(talks)


@EVERY
def test_the_same_seed_gives_the_same_lessons_and_another_one_others(lessons):
    first = lessons.teaching_suite(episodes=16, seed=3)
    assert first == lessons.teaching_suite(episodes=16, seed=3)
    assert first.arenas != lessons.teaching_suite(episodes=16, seed=4).arenas


@WITH_KINDS
def test_an_examination_has_an_arena_for_each_episode_and_more_only_add_to_it(lessons, kind):
    suite = lessons.examination_suite(kind, episodes=12, seed=1)
    longer = lessons.examination_suite(kind, episodes=14, seed=1)
    assert len(suite.arenas) == 12
    assert suite.arenas == longer.arenas[:12]
    assert {arena.num_episodes for arena in suite.arenas} == {1}
    assert len({arena.name for arena in suite.arenas}) == 12
    assert all(arena.name.startswith(f"{kind}/") for arena in suite.arenas)
    wanted = 2 if kind == "icn" else 1
    assert {len(arena.conditions) for arena in suite.arenas} == {wanted}


@given(st.integers(0, 2**31), st.integers(0, 2**31))
@settings(deadline=None, max_examples=15)
def test_lessons_and_examinations_never_share_a_seed(lesson_seed, exam_seed):
    taught = COOPERATIVE.teaching_suite(episodes=6, seed=lesson_seed)
    assert {arena.seed % 2 for arena in taught.arenas} == {1}
    for kind in COOPERATIVE.kinds:
        examined = COOPERATIVE.examination_suite(kind, episodes=6, seed=exam_seed)
        assert {arena.seed % 2 for arena in examined.arenas} == {0}
        assert len({arena.seed for arena in examined.arenas}) == 6


def test_an_examination_of_the_same_seed_has_other_worlds_than_the_lessons():
    taught = COOPERATIVE.teaching_suite(episodes=20, seed=0)
    examined = COOPERATIVE.examination_suite("taught", episodes=20, seed=0)
    pairs = zip(taught.arenas, examined.arenas, strict=True)
    assert sum(a.scenario.config == b.scenario.config for a, b in pairs) == 0


@WITH_KINDS
def test_an_examination_has_the_planner_the_teacher_and_those_who_harvest_beside_the_pupil(
    lessons, kind
):
    suite = lessons.examination_suite(kind, episodes=8, seed=0)
    for arena in suite.arenas:
        assert {"planner", lessons.teacher, "all-harvest"} <= set(arena.policies)
        assert len(set(arena.policies)) == len(arena.policies)
        can_solve = arena.scenario.config.num_agents == 2
        fixed = not any(isinstance(each, Negotiated) for each in arena.conditions)
        expected = can_solve and (fixed or lessons.teacher == "equilibrium")
        assert ("equilibrium" in arena.policies) == expected


@WITH_KINDS
def test_a_suite_can_be_told_and_read_again(lessons, kind):
    for suite in (
        lessons.teaching_suite(episodes=8, seed=2),
        lessons.examination_suite(kind, episodes=4, seed=2),
    ):
        assert Suite.from_dict(suite.to_dict()) == suite


def test_talks_come_with_changes_only_and_are_told_apart_by_name():
    suite = COOPERATIVE.examination_suite("taught", episodes=60, seed=0)
    with_talks = [arena for arena in suite.arenas if isinstance(arena.conditions[0], Negotiated)]
    assert 5 < len(with_talks) < 30
    assert all(arena.scenario.config.change_steps for arena in with_talks)
    assert all(arena.name.endswith("/icn") for arena in with_talks)
    assert sum(arena.name.endswith("/wage") for arena in suite.arenas) == 60 - len(with_talks)


def test_in_talks_examined_every_world_changes_and_is_played_both_ways():
    suite = COOPERATIVE.examination_suite("icn", episodes=20, seed=0)
    assert all(arena.scenario.change_step for arena in suite.arenas)
    for arena in suite.arenas:
        assert [each.name for each in arena.conditions] == ["wage", "icn"]
        assert arena.condition("icn").judge == "change"
        assert arena.condition("wage").contract in arena.condition("icn").menu


@EVERY
def test_partners_are_strangers_and_the_pupil_sits_on_either_seat(lessons):
    suite = lessons.examination_suite("partners", episodes=20, seed=0)
    seated = {(arena.partners, arena.seat) for arena in suite.arenas}
    strangers = {*STRANGERS} - {lessons.teacher}
    assert seated == {(p, seat) for p in strangers for seat in ("agent_0", "agent_1")}
    assert {arena.scenario.config.num_agents for arena in suite.arenas} == {2}


@pytest.mark.parametrize("kind", COOPERATIVE.kinds)
def test_a_pupil_can_be_seated_in_every_examination(kind):
    stub = ClientSpec(kind="stub")
    models = ModelsConfig(models={"pupil": ModelSpec(name="pupil", client=stub, model="m")})
    suite = COOPERATIVE.examination_suite(kind, episodes=4, seed=0).with_models(models)
    assert all("pupil" in arena.policies for arena in suite.arenas)
    tables = [lineup_of(arena, "pupil") for arena in suite.arenas]
    if kind == "partners":
        assert all(list(table.seats.values()) == ["pupil"] for table in tables)
        assert all(table.everyone in STRANGERS for table in tables)
    else:
        assert {(table.everyone, len(table.seats)) for table in tables} == {("pupil", 0)}


def efficiencies(suite, policy):
    """What the policy earns in every cell of its, as a share of the optimum."""
    return [
        efficiency(result)
        for arena in suite.arenas
        for cell in cells_of(arena)
        if cell.policy == policy
        for result in play_cell(arena, cell)
    ]


@pytest.mark.parametrize("name", ["cleanup", "cleanup-abiding"])
@pytest.mark.parametrize("kind", ["taught", "held-out", "more-agents", "icn"])
def test_a_teacher_comes_close_to_the_optimum(name, kind):
    lessons = CLEANUP_LESSONS[name]
    suite = lessons.examination_suite(kind, episodes=10, seed=5)
    assert np.mean(efficiencies(suite, lessons.teacher)) > 0.97


def test_the_selfish_come_close_to_the_optimum_for_a_fair_wage():
    suite = SELFISH.examination_suite("taught", episodes=6, seed=0)
    fixed = [a for a in suite.arenas if not isinstance(a.conditions[0], Negotiated)][:3]
    assert min(efficiencies(replace(suite, arenas=tuple(fixed)), "equilibrium")) > 0.9


def test_those_who_break_contracts_earn_next_to_nothing_under_the_same_wage():
    lessons = CLEANUP_LESSONS["cleanup-breaking"]
    suite = lessons.examination_suite("taught", episodes=8, seed=0)
    assert max(efficiencies(suite, "breaking")) < 0.5


def test_the_record_of_a_lesson_leads_astray_as_well():
    suite = COOPERATIVE.teaching_suite(episodes=24, seed=0)
    alone, astray = [], []
    for arena in suite.arenas:
        ((cell, *_),) = [cells_of(arena)]
        found = alone if cell.policy == COOPERATIVE.teacher else astray
        found += [efficiency(result) for result in play_cell(arena, cell)]
    assert np.mean(alone) > 0.97
    assert min(astray) < 0.8


@pytest.mark.parametrize(
    ("ask", "problem"),
    [
        (lambda: COOPERATIVE.teaching_suite(episodes=0, seed=0), "episodes = 0"),
        (lambda: COOPERATIVE.teaching_suite(episodes=1, seed=-1), "seed = -1"),
        (lambda: COOPERATIVE.teaching_suite(episodes=True, seed=0), "episodes = True"),
        (lambda: COOPERATIVE.examination_suite("taught", episodes=0, seed=0), "episodes = 0"),
        (lambda: COOPERATIVE.examination_suite("oral", episodes=1, seed=0), "kind = 'oral'"),
        (lambda: SELFISH.examination_suite("more-agents", episodes=1, seed=0), "kind = 'more-"),
    ],
)
def test_what_cannot_be_is_refused_by_name_and_value(ask, problem):
    with pytest.raises(ConfigError, match=problem):
        ask()


def test_who_learns_what_a_contract_pays_for_meets_wages_near_the_fair_one():
    def share_near_fair(lessons):
        near = []
        for arena in lessons.teaching_suite(episodes=200, seed=0).arenas:
            (condition,) = arena.conditions
            if condition.name == "wage":
                fair = fair_rates(arena.scenario.config)
                (wage,) = condition.contract.clauses
                near.append(any(-1e-9 <= rate - wage.rate < 0.11 for rate in fair))
        return sum(near) / len(near)

    for name in ("cleanup-abiding", "cleanup-selfish"):
        assert share_near_fair(CLEANUP_LESSONS[name]) > 0.4
    assert share_near_fair(COOPERATIVE) < 0.3
