"""The file beside a taught model that lets it be played."""

from __future__ import annotations

import pytest

from benchmarks.model_file import load_models
from benchmarks.teaching.taught_models import MODELS, write_models


def written(folder, record_lines=0):
    folder.mkdir(exist_ok=True)
    write_models(folder, record_lines=record_lines)
    return load_models(folder / MODELS)


@pytest.mark.parametrize("record_lines", [None, 0, 6])
def test_the_model_is_shown_as_much_of_the_record_as_it_was_taught_with(record_lines, tmp_path):
    models = written(tmp_path, record_lines).models
    assert list(models) == ["taught"]
    assert models["taught"].record_lines == record_lines


def test_it_is_asked_to_think_where_it_was_taught_to(tmp_path):
    assert written(tmp_path).models["taught"].style == "direct"
    write_models(tmp_path, record_lines=0, style="chain-of-thought")
    assert load_models(tmp_path / MODELS).models["taught"].style == "chain-of-thought"


def test_it_answers_in_this_process_freely_and_once(tmp_path):
    asked = written(tmp_path).models["taught"]
    assert (asked.client.kind, asked.model) == ("transformers", str(tmp_path.resolve()))
    assert (asked.temperature, asked.structured, asked.max_repairs) == (0.0, "off", 0)
    assert asked.wording == "own"


@pytest.mark.parametrize("name", ["a b", 'the "best"', "back\\slash", "Ä", "tab\tand\nline"])
def test_a_folder_may_have_any_name(name, tmp_path):
    folder = tmp_path / name
    assert written(folder).models["taught"].model == str(folder.resolve())


def test_a_file_that_was_there_is_replaced(tmp_path):
    written(tmp_path, 3)
    assert written(tmp_path, None).models["taught"].record_lines is None
    assert [each.name for each in tmp_path.iterdir()] == [MODELS]
