"""What an agent believes about the world to come, and the solutions of what agents believe.

Solving takes a while and the same few beliefs come back in every episode of a world, so solutions
are kept, as many as fit in a fixed room.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable, Sequence
from dataclasses import replace
from functools import lru_cache
from threading import RLock
from typing import Any, Generic, TypeVar

from cleanup_icn.config import SCHEDULED_NAMES, CleanupConfig, ConfigError
from cleanup_icn.contracts import Contract, LumpSum
from cleanup_icn.solve import Equilibrium, equilibria
from cleanup_icn.solve.two_agents import check_additive
from cleanup_icn.solve.worlds import Floats
from cleanup_icn.state import Parameters

_Value = TypeVar("_Value")

SOLUTIONS_BYTES = 96 * 2**20
"""Room for whole solutions, in bytes: some 25 contracts in the preset linear."""

VALUES_BYTES = 32 * 2**20
"""Room for the values at single steps, in bytes: some 600 of them in the preset linear."""

_MIXTURE_BYTES = 400  # that a state with a mixed equilibrium takes beside the tables


@lru_cache(maxsize=256)
def believed(config: CleanupConfig, parameters: Parameters, step: int) -> CleanupConfig:
    """Return the world as it is to be expected at ``step`` by one who sees these parameters.

    They stay to the horizon, or until the changes that are announced. Starts do not matter to one
    who has already begun: all are the same.
    """
    announced = config.schedule if config.announce_changes else ()
    in_force: dict[str, Any] = dict(zip(SCHEDULED_NAMES, parameters, strict=False))
    return replace(
        config,
        pollution_initial=0,
        fruit_initial=0,
        schedule=tuple(change for change in announced if change.step > step),
        **in_force,
    )


class Recent(Generic[_Value]):
    """Values by key, of which those not used for longest are forgotten when room runs out."""

    def __init__(self, limit_bytes: int) -> None:
        self._limit_bytes, self._used_bytes = limit_bytes, 0
        self._kept: OrderedDict[Hashable, tuple[_Value, int]] = OrderedDict()

    def get(self, key: Hashable) -> _Value | None:
        """Return the value, or None if there is none (any more)."""
        if key not in self._kept:
            return None
        self._kept.move_to_end(key)
        return self._kept[key][0]

    def keep(self, key: Hashable, value: _Value, *, num_bytes: int) -> None:
        """Keep a value that takes so much room; the latest is kept in any case."""
        self._used_bytes += num_bytes - self._kept.pop(key, (value, 0))[1]
        self._kept[key] = value, num_bytes
        while self._used_bytes > self._limit_bytes and len(self._kept) > 1:
            self._used_bytes -= self._kept.popitem(last=False)[1][1]


class Solutions:
    """Solved games by (world, contract); each is solved when it is first asked for.

    Args:
        solutions_bytes: room for whole solutions.
        values_bytes: room for values at single steps.
    """

    def __init__(
        self, *, solutions_bytes: int = SOLUTIONS_BYTES, values_bytes: int = VALUES_BYTES
    ) -> None:
        self._whole: Recent[Equilibrium] = Recent(solutions_bytes)
        self._at_step: Recent[Floats] = Recent(values_bytes)
        self._lock = RLock()

    def equilibrium(self, world: CleanupConfig, contract: Contract) -> Equilibrium:
        """Return the high selection of a world under a contract, lump sums left out.

        Raises:
            ConfigError: the contract cannot be solved.
        """
        check_additive(contract)
        lasting = without_lump_sums(contract)
        with self._lock:
            found = self._whole.get((world, lasting)) or self._solve(world, [lasting])[0]
        if found is None:
            allowed = "amounts near enough to the game's to be solved exactly"
            raise ConfigError("contract", contract.to_text(), allowed)
        return found

    def values(
        self, world: CleanupConfig, contracts: Sequence[Contract], step: int
    ) -> list[Floats | None]:
        """Return what each agent expects from every state at a step on, (2, 4, pairs) a contract.

        Lump sums are left out. None stands for a contract that cannot be solved.
        """
        lasting = [without_lump_sums(each) if is_additive(each) else None for each in contracts]
        with self._lock:
            wanted = [each for each in dict.fromkeys(lasting) if each is not None]
            found = {each: self._at_step.get((world, each, step)) for each in wanted}
            missing = [each for each, values in found.items() if values is None]
            solved = {each: self._whole.get((world, each)) for each in missing}
            unsolved = [each for each, whole in solved.items() if whole is None]
            solved.update(zip(unsolved, self._solve(world, unsolved), strict=True))
            for each, whole in solved.items():
                if whole is not None:
                    values = whole.values[step].copy()
                    self._at_step.keep((world, each, step), values, num_bytes=values.nbytes)
                    found[each] = values
        return [found[each] if each is not None else None for each in lasting]

    def _solve(
        self, world: CleanupConfig, contracts: Sequence[Contract]
    ) -> list[Equilibrium | None]:
        found = _solved(world, contracts)
        for contract, whole in zip(contracts, found, strict=True):
            if whole is not None:
                num_bytes = whole.values.nbytes + whole.num_states
                num_bytes += _MIXTURE_BYTES * whole.num_without_pure
                self._whole.keep((world, contract), whole, num_bytes=num_bytes)
        return found


def without_lump_sums(contract: Contract) -> Contract:
    """Return the contract as it is once what is paid on signing is paid: it is played the same."""
    clauses = [clause for clause in contract.clauses if not isinstance(clause, LumpSum)]
    return Contract(clauses, contract.duration, contract.parties)


def is_additive(contract: Contract) -> bool:
    """Whether a contract is one of those that are solved, whatever its amounts."""
    try:
        check_additive(contract)
    except ConfigError:
        return False
    return True


def _solved(world: CleanupConfig, contracts: Sequence[Contract]) -> list[Equilibrium | None]:
    """Solve contracts together; None for one whose amounts are too large to be solved exactly."""
    try:
        return list(equilibria(world, contracts))
    except ArithmeticError:
        if len(contracts) == 1:
            return [None]
        return [found for contract in contracts for found in _solved(world, [contract])]
