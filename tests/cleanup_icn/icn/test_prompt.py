"""What a model in talks is told, what it can be held to, and how it is read."""

from __future__ import annotations

import json
import re

import jsonschema
import numpy as np
import pytest
from held_answers import answers, longest
from hypothesis import given, settings
from hypothesis import strategies as st

from agents.llm.prompt import PromptParts
from agents.llm.styles import STEPS
from cleanup_icn import icn
from cleanup_icn.contracts import Contract, LumpSum
from cleanup_icn.icn.protocol import Speech
from cleanup_icn.prompt import CleanupSeat

WAIT, MOVE, HARVEST, CLEAN, ACCEPT, REJECT, FIRST_PROPOSAL = range(7)
law = settings(max_examples=60)
some_steps = st.lists(st.sampled_from(STEPS), unique=True)
WAGE = "Until the end: the others pay every agent 0.4 for each unit cleaned by the payee."


def unasked(*words):
    raise AssertionError("no judge is asked here")


def talks(**config):
    """An environment in talks, agent_0 about to propose, and what the agents see."""
    env = icn.parallel_env(**{"judge": "start", **config})
    return env, env.reset(seed=0)[0]


def step(env, *actions):
    return env.step(dict(zip(env.agents, actions, strict=True)))[0]


def record(env, seen, agent="agent_0"):
    return CleanupSeat(env, agent).parts(seen[agent], ())[2]


# --- the record ------------------------------------------------------------------------------


def test_the_record_says_who_proposed_and_answered_what_and_what_was_agreed():
    env, _ = talks(num_agents=3, max_rounds=3)
    step(env, FIRST_PROPOSAL + 2, WAIT, WAIT)
    step(env, WAIT, REJECT, FIRST_PROPOSAL)
    step(env, WAIT, ACCEPT, WAIT)  # agent_0 abstains
    step(env, FIRST_PROPOSAL + 2, WAIT, WAIT)
    seen = step(env, WAIT, ACCEPT, ACCEPT)
    start = "Talks before step 0, round"
    assert record(env, seen) == (
        f"{start} 1 of 3: agent_0 proposed: {WAGE}",
        f"{start} 1 of 3: agent_1 rejected. agent_2 countered: Until the end: no payments.",
        f"{start} 2 of 3: agent_0 said nothing. agent_1 accepted.",
        f"{start} 3 of 3: agent_0 proposed: {WAGE}",
        f"{start} 3 of 3: agent_1 accepted. agent_2 accepted. All agreed; in force: {WAGE}",
    )
    seen = step(env, HARVEST, MOVE, WAIT)
    assert record(env, seen)[-1].startswith("Step 0: agent_0 harvested 4, agent_1 moved")


def test_failed_talks_are_on_record_with_what_then_stands():
    env, _ = talks(max_rounds=1)
    seen = step(env, WAIT, WAIT)
    assert record(env, seen) == (
        "Talks before step 0, round 1 of 1: agent_0 passed. No agreement; in force: Until the end: "
        "no payments.",
    )


def test_without_a_history_the_record_is_of_play_alone():
    env, _ = talks(history=False)
    step(env, FIRST_PROPOSAL, WAIT)
    step(env, WAIT, ACCEPT)
    seen = step(env, HARVEST, WAIT)
    assert [line.split(":")[0] for line in record(env, seen)] == ["Step 0"]


@law
@given(data=st.data())
def test_the_record_only_grows_and_is_the_same_for_everybody(table, data):
    env, seen = talks(judge="every:2", horizon_steps=5, num_agents=data.draw(st.integers(2, 3)))
    policy = table.random_policy(
        np.random.default_rng(data.draw(st.integers(0, 9))), [Contract([])]
    )
    seats = {agent: CleanupSeat(env, agent) for agent in env.agents}
    infos = env.reset(seed=0)[1]
    before, calls = (), 0
    while env.agents:
        seen, _, _, _, infos = env.step({a: policy(a, seen[a], infos[a]) for a in env.agents})
        calls += 1
        told = {seat.parts(seen[agent], ())[2] for agent, seat in seats.items()}
        assert len(told) == 1
        (now,) = told
        assert now[: len(before)] == before
        assert len(now) == calls
        assert not any("\n" in line for line in now)
        before = now


def test_what_one_agent_keeps_to_itself_reaches_nobody_else():
    env, seen = talks(horizon_steps=2)
    seats = {agent: CleanupSeat(env, agent) for agent in env.agents}
    while env.agents:
        told = {a: repr(seats[a].parts(seen[a], STEPS)) for a in env.agents}
        assert "canary-S" not in repr(told)
        assert "canary-P-agent_1" not in told["agent_0"]
        assert "canary-P-agent_0" not in told["agent_1"]
        moves = {}
        for agent, seat in seats.items():
            choice = {"propose": "propose 3", "respond": "accept"}.get(env.phase, "wait")
            answer = (
                f"<SCRATCHPAD>canary-S</SCRATCHPAD>Action: {choice}\n<PLAN>canary-P-{agent}</PLAN>"
            )
            moves[agent] = seat.parse(answer).action
            seat.heed(answer)
        seen = env.step(moves)[0]
    assert not env.contract.is_null


# --- what answers are held to ----------------------------------------------------------------


def test_where_one_answer_alone_is_possible_it_is_the_only_choice_and_needs_no_thought():
    env, seen = talks(negotiation_cost_steps=1, max_rounds=1)
    other = CleanupSeat(env, "agent_1")
    assert other.form(STEPS, max_chars=500) == {"choice": ["Action: pass"]}
    assert "<SCRATCHPAD>" not in other.parts(seen["agent_1"], STEPS)[3]
    seen = step(env, WAIT, WAIT)
    assert env.phase == "waiting"
    assert other.form(STEPS, max_chars=500) == {"choice": ["Action: wait"]}


def test_without_room_for_a_contract_it_is_named_by_its_number():
    env, _ = talks()
    seat = CleanupSeat(env, "agent_0")
    plain, proposal = seat.form((), max_chars=300)["json"]["anyOf"]
    assert plain["properties"] == {"action": {"enum": ["pass"]}}
    assert proposal["properties"]["contract"] == {"enum": list(range(len(env.menu)))}
    most = [
        seat.form((), max_chars=room)["json"]["anyOf"][1]["properties"]["contract"]["anyOf"][1][
            "properties"
        ]["clauses"]["maxItems"]
        for room in (400, 700, 5_000)
    ]
    assert most == [1, 2, env.icn.max_clauses]


def test_a_quota_that_has_the_form_is_of_one_unit_at_least():
    env, _ = talks()
    form = CleanupSeat(env, "agent_0").form((), max_chars=500)["json"]
    terms = {"payer": "agent_1", "payee": "others", "per": "cleaned", "at_least": 3, "amount": 2}
    for at_least, has_the_form in ((1, True), (1_000, True), (0, False), (1e9, False)):
        clause = {"type": "quota", **terms, "at_least": at_least}
        contract = {"version": 1, "clauses": [clause], "duration": {"until": "end"}}
        answer = {"action": "propose", "contract": contract}
        assert jsonschema.Draft202012Validator(form).is_valid(answer) == has_the_form


@law
@given(data=st.data(), steps=some_steps, max_chars=st.integers(0, 2_500))
def test_whatever_has_the_form_is_read_as_ok_and_is_possible(data, steps, max_chars):
    natural = data.draw(st.booleans())
    env, _ = talks(
        num_agents=3,
        menu=data.draw(st.sampled_from([(), icn.default_menu()])),
        **({"natural_language": True, "ask": unasked} if natural else {}),
    )
    seats = [CleanupSeat(env, agent) for agent in env.agents]
    if data.draw(st.booleans()):
        step(env, Contract([LumpSum(payer="agent_0", payee="agent_1", amount=1)]), WAIT, WAIT)
    moves = {}
    for agent, seat in zip(env.agents, seats, strict=True):
        form = seat.form(steps, max_chars=max_chars)
        answer = data.draw(answers(form))
        if "json" in form:
            instance = json.loads(answer, strict=False)
            jsonschema.Draft202012Validator(form["json"]).validate(instance)
        read = seat.parse(answer)
        assert read.status == "ok"
        moves[agent] = read.action
    infos = env.step(moves)[-1]
    assert [info["illegal"] for info in infos.values()] == [0, 0, 0]
    assert all(info["said"] != Speech.NOTHING for info in infos.values())


@law
@given(steps=some_steps, max_chars=st.integers(0, 4_000), is_answer=st.booleans())
def test_an_answer_is_never_longer_than_its_fixed_part_and_the_room_it_has(
    steps, max_chars, is_answer
):
    env, _ = talks(num_agents=4)
    if is_answer:
        step(env, FIRST_PROPOSAL, WAIT, WAIT, WAIT)
    seat = CleanupSeat(env, "agent_1" if is_answer else "agent_0")
    assert longest(seat.form(steps, max_chars=max_chars)) <= 100 + max_chars


# --- how answers are read --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("answer", "action"),
    [
        ('{"action": "pass"}', WAIT),
        ('{"action": "propose", "contract": 2}', FIRST_PROPOSAL + 2),
        ('```json\n{"scratchpad": "Hm.", "action": "Propose", "contract": "2"}\n```', 8),
        ('{"action": "propose", "contract": {"version": 1, "clauses": []}}', Contract()),
        (f'{{"action": "propose", "contract": "{WAGE}"}}', icn.wage_menu([0.4])[0]),
        ('{"action": "pass", "contract": null}', WAIT),
        ("<SCRATCHPAD>Action: propose 1</SCRATCHPAD>\nAction: propose 3", FIRST_PROPOSAL + 3),
    ],
)
def test_answers_as_json_and_with_thoughts_are_read(answer, action):
    env, _ = talks()
    assert CleanupSeat(env, "agent_0").parse(answer) == (action, "ok")


@pytest.mark.parametrize(
    ("answer", "status"),
    [
        ('{"action": "pass", "action": "propose", "contract": 1}', "bad_json"),
        ('{"action": "pass", "contract": 1}', "bad_json"),
        ('{"action": "propose", "contract": 1, "price": 2}', "bad_json"),
        ('{"action": ["pass"]}', "bad_json"),
        ('{"action": "propose", "contract": 1', "bad_json"),
        ('{"scratchpad": "\nAction: propose 1', "bad_json"),
        ('{"action": "propose"}', "bad_contract"),
        ('{"action": "propose", "contract": true}', "bad_contract"),
        ('{"action": "propose", "contract": 99}', "bad_contract"),
        ('{"action": "propose", "contract": [1]}', "bad_contract"),
        ('{"action": "dance"}', "unknown_action"),
        ('{"contract": 1}', "missing"),
        ("<SCRATCHPAD>Action: propose 1</SCRATCHPAD>", "missing"),
        ("<PLAN>\nAction: propose 1", "missing"),
    ],
)
def test_what_contradicts_itself_or_is_secret_says_nothing(answer, status):
    env, _ = talks()
    assert CleanupSeat(env, "agent_0").parse(answer) == (Speech.NOTHING, status)


def test_plain_words_that_a_form_allows_are_taken_for_nothing_but_plain_words():
    env, _ = talks(natural_language=True, ask=unasked)
    seat = CleanupSeat(env, "agent_0")
    proposal = seat.form((), max_chars=500)["json"]["anyOf"][1]
    pattern = proposal["properties"]["contract"]["anyOf"][2]["pattern"]
    for words in (
        "Whoever cleans gets 2 from the others.",
        "agent_1 owes me nothing",
        "Share it: 3",
    ):
        assert re.fullmatch(pattern, words)
        read = seat.parse(json.dumps({"action": "propose", "contract": words}))
        assert (read.action.to_text(), read.status) == (words, "ok")
    for words in ("", "3", "Menu 99", "number 99", "until the end: agent_9 pays all 1 once", "{}"):
        assert not re.fullmatch(pattern, words)
    assert seat.parse('{"action": "propose", "contract": true}').status == "bad_contract"


def test_a_complaint_names_what_can_be_answered():
    env, _ = talks()
    step(env, FIRST_PROPOSAL, WAIT)
    said = CleanupSeat(env, "agent_1").complaint("bad_contract")
    assert "no contract here" in said
    assert said.endswith("is one of: accept, reject, counter <number or contract>.")
    assert '"contract": <number or contract' in said


def test_the_parts_of_talks_show_how_an_answer_looks_as_json():
    env, seen = talks()
    told = PromptParts(*CleanupSeat(env, "agent_0").parts(seen["agent_0"], ("think", "plan")))
    keys = ['"scratchpad"', '"action"', '"contract"', '"plan"']
    places = [told.instruction.find(key) for key in keys]
    assert -1 not in places
    assert places == sorted(places)
    assert told.instruction.endswith('End with a line "Action: <choice>".')
