"""Negotiators of the library negmas as players of one seat (extra ``[negmas]``; negmas is AGPL).

negmas' own mechanism ends when a proposal is accepted. Here parties propose in turn, and what
counts is decided at the end. So a negotiator is asked directly, in a state made by hand: all others
together are its one partner, their latest proposal is the offer that stands, and its own turns are
the rounds.
"""

from __future__ import annotations

import math
import random
import warnings
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from itertools import product
from typing import Any, NamedTuple

from agents.protocol import Decision, ImmediateAgent

try:
    from negmas.gb.components import TFTAcceptancePolicy, TFTOfferingPolicy
    from negmas.gb.components.concession import KindConcessionRecommender
    from negmas.gb.components.models.ufun import ZeroSumModel
    from negmas.gb.components.offering import MiCROOfferingPolicy
    from negmas.gb.negotiators.modular import MAPNegotiator
    from negmas.outcomes.categorical_issue import CategoricalIssue
    from negmas.outcomes.outcome_space import DiscreteCartesianOutcomeSpace
    from negmas.preferences import BaseUtilityFunction, MappingUtilityFunction
    from negmas.preferences.inv_ufun import PresortingInverseUtilityFunction
    from negmas.sao import negotiators as sao
    from negmas.sao.common import SAONMI, ResponseType, SAOState
    from negmas.warnings import NegmasWarning
except ImportError as error:  # pragma: no cover - where the extra is not installed
    raise ImportError(
        f"NegmasAgent needs negmas ({error}): pip install 'commonweal[negmas]'"
    ) from error

# It warns of amounts that it then corrects by itself, in every turn of some negotiators.
warnings.filterwarnings("ignore", category=NegmasWarning)

Outcome = tuple[int, ...]
"""An option of every issue, from 0."""

_OWN, _OTHERS = "own", "others"
_NAMED = {"name": _OWN, "id": _OWN}  # what has no name in negmas draws one, from global chance


class Ballot(NamedTuple):
    """A vote on one outcome, and the two actions that are its answers."""

    outcome: int
    accept: int
    reject: int


class Heard(NamedTuple):
    """What an observation tells a negotiator."""

    offers: tuple[int, ...]  # outcomes that others proposed since its own last turn, in order
    ballot: Ballot | None = None  # what it votes on, where it is asked for that


Read = Callable[[Any], Heard]
"""Reads an observation of the seat."""


class NegmasAgent(ImmediateAgent):
    """Lets a negotiator of negmas propose outcomes, which are numbered from 0.

    In the k-th of T turns, k from 0, the negotiator's relative time is ``k / (T - 1)``. It is told
    of every outcome that others proposed. If it accepts the latest of them, it proposes that one
    again; else what it chooses to or, if that is nothing, what it proposed last, at first the best
    for itself. It votes as it would respond to an offer.

    All chance follows from the seed of `reset`; global generators are neither used nor touched.

    Args:
        negotiator: a name in `NEGOTIATORS`.
        num_options: how many options each issue has. Outcomes are numbered in lexicographic order,
            the last issue changing fastest.
        utilities: of every outcome for this seat, by number.
        reserved_value: the utility without agreement; an outcome of just that is acceptable.
        num_turns: in which the seat proposes, at least 1.
        read: reads the observations.

    Raises:
        ValueError: an argument that cannot be.
    """

    def __init__(
        self,
        negotiator: str,
        *,
        num_options: Sequence[int],
        utilities: Sequence[float],
        reserved_value: float,
        num_turns: int,
        read: Read,
    ) -> None:
        if negotiator not in NEGOTIATORS:
            known = ", ".join(NEGOTIATORS)
            raise ValueError(f"negotiator = {negotiator!r}: expected one of {known}")
        if len(utilities) != math.prod(num_options):
            needed = f"{math.prod(num_options)}, one an outcome"
            raise ValueError(f"utilities = {len(utilities)} numbers: expected {needed}")
        if num_turns < 1:
            raise ValueError(f"num_turns = {num_turns!r}: expected an integer of at least 1")
        self._make, self._num_turns, self._read = NEGOTIATORS[negotiator], num_turns, read
        self._outcomes: tuple[Outcome, ...] = tuple(product(*map(range, num_options)))
        self._numbers = {outcome: number for number, outcome in enumerate(self._outcomes)}
        self._utilities = dict(zip(self._outcomes, map(float, utilities), strict=True))
        self._best = max(self._outcomes, key=self._utilities.__getitem__)
        self._reserved_value = float(reserved_value)
        issues = (CategoricalIssue(range(n), f"issue {i}") for i, n in enumerate(num_options))
        self._space = DiscreteCartesianOutcomeSpace(tuple(issues), name="outcomes")
        self.reset(seed=0)

    def reset(self, *, seed: int) -> None:
        """Begin a new episode with a new negotiator, whose draws follow from `seed` alone."""
        self._turns_made, self._latest, self._mechanism = 0, self._best, _NoMechanism()
        self._negotiator = self._make(random.Random(seed))
        ufun = _Utility(
            self._utilities,
            outcome_space=self._space,
            reserved_value=self._reserved_value,
            name=_OWN,
        )
        state = self._state(None)
        self._negotiator.join(self._interface(), state, ufun=ufun)
        self._negotiator._on_negotiation_start(state)  # as a mechanism does

    def act(self, observation: Any) -> Decision:
        """Propose an outcome, or vote."""
        heard = self._read(observation)
        for number in heard.offers:
            offer = self._outcomes[number]
            self._negotiator.on_partner_proposal(self._state(offer), _OTHERS, offer)
        if heard.ballot is not None:
            number, accept, reject = heard.ballot
            return Decision(action=accept if self._accepts(self._outcomes[number]) else reject)
        standing = self._outcomes[heard.offers[-1]] if heard.offers else None
        if standing is not None and self._accepts(standing):
            self._latest = standing
        else:
            self._latest = self._negotiator.propose(self._state(standing)) or self._latest
        self._turns_made += 1
        return Decision(action=self._numbers[self._latest])

    def _accepts(self, offer: Outcome) -> bool:
        response = self._negotiator.respond(self._state(offer), _OTHERS)
        return bool(response == ResponseType.ACCEPT_OFFER)

    def _state(self, offer: Outcome | None) -> Any:
        """Return what the negotiator sees of the negotiation while an offer stands."""
        last_turn = self._num_turns - 1
        self._mechanism.state = SAOState(
            running=True,
            started=True,
            step=self._turns_made,
            relative_time=min(self._turns_made / last_turn, 1.0) if last_turn else 1.0,
            n_negotiators=2,
            current_offer=offer,
            current_proposer=None if offer is None else _OTHERS,
        )
        return self._mechanism.state

    def _interface(self) -> Any:
        """Return what tells the negotiator of the negotiation that it joins."""
        return SAONMI(
            id="negotiation",
            n_outcomes=len(self._outcomes),
            outcome_space=self._space,
            shared_time_limit=math.inf,
            shared_n_steps=self._num_turns,
            private_time_limit=math.inf,
            private_n_steps=None,
            pend=0.0,
            pend_per_second=0.0,
            step_time_limit=math.inf,
            negotiator_time_limit=math.inf,
            dynamic_entry=False,
            max_n_negotiators=2,
            _mechanism=self._mechanism,
        )


class _NoMechanism:
    """In the place of a mechanism, which a negotiator may ask who takes part and how it stands."""

    negotiator_ids = (_OWN, _OTHERS)
    state: Any = None


class _SteadyInverse(PresortingInverseUtilityFunction):
    """Sorts outcomes by utility, those of equal utility by number.

    The latter are otherwise left to a sorting routine that differs between processors.
    """

    def init(self) -> None:
        super().init()
        rational = slice(self._last_rational + 1)
        self.outcomes[rational] = sorted(
            self.outcomes[rational], key=lambda outcome: (self.ufun(outcome), outcome)
        )


class _Utility(MappingUtilityFunction):
    def invert(self, inverter: Any = None, **kwargs: Any) -> Any:
        del inverter
        return super().invert(_SteadyInverse, **kwargs)


class _OwnDice(MiCROOfferingPolicy):
    """Draws which of its proposals to repeat from a generator of its own."""

    def __init__(self, rng: random.Random) -> None:
        super().__init__()
        self._rng = rng

    def sample_sent(self) -> Any:
        return self._rng.choice(sorted(self._sent)) if self._sent else None


class _NamedModel(ZeroSumModel):
    """The partner of tit for tat, with a name that is not drawn."""

    def __attrs_post_init__(self) -> None:
        BaseUtilityFunction.__init__(self, reserved_value=0.0, **_NAMED)


def _time_based(kind: Any) -> Callable[[random.Random], Any]:
    inverter = partial(_SteadyInverse, rational_only=True)
    return lambda _rng: kind(ufun_inverter=inverter, **_NAMED)


def _micro(rng: random.Random) -> Any:
    return sao.MiCRONegotiator(offering=_OwnDice(rng), **_NAMED)


def _tit_for_tat(_rng: random.Random) -> Any:
    """Return what `NaiveTitForTatNegotiator` is by default, but for the name of its model."""
    recommender = KindConcessionRecommender(punish=False)
    parts = {"recommender": recommender, "partner_ufun": _NamedModel(above_reserve=False)}
    return MAPNegotiator(
        models=[*reversed(parts.values())],
        acceptance=TFTAcceptancePolicy(**parts),
        offering=TFTOfferingPolicy(**parts),
        **_NAMED,
    )


NEGOTIATORS: Mapping[str, Callable[[random.Random], Any]] = {
    "aspiration": _time_based(sao.AspirationNegotiator),
    "boulware": _time_based(sao.BoulwareTBNegotiator),
    "conceder": _time_based(sao.ConcederTBNegotiator),
    "linear": _time_based(sao.LinearTBNegotiator),
    "micro": _micro,
    "rational": lambda _rng: sao.CARNegotiator(**_NAMED),
    "tit-for-tat": _tit_for_tat,
    "tough": lambda _rng: sao.ToughNegotiator(**_NAMED),
}
"""By name, what makes a negotiator, given a generator for whatever it draws."""
