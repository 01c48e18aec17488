"""Reinforcement of a taught model: it plays, and answers more often what went well.

An iteration: the student plays drawn settings, each several times from the same start, by the
scheduler and into the records of any run; what its answers were worth is read off the records
(`benchmarks.teaching.credit`), and the student is changed (`agents.lm.reinforce`).

```
config.json, model.safetensors, tokenizer.json, ...   the model, an ordinary Hugging Face folder
teaching.json          as it was, and what this added to it
reinforcement.json     settings, how far it is, and the curve
models.toml            the model as `commonweal compare --models` takes it, in this process
curve.svg, curve.png   efficiency and divergence from the start, by iteration
iterations/            only while it goes on, unless records are kept: a run for each iteration,
                       and what it takes to go on after it
```
"""

from __future__ import annotations

import hashlib
import json
import random
import shutil
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np

from agents.llm.styles import DIRECT, STYLES
from agents.lm.reinforcement_settings import ReinforcementSettings
from benchmarks.arena import Arena
from benchmarks.checked import Checked, number, one_of, whole
from benchmarks.cleanup.arena import CleanupArena, Scenario
from benchmarks.seeds import seed_of
from benchmarks.store import open_run
from benchmarks.suite import Suite
from benchmarks.teaching.credit import CREDITS, RETURN, REWARDS, STEP, advantages_of
from benchmarks.teaching.examination import (
    STUDENT,
    Questioning,
    as_taught,
    check_folder,
    examine,
)
from benchmarks.teaching.lessons import CLEANUP, lessons_named
from benchmarks.teaching.questions import questions_of
from benchmarks.teaching.taught_models import write_models
from benchmarks.versions import versions
from benchmarks.whole_file import write_whole
from cleanup_icn import CleanupConfig, ConfigError

if TYPE_CHECKING:
    from agents.lm.reinforce import Attempt, Reinforcer

FILE, TEACHING, ITERATIONS = "reinforcement.json", "teaching.json", "iterations"
CURVES = ("curve.svg", "curve.png")

_PLAYED, _EXAMINED, _CHOSEN = range(3)  # what seeds are drawn for
_ANYBODY = "stub-cooperative"  # the place that the student takes

OnStage = Callable[[str], None]
OnIteration = Callable[[int, int], None]


@dataclass(frozen=True, kw_only=True)
class Plan(Checked):
    """What is played to learn from, and what is made of it.

    Raises `ConfigError` with all that is wrong.
    """

    lessons: Annotated[str, one_of(CLEANUP)] = "cleanup"  # whose settings are played
    iterations: Annotated[int, whole(1)] = 12
    groups: Annotated[int, whole(1)] = 6  # drawn settings an iteration
    group_size: Annotated[int, whole(2)] = 8  # episodes a setting
    horizon_steps: Annotated[int | None, whole(1)] = None  # of an episode; None: the lessons'
    answers: Annotated[int, whole(1)] = 1200  # most that are learned from in an iteration
    credit: Annotated[str, one_of(CREDITS)] = STEP
    reward: Annotated[str, one_of(REWARDS)] = RETURN
    discount: Annotated[float, number("a number from 0 to 1", lambda v: 0 <= v <= 1)] = 1.0
    malformed: Annotated[float, number("a number of at most 0", lambda v: v <= 0)] = -1.0
    record_lines: Annotated[int | None, whole(0)] = 0  # of the public record that is shown
    style: Annotated[str, one_of(STYLES)] = DIRECT  # of the thoughts that are asked for
    max_tokens: Annotated[int, whole(1)] = 96  # of the longest answer
    examined: Annotated[int, whole(1)] = 24  # settings that it is examined in, before and after
    seed: Annotated[int, whole(0)] = 0

    def asking_as_taught(self, folder: Path) -> Plan:
        """Return the plan with the model of a folder asked as it was taught to be.

        Raises:
            ConfigError: there is no model in the folder.
        """
        _, asked = as_taught(check_folder(folder), self.lessons)
        return replace(
            self,
            record_lines=asked.record_lines,
            style=asked.style,
            max_tokens=asked.max_tokens,
        )

    def suite(self, iteration: int) -> Suite:
        """Return what is played in an iteration: an arena a group, of one start."""
        seed = seed_of(self.seed, _PLAYED, iteration)
        return self._drawn(self.groups, seed).each(lambda arena: _group(arena, self.group_size))

    def examination(self) -> Suite:
        """Return what the student is examined in, beside the lessons' teacher."""
        suite = self._drawn(self.examined, seed_of(self.seed, _EXAMINED))
        return suite.with_policies([lessons_named(self.lessons).teacher])

    def _drawn(self, num_settings: int, seed: int) -> Suite:
        lessons = lessons_named(self.lessons)
        suite = lessons.examination_suite(lessons.kinds[0], episodes=num_settings, seed=seed)
        return suite.each(lambda arena: _shortened(arena, self.horizon_steps))


@dataclass(frozen=True, kw_only=True)
class Point:
    """An iteration: how the student played in it, and how it was changed."""

    iteration: int  # from 1
    efficiency: float  # welfare by the optimum's, over the settings of the iteration
    low: float | None  # 95% interval
    high: float | None
    mean_return: float  # of a seat in an episode, after transfers
    valid: float  # share of answers that could be read
    kl: float  # divergence from the start, nats an answer
    entropy: float  # nats an answer
    answers: int  # that the student gave
    learned: int  # from so many of them
    seconds: float


@dataclass(frozen=True, kw_only=True)
class Reinforcement:
    """One student's way from a folder to another.

    `keep_records` keeps the runs of all iterations.
    """

    folder: Path
    out: Path
    plan: Plan
    settings: ReinforcementSettings
    keep_records: bool = False

    def open(self, *, resume: bool) -> None:
        """Make the folder, or refuse it, before anything runs.

        Raises:
            ConfigError: there is no model to start from, something is in the folder already, or
                what is to be resumed was something else.
        """
        check_folder(self.folder)
        if self.out.exists() and not self.out.is_dir():
            raise ConfigError("--out", str(self.out), "a folder")
        if self.out.resolve() == self.folder.resolve():
            raise ConfigError("--out", str(self.out), "another folder than the start's")
        if resume and (self.out / FILE).is_file():
            self._refuse_another(_read(self.out / FILE))
            self._refuse_to_go_on_without_state(len(_read(self.out / FILE)["curve"]))
        elif self.out.is_dir() and any(self.out.iterdir()):
            is_ours = (self.out / FILE).is_file()
            allowed = "a new folder" + ("; --resume goes on in this one" if is_ours else "")
            raise ConfigError("--out", str(self.out), allowed)
        try:
            self._work.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            allowed = f"a folder to write in ({error.strerror or error})"
            raise ConfigError("--out", str(self.out), allowed) from None

    def run(
        self,
        *,
        on_stage: OnStage = lambda _words: None,
        on_iteration: OnIteration = lambda _done, _total: None,
    ) -> dict[str, Any]:
        """Reinforce the student, as far as that is not done yet; return what is told of it."""
        from agents.lm.isolation import isolated

        with isolated(seed=self.plan.seed, threads=None):
            return self._run(on_stage, on_iteration)

    def _run(self, on_stage: OnStage, on_iteration: OnIteration) -> dict[str, Any]:
        told = self._told()
        if "before" not in told:
            on_stage("examining the student")
            told["before"] = self._examined(self.folder)
            self._tell(told)
        if "after" not in told or len(told["curve"]) < self.plan.iterations:
            reinforcer = self._reinforced(told, on_stage=on_stage, on_iteration=on_iteration)
            reinforcer.save(self.out)
            on_stage("examining what came of it")
            told["after"] = self._examined(self.out)
            parts = (told["before"], told["after"], *told["curve"])
            told["seconds"] = round(sum(part["seconds"] for part in parts), 1)
            self._tell(told)
        self._end(told)
        return told

    def _reinforced(
        self, told: dict[str, Any], *, on_stage: OnStage, on_iteration: OnIteration
    ) -> Reinforcer:
        from agents.lm.reinforce import Reinforcer

        reinforcer = Reinforcer(self.folder, settings=self.settings, seed=self.plan.seed)
        done = len(told["curve"])
        if done:
            reinforcer.load_state(self._state(done))
        for iteration in range(done + 1, self.plan.iterations + 1):
            on_iteration(iteration - 1, self.plan.iterations)
            point = self._iterate(reinforcer, iteration, on_stage)
            reinforcer.save_state(self._state(iteration))
            told["curve"].append(asdict(point))
            self._tell(told)
            self._state(iteration - 1).unlink(missing_ok=True)
        on_iteration(self.plan.iterations, self.plan.iterations)
        return reinforcer

    def _iterate(self, reinforcer: Reinforcer, iteration: int, on_stage: OnStage) -> Point:
        began_s = time.monotonic()
        run, student = self._work / f"{iteration:03d}", self._work / "student"
        on_stage("playing")
        reinforcer.save(student)
        shutil.rmtree(run, ignore_errors=True)  # begun, but interrupted
        played = examine(student, self.plan.suite(iteration), asked=self._asked, out=run)
        on_stage("learning")
        attempts, mean_return = self._attempts(run, iteration)
        update = reinforcer.update(attempts)
        shown = played.student.to_dict()
        return Point(
            iteration=iteration,
            efficiency=shown["efficiency"],
            low=shown["low"],
            high=shown["high"],
            mean_return=mean_return,
            valid=played.valid,
            kl=update.kl,
            entropy=update.entropy,
            answers=played.answers,
            learned=update.num_answers,
            seconds=round(time.monotonic() - began_s, 1),
        )

    def _attempts(self, run: Path, iteration: int) -> tuple[list[Attempt], float]:
        """Return what the student may learn from, and its mean return in an episode."""
        from agents.lm.reinforce import Attempt

        with open_run(run) as reader:
            asked = list(
                questions_of(reader, record_lines=self.plan.record_lines, style=self.plan.style)
            )
        advantages = advantages_of(
            asked,
            credit=self.plan.credit,
            reward=self.plan.reward,
            discount=self.plan.discount,
            malformed=self.plan.malformed,
        )
        own = [
            Attempt(question.pair, advantage)
            for question, advantage in zip(asked, advantages, strict=True)
            if question.player == STUDENT and advantage != 0.0
        ]
        if len(own) > self.plan.answers:
            draw = random.Random(seed_of(self.plan.seed, _CHOSEN, iteration))
            own = draw.sample(own, self.plan.answers)
        returns = {
            (each.arena, each.condition, each.episode, each.agent): each.episode_return
            for each in asked
            if each.player == STUDENT
        }
        return own, sum(returns.values()) / max(1, len(returns))

    def _examined(self, folder: Path) -> dict[str, Any]:
        """Return what it comes to by its likeliest answers and, as `drawn`, by drawn ones."""
        suite, asked = self.plan.examination(), self._asked
        likeliest = examine(folder, suite, asked=replace(asked, temperature=0.0))
        drawn = examine(folder, suite, asked=asked).to_dict()
        seconds = round(likeliest.seconds + drawn["seconds"], 1)
        return {**likeliest.to_dict(), "seconds": seconds, "drawn": drawn}

    @property
    def _asked(self) -> Questioning:
        """How it is asked where it may try things."""
        return Questioning(
            temperature=1.0,
            record_lines=self.plan.record_lines,
            style=self.plan.style,
            max_tokens=self.plan.max_tokens,
        )

    def _told(self) -> dict[str, Any]:
        """Return how far it is, as it stands in the folder, or where it begins."""
        if (self.out / FILE).is_file():
            return _read(self.out / FILE)
        return {
            "plan": self.plan.to_dict(),
            "settings": asdict(self.settings),
            "start": _digest(self.folder),
            "curve": [],
            "versions": versions(),
        }

    def _tell(self, told: Mapping[str, Any]) -> None:
        write_whole(self.out / FILE, [json.dumps(told, indent=2) + "\n"])

    def _end(self, told: Mapping[str, Any]) -> None:
        """Leave a folder like any that was taught."""
        from benchmarks.teaching.reinforcement_figure import save_reinforcement

        taught = self.folder / TEACHING
        earlier = json.loads(taught.read_text(encoding="utf-8")) if taught.is_file() else {}
        write_whole(
            self.out / TEACHING, [json.dumps({**earlier, "reinforcement": told}, indent=2) + "\n"]
        )
        write_models(self.out, record_lines=self.plan.record_lines, style=self.plan.style)
        save_reinforcement(told, [self.out / name for name in CURVES], name=self.plan.lessons)
        if not self.keep_records:
            shutil.rmtree(self._work, ignore_errors=True)
            return
        shutil.rmtree(self._work / "student", ignore_errors=True)

    def _refuse_another(self, told: Mapping[str, Any]) -> None:
        """Raise unless what is in the folder began like this; it may have fewer iterations."""
        now = {**self.plan.to_dict(), **asdict(self.settings), "start": _digest(self.folder)}
        earlier = {**told["plan"], **told["settings"], "start": told["start"]}
        for name, value in now.items():
            if name != "iterations" and value != earlier.get(name):
                raise ConfigError(name, value, f"{earlier.get(name)!r}, as it was begun with")

    def _refuse_to_go_on_without_state(self, done: int) -> None:
        if 0 < done < self.plan.iterations and not self._state(done).is_file():
            allowed = f"{done}, as it was: only with --keep-records can more follow"
            raise ConfigError("iterations", self.plan.iterations, allowed)

    def _state(self, iteration: int) -> Path:
        return self._work / f"state-{iteration:03d}.pt"

    @property
    def _work(self) -> Path:
        return self.out / ITERATIONS


def _group(arena: Arena[Any], size: int) -> Arena[Any]:
    """Return an arena of so many episodes from one start, for the student alone."""
    scenario = _scenario_of(arena)
    start = scenario.draw_start(np.random.default_rng(arena.seed))
    pollution, fruit = start["pollution_initial"], start["fruit_initial"]
    return replace(
        arena,
        policies=(_ANYBODY,),
        shown_policy=_ANYBODY,
        num_episodes=size,
        scenario=replace(  # type: ignore[call-arg]
            scenario, pollution_initial=(pollution, pollution), fruit_initial=(fruit, fruit)
        ),
    )


def _shortened(arena: Arena[Any], horizon_steps: int | None) -> Arena[Any]:
    """Return an arena with another end; what would change after it changes no more."""
    if horizon_steps is None:
        return arena
    scenario = _scenario_of(arena)
    told = scenario.config.to_dict()
    schedule = [(step, values) for step, values in told["schedule"] if step < horizon_steps]
    config = CleanupConfig.create(**told | {"horizon_steps": horizon_steps, "schedule": schedule})
    return replace(arena, scenario=replace(scenario, config=config))  # type: ignore[call-arg]


def _scenario_of(arena: Arena[Any]) -> Scenario:
    if not isinstance(arena, CleanupArena):  # a plan's lessons are those of Cleanup
        raise ConfigError("lessons", arena.name, f"one of {', '.join(CLEANUP)}")
    return arena.scenario


def _digest(folder: Path) -> str:
    """Return what tells a model's weights from others': SHA-256 of their files."""
    found = hashlib.sha256()
    for file in sorted(folder.glob("*.safetensors")):
        found.update(file.read_bytes())
    return found.hexdigest()


def _read(file: Path) -> dict[str, Any]:
    told: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return told
