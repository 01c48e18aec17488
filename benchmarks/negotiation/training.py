"""Training of a learned p1, once for each setting."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from benchmarks.negotiation.lane import ProposerLane
from benchmarks.negotiation.policies import PARTNER
from benchmarks.negotiation.suite import NegotiationSuite, Setting
from benchmarks.training import train_on_lanes

_HYPER_PARAMETERS = {"n_steps": 10, "batch_size": 160, "n_epochs": 8, "ent_coef": 0.0}
"""Short rollouts, two negotiations of each lane, since one needs few of them to learn."""


def train_policy(
    suite: NegotiationSuite, setting: Setting, *, out: Path, on_agent_steps: Callable[[int], None]
) -> Path:
    """Train p1 among partners as in evaluation; see `benchmarks.training.train_on_lanes`."""
    return train_on_lanes(
        lambda: ProposerLane(setting),
        suite,
        out=out,
        on_agent_steps=on_agent_steps,
        meta={"suite": suite.name, "contract": setting.to_dict(), "partners": PARTNER},
        hyper_parameters=_HYPER_PARAMETERS,
    )
