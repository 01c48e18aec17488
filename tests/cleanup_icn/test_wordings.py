"""Other words for Cleanup's text: they say the same, and are others."""

from __future__ import annotations

import re
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import cleanup_icn
from cleanup_icn import ConfigError, icn
from cleanup_icn.contracts import Contract, ContractWrapper, Duration, LumpSum, Share, Wage
from cleanup_icn.prompt import CleanupSeat
from cleanup_icn.wordings import OWN, WORDINGS, RewordedSeat

law = settings(max_examples=40)
OTHERS = [name for name in WORDINGS if name != OWN]
other_wordings = pytest.mark.parametrize("wording", OTHERS)

CONTRACTS = (
    Contract([Wage(payer="others", payee="all", per="cleaned", rate=0.6)]),
    Contract([Share(payer="agent_1", payee="others", of="harvested", fraction=0.25)], Duration()),
    Contract([LumpSum(payer="agent_0", payee="agent_1", amount=3)], Duration("step", 4)),
)


@st.composite
def seats(draw):
    """A seat in the middle of an episode of a drawn world under a contract; what it sees."""
    env = cleanup_icn.parallel_env(
        num_agents=draw(st.integers(2, 4)),
        horizon_steps=draw(st.integers(4, 9)),
        pollution_threshold=draw(st.integers(1, 25)),
        prob_fruit_growth=draw(st.sampled_from([1.0, 0.5])),
        fruit_regrowth=draw(st.sampled_from(["step", "linear"])),
        schedule=draw(st.sampled_from([(), [(2, {"pollution_threshold": 9})]])),
        announce_changes=draw(st.booleans()),
    )
    played = ContractWrapper(env, draw(st.sampled_from(CONTRACTS)))
    seen, _ = played.reset(seed=draw(st.integers(0, 99)))
    for _ in range(draw(st.integers(0, 3))):
        seen, *_ = played.step({agent: draw(st.integers(0, 3)) for agent in played.agents})
    agent = draw(st.sampled_from(played.agents))
    return CleanupSeat(played, agent), seen[agent]


def talks():
    """A seat in talks that have gone on for a while; what it sees."""
    env = icn.parallel_env()
    seen, _ = env.reset(seed=0)
    for _ in range(4):
        seen, *_ = env.step({agent: int(seen[agent]["action_mask"].argmax()) for agent in seen})
    return CleanupSeat(env, "agent_0"), seen["agent_0"]


def numbers(parts):
    rules, _, record, instruction = parts
    return Counter(re.findall(r"\d+(?:\.\d+)?", "\n".join((rules, *record, instruction))))


def flat(parts):
    rules, _, record, instruction = parts
    return "\n".join((rules, *record, instruction))


@other_wordings
@given(seats(), st.sampled_from([(), ("think", "plan")]))
@law
def test_every_wording_changes_the_words_and_no_number(wording, seated, steps):
    seat, seen = seated
    own, told = seat.parts(seen, steps), RewordedSeat(seat, wording).parts(seen, steps)
    assert flat(told) != flat(own)
    assert numbers(told) == numbers(own)
    assert len(told[2]) == len(own[2])


@other_wordings
@given(seats())
@law
def test_the_choices_and_the_form_of_an_answer_stay_in_the_last_line(wording, seated):
    seat, seen = seated
    _, _, _, instruction = RewordedSeat(seat, wording).parts(seen, ())
    last = instruction.rpartition("\n")[2]
    choices = [choice.removeprefix("Action: ") for choice in seat.form((), max_chars=9)["choice"]]
    assert f": {', '.join(choices)}." in last
    assert '"Action: <choice>"' in last


@given(seats())
@law
def test_another_order_has_the_same_sentences(seated):
    seat, seen = seated
    own, told = (each.parts(seen, ()) for each in (seat, RewordedSeat(seat, "reordered")))

    def sentences(text):
        return sorted(re.split(r"(?<=\.)[ \n]", text))

    assert sentences(told[3]) == sentences(own[3])
    lines = told[3].split("\n")
    starts = ("Contract in force", "Changed just now", "Fruit", "Pollution", "Step")
    places = [next(i for i, line in enumerate(lines) if line.startswith(s)) for s in starts]
    assert places == sorted(places)


@given(seats())
@law
def test_distraction_only_adds_lines(seated):
    seat, seen = seated
    own, told = (each.parts(seen, ()) for each in (seat, RewordedSeat(seat, "distracted")))
    lines = told[3].split("\n")
    assert [line for line in lines if line in own[3].split("\n")] == own[3].split("\n")
    assert len(lines) > len(own[3].split("\n"))
    assert told == RewordedSeat(seat, "distracted").parts(seen, ())


@given(seats())
@law
def test_nothing_of_an_observation_is_left_as_it_was_in_a_paraphrase(seated):
    seat, seen = seated
    own, told = (each.parts(seen, ()) for each in (seat, RewordedSeat(seat, "paraphrased")))
    for before, after in ((own[0], told[0]), (own[3], told[3])):
        assert set(before.split("\n")).isdisjoint(after.split("\n"))
    assert set(own[2]).isdisjoint(told[2])


def test_a_contract_may_say_who_is_paid():
    env = ContractWrapper(cleanup_icn.parallel_env(), CONTRACTS[0])
    seen = env.reset(seed=0)[0]["agent_0"]
    own, told = (
        each.parts(seen, ())
        for each in (
            CleanupSeat(env, "agent_0"),
            RewordedSeat(CleanupSeat(env, "agent_0"), "contract"),
        )
    )
    line = "every agent is paid by the others 0.6 for each unit cleaned by the payee."
    assert f"Contract in force: Up to the end: {line}" in told[3].split("\n")
    assert told[:3] == own[:3]
    assert len(set(told[3].split("\n")) ^ set(own[3].split("\n"))) == 2


@other_wordings
def test_talks_are_told_in_other_words_too(wording):
    seat, seen = talks()
    own, told = (each.parts(seen, ()) for each in (seat, RewordedSeat(seat, wording)))
    assert flat(told) != flat(own)
    assert numbers(told) == numbers(own)


def test_a_reworded_seat_asks_and_reads_as_the_seat_does():
    env = cleanup_icn.parallel_env()
    seen = env.reset(seed=0)[0]["agent_0"]
    seat, reworded = (
        CleanupSeat(env, "agent_0"),
        RewordedSeat(CleanupSeat(env, "agent_0"), "synonyms"),
    )
    for each in (seat, reworded):
        each.heed("<PLAN>mind the pollution</PLAN>\nAction: move")
    assert "Your notes to yourself: mind the pollution" in reworded.parts(seen, ())[3]
    assert reworded.form((), max_chars=50) == seat.form((), max_chars=50)
    assert reworded.parse("Action: move") == seat.parse("Action: move")
    assert reworded.complaint("missing") == seat.complaint("missing")
    reworded.reset()
    assert "notes" not in reworded.parts(seen, ())[3]


def test_the_own_wording_is_the_game_s():
    env = cleanup_icn.parallel_env()
    seen = env.reset(seed=0)[0]["agent_0"]
    seat = CleanupSeat(env, "agent_0")
    assert RewordedSeat(seat, OWN).parts(seen, ("plan",)) == seat.parts(seen, ("plan",))


def test_a_wording_that_there_is_none_of_is_refused():
    seat = CleanupSeat(cleanup_icn.parallel_env(), "agent_0")
    with pytest.raises(ConfigError, match="wording = 'latin': expected one of own, synonyms"):
        RewordedSeat(seat, "latin")
