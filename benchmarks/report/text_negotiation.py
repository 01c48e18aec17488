"""A negotiation as a text: a line a turn, the votes, and what was agreed on."""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks.report.text_acts import (
    Told,
    legend_of,
    mark_of,
    numbers_in,
    outcome_of,
    quotes_of,
    told_frames,
)
from benchmarks.report.text_blocks import Column, Facts, Note, Prose, Row, Section, Table
from benchmarks.report.transcript import Frame, Transcript, in_figures

_SUPPORT = "This would pass: "


def turns_of(transcript: Transcript, told: Told) -> Section:
    """Return what was proposed, a line a turn."""
    columns = [
        Column(name="turn", is_number=True),
        Column(name="party"),
        Column(name="proposes"),
        *([Column(name="worth to it", is_number=True)] if told.scratchpads else []),
        Column(name="mean", is_number=True),
        Column(name="in favour"),
    ]
    frames = told_frames(transcript, told)
    entries: list[Row | Note] = []
    for number, frame in frames:
        events = [event for event in frame.events if not event.startswith(_SUPPORT)]
        entries += (Note(title=event) for event in events)
        entries.append(_turn(number, frame, told))
    if not frames or frames[-1][0] == numbers_in(transcript)[-1]:
        entries += (Note(title=event) for event in transcript.frames[-1].events)
    about = (
        "mean: points of a party in the mean, if the deal passed. in favour: parties that it would "
        "give what they want at least."
    )
    table = Table(columns=tuple(columns), entries=tuple(entries))
    shown = (frame for _, frame in frames)
    return Section(title="Turn by turn", blocks=(Prose(lines=(about,)), table, *legend_of(shown)))


def _turn(number: int, frame: Frame, told: Told) -> Row:
    (act,) = frame.acts
    scores, agree = frame.state["scores"], frame.state["agree"]
    mean, favour, own = "-", "-", "-"
    if scores is not None:
        mean = in_figures(sum(scores.values()) / len(scores), digits=1)
        own = str(scores[act.agent])
        favour = f"{sum(agree.values())} of {len(agree)}"
        if any(event.startswith(_SUPPORT) for event in frame.events):
            favour += ": it would pass"
    cells = (
        str(number),
        act.agent,
        (frame.state["deal"] or "nothing") + mark_of(act),
        *([own] if told.scratchpads else []),
        mean,
        favour,
    )
    return Row(cells=cells, quotes=tuple(quotes_of(act, told, who="", is_whole=False)))


def deal_totals(transcript: Transcript, told: Told) -> Section:
    """Return how the parties voted, what they got, and what is measured of the negotiation."""
    end = transcript.frames[-1]
    parties = {party["name"]: party for party in transcript.series["parties"]}
    columns = (
        Column(name="party"),
        Column(name="vote"),
        Column(name="points", is_number=True),
        *([Column(name="threshold", is_number=True)] if told.scratchpads else []),
    )
    rows = []
    for act in end.acts:
        vote, _, _ = act.did.replace(";", ":").partition(":")
        threshold = [str(parties[act.agent]["threshold"])] if told.scratchpads else []
        rows.append(Row(cells=(act.agent, vote, in_figures(act.reward, digits=1), *threshold)))
    table = Table(columns=columns, entries=tuple(rows))
    return Section(
        title="Totals", blocks=(table, *_deal_in_words(transcript, end), outcome_of(transcript))
    )


def _deal_in_words(transcript: Transcript, end: Frame) -> Iterator[Facts]:
    """Say what the options of the final deal are."""
    chosen = (end.state["deal"] or "").split(",")
    words = tuple(
        (option["name"], (f"{issue['name']}: {option['text']}",))
        for issue in transcript.series["issues"]
        for option in issue["options"]
        if option["name"] in chosen
    )
    if words:
        yield Facts(facts=words)
