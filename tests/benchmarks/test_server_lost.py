"""A run at the command line whose server is lost, or that is killed, and that goes on later."""

from __future__ import annotations

import asyncio
import json
import random
import subprocess
import sys
import time
from pathlib import Path

import pytest
from rich.console import Console

pytest.importorskip("openai", reason="needs commonweal[llm]")

from run_folders import about_run, num_kept, records_by_key

from benchmarks.instant_server import CHAT_PATH, InstantServer
from benchmarks.suite_file import suite_named

NEGOTIATION_SMOKE = suite_named("negotiation-smoke").arenas[0]

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
NUM_EPISODES = 3
WANTED = {("instant", s.name, k) for s in NEGOTIATION_SMOKE.conditions for k in range(NUM_EPISODES)}
ENDS_WITHIN_S = 60  # generous: it is to fail where a run hangs, not to measure


class SlowServer(InstantServer):
    """Answers each question after another time, so that a run takes some seconds."""

    async def respond(self, request):
        if request.path == CHAT_PATH:
            await asyncio.sleep(random.uniform(0.0, 0.06))
        return await super().respond(request)


@pytest.fixture
def server():
    with SlowServer() as server:
        yield server


def impatient(server, folder):
    """Return the options of a run that gives a lost server up after a second try."""
    file = folder / "models.toml"
    file.write_text(
        f"""
        [clients.local]
        kind = "openai"
        base_urls = ["{server.base_url}"]
        max_attempts = 2
        [models.instant]
        client = "local"
        model = "{server.model}"
        [run]
        max_in_flight = 8
        """
    )
    return ["--models", str(file)]


def short_way(server):
    return ["--base-url", server.base_url, "--model", server.model, "--max-in-flight", "8"]


def commonweal(*arguments):
    """Begin a command in a process of its own."""
    return subprocess.Popen(
        [sys.executable, "-m", "benchmarks.cli", *arguments],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def compare(out, options, *more):
    asked = ["--policies", "instant", "--episodes", str(NUM_EPISODES), "--out", str(out)]
    return commonweal("compare", NEGOTIATION_SMOKE.name, *asked, *options, *more)


def ended(process):
    """Return exit code, stdout and what was said on stderr, when the process is over."""
    try:
        stdout, stderr = process.communicate(timeout=ENDS_WITHIN_S)
    except subprocess.TimeoutExpired:
        process.kill()
        raise
    lines = stderr.splitlines()
    assert len(lines) < 10, stderr  # of the progress there is one state: nobody watched
    return process.returncode, stdout, [line for line in lines if line.startswith("commonweal:")]


def wait_for_records(out, process, count):
    """Wait until so many episodes are kept of a run that is under way."""
    while num_kept(out) < count:
        assert process.poll() is None, process.communicate()
        time.sleep(0.01)


def check_whole(out, kept):
    """Check that a resumed run has every episode once, those kept before as they were."""
    now = records_by_key(out)
    Console().print(f"\nepisodes kept before: {len(kept)}, after --resume: {len(now)}")
    assert now.keys() == WANTED
    assert {key: now[key] for key in kept} == kept
    assert about_run(out)["status"] == "complete"
    code, stdout, said = ended(commonweal("replay", str(out), "--json"))
    assert (code, said) == (0, [])
    assert [each["difference"] for each in json.loads(stdout)] == [None] * len(WANTED)


def test_a_lost_server_stops_the_run_with_one_message_and_it_goes_on_later(server, tmp_path):
    options, out = impatient(server, tmp_path), tmp_path / "run"
    run = compare(out, options)
    wait_for_records(out, run, 3)
    server.stop()
    code, _, said = ended(run)
    kept = records_by_key(out)
    assert (code, len(said)) == (1, 1)
    assert f"stopped: no answer from {server.base_url} (attempts: 2, " in said[0]
    assert f"{len(WANTED) - len(kept)} episodes were not played to their end" in said[0]
    assert 3 <= len(kept) < len(WANTED)
    about = about_run(out)
    assert (about["status"], about["failures"]) == ("stopped", [])
    assert about["stopped"].startswith("no answer from URL ")

    server.start()
    code, _, said = ended(compare(out, options, "--resume"))
    assert (code, said) == (0, [])
    check_whole(out, kept)


def test_a_run_goes_on_with_a_server_at_another_place(server, tmp_path):
    run = compare(tmp_path, short_way(server))
    wait_for_records(tmp_path, run, 3)
    began_s = time.monotonic()
    server.stop()
    code, _, said = ended(run)
    Console().print(f"\nended {time.monotonic() - began_s:.1f} s after the server", said)
    # On a busy machine an episode may have tried for long enough before it is known that all have.
    assert code == 1
    assert "stopped: no answer" in said[-1]
    assert all("no answer" in line for line in said)
    kept = records_by_key(tmp_path)
    with InstantServer() as another:
        assert another.base_url != server.base_url
        code, _, said = ended(compare(tmp_path, short_way(another), "--resume"))
        assert (code, said) == (0, [])
        assert another.counts[CHAT_PATH] > 0
    check_whole(tmp_path, kept)


def test_a_run_that_was_killed_goes_on_later_and_asks_nothing_twice(server, tmp_path):
    run = compare(tmp_path, short_way(server))
    wait_for_records(tmp_path, run, 3)
    run.kill()
    run.communicate()
    kept = records_by_key(tmp_path)
    assert 3 <= len(kept) < len(WANTED)
    assert about_run(tmp_path)["status"] == "running"

    server.stop()  # it has been asked what nobody waits for any more
    server.counts.clear()
    server.start()
    code, _, said = ended(compare(tmp_path, short_way(server), "--resume"))
    assert (code, said) == (0, [])
    check_whole(tmp_path, kept)
    played = [record for key, record in records_by_key(tmp_path).items() if key not in kept]
    calls = [call for record in played for turn in record["turns"] for call in turn["calls"]]
    num_probes = 2  # before anything is played, and by the client that plays
    assert server.counts[CHAT_PATH] == sum(call["attempts"] for call in calls) + num_probes
