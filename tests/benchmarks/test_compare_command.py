"""`commonweal compare`, as people and programs call it, models behind real HTTP included."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from dataclasses import replace

import pytest
from run_folders import about_run, kept_in, num_kept, records_by_key

from benchmarks import training
from benchmarks.cleanup import figure
from benchmarks.instant_server import InstantServer, error
from benchmarks.store import TABLE
from benchmarks.suite import Suite
from benchmarks.suite_file import suite_named

KEY = "sk-canary-4711-do-not-keep"
PATIENCE_S = 60


@pytest.fixture(scope="module")
def server():
    """A server whose answers follow from the seed and the messages."""
    with InstantServer() as running:
        yield running


@pytest.fixture
def compare(tiny, command, tmp_path, monkeypatch):
    """Run `compare tiny`; returns the exit code, stdout and what was said on stderr beside bars."""
    monkeypatch.setattr(figure, "save_figure", lambda *_: None)

    def run(*arguments, out="run"):
        code, stdout, stderr = command("compare", "tiny", "--out", tmp_path / out, *arguments)
        return code, stdout, [line for line in stderr.splitlines() if line.startswith("commonweal")]

    return run


def models(server, *more):
    return ("--base-url", server.base_url, "--model", server.model, *more)


def test_rows_and_nothing_else_are_on_stdout(tiny, command, tmp_path):
    arguments = ("compare", "tiny", "--out", tmp_path / "run", "--episodes", "3", "--seed", "7")
    code, out, err = command(*arguments, "--json")
    rows = json.loads(out)
    assert code == 0
    assert [row["contract"] for row in rows] == ["none", "fixed", "icn"] * 2
    assert {row["n"] for row in rows} == {3}
    assert rows[0].keys() >= {"policy", "welfare", "efficiency", "ci_low", "ci_high", "equality"}
    assert "figure.svg" in err
    code, table, _ = command(*arguments)
    assert (code, "all-harvest" in table, "models" in table) == (0, True, False)


def test_a_folder_of_something_else_is_left_alone(compare, tmp_path):
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "thesis.tex").write_text("precious")
    for arguments in ((), ("--resume",)):
        code, _, said = compare(*arguments)
        assert (code, len(said)) == (2, 1)
        assert said[0].startswith("commonweal: --out")
    assert [file.name for file in (tmp_path / "run").iterdir()] == ["thesis.tex"]


def test_a_run_is_in_runs_where_no_folder_is_given(tiny, command, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    code, _, _ = command("compare", "tiny", "--json", "--policies", "all-harvest")
    assert code == 0
    assert (tmp_path / "runs" / "tiny" / TABLE).exists()


def test_an_interrupted_run_says_so_in_one_line(compare, monkeypatch):
    def interrupted(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr("benchmarks.executors.local.play_task", interrupted)
    code, out, said = compare()
    assert (code, out) == (1, "")
    (line,) = said
    assert line.startswith("commonweal: interrupted; what was played is kept")
    assert "--resume" in line


def test_some_policies_can_be_played_alone(compare):
    code, out, _ = compare("--policies", "stub-erratic, ", "--json")
    assert code == 2  # an empty name is no policy
    code, out, _ = compare("--policies", " stub-erratic ", "--json")
    assert code == 0
    assert {row["policy"] for row in json.loads(out)} == {"stub-erratic"}


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--policies", "nobody"), "all-harvest, stub-erratic"),
        (("--base-url", "http://127.0.0.1:9/v1"), "--model"),
        (("--model", "m"), "--base-url"),
        (("--base-url", "nonsense", "--model", "m"), "http://127.0.0.1:8000/v1"),
        (("--max-tokens", "8"), "--base-url"),
        (("--base-url", "http://h/v1", "--model", "m", "--max-in-flight", "0"), "max-in-flight"),
        (("--base-url", "http://h/v1", "--model", "m", "--max-tokens", "none"), "max-tokens"),
        (("--base-url", "http://h/v1", "--model", "m", "--style", "loud"), "chain-of-thought"),
        (("--base-url", "http://h/v1", "--model", "m", "--structured", "on"), "auto, off"),
        (("--models", "no/such.toml"), "no/such.toml"),
        (("--models", "m.toml", "--model", "m"), "--models"),
        (("--models", "m.toml", "--max-tokens", "3"), "--max-tokens"),
    ],
)
def test_wrong_usage_gets_one_line_and_begins_no_run(arguments, told, compare, tmp_path):
    code, out, said = compare(*arguments)
    assert (code, out, len(said)) == (2, "", 1)
    assert told in said[0]
    assert not (tmp_path / "run").exists()


def test_a_url_with_a_password_is_refused_without_being_shown(compare):
    code, _, (said,) = compare("--base-url", "http://me:hunter2@127.0.0.1/v1", "--model", "m")
    assert code == 2
    assert "hunter2" not in said


def test_a_served_model_plays_in_the_stubs_place(server, compare, tmp_path):
    code, out, _ = compare(*models(server, "--episodes", "1", "--max-in-flight", "3"))
    assert code == 0
    assert ("instant" in out, "stub" in out, "in prompts" in out) == (True, False, True)
    calls = [
        c for r in records_by_key(tmp_path / "run").values() for s in r["steps"] for c in s["calls"]
    ]
    assert sum(map(len, calls)) == about_run(tmp_path / "run")["serving"]["requests"] > 100
    assert about_run(tmp_path / "run")["serving"]["prefix_cache_hit_rate"] > 0


def test_the_answers_of_a_served_model_are_longer_with_more_tokens(server, compare, tmp_path):
    only = ("--episodes", "1", "--policies", "instant", "--structured", "off", "--style", "social")
    for most in ("1", "200"):
        assert compare(*models(server, *only, "--max-tokens", most), out=most)[0] == 0
    spoken = [about_run(tmp_path / most)["serving"]["completion_tokens"] for most in ("1", "200")]
    asked = about_run(tmp_path / "1")["serving"]["requests"]
    assert spoken[0] == asked
    assert spoken[1] > asked
    forms = {
        call["form"]
        for record in records_by_key(tmp_path / "200").values()
        for step in record["steps"]
        for calls in step["calls"]
        for call in calls
    }
    assert forms == {"text"}


def test_models_come_from_a_file_too(server, compare, tmp_path):
    file = tmp_path / "models.toml"
    file.write_text(
        f'[clients.here]\nkind = "openai"\nbase_urls = ["{server.base_url}"]\n'
        f'[models.m]\nclient = "here"\nmodel = "{server.model}"\n'
        '[tables.mixed]\neveryone = "all-harvest"\nagent_1 = "m"\n'
    )
    code, out, _ = compare("--models", file, "--episodes", "1", "--json")
    assert code == 0
    assert {row["policy"] for row in json.loads(out)} == {"all-harvest", "mixed"}


@pytest.mark.parametrize(
    ("seat", "player", "told"),
    [("agent_7", "m", "agent_0, agent_1"), ("agent_1", "boulware", "all-harvest")],
)
def test_a_table_that_the_game_does_not_have_is_refused(seat, player, told, compare, tmp_path):
    file = tmp_path / "models.toml"
    file.write_text(
        '[clients.none]\nkind = "stub"\n[models.m]\nclient = "none"\nmodel = "m"\n'
        f'[tables.t]\neveryone = "m"\n{seat} = "{player}"\n'
    )
    code, _, (said,) = compare("--models", file)
    assert code == 2
    assert f"tables.t.{seat}" in said
    assert told in said


def test_answers_of_models_give_way_to_another_run_only_if_told_so(server, compare, tmp_path):
    one = models(server, "--episodes", "1", "--policies", "instant")
    assert compare(*one)[0] == 0
    before = kept_in(tmp_path / "run")
    for arguments in (one, ("--policies", "all-harvest")):
        code, _, (said,) = compare(*arguments)
        assert (code, f"{len(before)} episodes" in said, "--overwrite" in said) == (2, True, True)
    assert kept_in(tmp_path / "run") == before
    assert compare("--policies", "all-harvest", "--episodes", "1", "--overwrite")[0] == 0
    assert {kept.row.policy for kept in kept_in(tmp_path / "run")} == {"all-harvest"}


def test_another_run_is_not_resumed_but_the_same_one_behind_another_url(server, compare, tmp_path):
    one = ("--episodes", "1", "--policies", "instant")
    assert compare(*models(server, *one, "--max-tokens", "9"))[0] == 0
    before = kept_in(tmp_path / "run")
    for change, named in (
        (("--max-tokens", "8", *one), "max_tokens"),
        (("--max-tokens", "9", *one, "--style", "social"), "style"),
        (("--max-tokens", "9", *one, "--structured", "off"), "structured"),
        (("--max-tokens", "9", *one, "--seed", "5"), "seed"),
        (("--max-tokens", "9", "--episodes", "1"), "policies"),
        (("--max-tokens", "9", "--policies", "instant"), "num_episodes"),
    ):
        code, _, said = compare(*models(server, *change), "--resume")
        assert code == 2
        assert any(named in line for line in said)
        assert kept_in(tmp_path / "run") == before
    with InstantServer() as other:
        same = ("--max-tokens", "9", *one, "--max-in-flight", "2", "--resume")
        assert compare(*models(other, *same))[0] == 0
    assert kept_in(tmp_path / "run") == before


class BreaksDown(InstantServer):
    """Answers so many questions and then breaks every connection."""

    def __init__(self, questions, **options):
        super().__init__(**options)
        self.left = questions

    async def answer(self, request, writer):
        self.left -= request.path.endswith("completions")
        if self.left < 0:
            writer.transport.abort()
            return
        await super().answer(request, writer)


@pytest.fixture
def impatient(tmp_path):
    """Write a file of one model that is asked once; returns the options that name it."""

    def options(server, **budget):
        limits = "".join(f"{name} = {value}\n" for name, value in budget.items())
        file = tmp_path / "impatient.toml"
        file.write_text(
            f'[clients.c]\nkind = "openai"\nbase_urls = ["{server.base_url}"]\nmax_attempts = 1\n'
            f'[models.m]\nclient = "c"\nmodel = "{server.model}"\n[run]\nmax_in_flight = 2\n'
            f"[budget]\n{limits}"
        )
        return ("--models", file)

    return options


def test_a_server_that_is_lost_ends_the_run_with_one_message_and_it_goes_on_with_another(
    compare, impatient, tmp_path
):
    with BreaksDown(450) as server:
        code, out, said = compare(*impatient(server))
    kept = records_by_key(tmp_path / "run")
    *failed, stopped = said
    assert code == 1
    assert stopped.startswith("commonweal: stopped: ")
    assert "--resume" in stopped
    assert f"{12 - len(kept)} episodes" in stopped
    # A question may fail while another is still answered: its episode is named.
    assert all(line.startswith("commonweal: no answer: tiny, m, ") for line in failed)
    assert len(failed) <= 2
    assert 6 < len(kept) < 12
    assert "all-harvest" in out  # the table of what there is
    table = json.loads((tmp_path / "run" / TABLE).read_text())
    assert sum(row["n"] for row in table) == len(kept)
    assert about_run(tmp_path / "run")["status"] == "stopped"
    assert about_run(tmp_path / "run")["stopped"]

    with InstantServer() as server:
        assert compare(*impatient(server), "--resume", "--json")[0] == 0
    whole = records_by_key(tmp_path / "run")
    assert len(whole) == 12
    assert {key: whole[key] for key in kept} == kept


def test_a_budget_ends_the_run_with_one_message_and_it_goes_on_with_more(
    server, compare, impatient, tmp_path
):
    code, out, said = compare(*impatient(server, requests=150), "--json")
    kept = records_by_key(tmp_path / "run")
    assert (code, len(said)) == (1, 1)
    assert "the budget of 150 requests is spent" in said[0]
    assert sum(row["n"] for row in json.loads(out)) == len(kept) < 12
    assert compare(*impatient(server, requests=10**6), "--resume")[0] == 0
    assert len(records_by_key(tmp_path / "run")) == 12


def test_where_a_model_is_served_is_told_on_the_terminal_and_not_on_record(
    compare, impatient, tmp_path, monkeypatch
):
    with BreaksDown(200) as server:
        typed = ["commonweal", "compare", "tiny", "--base-url", server.base_url]
        monkeypatch.setattr(sys, "argv", typed)
        _, _, said = compare(*impatient(server))
    about = about_run(tmp_path / "run")
    assert server.base_url in said[-1]
    assert about["command"] == ["compare", "tiny", "--base-url", "URL"]
    assert "no answer from URL" in about["stopped"]
    assert str(server.port) not in json.dumps(about)


def test_a_run_of_which_nobody_is_left_ends_before_an_earlier_one_gives_way(
    compare, command, tmp_path, monkeypatch
):
    assert compare("--policies", "all-harvest", "--episodes", "1")[0] == 0
    kept = records_by_key(tmp_path / "run")
    monkeypatch.setattr(training, "is_available", lambda: False)
    monkeypatch.setattr("benchmarks.suite_file.load_suite", suite_named)
    alone = ("--policies", "ppo", "--out", tmp_path / "run")
    code, out, said = command("compare", "cleanup-smoke", *alone)
    assert (code, out) == (1, "")
    assert training.INSTALL_HINT in said
    assert "nobody is left" in said
    assert records_by_key(tmp_path / "run") == kept


def test_a_server_that_is_not_there_is_said_in_one_line(compare, impatient, tmp_path):
    server = InstantServer()
    with server:
        pass  # its port is free again
    code, _, said = compare(*impatient(server))
    assert (code, len(said)) == (1, 1)
    assert f"127.0.0.1:{server.port}" in said[0]


def test_an_earlier_run_does_not_give_way_to_one_that_cannot_begin(
    server, compare, impatient, tmp_path
):
    assert compare("--policies", "all-harvest", "--episodes", "1")[0] == 0
    kept = records_by_key(tmp_path / "run")
    assert compare("--base-url", server.base_url, "--model", "missspelt")[0] == 2
    lost = InstantServer()
    with lost:
        pass
    assert compare(*impatient(lost))[0] == 1
    nowhere = tmp_path / "nowhere.toml"
    nowhere.write_text(
        '[clients.c]\nkind = "transformers"\n[models.m]\nclient = "c"\nmodel = "no/such/folder"\n'
    )
    assert compare("--models", nowhere)[0] == 2
    assert kept
    assert records_by_key(tmp_path / "run") == kept
    assert about_run(tmp_path / "run")["status"] == "complete"


def test_what_each_part_of_a_run_took_is_kept(server, compare, impatient, tmp_path):
    assert compare(*impatient(server, requests=150))[0] == 1
    assert compare(*impatient(server, requests=10**6), "--resume")[0] == 0
    assert compare(*impatient(server), "--resume")[0] == 0
    first, second = about_run(tmp_path / "run")["earlier"]
    assert (first["status"], second["status"]) == ("stopped", "complete")
    assert "requests is spent" in first["stopped"]
    assert first["serving"]["requests"] >= 150
    assert second["serving"]["requests"] > 0
    assert about_run(tmp_path / "run")["serving"] is None  # nothing was left to ask


class Indiscreet(InstantServer):
    """Refuses a question now and then and repeats in its error what it was sent."""

    asked = 0

    async def respond(self, request):
        if request.path.endswith("completions"):
            self.asked += 1
            if self.asked % 60 == 0:
                return error(401, f"wrong key: {request.headers['authorization']}")
        return await super().respond(request)


def test_no_key_reaches_the_folder_of_a_run_or_the_screen(
    tiny, command, impatient, tmp_path, monkeypatch
):
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    monkeypatch.setattr(figure, "save_figure", lambda *_: None)
    with Indiscreet() as server:
        options = impatient(server)
        code, out, err = command("compare", "tiny", "--out", tmp_path / "run", *options)
    assert code == 1
    assert "no answer" in err or "stopped" in err
    written = [file for file in (tmp_path / "run").rglob("*") if file.is_file()]
    assert len(written) >= 3
    assert not [file.name for file in written if KEY.encode() in file.read_bytes()]
    assert KEY not in out + err


COMMAND = [sys.executable, "-m", "benchmarks.cli", "compare", "cleanup-smoke"]


def begin(out, *arguments):
    return subprocess.Popen(
        [*COMMAND, "--out", str(out), *arguments],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def wait_for(records, out, running):
    """Wait until a run has so many records or is over."""
    until = time.monotonic() + PATIENCE_S
    while running.poll() is None and time.monotonic() < until:
        if num_kept(out) >= records:
            return
        time.sleep(0.02)


@pytest.mark.slow
def test_a_run_killed_at_any_moment_is_resumed_to_what_it_would_have_been(tmp_path, command):
    with InstantServer() as server:
        arguments = models(server, "--policies", "all-harvest,instant", "--episodes", "10")
        wanted = ("compare", "cleanup-smoke", "--out", tmp_path / "whole", *arguments)
        assert command(*wanted)[0] == 0
        whole = records_by_key(tmp_path / "whole")
        chance = random.Random(1)
        out = tmp_path / "killed"
        for records in (4, 40):  # while processes play, and while models do
            with begin(out, *arguments, "--resume") as running:
                wait_for(records, out, running)
                time.sleep(chance.random() * 0.2)
                os.kill(running.pid, signal.SIGKILL)
            assert running.returncode == -signal.SIGKILL
        assert 40 <= num_kept(out) < len(whole)
        with begin(out, *arguments, "--resume") as running:
            _, said = running.communicate(timeout=PATIENCE_S)
        assert (running.returncode, "Traceback" in said) == (0, False)
    assert records_by_key(out).keys() == whole.keys()
    assert list(records_by_key(out)) == list(whole)
    assert (out / TABLE).read_bytes() == (tmp_path / "whole" / TABLE).read_bytes()


@pytest.mark.slow
def test_an_interrupted_run_of_models_keeps_whole_records_and_goes_on(tmp_path):
    out = tmp_path / "run"
    with InstantServer(delay_s=0.02) as server:
        arguments = models(server, "--policies", "instant", "--episodes", "5")
        with begin(out, *arguments, "--max-in-flight", "3") as running:
            wait_for(2, out, running)
            os.killpg(running.pid, signal.SIGINT)
            _, said = running.communicate(timeout=PATIENCE_S)
        assert running.returncode == 1
        assert said.splitlines()[-1].startswith("commonweal: interrupted; ")
        assert "Traceback" not in said
        assert 2 <= len(records_by_key(out)) < 15
        server.delay_s = 0.0
        with begin(out, *arguments, "--resume") as running:
            running.communicate(timeout=PATIENCE_S)
    assert running.returncode == 0
    assert len(records_by_key(out)) == 15


def test_a_server_killed_and_started_again_costs_no_record(
    tiny, command, impatient, tmp_path, monkeypatch
):
    suite = replace(tiny, num_episodes=6, policies=("stub-erratic",))
    suites = {"tiny": Suite.of(suite)}
    monkeypatch.setattr("benchmarks.suite_file.load_suite", suites.__getitem__)
    monkeypatch.setattr(figure, "save_figure", lambda *_: None)
    server = InstantServer(delay_s=0.003)
    folder = tmp_path / "run"

    def kill():
        until = time.monotonic() + PATIENCE_S
        while not num_kept(folder):
            if time.monotonic() > until:
                return
            time.sleep(0.01)
        server.stop()

    with server:
        options = ("compare", "tiny", "--out", folder, *impatient(server))
        killer = threading.Thread(target=kill, daemon=True)
        killer.start()
        code, _, err = command(*options)
        killer.join()
    kept = records_by_key(folder)
    assert code == 1
    assert 0 < len(kept) < 18
    assert err.splitlines()[-1].startswith("commonweal: stopped")
    with server:  # on the same port
        assert command(*options, "--resume")[0] == 0
    assert len(records_by_key(folder)) == 18
    assert {key: records_by_key(folder)[key] for key in kept} == kept
