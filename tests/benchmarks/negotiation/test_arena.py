"""Arenas of negotiation: settings, and who is after what."""

from __future__ import annotations

import json
import pickle
from dataclasses import replace

import pytest

from benchmarks.arena import Cell, cells_of
from benchmarks.cells import play_cell
from benchmarks.model_config import Table
from benchmarks.negotiation.arena import INCENTIVES, Setting, choosiest_players
from benchmarks.negotiation.policies import POLICIES
from benchmarks.suite_file import suite_named
from negotiation_games import Incentive, Role, bundled_games, load_game

NEGOTIATION_SMOKE = suite_named("negotiation-smoke").arenas[0]


def test_the_smoke_suite_has_three_games_with_two_incentives_each():
    assert len(NEGOTIATION_SMOKE.games) == 3
    assert len(NEGOTIATION_SMOKE.conditions) == 6


def test_every_policy_of_the_smoke_suite_exists():
    assert set(NEGOTIATION_SMOKE.policies) <= set(POLICIES)
    assert NEGOTIATION_SMOKE.shown_policy in NEGOTIATION_SMOKE.policies


def test_a_learned_policy_is_played_only_in_the_games_in_which_it_is_trained():
    played = {cell.contract for cell in cells_of(NEGOTIATION_SMOKE) if cell.policy == "ppo"}
    assert played == {"base/cooperative", "base/greedy-veto"}


def test_a_suite_is_written_as_json_and_sent_to_processes():
    assert json.loads(json.dumps(NEGOTIATION_SMOKE.to_dict())) == NEGOTIATION_SMOKE.to_dict()
    assert pickle.loads(pickle.dumps(NEGOTIATION_SMOKE)) == NEGOTIATION_SMOKE


@pytest.mark.parametrize("setting", NEGOTIATION_SMOKE.conditions, ids=lambda s: s.name)
def test_a_setting_says_what_every_party_is_after(setting):
    greedy = {p.role for p in setting.load().parties if p.incentive is Incentive.GREEDY}
    assert greedy == ({Role.VETO} if setting.incentives == "greedy-veto" else set())
    others = {p.incentive for p in setting.load().parties} - {Incentive.GREEDY}
    assert others == {Incentive.COOPERATIVE}


def test_a_settings_environment_plays_its_game():
    setting = Setting(game="game1", incentives="cooperative")
    assert setting.make_env().game == setting.load()


def after_what(incentives, game="base"):
    """Return who is not cooperative, and what it is after."""
    parties = Setting(game=game, incentives=incentives).load().parties
    return {p.name: p.incentive for p in parties if p.incentive is not Incentive.COOPERATIVE}


@pytest.mark.parametrize(
    ("incentives", "deviant"),
    [
        ("cooperative", {}),
        ("greedy-veto", {"Department of Tourism": Incentive.GREEDY}),
        ("greedy-leading", {"SportCo": Incentive.GREEDY}),
        ("greedy-player", {"Environmental League": Incentive.GREEDY}),
        ("saboteur", {"Environmental League": Incentive.SABOTAGE}),
        ("targeted-saboteur", {"Environmental League": Incentive.TARGETED_SABOTAGE}),
    ],
)
def test_the_incentives_are_those_of_the_published_table(incentives, deviant):
    assert after_what(incentives) == deviant


def test_the_saboteurs_target_is_the_published_one_and_nobodys_else():
    targets = {
        incentives: [
            p.name
            for p in Setting(game="base", incentives=incentives).load().parties
            if p.role is Role.TARGET
        ]
        for incentives in INCENTIVES
    }
    assert targets.pop("targeted-saboteur") == ["Local Labour Union"]
    assert set(map(tuple, targets.values())) == {()}


@pytest.mark.parametrize("game", bundled_games())
@pytest.mark.parametrize("incentives", INCENTIVES)
def test_every_bundled_game_can_be_played_with_all_incentives(game, incentives):
    assert len(after_what(incentives, game)) == (incentives != "cooperative")


def test_players_are_in_the_order_of_how_few_deals_please_them():
    game = load_game("base")
    names = [party.name for party in choosiest_players(game)]
    assert names == ["Environmental League", "Local Labour Union", "Other cities", "Mayor"]


@pytest.mark.parametrize("incentives", INCENTIVES)
def test_a_negotiation_is_played_to_its_end_whatever_somebody_is_after(incentives):
    setting = Setting(game="hospital_merger", incentives=incentives)
    arena = replace(NEGOTIATION_SMOKE, conditions=(setting,), num_episodes=1)
    for policy in ("best-guess", "stub-cooperative"):
        (result,) = play_cell(arena, Cell(policy=policy, contract=setting.name))
        assert (result.incentives, len(result.rewards)) == (incentives, 5)


def test_a_setting_is_played_as_it_says_and_comes_back_from_its_record():
    setting = Setting(game="base", incentives="saboteur", num_turns=12, no_deal="zero")
    assert Setting.from_dict(json.loads(json.dumps(setting.to_dict()))) == setting
    arena = replace(NEGOTIATION_SMOKE, conditions=(setting,), num_episodes=1)
    (result,) = play_cell(arena, Cell(policy="stubborn", contract=setting.name))
    assert len(result.turns) == 1 + 12 + 1  # the opening, turns, the final proposal
    assert not result.passed
    assert sorted(result.rewards) == [0, 0, 0, 0, 0, 150]


def test_who_learned_is_not_played_in_other_games_within_a_lineup_either():
    pair = Table(name="ppo + planner", everyone="planner", seats={"proposer": "ppo"})
    arena = replace(NEGOTIATION_SMOKE, lineups=(pair,), policies=("planner", pair.name))
    played = {cell.contract for cell in cells_of(arena) if cell.policy == pair.name}
    assert played == {"base/cooperative", "base/greedy-veto"}
