"""The built-in suite of negotiation."""

from __future__ import annotations

import json
import pickle

import pytest

from benchmarks.negotiation.policies import POLICIES
from benchmarks.negotiation.suite import NEGOTIATION_SMOKE, Setting
from benchmarks.suite import cells_of
from negotiation_games import Incentive, Role


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
