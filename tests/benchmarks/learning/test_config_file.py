"""Files of experiments: what they make, and what is said of what is wrong with them."""

from __future__ import annotations

import pytest

pytest.importorskip("sb3_contrib")

from benchmarks.learning.config_file import bundled_names, load_experiment
from cleanup_icn import ConfigError
from cleanup_icn.contracts import Contract

ASKED_FOR = {
    "cleanup-none",
    "cleanup-share",
    "cleanup-wage",
    "cleanup-wage-4",
    "cleanup-wage-8",
    "cleanup-icn",
    "cleanup-icn-fixed",
    "cleanup-icn-none",
    "negotiation-base",
    "negotiation-sheets",
}
"""The experiments that the project reports on."""

SMALLEST = """
game = "cleanup"
[contract]
kind = "none"
"""


@pytest.fixture
def load(tmp_path):
    """Read a file of this text."""

    def read(text, *, game="cleanup"):
        file = tmp_path / "mine.toml"
        file.write_text(text)
        return load_experiment(str(file), game=game)[0]

    return read


@pytest.fixture
def problems(load):
    """Return what is said of a file of this text, a line each, without the file's name."""

    def read(text, **kwargs):
        with pytest.raises(ConfigError) as raised:
            load(text, **kwargs)
        return [line.partition("mine.toml: ")[2] for line in str(raised.value).splitlines()]

    return read


def test_every_experiment_that_is_reported_has_its_file():
    assert set(bundled_names()) >= ASKED_FOR


@pytest.mark.parametrize("name", bundled_names())
def test_a_bundled_file_is_right(name):
    game = name.partition("-")[0]
    experiment, written = load_experiment(name, game=game)
    assert experiment.name == name
    assert written["game"] == experiment.to_dict()["game"] == game


def test_what_a_file_leaves_out_is_as_everywhere(load):
    experiment = load(SMALLEST)
    assert experiment.name == "mine"
    assert experiment.sharing == "shared"
    assert experiment.starts is None
    assert experiment.terms.contracts == (Contract(),)
    assert experiment.config.horizon_steps == 50


def test_a_start_without_a_range_is_the_configured_one(load):
    text = SMALLEST + "[world]\nfruit_initial = 7\n[world.starts]\npollution_initial = [1, 3]\n"
    starts = load(text).starts
    assert (starts.pollution_initial, starts.fruit_initial) == ((1, 3), (7, 7))


def test_a_menu_has_the_null_contract_first_and_may_mix_rates_and_clauses(load):
    experiment = load(
        """
        game = "cleanup"
        [contract]
        kind = "random"
        menu = [0.5, { clauses = [
            { type = "share", payer = "all", payee = "all", of = "harvested", fraction = 0.5 },
            { type = "lump_sum", payer = "agent_0", payee = "agent_1", amount = 1.0 },
        ] }]
        """
    )
    null, wage, mixed = experiment.terms.contracts
    assert null == Contract()
    assert wage.clauses[0].rate == 0.5
    assert [clause.kind for clause in mixed.clauses] == ["share", "lump_sum"]
    assert experiment.make_batch(4).reset(range(4)).observation.shape[:2] == (4, 2)


def test_negotiation_about_contracts_takes_its_settings_from_the_file(load):
    experiment = load(
        """
        game = "cleanup"
        [contract]
        kind = "icn"
        judge = "every:10"
        menu = [1.0]
        max_rounds = 2
        disagreement = "void"
        initial_contract = { clauses = [
            { type = "fine", payer = "all", payee = "others", per = "harvested", rate = 0.1 },
        ] }
        """
    )
    icn = experiment.terms.icn
    assert (icn.judge, icn.max_rounds, icn.disagreement) == ("every:10", 2, "void")
    assert icn.initial_contract.clauses[0].kind == "fine"


def test_all_that_is_wrong_is_said_at_once(problems):
    said = problems(
        """
        game = "cleanup"
        colour = "red"
        [world]
        num_agents = 1
        horizon = 20
        fruit_max = -1
        [contract]
        kind = "fixed"
        clauses = [{ type = "wage", payer = "others", payee = "all", per = "cleaned" }]
        settle = "never"
        [training]
        sharing = "some"
        gamma = 2.0
        num_lanes = 0
        steps = 5
        [evaluation]
        episodes = 1
        """
    )
    for line, expected in zip(
        said,
        (
            "key in the file = 'colour': expected one of",
            "key in [world] = 'horizon': expected one of",
            "world.fruit_max = -1: expected an integer of at least 0",
            "world.num_agents = 1: expected an integer from 2 to 16",
            "contract.clauses[0].rate = None: expected rate to be given",
            "contract.settle = 'never': expected one of",
            "training.sharing = 'some': expected one of shared, independent",
            "evaluation.episodes = 1: expected an integer of at least 2",
            "key in [training] = 'steps': expected one of",
            "training.num_lanes = 0: expected an integer of at least 1",
            "training.gamma = 2.0: expected a number from 0 to 1",
        ),
        strict=True,
    ):
        assert line.startswith(expected)


@pytest.mark.parametrize(
    ("contract", "expected"),
    [
        ("", "contract.kind = (missing): expected one of none, fixed, random, icn"),
        ("kind = 'wage'", "contract.kind = 'wage': expected one of none, fixed, random, icn"),
        ("kind = 'none'\nmenu = [1.0]", "key in [contract] = 'menu': expected none beside kind"),
        ("kind = 'fixed'", "contract.clauses = (missing): expected a list of clauses"),
        ("kind = 'random'", "contract.menu = (missing): expected a list of wages"),
        ("kind = 'random'\nmenu = [-1.0]", "contract.menu[0].rate = -1.0: expected"),
        ("kind = 'random'\nmenu = ['x']", "contract.menu[0].rate = 'x': expected"),
        ("kind = 'icn'\nmenu = [1.0]\njudge = 'lot'", "contract.judge = 'lot': expected"),
        (
            "kind = 'fixed'\nclauses = [{ type = 'lump_sum', payer = 'agent_0', "
            "payee = 'agent_7', amount = 1.0 }]",
            "contract.agents = 'agent_7': expected one of agent_0, agent_1",
        ),
    ],
)
def test_a_contract_that_cannot_be_is_refused_by_its_key(problems, contract, expected):
    (said,) = problems(f'game = "cleanup"\n[contract]\n{contract}\n')
    assert said.startswith(expected)


def test_a_start_outside_the_world_is_refused(problems):
    (said,) = problems(SMALLEST + "[world.starts]\nfruit_initial = [0, 21]\n")
    assert said == (
        "world.starts.fruit_initial = (0, 21): expected (lowest, highest), integers from 0 to 20"
    )


def test_the_interval_between_evaluations_has_one_place(problems):
    (said,) = problems(SMALLEST + "[training]\nevaluate_every_rollouts = 3\n")
    assert said.startswith("key in [training] = 'evaluate_every_rollouts'")


def test_a_minibatch_of_a_single_agent_step_is_refused_beforehand(problems):
    training = "[training]\nnum_lanes = 3\nn_steps = 7\nbatch_size = 41\n"
    (said,) = problems(SMALLEST + training)
    assert said == (
        "training.batch_size = 41: expected one that leaves no single agent-step of the 42 of a "
        "rollout"
    )


def test_what_lies_beyond_the_horizon_cannot_be_valued(problems):
    (said,) = problems(SMALLEST + "[training]\nbootstrap_truncation = true\n")
    assert said.startswith("key in [training] = 'bootstrap_truncation'")


def test_a_file_of_another_game_is_refused(problems):
    (said,) = problems(SMALLEST, game="negotiation")
    assert said.startswith("game = 'cleanup': expected 'negotiation' here")


@pytest.mark.parametrize("section", ["world", "contract", "training", "evaluation"])
def test_a_section_that_is_none_is_refused(problems, section):
    others = "" if section == "contract" else "[contract]\nkind = 'none'\n"
    said = problems(f'game = "cleanup"\n{section} = 3\n{others}')
    assert f"{section} = 3: expected a section [{section}]" in said


def test_a_file_that_is_no_toml_is_refused(tmp_path):
    file = tmp_path / "broken.toml"
    file.write_text("game = ")
    with pytest.raises(ConfigError, match="a readable TOML file"):
        load_experiment(str(file), game="cleanup")


def test_a_name_that_there_is_none_of_gets_the_nearest():
    with pytest.raises(ConfigError, match=r"did you mean cleanup-wage\?"):
        load_experiment("cleanup-wages", game="cleanup")
