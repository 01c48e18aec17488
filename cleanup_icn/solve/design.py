"""Which contracts two agents would sign and keep, which bring the optimum about, at what price.

A contract is *assessed* from one state and step: it is signed there, and everything is as foreseen
there, so changes of the world to come count only if they are announced. A lump sum is paid on
signing. What the contract is compared with is a *status quo*, a contract in force already (none at
all if not said): its lump sums are paid and do not count.

The theory is that of self-enforcing agreements: L. G. Telser, "A theory of self-enforcing
agreements", Journal of Business 53 (1980). An agreement is kept without a third party if at no
time anybody gains by ending it. Implementation is in a selected subgame-perfect equilibrium, see
`cleanup_icn.solve.equilibrium`: another equilibrium may do worse, which is why both selections can
be asked for.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import product
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from cleanup_icn.config import SCHEDULED_NAMES, CleanupConfig, ConfigError
from cleanup_icn.contracts import Condition, Contract, Quota, Share, Wage
from cleanup_icn.solve.equilibrium import (
    SELECTIONS,
    TOGETHER,
    Equilibrium,
    equilibria,
    equilibrium,
)
from cleanup_icn.solve.markov import Course
from cleanup_icn.solve.optimum import social_optimum
from cleanup_icn.solve.settlement import covers
from cleanup_icn.solve.two_agents import AGENTS, lump_sums, tables_for
from cleanup_icn.solve.worlds import Floats
from cleanup_icn.state import CleanupState

CLOSE = 1e-6
"""Reward units within which two payoffs, each a sum over an episode, count as equal."""

Bools = npt.NDArray[np.bool_]


def wages(rates: Iterable[float]) -> tuple[Contract, ...]:
    """Return contracts by which the other pays whoever cleans each of these rates a unit."""
    return tuple(Contract([_wage(rate)]) for rate in rates)


def shares(fractions: Iterable[float]) -> tuple[Contract, ...]:
    """Return contracts by which whoever harvests hands each of these fractions to the other."""
    return tuple(Contract([_share(fraction)]) for fraction in fractions)


def wage_and_share(rates: Iterable[float], fractions: Iterable[float]) -> tuple[Contract, ...]:
    """Return contracts with a wage and a share, for all pairs, the rates in the outer loop."""
    return tuple(
        Contract([_wage(rate), _share(fraction)])
        for rate, fraction in product(list(rates), list(fractions))
    )


def quotas(
    amounts: Iterable[float],
    *,
    cleaner: str = AGENTS[1],
    at_least: float = 1.0,
    from_pollution: float = 1.0,
) -> tuple[Contract, ...]:
    """Return contracts by which one agent pays each of these amounts whenever it does not clean.

    Args:
        amounts: what is paid to the other for a step without cleaning, reward units.
        cleaner: who has to clean.
        at_least: pollution units that count as having cleaned.
        from_pollution: nothing is due in steps that begin with less pollution than this.
    """
    when = Condition("pollution", ">=", from_pollution)
    return tuple(
        Contract(
            [
                Quota(
                    payer=cleaner,
                    payee="others",
                    per="cleaned",
                    at_least=at_least,
                    amount=amount,
                    when=when,
                )
            ]
        )
        for amount in amounts
    )


def _wage(rate: float) -> Wage:
    return Wage(payer="others", payee="all", per="cleaned", rate=rate)


def _share(fraction: float) -> Share:
    return Share(payer="all", payee="others", of="harvested", fraction=fraction)


@dataclass(frozen=True)
class Assessment:
    """What signing one contract at one state and step brings; amounts in reward units."""

    contract: Contract
    payoffs: tuple[float, float]  # of the high selection, lump sums included
    payoffs_low: tuple[float, float] | None  # of the low selection; None if it was not solved
    optimum: float  # the most that any play earns from here
    transfer: float  # expected total that changes hands on its path, lump sums included
    reservation: tuple[float, float]  # what the status quo is worth from here, its high selection
    first_breach: int | None  # first step on its path at which somebody gains by a return to it

    @property
    def is_individually_rational(self) -> bool:
        """Whether nobody is worse off than if the status quo goes on."""
        pairs = zip(self.payoffs, self.reservation, strict=True)
        return all(payoff >= kept - CLOSE for payoff, kept in pairs)

    @property
    def is_self_enforcing(self) -> bool:
        """Whether at no step on its path anybody gains by a return to the status quo."""
        return self.first_breach is None

    @property
    def welfare(self) -> float:
        """Sum of both payoffs in the high selection."""
        return sum(self.payoffs)

    @property
    def min_payoff(self) -> float:
        """The lower of both payoffs in the high selection."""
        return min(self.payoffs)

    @property
    def implements(self) -> bool:
        """Whether the high selection earns the optimum."""
        return self.welfare >= self.optimum - CLOSE

    @property
    def implements_in_every_selection(self) -> bool | None:
        """Whether both selections earn the optimum; None if the low one was not solved."""
        if self.payoffs_low is None:
            return None
        return self.implements and sum(self.payoffs_low) >= self.optimum - CLOSE


def assess(
    config: CleanupConfig,
    contracts: Sequence[Contract],
    *,
    status_quo: Contract | None = None,
    state: CleanupState | None = None,
    step: int = 0,
    selections: Sequence[str] = ("high",),
) -> tuple[Assessment, ...]:
    """Assess each of several contracts as signed in a state at a step, in their order.

    A status quo is taken to be in force from ``step`` on, its lump sums paid; it goes on in the
    high selection. Solving the low selection as well doubles the work.

    Args:
        config: the game; two agents.
        contracts: no caps, no plain language.
        status_quo: what is in force if nothing is signed; the null contract if None.
        state: where the contract is signed; the configured start if None.
        step: when, from 0.
        selections: ("high",) or ("high", "low").

    Raises:
        ConfigError: more agents than two, a contract that is not additive, other selections, a
            step outside the episode.
        KeyError: a state that is not among those solved.
    """
    if "high" not in selections or not set(selections) <= set(SELECTIONS):
        raise ConfigError("selections", tuple(selections), "('high',) or ('high', 'low')")
    _check_step(config, step)
    here = _from_here(config, [*contracts, status_quo or Contract()], step)
    reached = state or config.start
    kept = equilibrium(here.world, status_quo)
    found: list[Assessment] = []
    for first in range(0, len(contracts), TOGETHER):  # not to keep the tables of all of them
        some = contracts[first : first + TOGETHER]
        lows: Sequence[Equilibrium | None] = [None] * len(some)
        if "low" in selections:
            lows = equilibria(here.world, some, selection="low")
        highs = equilibria(here.world, some)
        for high, low in zip(highs, lows, strict=True):
            found.append(_assessment(high, low, kept=kept, here=here, state=reached))
    return tuple(found)


def _check_step(config: CleanupConfig, step: int) -> None:
    if not 0 <= step < config.horizon_steps:
        raise ConfigError("step", step, f"from 0 to {config.horizon_steps - 1}")


def foreseen(config: CleanupConfig, step: int) -> CleanupConfig:
    """Return the game as it is foreseen at a step: what is past is no change any more.

    The parameters of that step hold from the start on; changes to come are in it if announced.
    """
    values: dict[str, Any] = dict(zip(SCHEDULED_NAMES, config.parameters_at(step), strict=False))
    if config.announce_changes:
        values["schedule"] = tuple(change for change in config.schedule if change.step > step)
    return replace(config, **{"schedule": (), **values})


class _Here(NamedTuple):
    """The game from the step on in which contracts are signed."""

    world: CleanupConfig
    step: int  # of `world`
    skipped_steps: int  # of the game, before the world's first


def _from_here(config: CleanupConfig, contracts: Sequence[Contract], step: int) -> _Here:
    """Return the game as foreseen, without the steps that are past unless contracts count them."""
    world = foreseen(config, step)
    if any(each.duration.until == "step" or "step" in each.public_names for each in contracts):
        return _Here(world, step, 0)
    to_come = tuple(change._replace(step=change.step - step) for change in world.schedule)
    num_steps = config.horizon_steps - step
    return _Here(replace(world, horizon_steps=num_steps, schedule=to_come), 0, step)


def _assessment(
    high: Equilibrium,
    low: Equilibrium | None,
    *,
    kept: Equilibrium,
    here: _Here,
    state: CleanupState,
) -> Assessment:
    # A contract that is over when it is signed is never booked.
    binds = covers(high.contract, here.step, None)
    on_signing = lump_sums(high.contract) if binds else np.zeros(len(AGENTS))
    course = high.course(state, here.step)
    breach = _first_breach(high, kept, course)
    found = Assessment(
        contract=high.contract,
        payoffs=_pair(high.value(state, here.step) + on_signing),
        payoffs_low=None if low is None else _pair(low.value(state, here.step) + on_signing),
        optimum=social_optimum(here.world).value(state, here.step),
        transfer=float(course.moved.sum() + np.abs(on_signing).sum() / 2.0),
        reservation=_pair(kept.value(state, here.step)),
        first_breach=None if breach is None else breach + here.skipped_steps,
    )
    if found.is_individually_rational:
        return found
    return replace(found, first_breach=here.step + here.skipped_steps)


def _first_breach(high: Equilibrium, kept: Equilibrium, course: Course) -> int | None:
    """Return the first step after signing at which somebody gains by a return to the old."""
    gains = high.values - kept.values
    for step, reached in enumerate(course.states[1:], course.first_step + 1):
        if any((gains[step, :, places, pair] < -CLOSE).any() for places, pair in reached):
            return step
    return None


def _pair(payoffs: Floats) -> tuple[float, float]:
    first, second = payoffs.tolist()
    return first, second


def least_transfer(assessments: Iterable[Assessment]) -> Assessment | None:
    """Return the first that implements the optimum with the least transfer, None if none does."""
    implementing = [each for each in assessments if each.implements]
    return min(implementing, key=lambda each: round(each.transfer, 6), default=None)


def most_equal(assessments: Iterable[Assessment]) -> Assessment | None:
    """Return the first that implements it with the highest lower payoff, None if none does."""
    implementing = [each for each in assessments if each.implements]
    return max(implementing, key=lambda each: round(each.min_payoff, 6), default=None)


def acceptance_region(assessments: Iterable[Assessment]) -> Bools:
    """Return which contracts both agents would rather sign than keep the status quo, (k,)."""
    return np.array([each.is_individually_rational for each in assessments], np.bool_)


def implementing_region(assessments: Iterable[Assessment]) -> Bools:
    """Return which contracts implement the optimum in the high selection, (k,)."""
    return np.array([each.implements for each in assessments], np.bool_)


class Overlap(NamedTuple):
    """How much two sets of contracts have in common."""

    jaccard: float  # in both, of those in either; 1 where both are empty
    survives: float | None  # in both, of those in the first; None where that is empty


def overlap(before: npt.ArrayLike, after: npt.ArrayLike) -> Overlap:
    """Compare two sets of the same contracts, given as booleans of one shape."""
    first, second = np.asarray(before, np.bool_), np.asarray(after, np.bool_)
    if first.shape != second.shape:
        raise ConfigError("after", f"shape {second.shape}", f"the shape of before, {first.shape}")
    in_both, in_either = int((first & second).sum()), int((first | second).sum())
    return Overlap(
        jaccard=in_both / in_either if in_either else 1.0,
        survives=in_both / int(first.sum()) if first.any() else None,
    )


@dataclass(frozen=True)
class RegionChange:
    """What a change of the world does to the contracts that two agents would sign."""

    before: tuple[Assessment, ...]  # from the start of the world before the change
    after: tuple[Assessment, ...]  # from the state reached, in the world after it
    state: CleanupState  # where the change finds the agents
    chance: float  # that it finds them there and not elsewhere

    @property
    def accepted(self) -> Overlap:
        """How much the acceptance regions before and after have in common."""
        return overlap(acceptance_region(self.before), acceptance_region(self.after))

    @property
    def implementing(self) -> Overlap:
        """How much the sets that implement the optimum have in common."""
        return overlap(implementing_region(self.before), implementing_region(self.after))


def compare_regions(
    before_config: CleanupConfig,
    after_config: CleanupConfig,
    contracts: Sequence[Contract],
    *,
    step: int,
    under: Contract | None = None,
) -> RegionChange:
    """Assess contracts before a surprising change and after it, each time against no contract.

    Before, they are signed at the start; after, in the state that the high selection under a
    contract has reached when the change comes, the likeliest if there are several, for the steps
    that remain.

    Args:
        before_config: the world before; two agents.
        after_config: the world from ``step`` on, see `foreseen`.
        contracts: no caps, no plain language.
        step: of the change, below the horizon.
        under: the contract in force until then; the null contract if None.
    """
    _check_step(before_config, step)
    state, chance = likeliest_state(equilibrium(foreseen(before_config, 0), under), step)
    return RegionChange(
        before=_before(before_config, tuple(contracts)),
        after=assess(after_config, contracts, state=state, step=step),
        state=state,
        chance=chance,
    )


@lru_cache(maxsize=16)
def _before(config: CleanupConfig, contracts: tuple[Contract, ...]) -> tuple[Assessment, ...]:
    """Assess contracts at the start; many changes are compared with the same world before."""
    return assess(config, contracts)


def likeliest_state(solved: Equilibrium, step: int) -> tuple[CleanupState, float]:
    """Return where play from the start is likeliest to be before a step, and how likely that is."""
    reached = solved.course().states[step]
    places, pair = min(reached, key=lambda place: (-round(reached[place], 9), place))
    pollution, fruit = tables_for(solved.config, 0).grid.pairs[pair]
    return CleanupState(places, pollution, fruit), reached[places, pair]
