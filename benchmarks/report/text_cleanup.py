"""An episode of Cleanup as a text: talks, a line a step, and what each agent ends with."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from benchmarks.report.text_acts import (
    Told,
    legend_of,
    mark_of,
    numbers_in,
    outcome_of,
    quotes_of,
    told_frames,
)
from benchmarks.report.text_blocks import Column, Note, Point, Prose, Row, Section, Table
from benchmarks.report.transcript import Act, Frame, Transcript, in_figures

_TALKS = ("propose", "respond")
_AGREED = "Agreed: "
_SETTLED = (_AGREED, "No agreement; in force: ")
_VERBS = {
    "propose": "proposes",
    "counter": "counters",
    "accept": "accepts",
    "reject": "rejects",
    "pass": "passes",
}
_DEED = re.compile(r"(?P<name>[^:(]+?)(?:: (?P<amount>\S+) [^(]*)?(?: \(.*\))?")
"""What an agent did in play: a name, how much it got or removed, and what failed."""


def cleanup_course(transcript: Transcript, told: Told) -> Section:
    """Return talks and play, a line a step."""
    agents = [agent.name for agent in transcript.agents]
    pays = _settles(transcript)
    names = ("where", "does", "reward", *(["transfer"] if pays else []))
    numbers = ("reward", "transfer")
    columns = [Column(name=name, is_number=True) for name in ("step", "pollution", "fruit")] + [
        Column(name=name, is_number=name in numbers, group=agent)
        for agent in agents
        for name in names
    ]
    frames = told_frames(transcript, told)
    played = [frame for _, frame in frames if frame.phase not in _TALKS]
    table = Table(
        columns=tuple(columns), entries=tuple(_entries(transcript, told, frames, pays=pays))
    )
    about = ["pollution: units / threshold below which fruit grows. reward: of the game, in fruit."]
    if pays:
        about.append("transfer: what the contract brings, received minus paid.")
    return Section(
        title="Step by step",
        blocks=(Prose(lines=(" ".join(about),)), table, *legend_of(played)),
    )


def _settles(transcript: Transcript) -> bool:
    return any(frame.ledger is not None for frame in transcript.frames)


def _entries(
    transcript: Transcript, told: Told, frames: Sequence[tuple[int, Frame]], *, pays: bool
) -> Iterator[Row | Note]:
    talks: list[Frame] = []
    before = None
    if frames and frames[0][1].step > 0 and frames[0][1].contract is not None:
        yield Note(title=f"In force: {frames[0][1].contract}")
    for _, frame in frames:
        if talks and (frame.phase not in _TALKS or frame.step != talks[0].step):
            yield from _talks(talks, told)
            talks = []
        if frame.phase in _TALKS:
            talks.append(frame)
            continue
        yield from (Note(title=event) for event in frame.events)
        if frame.phase == "waiting" != before:
            yield Note(title=f"Waiting after talks, from step {frame.step} on")
        before = frame.phase
        yield _step(frame, told, pays=pays)
    if talks:
        yield from _talks(talks, told)
    if not frames or frames[-1][0] == numbers_in(transcript)[-1]:
        yield from (Note(title=event) for event in transcript.frames[-1].events)


def _step(frame: Frame, told: Told, *, pays: bool) -> Row:
    state = frame.state
    pollution, threshold = (
        in_figures(state[name], digits=2) for name in ("pollution", "threshold")
    )
    cells = [str(frame.step), f"{pollution}/{threshold}", in_figures(state["fruit"], digits=2)]
    for act in frame.acts:
        cells += [
            state["places"].get(act.agent, "-"),
            _done(act),
            in_figures(act.reward, digits=2),
            *([_signed(act.transfer)] if pays else []),
        ]
    quotes = (
        quote for act in frame.acts for quote in quotes_of(act, told, who=act.agent, is_whole=True)
    )
    return Row(cells=tuple(cells), quotes=tuple(quotes))


def _done(act: Act) -> str:
    """Return an act of play in few words."""
    found = _DEED.fullmatch(act.did)
    if found is None:
        return act.did + mark_of(act)
    amount = f" {found['amount']}" if found["amount"] else ""
    return found["name"] + amount + mark_of(act)


def _signed(amount: float | None) -> str:
    """Write an amount with its sign; nothing where nothing changed hands."""
    if not amount:
        return ""
    return ("+" if amount > 0 else "") + in_figures(amount, digits=2)


def _talks(frames: Sequence[Frame], told: Told) -> Iterator[Note]:
    """Yield what was new to the parties, then the talks themselves."""
    offers: dict[str, str] = {}
    points: list[Point] = []
    for frame in frames:
        news = [event for event in frame.events if not event.startswith(_SETTLED)]
        yield from (Note(title=event) for event in news)
        for act in frame.acts:
            quotes = tuple(quotes_of(act, told, who="", is_whole=True))
            verb, _, contract = act.did.partition(": ")
            if contract and verb in ("propose", "counter"):
                offers[contract] = act.agent
            if act.did != "pass" or quotes:
                points.append(Point(text=_speech(act), quotes=quotes))
        if all(act.did == "pass" for act in frame.acts):
            nothing = "No proposal." if frame.phase == "propose" else "No answer."
            points.append(Point(text=nothing))
        settled = (event for event in frame.events if event.startswith(_SETTLED))
        points += (Point(text=_settled(event, offers)) for event in settled)
    title, _, _ = frames[0].title.partition(": ")
    yield Note(title=title, points=tuple(points))


def _speech(act: Act) -> str:
    verb, space, rest = act.did.partition(" ")
    told = _VERBS.get(verb.removesuffix(":"))
    if told is None:
        return f"{act.agent}: {act.did}"
    return f"{act.agent} {told}{':' if verb.endswith(':') else ''}{space}{rest}"


def _settled(event: str, offers: dict[str, str]) -> str:
    """Return what talks came to; what has just been read in full is not written again."""
    contract = event.removeprefix(_AGREED)
    return f"{_AGREED}what {offers[contract]} proposed." if contract in offers else event


def cleanup_totals(transcript: Transcript) -> Section:
    """Return what each agent ends with, and what is measured of the episode."""
    pays = _settles(transcript)
    rewards = {agent.name: 0.0 for agent in transcript.agents}
    transfers = dict(rewards)
    for frame in transcript.frames:
        for act in frame.acts:
            rewards[act.agent] += act.reward or 0.0
            transfers[act.agent] += act.transfer or 0.0
    numbers = ("reward", "transfer", "return") if pays else ("return",)
    columns = (
        Column(name="agent"),
        *(Column(name=name, is_number=True) for name in numbers),
    )
    rows = [(name, *_of(rewards[name], transfers[name], pays=pays)) for name in rewards]
    rows.append(("all", *_of(sum(rewards.values()), sum(transfers.values()), pays=pays)))
    table = Table(columns=columns, entries=tuple(Row(cells=cells) for cells in rows))
    return Section(title="Totals", blocks=(table, outcome_of(transcript)))


def _of(reward: float, transfer: float, *, pays: bool) -> tuple[str, ...]:
    total = in_figures(round(reward + transfer, 9) + 0.0, digits=2)
    if not pays:
        return (total,)
    return in_figures(reward, digits=2), _signed(round(transfer, 9)) or "0", total
