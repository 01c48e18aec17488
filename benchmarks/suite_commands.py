"""The command that lists the bundled comparisons and what each costs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich import box
from rich.console import Group
from rich.table import Table
from rich.text import Text

from benchmarks.terminal import AsJson, answer, console

if TYPE_CHECKING:
    from benchmarks.suite import Suite
    from benchmarks.suite_cost import SuiteCost

_WIDE = 120
"""Width of a terminal, in characters, that has room for words beside the figures."""


def suites(as_json: AsJson = False) -> None:
    """List the bundled comparisons, and what each costs."""
    from benchmarks.suite_cost import cost_of
    from benchmarks.suite_file import bundled_suites

    costs = [(suite, cost_of(suite)) for suite in bundled_suites().values()]
    answer([_told(*each) for each in costs], _table(costs, width=console().width), as_json=as_json)


def _told(suite: Suite, cost: SuiteCost) -> dict[str, Any]:
    arenas = [
        {
            "name": arena.name,
            "policies": list(arena.policies),
            "contracts": [condition.name for condition in arena.conditions],
            "num_episodes": arena.num_episodes,
        }
        for arena in suite.arenas
    ]
    return {
        "name": suite.name,
        "description": suite.description,
        "arenas": arenas,
        **cost.to_dict(),
    }


def _table(costs: list[tuple[Suite, SuiteCost]], *, width: int) -> Group:
    """Lay out the costs; what each compares stands below where there is no room beside them."""
    is_wide = width >= _WIDE
    table = Table(
        "suite",
        *(["what it compares"] if is_wide else []),
        caption="calls and tokens: of one model in the place of the stubs",
        caption_justify="left",
        box=box.HEAVY_HEAD if is_wide else box.SIMPLE_HEAD,
        padding=(0, 1) if is_wide else (0, 1, 0, 0),
    )
    for heading in ("cells", "episodes", "agent-steps\nof training", "model\ncalls", "tokens"):
        table.add_column(heading, justify="right", no_wrap=True)
    for suite, cost in costs:
        asked = cost.asked
        table.add_row(
            suite.name,
            *([suite.description] if is_wide else []),
            f"{cost.cells:,}",
            f"{cost.episodes:,}",
            _number(cost.training_agent_steps),
            _about(asked.calls),
            _about(asked.prompt_tokens + asked.completion_tokens),
        )
    if is_wide:
        return Group(table)
    told = (f"{suite.name}: {suite.description}" for suite, _ in costs)
    return Group(table, Text(), *map(Text, told))


def _number(amount: int) -> str:
    return f"{amount:,}" if amount else "-"


def _about(amount: int) -> str:
    """Return two digits of a number: it is an estimate."""
    if not amount:
        return "-"
    size = 10 ** max(0, len(str(amount)) - 2)
    return f"about {_short(round(amount / size) * size)}"


def _short(amount: int) -> str:
    for size, word in ((10**6, "M"), (10**3, "k")):
        if amount >= size:
            return f"{amount / size:g} {word}"
    return str(amount)


COMMANDS = (suites,)
