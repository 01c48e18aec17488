"""Other words for Cleanup's text: they say the same, and are others."""

from __future__ import annotations

import random
import re
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import cleanup_icn
from cleanup_icn import ConfigError, icn
from cleanup_icn.contracts import Contract, ContractWrapper, Duration, LumpSum, Share, Wage
from cleanup_icn.prompt import CleanupSeat
from cleanup_icn.wording_phrases import (
    CONTRACT,
    DISTRACTIONS,
    PARAPHRASES,
    SYNONYMS,
    TEACHING_DISTRACTIONS,
    TEACHING_PHRASES,
)
from cleanup_icn.wordings import (
    EXAMINED_WORDINGS,
    OWN,
    TAUGHT_WORDINGS,
    VARIED,
    WORDINGS,
    RewordedSeat,
)

law = settings(max_examples=40)
other_wordings = pytest.mark.parametrize("wording", EXAMINED_WORDINGS)

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


def talks(**config):
    """A seat in talks that have gone on for a while; what it sees."""
    env = icn.parallel_env(**config)
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


# --- the wording to teach in ---------------------------------------------------------------------

LINES = {
    "whereabouts": r"Step \d+ of \d+\.",
    "pollution": r"^(Pollution|Waste) \d+",
    "fruit": r"^Fruit \d+",
    "contract": r"^(Contract|Treaty) in force: ",
    "changed": r"^Changed just now: ",
    "announced": r"^Announced from step ",
}
SENTENCES = {"you": "You are ", "garden": "In the ", "shore": "At the ", "step": "Step "}


def told_in(wording, seated, steps=()):
    seat, seen = seated
    return RewordedSeat(seat, wording).parts(seen, steps)


def order_of(instruction):
    """Return what the lines that may move are about, in the order in which they stand."""
    kinds = [[k for k, p in LINES.items() if re.search(p, ln)] for ln in instruction.split("\n")]
    return [kind for found in kinds for kind in found]


def whereabouts_of(instruction):
    """Return what the sentences say that tell who is where, in the order in which they stand."""
    (line,) = [ln for ln in instruction.split("\n") if re.search(LINES["whereabouts"], ln)]
    sentences = re.findall(r"[^.]+\.", line)
    return [k for s in sentences for k, start in SENTENCES.items() if s.strip().startswith(start)]


def idle_in(instruction):
    return [line for line in instruction.split("\n") if line in TEACHING_DISTRACTIONS]


def words_of_phrases(phrases):
    """Return the words that phrases put in place, but for those that the game has."""
    told = {word for _, words in phrases for word in re.findall(r"[a-z]{3,}", words.lower())}
    own = flat(talks()[0].parts(talks()[1], ())).lower()
    return told - set(re.findall(r"[a-z]{3,}", own))


def test_what_is_taught_and_what_is_examined_are_all_wordings_and_none_is_both():
    assert {*TAUGHT_WORDINGS, *EXAMINED_WORDINGS} == set(WORDINGS)
    assert set(TAUGHT_WORDINGS).isdisjoint(EXAMINED_WORDINGS)
    assert TAUGHT_WORDINGS == (OWN, VARIED)


@given(seats(), st.sampled_from([(), ("think", "plan")]))
@law
def test_a_varied_text_has_all_numbers_and_beside_them_those_of_idle_sentences(seated, steps):
    own, told = (told_in(wording, seated, steps) for wording in (OWN, VARIED))
    idle = Counter(re.findall(r"\d+", "\n".join(idle_in(told[3]))))
    assert numbers(told) == numbers(own) + idle
    assert told[3].rpartition("\n")[2] == own[3].rpartition("\n")[2]
    assert len(told[3].split("\n")) == len(own[3].split("\n")) + len(idle_in(told[3]))
    assert (told[1], len(told[2])) == (own[1], len(own[2]))


@given(seats())
@settings(max_examples=200)
def test_lines_never_stand_as_they_are_examined_in_another_order(seated):
    own, told, examined = (told_in(wording, seated)[3] for wording in (OWN, VARIED, "reordered"))
    for order in (order_of, whereabouts_of):
        assert sorted(order(told)) == sorted(order(own))
        assert order(told) != order(examined)


@given(seats())
@law
def test_a_text_is_always_varied_in_the_same_way(seated):
    assert told_in(VARIED, seated) == told_in(VARIED, seated)


def test_the_rules_are_varied_in_one_way_for_an_episode_whatever_happens_in_it():
    env = icn.parallel_env(num_agents=3)
    seen, _ = env.reset(seed=0)
    rules = set()
    for _ in range(8):
        rules |= {told_in(VARIED, (CleanupSeat(env, agent), seen[agent]))[0] for agent in seen}
        seen, *_ = env.step({agent: int(seen[agent]["action_mask"].argmax()) for agent in seen})
    assert len(rules) == 1


def test_talks_are_varied_and_contracts_stay_as_agents_must_write_them():
    rules = set()
    for horizon_steps in range(20, 50):
        own, told = (told_in(w, talks(horizon_steps=horizon_steps)) for w in (OWN, VARIED))
        idle = Counter(re.findall(r"\d+", "\n".join(idle_in(told[3]))))
        assert numbers(told) == numbers(own) + idle
        written = [line for line in own[0].split("\n") if line.startswith(("Until ", "Menu "))]
        assert any("pollution >= " in line for line in written)
        assert [line for line in told[0].split("\n") if line in written] == written
        rules.add(re.sub(r"\d+", "", told[0]))
    assert any("After the actions waste grows" in each for each in rules)


def test_no_words_of_the_examination_are_taught():
    taught = words_of_phrases([each for phrases in TEACHING_PHRASES for each in phrases])
    assert taught.isdisjoint(words_of_phrases((*SYNONYMS, *PARAPHRASES, *CONTRACT)))
    assert all(words_of_phrases(phrases) for phrases in TEACHING_PHRASES)


def test_idle_sentences_are_others_and_say_nothing_that_could_be_of_the_game():
    assert set(TEACHING_DISTRACTIONS).isdisjoint(DISTRACTIONS)
    assert len(set(TEACHING_DISTRACTIONS)) == len(TEACHING_DISTRACTIONS)
    assert any(re.search(r"\d", sentence) for sentence in TEACHING_DISTRACTIONS)
    replaced = (*SYNONYMS, *PARAPHRASES, *CONTRACT, *(e for p in TEACHING_PHRASES for e in p))
    for sentence in TEACHING_DISTRACTIONS:
        assert not order_of(sentence)
        assert not any(pattern.search(sentence) for pattern, _ in replaced)


@pytest.fixture(scope="module")
def episodes():
    """What agents see in some episodes of drawn play, in the game's words and in varied ones."""
    found = []
    for seed in range(12):
        env = cleanup_icn.parallel_env(num_agents=3, horizon_steps=30)
        seen, _ = env.reset(seed=seed)
        drawn = random.Random(seed)
        while env.agents:
            done = {agent: drawn.randrange(4) for agent in env.agents}
            for agent in done:
                seated = CleanupSeat(env, agent), seen[agent]
                found.append(tuple(told_in(wording, seated)[3] for wording in (OWN, VARIED)))
            seen, *_ = env.step(done)
    return found


def test_teaching_has_many_orders_idle_sentences_and_the_games_own_words(episodes):
    told = [varied for _, varied in episodes]
    orders = Counter(tuple(order_of(each)) for each in told)
    assert 100 < len(orders) < 120  # all orders of five lines are 120
    assert len({tuple(whereabouts_of(each)) for each in told}) == 23
    assert {line for each in told for line in idle_in(each)} == set(TEACHING_DISTRACTIONS)
    assert 0.1 < sum(own == varied for own, varied in episodes) / len(episodes) < 0.2
    own_order = orders["whereabouts", "pollution", "fruit", "contract", "changed"]
    assert 0.25 < own_order / len(told) < 0.45


def test_how_a_text_is_told_says_nothing_of_how_the_world_stands(episodes):
    """As often with idle sentences, in the own order, with other words: here as there."""

    def share(texts, is_so):
        return sum(map(is_so, texts)) / len(texts)

    manners = (
        lambda pair: bool(idle_in(pair[1])),
        lambda pair: order_of(pair[1])[0] == "whereabouts",
        lambda pair: "Answer at once" in pair[1],
        lambda pair: "riverside" in pair[1],
    )
    signs = (
        "You are agent_0",
        "You are agent_2",
        "In the fruit garden: nobody",
        "wait, move, clean",
    )
    for sign in signs:
        with_sign = [each for each in episodes if sign in each[0]]
        without = [each for each in episodes if sign not in each[0]]
        assert min(len(with_sign), len(without)) > 100, sign
        for is_so in manners:
            assert abs(share(with_sign, is_so) - share(without, is_so)) < 0.12, sign
