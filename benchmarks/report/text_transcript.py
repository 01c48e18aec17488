"""A transcript as a text that people read: who sat where, what was agreed on, then line by line.

What is for nobody else stays out unless it is asked for: scratchpads, notes to oneself, answers in
which they may stand, and of a negotiation thresholds and what a proposal is worth to its proposer.
Rules and whole sheets are never in it.
"""

from __future__ import annotations

from benchmarks.cleanup.arena import GAME as CLEANUP
from benchmarks.report.text_acts import Told, numbers_in
from benchmarks.report.text_blocks import TEXT, Facts, Section, render_sections
from benchmarks.report.text_cleanup import cleanup_course, cleanup_totals
from benchmarks.report.text_negotiation import deal_totals, turns_of
from benchmarks.report.transcript import Transcript

_HEADLINES = ("welfare", "efficiency", "final deal", "passed", "p1's points", "mean points")


def render_transcript(
    transcript: Transcript, *, told: Told | None = None, file_format: str = TEXT
) -> str:
    """Return an episode as a text.

    Args:
        transcript: of the episode.
        told: what of it; by default all steps, without quotations.
        file_format: ``text`` or ``markdown``.
    """
    chosen = told or Told()
    is_cleanup = transcript.game == CLEANUP
    sections = (
        _heading(transcript, chosen),
        cleanup_course(transcript, chosen) if is_cleanup else turns_of(transcript, chosen),
        cleanup_totals(transcript) if is_cleanup else deal_totals(transcript, chosen),
    )
    return render_sections(sections, file_format=file_format)


def unit_of(transcript: Transcript) -> str:
    """Return what is numbered in a transcript."""
    return "step" if transcript.game == CLEANUP else "turn"


def _heading(transcript: Transcript, told: Told) -> Section:
    facts = [
        ("arena", (transcript.arena,)),
        *(
            (agent.name, (agent.player + (f", {agent.role}" if agent.role else ""),))
            for agent in transcript.agents
        ),
        _contract(transcript),
        *((fact.label, (fact.value,)) for fact in transcript.outcome if fact.label in _HEADLINES),
    ]
    if told.numbers is not None:
        every, some = numbers_in(transcript), told.numbers
        shown = f"{unit_of(transcript)}s {_span(some)} of {_span(every)}; the totals are of all"
        facts.append(("shown", (shown,)))
    named = f"{transcript.policy} under {transcript.contract}, episode {transcript.episode}"
    where = f"number {transcript.number} of the run, seed {transcript.seed}"
    return Section(title=f"{named} ({where})", blocks=(Facts(facts=tuple(facts)),))


def _span(numbers: range) -> str:
    first, last = numbers[0], numbers[-1]
    return str(first) if first == last else f"{first} to {last}"


def _contract(transcript: Transcript) -> tuple[str, tuple[str, ...]]:
    """Return the condition, and which contract was in force in which steps."""
    if transcript.game != CLEANUP:
        return "setting", (transcript.contract,)
    spans = transcript.series.get("contracts", ())
    if not spans:
        return "contract", (f"{transcript.contract}: nothing was owed in any step",)
    in_force = (
        f"steps {_span(range(span['from_step'], span['to_step']))}: {span['text']}"
        for span in spans
    )
    return "contract", (transcript.contract, *in_force)
