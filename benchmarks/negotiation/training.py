"""Training of a learned p1, once for each setting."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from benchmarks.negotiation.policies import PARTNER, partner_scripts
from benchmarks.negotiation.suite import NegotiationSuite, Setting
from benchmarks.training import train_on
from negotiation_games.batch import BatchProposer, BotPartners

_HYPER_PARAMETERS = {"n_steps": 10, "batch_size": 160, "n_epochs": 8, "ent_coef": 0.0}
"""Short rollouts, two negotiations of each lane, since one needs few of them to learn."""


def train_policy(
    suite: NegotiationSuite, setting: Setting, *, out: Path, on_agent_steps: Callable[[int], None]
) -> Path:
    """Train p1 among partners as in evaluation; see `benchmarks.training.train_on`."""
    game = setting.load()
    partners = BotPartners(partner_scripts(game))
    return train_on(
        lambda num_lanes: BatchProposer(game, num_lanes, partners=partners, auto_reset=True),
        suite,
        out=out,
        on_agent_steps=on_agent_steps,
        meta={"suite": suite.name, "contract": setting.to_dict(), "partners": PARTNER},
        hyper_parameters=_HYPER_PARAMETERS,
    )
