"""`commonweal solve contracts`, as people and programs call it."""

from __future__ import annotations

import json

import pytest
import typer

from benchmarks.contract_design_command import read_grid
from cleanup_icn import CleanupConfig
from cleanup_icn.contracts import Contract
from cleanup_icn.solve import assess, least_transfer, most_equal, quotas, wage_and_share, wages

QUICK = ("--set", "horizon_steps=10", "--set", "pollution_max=9", "--set", "fruit_initial=4")
CONFIG = CleanupConfig(horizon_steps=10, pollution_max=9, fruit_initial=4)


@pytest.fixture
def solved(command):
    """What `solve contracts ... --json` prints, read."""

    def run(*arguments):
        code, out, err = command("solve", "contracts", *QUICK, *arguments, "--json")
        assert (code, err) == (0, "")
        return json.loads(out)

    return run


def test_every_contract_of_a_grid_is_assessed_in_order(solved):
    found = solved("--grid", "0:1:0.25", "--low")
    expected = assess(CONFIG, wages([0, 0.25, 0.5, 0.75, 1]), selections=("high", "low"))
    assert [row["rate"] for row in found["contracts"]] == [0, 0.25, 0.5, 0.75, 1]
    assert found["optimum"] == expected[0].optimum
    assert found["status_quo"] == pytest.approx(expected[0].reservation)
    for row, each in zip(found["contracts"], expected, strict=True):
        assert Contract.from_dict(row["contract"]) == each.contract
        assert row["payoffs"] == pytest.approx(each.payoffs)
        assert row["payoffs_low"] == pytest.approx(each.payoffs_low)
        for name in ("welfare", "transfer"):
            assert row[name] == pytest.approx(getattr(each, name))
        for name in (
            "is_individually_rational",
            "is_self_enforcing",
            "first_breach",
            "implements",
            "implements_in_every_selection",
        ):
            assert row[name] == getattr(each, name)
    assert found["seconds"] >= 0


def test_the_cheapest_and_the_fairest_that_reach_the_optimum_are_named(solved):
    found = solved("--family", "quota", "--grid", "2,8,20")
    assessed = assess(CONFIG, quotas([2, 8, 20]))
    cheapest, fairest = least_transfer(assessed), most_equal(assessed)
    assert cheapest is not None
    assert Contract.from_dict(found["least_transfer"]["contract"]) == cheapest.contract
    assert Contract.from_dict(found["most_equal"]["contract"]) == fairest.contract
    assert found["contracts"][0]["payoffs_low"] is None
    assert solved("--grid", "0")["least_transfer"] is None


def test_two_prices_take_two_grids(solved):
    found = solved("--family", "wage-and-share", "--grid", "0.2,0.4", "--grid", "0:0.5:0.5")
    contracts = [Contract.from_dict(row["contract"]) for row in found["contracts"]]
    assert contracts == list(wage_and_share([0.2, 0.4], [0, 0.5]))


@pytest.mark.parametrize("family", ["wage", "share", "quota", "wage-and-share"])
def test_each_family_has_a_grid_of_its_own(family, command):
    arguments = ("solve", "contracts", "--family", family, "--set", "horizon_steps=1")
    code, table, _ = command(*arguments)
    assert code == 0
    assert "optimum 8" in table


def test_people_get_a_table_and_what_stands_out(command):
    code, table, err = command("solve", "contracts", "--grid", "0,0.6,0.8", "--low")
    sure = ("in", "both")
    lines = [line.split() for line in table.splitlines()]
    assert (code, err) == (0, "")
    assert ["optimum", "157,", "status", "quo", "44.5", "and", "31.5"] in lines
    assert ["0", "44.5", "31.5", "76", "13", "0", "yes", "none", "no"] in lines
    assert ["0.6", "77.2", "79.8", "157", "157", "77.4", "yes", "46", *sure] in lines
    assert "least transfer: rate 0.6 (transfer 77.4, payoffs 77.2 and 79.8)" in table
    _, table, _ = command("solve", "contracts", *QUICK, "--grid", "0")
    assert "most equal: there is none" in table


def test_a_table_has_two_decimals_and_fits_a_hundred_columns(command):
    words = ("--family", "wage-and-share", "--grid", "0.333", "--grid", "0.123456789", "--low")
    chance = ("--set", "prob_pollution_growth=0.7", "--set", "horizon_steps=20")
    _, table, _ = command("solve", "contracts", *words, *chance)
    assert max(map(len, table.splitlines())) <= 100
    (row,) = (line.split() for line in table.splitlines() if line.strip().startswith("0.333"))
    amounts = [word.partition(".")[2] for word in row[2:7]]
    assert max(map(len, amounts)) == 2


def test_the_status_quo_is_read_from_a_file(solved, tmp_path):
    file = tmp_path / "kept.json"
    (wage,) = wages([0.5])
    file.write_text(wage.to_json(), encoding="utf-8")
    found = solved("--grid", "0.5,1", "--status-quo", str(file))
    (first, second) = assess(CONFIG, wages([0.5, 1]), status_quo=wage)
    assert found["status_quo"] == found["contracts"][0]["payoffs"]
    assert found["contracts"][0]["is_self_enforcing"]
    assert found["contracts"][1]["is_individually_rational"] == second.is_individually_rational
    assert first.is_self_enforcing


@pytest.mark.parametrize(
    ("grid", "numbers"),
    [
        ("0.5", [0.5]),
        ("0.2,0.1", [0.2, 0.1]),
        ("0:0.3:0.1", [0, 0.1, 0.2, 0.3]),
        ("1:2:0.4", [1, 1.4, 1.8]),
        ("2:2:1", [2]),
    ],
)
def test_a_grid_is_numbers_or_a_range_with_both_ends(grid, numbers):
    assert read_grid(grid) == numbers


@pytest.mark.parametrize(
    "grid", ["", "a", "1:0:0.1", "0:1:0", "0:1", "0:1:1:1", "-1", "inf", "nan"]
)
def test_what_is_no_grid_is_refused(grid):
    with pytest.raises(typer.BadParameter, match="expected LOW:HIGH:STEP"):
        read_grid(grid)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--grid", "0:1:0.00001"), "at most 2000"),
        (("--family", "wage-and-share", "--grid", "0:1:0.01", "--grid", "0:1:0.01"), "10201"),
        (("--family", "wage-and-share", "--grid", "1"), "one grid of rates and one grid of"),
        (("--grid", "1", "--grid", "2"), "one grid of rates"),
        (("--family", "share", "--grid", "0.5,1.5"), "from 0 to 1"),
        (("--family", "bonus"), "wage-and-share"),
        (("--set", "num_agents=3"), "num_agents"),
    ],
)
def test_wrong_usage_gets_one_line_that_says_what_is_allowed(arguments, told, command):
    code, out, err = command("solve", "contracts", *arguments)
    assert (code, out) == (2, "")
    assert err.count("\n") == 1
    assert told in err
