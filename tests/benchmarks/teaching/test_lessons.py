"""The registry of lessons."""

from __future__ import annotations

import subprocess
import sys

import pytest

from benchmarks.teaching.lessons import LESSONS, lessons_named
from cleanup_icn import ConfigError
from cleanup_icn.policies import SCRIPTED

OF_CLEANUP = [name for name in LESSONS if name.startswith("cleanup")]


def test_the_lessons_are_known_by_name():
    assert list(LESSONS) == [
        "cleanup",
        "cleanup-selfish",
        "cleanup-abiding",
        "cleanup-breaking",
        "negotiation",
    ]
    assert len(LESSONS) == 5
    assert "cleanup-generous" not in LESSONS


@pytest.mark.parametrize("name", OF_CLEANUP)
def test_lessons_say_who_teaches_and_what_becomes_of_a_pupil(name):
    lessons = lessons_named(name)
    assert lessons.name == name
    assert lessons.teacher in SCRIPTED
    assert lessons.description.endswith(".")
    assert lessons.kinds[0] == "taught"


def test_every_persona_has_a_teacher_of_its_own():
    assert len({LESSONS[name].teacher for name in OF_CLEANUP}) == 4


def test_unknown_lessons_are_refused_with_those_there_are():
    with pytest.raises(ConfigError, match="lessons = 'chess': expected one of cleanup, "):
        lessons_named("chess")


def test_naming_the_lessons_imports_nothing_that_plays_them():
    told = (
        "import sys; from benchmarks.teaching.lessons import LESSONS; list(LESSONS); "
        "print([m for m in sys.modules if m.startswith('benchmarks.teaching.cleanup')])"
    )
    printed = subprocess.run([sys.executable, "-c", told], capture_output=True, check=True)
    assert printed.stdout.strip() == b"[]"
