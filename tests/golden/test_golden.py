"""Golden playthroughs: what the environments do, pinned in files that a person has reviewed.

After an intended change, ``python -m pytest tests/golden --regenerate`` writes the files anew.
Every file that it rewrites fails that run; look at the difference, commit it, run again.
"""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import gymnasium
import pettingzoo
import pytest

import cleanup_icn  # noqa: F401 - registers its environments
import negotiation_games  # noqa: F401 - registers its environments

FOLDER = Path(__file__).parent


def load_playthroughs():
    """The playthroughs of the module beside this file, which no test can import by name."""
    path = FOLDER / "playthroughs.py"
    spec = importlib.util.spec_from_file_location("golden_playthroughs", path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # where its dataclasses look for it
    spec.loader.exec_module(module)
    return module


GOLDEN = load_playthroughs()


@pytest.mark.parametrize("name", GOLDEN.PLAYTHROUGHS)
def test_a_game_is_played_as_it_is_written(name, request):
    path = FOLDER / f"{name}.txt"
    played = GOLDEN.record(GOLDEN.PLAYTHROUGHS[name])
    written = path.read_text(encoding="utf-8") if path.exists() else ""
    # Where this folder is not named on the command line, its conftest comes too late for options.
    if request.config.getoption("--regenerate", default=False) and played != written:
        path.write_text(played, encoding="utf-8")
        pytest.fail(f"{path.name} was written anew: review the difference and run again")
    assert played == written, "if this is intended: python -m pytest tests/golden --regenerate"


def test_every_registered_environment_has_a_playthrough():
    registries = (pettingzoo.parallel_registry, pettingzoo.aec_registry, gymnasium.registry)
    ours = {name for each in registries for name in each if name.startswith("commonweal/")}
    assert "commonweal/Cleanup-v0" in ours
    assert ours == {played.env_id for played in GOLDEN.PLAYTHROUGHS.values()}


def test_every_golden_file_is_played():
    assert {path.stem for path in FOLDER.glob("*.txt")} == set(GOLDEN.PLAYTHROUGHS)


@pytest.mark.parametrize("name", GOLDEN.PLAYTHROUGHS)
def test_a_playthrough_is_short_enough_to_review(name):
    lines = (FOLDER / f"{name}.txt").read_text(encoding="utf-8").splitlines()
    assert 10 <= len(lines) <= 100
    assert max(map(len, lines)) <= 240
