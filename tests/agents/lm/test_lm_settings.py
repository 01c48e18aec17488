import json
from dataclasses import fields

import pytest

from agents.lm import StudentSettings, TeachingSettings

COUNT = "an integer of at least 1"


@pytest.mark.parametrize(
    ("settings", "name", "value", "expected"),
    [
        (StudentSettings, "base", "", "a folder's path, or None"),
        (StudentSettings, "layers", 0, COUNT),
        (StudentSettings, "heads", True, COUNT),
        (StudentSettings, "vocab_size", 260, "an integer of at least 261"),
        (StudentSettings, "context_tokens", 2.0, COUNT),
        (TeachingSettings, "steps", 0, COUNT),
        (TeachingSettings, "batch_size", "32", COUNT),
        (TeachingSettings, "learning_rate", 0.0, "a number above 0"),
        (TeachingSettings, "learning_rate", float("inf"), "a number above 0"),
        (TeachingSettings, "warmup_steps", -1, "an integer of at least 0"),
        (TeachingSettings, "weight_decay", float("nan"), "a number of at least 0"),
        (TeachingSettings, "precision", "half", "one of 'auto', 'float32', 'bfloat16'"),
        (TeachingSettings, "precision", ["auto"], "one of 'auto', 'float32', 'bfloat16'"),
        (TeachingSettings, "seed", -1, "an integer from 0 to 2**32 - 1"),
        (TeachingSettings, "seed", 2**32, "an integer from 0 to 2**32 - 1"),
        (TeachingSettings, "save_every_steps", 0, COUNT),
        (TeachingSettings, "threads", 0, COUNT + ", or None"),
    ],
)
def test_a_wrong_value_is_refused_by_name(settings, name, value, expected):
    with pytest.raises(ValueError, match=name) as raised:
        settings(**{name: value})
    assert str(raised.value) == f"{name} = {value!r}: expected {expected}"


@pytest.mark.parametrize("settings", [StudentSettings, TeachingSettings])
def test_every_setting_of_a_teaching_is_checked(settings):
    for field in fields(settings):
        with pytest.raises(ValueError, match=f"{field.name} = <object"):
            settings(**{field.name: object()})


@pytest.mark.parametrize(("width", "heads"), [(100, 4), (128, 3), (16, 1), (64, 4)])
def test_a_heads_width_is_a_multiple_of_32(width, heads):
    with pytest.raises(ValueError, match=f"width = {width}: expected a multiple of 32 times heads"):
        StudentSettings(width=width, heads=heads)


def test_lora_needs_a_base():
    with pytest.raises(ValueError, match="lora_rank = 8: expected None where there is no base"):
        StudentSettings(lora_rank=8)
    assert StudentSettings(lora_rank=8, base="folder").lora_rank == 8


def test_all_wrong_values_of_a_teaching_are_named_at_once():
    with pytest.raises(ValueError, match="steps") as raised:
        TeachingSettings.from_dict({"seed": -1, "steps": 0, "epochs": 3})
    unknown, *wrong = str(raised.value).splitlines()
    assert unknown.startswith("epochs = 3: expected a setting, one of steps, batch_size")
    assert wrong == [
        "steps = 0: expected an integer of at least 1",
        "seed = -1: expected an integer from 0 to 2**32 - 1",
    ]


@pytest.mark.parametrize(
    "settings",
    [
        StudentSettings(base="folder", lora_rank=4, width=64, heads=2),
        TeachingSettings(steps=5, threads=2, learning_rate=1),
    ],
)
def test_settings_of_a_teaching_are_read_from_what_they_write(settings):
    written = json.loads(json.dumps(settings.to_dict()))
    assert type(settings).from_dict(written) == settings
    assert set(written) == {field.name for field in fields(settings)}


def test_equal_settings_of_a_teaching_give_equal_json():
    whole, real = TeachingSettings(learning_rate=1), TeachingSettings(learning_rate=1.0)
    assert json.dumps(whole.to_dict()) == json.dumps(real.to_dict())
