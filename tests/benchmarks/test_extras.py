"""Which policies are left out where their packages are missing."""

from __future__ import annotations

from dataclasses import replace

import pytest

from benchmarks import training
from benchmarks.extras import missing_policies
from benchmarks.model_config import Table
from benchmarks.negotiation import negmas_players
from benchmarks.suite import Suite
from benchmarks.suite_file import suite_named


@pytest.fixture
def with_extras(monkeypatch):
    """Say which extras are there."""

    def choose(*, ppo, negmas):
        monkeypatch.setattr(training, "is_available", lambda: ppo)
        monkeypatch.setattr(negmas_players, "is_available", lambda: negmas)

    return choose


def test_nothing_is_missing_where_everything_is_installed(with_extras):
    with_extras(ppo=True, negmas=True)
    assert missing_policies(suite_named("llm-vs-ppo")) == {}


def test_policies_are_told_once_by_what_would_bring_them(with_extras):
    with_extras(ppo=False, negmas=False)
    missing = missing_policies(suite_named("llm-vs-ppo"))
    assert missing[training.INSTALL_HINT] == ["ppo"]
    negmas = missing[negmas_players.INSTALL_HINT]
    assert negmas
    assert all(name.startswith("negmas-") for name in negmas)


def test_a_suite_without_them_plays_all_others(with_extras, tiny_suite):
    with_extras(ppo=False, negmas=True)
    suite = Suite.of(replace(tiny_suite, policies=("all-harvest", "ppo")))
    (names,) = missing_policies(suite).values()
    assert suite.without(names).policies == ("all-harvest",)


def test_a_lineup_is_missing_if_anybody_in_it_is(with_extras, tiny_suite):
    with_extras(ppo=False, negmas=True)
    mixed = Table(name="mixed", everyone="planner", seats={"agent_0": "ppo"})
    arena = replace(tiny_suite, policies=("planner", "mixed"), lineups=(mixed,))
    assert missing_policies(Suite.of(arena)) == {training.INSTALL_HINT: ["mixed"]}
