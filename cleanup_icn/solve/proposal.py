"""The game with a proposal stage: one agent proposes a contract, the other takes it or leaves it.

The augmented game of A. Haupt, P. Christoffersen, M. Damani and D. Hadfield-Menell, "Formal
contracts mitigate social dilemmas in multi-agent reinforcement learning", Autonomous Agents and
Multi-Agent Systems 38 (2024), arXiv:2208.10469. Before the game one agent, the proposer, names a
contract of a *space*; the other accepts it, or it is the null contract that is in force. Their
theorem: where the space is rich enough, every subgame-perfect equilibrium of the augmented game
earns the social optimum. The contract of their proof punishes whoever leaves the optimal plan so
hard that nobody does, and moves so much at the start that the responder is as well off as without.

Play after the proposal is a subgame-perfect equilibrium too, and there may be several. Here it is
one of the two selections of `cleanup_icn.solve.equilibrium`. Which one follows a refusal, and which
one each contract, is part of the equilibrium of the augmented game; all combinations count.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product
from typing import NamedTuple

from cleanup_icn.config import CleanupConfig, ConfigError
from cleanup_icn.contracts import Condition, Contract, LumpSum, Quota
from cleanup_icn.solve.design import CLOSE, Assessment, assess, foreseen
from cleanup_icn.solve.equilibrium import SELECTIONS
from cleanup_icn.solve.optimum import social_optimum
from cleanup_icn.solve.two_agents import AGENTS, check_two_agents, places_after
from cleanup_icn.solve.worlds import outcomes_of
from cleanup_icn.state import CLEAN, HARVEST, CleanupState

TIES = ("accept", "refuse")
"""What a responder does with a contract that leaves it exactly as well off as none."""

_AMOUNT_DIGITS = 9  # of lump sums, in reward units: rounding is far below what counts as equal

Payoffs = tuple[float, float]


@dataclass(frozen=True)
class ProposalOutcome:
    """What comes of the proposal stage when selections are given; amounts in reward units."""

    null_selection: str  # of play after a refusal
    contract_selection: str  # of play under the contracts, or under the one in force
    contract: Contract  # in force in the end, the null contract if none is proposed and accepted
    payoffs: Payoffs  # lump sums included
    optimum: float  # the most that any play earns

    @property
    def welfare(self) -> float:
        """Sum of both payoffs."""
        return sum(self.payoffs)

    @property
    def gap(self) -> float:
        """What is lost to the optimum, 0 within rounding if nothing is."""
        return max(0.0, round(self.optimum - self.welfare, 6))

    @property
    def is_optimal(self) -> bool:
        """Whether the optimum is earned."""
        return self.gap == 0.0


@dataclass(frozen=True)
class ProposalGame:
    """The proposal stage over one space of contracts, solved by backward induction."""

    proposer: int
    space: tuple[Contract, ...]  # what can be proposed beside the null contract
    outcomes: tuple[ProposalOutcome, ...]  # one selection for all contracts: all combinations
    worst: ProposalOutcome  # of lowest welfare if each contract may have a selection of its own

    @property
    def is_always_optimal(self) -> bool:
        """Whether the optimum is earned whichever selection follows a refusal or a contract."""
        return self.worst.is_optimal and all(each.is_optimal for each in self.outcomes)


def proposal_game(
    config: CleanupConfig,
    contracts: Sequence[Contract],
    *,
    proposer: int = 0,
    selections: Sequence[str] = SELECTIONS,
    with_lump_sums: bool = False,
    margin: float = 0.0,
    ties: str = "accept",
) -> ProposalGame:
    """Solve the game in which one agent proposes a contract of a space and the other responds.

    The responder accepts exactly if it is no worse off than under the null contract. The proposer
    names what is best for itself among what is accepted; of equals that of larger welfare, of those
    the null contract, else the first. ``worst`` knows no such preference, neither for welfare nor
    for order.

    Args:
        config: the game; two agents.
        contracts: the space, the null contract aside; no caps, no plain language.
        proposer: index of the agent that proposes.
        selections: ("high",) or ("high", "low").
        with_lump_sums: add to the space each contract with a lump sum that leaves the responder
            at what it has under the null contract, for each pair of selections.
        margin: what such a lump sum leaves it above that, reward units.
        ties: one of `TIES`.

    Raises:
        ConfigError: more agents than two, a contract that is not additive, another value.
    """
    if proposer not in range(len(AGENTS)):
        raise ConfigError("proposer", proposer, "0 or 1")
    if ties not in TIES:
        raise ConfigError("ties", ties, " or ".join(TIES))
    null, *assessed = assess(config, [Contract(), *contracts], selections=selections)
    stage = _Stage(proposer, null.optimum, _payoffs_of(null), ties)
    offers = [_Offer(each.contract, _payoffs_of(each)) for each in assessed]
    if with_lump_sums:
        offers += [levelled for offer in offers for levelled in stage.levelled(offer, margin)]
    return ProposalGame(
        proposer,
        tuple(offer.contract for offer in offers),
        tuple(stage.outcome(offers, *pair) for pair in product(stage.null, repeat=2)),
        stage.worst(offers),
    )


class _Offer(NamedTuple):
    """A contract, and what signing it is worth to both agents in each selection."""

    contract: Contract
    payoffs: Mapping[str, Payoffs]


def _payoffs_of(assessment: Assessment) -> dict[str, Payoffs]:
    found = {"high": assessment.payoffs}
    if assessment.payoffs_low is not None:
        found["low"] = assessment.payoffs_low
    return found


@dataclass(frozen=True)
class _Stage:
    """Who proposes, and what there is without a contract."""

    proposer: int
    optimum: float
    null: Mapping[str, Payoffs]
    ties: str
    responder: int = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "responder", 1 - self.proposer)

    def accepts(self, payoffs: Payoffs, null_selection: str) -> bool:
        gain = payoffs[self.responder] - self.null[null_selection][self.responder]
        return gain >= -CLOSE if self.ties == "accept" else gain > CLOSE

    def outcome(
        self, offers: Sequence[_Offer], null_selection: str, selection: str
    ) -> ProposalOutcome:
        """Return what the proposer brings about if all contracts have one selection."""
        found = [(Contract(), self.null[null_selection])]
        found += [
            (offer.contract, offer.payoffs[selection])
            for offer in offers
            if self.accepts(offer.payoffs[selection], null_selection)
        ]
        contract, payoffs = max(
            found, key=lambda each: (round(each[1][self.proposer], 6), round(sum(each[1]), 6))
        )
        return ProposalOutcome(null_selection, selection, contract, payoffs, self.optimum)

    def worst(self, offers: Sequence[_Offer]) -> ProposalOutcome:
        """Return the outcome of lowest welfare over all selections, one for each contract."""
        supported = (each for null in self.null for each in self._supported(offers, null))
        return min(supported, key=lambda each: round(each.welfare, 6))

    def _supported(
        self, offers: Sequence[_Offer], null_selection: str
    ) -> Iterator[ProposalOutcome]:
        """Yield the outcomes that come about under some selection, one for each contract.

        An outcome does if no other proposal is better for the proposer in the selection that is
        worst for it there.
        """
        without = self.null[null_selection]
        sure = [
            min(self._gain(payoffs, null_selection) for payoffs in offer.payoffs.values())
            for offer in offers
        ]
        ranked = sorted(range(len(offers)), key=lambda k: -sure[k])[:2]
        if all(gain <= CLOSE for gain in sure):
            yield ProposalOutcome(null_selection, null_selection, Contract(), without, self.optimum)
        for k, offer in enumerate(offers):
            elsewhere = max([0.0, *(sure[other] for other in ranked if other != k)])
            for selection, payoffs in offer.payoffs.items():
                gain = self._gain(payoffs, null_selection)
                if self.accepts(payoffs, null_selection) and gain >= elsewhere - CLOSE:
                    yield ProposalOutcome(
                        null_selection, selection, offer.contract, payoffs, self.optimum
                    )

    def _gain(self, payoffs: Payoffs, null_selection: str) -> float:
        """Return what the proposer gains by proposing: nothing if it is refused."""
        if not self.accepts(payoffs, null_selection):
            return 0.0
        return payoffs[self.proposer] - self.null[null_selection][self.proposer]

    def levelled(self, offer: _Offer, margin: float) -> list[_Offer]:
        """Return a contract with the lump sums that leave the responder at its reservation."""
        found: dict[float, _Offer] = {}
        for null, payoffs in product(self.null.values(), offer.payoffs.values()):
            due = null[self.responder] + margin - payoffs[self.responder]
            due = round(due, _AMOUNT_DIGITS)
            found[due] = self._with_lump_sum(offer, due)
        found.pop(0.0, None)
        return list(found.values())

    def _with_lump_sum(self, offer: _Offer, due: float) -> _Offer:
        """Add a lump sum to the responder, from it if negative; it shifts payoffs and no more."""
        sides = (self.proposer, self.responder) if due >= 0 else (self.responder, self.proposer)
        payer, payee = (AGENTS[side] for side in sides)
        lump_sum = LumpSum(payer=payer, payee=payee, amount=abs(due))
        contract = offer.contract.joined(
            Contract([lump_sum], offer.contract.duration, offer.contract.parties)
        )
        shift = (-due, due) if self.responder == 1 else (due, -due)
        payoffs = {
            name: (first + shift[0], second + shift[1])
            for name, (first, second) in offer.payoffs.items()
        }
        return _Offer(contract, payoffs)


def plan_contract(config: CleanupConfig, amount: float, *, cleaner: str = AGENTS[1]) -> Contract:
    """Return the contract by which whoever cleans in the optimal plan pays where it does not.

    There is a quota for every step in which an agent cleans when both follow the plan of
    `social_optimum` from the start; it is met by any cleaning. No quota on the harvest is needed,
    nor a fine: fruit that is left does not make more grow, so nobody need be kept from taking it.

    Args:
        config: the game as it is foreseen at the start; two agents, no chance.
        amount: what a missed quota costs, reward units.
        cleaner: the agent that is in the place of the plan's agent 1, who cleans first.

    Raises:
        ConfigError: more agents than two, a game of chance, another agent.
    """
    check_two_agents(config)
    if cleaner not in AGENTS:
        raise ConfigError("cleaner", cleaner, "one of " + ", ".join(AGENTS))
    names = AGENTS if cleaner == AGENTS[1] else AGENTS[::-1]
    quotas = [
        Quota(
            payer=names[index],
            payee="others",
            per="cleaned",
            at_least=0.5,  # of a unit: met even if the last one is shared
            amount=amount,
            when=Condition("step", "==", step),
        )
        for step, actions in enumerate(_plan(foreseen(config, 0)))
        for index, action in enumerate(actions)
        if action == CLEAN
    ]
    return Contract(quotas)


def _plan(config: CleanupConfig) -> Iterator[tuple[int, int]]:
    """Yield what the optimal plan has both agents do, step by step."""
    optimum = social_optimum(config)
    state = config.start
    for step in range(config.horizon_steps):
        first, second = optimum.joint_action(state, step)
        actions = (first, second)
        yield actions
        _, outcomes = outcomes_of(
            state.pollution,
            state.fruit,
            actions.count(HARVEST),
            actions.count(CLEAN),
            config.parameters_at(step),
        )
        if len(outcomes) > 1:
            allowed = "no chance: the plan must be one course of play"
            raise ConfigError("prob_pollution_growth, prob_fruit_growth", len(outcomes), allowed)
        state = CleanupState(places_after(state.at_shore, actions), *outcomes[0][1])
