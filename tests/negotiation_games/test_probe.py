"""The question off the record: written, read whatever the answer, scored against the sheets."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from negotiation_worlds import ferry, games, short
from small_games import base

import negotiation_games
from negotiation_games import GameError
from negotiation_games.game import deal_name
from negotiation_games.probe import parse_probe, render_probe, score_probe

FARM, LINE, TOWN, PORT = range(4)


def truth(game, party_index):
    """Every other party's best options."""
    return {
        party.name: tuple(points.index(max(points)) for points in party.scores)
        for i, party in enumerate(game.parties)
        if i != party_index
    }


def written(guess):
    return "\n".join(f"{name}: {deal_name(options)}" for name, options in guess.items())


def test_the_question_names_every_other_party_and_follows_what_is_known():
    env = short()
    env.reset(seed=0)
    known = "\n\n".join(env.unwrapped.prompt_parts("Town")[:3])
    words = render_probe(ferry(), TOWN, known=known)
    assert words.startswith(known)
    question = words.removeprefix(known).splitlines()
    assert [line for line in question if line.endswith(": A1,B1")] == [
        "Farm: A1,B1",
        "Line: A1,B1",
        "Port: A1,B1",
    ]


@settings(max_examples=50, deadline=None)
@given(game=games(), data=st.data())
def test_the_truth_is_read_back_and_scores_everything(game, data):
    index = data.draw(st.integers(0, game.num_parties - 1))
    guess = parse_probe(written(truth(game, index)), game, index)
    assert guess == truth(game, index)
    score = score_probe(game, index, guess)
    assert score.correct == score.rows == score.answered
    assert score.accuracy == (1.0 if score.rows else None)


@pytest.mark.parametrize(
    "answer",
    [
        "Farm: A2,B3\nLine: A1, B1\nPort: A1,B3",
        "farm: b3 a2\nLINE: A1;B1\nport: B3. A1",
        "**Farm**: `A2,B3`\n- **Line**: A1,B1\n- Port : A1,B3",
        '{"Farm": {"A": "A2", "B": "B3"}, "Line": ["A1", "B1"], "Port": "A1,B3"}',
        "Line: I am unsure.\nFarm: A1,B1\n\nFinal:\nFarm: A2,B3 Line: A1,B1 Port: A1,B3",
    ],
)
def test_an_answer_is_read_whatever_its_form(answer):
    assert parse_probe(answer, ferry(), TOWN) == truth(ferry(), TOWN)


def test_what_is_missing_or_contradicts_itself_is_no_guess():
    guess = parse_probe("Farm: A2\nLine: A1,A2,B1\nPort: A9,C1", ferry(), TOWN)
    assert guess == {"Farm": (1, None), "Line": (None, 0), "Port": (None, None)}
    score = score_probe(ferry(), TOWN, guess)
    assert (score.correct, score.answered, score.rows) == (2, 2, 6)
    assert score.accuracy == pytest.approx(1 / 3)


def test_a_guess_about_oneself_is_ignored():
    assert set(parse_probe("Town: A1,B1", ferry(), TOWN)) == {"Farm", "Line", "Port"}


@given(st.one_of(st.text(), st.none(), st.integers(), st.binary()))
def test_reading_never_raises(answer):
    guess = parse_probe(answer, ferry(), TOWN)
    assert set(guess) == {"Farm", "Line", "Port"}


def test_rows_without_a_preference_are_left_out_and_chance_is_stated():
    game = base()
    score = score_probe(game, 3, {})
    neutral = 1 + 1 + 3
    assert score.rows == 5 * 5 - neutral
    assert (score.correct, score.accuracy) == (0, 0.0)
    expected = [
        row.count(max(row)) / len(row)
        for i, party in enumerate(game.parties)
        for row in party.scores
        if i != 3 and len(set(row)) > 1
    ]
    assert score.chance == pytest.approx(sum(expected) / len(expected))


def test_a_party_that_is_not_there_cannot_be_asked():
    with pytest.raises(GameError, match="party_index: found 4, expected 0 to 3"):
        render_probe(ferry(), 4, known="")


def test_an_environment_gives_the_question_with_what_the_party_knows_and_goes_on_unchanged():
    env = negotiation_games.env(game="base")
    env.reset(seed=0)
    before = env.last()[0]["text"]
    question = env.unwrapped.probe_text("Mayor")
    assert "You are Mayor." in question
    assert all(f"{name}: A1" in question for name in env.agents if name != "Mayor")
    assert env.last()[0]["text"] == before
