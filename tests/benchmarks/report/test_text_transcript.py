"""An episode as a text: aligned, whole, and nothing in it that could do harm."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import replace

import pytest
from built_reports import played, small_arena
from hand_made_transcripts import HOSTILE_TEXTS
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.report.cleanup_transcript import CleanupTranscripts
from benchmarks.report.negotiation_transcript import NegotiationTranscripts
from benchmarks.report.text_acts import Told, numbers_in
from benchmarks.report.text_transcript import render_transcript
from benchmarks.report.transcript import END, Act, Frame, SeatedAgent, Transcript

PIPE = re.compile(r"(?<!\\)(?:\\\\)*\|")
"""A pipe that Markdown reads as the border of a cell."""


@pytest.fixture(scope="module")
def icn():
    """The transcript of an episode with two talks and a change of the world between them."""
    arena = small_arena("cleanup-smoke", 1, ("contract-follower",), ("icn",))
    (result,) = played(arena)
    return CleanupTranscripts(arena).of(result, number=0)


@pytest.fixture(scope="module")
def negotiation():
    arena = small_arena("negotiation-smoke", 1, ("stub-cooperative",), ("base/cooperative",))
    (result,) = played(arena)
    return NegotiationTranscripts(arena).of(result, number=0)


def hand_made(words, *, num_agents=2, **values):
    """Return a transcript of two steps in which each agent says these words."""
    agents = [f"agent_{i}" for i in range(num_agents)]

    def frame(step, phase="play", **values):
        acts = tuple(
            Act(agent=a, did="wait", said=words, reward=0.0, transfer=0.0, **values)
            for a in agents * (phase != END)
        )
        state = {
            "pollution": 9 + step,
            "fruit": 3,
            "threshold": 6,
            "places": dict.fromkeys(agents, "shore"),
        }
        return Frame(title="", step=step, phase=phase, acts=acts, state=state, contract=words)

    return Transcript(
        number=0,
        arena="here",
        policy="us",
        contract="none",
        episode=0,
        seed=0,
        game="cleanup",
        agents=tuple(SeatedAgent(name=a, role=None, player=words or "us") for a in agents),
        rules={},
        outcome=(),
        frames=(frame(0, **values), frame(1, **values), frame(2, END)),
    )


def lines_of_steps(text):
    return [line for line in text.splitlines() if re.match(r" *\d+ +\d+/\d+ ", line)]


def test_there_is_a_line_a_step_and_all_are_as_wide(icn):
    lines = lines_of_steps(render_transcript(icn))
    assert [int(line.split()[0]) for line in lines] == list(range(50))
    where = {line.index("shore", 30) for line in lines[25:]}  # agent_1 cleans all the time
    assert len(where) == 1


def test_changes_and_signings_stand_where_they_happen(icn):
    text = render_transcript(icn)
    order = [
        "Talks before step 0",
        "Agreed: what agent_0 proposed.",
        "\n  24 ",
        "The world has changed: pollution_threshold from 6 to 12.",
        "Talks before step 25",
        "agent_1 proposes: Until the end: the others pay every agent 1.5 for each unit cleaned",
        "agent_0 accepts",
        "Agreed: what agent_1 proposed.",
        "\n  25 ",
        "Totals",
    ]
    at = [text.index(words) for words in order]
    assert at == sorted(at)


def test_talks_tell_who_offered_what_and_name_the_contract_that_stays(icn):
    proposal, answers = icn.frames[:2]
    refused = "propose: Until the end: no payments."
    said = replace(
        proposal,
        acts=(replace(proposal.acts[0], did=refused), replace(proposal.acts[1], did="pass")),
    )
    heard = replace(
        answers,
        acts=(replace(answers.acts[0], did="pass"), replace(answers.acts[1], did="reject")),
        events=("No agreement; in force: Until the end: no payments.",),
    )
    silent = replace(said, acts=tuple(replace(act, did="pass") for act in said.acts))
    text = render_transcript(replace(icn, frames=(silent, said, heard, *icn.frames[2:])))
    talks = text.partition("* Talks before step 0\n")[2].partition("\n   0 ")[0]
    assert [line.strip() for line in talks.splitlines()] == [
        "No proposal.",
        "agent_0 proposes: Until the end: no payments.",
        "agent_1 rejects",
        "No agreement; in force: Until the end: no payments.",
    ]


def test_totals_add_up_what_the_steps_tell(icn):
    text = render_transcript(icn)
    totals = {
        agent: [float(number) for number in numbers]
        for agent, *numbers in map(str.split, text.partition("Totals")[2].splitlines()[3:6])
    }
    for reward, transfer, return_ in totals.values():
        assert reward + transfer == return_
    assert totals["all"][0] == totals["agent_0"][0] + totals["agent_1"][0]
    assert totals["all"][1] == 0
    assert f"welfare       {totals['all'][2]:g}" in text


def test_some_steps_alone_can_be_shown_with_the_contract_then_in_force(icn):
    text = render_transcript(icn, told=Told(numbers=range(24, 27)))
    assert [int(line.split()[0]) for line in lines_of_steps(text)] == [24, 25, 26]
    assert "* In force: Until the end: the others pay every agent 1 for each" in text
    assert "Talks before step 25" in text
    assert "Talks before step 0" not in text
    assert "steps 24 to 26 of 0 to 49" in text


def test_talks_stand_before_a_step_that_is_shown_last(icn):
    text = render_transcript(icn, told=Told(numbers=range(25)))
    assert "Talks before step 25" not in text


def test_a_negotiation_has_a_line_a_turn_and_the_votes(negotiation):
    text = render_transcript(negotiation)
    turns = re.findall(r"^ *(\d+)  \S.* [A-Z]\d,", text, re.MULTILINE)
    assert [int(turn) for turn in turns] == list(numbers_in(negotiation))
    end = negotiation.frames[-1]
    for act in end.acts:
        vote = "in favour" if end.state["agree"][act.agent] else "against"
        assert re.search(rf"^{act.agent} +{vote} +{act.reward:g}$", text, re.MULTILINE)
    assert f"{end.state['deal']} passes." in text


def test_many_agents_have_a_column_each():
    text = render_transcript(hand_made("hello", num_agents=5))
    head = next(
        line for line in text.splitlines() if line.split() == [f"agent_{i}" for i in range(5)]
    )
    first = lines_of_steps(text)[0]
    assert [m.start() for m in re.finditer("agent", head)] == [
        m.start() for m in re.finditer("shore", first)
    ]


@pytest.mark.parametrize(
    ("values", "mark", "words"),
    [
        ({"status": "unknown_action"}, "wait*", "* its answer could not be read"),
        ({"illegal": True}, "wait!", "! what it wanted was not possible"),
    ],
)
def test_an_act_that_failed_is_marked_and_the_mark_explained(values, mark, words):
    text = render_transcript(hand_made("hello", **values))
    assert lines_of_steps(text)[0].count(mark) == 2
    assert words in text
    assert words not in render_transcript(hand_made("hello"))


def test_an_answer_that_may_hold_secrets_anywhere_is_not_quoted():
    transcript = hand_made(None, status="incomplete", thought="canary")
    text = render_transcript(transcript, told=Told(answers=True))
    assert "not shown" in text
    assert "canary" not in text
    assert "canary" in render_transcript(transcript, told=Told(answers=True, scratchpads=True))


def test_a_transcript_that_parts_from_its_record_still_reads(icn):
    first = icn.frames[2]
    lost = replace(first, state={**first.state, "places": {}}, events=("It parts.",))
    text = render_transcript(replace(icn, frames=(lost, icn.frames[-1])))
    assert "* It parts." in text
    assert lines_of_steps(text)[0].split()[3] == "-"


@given(st.one_of(st.sampled_from(HOSTILE_TEXTS), st.text(max_size=40)))
def test_no_words_steer_a_terminal(words):
    for file_format in ("text", "markdown"):
        text = render_transcript(hand_made(words), told=Told(answers=True), file_format=file_format)
        kinds = {unicodedata.category(character) for character in text if character not in "\n\t"}
        assert not kinds & {"Cc", "Cf", "Cs"}
        text.encode()


@given(st.one_of(st.sampled_from(HOSTILE_TEXTS), st.text(alphabet="a|\\`<>*[]\n ", max_size=20)))
def test_no_words_break_a_table_or_become_markup(words):
    told = Told(answers=True)
    text = render_transcript(hand_made(words), told=told, file_format="markdown")
    steps = text.partition("Step by step")[2].partition("Totals")[0]
    rows = [line for line in steps.splitlines() if line.startswith("|")]
    bare = [row.replace("<br>", "") for row in rows]
    assert len(rows) == 4
    assert len({len(PIPE.findall(row)) for row in rows}) == 1
    assert not [row for row in bare if re.search(r"(?<!\\)(?:\\\\)*[<`\[]", row)]


def test_words_cannot_look_like_a_line_of_the_text():
    forged = "hello\n   1       3/6     15    shore   wait"
    text = render_transcript(hand_made(forged), told=Told(answers=True))
    assert len(lines_of_steps(text)) == 2
