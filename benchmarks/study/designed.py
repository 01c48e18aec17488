"""Fixed contracts, designed by exact solution for the world as it is before any change.

On a grid of prices every contract is solved for two agents from the start of the world. Of those
that both agents would sign and that bring the optimum about, each family takes one; where several
tie, the lowest price.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType
from typing import NamedTuple

from cleanup_icn import CleanupConfig, ConfigError
from cleanup_icn.contracts import Contract
from cleanup_icn.solve import design
from cleanup_icn.solve.design import Assessment

WAGE, SHARE = "wage", "share"

PRICES: Mapping[str, tuple[float, ...]] = MappingProxyType(
    {
        WAGE: tuple(round(0.05 * k, 2) for k in range(1, 61)),
        SHARE: tuple(round(0.025 * k, 3) for k in range(1, 41)),
    }
)
"""The grids: reward units a unit cleaned, 0.05 to 3; parts of the harvest, 0.025 to 1."""

SET_PRICES: Mapping[str, tuple[float, ...]] = MappingProxyType(
    {
        WAGE: tuple(round(0.1 * k, 2) for k in range(1, 31)),
        SHARE: tuple(round(0.05 * k, 2) for k in range(1, 21)),
    }
)
"""The coarser grids of which whole implementing sets are played."""

_MAKE: Mapping[str, Callable[[Sequence[float]], tuple[Contract, ...]]] = MappingProxyType(
    {WAGE: design.wages, SHARE: design.shares}
)


class _Family(NamedTuple):
    """What a family is made of, and how its contract is chosen."""

    kind: str  # of price
    choose: Callable[[Sequence[Assessment]], Assessment | None]  # None where none implements
    second_best: Callable[[Assessment], float]  # of equal welfare, where none does: the most of it


def _cheapness(found: Assessment) -> float:
    return -found.transfer


def _fairness(found: Assessment) -> float:
    return found.min_payoff


FAMILIES: Mapping[str, _Family] = MappingProxyType(
    {
        "least-wage": _Family(WAGE, design.least_transfer, _cheapness),
        "fair-wage": _Family(WAGE, design.most_equal, _fairness),
        "least-share": _Family(SHARE, design.least_transfer, _cheapness),
        "fair-share": _Family(SHARE, design.most_equal, _fairness),
    }
)
"""Families: ``least-`` moves the least from one to the other, ``fair-`` leaves the worse off most.

Both bring the optimum about. Where no price does, a family has the contract of the highest welfare.
"""


@dataclass(frozen=True)
class Designed:
    """The contract of a family in one world."""

    contract: Contract
    price: float
    implements: bool  # whether it brings the optimum about; else it is the best there is
    welfare: float  # in equilibrium, of both agents over an episode
    optimum: float  # the most there could be
    transfer: float  # that is expected to change hands
    payoffs: tuple[float, float]


def contract_of(kind: str, price: float) -> Contract:
    """Return the contract of a wage or a share. Raises `ConfigError` for another kind."""
    if kind not in _MAKE:
        raise ConfigError("contract", kind, f"one of {', '.join(_MAKE)}")
    return _MAKE[kind]([price])[0]


@lru_cache(maxsize=256)
def designed(base: CleanupConfig, family: str) -> Designed:
    """Return a family's contract in a world. Raises `ConfigError` for an unknown family."""
    if family not in FAMILIES:
        raise ConfigError("family", family, f"one of {', '.join(FAMILIES)}")
    kind, choose, second_best = FAMILIES[family]
    found = assessed(base, kind)
    chosen = choose([each for each in found if each.is_individually_rational]) or max(
        found, key=lambda each: (round(each.welfare, 6), round(second_best(each), 6))
    )
    return Designed(
        contract=chosen.contract,
        price=PRICES[kind][found.index(chosen)],
        implements=chosen.implements,
        welfare=chosen.welfare,
        optimum=chosen.optimum,
        transfer=chosen.transfer,
        payoffs=chosen.payoffs,
    )


def implementing_prices(base: CleanupConfig, kind: str) -> tuple[float, ...]:
    """Return which prices of `SET_PRICES` bring the optimum about in a world, from low to high."""
    by_price = dict(zip(PRICES[kind], assessed(base, kind), strict=True))
    return tuple(price for price in SET_PRICES[kind] if by_price[price].implements)


@lru_cache(maxsize=64)
def assessed(base: CleanupConfig, kind: str) -> tuple[Assessment, ...]:
    """Return what the contracts of all prices of a kind come to in a world, in their order."""
    return design.assess(base, _MAKE[kind](PRICES[kind]))
