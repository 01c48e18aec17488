from dataclasses import fields

import pytest

from agents.ppo import PPOSettings


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("total_agent_steps", 0, "an integer of at least 1"),
        ("num_lanes", 2.0, "an integer of at least 1"),
        ("n_steps", True, "an integer of at least 1"),
        ("batch_size", -1, "an integer of at least 1"),
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
