"""`commonweal transcript`: one episode of a run as a text."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from benchmarks.out_file import refuse_own_files, writing
from benchmarks.report.text_blocks import FORMATS, TEXT
from benchmarks.terminal import say
from cleanup_icn import ConfigError

if TYPE_CHECKING:
    from benchmarks.episode_row import EpisodeRow, KeptEpisode
    from benchmarks.report.transcript import Transcript
    from benchmarks.store import RunReader

_SPAN = re.compile(r"(?P<first>\d{0,9})(?P<dots>\.\.)?(?P<last>\d{0,9})")
_NAMES_TOLD = 12


_Run = Annotated[Path, typer.Argument(help="Folder of a run, as given to `compare --out`.")]
_ArenaName = Annotated[str | None, typer.Option(help="Name of the arena.")]
_Policy = Annotated[str | None, typer.Option(help="Who played, as in the tables.")]
_Condition = Annotated[str | None, typer.Option(help="Contract, or setting.")]
_Episode = Annotated[
    int | None, typer.Option(min=0, help="Of the policy under the condition, from 0.")
]
_Number = Annotated[
    int | None, typer.Option(min=0, help="Of the run, from 0, as in `replay` and the report.")
]
_Steps = Annotated[
    str | None, typer.Option(metavar="FROM..TO", help="Steps or turns to show, both ends too.")
]
_Format = Annotated[str, typer.Option("--format", metavar="text|markdown", help="Of the text.")]
_Answers = Annotated[
    bool | None,
    typer.Option(
        "--answers/--no-answers", help="Quote what was said aloud.", show_default="--no-answers"
    ),
]
_Scratchpads = Annotated[
    bool, typer.Option("--scratchpads", help="Quote what is secret too: scratchpads, plans.")
]
_Out = Annotated[Path | None, typer.Option(help="File to write.", show_default="stdout")]


def transcript(
    run: _Run,
    arena: _ArenaName = None,
    policy: _Policy = None,
    condition: _Condition = None,
    episode: _Episode = None,
    number: _Number = None,
    steps: _Steps = None,
    file_format: _Format = TEXT,
    answers: _Answers = None,
    scratchpads: _Scratchpads = False,
    out: _Out = None,
) -> None:
    """Write one episode as a text that people read: who agreed on what, then step by step.

    What models wrote for nobody else is left out unless --scratchpads asks for it.
    """
    from benchmarks.report.games import transcript_of
    from benchmarks.report.text_acts import Told
    from benchmarks.report.text_transcript import render_transcript
    from benchmarks.store import open_run

    _refuse_contradictions(file_format, answers, scratchpads)
    ends = _ends(steps)
    names = (arena, policy, condition, episode, number)
    with open_run(run) as reader:
        refuse_own_files(reader.path, out)
        kept, index, found = _chosen(reader, dict(zip(_KEYS, names, strict=True)))
        shown = transcript_of(reader, kept, number=index)
    told = Told(
        numbers=_numbers(shown, steps, ends),
        answers=scratchpads if answers is None else answers,
        scratchpads=scratchpads,
    )
    _write(render_transcript(shown, told=told, file_format=file_format), out)
    if len(found) > 1:
        say(f"commonweal: this is the first of {len(found)} episodes; {_how_to_choose(found)}")


def _refuse_contradictions(file_format: str, answers: bool | None, scratchpads: bool) -> None:
    if file_format not in FORMATS:
        allowed = f"expected {' or '.join(FORMATS)}"
        raise typer.BadParameter(f"{file_format!r}: {allowed}", param_hint="--format")
    if scratchpads and answers is False:
        raise typer.BadParameter("expected no --scratchpads with it", param_hint="--no-answers")


def _ends(steps: str | None) -> tuple[int | None, int | None]:
    """Return the first and the last step that are asked for; None where all are."""
    if steps is None:
        return None, None
    found = _SPAN.fullmatch(steps.strip())
    if found is None or not (found["first"] or found["last"]):
        raise typer.BadParameter(
            f"{steps!r}: expected FROM..TO, FROM.., ..TO or one number", param_hint="--steps"
        )
    first, last = (int(found[end]) if found[end] else None for end in ("first", "last"))
    if not found["dots"]:
        last = first
    if first is not None and last is not None and first > last:
        raise typer.BadParameter(
            f"{steps!r}: expected FROM..TO, FROM the smaller", param_hint="--steps"
        )
    return first, last


def _numbers(
    shown: Transcript, steps: str | None, ends: tuple[int | None, int | None]
) -> range | None:
    """Return the numbers of the steps to show; None: all."""
    from benchmarks.report.text_acts import numbers_in
    from benchmarks.report.text_transcript import unit_of

    if steps is None:
        return None
    every = numbers_in(shown)
    first = every.start if ends[0] is None else max(ends[0], every.start)
    last = every.stop - 1 if ends[1] is None else min(ends[1], every.stop - 1)
    if first > last:
        allowed = f"{unit_of(shown)}s from {every.start} to {every.stop - 1}"
        raise typer.BadParameter(f"{steps!r}: expected {allowed}", param_hint="--steps")
    return range(first, last + 1)


_Numbered = tuple[int, "EpisodeRow"]
_KEYS: Mapping[str, Callable[[_Numbered], Any]] = {
    "--arena": lambda each: each[1].arena,
    "--policy": lambda each: each[1].policy,
    "--condition": lambda each: each[1].contract,
    "--episode": lambda each: each[1].episode,
    "--number": lambda each: each[0],
}
"""What an episode has by which it is chosen, by option."""


def _chosen(
    reader: RunReader, wanted: Mapping[str, Any]
) -> tuple[KeptEpisode, int, Sequence[_Numbered]]:
    """Return the first episode that is asked for, its number, and all that would do."""
    found = list(enumerate(reader.rows()))
    if not found:
        raise ConfigError("run", str(reader.path), "a run that has kept an episode")
    before: list[str] = []
    for option, value in wanted.items():
        if value is None:
            continue
        key = _KEYS[option]
        left = [each for each in found if key(each) == value]
        if not left:
            of_what = f" with {' '.join(before)}" if before else ""
            there_is = f"expected {_named(list(map(key, found)))}{of_what}"
            raise typer.BadParameter(f"{value!r}: {there_is}", param_hint=option)
        found = left
        before.append(f"{option} {value}")
    index, row = found[0]
    # In a run that goes on others may have come before it since; none ever goes.
    while (kept := reader.episode(index)).row.key != row.key:
        index += 1
    return kept, index, found


def _named(values: Sequence[Any]) -> str:
    """Name the values that there are, numbers as a span where none is missing."""
    known = list(dict.fromkeys(values))
    if len(known) == 1:
        return str(known[0])
    if isinstance(known[0], int):
        known = sorted(known)
        if known[-1] - known[0] == len(known) - 1:
            return f"{known[0]} to {known[-1]}"
    more = len(known) - _NAMES_TOLD
    names = [*map(str, known[:_NAMES_TOLD]), *([f"{more} more"] if more > 0 else [])]
    return f"one of {', '.join(names)}"


def _how_to_choose(found: Sequence[_Numbered]) -> str:
    """Name the options by which these episodes differ, and what they may be."""
    ways = []
    for option, key in _KEYS.items():
        values = list(map(key, found))
        if option != "--number" and len(set(values)) > 1:  # it is there for those who have it
            ways.append(f"{option} ({_named(values).removeprefix('one of ')})")
    return f"choose by {', '.join(ways)}"


def _write(text: str, out: Path | None) -> None:
    from benchmarks.whole_file import write_whole

    if out is None:
        typer.echo(text, nl=False)
        return
    with writing(out):
        write_whole(out, [text])
