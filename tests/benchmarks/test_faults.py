"""Two hundred episodes through a server that fails as servers do, over real HTTP."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from typing import Any

import pytest
from rich.console import Console
from rich.table import Table

pytest.importorskip("openai", reason="needs commonweal[llm]")

from fault_server import HARMLESS, NO_FAULT, FaultServer
from run_folders import about_run, play_run, records_in

from agents.llm.openai_client import OpenAIClient
from agents.llm.served_model import PROBE_CHOICES
from benchmarks.arena import Arena, cells_of
from benchmarks.cleanup import figure
from benchmarks.cleanup.conditions import MODEL_JUDGE
from benchmarks.compare import Comparison
from benchmarks.kinds import kind_of
from benchmarks.model_config import AUTO, JudgeSpec, RunSettings
from benchmarks.replay import replay_run
from benchmarks.store import open_run
from benchmarks.suite import Suite
from benchmarks.suite_file import suite_named
from cleanup_icn import CleanupConfig

CLEANUP_SMOKE = suite_named("cleanup-smoke").arenas[0]
NEGOTIATION_SMOKE = suite_named("negotiation-smoke").arenas[0]

pytestmark = pytest.mark.slow

FAULTS = {
    "latency": 0.05,
    "trickle": 0.03,
    "rate_limit": 0.04,
    "server_error": 0.02,  # each begins a burst of three
    "drop": 0.04,
    "truncated_json": 0.04,
    "empty_choices": 0.03,
    "no_message": 0.03,
    "wrong_type": 0.03,
    "hang": 0.001,
}
LIMIT = 8
PATIENT = {"backoff_s": 0.001, "rest_s": 0.01, "max_attempts": 20, "read_timeout_s": 3.0}


@dataclass(frozen=True)
class Run:
    """A comparison that was played, and the server that the model was behind."""

    suite: Arena[Any]
    server: FaultServer
    done: Comparison
    about: dict[str, Any]
    records: list[dict[str, Any]]
    folder: Any
    last_status: Any

    @property
    def calls(self):
        """All questions to models on record."""
        return [call for record in self.records for call in calls_of(self.suite, record)]

    @property
    def num_probes(self):
        """Requests that found out whether answers are held to forms: no record has them."""
        forms = [body.get("structured_outputs", {}) for body in self.server.bodies]
        return sum(form.get("choice") == list(PROBE_CHOICES) for form in forms)


def wait_or_waffle(_asked, rng):
    return rng.choice(["Action: wait", "Action: wait", "Action: wait", "That depends."])


def calls_of(suite, record):
    result = kind_of(suite).from_record(record)
    return [call for calls in result.calls_by_seat().values() for call in calls] + list(
        result.judge_calls
    )


def keys_of(records):
    return [(record["policy"], record["contract"], record["episode"]) for record in records]


def wanted_keys(suite):
    return {(c.policy, c.contract, k) for c in cells_of(suite) for k in range(suite.num_episodes)}


@pytest.fixture(scope="module")
def cleanup(models_of):
    """A model beside a random agent, and judging, in a Cleanup of four steps."""
    models = models_of(
        "m",
        tables=[{"name": "mixed", "everyone": "random", "seats": {"agent_1": "m"}}],
        max_in_flight=LIMIT,
        structured="off",
    )
    config = CleanupConfig.create(
        preset="linear", horizon_steps=4, schedule=[(2, {"pollution_threshold": 12})]
    )
    short = replace(
        CLEANUP_SMOKE,
        name="short-cleanup",
        scenario=replace(CLEANUP_SMOKE.scenario, config=config),
        num_episodes=20,
    )
    models = replace(models, judge=JudgeSpec(model="m", every_steps=2))
    return short, short.with_models(models).with_policies(["mixed"])


@pytest.fixture(scope="module")
def negotiation(models_of):
    """A model as the party with the veto, among random ones."""
    models = models_of(
        "m",
        tables=[{"name": "mixed", "everyone": "random", "seats": {"veto": "m"}}],
        max_in_flight=LIMIT,
    )
    short = replace(
        NEGOTIATION_SMOKE,
        name="short-negotiation",
        conditions=NEGOTIATION_SMOKE.conditions[:2],
        num_episodes=60,
    )
    return short, short.with_models(models).with_policies(["mixed"])


@pytest.fixture(scope="module")
def built_in(cleanup, negotiation):
    """Make the short suites known by their names, and draw no figure."""
    with pytest.MonkeyPatch.context() as patch:
        known = {short.name: Suite.of(short) for short, _ in (cleanup, negotiation)}
        patch.setattr("benchmarks.suite_file.load_suite", known.__getitem__)
        patch.setattr(figure, "save_figure", lambda *_: None)
        yield


@pytest.fixture(scope="module")
def play(built_in, tmp_path_factory):
    """Play a suite with its model behind a server."""

    def play(suite, server, *, path=None, **options):
        folder = path or tmp_path_factory.mktemp(suite.name)
        told = []
        client = OpenAIClient(
            model="instant",
            base_urls=[server.base_url],
            structured=suite.models.models["m"].structured,
            **PATIENT | options,
        )
        done = play_run(
            suite,
            folder,
            resume=path is not None,
            on_status=told.append,
            clients={"m": client},
        )
        client.close()
        told_of = (about_run(folder), records_in(folder))
        return Run(suite, server, done, *told_of, folder, told[-1])

    return play


@pytest.fixture(scope="module")
def runs(cleanup, negotiation, play):
    """Both games, 200 episodes in all."""
    played = []
    for seed, (_, suite) in enumerate((cleanup, negotiation)):
        with FaultServer(
            seed=seed,
            faults=FAULTS,
            # The first question finds out about forms; what goes wrong with it is on no record.
            # Then come so many late answers that everybody has to wait.
            script=[NO_FAULT, *["latency"] * 5 * LIMIT, "hang"],
            latency_s=0.1,
            answer=wait_or_waffle,
        ) as server:
            played.append(play(suite, server))
    return played


def test_every_episode_ends_and_is_kept_once(runs):
    for run in runs:
        assert run.done.is_complete
        assert (run.done.failures, run.done.stopped) == ((), None)
        assert sorted(keys_of(run.records)) == sorted(wanted_keys(run.suite))
    assert sum(len(run.records) for run in runs) == 200


def test_every_kind_of_fault_was_met(runs):
    made = sum((run.server.faults_made for run in runs), Counter())
    assert made.keys() == {*FAULTS, NO_FAULT}
    assert made["server_error"] >= 3


def test_no_request_is_missing_from_the_records(runs):
    for run in runs:
        attempts = sum(call.attempts for call in run.calls)
        assert attempts == run.server.num_chats - run.num_probes
        assert run.done.serving["requests"] == attempts


def test_every_answer_is_on_record_once(runs):
    for run in runs:
        assert len(run.calls) == run.server.answered - run.num_probes


def test_every_fault_shows_as_a_further_attempt(runs):
    for run in runs:
        harmless = (NO_FAULT, *HARMLESS)
        faults = sum(n for name, n in run.server.faults_made.items() if name not in harmless)
        assert sum(call.attempts - 1 for call in run.calls) == faults > 50


def test_how_answers_were_held_is_on_record(runs):
    free, held = runs
    assert (free.num_probes, {call.form for call in free.calls}) == (0, {"text"})
    assert (held.num_probes, {call.form for call in held.calls}) == (1, {"json"})


def test_a_model_that_judges_is_on_record_too(runs):
    judged = [record for record in runs[0].records if record["judge_calls"]]
    assert len(judged) == 20
    assert {kind_of(runs[0].suite).from_record(r).contract for r in judged} == {
        c.name for c in runs[0].suite.conditions if getattr(c, "judge", None) == MODEL_JUDGE
    }


def test_no_more_are_asked_at_a_time_than_the_limit_and_no_place_is_lost(runs):
    for run in runs:
        assert run.server.most_at_once == LIMIT
        assert run.last_status.in_flight == 0


def test_the_records_replay_without_the_server(runs):
    for run in runs:
        with open_run(run.folder) as reader:
            again = list(replay_run(reader))
        assert [one for one in again if one.difference is not None] == []
        assert len(again) == len(run.records)


def test_episodes_without_an_answer_are_named_and_played_later(negotiation, play, tmp_path):
    _, suite = negotiation
    adaptive = replace(suite.models, run=RunSettings(max_in_flight=AUTO))
    suite = replace(suite, num_episodes=10, models=adaptive)
    # Without drops: a single one that nobody is answered beside stops a run that tries only once.
    faults = {"server_error": 0.02, "truncated_json": 0.04, "wrong_type": 0.02}
    failed, kept, counted = [], Counter(), 0
    with FaultServer(seed=2, faults=faults, script=[NO_FAULT]) as server:
        for _ in range(20):
            run = play(suite, server, path=tmp_path, max_attempts=1, max_failures_in_row=99)
            failed.append(len(run.done.failures))
            assert run.done.missing == failed[-1]
            counted += run.done.serving["requests"]
            kept = Counter(keys_of(run.records))
            assert kept.total() == 20 - failed[-1]
            if run.done.is_complete:
                break
    assert failed[0] > failed[-1] == 0
    assert counted == server.num_chats - run.num_probes
    assert kept == Counter(wanted_keys(suite))
    with open_run(tmp_path) as reader:
        again = list(replay_run(reader))
    assert [one for one in again if one.difference is not None] == []


def test_the_summary_adds_up(runs):
    table = Table("", *(run.suite.name for run in runs), title="fault server")
    rows = {
        "episodes": [len(run.records) for run in runs],
        "answers on record": [len(run.calls) for run in runs],
        "attempts on record": [sum(call.attempts for call in run.calls) for run in runs],
        "requests": [run.server.num_chats for run in runs],
        "most at a time": [run.server.most_at_once for run in runs],
        **{name: [run.server.faults_made[name] for run in runs] for name in (NO_FAULT, *FAULTS)},
    }
    for name, numbers in rows.items():
        table.add_row(name, *map(str, numbers))
    Console().print("\n", table)
    made = [sum(rows[name][k] for name in (NO_FAULT, *FAULTS)) for k in range(len(runs))]
    assert made == rows["requests"]
