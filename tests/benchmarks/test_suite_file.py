"""Files of suites: what they make, and what is said of what is wrong with them."""

from __future__ import annotations

import json

import pytest

from benchmarks import suite_file
from benchmarks.arena import cells_of
from benchmarks.cleanup.arena import wage_for_cleaning
from benchmarks.lineups import lineup_of
from benchmarks.model_config import Budget
from benchmarks.suite import Suite
from benchmarks.suite_file import bundled_suites, load_suite, suite_named
from cleanup_icn import ConfigError
from cleanup_icn.contracts import Contract, Share

ASKED_FOR = {
    "cleanup-smoke",
    "negotiation-smoke",
    "cleanup-icn",
    "negotiation-paper",
    "llm-vs-ppo",
    "cross-play",
}

CLEANUP = """
[[arenas]]
game = "cleanup"
policies = ["planner", "random"]
[[arenas.contracts]]
kind = "none"
"""

NEGOTIATION = """
[[arenas]]
game = "negotiation"
games = ["base"]
policies = ["best-guess"]
"""


@pytest.fixture
def load(tmp_path):
    """Read a file of this text."""

    def read(text):
        file = tmp_path / "mine.toml"
        file.write_text(text)
        return load_suite(str(file))

    return read


@pytest.fixture
def problems(load):
    """Return what is said of a file of this text, a line each, without the file's name."""

    def read(text):
        with pytest.raises(ConfigError) as raised:
            load(text)
        return [line.partition("mine.toml: ")[2] for line in str(raised.value).splitlines()]

    return read


def arena_of(suite):
    (arena,) = suite.arenas
    return arena


def test_every_suite_that_is_asked_for_is_bundled():
    assert set(bundled_suites()) == ASKED_FOR
    assert list(bundled_suites()) == sorted(ASKED_FOR)


@pytest.mark.parametrize("name", sorted(ASKED_FOR))
def test_a_bundled_suite_is_right_and_comes_back_from_its_record(name):
    suite = suite_named(name)
    assert suite.name == name
    assert suite.description
    assert Suite.from_dict(json.loads(json.dumps(suite.to_dict()))) == suite
    assert all(cells_of(arena) for arena in suite.arenas)
    assert load_suite(name) is suite


def test_an_unknown_suite_is_refused_with_the_names_there_are_and_the_nearest():
    for find in (suite_named, load_suite):
        with pytest.raises(ConfigError, match=r"cross-play.*did you mean cleanup-smoke\?"):
            find("cleanup-smok")


def test_what_a_file_leaves_out_is_as_everywhere(load):
    suite = load(CLEANUP)
    arena = arena_of(suite)
    assert (suite.name, arena.name, suite.budget) == ("mine", "mine", Budget())
    assert (arena.seed, arena.num_episodes, arena.training_agent_steps) == (0, 20, 120_000)
    assert (arena.shown_policy, arena.seat, arena.measures) == ("planner", None, ())
    assert arena.scenario.pollution_initial == (arena.scenario.config.pollution_initial,) * 2
    assert [setting.name for setting in arena_of(load(NEGOTIATION)).conditions] == [
        "base/cooperative"
    ]


def test_the_policy_that_others_are_compared_with_can_be_chosen(load):
    text = CLEANUP.replace("policies", 'shown_policy = "random"\npolicies')
    assert arena_of(load(text)).shown_policy == "random"


def test_what_holds_for_all_arenas_is_said_once_and_may_be_said_otherwise_of_one(load):
    suite = load(
        'name = "both"\nseed = 3\nepisodes = 7\n'
        + CLEANUP.replace("policies", 'name = "a"\nseed = 4\npolicies')
        + NEGOTIATION.replace("policies", 'name = "b"\nmeasures = ["regret"]\npolicies')
        + "[budget]\nrequests = 10\n"
    )
    told = [(a.name, a.seed, a.num_episodes, a.measures) for a in suite.arenas]
    assert told == [("a", 4, 7, ()), ("b", 3, 7, ("regret",))]
    assert (suite.name, suite.budget) == ("both", Budget(requests=10))


def test_contracts_are_none_a_wage_clauses_or_negotiated(load):
    text = CLEANUP + (
        '[[arenas.contracts]]\nname = "paid"\nkind = "fixed"\nwage = 0.6\n'
        'settle = "episode_end"\nlimited_liability = true\n'
        '[[arenas.contracts]]\nname = "shared"\nkind = "fixed"\n'
        'clauses = [{ type = "share", payer = "all", payee = "all", of = "harvested",'
        " fraction = 0.5 }]\n"
        '[[arenas.contracts]]\nkind = "icn"\njudge = "every:10"\nmenu = [0.5, 1.0]\n'
        'initial_contract = { clauses = [{ type = "wage", payer = "others", payee = "all",'
        ' per = "cleaned", rate = 0.5 }] }\n'
        'max_rounds = 2\ndisagreement = "void"\nnegotiation_cost_steps = 1\nhistory = false\n'
    )
    arena = arena_of(load(text))
    none, paid, shared, icn = arena.conditions
    assert (none.name, none.contract) == ("none", Contract())
    assert (paid.contract, paid.settle) == (wage_for_cleaning(0.6), "episode_end")
    assert paid.limited_liability
    assert isinstance(shared.contract.clauses[0], Share)
    assert (icn.name, icn.judge) == ("icn", "every:10")
    assert icn.menu == (Contract(), wage_for_cleaning(0.5), wage_for_cleaning(1.0))
    assert icn.initial_contract == wage_for_cleaning(0.5)
    kept = (icn.max_rounds, icn.disagreement, icn.negotiation_cost_steps, icn.history)
    assert kept == (2, "void", 1, False)
    for condition in arena.conditions:
        env = condition.make_env(arena.scenario.config)
        env.reset(seed=0)
        assert env.agents


def test_a_world_without_a_name_is_called_by_what_is_set(load):
    world = (
        '[arenas.world]\npreset = "linear"\nnum_agents = 3\n'
        "schedule = [[10, { pollution_threshold = 9 }]]\n"
    )
    scenario = arena_of(load(CLEANUP + world)).scenario
    assert scenario.name == "linear, num_agents 3, pollution_threshold 6 to 9 at step 10"
    named = world.replace("preset", 'name = "mine"\npreset')
    assert arena_of(load(CLEANUP + named)).scenario.name == "mine"


def test_a_grid_is_an_arena_for_every_point_of_the_product(load):
    grid = (
        '[arenas.world]\npreset = "linear"\nschedule = [[25, { pollution_threshold = 12 }]]\n'
        "[arenas.grid]\n"
        '"world.schedule.0.1.pollution_threshold" = [8, 10]\n'
        "world.num_agents = [2, 3]\n"
    )
    suite = load(CLEANUP + grid)
    assert [arena.name for arena in suite.arenas] == [
        "mine/pollution_threshold-8/num_agents-2",
        "mine/pollution_threshold-8/num_agents-3",
        "mine/pollution_threshold-10/num_agents-2",
        "mine/pollution_threshold-10/num_agents-3",
    ]
    for arena in suite.arenas:
        config = arena.scenario.config
        assert f"num_agents-{config.num_agents}" in arena.name
        (after,) = (new for _, new in config.changed_at(25).values())
        assert f"threshold-{int(after)}/" in arena.name


def test_settings_of_negotiation_are_the_product_of_games_and_incentives(load):
    text = NEGOTIATION.replace('["base"]', '["game1", "base"]')
    text += 'incentives = ["saboteur", "cooperative"]\n[arenas.world]\nno_deal = "zero"\n'
    arena = arena_of(load(text))
    assert [setting.name for setting in arena.conditions] == [
        "game1/saboteur",
        "game1/cooperative",
        "base/saboteur",
        "base/cooperative",
    ]
    assert {setting.no_deal for setting in arena.conditions} == {"zero"}


def test_lineups_and_every_ordered_pair_of_a_cross_play_are_policies(load):
    text = CLEANUP.replace("policies =", 'cross_play = ["planner", "cleaner"]\npolicies =')
    text += '[[arenas.lineups]]\nname = "two"\neveryone = "random"\nseats = { agent_1 = "cleaner" }'
    arena = arena_of(load(text))
    assert arena.policies == (
        "planner",
        "random",
        "two",
        "planner + planner",
        "planner + cleaner",
        "cleaner + planner",
        "cleaner + cleaner",
    )
    table = lineup_of(arena, "planner + cleaner")
    assert (dict(table.seats), table.everyone) == ({"agent_0": "planner"}, "cleaner")


def test_two_who_meet_in_negotiation_meet_with_the_first_as_proposer(load):
    text = NEGOTIATION.replace("policies =", "cross_play =")
    text = text.replace('["best-guess"]', '["planner", "boulware"]')
    table = lineup_of(arena_of(load(text)), "planner + boulware")
    assert (dict(table.seats), table.everyone) == ({"proposer": "planner"}, "boulware")


def test_names_of_negotiators_of_negmas_are_known_without_it(load, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "negmas", None)
    text = NEGOTIATION.replace('["best-guess"]', '["negmas-boulware"]')
    assert arena_of(load(text)).policies == ("negmas-boulware",)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "arenas = (missing)"),
        ("arenas = 3", "arenas = 3"),
        ("sed = 1\n" + CLEANUP, "key in the file = 'sed': expected one of name, "),
        ("seed = -1\n" + CLEANUP, "seed = -1: expected an integer of at least 0"),
        ('name = "a b"\n' + CLEANUP, "name = 'a b'"),
        ("episodes = 0\n" + CLEANUP, "episodes = 0"),
        (CLEANUP + "[budget]\nmoney = -1\n", "budget.money = -1"),
        (CLEANUP.replace('"cleanup"', '"clean"'), "arenas[0].game = 'clean': expected one of"),
        (CLEANUP.replace("game =", "gam ="), "arenas[0].game = (missing)"),
        (CLEANUP.replace("planner", "planer"), "did you mean planner?"),
        (CLEANUP.replace('"planner"', '"random"'), "a list of names, each once"),
        (CLEANUP.replace('["planner", "random"]', "[]"), "at least one policy or lineup"),
        (CLEANUP.replace("policies", "polices"), "did you mean policies?"),
        (CLEANUP.replace("policies", 'shown_policy = "x"\npolicies'), "arenas[0].shown_policy"),
        (
            CLEANUP + '[[arenas.lineups]]\nname = "a + b + c"\neveryone = "cleaner"\n',
            "arenas[0].lineups[0].name = 'a + b + c'",
        ),
        (CLEANUP.replace("policies", 'seat = "agent_0"\npolicies'), "arenas[0].partners = (missi"),
        (CLEANUP.replace("policies", 'partners = "planner"\npolicies'), "arenas[0].seat = (missi"),
        (
            CLEANUP.replace("policies", 'seat = "agent_9"\npartners = "planner"\npolicies'),
            "arenas[0].seat = 'agent_9': expected one of agent_0, agent_1",
        ),
        (
            CLEANUP.replace("policies", 'seat = "agent_0"\npartners = "ppo"\npolicies'),
            "arenas[0].partners = 'ppo'",
        ),
        (
            CLEANUP.replace("random", "equilibrium") + "[arenas.world]\nnum_agents = 3\n",
            "arenas[0].policies = 'equilibrium': expected a policy that can play under none "
            "(num_agents = 3: expected 2",
        ),
        (
            CLEANUP.replace(
                "policies", 'seat = "agent_0"\npartners = "equilibrium-haggler"\npolicies'
            )
            + "[[arenas.contracts]]\nkind = 'fixed'\nwage = 0.6\nlimited_liability = true\n",
            "under fixed (limited_liability = True",
        ),
        (
            CLEANUP.replace("random", "ppo").replace(
                "policies", 'seat = "agent_0"\npartners = "equilibrium"\npolicies'
            ),
            "arenas[0].partners = 'equilibrium'",
        ),
        (
            CLEANUP.replace("random", "ppo").replace(
                "policies", 'seat = "agent_0"\npartners = "stub-selfish"\npolicies'
            ),
            "arenas[0].partners = 'stub-selfish'",
        ),
        (NEGOTIATION.replace("best-guess", "ppo"), "arenas[0].learned_games = []"),
        (
            NEGOTIATION.replace("best-guess", "ppo")
            + 'learned_games = ["base"]\nseat = "veto"\npartners = "planner"\n',
            "arenas[0].seat = 'veto': expected proposer or SportCo",
        ),
        (
            CLEANUP.replace("policies", 'measures = ["effciency"]\npolicies'),
            "did you mean efficiency?",
        ),
        (CLEANUP.replace('kind = "none"', 'kind = "non"'), "arenas[0].contracts[0].kind = 'non'"),
        (CLEANUP.replace("[[arenas.contracts]]\n", ""), "key in [arenas[0]] = 'kind'"),
        (CLEANUP + "wage = 1.0\n", "key in [arenas[0].contracts[0]] = 'wage'"),
        (CLEANUP + '[[arenas.contracts]]\nkind = "none"\n', "a name that no other contract"),
        (CLEANUP + '[[arenas.contracts]]\nkind = "fixed"\n', "contracts[1].clauses = (missing)"),
        (
            CLEANUP + '[[arenas.contracts]]\nkind = "fixed"\nwage = -1\n',
            "arenas[0].contracts[1].wage",
        ),
        (
            CLEANUP + '[[arenas.contracts]]\nkind = "fixed"\nwage = 1\nsettle = "x"\n',
            "contracts[1].settle = 'x': expected one of episode_end, step",
        ),
        (
            CLEANUP + '[[arenas.contracts]]\nkind = "icn"\nmenu = [1]\njudge = "every 10"\n',
            "contracts[1].judge = 'every 10'",
        ),
        (CLEANUP + '[[arenas.contracts]]\nkind = "icn"\n', "contracts[1].menu = (missing)"),
        (
            CLEANUP + '[[arenas.contracts]]\nkind = "fixed"\nclauses = [{ type = "lump_sum", '
            'payer = "agent_7", payee = "agent_0", amount = 1 }]\n',
            "agent_7",
        ),
        (CLEANUP + "[arenas.world]\nnum_agent = 3\n", "did you mean num_agents?"),
        (CLEANUP + "[arenas.world.starts]\nfruit_initial = [9, 1]\n", "world.starts"),
        (CLEANUP + "[arenas.grid]\nseed = 3\n", "arenas[0].grid.seed = 3: expected a list"),
        (CLEANUP + '[arenas.grid]\n"contracts.icn.wage" = [3]\n', "arenas[0].grid = 'contracts"),
        (CLEANUP + "[arenas.grid]\nworld.num_agents = [0, 2]\n", "arenas[0].world.num_agents = 0"),
        (CLEANUP + '[[arenas.lineups]]\nname = "x"\n', "arenas[0].lineups[0].everyone"),
        (
            CLEANUP + '[[arenas.lineups]]\nname = "random"\neveryone = "cleaner"\n',
            "a policy is called so",
        ),
        (
            CLEANUP + '[[arenas.lineups]]\nname = "x"\neveryone = "clener"\n',
            "did you mean cleaner?",
        ),
        (
            CLEANUP + '[[arenas.lineups]]\nname = "x"\neveryone = "cleaner"\n'
            'seats = { agent_2 = "random" }\n',
            "arenas[0].lineups.x.agent_2",
        ),
        (CLEANUP + CLEANUP, "arenas[0].name = (missing)"),
        (
            CLEANUP.replace("policies", 'name = "a"\npolicies') * 2,
            "arenas.name = 'a': expected a name that no other arena has",
        ),
        (
            CLEANUP.replace("policies", 'name = "a/b"\npolicies')
            + CLEANUP.replace("policies", 'name = "a-b"\npolicies'),
            "arenas.name = 'a-b': expected a name that no other arena has",
        ),
        (NEGOTIATION.replace("base", "bas"), "arenas[0].games = 'bas': expected one of base"),
        (NEGOTIATION.replace("games", "gmes"), "arenas[0].games = (missing)"),
        (NEGOTIATION.replace("best-guess", "planer"), "did you mean planner?"),
        (NEGOTIATION + 'incentives = ["greedy"]\n', "did you mean greedy-"),
        (NEGOTIATION + 'learned_games = ["game1"]\n', "arenas[0].learned_games = 'game1'"),
        (NEGOTIATION + 'incentives = ["saboteur", "saboteur"]\n', "every word once"),
        (NEGOTIATION + "[arenas.world]\nnum_turns = 7\n", "arenas[0].world.num_turns = 7"),
        (
            NEGOTIATION + 'seat = "Mayer"\npartners = "planner"\n',
            "did you mean Mayor?",
        ),
    ],
)
def test_what_is_wrong_is_named_with_what_is_allowed(text, told, problems):
    (line,) = [line for line in problems(text) if told in line]
    assert ": expected " in line


def test_a_party_that_not_every_game_has_is_no_seat(problems):
    text = NEGOTIATION.replace('["base"]', '["base", "game1"]')
    (line,) = problems(text + 'seat = "Mayor"\npartners = "planner"\n')
    assert line.startswith("arenas[0].seat = 'Mayor': expected one of proposer")


def test_a_wrong_key_hides_nothing_else_that_is_wrong(problems):
    head = 'description = 5\nmeasures = ["wealth"]\n'
    grid = '[arenas.grid]\n"contracts.fixt.wage" = [1]\n[arenas.world]\npreset = "curved"\n'
    told = problems(head + CLEANUP + grid)
    for part in ("description = 5", "'wealth'", "'contracts.fixt.wage'", "'curved'"):
        assert sum(part in line for line in told) == 1


def test_policies_that_cannot_be_read_are_not_said_to_be_missing(problems):
    twice = CLEANUP.replace('["planner", "random"]', '["planner", "planner"]\nshown_policy = "x"')
    (line,) = problems(twice)
    assert "each once" in line


def test_everything_that_is_wrong_is_said_at_once_and_once_for_all_points_of_a_grid(problems):
    text = (
        "sed = 1\nepisodes = 0\n"
        + CLEANUP.replace("random", "randm").replace("policies", "seed = -1\npolicies")
        + '[[arenas.contracts]]\nkind = "fixed"\nwage = 1\nsettle = "x"\n'
        + "[arenas.world]\nhorizon_steps = 0\n"
        + "[arenas.grid]\nworld.num_agents = [2, 3]\n"
        + "[budget]\nrequest = 1\n"
        + NEGOTIATION.replace("policies", 'name = "b"\npolicies').replace("base", "bass")
    )
    told = problems(text)
    found = [
        "key in the file = 'sed'",
        "episodes = 0",
        "key in [budget] = 'request'",
        "arenas[0].name = (missing)",
        "arenas[0].seed = -1",
        "arenas[0].policies = 'randm'",
        "arenas[0].world.horizon_steps = 0",
        "arenas[0].contracts[1].settle = 'x'",
        "arenas[1].games = 'bass'",
    ]
    assert [part for part in found if not any(line.startswith(part) for line in told)] == []
    assert len(told) == len(found)


@pytest.mark.parametrize("text", ["name = ", "\xff"])
def test_a_file_that_is_no_toml_is_refused_in_one_line(text, tmp_path):
    file = tmp_path / "mine.toml"
    file.write_bytes(text.encode("latin-1"))
    with pytest.raises(ConfigError, match=r"suite = '.*mine\.toml': expected a readable TOML"):
        load_suite(str(file))
    with pytest.raises(ConfigError, match="No such file"):
        load_suite(str(tmp_path / "none.toml"))


def test_bundled_suites_are_read_from_their_folder_when_they_are_asked_for(tmp_path, monkeypatch):
    (tmp_path / "mine.toml").write_text(CLEANUP)
    (tmp_path / "broken.toml").write_text("name = ")
    monkeypatch.setattr(suite_file, "bundled_folder", lambda: tmp_path)
    assert list(bundled_suites()) == ["broken", "mine"]
    assert load_suite("mine") is suite_named("mine")
    with pytest.raises(ConfigError, match=r"broken\.toml"):
        suite_named("broken")
