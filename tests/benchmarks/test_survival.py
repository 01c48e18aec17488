"""A run that is killed again and again is, in the end, the run that nothing happened to."""

from __future__ import annotations

import csv
import io
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from run_folders import num_kept

from benchmarks.export import TIMES
from benchmarks.store import open_run

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
KILLS = 20
PATIENCE_S = 120.0
STUBS = """
seed = 5
episodes = 24

[[arenas]]
name = "river"
game = "cleanup"
policies = ["contract-follower", "stub-erratic"]

[arenas.world]
name = "linear, threshold 6 to 12 at step 25"
preset = "linear"
schedule = [[25, { pollution_threshold = 12 }]]

[arenas.world.starts]
pollution_initial = [0, 5]
fruit_initial = [0, 24]

[[arenas.contracts]]
kind = "fixed"
wage = 1.0

[[arenas.contracts]]
kind = "icn"
judge = "change"
menu = [0.5, 1.0, 2.0]

[[arenas]]
name = "talks"
game = "negotiation"
games = ["base"]
incentives = ["cooperative", "greedy-veto"]
policies = ["stub-erratic", "conceder"]
"""
NUM_EPISODES = 8 * 24
LEARNED = """
episodes = 6
training_agent_steps = 6144

[[arenas]]
name = "river"
game = "cleanup"
policies = ["ppo"]

[arenas.world]
name = "linear"
preset = "linear"

[[arenas.contracts]]
kind = "fixed"
wage = 1.0
"""


class Run:
    """A run of `commonweal compare`, each part of it a process of its own."""

    def __init__(self, suite, out, *, workers=0):
        self.out, self.suite, self._workers = out, suite, workers
        self.process = None  # the latest to be killed

    def start(self, *, workers=None):
        """Begin or resume it."""
        num_workers = self._workers if workers is None else workers
        words = ["compare", self.suite, "--out", self.out, "--resume", "--workers", num_workers]
        return subprocess.Popen(
            [sys.executable, "-m", "benchmarks.cli", *map(str, words)],
            cwd=self.out.parent,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def play_on(self, **options):
        """Resume it and wait for its end."""
        process = self.start(**options)
        told, _ = process.communicate(timeout=PATIENCE_S)
        assert process.returncode == 0, told

    def kill(self, when, **options):
        """Resume it and kill it as soon as `when()`, or at its end; returns whether it had died."""
        self.process = process = self.start(**options)
        deadline_s = time.monotonic() + PATIENCE_S
        try:
            while process.poll() is None and not when():
                assert time.monotonic() < deadline_s
                time.sleep(0.002)
        finally:
            process.send_signal(signal.SIGKILL)
            process.communicate()
        return process.returncode == -signal.SIGKILL

    def export(self, command, what):
        """Return what the command exports of it, without the columns that tell of time."""
        code, out, err = command("export", self.out, "--what", what)
        assert (code, err) == (0, "")
        rows = list(csv.DictReader(io.StringIO(out)))
        return [{name: v for name, v in row.items() if name not in TIMES} for row in rows]


@pytest.fixture
def start_run(tmp_path):
    """Make a run of a suite written as TOML in a folder of this name."""

    def make(written, name, **options):
        suite = tmp_path / "small.toml"
        suite.write_text(written)
        return Run(suite, tmp_path / name, **options)

    return make


def test_a_run_killed_twenty_times_exports_what_an_unbroken_one_does(start_run, command):
    unbroken, killed = start_run(STUBS, "unbroken", workers=2), start_run(STUBS, "killed")
    unbroken.play_on()
    draw = random.Random(6)
    kept_after = [0]
    for number in range(KILLS):
        # Now and then before there is anything; else after some more episodes, or amid the next.
        wanted = kept_after[-1] + draw.choice([1, 2, 3, 5])
        pause_s = draw.uniform(0.0, 0.05)
        starts_until_s = time.monotonic() + draw.uniform(0.1, 1.0)
        is_early = draw.random() < 0.2

        def is_time(wanted=wanted, pause_s=pause_s, until_s=starts_until_s, is_early=is_early):
            if is_early:
                return time.monotonic() > until_s
            if num_kept(killed.out) < wanted:
                return False
            time.sleep(pause_s)
            return True

        assert killed.kill(is_time, workers=2 if number % 7 == 3 else 0)
        kept_after.append(num_kept(killed.out))
    assert kept_after == sorted(kept_after)  # nothing that was kept is lost
    assert len(set(kept_after)) > KILLS // 2  # most parts of the run made some progress
    assert 0 < kept_after[-1] < NUM_EPISODES
    killed.play_on()
    for what in ("episodes", "turns"):
        exported = killed.export(command, what)
        assert len(exported) >= NUM_EPISODES
        assert exported == unbroken.export(command, what)
    assert (killed.out / "table.json").read_text() == (unbroken.out / "table.json").read_text()
    with open_run(killed.out) as reader:
        assert reader.about["status"] == "complete"
        assert len(reader) == NUM_EPISODES


def test_a_policy_that_has_learned_does_not_learn_again_when_its_run_is_killed(start_run, command):
    pytest.importorskip("sb3_contrib")
    unbroken, killed = start_run(LEARNED, "unbroken"), start_run(LEARNED, "killed")
    unbroken.play_on()
    place = killed.out / "ppo" / "river" / "fixed"
    checkpoint = place / "policy.zip"

    def is_refused_to_others():
        if not place.exists():
            return False
        killed.process.send_signal(signal.SIGSTOP)  # amid its training
        code, out, err = command("compare", killed.suite, "--out", killed.out, "--resume")
        assert (code, out, err.count("\n")) == (2, "", 1)
        assert "a folder that no other process is writing a run to" in err
        return True

    assert killed.kill(is_refused_to_others)
    assert (num_kept(killed.out), checkpoint.exists()) == (0, False)
    assert killed.kill(lambda: num_kept(killed.out) >= 2)
    learned = (checkpoint.read_bytes(), checkpoint.stat().st_mtime_ns)
    killed.play_on()
    assert (checkpoint.read_bytes(), checkpoint.stat().st_mtime_ns) == learned
    for what in ("episodes", "turns"):
        assert killed.export(command, what) == unbroken.export(command, what)
