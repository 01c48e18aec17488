"""Loading a model prints nothing, and leaves the settings of transformers as they were."""

from __future__ import annotations

import sys
import warnings

import pytest

pytest.importorskip("torch", reason="needs commonweal[lm]")
transformers = pytest.importorskip("transformers", reason="needs commonweal[lm]")

from huggingface_hub.utils import (  # noqa: E402
    are_progress_bars_disabled,
    disable_progress_bars,
    enable_progress_bars,
)
from transformers.utils import logging  # noqa: E402

from agents.llm.transformers_client import TransformersClient  # noqa: E402
from agents.lm import StudentSettings  # noqa: E402
from agents.lm.isolation import isolated  # noqa: E402
from agents.lm.silence import without_progress_bars  # noqa: E402
from agents.lm.student import make_student  # noqa: E402


@pytest.fixture(autouse=True)
def bars():
    """Bars are shown, as they are by default, and afterwards as they were."""
    ours, hubs = logging.is_progress_bar_enabled(), are_progress_bars_disabled()
    logging.enable_progress_bar()
    yield
    (logging.enable_progress_bar if ours else logging.disable_progress_bar)()
    (disable_progress_bars if hubs else enable_progress_bars)()


def load_to_play(folder):
    TransformersClient(folder, max_tokens=4, device="cpu").close()


def load_to_teach(folder):
    make_student(StudentSettings(base=str(folder)), ())


def load_by_hand(folder):
    transformers.AutoModelForCausalLM.from_pretrained(folder)


@pytest.mark.parametrize("load", [load_to_play, load_to_teach])
def test_loading_prints_nothing(load, tiny_student, capfd):
    load(tiny_student)
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("load", [load_to_play, load_to_teach])
def test_what_the_user_loads_afterwards_has_its_bar(load, tiny_student, capfd):
    load(tiny_student)
    load_by_hand(tiny_student)
    assert "Loading weights" in capfd.readouterr().err


@pytest.mark.parametrize("load", [load_to_play, load_to_teach])
def test_bars_that_the_user_turned_off_stay_off(load, tiny_student):
    logging.disable_progress_bar()
    load(tiny_student)
    assert not logging.is_progress_bar_enabled()
    assert are_progress_bars_disabled()


def test_downloads_stay_silent_where_only_they_were():
    disable_progress_bars()
    with without_progress_bars():
        pass
    assert are_progress_bars_disabled()
    assert logging.is_progress_bar_enabled()


def test_a_load_that_fails_turns_bars_on_again(tmp_path):
    with pytest.raises((OSError, ValueError)), without_progress_bars():
        load_by_hand(tmp_path)
    assert logging.is_progress_bar_enabled()
    assert not are_progress_bars_disabled()


def test_teaching_is_silent_and_then_bars_and_warnings_are_as_before(tiny_student, capfd):
    level = logging.get_verbosity()
    with isolated(seed=0, threads=1):
        load_by_hand(tiny_student)
        assert logging.get_verbosity() == logging.ERROR
    assert capfd.readouterr().err == ""
    assert (logging.get_verbosity(), logging.is_progress_bar_enabled()) == (level, True)


@pytest.mark.parametrize("setting", [True, False])
def test_an_environment_that_has_the_last_word_is_not_mentioned(setting, monkeypatch):
    switches = sys.modules[disable_progress_bars.__module__]
    monkeypatch.setattr(switches, "HF_HUB_DISABLE_PROGRESS_BARS", setting)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with without_progress_bars():
            assert not logging.is_progress_bar_enabled()
    assert logging.is_progress_bar_enabled()
