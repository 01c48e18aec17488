"""Lets the tests of language models import `students`, which stands beside this file."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))


@pytest.fixture(scope="session")
def tiny_student(tmp_path_factory):
    """A folder with a student of one layer that was taught nothing: not to be written to."""
    pytest.importorskip("torch", reason="needs commonweal[lm]")
    pytest.importorskip("transformers", reason="needs commonweal[lm]")
    from students import save_tiny_student

    return save_tiny_student(tmp_path_factory.mktemp("student") / "model")


@pytest.fixture(scope="session")
def taught_student(tmp_path_factory):
    """What came of teaching a student to answer signals, in a folder not to be written to."""
    pytest.importorskip("accelerate", reason="needs commonweal[lm]")
    from students import BRIEF, TINY, signal_pairs

    from agents.lm.teach import teach

    return teach(
        signal_pairs(300),
        student=TINY,
        teaching=BRIEF,
        out=tmp_path_factory.mktemp("taught") / "model",
        held_out=signal_pairs(40, seed=1),
        about={"game": "signals"},
    )
