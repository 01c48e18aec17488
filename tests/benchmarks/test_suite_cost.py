"""What playing a suite takes, beside what playing it took."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from benchmarks.arena import Cell, cells_of
from benchmarks.cells import play_cell
from benchmarks.driver import play
from benchmarks.kinds import kind_of
from benchmarks.lineups import lineup_of
from benchmarks.speakers import Speakers
from benchmarks.suite import Suite
from benchmarks.suite_commands import suites
from benchmarks.suite_cost import BYTES_PER_TOKEN, cost_of
from benchmarks.suite_file import bundled_suites, suite_named

CLEANUP = suite_named("cleanup-smoke").arenas[0]
NEGOTIATION = suite_named("negotiation-smoke").arenas[0]
LLM_VS_PPO = suite_named("llm-vs-ppo")


def few(arena, *policies, conditions=None, **changes):
    """Return the suite of an arena with these policies alone."""
    chosen = replace(arena, policies=policies, shown_policy=policies[0], **changes)
    return Suite.of(replace(chosen, conditions=conditions or arena.conditions))


def calls_in(arena):
    """Play all stubs and count what they were asked."""
    return sum(
        len(calls)
        for cell in cells_of(arena)
        for result in play_cell(arena, cell)
        for calls in result.calls_by_seat().values()
    )


def test_cells_episodes_and_training_are_those_of_all_arenas():
    cost = cost_of(LLM_VS_PPO)
    assert cost.cells == sum(len(cells_of(arena)) for arena in LLM_VS_PPO.arenas)
    assert cost.episodes == 20 * cost.cells
    # one training for each of three contracts, and one in the one game
    assert cost.training_agent_steps == 3 * 120_000 + 8_000


def test_who_learned_is_trained_once_for_all_its_lineups_and_only_where_it_plays():
    assert cost_of(suite_named("cross-play")).training_agent_steps == 3 * 120_000
    assert cost_of(suite_named("negotiation-smoke")).training_agent_steps == 2 * 8_000
    assert cost_of(few(CLEANUP, "planner")).training_agent_steps == 0


@pytest.mark.parametrize("arena", [CLEANUP, NEGOTIATION], ids=lambda arena: arena.name)
def test_calls_are_about_those_that_are_made(arena):
    suite = few(arena, "stub-cooperative", conditions=arena.conditions[-1:], num_episodes=3)
    made = calls_in(suite.arenas[0])
    assert cost_of(suite).asked.calls == pytest.approx(made, rel=0.05)


def test_calls_are_of_one_model_however_many_stubs_there_are():
    one, three = (
        cost_of(few(CLEANUP, *(f"stub-{name}" for name in names))).asked
        for names in (["cooperative"], ["cooperative", "selfish", "erratic"])
    )
    assert one == three
    assert one.calls > 0
    assert cost_of(few(CLEANUP, "planner")).asked.calls == 0


def test_a_model_on_one_seat_is_asked_for_that_seat_alone():
    every, one = (
        cost_of(few(CLEANUP, "stub-cooperative", conditions=CLEANUP.conditions[:1], **seat)).asked
        for seat in ({}, {"seat": "agent_0", "partners": "planner"})
    )
    assert (every.calls, one.calls) == (20 * 2 * 50, 20 * 50)


def test_more_episodes_cost_as_much_more():
    small, large = (
        cost_of(few(NEGOTIATION, "stub-cooperative", num_episodes=n)).asked for n in (1, 30)
    )
    assert large == small.times(30)


@pytest.mark.parametrize("arena", [CLEANUP, NEGOTIATION], ids=lambda arena: arena.name)
def test_tokens_are_those_of_the_prompts_that_a_model_is_asked(arena, models_of, fake_model):
    condition = arena.conditions[0]
    suite = few(arena, "stub-cooperative", conditions=(condition,), num_episodes=1)
    seated = replace(suite.arenas[0].with_models(models_of("m")), num_episodes=1)
    kind, model = kind_of(seated), fake_model(say=_proposal if arena is NEGOTIATION else None)
    env = kind.make_env(seated, condition)
    agents = kind.seat_table(lineup_of(seated, "m"), env, Speakers(seated.models, lambda *_: model))
    cell = Cell(policy="m", contract=condition.name)
    play(kind.begin(seated, cell, 0, env=env, agents=agents), agents)
    asked = sum(len(m.content.encode()) for messages, *_ in model.asked for m in messages)
    estimate = cost_of(suite).asked
    assert estimate.calls == len(model.asked)
    # they differ in what was said before, which is in the record
    assert estimate.prompt_tokens == pytest.approx(asked / BYTES_PER_TOKEN, rel=0.1)
    assert 0 < estimate.completion_tokens < estimate.prompt_tokens


def _proposal(_asked, _rng):
    """Say as much as a stub does."""
    words = "I have tried to take up what each of you asked for. Could we all settle on this now?"
    return f"<ANSWER>{words}</ANSWER> <DEAL>A1,B1,C1,D1,E1</DEAL>"


def test_a_grid_over_quantities_is_asked_alike_at_every_point():
    whole = cost_of(suite_named("cleanup-icn")).asked
    first = Suite.of(suite_named("cleanup-icn").arenas[0])
    assert whole == cost_of(first).asked.times(5)


def test_the_list_says_what_every_suite_costs(capsys):
    suites(as_json=True)
    rows = json.loads(capsys.readouterr().out)
    assert [row["name"] for row in rows] == list(bundled_suites())
    for row, suite in zip(rows, bundled_suites().values(), strict=True):
        assert row.items() >= cost_of(suite).to_dict().items()
        assert [arena["name"] for arena in row["arenas"]] == [a.name for a in suite.arenas]
    suites()
    table = capsys.readouterr().out
    assert all(row["name"] in table for row in rows)
    assert "3,500" in table
    assert "about 6.2 k" in table


@pytest.mark.parametrize("columns", [80, 120])
def test_the_list_has_every_name_in_full_on_a_narrow_terminal(columns, capsys, monkeypatch):
    monkeypatch.setattr("benchmarks.terminal._PIPED_COLUMNS", columns)
    suites()
    told = capsys.readouterr().out
    assert "…" not in told
    assert all(name in told for name in bundled_suites())
    words = " ".join(told.replace("│", " ").split())
    assert all(suite.description.split()[0] in words for suite in bundled_suites().values())
