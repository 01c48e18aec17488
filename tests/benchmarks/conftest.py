"""A comparison small enough to be played in every test, results by hand, and models that fake."""

from __future__ import annotations

import asyncio
import hashlib
import json
import random
import selectors
import sys
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from agents.llm import ChatReply, ServerGoneError
from benchmarks import cli
from benchmarks.cleanup.runner import EpisodeResult, StepRecord
from benchmarks.instant_model import minimal_instance
from benchmarks.model_config import Budget, ClientSpec, ModelsConfig, ModelSpec, RunSettings, Table
from benchmarks.suite import Suite
from benchmarks.suite_file import suite_named

CLEANUP_SMOKE = suite_named("cleanup-smoke").arenas[0]

sys.path.insert(0, str(Path(__file__).parents[1] / "agents" / "llm"))  # for `fault_server`
sys.path.insert(0, str(Path(__file__).parent))  # for `run_folders`


@pytest.fixture(scope="session")
def tiny_suite():
    """Three policies, all contract conditions, two episodes."""
    return replace(
        CLEANUP_SMOKE,
        policies=("all-harvest", "contract-follower", "stub-erratic"),
        num_episodes=2,
        training_agent_steps=64,
    )


@pytest.fixture(scope="session")
def make_step():
    """Make one step's record from what a test cares about."""

    def make(**values):
        return StepRecord(
            **{
                "step": 0,
                "phase": "play",
                "pollution": 0,
                "fruit": 0,
                "actions": (0, 0),
                "answers": (None, None),
                "statuses": ("ok", "ok"),
                "calls": ((), ()),
                "game_rewards": (0.0, 0.0),
                "transfers": (0.0, 0.0),
                "illegal": 0,
                **values,
            }
        )

    return make


@pytest.fixture(scope="session")
def make_result():
    """Make an episode's result from its steps and what a test cares about."""

    def make(*steps, **values):
        return EpisodeResult(
            **{
                "policy": "p",
                "contract": "c",
                "episode": 0,
                "seed": 0,
                "agent_seeds": (0, 1),
                "start": {},
                "config": {},
                "agents": ("agent_0", "agent_1"),
                "change_step": None,
                "optimum_by_step": (10.0, 10.0),
                "negotiations": (),
                "steps": steps,
                **values,
            }
        )

    return make


class FakeModel:
    """A chat client whose answer follows from the seed and the prompt alone.

    It notes what it is asked, in `asked`, and the most questions that it had at a time, in
    `most_at_once`. Answers take up to `latency_s` seconds, each another time. `garbled` is how many
    of them cannot be read. `refuse(number, messages)` may raise instead of the answer to the
    question of this number; `say(text, rng)` gives another free text than the first choice.
    """

    def __init__(self, *, garbled=0.0, latency_s=0.0, refuse=None, say=None, forms=True):
        self.asked = []
        self.most_at_once = self._at_once = 0
        self._garbled, self._latency_s = garbled, latency_s
        self._refuse, self._say, self._forms = refuse, say, forms
        self._lock = threading.Lock()
        self._latencies = random.Random(0)

    def complete(self, messages, *, seed, form=None):
        with self._lock:
            self.asked.append((tuple(messages), seed, form))
            number = len(self.asked)
        if self._refuse is not None:
            self._refuse(number, messages)
        told = json.dumps([seed, [[m.role, m.content] for m in messages]])
        rng = random.Random(int(hashlib.sha256(told.encode()).hexdigest(), 16))
        form = form if self._forms else None
        text = (
            "I cannot decide" if rng.random() < self._garbled else self._text(messages, form, rng)
        )
        return ChatReply(
            text=text,
            prompt_tokens=10,
            completion_tokens=2,
            latency_s=0.5,
            finish_reason="stop",
            cached_tokens=4,
            form=next(iter(form or {"text": None})),
        )

    async def complete_async(self, messages, *, seed, form=None):
        self._at_once += 1
        self.most_at_once = max(self.most_at_once, self._at_once)
        try:
            await asyncio.sleep(self._latencies.random() * self._latency_s)
            return self.complete(messages, seed=seed, form=form)
        finally:
            self._at_once -= 1

    def _text(self, messages, form, rng):
        if self._say is not None:
            return self._say(messages[-1].content, rng)
        if form is None:
            return "Action: wait"
        if "choice" in form:
            return rng.choice(form["choice"])
        return json.dumps(minimal_instance(form["json"], rng))


@pytest.fixture(scope="session")
def fake_model():
    """Make a chat client, see `FakeModel`."""
    return FakeModel


@pytest.fixture(scope="session")
def gone_after():
    """Make what a `FakeModel` refuses with whose server is gone after so many questions."""

    def after(questions):
        def refuse(number, _messages):
            if number > questions:
                raise ServerGoneError("no server answers at http://nowhere/v1")

        return refuse

    return after


@pytest.fixture(scope="session")
def models_of():
    """Make the configuration of models by their names, each at a table of its own or at these."""

    def make(*names, tables=(), max_in_flight=4, budget=None, **settings):
        client = ClientSpec(kind="stub")
        return ModelsConfig(
            models={
                name: ModelSpec(name=name, client=client, model=name, **settings) for name in names
            },
            tables=tuple(Table(**table) for table in tables),
            run=RunSettings(max_in_flight=max_in_flight),
            budget=Budget(**(budget or {})),
        )

    return make


@pytest.fixture
def command(capsys):
    """Run a command line in this process; returns its exit code, stdout and stderr."""

    def run(*arguments):
        code = cli.run([str(argument) for argument in arguments])
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return run


@pytest.fixture
def tiny(tiny_suite, monkeypatch):
    """Put a tiny suite among the built-in ones, played in this process."""
    suite = replace(tiny_suite, name="tiny", policies=("all-harvest", "stub-erratic"))
    monkeypatch.setattr("benchmarks.suite_file.load_suite", {"tiny": Suite.of(suite)}.__getitem__)
    monkeypatch.setattr("benchmarks.executors.named._NUM_PROCESSES", 0)
    return suite


class LeapingSelector(selectors.DefaultSelector):
    """Waits for nothing: where an event loop would, it sets the loop's clock ahead."""

    loop = None
    patience_s = 5.0  # real seconds until a loop counts as stuck in which nothing is due

    def select(self, timeout=None):
        ready = super().select(0 if timeout is not None else self.patience_s)
        if timeout is None and not ready:
            raise RuntimeError("everybody waits for ever")
        if not ready and timeout > 0:
            self.loop.now_s += timeout
        return ready


class LeapingLoop(asyncio.SelectorEventLoop):
    """An event loop with a clock of its own: sleeping takes no time."""

    def __init__(self):
        self.now_s = 0.0
        selector = LeapingSelector()
        selector.loop = self
        super().__init__(selector)

    def time(self):
        return self.now_s


@pytest.fixture(scope="session")
def run_virtually():
    """Run a coroutine in a loop whose clock leaps from one thing due to the next."""

    def run(coroutine):
        with asyncio.Runner(loop_factory=LeapingLoop) as runner:
            return runner.run(coroutine)

    return run
