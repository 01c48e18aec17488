"""Experiments small enough to be learned in every test."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from benchmarks import cli

TINY = """
game = "cleanup"
[world]
horizon_steps = 10
[world.starts]
pollution_initial = [0, 8]
[contract]
kind = "fixed"
clauses = [{ type = "wage", payer = "others", payee = "all", per = "cleaned", rate = 0.6 }]
[training]
total_agent_steps = 320
num_lanes = 4
n_steps = 10
batch_size = 40
hidden_sizes = [8]
[evaluation]
episodes = 6
every = 2
"""


@pytest.fixture
def tiny_file(tmp_path):
    """Write the file of a tiny experiment in Cleanup; lines in it may be replaced."""

    def write(*replacements, name="tiny"):
        text = TINY
        for old, new in replacements:
            assert f"\n{old}\n" in text
            text = text.replace(f"\n{old}\n", f"\n{new}\n")
        file = tmp_path / f"{name}.toml"
        file.write_text(text)
        return file

    return write


@pytest.fixture(scope="session")
def trained_once(tmp_path_factory):
    """The folder of a tiny training, complete with two seeds; to be copied, not changed."""
    file = tmp_path_factory.mktemp("files") / "tiny.toml"
    file.write_text(TINY)
    out = tmp_path_factory.mktemp("trained") / "tiny"
    words = ("train", "cleanup", "--config", file, "--out", out, "--seeds", 2, "--workers", 0)
    assert cli.run([str(word) for word in (*words, "--json")]) == 0
    return out


@pytest.fixture
def trained(trained_once, tmp_path):
    """A copy of that folder."""
    return Path(shutil.copytree(trained_once, tmp_path / "out"))


class AnythingLegal:
    """Takes each legal action with the same chance."""

    def act(self, observations, masks, uniforms):
        del observations
        chosen = (uniforms * masks.sum(axis=1)).astype(int)
        return np.array([np.flatnonzero(m)[c] for m, c in zip(masks, chosen, strict=True)])


@pytest.fixture
def anything_legal():
    """A policy that needs no training."""
    return AnythingLegal()
