"""Recipes: bundled ones are whole, and a wrong file is refused with all that is wrong with it."""

from __future__ import annotations

import pytest

from benchmarks.teaching.lessons import LESSONS
from benchmarks.teaching.recipe import load_recipe, preset_names, recipe_of
from cleanup_icn import ConfigError
from cleanup_icn.wordings import EXAMINED_WORDINGS

THOUGHT = "chain-of-thought"


def test_there_is_a_recipe_for_every_kind_of_lessons():
    taught = {load_recipe(name, is_preset=True).lessons.name for name in preset_names()}
    assert taught == set(LESSONS)


@pytest.mark.parametrize("name", preset_names())
def test_a_bundled_recipe_says_what_it_teaches_and_can_be_told_as_json(name):
    recipe = load_recipe(name, is_preset=True)
    assert recipe.description
    assert recipe.to_dict()["lessons"]["name"] == recipe.lessons.name


def test_a_file_is_read_as_it_is_written(tmp_path):
    file = tmp_path / "mine.toml"
    file.write_text(
        'description = "mine"\n[lessons]\nname = "cleanup-selfish"\nepisodes = 12\n'
        '[data]\nper_episode = 3\nfilters = ["status=ok"]\nwording = "varied"\n'
        "[student]\nlayers = 2\n[teaching]\nsteps = 7\n"
    )
    recipe = load_recipe(str(file), is_preset=False)
    assert (recipe.name, recipe.description) == ("mine", "mine")
    assert (recipe.lessons.name, recipe.lessons.episodes) == ("cleanup-selfish", 12)
    assert (recipe.data.per_episode, recipe.data.filters) == (3, ("status=ok",))
    assert recipe.data.wording == "varied"
    assert (recipe.student.layers, recipe.teaching.steps) == (2, 7)


def test_everything_that_is_wrong_with_a_file_is_said_at_once(tmp_path):
    file = tmp_path / "wrong.toml"
    file.write_text(
        "wisdom = 1\n"
        '[lessons]\nname = "gardening"\nepisodes = 0\n'
        "[data]\nheld_out = 1.0\nper_episod = 3\n"
        "[student]\nlayers = 0\n[teaching]\nsteps = 0\nspeed = 3\n"
    )
    with pytest.raises(ConfigError) as refused:
        load_recipe(str(file), is_preset=False)
    lines = str(refused.value).splitlines()
    for key in (
        "wisdom",
        "lessons.name",
        "lessons.episodes",
        "data.held_out",
        "per_episod",
        "student.layers",
        "teaching.steps",
        "speed",
    ):
        assert any(key in line and str(file) in line for line in lines), key


@pytest.mark.parametrize("wording", EXAMINED_WORDINGS)
def test_nobody_is_taught_in_the_words_that_it_is_examined_in(wording):
    with pytest.raises(ConfigError, match=f"data.wording = '{wording}': expected one of own, var"):
        recipe_of("cribbing", {"data": {"wording": wording}})


def test_thoughts_are_only_taught_by_a_teacher_that_has_them():
    with pytest.raises(ConfigError, match=r"data\.style = 'chain-of-thought': expected direct: "):
        recipe_of("musing", {"lessons": {"name": "cleanup-selfish"}, "data": {"style": THOUGHT}})
    as_recorded = {"lessons": {"name": "cleanup-selfish"}}
    as_recorded["data"] = {"style": THOUGHT, "relabel": False}
    assert recipe_of("musing", as_recorded).data.style == THOUGHT
    with pytest.raises(ConfigError, match=r"data\.style = 'deep': expected one of direct, chain"):
        recipe_of("musing", {"data": {"style": "deep"}})


def test_a_negotiation_is_taught_in_its_own_words():
    written = {"lessons": {"name": "negotiation"}, "data": {"wording": "varied"}}
    with pytest.raises(
        ConfigError, match=r"data\.wording = 'varied': expected own: negotiation is"
    ):
        recipe_of("babel", written)
    assert recipe_of("plain", {**written, "data": {}}).data.wording == "own"


def test_the_recipe_in_varied_words_differs_from_the_own_ones_in_words_and_steps():
    own, varied = (load_recipe(n, is_preset=True).to_dict() for n in ("cleanup", "cleanup-varied"))
    assert (own["data"].pop("wording"), varied["data"].pop("wording")) == ("own", "varied")
    assert [own[key] for key in ("lessons", "data", "student")] == [
        varied[key] for key in ("lessons", "data", "student")
    ]


def test_a_preset_that_there_is_not_is_answered_with_the_nearest():
    with pytest.raises(ConfigError, match="did you mean cleanup"):
        load_recipe("cleenup", is_preset=True)


def test_a_file_that_cannot_be_read_is_named(tmp_path):
    with pytest.raises(ConfigError, match="readable TOML file"):
        load_recipe(str(tmp_path / "none.toml"), is_preset=False)


def test_words_are_refused_where_a_description_is_no_word():
    with pytest.raises(ConfigError, match="description"):
        recipe_of("odd", {"description": 3})
