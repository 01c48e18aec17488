"""The grid of the study, and the suite that it is played as."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.arena import cells_of
from benchmarks.kinds import kind_of
from benchmarks.study import place
from benchmarks.study import suite as grid
from benchmarks.study.changes import KINDS, WorldChange
from benchmarks.study.place import GROUPS, Place
from benchmarks.study.suite import study_suite
from benchmarks.study.treatments import Treatment
from benchmarks.suite import Suite
from cleanup_icn import ConfigError

CHANGE = WorldChange.from_name("linear-threshold/+4/25/sudden")


@pytest.fixture(scope="module")
def quick():
    return study_suite("quick")


def names(suite):
    return [arena.name for arena in suite.arenas]


@given(st.sampled_from(GROUPS), st.none() | st.integers(0, 20))
def test_an_arenas_name_says_where_it_stands(group, seed):
    place = Place(group=group, change=CHANGE, training_seed=seed)
    assert Place.from_name(place.name) == place


@pytest.mark.parametrize(
    ("name", "group", "seed"),
    [
        ("linear-threshold/+4/25/sudden", "main", None),
        ("sets/linear-threshold/+4/25/sudden", "sets", None),
        ("learned/seed-2/linear-threshold/+4/25/sudden", "learned", 2),
    ],
)
def test_a_group_stands_before_the_change(name, group, seed):
    place = Place.from_name(name)
    assert (place.group, place.change, place.training_seed) == (group, CHANGE, seed)
    assert place.name == name


@pytest.mark.parametrize("name", ["other/linear-threshold/+4/25/sudden", "sets/all", "sets"])
def test_what_is_no_arena_of_the_study_is_refused(name):
    with pytest.raises(ConfigError):
        Place.from_name(name)


def test_a_suite_comes_back_from_what_a_run_keeps_of_it(quick):
    assert Suite.from_dict(json.loads(json.dumps(quick.to_dict()))) == quick


def test_every_name_in_a_suite_can_be_read(quick):
    assert len(set(names(quick))) == len(quick.arenas)
    assert {Place.from_name(name).group for name in names(quick)} == set(GROUPS)
    for arena in quick.arenas:
        change = Place.from_name(arena.name).change
        assert arena.scenario.config == change.config()
        for condition in arena.conditions:
            assert Treatment.from_name(condition.name).condition(change.base_config()) == condition


def test_everybody_in_a_suite_can_take_a_seat(quick):
    for arena in quick.arenas:
        for cell in cells_of(arena):
            env = kind_of(arena).make_env(arena, arena.condition(cell.contract))
            assert set(kind_of(arena).make_agents(cell.policy, env)) == set(env.possible_agents)


def test_groups_and_agents_can_be_chosen(quick):
    some = study_suite("quick", groups=["tradeoff", "history"], agents=["equilibrium"])
    assert some.policies == ("equilibrium",)
    assert names(some) == [n for n in names(quick) if n.startswith(("tradeoff", "history"))]


def test_what_is_chosen_stays_as_it_is_in_the_whole(quick):
    (arena,) = study_suite("quick", groups=["history"]).arenas
    assert arena == quick.arena(arena.name)


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"size": "huge"}, "quick, full"),
        ({"groups": ["side"]}, "tradeoff"),
        ({"agents": ["nobody"]}, "contract-follower"),
        ({"groups": ["sets"], "agents": ["contract-follower"]}, "equilibrium"),
    ],
)
def test_what_is_not_in_the_grid_is_refused(wrong, told):
    with pytest.raises(ConfigError, match=told):
        study_suite(**{"size": "quick", **wrong})


def test_served_models_play_where_the_stub_would_and_nowhere_else(quick, models_of):
    seated = study_suite("quick", groups=["history", "learned"], models=models_of("m"))
    for arena in seated.arenas:
        has_stub = "stub-cooperative" in quick.arena(arena.name).policies
        assert ("m" in arena.policies) == has_stub
        assert "stub-cooperative" not in arena.policies
    with pytest.raises(ConfigError, match="learned"):
        study_suite("quick", groups=["history"], models=models_of("m"))


def test_that_a_model_has_no_seat_is_known_before_anything_is_designed(models_of, monkeypatch):
    designed = "benchmarks.study.treatments.designed"
    monkeypatch.setattr(designed, lambda *_: pytest.fail("a contract is designed"))
    for chosen in ({"groups": ["main"]}, {"agents": ["contract-follower"]}):
        with pytest.raises(ConfigError, match=r"groups = 'main.*learned"):
            study_suite("quick", models=models_of("m"), **chosen)


def test_a_stub_that_gave_its_seat_to_a_model_cannot_be_chosen(models_of):
    with pytest.raises(ConfigError, match=r"agents = 'stub-cooperative': .*, ppo, m$"):
        study_suite("quick", agents=["stub-cooperative"], models=models_of("m"))


@pytest.mark.parametrize(
    ("name", "num_episodes"),
    [
        ("linear-threshold/+4/10/sudden", 1),
        ("linear-threshold/+4/25/sudden", place.DRAWN_EPISODES),
        ("linear-threshold/+4/25/noisy", place.NOISY_EPISODES),
    ],
)
def test_dice_are_thrown_often_and_the_main_worlds_show_who_draws(arena_of, name, num_episodes):
    arena = arena_of(name, Treatment(family="wage", price=1.0))
    assert arena.num_episodes == num_episodes


def test_the_full_grid_has_every_kind_at_every_magnitude(monkeypatch):
    cheap = Treatment(family=None)
    monkeypatch.setattr(grid, "_compared", lambda _families: [cheap])
    arenas = list(map(Place.from_name, names(study_suite("full", groups=["main"]))))
    sudden = {(p.change.kind, p.change.magnitude, p.change.moment) for p in arenas}
    wanted = {
        (kind.name, magnitude, moment)
        for kind in KINDS.values()
        for magnitude in kind.magnitudes
        for moment in (10, 25, 40)
    }
    assert sudden == wanted
    assert {p.change.pace for p in arenas} == {"sudden", "gradual", "twice", "announced", "noisy"}
    assert {p.change.moment for p in arenas if p.change.pace != "sudden"} == {25}


def test_a_training_is_of_one_seed_and_stands_in_an_arena_of_its_own(monkeypatch):
    monkeypatch.setattr(grid, "_learnable", lambda: [Treatment(family=None)])
    arenas = study_suite("full", groups=["learned"], agents=["ppo"]).arenas
    seeds = {arena.name: arena.seed for arena in arenas}
    assert sorted(set(seeds.values())) == [0, 1, 2]
    assert all(Place.from_name(name).training_seed == seed for name, seed in seeds.items())
