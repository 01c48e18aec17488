"""Runs on Ray from beginning to end, each with a driver of its own."""

from __future__ import annotations

import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import pytest

pytest.importorskip("ray", reason="needs commonweal[ray]")

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[3]
PATIENCE_S = 240  # generous: it is to fail where something hangs, not to measure

DRIVER = """
import json, sys
from dataclasses import replace
from pathlib import Path
from benchmarks.arena import cells_of
from benchmarks.executors.named import executor_named
from benchmarks.suite_file import suite_named
from benchmarks.work import Task

def main(num_episodes, address):
    arena = replace(suite_named("cleanup-smoke").arenas[0], policies=("random",))
    tasks = [
        Task(arena=arena, cell=cell, episodes=tuple(range(num_episodes)))
        for cell in cells_of(arena)
    ]
    kept = []

    def keep(each):
        kept.append(each.row.key)
        print(json.dumps(each.row.key), flush=True)

    with executor_named("ray", 2, address) as executor:
        for task in tasks:
            executor.perform([task], folder=Path("run"), report=lambda *made: None, keep=keep)
    print(json.dumps("over"), flush=True)

if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2] if len(sys.argv) > 2 else None)
"""


@pytest.fixture
def mark():
    """Return a variable of the environment by which a run's processes are known."""
    return {f"COMMONWEAL_TEST_{secrets.token_hex(8)}": "1"}


@pytest.fixture
def drive(tmp_path, mark):
    """Start a driver in a process of its own, in a folder that is not the project's."""
    script = tmp_path / "driver.py"
    script.write_text(DRIVER)

    started = []

    def start(*arguments, **more):
        driver = subprocess.Popen(
            [sys.executable, str(script), *map(str, arguments)],
            cwd=tmp_path,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, **mark, **more, "PYTHONPATH": str(ROOT)},
            start_new_session=True,
        )
        started.append(driver)
        return driver

    yield start
    for number in left_over(mark):
        os.kill(number, signal.SIGKILL)
    for driver in started:
        driver.communicate()


def left_over(mark):
    """Return the ids of all processes that were started with this in their environment."""
    (name,) = mark
    found = []
    for number in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{number}/environ", "rb") as environment:
                if name.encode() in environment.read():
                    found.append(int(number))
        except OSError:
            continue
    return found


def wait_until_over(mark):
    until_s = time.monotonic() + PATIENCE_S
    while (running := left_over(mark)) and time.monotonic() < until_s:
        time.sleep(0.5)
    return running


@pytest.mark.parametrize("sign", [signal.SIGINT, signal.SIGKILL], ids=lambda sign: sign.name)
def test_no_process_of_a_run_outlives_it(sign, drive, mark):
    driver = drive(10**5)
    assert json.loads(driver.stdout.readline())[1] == "random"
    assert len(left_over(mark)) > 2
    # Ctrl-C reaches all processes of a terminal, kill -9 the one it names.
    (os.killpg if sign == signal.SIGINT else os.kill)(driver.pid, sign)
    said, complaints = driver.communicate(timeout=PATIENCE_S)
    assert '"over"' not in said
    assert all(json.loads(line) for line in said.splitlines())  # nothing else is on stdout
    if sign == signal.SIGINT:
        assert complaints.splitlines()[-1] == "KeyboardInterrupt"
    assert wait_until_over(mark) == []


@contextmanager
def head(folder, mark):
    """Start a cluster of one machine, with a token of its own; yields its address and that."""
    token = folder / "token"
    token.write_text(secrets.token_hex(32))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    known = {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN_PATH": str(token)}
    sockets = Path(f"/tmp/cw-{secrets.token_hex(4)}")  # a socket's path may not be long
    start = [sys.executable, "-m", "ray.scripts.scripts", "start", "--head", "--block"]
    options = {"port": port, "num-cpus": 2, "include-dashboard": "false", "temp-dir": sockets}
    process = subprocess.Popen(
        [*start, *(f"--{name}={value}" for name, value in options.items())],
        env={**os.environ, **mark, **known, "RAY_USAGE_STATS_ENABLED": "0"},
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    try:
        for line in process.stdout:
            if "block forever" in line:
                break
        yield f"127.0.0.1:{port}", known
    finally:
        process.terminate()
        process.communicate(timeout=PATIENCE_S)


def test_a_cluster_that_was_joined_has_the_drivers_packages_and_goes_on(drive, mark, tmp_path):
    with head(tmp_path, mark) as (address, known):
        said = []
        for _ in range(2):
            driver = drive(2, address, **known)
            stdout, complaints = driver.communicate(timeout=PATIENCE_S)
            assert driver.returncode == 0, complaints
            said += stdout.splitlines()
        refused = drive(1, address, RAY_AUTH_MODE="disabled").communicate(timeout=PATIENCE_S)
    cells = [("random", contract) for contract in ("none", "fixed", "icn")]
    wanted = [json.dumps(["cleanup-smoke", *cell, k]) for cell in cells for k in (0, 1)]
    assert sorted(said) == sorted([*wanted, '"over"'] * 2)
    assert refused[0] == ""
    assert "set RAY_AUTH_MODE=token" in refused[1].splitlines()[-1]
    assert wait_until_over(mark) == []
