import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.llm import ORDERS, Message, PromptParts, compose
from agents.llm.chat import prompt_key
from agents.llm.prompt import lines_to_leave_out

words = st.text("abc ", min_size=1, max_size=8)
records = st.lists(words, max_size=12)
PARTS = PromptParts("RULES", "SHEET", ("one", "two", "three"), "INSTRUCTION")


def shared_prefix(messages):
    """All that a server reads, in order, without the instruction at the end."""
    told = "".join(f"<{message.role}>{message.content}" for message in messages)
    assert told.endswith("INSTRUCTION")
    return told.removesuffix("INSTRUCTION")


def test_record_first_is_rules_then_record_then_sheet_then_instruction():
    assert compose(PARTS) == compose(PARTS, order="record-first")
    assert compose(PARTS, order="record-first") == (
        Message("system", "RULES"),
        Message("user", "one\ntwo\nthree\n\nSHEET\n\nINSTRUCTION"),
    )


def test_sheet_first_is_rules_then_sheet_then_record_then_instruction():
    assert compose(PARTS, order="sheet-first") == (
        Message("system", "RULES\n\nSHEET"),
        Message("user", "one\ntwo\nthree\n\nINSTRUCTION"),
    )


@pytest.mark.parametrize("order", ORDERS)
def test_parts_that_are_empty_leave_no_gap(order):
    assert compose(PromptParts(instruction="go"), order=order) == (Message("user", "go"),)
    told = compose(PromptParts("RULES", "", (), "go"), order=order)
    assert told == (Message("system", "RULES"), Message("user", "go"))


@given(records, words, st.sampled_from(ORDERS))
def test_a_record_that_grows_only_adds_to_what_the_server_has_read(record, line, order):
    # Record-first has the sheet behind the record, so there the sheet is what is read again.
    sheet = "" if order == "record-first" else "SHEET"
    parts = PromptParts("RULES", sheet, tuple(record), "INSTRUCTION")
    before = shared_prefix(compose(parts, order=order)).rstrip("\n")
    longer = parts._replace(record=(*record, line))
    assert shared_prefix(compose(longer, order=order)).startswith(before)


@given(records)
def test_record_first_lets_all_seats_share_rules_and_record(record):
    ours, theirs = (
        compose(PromptParts("RULES", sheet, tuple(record), "INSTRUCTION"))
        for sheet in ("OURS", "THEIRS")
    )
    shared = "".join(f"{line}\n" for line in record).rstrip("\n")
    assert ours[0] == theirs[0]
    assert ours[1].content.startswith(shared)
    assert theirs[1].content.startswith(shared)


@given(records, st.sampled_from(ORDERS), st.data())
def test_what_is_left_out_is_said_and_rules_sheet_and_instruction_stay(record, order, data):
    left_out = data.draw(st.integers(0, len(record)))
    parts = PromptParts("RULES", "SHEET", tuple(record), "INSTRUCTION")
    told = "\n\n".join(m.content for m in compose(parts, order=order, left_out=left_out))
    assert told.count("RULES") == told.count("SHEET") == told.count("INSTRUCTION") == 1
    assert "\n".join(record[left_out:]) in told
    assert ("left out" in told) == (left_out > 0)
    assert not left_out or f"first {left_out} lines" in told


@given(records, st.sampled_from(ORDERS), st.integers(0, 8), st.data())
def test_of_the_record_only_the_last_lines_asked_for_are_shown(record, order, record_lines, data):
    left_out = data.draw(st.integers(0, min(len(record), record_lines)))
    parts = PromptParts("RULES", "SHEET", tuple(record), "INSTRUCTION")
    asked = compose(parts, order=order, left_out=left_out, record_lines=record_lines)
    missing = max(0, len(record) - record_lines) + left_out
    if record_lines:
        assert asked == compose(parts, order=order, left_out=missing)
    else:
        assert asked == compose(parts._replace(record=()), order=order)


@given(records, st.sampled_from(ORDERS))
def test_all_lines_are_shown_where_as_many_may_be(record, order):
    parts = PromptParts("RULES", "SHEET", tuple(record), "INSTRUCTION")
    assert compose(parts, order=order, record_lines=len(record) or 1) == compose(parts, order=order)


def test_fewer_lines_than_none_are_refused():
    with pytest.raises(ValueError, match="record_lines = -1: expected at least 0, or None for all"):
        compose(PARTS, record_lines=-1)


@given(st.integers(1, 10**6), st.data())
def test_half_of_the_lines_shown_go_at_once_and_always_at_least_one(num_lines, data):
    left_out = data.draw(st.integers(0, num_lines - 1))
    shown = num_lines - left_out
    after = lines_to_leave_out(num_lines, left_out)
    assert left_out < after <= num_lines
    assert shown // 2 <= after - left_out <= max(1, (shown + 1) // 2)


@given(st.integers(0, 10**6))
def test_leaving_out_ends_after_few_cuts(num_lines):
    left_out, cuts = 0, 0
    while left_out < num_lines:
        left_out = lines_to_leave_out(num_lines, left_out)
        cuts += 1
    assert cuts <= num_lines.bit_length() + 1
    with pytest.raises(ValueError, match="nothing left"):
        lines_to_leave_out(num_lines, left_out)


def test_an_order_that_there_is_none_of_is_refused():
    with pytest.raises(ValueError, match="order = 'random': expected one of record-first, sheet-f"):
        compose(PARTS, order="random")


messages = st.lists(
    st.builds(Message, st.sampled_from(["system", "user", "assistant"]), words), max_size=3
)
forms = st.none() | st.builds(lambda choice: {"choice": choice}, st.lists(words, max_size=3))


@given(messages, messages, forms, forms)
def test_questions_have_equal_keys_only_if_they_are_equal(asked, other, form, other_form):
    is_equal = (asked, form) == (other, other_form)
    assert (prompt_key(asked, form) == prompt_key(other, other_form)) == is_equal
    assert len(prompt_key(asked, form)) == 16


def test_a_key_does_not_depend_on_the_order_in_which_a_form_was_written():
    one = {"json": {"type": "object", "required": ["a"]}}
    other = {"json": {"required": ["a"], "type": "object"}}
    assert prompt_key((), one) == prompt_key((), other)
