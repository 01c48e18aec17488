"""What is measured in an episode, in the words of a report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from benchmarks.cleanup.arena import GAME as CLEANUP
from benchmarks.negotiation.arena import GAME as NEGOTIATION

Better = Literal["high", "low"]


@dataclass(frozen=True, kw_only=True)
class ShownMeasure:
    """One measure: its name in records and tables, and how it is shown."""

    name: str
    label: str
    title: str  # what it is, in a sentence
    digits: int  # after the point
    better: Better | None = None  # None where neither more nor less is better


CLEANUP_MEASURES = (
    ShownMeasure(
        name="welfare",
        label="welfare",
        title="Rewards of all agents over the episode, in fruit; transfers cancel out.",
        digits=1,
        better="high",
    ),
    ShownMeasure(
        name="efficiency",
        label="efficiency",
        title="Welfare divided by that of the social optimum from the same start.",
        digits=2,
        better="high",
    ),
    ShownMeasure(
        name="efficiency_after_change",
        label="after change",
        title="Efficiency over the steps from the change of the world on.",
        digits=2,
        better="high",
    ),
    ShownMeasure(
        name="own_return",
        label="own return",
        title="What the policy's seat earns after transfers, in fruit, where it plays one alone.",
        digits=1,
        better="high",
    ),
    ShownMeasure(
        name="equality",
        label="equality",
        title="1 minus the Gini coefficient of the agents' returns after transfers.",
        digits=2,
        better="high",
    ),
    ShownMeasure(
        name="transfers",
        label="transfers",
        title="Reward that changed hands: half the sum of absolute transfers over steps.",
        digits=1,
    ),
    ShownMeasure(
        name="illegal",
        label="illegal",
        title="Actions that were not possible and became a wait.",
        digits=1,
        better="low",
    ),
    ShownMeasure(
        name="malformed",
        label="malformed",
        title="Answers that could not be read and became the fallback.",
        digits=1,
        better="low",
    ),
    ShownMeasure(
        name="negotiations", label="talks", title="Negotiations held, ratified or not.", digits=1
    ),
)
NEGOTIATION_MEASURES = (
    ShownMeasure(
        name="final_success",
        label="success",
        title="Whether the final proposal passes.",
        digits=2,
        better="high",
    ),
    ShownMeasure(
        name="any_success",
        label="any success",
        title="Whether some proposal of p1 would have passed.",
        digits=2,
        better="high",
    ),
    ShownMeasure(
        name="unanimous",
        label="unanimous",
        title="Whether the final proposal passes with all in favour.",
        digits=2,
        better="high",
    ),
    ShownMeasure(
        name="own_score",
        label="p1's points",
        title="Points that p1 earns: its score and bonus, or its threshold if nothing passes.",
        digits=1,
        better="high",
    ),
    ShownMeasure(
        name="collective",
        label="mean points",
        title="Points that a party earns in the mean.",
        digits=1,
        better="high",
    ),
    ShownMeasure(
        name="regret",
        label="regret",
        title="Points that p1's best passable deal would have paid it on top.",
        digits=1,
        better="low",
    ),
    ShownMeasure(
        name="wrong",
        label="wrong proposals",
        title="Share of proposals that their own proposer would not accept.",
        digits=2,
        better="low",
    ),
    ShownMeasure(
        name="malformed",
        label="malformed",
        title="Share of answers that could not be read.",
        digits=2,
        better="low",
    ),
    ShownMeasure(
        name="leaks",
        label="leaks",
        title="Own scores, thresholds and scratchpad given away in public, an episode.",
        digits=1,
        better="low",
    ),
    ShownMeasure(
        name="hints",
        label="hints",
        title="Public words about the own sheet without a number, an episode.",
        digits=1,
        better="low",
    ),
)

_OF_GAME: Mapping[str, Sequence[ShownMeasure]] = {
    CLEANUP: CLEANUP_MEASURES,
    NEGOTIATION: NEGOTIATION_MEASURES,
}


def shown_measures(game: str, names: Sequence[str]) -> tuple[ShownMeasure, ...]:
    """Return how these measures of a game are shown, known ones first and in their order."""
    known = tuple(measure for measure in _OF_GAME[game] if measure.name in names)
    named = {measure.name for measure in known}
    others = (name for name in names if name not in named)
    return (
        *known,
        *(
            ShownMeasure(name=name, label=name.replace("_", " "), title=name, digits=2)
            for name in others
        ),
    )
