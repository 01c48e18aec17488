"""What parties answer, read as the issue says: anything at all is read, nothing ever raises."""

from __future__ import annotations

import json

import jsonschema
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from negotiation_worlds import ferry, games, make, short

from negotiation_games import ParseStatus, Speech, TextActions
from negotiation_games.answers import answer_schema, one_line, parse_answer, render_answer
from negotiation_games.state import Phase

law = settings(max_examples=100, deadline=None)
any_text = st.text(st.characters(), max_size=200)
"""Any characters, lone surrogates among them."""


def read(answer, game=None, **config):
    """How the party that is to speak first is understood."""
    env = make(game, **config)
    env.reset(seed=0)
    return env.unwrapped.parse_answer(env.agent_selection, answer)


def read_vote(answer):
    """How a voter is understood."""
    env = short(voting="explicit")
    env.reset(seed=0)
    while env.infos[env.agent_selection]["phase"] != "vote":
        env.step(0)
    return env.unwrapped.parse_answer(env.agent_selection, answer)


def status_of_deal(field):
    parsed = read(f"<ANSWER>Let us agree.</ANSWER><DEAL>{field}</DEAL>")
    assert parsed.action.public == "Let us agree."
    assert parsed.status == parsed.action.status
    assert (parsed.action.deal is not None) == (parsed.status == ParseStatus.OK)
    return parsed.status


# --- the deal --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "field",
    [
        "A2,B3",
        "A2, B3",
        "B3,A2",
        "a2,b3",
        "  A2 B3  ",
        "A2\nB3",
        "A2,\n\tB3\n",
        "b3 ,, A2,",
        "A2,b3,",
    ],
)
def test_blanks_commas_order_and_case_do_not_matter(field):
    assert status_of_deal(field) == ParseStatus.OK
    assert read(f"<ANSWER>Yes.</ANSWER><DEAL>{field}</DEAL>").action.deal == (1, 2)


@pytest.mark.parametrize(
    ("field", "status"),
    [
        ("", ParseStatus.MISSING),
        (" \n ", ParseStatus.MISSING),
        ("A2", ParseStatus.INCOMPLETE),
        ("B1", ParseStatus.INCOMPLETE),
        ("A1,A2,B1", ParseStatus.DUPLICATE),
        ("A1,B1,B3", ParseStatus.DUPLICATE),
        ("A1,B4", ParseStatus.UNKNOWN_OPTION),
        ("A0,B1", ParseStatus.UNKNOWN_OPTION),
        ("A1,B1,C1", ParseStatus.UNKNOWN_OPTION),
        ("A1,B-1", ParseStatus.UNKNOWN_OPTION),
        ("A1,B1.5", ParseStatus.UNKNOWN_OPTION),
        ("A1,B99999999999999999999", ParseStatus.UNKNOWN_OPTION),
        ("A1,B²", ParseStatus.UNKNOWN_OPTION),
        ("A1,B٣", ParseStatus.UNKNOWN_OPTION),
        ("whatever you like", ParseStatus.UNKNOWN_OPTION),
    ],
)
def test_anything_else_is_no_proposal_and_has_a_status_that_says_why(field, status):
    assert status_of_deal(field) == status


def test_two_deals_that_differ_are_no_proposal():
    parsed = read("<ANSWER>Either.</ANSWER><DEAL>A1,B1</DEAL> or <DEAL>A2,B1</DEAL>")
    assert (parsed.action.deal, parsed.status) == (None, ParseStatus.SEVERAL_DEALS)


def test_a_deal_outside_the_deal_field_is_none():
    parsed = read("<ANSWER>I propose A1,B2.</ANSWER>")
    assert parsed.action.deal is None
    assert parsed.status != ParseStatus.OK


@pytest.mark.parametrize("secret", ["SCRATCHPAD", "PLAN", "think"])
def test_a_deal_in_a_secret_part_is_none(secret):
    thought = f"<{secret}>Perhaps <DEAL>A1,B1</DEAL>?</{secret}>"
    assert read(f"{thought}<ANSWER>Wait.</ANSWER>").action.deal is None
    parsed = read(f"{thought}<ANSWER>Now.</ANSWER><DEAL>A2,B3</DEAL>")
    assert (parsed.action.deal, parsed.status) == ((1, 2), ParseStatus.OK)


@law
@given(game=games(), data=st.data())
def test_every_deal_is_read_however_it_is_written(game, data):
    deal = tuple(data.draw(st.integers(0, len(issue.options) - 1)) for issue in game.issues)
    names = [f"{'ABCDEF'[i]}{option + 1}" for i, option in enumerate(deal)]
    written = data.draw(st.permutations(names))
    separator = st.sampled_from([",", " ", ", ", " ,", "\n", ",\n ", "\t"])
    field = "".join(
        (name.lower() if data.draw(st.booleans()) else name) + data.draw(separator)
        for name in written
    )
    parsed = read(f"<ANSWER>So be it.</ANSWER><DEAL>{field}</DEAL>", game)
    assert (parsed.action.deal, parsed.status) == (deal, ParseStatus.OK)
    if len(names) > 1:
        parsed = read(f"<ANSWER>Nearly.</ANSWER><DEAL>{','.join(written[1:])}</DEAL>", game)
        assert (parsed.action.deal, parsed.status) == (None, ParseStatus.INCOMPLETE)
    parsed = read(f"<ANSWER>Twice.</ANSWER><DEAL>{field} {written[0]}</DEAL>", game)
    assert (parsed.action.deal, parsed.status) == (None, ParseStatus.DUPLICATE)


# --- the parts of an answer ------------------------------------------------------------------


SPOKEN = "<ANSWER>Here.</ANSWER><DEAL>A1,B2</DEAL><PLAN>B3.</PLAN>"
AS_JSON = '{"answer": "Here.", "deal": {"A": "A1", "B": "B2"}, "plan": "B3."}'


@law
@given(
    thought=st.text().filter(lambda text: "<" not in text and text.strip()),
    answer=st.sampled_from([SPOKEN, AS_JSON, f"```json\n{AS_JSON}\n```"]),
    tag=st.sampled_from(["think", "THINK", " Think "]),
)
def test_thoughts_before_an_answer_change_nothing_and_count_as_its_scratchpad(thought, answer, tag):
    parsed = read(f"\n<{tag}>{thought}</{tag}>\n{answer}")
    assert parsed.action == read(answer).action
    assert (parsed.action.public, parsed.action.deal, parsed.action.plan) == (
        "Here.",
        (0, 1),
        "B3.",
    )
    assert parsed.scratchpad == thought


@pytest.mark.parametrize("answer", [SPOKEN, AS_JSON])
def test_thoughts_opened_in_the_prompt_end_with_their_closing_tag(answer):
    parsed = read(f"Mine is 30.\n</think>\n{answer}")
    assert parsed.action == read(answer).action
    assert parsed.scratchpad.strip() == "Mine is 30."
    parsed = read("<ANSWER>Port</ANSWER><DEAL>A2,B1</DEAL><ANSWER>No</think>Hm.<DEAL>A1,B2</DEAL>")
    assert (parsed.action.public, parsed.action.deal) == ("", (0, 1))


@pytest.mark.parametrize(
    "answer",
    [
        f"<think>Mine is 30.</think><SCRATCHPAD>Port needs 20.</SCRATCHPAD>{SPOKEN}",
        f'<think>Mine is 30.</think>{{"scratchpad": "Port needs 20.", {AS_JSON[1:]}',
    ],
)
def test_thoughts_and_a_scratchpad_are_kept_together(answer):
    parsed = read(answer)
    assert parsed.scratchpad == "Mine is 30.\nPort needs 20."
    assert parsed.action.public == "Here."


@pytest.mark.parametrize("answer", [SPOKEN, AS_JSON])
@pytest.mark.parametrize("thought", ["<think>Hm.", "<think>Hm. <think>Hm.</think>"])
def test_thoughts_that_are_not_closed_hide_all_that_follows(thought, answer):
    parsed = read(f"{thought}{answer}")
    assert (parsed.action.public, parsed.action.deal, parsed.action.plan) == ("", None, "")
    assert parsed.status == ParseStatus.MISSING


@pytest.mark.parametrize("answer", ["<VOTE>accept</VOTE>", '{"vote": "accept"}'])
def test_a_vote_in_thoughts_is_none(answer):
    assert read_vote(f"<think>{answer}</think>").action.accepts is None
    assert read_vote(f"<think><VOTE>reject</VOTE></think>{answer}").action.accepts is True


def test_a_tag_of_thoughts_in_json_is_taken_for_words_and_shown_to_nobody():
    parsed = read('{"scratchpad": "</think>", "answer": "Here. <think>Mine is 30.</think>"}')
    assert (parsed.action.public, parsed.scratchpad) == ("Here.", "</think>")
    env = short()
    env.reset(seed=0)
    env.step(Speech((0, 1), "Here. <think>No. </ Think >"))
    assert env.unwrapped.record[-1].words == "Here. No."


@pytest.mark.parametrize("tag", ["TH\u0130NK", "TH\u0131NK", "THIN\u212a"])
def test_letters_that_only_look_like_those_of_a_tag_are_words(tag):
    assert read(f"<{tag}>{SPOKEN}</{tag}>").action == read(SPOKEN).action


def test_the_parts_of_an_answer_in_the_published_tags():
    parsed = read(
        "<SCRATCHPAD>Mine is 30.</SCRATCHPAD>\n<ANSWER>Let us land here.</ANSWER>\n"
        "<DEAL>A1,B2</DEAL>\n<PLAN>Then B3.</PLAN>"
    )
    assert parsed.action.public == "Let us land here."
    assert parsed.action.deal == (0, 1)
    assert parsed.action.plan == "Then B3."
    assert parsed.scratchpad == "Mine is 30."
    assert parsed.status == ParseStatus.OK


def test_the_same_as_one_json_object():
    answer = {
        "scratchpad": "Mine is 30.",
        "answer": "Let us land here.",
        "deal": {"A": "A1", "B": "B2"},
        "plan": "Then B3.",
    }
    for written in (json.dumps(answer), f"```json\n{json.dumps(answer, indent=2)}\n```"):
        parsed = read(written)
        assert parsed.action.public == "Let us land here."
        assert parsed.action.deal == (0, 1)
        assert parsed.action.plan == "Then B3."
        assert parsed.scratchpad == "Mine is 30."
        assert parsed.status == ParseStatus.OK


def test_a_deal_in_the_public_answer_counts_and_is_not_said_twice():
    parsed = read("<ANSWER>This one: <DEAL>A2,B1</DEAL></ANSWER>")
    assert (parsed.action.deal, parsed.action.public) == ((1, 0), "This one:")


@pytest.mark.parametrize("answer", ["", "  ", "I agree.", "<ANSWER></ANSWER>", "{}", "[]", "null"])
def test_an_answer_without_its_fields_says_nothing_and_proposes_nothing(answer):
    parsed = read(answer)
    assert (parsed.action.public, parsed.action.deal) == ("", None)
    assert parsed.status == ParseStatus.MISSING


@pytest.mark.parametrize("answer", [None, 5, b"<DEAL>A1,B1</DEAL>", ["A1"], float("nan"), object()])
def test_an_answer_that_is_no_text_is_one_more_status(answer):
    assert read(answer).status == ParseStatus.NOT_TEXT


hostile_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | any_text,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
hostile_objects = st.fixed_dictionaries(
    {},
    optional=dict.fromkeys(("scratchpad", "answer", "deal", "plan", "vote"), hostile_json),
).map(json.dumps)


@law
@given(answer=any_text | hostile_objects)
@example("{" * 20_000)
@example('{"deal":' * 20_000)
@example("<DEAL>" * 2_000)
@example("<SCRATCHPAD><ANSWER><PLAN>" * 500)
@example('{"answer": "\\ud800", "deal": "A1,B2"}')
@example('{"deal": ' + "9" * 5_000 + "}")
@example("\x00\u2028\x85\ufeff\u202e")
def test_no_answer_whatever_raises_in_a_turn_or_in_a_vote(answer):
    env = TextActions(short(voting="explicit"))
    env.reset(seed=0)
    while env.agents:
        agent = env.agent_selection
        observation, *_, terminated, truncated, info = env.last()
        assert env.observation_space(agent).contains(observation)
        if terminated or truncated:
            env.step(None)
        elif info["phase"] == "final":
            env.step("<ANSWER>In the end.</ANSWER><DEAL>A2,B2</DEAL>")
        else:
            env.step(answer)
            assert env.infos[agent]["status"] in set(ParseStatus)


@pytest.mark.parametrize("tag", ["ANSWER", "PLAN"])
def test_a_long_answer_is_cut_and_so_is_a_long_plan(tag):
    said = read(f"<{tag}>{'la ' * 100_000}</{tag}>").action
    longest = max(len(said.public), len(said.plan))
    assert 1000 <= longest <= 10_000


# --- votes -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "answer",
    ["<VOTE>accept</VOTE>", "<vote> Accept. </vote>", '{"vote": "accept"}', "Hm.\n<VOTE>ACCEPT"],
)
def test_a_yes_is_read(answer):
    assert (read_vote(answer).action.accepts, read_vote(answer).status) == (True, "ok")
    refusal = answer.replace("accept", "reject").replace("Accept", "Reject")
    refusal = refusal.replace("ACCEPT", "REJECT")
    assert (read_vote(refusal).action.accepts, read_vote(refusal).status) == (False, "ok")


@pytest.mark.parametrize(
    "answer",
    [
        "",
        "accept",
        "I accept the deal.",
        "<VOTE></VOTE>",
        "<VOTE>do not accept</VOTE>",
        "<VOTE>maybe</VOTE>",
        "<ANSWER>accept</ANSWER>",
        "<SCRATCHPAD>Say <VOTE>accept</VOTE>?</SCRATCHPAD>",
        "<DEAL>A1,B1</DEAL>",
        '{"vote": true}',
        '{"vote": "yes"}',
        '{"accept": "accept"}',
    ],
)
def test_what_is_no_clear_yes_is_no_acceptance(answer):
    parsed = read_vote(answer)
    assert parsed.action.accepts is not True
    assert parsed.status != ParseStatus.OK


def test_two_votes_that_differ_are_no_acceptance():
    for answer in ("<VOTE>accept</VOTE><VOTE>reject</VOTE>", "<VOTE>reject<VOTE>accept</VOTE>"):
        assert read_vote(answer).action.accepts is not True


def test_an_option_under_another_issues_letter_is_none():
    swapped = json.dumps({"answer": "Here.", "deal": {"A": "B1", "B": "A1"}})
    assert read(swapped).status == ParseStatus.UNKNOWN_OPTION
    assert read(swapped.replace("B1", "a1").replace(': "A1', ': "B1')).status == ParseStatus.OK


def test_control_characters_in_a_string_do_not_spoil_an_answer():
    answer = '{"answer": "a\ttab", "deal": {"A": "A1", "B": "B1"}}'
    assert read(answer).status == ParseStatus.OK


def test_a_tag_that_never_ends_is_read_to_its_end():
    # A pattern that backtracks over it would take hours.
    assert read("<" + " " * 200_000).status == ParseStatus.MISSING


# --- the published schema --------------------------------------------------------------------


def objects(game):
    """Objects near an answer: right ones, and wrong ones in one respect or another."""
    letters = "ABCDEF"[: len(game.issues)]
    option = st.builds(str.__add__, st.sampled_from(letters), st.sampled_from("01234"))
    right = st.fixed_dictionaries(
        {
            letters[i]: st.sampled_from([f"{letters[i]}{k + 1}" for k in range(n)])
            for i, n in enumerate(len(issue.options) for issue in game.issues)
        }
    )
    deal = right | st.none() | st.dictionaries(st.sampled_from(letters), option)
    words = st.text(st.characters(categories=["L"]), min_size=1)
    return st.fixed_dictionaries(
        {"answer": words, "deal": deal}, optional={"scratchpad": any_text, "plan": any_text}
    )


@law
@given(game=games(), data=st.data())
def test_the_schema_of_an_answer_allows_what_is_understood_and_nothing_else(game, data):
    schema = answer_schema(game, Phase.DISCUSS)
    jsonschema.Draft202012Validator.check_schema(schema)
    answer = data.draw(objects(game))
    allowed = jsonschema.Draft202012Validator(schema).is_valid(answer)
    parsed = read(json.dumps(answer), game)
    assert allowed == (parsed.status in (ParseStatus.OK, ParseStatus.NO_PROPOSAL))
    if parsed.status == ParseStatus.OK:
        options = [f"{'ABCDEF'[i]}{option + 1}" for i, option in enumerate(parsed.action.deal)]
        assert answer["deal"] == dict(zip("ABCDEF", options, strict=False))


def test_the_schema_demands_every_issue_and_refuses_what_nobody_asked_for():
    validator = jsonschema.Draft202012Validator(answer_schema(ferry(), Phase.FINAL))
    right = {"answer": "Here.", "deal": {"A": "A1", "B": "B3"}}
    assert validator.is_valid(right)
    assert not validator.is_valid({**right, "deal": {"A": "A1"}})
    assert not validator.is_valid({**right, "deal": {"A": "A1", "B": "B4"}})
    assert not validator.is_valid({**right, "score": 30})
    assert not validator.is_valid({"deal": right["deal"]})


def test_the_schema_of_a_vote_has_two_answers():
    validator = jsonschema.Draft202012Validator(answer_schema(ferry(), Phase.VOTE))
    for vote in ("accept", "reject"):
        assert validator.is_valid({"vote": vote})
        assert read_vote(json.dumps({"vote": vote})).status == ParseStatus.OK
    assert not validator.is_valid({"vote": "abstain"})
    assert not validator.is_valid({})


# --- the shortest answer ---------------------------------------------------------------------


@law
@given(st.data())
def test_the_shortest_answer_is_read_as_what_is_said(data):
    game = data.draw(games())
    deal = data.draw(st.none() | st.integers(0, game.num_deals - 1).map(game.deal_at))
    public, plan = (one_line(data.draw(any_text)) for _ in range(2))
    status = ParseStatus.OK if deal is not None else ParseStatus.NO_PROPOSAL
    speech = Speech(deal, public, plan, None, status)
    if deal is None and not public:
        with pytest.raises(ValueError, match="expected a vote, a deal or public words"):
            render_answer(speech)
        return
    assert parse_answer(render_answer(speech), game, Phase.DISCUSS).action == speech


@pytest.mark.parametrize("accepts", [True, False])
def test_the_shortest_vote_is_read_as_it_was_meant(accepts):
    vote = Speech(None, accepts=accepts)
    assert read_vote(render_answer(vote)).action == vote


def test_a_deal_alone_is_one_field():
    assert render_answer(Speech((0, 2, 1))) == "<DEAL>A1,B3,C2</DEAL>"
