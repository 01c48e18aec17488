"""`commonweal solve contracts`: which contracts of a family are signed, kept and reach the optimum.

A grid is written as numbers with commas between them, or as LOW:HIGH:STEP with both ends in it.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from enum import StrEnum
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import typer
from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from benchmarks.settings_option import Settings, read_settings
from benchmarks.solve_commands import amount, whole
from benchmarks.terminal import AsJson, answer, under_way

if TYPE_CHECKING:
    from cleanup_icn.contracts import Contract
    from cleanup_icn.solve import Assessment

MOST_CONTRACTS = 2_000
"""So many are assessed at most; each takes some tenths of a second."""


class Family(StrEnum):
    """The families of contracts that can be searched."""

    WAGE = "wage"
    SHARE = "share"
    QUOTA = "quota"
    WAGE_AND_SHARE = "wage-and-share"


class _Prices(NamedTuple):
    """What a family's prices are called, and the grid of each that is taken if none is given."""

    names: tuple[str, ...]
    grids: tuple[str, ...]


_PRICES = {
    Family.WAGE: _Prices(("rate",), ("0:2:0.1",)),
    Family.SHARE: _Prices(("fraction",), ("0:1:0.05",)),
    Family.QUOTA: _Prices(("amount",), ("0,1,2,3,5,10,20",)),
    Family.WAGE_AND_SHARE: _Prices(("rate", "fraction"), ("0:1.2:0.2", "0:1:0.25")),
}

_COLUMNS = (
    "agent_0",
    "agent_1",
    "welfare",
    "low\nselection",
    "transfer",
    "accepted",
    "first\nbreach",
    "optimal",
)


def solve_contracts(
    family: Annotated[Family, typer.Option(help="Which contracts.")] = Family.WAGE,
    grids: Annotated[
        list[str] | None,
        typer.Option(
            "--grid",
            metavar="LOW:HIGH:STEP|X,Y,...",
            help="Prices to assess; for wage-and-share one grid of rates, one of fractions.",
        ),
    ] = None,
    preset: Annotated[str | None, typer.Option(help="Named settings, see `presets`.")] = None,
    values: Settings = None,
    status_quo: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            exists=True,
            dir_okay=False,
            readable=True,
            help="The contract that goes on if none is signed, as JSON or in English.",
            show_default="none",
        ),
    ] = None,
    low: Annotated[bool, typer.Option("--low", help="Solve the low selection too.")] = False,
    as_json: AsJson = False,
) -> None:
    """Say which contracts two agents would sign, and which bring the optimum about at what price.

    Each is signed at the start, and play is the selected equilibrium of `solve equilibrium`. A
    contract is accepted if nobody is worse off than under the status quo; its first breach is the
    first step in which somebody would gain by a return to it.
    """
    from benchmarks.cleanup.contract_file import contract_in
    from cleanup_icn import CleanupConfig
    from cleanup_icn.contracts import ContractError
    from cleanup_icn.solve import assess

    config = CleanupConfig.create(preset=preset, **read_settings(values or []))
    prices = _prices(family, grids or [])
    kept = None if status_quo is None else contract_in(status_quo)
    selections = ("high", "low") if low else ("high",)
    try:
        contracts = [_contract(family, price) for price in prices]
    except ContractError as error:
        raise typer.BadParameter(str(error), param_hint="--grid") from None
    start_s = time.perf_counter()
    with under_way(f"assessing {len(contracts)} contracts"):
        assessed = assess(config, contracts, status_quo=kept, selections=selections)
    rows = [
        _row(family, price, assessment) for price, assessment in zip(prices, assessed, strict=True)
    ]
    found = {
        "family": family.value,
        "optimum": _number(assessed[0].optimum),
        "status_quo": [_number(payoff) for payoff in assessed[0].reservation],
        "contracts": rows,
        **_picked(rows, assessed),
        "seconds": round(time.perf_counter() - start_s, 3),
    }
    answer(found, _lay_out(found, _PRICES[family].names), as_json=as_json)


def _prices(family: Family, grids: Sequence[str]) -> list[tuple[float, ...]]:
    """Return the prices of every contract, those of the last name in the inner loop."""
    names, defaults = _PRICES[family]
    if len(grids) not in (0, len(names)):
        expected = " and ".join(f"one grid of {name}s" for name in names)
        raise typer.BadParameter(f"expected {expected}", param_hint="--grid")
    read = [read_grid(grid) for grid in grids or defaults]
    count = math.prod(map(len, read))
    if count > MOST_CONTRACTS:
        raise typer.BadParameter(
            f"{count} contracts: expected at most {MOST_CONTRACTS}", param_hint="--grid"
        )
    return list(product(*read))


def read_grid(grid: str) -> list[float]:
    """Read a grid of prices; raises `typer.BadParameter` for what is none."""
    expected = f"{grid!r}: expected LOW:HIGH:STEP or numbers with commas, at least 0"
    wrong = typer.BadParameter(expected, param_hint="--grid")
    try:
        numbers = [float(each) for each in grid.split(":" if ":" in grid else ",")]
    except ValueError:
        raise wrong from None
    if not all(math.isfinite(number) and number >= 0 for number in numbers):
        raise wrong
    if ":" not in grid:
        return numbers
    if len(numbers) != 3 or numbers[2] == 0 or numbers[1] < numbers[0]:
        raise wrong
    low, high, step = numbers
    count = (high - low) / step
    if count > MOST_CONTRACTS:
        raise typer.BadParameter(
            f"{grid!r}: expected at most {MOST_CONTRACTS} numbers", param_hint="--grid"
        )
    return [round(low + k * step, 9) for k in range(math.floor(count + 1e-9) + 1)]


def _contract(family: Family, prices: tuple[float, ...]) -> Contract:
    from cleanup_icn import solve

    makers: dict[Family, Callable[..., tuple[Contract, ...]]] = {
        Family.WAGE: solve.wages,
        Family.SHARE: solve.shares,
        Family.QUOTA: solve.quotas,
        Family.WAGE_AND_SHARE: solve.wage_and_share,
    }
    (contract,) = makers[family](*([price] for price in prices))
    return contract


def _row(family: Family, prices: tuple[float, ...], assessed: Assessment) -> dict[str, Any]:
    low = assessed.payoffs_low
    return {
        **dict(zip(_PRICES[family].names, prices, strict=True)),
        "contract": assessed.contract.to_dict(),
        "payoffs": [_number(payoff) for payoff in assessed.payoffs],
        "payoffs_low": None if low is None else [_number(payoff) for payoff in low],
        "welfare": _number(assessed.welfare),
        "transfer": _number(assessed.transfer),
        "is_individually_rational": assessed.is_individually_rational,
        "is_self_enforcing": assessed.is_self_enforcing,
        "first_breach": assessed.first_breach,
        "implements": assessed.implements,
        "implements_in_every_selection": assessed.implements_in_every_selection,
    }


def _picked(
    rows: Sequence[dict[str, Any]], assessed: Sequence[Assessment]
) -> dict[str, dict[str, Any] | None]:
    """Return the rows that stand out among those that implement the optimum."""
    from cleanup_icn.solve import least_transfer, most_equal

    found: dict[str, dict[str, Any] | None] = {}
    for name, pick in (("least_transfer", least_transfer), ("most_equal", most_equal)):
        best = pick(assessed)
        found[name] = None if best is None else rows[assessed.index(best)]
    return found


def _number(value: float) -> int | float:
    return whole(round(value, 6))


def _lay_out(found: dict[str, Any], names: Sequence[str]) -> RenderableType:
    kept = " and ".join(map(amount, found["status_quo"]))
    title = f"optimum {amount(found['optimum'])}, status quo {kept}"
    table = Table(
        title=title,
        title_justify="left",
        box=box.SIMPLE_HEAD,
        show_edge=False,
        padding=(0, 1, 0, 0),
    )
    for name in (*names, *_COLUMNS):
        table.add_column(name, justify="right")
    for row in found["contracts"]:
        table.add_row(*(f"{row[name]:g}" for name in names), *_cells(row))
    told = [
        f"{label}: {_named(found[key], names)}"
        for key, label in (("least_transfer", "least transfer"), ("most_equal", "most equal"))
    ]
    return Group(table, Text("\n".join(["", "Of those that reach the optimum", *told])))


def _cells(row: dict[str, Any]) -> list[str]:
    low = row["payoffs_low"]
    is_sure = row["implements_in_every_selection"]
    breach = row["first_breach"]
    return [
        *map(amount, row["payoffs"]),
        amount(row["welfare"]),
        "-" if low is None else amount(sum(low)),
        amount(row["transfer"]),
        "yes" if row["is_individually_rational"] else "no",
        "none" if breach is None else str(breach),
        ("in both" if is_sure else "yes") if row["implements"] else "no",
    ]


def _named(row: dict[str, Any] | None, names: Sequence[str]) -> str:
    if row is None:
        return "there is none"
    prices = ", ".join(f"{name} {row[name]:g}" for name in names)
    payoffs = " and ".join(map(amount, row["payoffs"]))
    return f"{prices} (transfer {amount(row['transfer'])}, payoffs {payoffs})"
