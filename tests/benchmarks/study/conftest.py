"""A part of the quick study, small enough to be played in a test."""

from __future__ import annotations

import pytest

from benchmarks.study import suite as grid
from benchmarks.study.changes import WorldChange


@pytest.fixture
def arena_of():
    """Make an arena of the study from the name of a change and those of treatments."""

    def make(change, *treatments, **values):
        return grid.arena_of("main", WorldChange.from_name(change), treatments, **values)

    return make


@pytest.fixture(scope="session")
def small_suite():
    """The quick study's main group, as scripted agents alone play it."""
    return grid.study_suite("quick", groups=["main"], agents=["contract-follower"])
