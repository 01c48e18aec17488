"""How suites of each game are dealt with, alike for both."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from agents.llm import ChatAgent
from benchmarks.arena import LEARNED, cells_of
from benchmarks.cells import play_cell
from benchmarks.kinds import kind_of, misfits
from benchmarks.speakers import Speakers
from benchmarks.suite_file import suite_named
from cleanup_icn import ConfigError

CLEANUP_SMOKE = suite_named("cleanup-smoke").arenas[0]
NEGOTIATION_SMOKE = suite_named("negotiation-smoke").arenas[0]

SUITES = pytest.mark.parametrize("suite", [CLEANUP_SMOKE, NEGOTIATION_SMOKE], ids=lambda s: s.name)


def check_tables(arena, models):
    for problem in misfits(arena, models).values():
        raise problem


@SUITES
def test_every_episode_of_a_suite_comes_back_from_its_record(suite):
    small = replace(
        suite, num_episodes=1, policies=tuple(p for p in suite.policies if p not in LEARNED)[-3:]
    )
    for cell in cells_of(small):
        (result,) = play_cell(small, cell)
        record = json.loads(json.dumps(result.to_dict()))
        read = kind_of(small).from_record(record)
        assert json.loads(json.dumps(read.to_dict())) == record
        rows = [kind_of(small).summarize([each], seed=0).to_dict() for each in (result, read)]
        assert rows[0] == rows[1]


@SUITES
def test_every_seat_has_an_agent_and_models_their_own(suite, models_of, fake_model):
    kind, condition = kind_of(suite), suite.conditions[-1]
    env = kind.make_env(suite, condition)
    names = kind.seat_names(env)
    first, *others = names
    config = models_of("m", tables=[{"name": "t", "everyone": "random", "seats": {first: "m"}}])
    asked = []

    def client_for(model, seat):
        asked.append((model, seat))
        return fake_model()

    agents = kind.seat_table(config.tables[0], env, Speakers(config, client_for))
    assert list(agents) == list(names) == env.possible_agents
    assert asked == [("m", first)]
    assert isinstance(agents[first], ChatAgent)
    assert not any(isinstance(agents[name], ChatAgent) for name in others)


@SUITES
def test_a_seat_that_no_environment_of_the_suite_has_is_refused(suite, models_of):
    table = {"name": "t", "everyone": "m", "seats": {"nowhere": "m"}}
    with pytest.raises(ConfigError, match=r"tables\.t\.nowhere"):
        check_tables(suite, models_of("m", tables=[table]))
    check_tables(suite, models_of("m"))


def test_the_arena_is_named_whose_seats_a_table_does_not_fit(models_of):
    table = {"name": "t", "everyone": "m", "seats": {"proposer": "m"}}
    models = models_of("m", tables=[table])
    cleanup, negotiation = suite_named("llm-vs-ppo").arenas
    check_tables(negotiation, models)
    with pytest.raises(ConfigError, match="a seat of cleanup: agent_0, agent_1"):
        check_tables(cleanup, models)


def test_a_policy_of_the_other_game_is_refused_at_a_table(models_of):
    for suite, stranger in ((CLEANUP_SMOKE, "boulware"), (NEGOTIATION_SMOKE, "all-harvest")):
        with pytest.raises(ConfigError, match=r"tables\.t\.everyone"):
            check_tables(suite, models_of("m", tables=[{"name": "t", "everyone": stranger}]))


def test_a_game_that_is_told_in_its_own_words_alone_refuses_others(models_of):
    reworded = models_of("m", wording="synonyms")
    check_tables(CLEANUP_SMOKE, reworded)
    with pytest.raises(ConfigError, match=r"models.m.wording = 'synonyms': expected own: negotiat"):
        check_tables(NEGOTIATION_SMOKE, reworded)
    check_tables(NEGOTIATION_SMOKE, models_of("m"))
