"""Training of a learned p1, once for each setting."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from benchmarks.negotiation.arena import PARTNER, NegotiationArena, Setting
from benchmarks.negotiation.policies import partner_scripts
from benchmarks.training import train_on
from cleanup_icn import ConfigError
from negotiation_games import Game
from negotiation_games.batch import BatchProposer, BotPartners

_HYPER_PARAMETERS = {"n_steps": 10, "batch_size": 160, "n_epochs": 8, "ent_coef": 0.0}
"""Short rollouts, two negotiations of each lane, since one needs few of them to learn."""


def train_policy(
    arena: NegotiationArena, setting: Setting, *, out: Path, on_agent_steps: Callable[[int], None]
) -> Path:
    """Train p1 among partners as in evaluation; see `benchmarks.training.train_on`.

    Raises:
        ConfigError: the arena's seat is not p1's, or its partners cannot be played in lanes.
    """
    game, partner = setting.load(), arena.partners or PARTNER
    _check_seat(arena, game)
    partners = BotPartners(partner_scripts(game, partner))
    return train_on(
        lambda num_lanes: BatchProposer(
            game, num_lanes, partners=partners, auto_reset=True, **setting.played
        ),
        arena,
        out=out,
        on_agent_steps=on_agent_steps,
        meta={"arena": arena.name, "contract": setting.to_dict(), "partners": partner},
        hyper_parameters=_HYPER_PARAMETERS,
    )


def _check_seat(arena: NegotiationArena, game: Game) -> None:
    p1 = game.parties[game.proposer_index]
    names = (p1.role.name.lower(), p1.name)
    if arena.seat is not None and arena.seat not in names:
        raise ConfigError("seat", arena.seat, f"{' or '.join(names)}, where a policy is learned")
