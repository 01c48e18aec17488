"""Styles of reasoning: which steps of thought a model is asked for before it answers.

A style is nothing but its steps; each game words every step in its own terms, so any list of steps
is a style and leaving one out is an ablation.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

STEPS = ("think", "observe", "explore", "predict", "universalize", "plan")
"""All steps, in the order in which they are asked for.

``think``: step by step (Wei et al. 2022, arXiv:2201.11903). ``observe``, ``explore``, ``plan``:
note what others did and want, try out moves, leave oneself notes (Abdelnabi et al. 2024,
arXiv:2309.17234). ``predict``: say what the others will do next before deciding (Akata et al. 2023,
*Playing repeated games with large language models*, arXiv:2305.16867). ``universalize``: ask what
would come of it if everybody did so (Piatti et al. 2024, *Cooperate or Collapse*,
arXiv:2404.16698).
"""

DIRECT = "direct"
"""The style without a thought."""

STYLES: Mapping[str, tuple[str, ...]] = {
    DIRECT: (),
    "chain-of-thought": ("think",),
    "observe-explore-plan": ("observe", "explore", "plan"),
    "social": ("predict",),
    "universalization": ("universalize",),
}
"""The named styles."""


def steps_of(style: str | Sequence[str]) -> tuple[str, ...]:
    """Return the steps of a style by its name, or of a list of steps, in their order.

    Raises `ValueError` for a name or a step that there is none of.
    """
    if isinstance(style, str):
        if style not in STYLES:
            allowed = f"one of {', '.join(STYLES)}, or a list of steps"
            raise ValueError(f"style = {style!r}: expected {allowed}")
        return STYLES[style]
    for step in style:
        if step not in STEPS:
            raise ValueError(f"style step = {step!r}: expected one of {', '.join(STEPS)}")
    return tuple(step for step in STEPS if step in style)
