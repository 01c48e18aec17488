"""Stage two of contract learning: one agent proposes a contract, every other agent votes on it.

```
step 0   the proposer names a contract of the menu      the others wait
step 1   the others accept or refuse, all at once       the proposer waits
then     all accepted: it is in force, else the null contract is; everybody gets what the table
         says that the start is worth to it under the contract in force
```

The rule of Haupt, Christoffersen, Damani and Hadfield-Menell (*Formal Contracts Mitigate Social
Dilemmas in Multi-Agent Reinforcement Learning*, arXiv:2208.10469), with the vote of all N - 1
others for any N. What a start is worth under a contract is given: the values of frozen policies.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from cleanup_icn import ConfigError

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class ContractValues:
    """What every start is worth to every agent under every contract of a menu.

    Attributes:
        contracts: names of the K contracts.
        null_index: which of them is the null contract.
        values: (S, K, N), return of agent i from start s under contract k, reward units.

    Raises:
        ConfigError: the shapes do not fit, or a value is not finite.
    """

    contracts: tuple[str, ...]
    null_index: int
    values: Floats

    def __post_init__(self) -> None:
        """Check that the parts fit, and close the array."""
        values = np.array(self.values, np.float64)
        if values.ndim != 3 or values.shape[1] != len(self.contracts) or values.shape[2] < 2:
            allowed = f"(starts, {len(self.contracts)} contracts, at least 2 agents)"
            raise ConfigError("values shape", values.shape, allowed)
        if not np.isfinite(values).all():
            raise ConfigError("values", "not finite", "finite numbers")
        if not 0 <= self.null_index < len(self.contracts):
            raise ConfigError(
                "null_index", self.null_index, f"an integer from 0 to {len(self.contracts) - 1}"
            )
        values.setflags(write=False)
        object.__setattr__(self, "values", values)

    @property
    def num_starts(self) -> int:
        """Number S of starts."""
        return int(self.values.shape[0])

    @property
    def num_agents(self) -> int:
        """Number N of agents."""
        return int(self.values.shape[2])

    @property
    def welfare(self) -> Floats:
        """Sum over the agents, (S, K)."""
        total: Floats = self.values.sum(axis=2)
        return total

    @property
    def accepted(self) -> Flags:
        """Whether an agent accepts, (S, K, N): it expects no less than under the null contract.

        An agent that expects the same accepts, so everybody accepts the null contract.
        """
        accepted: Flags = np.asarray(self.values >= self.values[:, [self.null_index], :])
        return accepted

    def passes(self, proposers: npt.ArrayLike) -> Flags:
        """Whether a proposal would be in force, (S, K): every agent but the proposer accepts.

        `proposers` (S,) or a scalar: index of the agent that proposes from each start.
        """
        proposing = self._one_hot(proposers)
        passed: Flags = np.asarray((self.accepted | proposing[:, None, :]).all(axis=2))
        return passed

    def solve(self, proposers: npt.ArrayLike) -> Ints:
        """Return the contract in force in subgame-perfect play, (S,), by backward induction.

        Voters accept as `accepted` says, and the proposer names what is best for itself among what
        passes. Of contracts equally good for it the proposer names the one of largest welfare, of
        those the null contract, else the first of the menu.
        """
        proposing = self._one_hot(proposers)
        own = (self.values * proposing[:, None, :]).sum(axis=2)
        return self._best(self.passes(proposers), own, self.welfare)

    def best_accepted(self) -> Ints:
        """Return the contract of largest welfare among those that all N accept, (S,).

        Of equals the null contract, else the first of the menu.
        """
        return self._best(np.asarray(self.accepted.all(axis=2)), self.welfare)

    def _best(self, allowed: Flags, *measures: Floats) -> Ints:
        left: Flags = allowed
        for measure in measures:
            worth = np.where(left, measure, -np.inf)
            left = np.logical_and(left, worth == worth.max(axis=1, keepdims=True))
        first = left.argmax(axis=1)
        best: Ints = np.where(left[:, self.null_index], self.null_index, first).astype(np.int64)
        return best

    def _one_hot(self, proposers: npt.ArrayLike) -> Flags:
        given = np.broadcast_to(np.asarray(proposers), (self.num_starts,))
        one_hot: Flags = given[:, None] == np.arange(self.num_agents)
        if not one_hot.any(axis=1).all():
            allowed = f"integers from 0 to {self.num_agents - 1}"
            raise ConfigError("proposers", sorted(set(given.tolist())), allowed)
        return one_hot


def in_force(
    proposed: npt.ArrayLike, votes: npt.ArrayLike, proposers: npt.ArrayLike, *, null_index: int
) -> Ints:
    """Return the contract in force, (B,): what was proposed if no voter refused, else null.

    Args:
        proposed: (B,) contract indices.
        votes: (B, N), True where an agent accepts; the proposer's own entry does not count.
        proposers: (B,) agent indices.
        null_index: the null contract.
    """
    accepted = np.array(votes, np.bool_)
    accepted[np.arange(len(accepted)), np.asarray(proposers)] = True
    passed: Ints = np.where(accepted.all(axis=1), np.asarray(proposed), null_index).astype(np.int64)
    return passed
