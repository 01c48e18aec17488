"""Who sits at a table: models that speak for a seat, and policies that share it with them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from agents import Agent
from agents.llm import ChatAgent, ChatClient, Seat
from benchmarks.lineups import seat_lineup
from benchmarks.model_config import ModelsConfig, Table
from cleanup_icn.wordings import OWN, RewordedSeat

MakeClient = Callable[[str, str], ChatClient]
"""From a model's name and a seat to the client that answers for it."""


class Speakers:
    """Makes the agents that models play.

    Args:
        models: their settings.
        make_client: what answers for a model on a seat.
    """

    def __init__(self, models: ModelsConfig, make_client: MakeClient) -> None:
        self._models, self._make_client = models, make_client

    def seat_everybody(
        self,
        table: Table,
        *,
        names_of: Mapping[str, tuple[str, ...]],
        make_seat: Callable[[str], Seat],
        make_agents: Callable[[str], Mapping[str, Agent]],
    ) -> dict[str, Agent]:
        """Return an agent for every seat.

        Args:
            table: who sits where.
            names_of: by seat, the names under which a table may speak of it.
            make_seat: what the game tells of a seat.
            make_agents: all seats' agents for the name of a policy.

        """
        return seat_lineup(
            table,
            names_of=names_of,
            make_agents=make_agents,
            speak_for=lambda player, seat: self._speaker(player, seat, make_seat),
        )

    def _speaker(
        self, player: str, seat: str, make_seat: Callable[[str], Seat]
    ) -> ChatAgent | None:
        if player not in self._models.models:
            return None
        spec = self._models.models[player]
        options: dict[str, Any] = spec.agent_options()
        told = make_seat(seat)
        if spec.wording != OWN:
            told = RewordedSeat(told, spec.wording)
        return ChatAgent(self._make_client(player, seat), told, **options)
