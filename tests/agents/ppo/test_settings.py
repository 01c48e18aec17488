import json
from dataclasses import fields

import pytest

from agents.ppo import PPOSettings


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("algorithm", "a2c", "one of 'maskable-ppo', 'ppo'"),
        ("algorithm", ["ppo"], "one of 'maskable-ppo', 'ppo'"),
        ("evaluate_every_rollouts", 0, "an integer of at least 1"),
        ("total_agent_steps", 0, "an integer of at least 1"),
        ("num_lanes", 2.0, "an integer of at least 1"),
        ("n_steps", True, "an integer of at least 1"),
        ("batch_size", 1, "an integer of at least 2"),
        ("n_epochs", "4", "an integer of at least 1"),
        ("torch_threads", None, "an integer of at least 1"),
        ("learning_rate", 0.0, "a number above 0"),
        ("clip_range", float("nan"), "a number above 0"),
        ("max_grad_norm", float("inf"), "a number above 0"),
        ("reward_scale", "1", "a number above 0"),
        ("gamma", 1.01, "a number from 0 to 1"),
        ("gae_lambda", -0.01, "a number from 0 to 1"),
        ("ent_coef", -1e-9, "a number of at least 0"),
        ("vf_coef", float("nan"), "a number of at least 0"),
        ("hidden_sizes", (64, 0), "a tuple of integers of at least 1"),
        ("hidden_sizes", [64], "a tuple of integers of at least 1"),
        ("hidden_sizes", "64", "a tuple of integers of at least 1"),
        ("bootstrap_truncation", 1, "True or False"),
    ],
)
def test_a_wrong_value_is_refused_by_name(name, value, expected):
    with pytest.raises(ValueError, match=expected) as raised:
        PPOSettings(**{name: value})
    assert str(raised.value) == f"{name} = {value!r}: expected {expected}"


def test_every_setting_is_checked():
    for field in fields(PPOSettings):
        with pytest.raises(ValueError, match=f"{field.name} = <object"):
            PPOSettings(**{field.name: object()})


def test_the_ends_of_every_range_are_allowed():
    settings = PPOSettings(
        gamma=0, gae_lambda=1, ent_coef=0, vf_coef=0, hidden_sizes=(), total_agent_steps=1
    )
    assert settings.hidden_sizes == ()


def test_all_wrong_values_are_named_at_once():
    with pytest.raises(ValueError, match="gamma") as raised:
        PPOSettings(gamma=2, n_steps=0)
    assert str(raised.value).splitlines() == [
        "n_steps = 0: expected an integer of at least 1",
        "gamma = 2: expected a number from 0 to 1",
    ]


def test_settings_are_read_from_a_mapping_and_written_to_one():
    settings = PPOSettings.from_dict({"hidden_sizes": [8], "gamma": 0.5, "algorithm": "ppo"})
    assert settings == PPOSettings(hidden_sizes=(8,), gamma=0.5, algorithm="ppo")
    assert PPOSettings.from_dict(json.loads(json.dumps(settings.to_dict()))) == settings
    assert set(settings.to_dict()) == {field.name for field in fields(PPOSettings)}
    assert PPOSettings.from_dict({}) == PPOSettings()
    assert json.dumps(PPOSettings(gamma=1).to_dict()) == json.dumps(PPOSettings().to_dict())


def test_unknown_and_wrong_entries_of_a_mapping_are_named_together():
    with pytest.raises(ValueError, match="clip") as raised:
        PPOSettings.from_dict({"clip": 0.2, "gamma": "1", "n_epochs": [4]})
    unknown, *wrong = str(raised.value).splitlines()
    assert unknown.startswith("clip = 0.2: expected a setting, one of algorithm, total_agent_steps")
    assert wrong == [
        "n_epochs = (4,): expected an integer of at least 1",
        "gamma = '1': expected a number from 0 to 1",
    ]
