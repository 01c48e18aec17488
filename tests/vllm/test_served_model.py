"""A real model behind a real server plays both games; `make test-vllm` runs this.

It needs a server: one that it starts from the folder in COMMONWEAL_VLLM_MODEL, or one that is
there already, at COMMONWEAL_BASE_URL with COMMONWEAL_MODEL as the model's name. Without either
everything here is skipped. The tests stand in the order in which they run.
"""
# ruff: noqa: T201 - what was measured is shown

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from benchmarks.store import open_run

FOLDER = os.environ.get("COMMONWEAL_VLLM_MODEL")
BASE_URL, MODEL = os.environ.get("COMMONWEAL_BASE_URL"), os.environ.get("COMMONWEAL_MODEL")

pytestmark = pytest.mark.skipif(
    not FOLDER and not (BASE_URL and MODEL),
    reason="needs a model: `make test-vllm` serves one, or set COMMONWEAL_BASE_URL and _MODEL",
)

COMMAND = [sys.executable, "-m", "benchmarks.cli"]
ROOT = Path(__file__).resolve().parents[2]
SUITES = {"cleanup-smoke": 3, "negotiation-smoke": 6}
"""The suites played, and how many conditions each has."""

MAX_TOKENS = {
    ("cleanup-smoke", "auto"): "160",
    ("negotiation-smoke", "auto"): "160",
    ("cleanup-smoke", "off"): "24",
    ("negotiation-smoke", "off"): "48",
}
"""Longest answers: one held to a form must have room for it, free ones only cost time here."""

BENCH = (
    "--episodes 16 --turns 6 --serial-episodes 1 --layout-episodes 2 --repeats 1 "
    "--structured off --max-tokens 256"
)
"""Free answers: this model fills them, and long answers are what a batch of them is good for."""


@dataclass
class Served:
    """A server and the model it serves; `process` is None where somebody else started it."""

    base_url: str
    model: str
    process: subprocess.Popen[str] | None

    def stop(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
            self.process.wait(timeout=60)


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    if BASE_URL and MODEL:
        yield Served(BASE_URL, MODEL, None)
        return
    assert FOLDER
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = subprocess.Popen(
        [*COMMAND, "serve", FOLDER, "--port", str(port), "--max-model-len", "4096"],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    server = Served(f"http://127.0.0.1:{port}/v1", Path(FOLDER).name, process)
    try:
        assert process.stdout is not None
        first = process.stdout.readline()
        assert server.base_url in first, first
        yield server
    finally:
        server.stop()


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("runs")


def compare_all(served: Served, runs: Path, *, structured: str) -> dict[str, list[dict[str, Any]]]:
    """Play all suites at the same time, show what the command printed; returns the records."""
    playing = {suite: _begin(served, runs, suite, structured) for suite in SUITES}
    records = {}
    for suite, process in playing.items():
        printed, _ = process.communicate()
        print(f"\n--structured {structured}\n{printed}")
        assert process.returncode == 0
        records[suite] = _records(runs / f"{suite}-{structured}")
    return records


def _begin(served: Served, runs: Path, suite: str, structured: str) -> subprocess.Popen[str]:
    arguments = ["compare", suite, "--base-url", served.base_url, "--model", served.model]
    arguments += ["--policies", served.model, "--episodes", "1", "--structured", structured]
    arguments += ["--max-tokens", MAX_TOKENS[suite, structured], "--max-in-flight", "8"]
    if structured == "off":
        arguments += ["--max-repairs", "0"]  # this model repairs nothing, and asking takes minutes
    arguments += ["--out", str(runs / f"{suite}-{structured}")]
    return subprocess.Popen([*COMMAND, *arguments], cwd=ROOT, stdout=subprocess.PIPE, text=True)


def _records(folder: Path) -> list[dict[str, Any]]:
    with open_run(folder) as reader:
        return [dict(kept.record) for kept in reader.episodes()]


def _calls(record: dict[str, Any]) -> list[dict[str, Any]]:
    if "steps" in record:
        return [call for step in record["steps"] for seat in step["calls"] for call in seat]
    return [call for turn in record["turns"] for call in turn["calls"]]


def _parents() -> dict[int, int]:
    """Return every process that runs, with its parent."""
    listed = subprocess.run(
        ["ps", "-eo", "pid=,ppid="], check=True, capture_output=True, text=True
    ).stdout
    return {int(pid): int(parent) for pid, parent in map(str.split, listed.splitlines())}


def _below(pid: int) -> set[int]:
    """Return what a process started, in whatever session: vLLM's processes are not in ours."""
    parents = _parents()
    found: set[int] = set()
    while more := {each for each, by in parents.items() if by in found | {pid}} - found:
        found |= more
    return found


def _run(arguments: Sequence[str]) -> str:
    done = subprocess.run(
        [*COMMAND, *arguments], cwd=ROOT, check=True, capture_output=True, text=True
    )
    return done.stdout


def test_held_to_a_form_every_answer_in_every_game_can_be_read(served: Served, runs: Path) -> None:
    records = compare_all(served, runs, structured="auto")
    assert {suite: len(played) for suite, played in records.items()} == SUITES
    calls = [call for played in records.values() for record in played for call in _calls(record)]
    assert calls
    assert {call["form"] for call in calls} <= {"choice", "json"}
    assert {call["status"] for call in calls} == {"ok"}
    assert all(call["prompt_tokens"] > 0 and call["completion_tokens"] > 0 for call in calls)
    assert any(record["negotiations"] for record in records["cleanup-smoke"])


def test_the_server_had_some_of_the_prompts_in_its_prefix_cache(runs: Path) -> None:
    for suite in SUITES:
        with open_run(runs / f"{suite}-auto") as reader:
            assert reader.about["serving"]["prefix_cache_hit_rate"] > 0


def test_free_answers_are_read_as_far_as_they_can_be(served: Served, runs: Path) -> None:
    records = compare_all(served, runs, structured="off")
    assert {suite: len(played) for suite, played in records.items()} == SUITES
    calls = [call for played in records.values() for record in played for call in _calls(record)]
    assert {call["form"] for call in calls} == {"text"}
    malformed = [call for call in calls if call["status"] not in ("ok", "no_proposal")]
    print(f"free answers: {len(calls)} calls, {len(malformed)} of them malformed")


def test_scheduled_play_is_at_least_four_times_as_fast(served: Served) -> None:
    arguments = ["bench", "models", "--base-url", served.base_url, "--model", served.model]
    rows = {row["name"]: row for row in json.loads(_run([*arguments, *BENCH.split(), "--json"]))}
    for name, row in rows.items():
        print(name, {key: value for key, value in row.items() if key != "name"})
    assert rows["scheduled"]["speed_up"] >= 4
    # Beside its own kind: where the sheet stands makes a difference too.
    append = rows["append, sheet-first"]["prefix_cache_hit_rate"]
    assert append > rows["published, sheet-first"]["prefix_cache_hit_rate"]
    assert append > 0


def test_stopped_the_server_leaves_nothing_running(served: Served) -> None:
    if served.process is None:
        pytest.skip("somebody else's server is theirs to stop")
    started = _below(served.process.pid)
    assert started
    served.stop()
    assert served.process.returncode == 0
    assert not started & _parents().keys()


def test_all_records_replay_bit_for_bit_without_the_server(runs: Path) -> None:
    for folder in sorted(runs.iterdir()):
        replayed = json.loads(_run(["replay", str(folder), "--json"]))
        assert replayed
        assert {episode["difference"] for episode in replayed} == {None}
