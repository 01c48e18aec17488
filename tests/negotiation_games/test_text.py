"""What parties are told: enough to play by, in either layout, and never rewritten."""

from __future__ import annotations

import re
from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from negotiation_worlds import NAMES, ferry, games, make, play, short

from negotiation_games import Incentive, Issue, TextActions

law = settings(max_examples=30, deadline=None)
each_layout = pytest.mark.parametrize("layout", ["append", "published"])
STEPS = ("observe", "explore", "plan")


def answers(turn):
    """An answer that can be told from all others."""
    return (
        f"<ANSWER>Answer number{turn}.</ANSWER><DEAL>A1,B2</DEAL><PLAN>Notes number{turn}.</PLAN>"
    )


def told(game=None, answer=answers, **config):
    """The texts of an episode in order: (who spoke, what it read, its instruction)."""
    env = TextActions(make(game, **config))
    env.reset(seed=0)
    texts = []
    while env.agents:
        agent = env.agent_selection
        observation, *_, terminated, truncated, info = env.last()
        text = observation if isinstance(observation, str) else observation["text"]
        texts.append((agent, text, env.unwrapped.prompt_parts(agent)[-1], info["phase"]))
        env.step(None if terminated or truncated else answer(len(texts)))
    return texts


def first_text(game=None, **config):
    return told(game, **config)[0][1]


# --- layouts ---------------------------------------------------------------------------------


@law
@given(game=games(max_options=2), voting=st.sampled_from(["implicit", "explicit"]))
def test_what_a_party_has_read_once_is_never_rewritten(game, voting):
    texts = told(game, voting=voting, num_turns=2 * len(game.parties))
    for name in game.party_names:
        own = [text.removesuffix(last) for agent, text, last, _ in texts if agent == name]
        assert len(own) >= 3
        for earlier, later in pairwise(own):
            assert later.startswith(earlier.rstrip())


def test_the_rules_and_the_scenario_come_first_and_are_the_same_for_all():
    env = make()
    env.reset(seed=0)
    texts = [env.observe(agent)["text"] for agent in env.possible_agents]
    rules = env.unwrapped.prompt_parts("Line")[0]
    assert all(text.startswith(rules) for text in texts)
    assert "A ferry is to be licensed." in rules


def test_the_append_layout_shows_all_that_was_said():
    for turn, (_, text, _, phase) in enumerate(told()):
        heard = [int(n) for n in re.findall(r"Answer number(\d+)", text)]
        assert heard == list(range(1, turn + 1)) or phase == "over"
        assert "Line: <DEAL>A1,B1</DEAL>" in text


def test_the_published_layout_shows_the_last_six_answers():
    for turn, (_, text, _, phase) in enumerate(told(layout="published")):
        heard = [int(n) for n in re.findall(r"Answer number(\d+)", text)]
        assert heard == list(range(1, turn + 1))[-6:] or phase == "over"
        assert ("Line: <DEAL>A1,B1</DEAL>" in text) == (turn < 6)


def test_both_layouts_begin_with_the_same_words():
    assert first_text() == first_text(layout="published")


@each_layout
def test_the_observation_alone_is_the_text(layout):
    whole = told(layout=layout)
    assert told(layout=layout, observation="text") == whole


@each_layout
def test_a_plan_is_told_to_its_author_in_its_next_turn_and_not_after(layout):
    last_turn = {}
    told_plans = 0
    for turn, (agent, text, _, phase) in enumerate(told(layout=layout), 1):
        plans = [int(n) for n in re.findall(r"Notes number(\d+)", text)]
        if phase != "over":
            assert plans == ([last_turn[agent]] if agent in last_turn else [])
            told_plans += len(plans)
        last_turn[agent] = turn
    assert told_plans == 3 * 4 + 1


@each_layout
def test_who_makes_no_plan_is_not_told_the_one_before(layout):
    texts = told(layout=layout, answer=lambda turn: answers(turn) if turn <= 4 else "Nothing.")
    shown = [re.findall(r"Notes number(\d+)", text) for _, text, *_ in texts]
    assert sum(map(len, shown[:9])) == 4
    assert not any(shown[9:])


def test_a_voter_is_told_the_final_proposal():
    votes = [text for *_, text, phase in told(voting="explicit") if phase == "vote"]
    assert len(votes) == 3
    assert all("A1,B2" in text for text in votes)


# --- what is told ----------------------------------------------------------------------------


@law
@given(game=games(least_score=-9))
def test_everybody_is_told_the_issues_the_parties_its_scores_and_its_threshold(game):
    env = make(game)
    env.reset(seed=0)
    for party in game.parties:
        text = env.observe(party.name)["text"]
        assert all(name in text for name in game.party_names)
        assert party.instructions[party.incentive] in text
        for letter, points in zip("ABCDEF", party.scores, strict=False):
            for option, score in enumerate(points, 1):
                assert re.search(rf"\b{letter}{option}\b\D{{0,3}}(?<![\d-]){score}(?!\d)", text)
        assert re.search(rf"minimum[^.\n]*(?<![\d-]){party.threshold}(?!\d)", text)


def test_the_rules_say_who_opens_who_must_agree_how_many_and_the_bonus():
    text = first_text()
    assert re.search(r"Line opens", text)
    assert re.search(r"Line and Port must", text)
    assert re.search(r"\b16 turns", text)
    assert re.search(r"Line earns 10 points", text)
    assert "<DEAL>" in text


def test_what_options_mean_is_told_to_all():
    game = ferry()
    issues = (Issue("Where", ("the old quay", "the new one"), "Both are in town."), game.issues[1])
    text = first_text(replace(game, issues=issues))
    assert all(words in text for words in ("the old quay", "the new one", "Both are in town."))


def test_every_incentive_has_words_of_its_own():
    words = set()
    for kind in Incentive:
        texts = told(ferry(Farm=kind))
        words.add(next(instruction for agent, _, instruction, _ in texts if agent == "Farm"))
    assert len(words) == len(Incentive)


def test_a_saboteur_with_a_target_is_told_whom_and_nobody_else_is():
    env = make(ferry(Farm=Incentive.TARGETED_SABOTAGE))
    instructions = {}

    def choose(agent, observation, info):
        instructions[agent] = env.unwrapped.prompt_parts(agent)[-1]
        return 0

    play(env, choose)
    assert "Town" in instructions["Farm"]
    assert not any("Town" in instructions[name] for name in ("Line", "Port"))


@pytest.mark.parametrize("step", STEPS)
def test_each_reasoning_step_can_be_switched_off(step):
    rest = [other for other in STEPS if other != step]
    whole, less = told()[0][2], told(reasoning=rest)[0][2]
    assert len(less) < len(whole)
    assert set(less.splitlines()) < set(whole.splitlines())
    assert told(reasoning=tuple(reversed(STEPS)))[0][2] == whole


@pytest.mark.parametrize("steps", [(), *[(s,) for s in STEPS], STEPS[:2], STEPS[::2], STEPS[1:]])
def test_whatever_is_asked_for_it_is_said_where_it_is_to_be_written(steps):
    for *_, text, phase in told(reasoning=steps):
        if phase != "over":
            assert "scratchpad" not in text.lower() or "<SCRATCHPAD>" in text
            assert "plan" not in text.lower() or "<PLAN>" in text
            assert "<ANSWER>" in text
            assert "<DEAL>" in text


@pytest.mark.parametrize("words", ["", "…" * 2001, "ünï ☂ 𐍈😀", "{} %s {target} \\", "[7] <b>"])
def test_any_words_can_be_said_and_are_heard_as_they_were_said(words):
    heard = told(answer=lambda turn: f"<ANSWER>{words}</ANSWER><DEAL>A1,B2</DEAL>")[-1][1]
    assert words[:1000] in heard


def test_what_cannot_be_sent_on_is_not_shown():
    for _, text, *_ in told(answer=lambda turn: "<ANSWER>\ud800.</ANSWER><PLAN>\udfff.</PLAN>"):
        assert text.encode("utf-8")


@law
@given(game=games(max_options=2), seed=st.integers(0, 99))
def test_render_shows_the_public_record_and_nothing_else(game, seed):
    env = short(game, render_mode="ansi")
    env.reset(seed=seed)
    drawn = env.render()
    assert game.parties[game.proposer_index].name in drawn
    for party in game.parties:
        assert party.instructions[party.incentive] not in drawn


def test_names_of_any_script_are_agents():
    env = make(
        replace(
            ferry(),
            parties=tuple(
                replace(p, name=name) for p, name in zip(ferry().parties, NAMES[1:5], strict=True)
            ),
        )
    )
    env.reset(seed=0)
    assert env.agents == list(NAMES[1:5])
    assert all(f"You are {name}." in env.observe(name)["text"] for name in env.agents)
