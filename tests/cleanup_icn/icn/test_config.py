"""What can be asked for, and how what cannot be is refused."""

from __future__ import annotations

import pytest

from cleanup_icn import ConfigError, icn
from cleanup_icn.contracts import Contract, ContractError, Wage

PAY = Wage(payer="others", payee="all", per="cleaned", rate=1.0)


@pytest.mark.parametrize(
    ("name", "value", "allowed"),
    [
        ("max_rounds", 0, "an integer of at least 1"),
        ("max_rounds", 1.5, "an integer of at least 1"),
        ("max_rounds", True, "an integer of at least 1"),
        ("negotiation_cost_steps", -1, "an integer of at least 0"),
        ("max_clauses", 0, "an integer of at least 1"),
        ("disagreement", "veto", "'keep' or 'void'"),
        ("settle", "never", "'episode_end'"),
        ("history", 1, "True or False"),
        ("limited_liability", "yes", "True or False"),
        ("menu", "wage", "a sequence of Contract"),
        ("menu", [PAY], "a sequence of Contract"),
        ("initial_contract", None, "a Contract"),
        ("observation", "sound", "both, text, vector"),
        ("render_mode", "film", "human, ansi, rgb_array"),
        ("num_agents", 1, "an integer from 2 to 16"),
        ("max_round", 2, "did you mean max_rounds"),
        ("pollution_treshold", 2, "did you mean pollution_threshold"),
    ],
)
def test_a_value_that_cannot_be_is_refused_with_its_name_and_what_is_allowed(name, value, allowed):
    with pytest.raises(ConfigError) as refusal:
        icn.parallel_env(**{name: value})
    assert refusal.value.name == name
    assert repr(value) in str(refusal.value)
    assert allowed in str(refusal.value)


@pytest.mark.parametrize("where", ["menu", "initial_contract"])
@pytest.mark.parametrize(
    "clause",
    [
        Wage(payer="others", payee="agent_5", per="cleaned", rate=1.0),
        Wage(payer="others", payee="all", per="gold", rate=1.0),
    ],
)
def test_contracts_that_name_what_there_is_not_are_refused_when_the_environment_is_made(
    where, clause
):
    contract = Contract([clause])
    given = [contract] if where == "menu" else contract
    with pytest.raises(ContractError, match=r"agent_5|gold"):
        icn.parallel_env(**{where: given})


def test_contracts_with_more_clauses_than_there_is_room_for_are_refused():
    with pytest.raises(ContractError, match=r"initial_contract\.clauses = 5: expected at most 4"):
        icn.parallel_env(initial_contract=Contract([PAY] * 5))
    assert icn.parallel_env(initial_contract=Contract([PAY] * 5), max_clauses=5)


def test_the_defaults_are_those_of_the_documentation():
    config = icn.ICNConfig()
    assert (config.judge, config.disagreement, config.max_rounds) == ("change", "keep", 3)
    assert (config.negotiation_cost_steps, config.history) == (0, True)
    assert config.menu[0].is_null


def test_horizon_and_preset_are_cleanups():
    env = icn.parallel_env(preset="linear", max_cycles=7)
    assert (env.config.horizon_steps, env.config.harvest_per_action) == (7, 12)


def test_a_wage_menu_has_a_contract_for_each_rate():
    menu = icn.wage_menu([0.5, 2.0])
    assert [contract.clauses[0].rate for contract in menu] == [0.5, 2.0]
    assert icn.parallel_env(menu=menu).menu == menu
