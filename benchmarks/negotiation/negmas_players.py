"""Negotiators of negmas as parties: what each of them is told."""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import numpy as np

from cleanup_icn import ConfigError
from negotiation_games import NegotiationEnv
from negotiation_games.deal_values import deal_values
from negotiation_games.policies import words_of
from negotiation_games.reading import parse_observation
from negotiation_games.state import Phase

if TYPE_CHECKING:
    from agents import Agent
    from agents.negmas_agent import Heard

INSTALL_HINT = 'pip install "commonweal[negmas]"'

NEGMAS_PREFIX = "negmas-"
"""How the names of policies begin that are negotiators of negmas."""

NEGMAS_POLICIES = tuple(
    NEGMAS_PREFIX + name
    for name in (
        "aspiration",
        "boulware",
        "conceder",
        "linear",
        "micro",
        "rational",
        "tit-for-tat",
        "tough",
    )
)
"""The policies, one for each of `agents.negmas_agent.NEGOTIATORS`."""


def is_available() -> bool:
    """Whether the package of the extra `[negmas]` is installed; does not import it."""
    return find_spec("negmas") is not None


def negmas_party(policy: str, env: NegotiationEnv, party: str) -> Agent:
    """Return the agent that plays a party by one of `NEGMAS_POLICIES`.

    It is given the party's own sheet and reads the observations that the party is shown.

    Raises:
        ConfigError: negmas is not installed.
    """
    if not is_available():
        raise ConfigError("policy", policy, f"another without negmas ({INSTALL_HINT})")
    from agents.negmas_agent import NegmasAgent

    game, own = env.game, env.game.party(party)
    is_proposer = game.parties[game.proposer_index] is own
    return NegmasAgent(
        policy.removeprefix(NEGMAS_PREFIX),
        num_options=game.num_options,
        utilities=deal_values(own.scores).tolist(),
        reserved_value=own.threshold,
        num_turns=env.num_turns // game.num_parties + is_proposer,
        read=lambda observation: heard_by(party, observation, parties=game.party_names),
    )


def heard_by(party: str, observation: Any, *, parties: tuple[str, ...]) -> Heard:
    """Return the deals that others proposed since the party's last turn, and what it votes on."""
    from agents.negmas_agent import Ballot, Heard

    seen = parse_observation(words_of(observation), parties=parties)

    def number(deal: tuple[int, ...]) -> int:
        return int(np.ravel_multi_index(deal, seen.num_options))

    offers: list[int] = []
    for said in seen.record:
        if said.party == party:
            offers.clear()
        elif said.deal is not None:
            offers.append(number(said.deal))
    if seen.phase is not Phase.VOTE or seen.final_deal is None:
        return Heard(tuple(offers))
    deals = seen.num_deals
    return Heard(tuple(offers), Ballot(number(seen.final_deal), deals + 1, deals + 2))
