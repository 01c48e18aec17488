"""Who sits where: a policy on every seat, on one seat among partners, or a whole table."""

from __future__ import annotations

from dataclasses import dataclass, replace

import pytest

from agents import RandomAgent
from benchmarks.arena import Cell
from benchmarks.cells import play_cell
from benchmarks.lineups import lineup_of, seat_lineup, seat_of
from benchmarks.model_config import Table
from cleanup_icn import ConfigError

NAMES_OF = {"ann": ("ann", "proposer"), "ben": ("ben", "veto"), "cleo": ("cleo", "player")}


@dataclass
class Arena:
    seat: str | None = None
    partners: str | None = None
    lineups: tuple = ()
    models: tuple = ()

    @property
    def tables(self):
        return (*self.lineups, *self.models)


def who(arena, policy):
    """Return who sits where, by the policies' names."""
    made = {}

    def make_agents(name):
        agents = {seat: RandomAgent() for seat in NAMES_OF}
        made.update({id(agent): name for agent in agents.values()})
        return agents

    seated = seat_lineup(lineup_of(arena, policy), names_of=NAMES_OF, make_agents=make_agents)
    return {seat: made[id(agent)] for seat, agent in seated.items()}


def test_without_a_seat_a_policy_plays_everybody():
    assert who(Arena(), "planner") == dict.fromkeys(NAMES_OF, "planner")


@pytest.mark.parametrize("seat", ["ben", "veto"])
def test_a_policy_plays_the_seat_and_the_partners_all_others(seat):
    arena = Arena(seat=seat, partners="linear")
    assert who(arena, "planner") == {"ann": "linear", "ben": "planner", "cleo": "linear"}


def test_the_partners_play_the_seat_too_where_they_are_the_policy():
    assert set(who(Arena(seat="ann", partners="linear"), "linear").values()) == {"linear"}


def test_a_lineup_sits_as_it_says_also_where_the_arena_has_a_seat():
    lineup = Table(name="mixed", everyone="linear", seats={"player": "greedy"})
    plain = Table(name="all-linear", everyone="linear")
    arena = Arena(seat="ann", partners="planner", lineups=(lineup, plain))
    assert who(arena, "mixed") == {"ann": "linear", "ben": "linear", "cleo": "greedy"}
    assert set(who(arena, "all-linear").values()) == {"linear"}


def test_a_model_plays_the_seat_unless_its_table_speaks_of_seats():
    alone = Table(name="a-small-one", everyone="small")
    told = Table(name="both", everyone="small", seats={"veto": "large"})
    arena = Arena(seat="ann", partners="linear", models=(alone, told))
    seated = Table(name="a-small-one", everyone="linear", seats={"ann": "small"})
    assert lineup_of(arena, "a-small-one") == seated
    assert lineup_of(arena, "both") == told


def test_the_agents_of_a_policy_are_made_once_whatever_it_plays():
    made = []

    def make_agents(name):
        made.append(name)
        return {seat: RandomAgent() for seat in NAMES_OF}

    table = Table(name="t", everyone="linear", seats={"ann": "greedy"})
    seat_lineup(table, names_of=NAMES_OF, make_agents=make_agents)
    assert sorted(made) == ["greedy", "linear"]


def test_a_seat_is_found_by_any_of_its_names():
    assert seat_of("veto", NAMES_OF) == seat_of("ben", NAMES_OF) == "ben"


def test_a_seat_that_nobody_goes_by_is_refused_with_all_names():
    with pytest.raises(ConfigError, match="seat = 'target': expected one of ann, proposer, ben"):
        seat_of("target", NAMES_OF)


def test_an_episode_at_a_seat_is_the_policys_there_and_the_partners_elsewhere(tiny_suite):
    seated = replace(tiny_suite, seat="agent_1", partners="all-harvest", policies=("random",))
    (result,) = play_cell(seated, Cell(policy="random", contract="none"), episodes=[0])
    alone = replace(tiny_suite, policies=("all-harvest", "random"))
    (harvest,) = play_cell(alone, Cell(policy="all-harvest", contract="none"), episodes=[0])
    (random,) = play_cell(alone, Cell(policy="random", contract="none"), episodes=[0])

    def played(episode, seat):
        return [step.actions[seat] for step in episode.steps]

    assert (result.seed, result.agent_seeds) == (random.seed, random.agent_seeds)
    assert played(result, 0) == played(harvest, 0)
    assert played(result, 1) != played(harvest, 1)
