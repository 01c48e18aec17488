"""Shorthand stands for answers that the game's own parser reads, and for nothing impossible."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.shorthand import CleanupShorthand, NegotiationShorthand
from cleanup_icn import icn, parallel_env
from cleanup_icn.contracts import Contract
from cleanup_icn.text import ACTION_NAMES
from negotiation_games import raw_env

WAIT, MOVE, HARVEST, CLEAN = range(4)


@pytest.fixture
def cleanup():
    env = parallel_env()
    env.reset(seed=0)
    return env


@pytest.fixture
def talks():
    """Talks that have just begun: agent_0 is to propose."""
    env = icn.parallel_env()
    env.reset(seed=0)
    return env


@pytest.fixture
def negotiation():
    env = raw_env(num_turns=6, voting="explicit")
    env.reset(seed=0)
    return env


def read(env, seat, typed):
    """Return what the game makes of a typed line, and how it was read."""
    answer = CleanupShorthand(env, seat).spell_out(typed)
    return tuple(env.unwrapped.parse_answer(seat, answer))


def heard(env, typed):
    """Return deal, public words and status of a typed line in a negotiation."""
    speech, status, _ = env.parse_answer("", NegotiationShorthand(env).spell_out(typed))
    return speech.deal, speech.public, str(status)


@pytest.mark.parametrize("typed", ["harvest", "2", " Harvest ", "HARVEST", "Action: harvest"])
def test_an_action_is_its_name_or_its_number(cleanup, typed):
    assert read(cleanup, "agent_0", typed) == (HARVEST, "ok")


def test_numbers_are_those_of_the_environment_wherever_one_is(cleanup):
    assert CleanupShorthand(cleanup, "agent_0").offered() == "0 wait, 1 move, 2 harvest"
    cleanup.step({"agent_0": MOVE, "agent_1": WAIT})
    assert CleanupShorthand(cleanup, "agent_0").offered() == "0 wait, 1 move, 3 clean"
    assert read(cleanup, "agent_0", "3") == (CLEAN, "ok")


@pytest.mark.parametrize(
    "typed", ["clean", "3", "4", "02", "9" * 5_000, "²", "-1", "harvests", "", "nonsense"]
)
def test_what_is_not_possible_now_has_no_shorthand(cleanup, typed):
    assert CleanupShorthand(cleanup, "agent_0").spell_out(typed) == typed
    assert read(cleanup, "agent_0", typed) == (WAIT, "missing")


def test_in_full_the_impossible_is_read_as_a_models_answer_is(cleanup):
    assert read(cleanup, "agent_0", "Action: clean") == (CLEAN, "ok")


@given(st.text())
def test_a_line_that_is_no_shorthand_reaches_the_parser_as_it_is(typed):
    env = parallel_env()
    env.reset(seed=0)
    answer = CleanupShorthand(env, "agent_0").spell_out(typed)
    first = typed.split()[0].lower() if typed.split() else ""
    assert answer == typed or first in (*ACTION_NAMES, "0", "1", "2")


def test_in_talks_a_number_proposes_from_the_menu(talks):
    shorthand = CleanupShorthand(talks, "agent_0")
    assert shorthand.offered() == "pass, propose N (or N alone)"
    assert shorthand.spell_out("3") == "Action: propose 3"
    assert read(talks, "agent_0", "3") == read(talks, "agent_0", "propose 3")
    assert read(talks, "agent_0", "99")[1] == "bad_contract"


def test_a_contract_can_be_written_out_behind_its_verb(talks):
    words = "Until the end: agent_0 pays agent_1 5 once."
    assert read(talks, "agent_0", f"propose {words}") == (Contract.from_text(words), "ok")


def test_where_one_answer_alone_is_possible_an_empty_line_gives_it(talks):
    assert CleanupShorthand(talks, "agent_1").offered() == "Enter: pass"
    assert read(talks, "agent_1", " ") == read(talks, "agent_1", "pass") == (WAIT, "ok")
    assert read(talks, "agent_1", "3")[1] == "missing"


def test_who_is_asked_can_accept_or_counter(talks):
    seen = {"agent_0": talks.parse_answer("agent_0", "Action: propose 1").action, "agent_1": WAIT}
    talks.step(seen)
    shorthand = CleanupShorthand(talks, "agent_1")
    assert shorthand.offered() == "accept, reject, counter N (or N alone)"
    assert shorthand.spell_out("2") == "Action: counter 2"
    assert read(talks, "agent_1", "accept")[1] == "ok"


DEAL = (0, 1, 2, 3, 4)


@pytest.mark.parametrize(
    ("typed", "public"),
    [
        ("A1,B2,C3,D4,E5", ""),
        ("a1 b2 c3 d4 e5", ""),
        ("Let us meet. A1,B2,C3,D4,E5.", "Let us meet."),
        ("I like B2: A1, B2, C3, D4, E5", "I like B2:"),
        ("<ANSWER>Yes.</ANSWER><DEAL>A1,B2,C3,D4,E5</DEAL>", "Yes."),
        ('{"answer": "Yes.", "deal": {"A":"A1","B":"B2","C":"C3","D":"D4","E":"E5"}}', "Yes."),
    ],
)
def test_words_and_then_a_deal_are_a_public_answer_and_a_proposal(negotiation, typed, public):
    assert heard(negotiation, typed) == (DEAL, public, "ok")


@pytest.mark.parametrize(
    ("typed", "status"),
    [
        ("Let us talk.", "no_proposal"),
        ("A1,B2", "incomplete"),
        ("A1,B2,C3,D4,E9", "unknown_option"),
        ("A1,A2,B2,C3,D4,E5", "duplicate"),
        ("", "missing"),
    ],
)
def test_a_deal_that_is_none_is_told_apart_by_the_parser(negotiation, typed, status):
    assert heard(negotiation, typed)[0::2] == (None, status)


def test_one_option_at_the_end_is_an_incomplete_deal(negotiation):
    assert heard(negotiation, "We met in room B2")[1:] == ("We met in room", "incomplete")


def test_a_vote_is_one_word(negotiation):
    negotiation_over = 7  # six turns and the final proposal
    assert "as in A1,B1,C1,D1,E1" in NegotiationShorthand(negotiation).offered()
    for _ in range(negotiation_over):
        negotiation.step(0)
    shorthand = NegotiationShorthand(negotiation)
    assert shorthand.offered() == "accept, reject"
    read_votes = {
        typed: negotiation.parse_answer("", shorthand.spell_out(typed)).action.accepts
        for typed in ("accept", "Reject", "<VOTE>accept</VOTE>", "perhaps", "")
    }
    assert list(read_votes.values()) == [True, False, True, None, None]
