"""What a data set is: counted while it is written, told in a page of Markdown beside it."""

from __future__ import annotations

import hashlib
import statistics
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from agents.lm.pairs import Pair
from benchmarks.teaching.questions import Asked

SIDES = ("train", "held out")

_COUNTED = ("player", "phase", "status")
_ANSWERS_SHOWN = 20
_UNREAD = "(could not be read)"
_NO_VERSION = "unknown"  # run from a source folder the project has none


class RunRead(NamedTuple):
    """A run that a data set was made from."""

    name: str
    suite: str
    status: str  # "complete", or that episodes are missing
    versions: Mapping[str, str]  # by package, as its record has them


class Tally:
    """Counts the pairs of both sides as they are written."""

    def __init__(self) -> None:
        self._num_pairs = Counter(dict.fromkeys(SIDES, 0))
        self._counts: dict[str, Counter[tuple[str, str]]] = {
            name: Counter() for name in (*_COUNTED, "answer")
        }
        self._prompts: dict[str, set[bytes]] = {side: set() for side in SIDES}
        self._seeds: dict[str, set[int]] = {side: set() for side in SIDES}
        self._episodes: dict[str, set[tuple[str, ...]]] = {side: set() for side in SIDES}
        self._prompt_chars: list[int] = []
        self._answer_chars: list[int] = []

    def add(self, run: str, asked: Asked, *, is_held_out: bool) -> None:
        """Count a pair."""
        side = SIDES[is_held_out]
        self._num_pairs[side] += 1
        for name in _COUNTED:
            self._counts[name][getattr(asked, name), side] += 1
        self._counts["answer"][_as_code(asked.choice) or _UNREAD, side] += 1
        self._prompts[side].add(_digest(asked.pair))
        self._seeds[side].add(asked.seed)
        where = (run, asked.arena, asked.policy, asked.condition, str(asked.episode))
        self._episodes[side].add(where)
        self._prompt_chars.append(sum(len(m.content) for m in asked.pair.messages))
        self._answer_chars.append(len(asked.pair.answer))

    @property
    def num_train(self) -> int:
        """Pairs to teach from."""
        return self._num_pairs[SIDES[0]]

    @property
    def num_held_out(self) -> int:
        """Pairs held out."""
        return self._num_pairs[SIDES[1]]

    def tables(self) -> list[str]:
        """Write all counts as lines of Markdown."""
        lines = ["## How much there is", "", *_table(("", *SIDES), self._sizes()), ""]
        both = len(self._prompts[SIDES[0]] & self._prompts[SIDES[1]])
        lines += [
            f"Held-out prompts that stand in the other file as well, word for word: {both}.",
            "",
            "## How long it is",
            "",
            *_table(("characters", "median", "largest"), self._lengths()),
        ]
        for name, counted in self._counts.items():
            lines += ["", f"## By {name}", "", *_counts_table(name, counted)]
        return lines

    def _sizes(self) -> Iterable[Sequence[object]]:
        yield ("pairs", *(self._num_pairs[side] for side in SIDES))
        yield ("distinct prompts", *(len(self._prompts[side]) for side in SIDES))
        yield ("episodes", *(len(self._episodes[side]) for side in SIDES))
        yield ("seeds", *(len(self._seeds[side]) for side in SIDES))

    def _lengths(self) -> Iterable[Sequence[object]]:
        for name, lengths in (("prompt", self._prompt_chars), ("answer", self._answer_chars)):
            yield name, f"{statistics.median(lengths):g}", max(lengths)


@dataclass(frozen=True, kw_only=True)
class Made:
    """How a data set was made, but for what was counted."""

    name: str
    runs: Sequence[RunRead]
    command: str
    told: str  # of all questions, which filter took how many
    answers: str  # how they came about
    wording: str  # in which Cleanup is told, a name in `cleanup_icn.wordings.WORDINGS`
    style: str  # of the thoughts that are asked for, a name in `agents.llm.styles.STYLES`
    left_out: Sequence[str]
    split: str


def render_card(made: Made, tally: Tally) -> str:
    """Write the page; equal data sets have equal pages."""
    runs = [
        (run.name, run.suite, run.status, run.versions.get("commonweal", _NO_VERSION))
        for run in made.runs
    ]
    lines = [
        f"# Data set {made.name}",
        "",
        "Questions that the games of Commonweal ask a language model in one seat, each with one "
        "answer. Every line of the files is one pair, with what it is about under `about`.",
        "",
        "## Where it comes from",
        "",
        *_table(("run", "suite", "status", "version"), runs),
        "",
        "```",
        made.command,
        "```",
        "",
        f"Read: {made.told}.",
        "",
        f"Questions: in the wording `{made.wording}`, asked in the style `{made.style}`.",
        "",
        f"Answers: {made.answers}",
        "",
        f"Split: {made.split}",
        "",
        *tally.tables(),
        "",
        "## What is not in it",
        "",
        *(f"- {each}" for each in (*made.left_out, *_NEVER)),
        "",
        "## Licence",
        "",
        "Prompts, and answers of scripted and trained players, are text that the games generate: "
        "the MIT licence of Commonweal holds for them. What language models said may stand under "
        "the terms of those models.",
    ]
    return "\n".join(lines) + "\n"


_NEVER = (
    "Anything that the seat itself was not told: sheets, thoughts and notes of others.",
    "Answers that were sent back because they could not be read: the last one counts.",
    "Moves that no answer stands for, such as a turn in a negotiation without a proposal by a "
    "player without words.",
)


def _counts_table(name: str, counted: Counter[tuple[str, str]]) -> list[str]:
    total: Counter[str] = Counter()
    for (value, _), n in counted.items():
        total[value] += n
    most = sorted(total, key=lambda value: (-total[value], value))
    rows = [(value, *(counted[value, side] for side in SIDES)) for value in most[:_ANSWERS_SHOWN]]
    lines = _table((name, *SIDES), rows)
    if len(most) > _ANSWERS_SHOWN:
        rest = most[_ANSWERS_SHOWN:]
        lines += ["", f"and {len(rest)} others, {sum(total[value] for value in rest)} pairs."]
    return lines


def _table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> list[str]:
    lines = [head, ["---"] * len(head), *rows]
    return ["| " + " | ".join(_cell(each) for each in row) + " |" for row in lines]


def _cell(value: object) -> str:
    return f"{value}".replace("|", "\\|").replace("\n", " ")


def _as_code(words: str) -> str:
    return "`" + words.replace("`", "'") + "`" if words else ""


def _digest(pair: Pair) -> bytes:
    told = "\0".join(f"{each.role}\0{each.content}" for each in pair.messages)
    return hashlib.sha256(told.encode("utf-8", "replace")).digest()[:16]
