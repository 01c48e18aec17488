"""`commonweal solve cleanup` and `commonweal solve equilibrium`: exact answers about Cleanup."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from benchmarks.settings_option import Settings, read_settings
from benchmarks.terminal import AsJson, answer, under_way

if TYPE_CHECKING:
    from cleanup_icn.solve import Equilibrium

Preset = Annotated[str | None, typer.Option(help="Named settings, see `presets`.")]
ContractFile = Annotated[
    Path | None,
    typer.Option(
        "--contract",
        metavar="FILE",
        exists=True,
        dir_okay=False,
        readable=True,
        help="The contract in force, as JSON or as its English sentence.",
        show_default="none",
    ),
]


def solve_cleanup(preset: Preset = None, values: Settings = None, as_json: AsJson = False) -> None:
    """Solve Cleanup exactly: the best welfare, and that of two rules of thumb."""
    from cleanup_icn import CleanupConfig
    from cleanup_icn.solve import all_harvest_welfare, one_cleaner_welfare, social_optimum

    config = CleanupConfig.create(preset=preset, **read_settings(values or []))
    start_s = time.perf_counter()
    with under_way("solving"):
        found = {
            "social_optimum": whole(social_optimum(config).welfare),
            "all_harvest": whole(all_harvest_welfare(config)),
            "one_cleaner": whole(one_cleaner_welfare(config)),
        }
    seconds = round(time.perf_counter() - start_s, 3)
    table = Table("play", "welfare")
    for play, welfare in found.items():
        table.add_row(play.replace("_", " "), amount(welfare))
    answer({**found, "seconds": seconds}, table, as_json=as_json)


def solve_equilibrium(
    contract: ContractFile = None,
    preset: Preset = None,
    values: Settings = None,
    as_json: AsJson = False,
) -> None:
    """Solve Cleanup for two who each look after themselves, under a contract or none.

    Subgame-perfect equilibria by backward induction. Where a state has several, the high selection
    takes that of highest welfare from there on and the low one that of lowest: two selections, no
    bounds. Where none is pure, the best, or worst, of the mixed ones is taken.

    A contract with caps, or in plain language, is not solved.
    """
    from benchmarks.cleanup.contract_file import contract_in
    from cleanup_icn import CleanupConfig
    from cleanup_icn.contracts import Contract
    from cleanup_icn.solve import equilibrium, social_optimum

    config = CleanupConfig.create(preset=preset, **read_settings(values or []))
    terms = Contract() if contract is None else contract_in(contract)
    start_s = time.perf_counter()
    with under_way("solving"):
        high = equilibrium(config, terms, selection="high")
        low = equilibrium(config, terms, selection="low")
        optimum = whole(social_optimum(config).welfare)
    found = {
        "social_optimum": optimum,
        "selected_high": whole(high.welfare),
        "selected_low": whole(low.welfare),
        "payoffs": [whole(payoff) for payoff in high.payoffs],
        "states": high.num_states,
        "states_without_pure": high.num_without_pure,
        "states_without_pure_low": low.num_without_pure,
        "seconds": round(time.perf_counter() - start_s, 3),
    }
    answer(found, _equilibrium_table(optimum, high, low), as_json=as_json)


def _equilibrium_table(optimum: float, high: Equilibrium, low: Equilibrium) -> Table:
    """Lay the answer out for people, an agent's payoffs a column."""
    table = Table("play", "welfare", "agent_0", "agent_1", "states without a pure equilibrium")
    table.add_row("social optimum", amount(optimum), "-", "-", "-")
    for solved in (high, low):
        payoffs = map(amount, solved.payoffs)
        mixed = f"{solved.num_without_pure:,} of {solved.num_states:,}"
        table.add_row(f"selected {solved.selection}", amount(solved.welfare), *payoffs, mixed)
    return table


def whole(number: float) -> int | float:
    """Return a number as an integer where it is one, within rounding."""
    rounded = round(float(number), 9)
    return int(rounded) if rounded == int(rounded) else rounded


def amount(number: float) -> str:
    """Return reward units as people read them, with two decimals at most."""
    return str(whole(round(float(number), 2)))
