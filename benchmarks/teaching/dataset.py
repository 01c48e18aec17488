"""A data set from runs: pairs to teach from, pairs held out, and a card that says what they are.

```
NAME.jsonl            a pair a line (`agents.lm.pairs`), with what it is about
NAME.held-out.jsonl   likewise, of episodes whose seeds are not among those above
NAME.md               the data card
```
"""

from __future__ import annotations

import json
import random
import shlex
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from itertools import groupby
from pathlib import Path
from typing import IO, Annotated, Any

from agents.llm.styles import DIRECT, STYLES
from agents.lm.pairs import CHAT, FORMATS, pair_to_json
from benchmarks.checked import FLAG, Checked, Rule, number, one_of, whole
from benchmarks.store import COMPLETE, RunReader, open_run
from benchmarks.suite import Suite
from benchmarks.teaching.data_card import Made, RunRead, Tally, render_card
from benchmarks.teaching.questions import Asked, check_teacher, check_wording, questions_of
from benchmarks.teaching.selection import (
    Filter,
    Selection,
    check_filters,
    draw_questions,
    marked,
    parse_filter,
)
from benchmarks.teaching.splitting import is_held_out
from benchmarks.teaching.thinking import check_thinks
from benchmarks.whole_file import whole_file, write_whole
from cleanup_icn import ConfigError
from cleanup_icn.wordings import OWN, WORDINGS

SUFFIX = ".jsonl"

_FILTERS = Rule(
    "a list of filters KEY=VALUE",
    lambda v: isinstance(v, list | tuple) and all(isinstance(each, str) for each in v),
    keep=tuple,
)
_LINES = Rule(
    "an integer of at least 0, or None for all", lambda v: v is None or (type(v) is int and v >= 0)
)
_SHARE = number("a share from 0 to below 1", lambda v: 0 <= v < 1)


@dataclass(frozen=True, kw_only=True)
class DatasetSettings(Checked):
    """What of the runs is taken, and in which form."""

    format: Annotated[str, one_of(FORMATS)] = CHAT
    filters: Annotated[tuple[str, ...], _FILTERS] = ()  # all must hold, see `selection`
    relabel: str | None = None  # a scripted policy whose answers stand in the place of all others
    record_lines: Annotated[int | None, _LINES] = 0  # of the public record; None: all
    wording: Annotated[str, one_of(WORDINGS)] = OWN  # in which Cleanup is told
    style: Annotated[str, one_of(STYLES)] = DIRECT  # which thoughts prompts ask for first
    held_out: Annotated[float, _SHARE] = 0.1  # share of the seeds
    per_episode: Annotated[int | None, whole(1)] = None  # questions drawn from each; None: all
    scratchpads: Annotated[bool, FLAG] = True  # whether answers keep secret thoughts
    seed: Annotated[int, whole(0)] = 0  # of the split and of what is drawn

    @property
    def parsed_filters(self) -> tuple[Filter, ...]:
        """The filters, read. Raises `ConfigError` for one that is none."""
        return tuple(map(parse_filter, self.filters))


@dataclass(frozen=True, kw_only=True)
class Written:
    """What was written, in the words of the command's JSON."""

    train: int  # pairs
    held_out: int  # pairs
    questions: int  # read, before filters on questions
    episodes: int  # read, before filters on episodes
    out: str
    card: str
    seconds: float

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return asdict(self)


def held_out_file(out: Path) -> Path:
    """Return where the held-out pairs of a data set stand."""
    return out.with_name(f"{out.stem}.held-out{SUFFIX}")


def card_file(out: Path) -> Path:
    """Return where the card of a data set stands."""
    return out.with_suffix(".md")


def write_dataset(
    runs: Sequence[Path], out: Path, *, settings: DatasetSettings | None = None
) -> Written:
    """Write a data set from the records of runs; its files take the place of what was there.

    One episode at a time is in memory. Equal runs and settings give equal files.

    Raises:
        ConfigError: a folder holds no run, the settings ask for what is not in the runs, nothing is
            left to teach from, or the files cannot be written.
    """
    began_s = time.perf_counter()
    making = _Making(runs, out, settings or DatasetSettings())
    making.check()
    try:
        making.write()
    except OSError as error:
        allowed = f"a file that can be written ({error.strerror or error})"
        raise ConfigError("--out", str(out), allowed) from error
    return Written(
        train=making.num_train,
        held_out=making.num_held_out,
        questions=making.selection.num_questions,
        episodes=making.selection.num_episodes,
        out=str(out),
        card=str(card_file(out)),
        seconds=round(time.perf_counter() - began_s, 3),
    )


class _Making:
    def __init__(self, runs: Sequence[Path], out: Path, settings: DatasetSettings) -> None:
        self._runs, self._out, self._settings = list(runs), out, settings
        self._filters = settings.parsed_filters
        self.selection = Selection(self._filters)
        self._tally = Tally()
        self._read: list[RunRead] = []

    @property
    def num_train(self) -> int:
        return self._tally.num_train

    @property
    def num_held_out(self) -> int:
        return self._tally.num_held_out

    def check(self) -> None:
        """Refuse what cannot be before any episode is read."""
        _refuse_out(self._out)
        suites = []
        for run, name in zip(self._runs, _names(self._runs), strict=True):
            with open_run(run) as reader:
                about = reader.about
            suite = Suite.from_dict(about["suite"])
            status = "complete" if about.get("status") == COMPLETE else "episodes are missing"
            suites.append(suite)
            self._read.append(RunRead(name, suite.name, status, about.get("versions", {})))
        for suite in suites:
            if self._settings.relabel is not None:
                check_teacher(suite, self._settings.relabel)
                check_thinks(self._settings.relabel, self._settings.style)
            check_wording(suite, self._settings.wording)
        check_filters(self._filters, suites)

    def write(self) -> None:
        with ExitStack() as files:
            train = files.enter_context(whole_file(self._out))
            held_out = files.enter_context(whole_file(held_out_file(self._out)))
            for run, about in zip(self._runs, self._read, strict=True):
                with open_run(run) as reader:
                    self._write_run(reader, about.name, (train, held_out))
            if not self.num_train:
                raise self._nothing_left()
        write_whole(card_file(self._out), [render_card(self._made(), self._tally)])

    def _write_run(self, reader: RunReader, run: str, sides: Sequence[IO[bytes]]) -> None:
        settings = self._settings
        for asked in self._drawn(reader):
            held_out = is_held_out(asked.seed, share=settings.held_out, split_seed=settings.seed)
            self._tally.add(run, asked, is_held_out=held_out)
            told = pair_to_json(asked.pair, format=settings.format) | {"about": _about(run, asked)}
            sides[held_out].write(json.dumps(told).encode() + b"\n")

    def _drawn(self, reader: RunReader) -> Iterator[Asked]:
        settings = self._settings
        questions = questions_of(
            reader,
            record_lines=settings.record_lines,
            style=settings.style,
            relabel=settings.relabel,
            scratchpads=settings.scratchpads,
            wording=settings.wording,
            wanted=self.selection.wants,
        )
        for episode, asked in groupby(questions, key=_episode_of):
            kept = [each for each in marked(asked) if self.selection.keeps(each.asked)]
            # One generator an episode: what is drawn from it hangs on no other.
            rng = random.Random(f"{settings.seed}/{episode}")
            yield from draw_questions(kept, settings.per_episode, rng=rng)

    def _nothing_left(self) -> ConfigError:
        if self.num_held_out:
            allowed = (
                "a share, or a seed, that leaves something to teach from: all "
                f"{self.num_held_out} pairs are of held-out seeds"
            )
            return ConfigError("--held-out", self._settings.held_out, allowed)
        filters = " ".join(map(str, self._filters)) or "(none)"
        allowed = f"some that a question passes: {self.selection.told()}"
        return ConfigError("--filter", filters, allowed)

    def _made(self) -> Made:
        settings = self._settings
        return Made(
            name=self._out.stem,
            runs=self._read,
            command=command_of(self._runs, self._out, settings),
            told=self.selection.told(),
            answers=_answers(settings),
            wording=settings.wording,
            style=settings.style,
            left_out=_left_out(settings),
            split=(
                f"by the episode's seed, so that no seed stands in both files; a share of "
                f"{settings.held_out:g} of the seeds is held out, drawn by seed {settings.seed}."
            ),
        )


def command_of(runs: Sequence[Path], out: Path, settings: DatasetSettings) -> str:
    """Return the command line that makes a data set."""
    words = ["commonweal", "dataset", *map(str, runs)]
    default = DatasetSettings()
    for name, option in _OPTIONS.items():
        if (value := getattr(settings, name)) != getattr(default, name):
            words += [option, "all" if value is None else f"{value}"]
    for written in settings.filters:
        words += ["--filter", written]
    words += [] if settings.scratchpads else ["--without-scratchpads"]
    return shlex.join([*words, "--out", str(out)])


_OPTIONS = {
    "format": "--format",
    "relabel": "--relabel",
    "record_lines": "--record-lines",
    "wording": "--wording",
    "style": "--style",
    "held_out": "--held-out",
    "per_episode": "--per-episode",
    "seed": "--seed",
}


def _refuse_out(out: Path) -> None:
    if out.suffix != SUFFIX:
        raise ConfigError("--out", str(out), f"a file whose name ends in {SUFFIX}")
    if not out.parent.is_dir():
        raise ConfigError("--out", str(out), "a file in a folder that is there")
    for file in (out, held_out_file(out), card_file(out)):
        if file.exists() and not file.is_file():
            raise ConfigError("--out", str(file), "a new file, or one to replace")


def _names(runs: Sequence[Path]) -> list[str]:
    """Return the names of the runs' folders; the paths as given where two have one name."""
    names = [run.resolve().name for run in runs]
    return names if len(set(names)) == len(names) else [str(run) for run in runs]


def _episode_of(asked: Asked) -> str:
    return f"{asked.arena}/{asked.policy}/{asked.condition}/{asked.episode}"


def _about(run: str, asked: Asked) -> dict[str, Any]:
    names = ("arena", "policy", "condition", "episode", "seed", "agent", "player", "step")
    told = {name: getattr(asked, name) for name in (*names, "phase", "status")}
    return {"run": run, **told, "return": asked.episode_return}


def _answers(settings: DatasetSettings) -> str:
    if settings.relabel is not None:
        thinks = (
            ", after what it thinks" if settings.style != DIRECT and settings.scratchpads else ""
        )
        return (
            f"what the scripted policy {settings.relabel} does in each place, whoever played "
            f"there, in the shortest words that mean it{thinks}."
        )
    said = (
        "what players said, as they said it, their own thoughts included"
        if settings.scratchpads
        else "what players said, in the shortest words that mean it, without thoughts"
    )
    return f"{said}; of players without words, the shortest words that mean what they did."


def _left_out(settings: DatasetSettings) -> list[str]:
    left_out = []
    if settings.record_lines is not None:
        kept = f", but for its last {settings.record_lines} lines" if settings.record_lines else ""
        left_out.append(f"The public record of what happened before{kept}.")
    if settings.per_episode is not None:
        left_out.append(
            f"All but {settings.per_episode} questions an episode: first come those whose agent "
            "answers something else than in its question before, then drawn ones of the others."
        )
    if not settings.scratchpads:
        unread = ", and answers of theirs that could not be read" if not settings.relabel else ""
        left_out.append(f"Thoughts of players{unread}.")
    return left_out
