"""`commonweal solve cleanup` and `solve equilibrium`, as people and programs call them."""

from __future__ import annotations

import json

import pytest

from cleanup_icn.contracts import Contract, LumpSum, Wage

WAGE = Contract([Wage(payer="others", payee="all", per="cleaned", rate=0.6)])
KEYS = {
    "social_optimum",
    "selected_high",
    "selected_low",
    "payoffs",
    "states",
    "states_without_pure",
    "states_without_pure_low",
    "seconds",
}


@pytest.fixture
def solved(command):
    """What `solve equilibrium ... --json` prints, read."""

    def run(*arguments):
        code, out, err = command("solve", "equilibrium", *arguments, "--json")
        assert (code, err) == (0, "")
        return json.loads(out)

    return run


@pytest.fixture
def contract_file(tmp_path):
    """Write words into a file; returns its path."""

    def write(words):
        path = tmp_path / "contract.txt"
        path.write_text(words, encoding="utf-8")
        return str(path)

    return write


# --- solve cleanup ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ((), (157, 13, 157)),
        (("--set", "pollution_growth_per_step=4"), (81, None, None)),
        (("--set", "clean_per_action=2"), (83, None, None)),
        (("--set", "pollution_threshold=3"), (10, None, None)),
        (("--preset", "linear", "--set", "pollution_threshold=8"), (353, None, None)),
        (
            ("--preset", "linear", "--set", 'schedule=[[25, {"pollution_threshold": 12}]]'),
            (376, None, 376),
        ),
    ],
)
def test_solve_prints_exact_welfare_as_whole_numbers(arguments, expected, command):
    code, out, err = command("solve", "cleanup", *arguments, "--json")
    answer = json.loads(out)
    assert (code, err) == (0, "")
    for name, value in zip(("social_optimum", "all_harvest", "one_cleaner"), expected, strict=True):
        assert value is None or (answer[name] == value and isinstance(answer[name], int))
    assert answer["seconds"] >= 0


def test_an_expected_welfare_stays_a_fraction(command):
    _, out, _ = command("solve", "cleanup", "--set", "prob_fruit_growth=0.3", "--json")
    assert isinstance(json.loads(out)["social_optimum"], float)


# --- solve equilibrium -----------------------------------------------------------------------


def test_without_a_contract_the_two_selections_are_far_apart_and_from_the_optimum(solved):
    answer = solved()
    assert answer.keys() == KEYS
    assert (answer["social_optimum"], answer["selected_high"], answer["selected_low"]) == (
        157,
        76,
        13,
    )
    assert all(isinstance(answer[f"selected_{each}"], int) for each in ("high", "low"))
    assert answer["payoffs"] == [44.5, 31.5]
    assert answer["states"] == 50 * 4 * 31 * 21
    assert (answer["states_without_pure"], answer["states_without_pure_low"]) == (558, 0)
    assert answer["seconds"] >= 0


@pytest.mark.parametrize("words", [WAGE.to_json(), WAGE.to_text(), f"\n {WAGE.to_text()}\n"])
def test_a_contract_is_read_from_a_file_as_json_or_as_its_sentence(words, solved, contract_file):
    answer = solved("--contract", contract_file(words))
    assert (answer["selected_high"], answer["selected_low"]) == (157, 157)
    assert answer["payoffs"] == [77.2, 79.8]


def test_a_lump_sum_is_part_of_the_payoffs(solved, contract_file):
    once = Contract([*WAGE.clauses, LumpSum(payer="agent_1", payee="agent_0", amount=7.2)])
    answer = solved("--contract", contract_file(once.to_json()))
    assert answer["payoffs"] == [84.4, 72.6]
    assert answer["selected_high"] == 157


def test_presets_and_settings_are_those_of_the_game(solved):
    assert solved("--preset", "linear", "--set", "pollution_threshold=12")["social_optimum"] == 451
    assert solved("--set", "harvest_per_action=0")["selected_high"] == 0


def test_people_get_a_table_of_the_optimum_and_both_selections(command, contract_file):
    code, table, err = command("solve", "equilibrium", "--contract", contract_file(WAGE.to_json()))
    assert (code, err) == (0, "")
    for words in ("social optimum", "selected high", "selected low", "77.2", "628 of 130,200"):
        assert words in table


def test_people_get_two_decimals_where_there_is_chance(command):
    chance = ("--set", "prob_fruit_growth=0.3", "--set", "prob_pollution_growth=0.7")
    for what in ("cleanup", "equilibrium"):
        code, table, _ = command("solve", what, *chance)
        decimals = [word.partition(".")[2] for word in table.split() if "." in word]
        assert code == 0
        assert decimals
        assert max(map(len, decimals)) == 2


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("hello", "Until the end:"),
        ("", "Until the end:"),
        ("{", "JSON"),
        ('{"version": 1, "clauses": [{"type": "gift"}]}', "one of share, wage, fine"),
        (Contract([Wage(payer="all", payee="x", per="cleaned", rate=1)]).to_json(), "agent_1"),
        (
            Contract([Wage(payer="others", payee="all", per="cleaned", rate=1, cap=9.0)]).to_text(),
            "no cap",
        ),
    ],
)
def test_a_contract_that_cannot_be_read_or_solved_gets_one_line(
    words, told, command, contract_file
):
    code, out, err = command("solve", "equilibrium", "--contract", contract_file(words))
    assert (code, out) == (2, "")
    assert err.count("\n") == 1
    assert told in err


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("solve", "bogus"), "equilibrium"),
        (("solve", "cleanup", "--preset", "x"), "costly-cleaning"),
        (("solve", "cleanup", "--set", "x"), "NAME=VALUE"),
        (("solve", "cleanup", "--set", "fruit=1"), "fruit_max"),
        (("solve", "cleanup", "--set", "fruit_max=many"), "an integer of at least 0"),
        (("solve", "equilibrium", "--contract", "/no/such/file"), "does not exist"),
        (("solve", "equilibrium", "--contract", "/"), "is a directory"),
        (("solve", "equilibrium", "--bogus"), "--contract"),
        (("solve", "equilibrium", "--preset", "x"), "costly-cleaning"),
        (("solve", "equilibrium", "--set", "num_agents=3"), "expected 2"),
        (("solve", "equilibrium", "--set", "fruit=1"), "fruit_max"),
    ],
)
def test_wrong_usage_gets_one_line_that_says_what_is_allowed(arguments, told, command):
    code, out, err = command(*arguments)
    assert (code, out) == (2, "")
    assert err.count("\n") == 1
    assert told in err


def test_a_contract_file_that_is_no_text_is_refused(command, tmp_path):
    path = tmp_path / "contract.bin"
    path.write_bytes(b"\xff\xfe\x00")
    code, _, err = command("solve", "equilibrium", "--contract", str(path))
    assert code == 2
    assert "a file of text" in err
