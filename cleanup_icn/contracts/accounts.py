"""Accounts between agents under a contract: what has accrued, what was settled, what was not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from cleanup_icn.contracts.clauses import ContractError
from cleanup_icn.contracts.terms import Contract
from cleanup_icn.contracts.transfer import (
    TICKS_PER_UNIT,
    Features,
    Ledger,
    to_ticks,
    to_units,
)

TOLERANCE_TICKS = TICKS_PER_UNIT // 10**9
"""Amounts that come from outside may sum to so much and count as summing to zero."""


@dataclass(frozen=True)
class Settlement:
    """What changed hands when the open balances were closed, in reward units by agent.

    Attributes:
        transfers: received minus paid; sums to zero.
        unpaid: what a debtor owed, could not pay and was forgiven (>= 0).
        unreceived: what a creditor was due and did not get (>= 0); sums to the same as `unpaid`.
    """

    transfers: dict[str, float]
    unpaid: dict[str, float]
    unreceived: dict[str, float]


class Accounts:
    """The accounts of one episode.

    A contract is signed, each step is booked, and now and then the open balances are settled. A
    contract signed later replaces the one before; what accrued under that one stays due. How long
    a contract lasts is for the caller to watch: sign ``Contract()`` when it is over.

    With `limited_liability` no agent pays more than it has: at a settlement an agent in net debt
    pays at most ``max(0, game rewards so far + transfers received - transfers paid)``. The
    shortfall is shared by the creditors in proportion to what each was due, recorded and forgiven.

    Args:
        agents: everyone who may take part, at most once each.
        limited_liability: whether to cap what is paid at what the payer has.
    """

    def __init__(self, agents: Sequence[str], *, limited_liability: bool = False) -> None:
        self.agents = tuple(agents)
        if len(set(self.agents)) < len(self.agents):
            raise ContractError("agents", list(agents), "each agent once")
        self.limited_liability = limited_liability
        self._ledger = Ledger(Contract())
        self._open_ticks = dict.fromkeys(self.agents, 0)
        self._transferred_ticks = dict.fromkeys(self.agents, 0)
        self._earned_ticks = dict.fromkeys(self.agents, 0)
        self._awarded_ticks = dict.fromkeys(self.agents, 0)

    @property
    def contract(self) -> Contract:
        """The contract in force; the null contract before any is signed."""
        return self._ledger.contract

    @property
    def balances(self) -> dict[str, float]:
        """What each agent is due (positive) or owes (negative) and has not settled."""
        return to_units(self._open_ticks)

    @property
    def total_transfers(self) -> dict[str, float]:
        """What each agent has received minus paid in all settlements so far."""
        return to_units(self._transferred_ticks)

    @property
    def means(self) -> dict[str, float] | None:
        """The most that each agent could pay now, open balances counted in; None for no limit."""
        if not self.limited_liability:
            return None
        have = {agent: self._net_ticks(agent) + ticks for agent, ticks in self._open_ticks.items()}
        return to_units({agent: max(0, ticks) for agent, ticks in have.items()})

    @property
    def awarded(self) -> dict[str, float]:
        """What each agent was awarded in all under the contract in force."""
        return to_units(self._awarded_ticks)

    def sign(self, contract: Contract) -> None:
        """Put a contract in force from the next booking on, its caps and lump sums fresh.

        Raises:
            ContractError: the contract names an agent that has no account.
        """
        for name in contract.agent_names:
            if name not in self._open_ticks:
                raise ContractError("contract", name, f"agents among {', '.join(self.agents)}")
        self._ledger = Ledger(contract)
        self._awarded_ticks = dict.fromkeys(self.agents, 0)

    def book(
        self,
        features: Features,
        *,
        game_rewards: Mapping[str, float],
        public: Mapping[str, float] | None = None,
    ) -> dict[str, float]:
        """Accrue one step.

        Args:
            features: ``{agent: {feature: value}}``; its keys are the agents present.
            game_rewards: what each agent earned from the game in this step, before transfers.
            public: quantities that conditions may compare.

        Returns:
            What each agent in `features` accrued in this step; sums to zero.

        Raises:
            ContractError: an agent without an account, or a number that is not finite.
        """
        for agent in features:
            if agent not in self._open_ticks:
                raise ContractError("features", agent, f"agents among {', '.join(self.agents)}")
        if self.limited_liability:
            for agent, reward in game_rewards.items():
                self._earned_ticks[agent] += to_ticks(reward, field=f"game_rewards[{agent!r}]")
        accrued = self._ledger.book(features, public)
        for agent, ticks in accrued.items():
            self._open_ticks[agent] += ticks
        return to_units(accrued)

    def award(self, transfers: Mapping[str, float]) -> None:
        """Accrue what somebody else has decided, beside what clauses move.

        Args:
            transfers: what each agent gains; sums to zero within 1e-9, and exactly once booked.

        Raises:
            ContractError: another sum, an agent without an account, or no finite number.
        """
        for agent in transfers:
            if agent not in self._open_ticks:
                raise ContractError("transfers", agent, f"agents among {', '.join(self.agents)}")
        for agent, ticks in balanced_ticks(transfers).items():
            self._open_ticks[agent] += ticks
            self._awarded_ticks[agent] += ticks

    def settle(self) -> Settlement:
        """Close all open balances and say what changed hands."""
        due = self._open_ticks
        paid = {agent: -ticks for agent, ticks in due.items() if ticks < 0}
        if self.limited_liability:
            paid = {agent: min(debt, self._cash_ticks(agent)) for agent, debt in paid.items()}
        credits = {agent: ticks for agent, ticks in due.items() if ticks > 0}
        received = share_out(sum(paid.values()), credits)
        moved = {agent: received.get(agent, 0) - paid.get(agent, 0) for agent in self.agents}
        lost = {agent: due[agent] - moved[agent] for agent in self.agents}
        for agent, ticks in moved.items():
            self._transferred_ticks[agent] += ticks
        self._open_ticks = dict.fromkeys(self.agents, 0)
        return Settlement(
            transfers=to_units(moved),
            unpaid=to_units({agent: max(0, -ticks) for agent, ticks in lost.items()}),
            unreceived=to_units({agent: max(0, ticks) for agent, ticks in lost.items()}),
        )

    def _cash_ticks(self, agent: str) -> int:
        return max(0, self._net_ticks(agent))

    def _net_ticks(self, agent: str) -> int:
        return self._earned_ticks[agent] + self._transferred_ticks[agent]


def balanced_ticks(transfers: Mapping[str, float]) -> dict[str, int]:
    """Amounts in reward units as ticks that sum to zero exactly.

    A sum within 1e-9 of zero is a matter of rounding: whoever gains most bears it.

    Raises:
        ContractError: the sum is further from zero, or an amount is no finite number.
    """
    ticks = {agent: to_ticks(x, field=f"transfers[{agent!r}]") for agent, x in transfers.items()}
    excess = sum(ticks.values())
    if abs(excess) > TOLERANCE_TICKS:
        raise ContractError("transfers", dict(transfers), "amounts that sum to zero")
    if excess:
        ticks[max(ticks, key=lambda agent: ticks[agent])] -= excess
    return ticks


def share_out(pool: int, due: Mapping[str, int]) -> dict[str, int]:
    """Ticks of `pool` for each creditor in proportion to what it is due, to the last tick."""
    total = sum(due.values())
    if not total:
        return {}
    parts = {agent: ticks * pool // total for agent, ticks in due.items()}
    largest = max(due, key=lambda agent: due[agent])
    parts[largest] += pool - sum(parts.values())
    return parts
