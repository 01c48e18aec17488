"""Kernels with and without numba, and the machine code that is kept on disk."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
PLAY = """
import numpy as np
from cleanup_icn import CleanupConfig
from cleanup_icn.batch import BatchCleanup
config = CleanupConfig.create(prob_fruit_growth=0.6, prob_pollution_growth=0.7, horizon_steps=20)
batch = BatchCleanup(config, 3, auto_reset=True)
batch.reset([1, 2, -3])
BatchCleanup(config, 1)
rng = np.random.default_rng(0)
print([batch.step(rng.integers(0, 5, (3, 2))).observation.sum().item() for _ in range(45)])
"""
WITHOUT_NUMBA = "import sys; sys.modules['numba'] = None\n"


def run(program, *, root=ROOT, **environment):
    ran = subprocess.run(
        [sys.executable, "-c", program],
        cwd=root,
        env={**os.environ, "PYTHONPATH": str(root), **environment},
        check=True,
        capture_output=True,
        text=True,
    )
    return ran.stdout, ran.stderr


def test_without_numba_lanes_play_the_same_and_say_so_once():
    pytest.importorskip("numba")
    compiled, silence = run(PLAY)
    interpreted, said = run(WITHOUT_NUMBA + PLAY)
    assert interpreted == compiled
    assert "interpreted" not in silence
    assert said.count("numba is not installed") == 1
    assert "<string>:7: RuntimeWarning" in said, "whoever makes a batch is told, by its own line"


def test_with_numba_switched_off_lanes_play_the_same_and_say_why_they_are_slow():
    pytest.importorskip("numba")
    compiled, _ = run(PLAY)
    interpreted, said = run(PLAY, NUMBA_DISABLE_JIT="1")
    assert interpreted == compiled
    assert said.count("Warning") == 1
    assert "numba is switched off" in said


def test_a_changed_rule_book_is_not_answered_from_the_cache(tmp_path):
    pytest.importorskip("numba")
    shutil.copytree(ROOT / "cleanup_icn", tmp_path / "cleanup_icn")
    cache = {"NUMBA_CACHE_DIR": str(tmp_path / "cache")}
    before, _ = run(PLAY, root=tmp_path, **cache)
    again, _ = run(PLAY, root=tmp_path, **cache)
    assert again == before

    rules = tmp_path / "cleanup_icn" / "rules.py"
    written = rules.read_text(encoding="utf-8")
    changed = written.replace("fruit = min(fruit + growth,", "fruit = min(fruit + growth + 1,")
    assert changed != written
    rules.write_text(changed, encoding="utf-8")
    after, _ = run(PLAY, root=tmp_path, **cache)
    assert after != before


def test_a_changed_constant_is_not_answered_from_the_cache(tmp_path):
    pytest.importorskip("numba")
    shutil.copytree(ROOT / "cleanup_icn", tmp_path / "cleanup_icn")
    cache = {"NUMBA_CACHE_DIR": str(tmp_path / "cache")}
    run(PLAY, root=tmp_path, **cache)
    state = tmp_path / "cleanup_icn" / "state.py"
    written = state.read_text(encoding="utf-8")
    changed = written.replace("WAIT, MOVE, HARVEST, CLEAN = ", "WAIT, MOVE, CLEAN, HARVEST = ")
    assert changed != written
    state.write_text(changed, encoding="utf-8")
    compiled, _ = run(PLAY, root=tmp_path, **cache)
    interpreted, _ = run(WITHOUT_NUMBA + PLAY, root=tmp_path)
    assert compiled == interpreted


def test_where_machine_code_cannot_be_kept_it_is_compiled_all_the_same(tmp_path):
    pytest.importorskip("numba")
    package = tmp_path / "cleanup_icn"
    shutil.copytree(ROOT / "cleanup_icn", package, ignore=shutil.ignore_patterns("__pycache__"))
    # As for a user without a home of a package that another one installed; true even for root.
    (package / "batch" / "__pycache__").write_text("no folder", encoding="utf-8")
    nowhere = {"HOME": os.devnull, "XDG_CACHE_HOME": os.devnull, "NUMBA_CACHE_DIR": ""}
    kept, _ = run(PLAY)
    assert run(PLAY, root=tmp_path, **nowhere) == (kept, "")
