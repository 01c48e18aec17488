"""Drawn games: their names, and arenas that play them."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from run_folders import play_run

from benchmarks.arena import Cell
from benchmarks.cells import play_cell
from benchmarks.negotiation.arena import INCENTIVES, NegotiationArena, Setting
from benchmarks.negotiation.drawn import drawn_game, drawn_name, is_drawn
from benchmarks.replay import replay_run
from benchmarks.store import open_run
from negotiation_games import GameError, Incentive, bundled_games
from negotiation_games.solve import solve

NAME = "drawn-4x3.3.4-f6-s123"


def arena_of(*conditions):
    return NegotiationArena(
        name="drawn",
        description="",
        conditions=conditions,
        policies=("best-guess", "no-communication"),
        shown_policy="best-guess",
        num_episodes=2,
    )


def test_a_name_says_the_whole_game():
    game = drawn_game(NAME)
    assert (game.name, game.num_parties, game.num_options) == (NAME, 4, (3, 3, 4))
    assert 1 <= solve(game).feasible <= 6
    assert all(sum(map(max, party.scores)) == 100 for party in game.parties)
    assert drawn_game(NAME) == game
    assert drawn_game(NAME.replace("s123", "s124")).parties != game.parties


@settings(max_examples=20, deadline=None)
@given(
    num_parties=st.integers(3, 6),
    num_options=st.lists(st.integers(3, 4), min_size=3, max_size=4),
    seed=st.integers(0, 10**19 - 1),
)
def test_every_name_that_is_written_is_read(num_parties, num_options, seed):
    name = drawn_name(num_parties=num_parties, num_options=num_options, feasible=12, seed=seed)
    assert is_drawn(name)
    game = drawn_game(name)
    assert (game.name, game.num_parties) == (name, num_parties)
    assert game.num_options == tuple(num_options)


@pytest.mark.parametrize("name", ["drawn-4x3.3-s1", "drawn-4x3.3.-f6-s1", "drawn-", NAME + " "])
def test_a_name_of_another_form_is_refused_with_an_example(name):
    with pytest.raises(GameError, match=r"as in drawn-4x3\.3\.4-f6-s123"):
        drawn_game(name)


def test_no_bundled_game_has_a_name_of_a_drawn_one():
    assert not any(map(is_drawn, bundled_games()))


@pytest.mark.parametrize("incentives", INCENTIVES)
def test_a_drawn_game_is_played_with_all_incentives(incentives):
    setting = Setting(game=NAME, incentives=incentives, num_turns=8)
    parties = setting.load().parties
    deviants = [party for party in parties if party.incentive is not Incentive.COOPERATIVE]
    assert len(deviants) == (incentives != "cooperative")
    (result, _) = play_cell(arena_of(setting), Cell(policy="best-guess", contract=setting.name))
    assert (result.game, len(result.turns)) == (NAME, 1 + 8 + 1)


def test_an_arena_of_drawn_games_is_told_in_json():
    arena = arena_of(Setting(game=NAME, incentives="cooperative"))
    assert NegotiationArena.from_dict(json.loads(json.dumps(arena.to_dict()))) == arena


def test_a_run_of_drawn_games_is_played_again_from_its_records(tmp_path):
    settings_ = [
        Setting(game=NAME.replace("123", str(seed)), incentives="cooperative") for seed in (1, 2)
    ]
    play_run(replace(arena_of(*settings_), num_episodes=1), tmp_path / "run")
    with open_run(tmp_path / "run") as reader:
        assert [again.difference for again in replay_run(reader)] == [None] * 4
