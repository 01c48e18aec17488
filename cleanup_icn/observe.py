"""From a state to what an agent sees: a `View` of named numbers, its vector, and its action mask.

Everything an agent sees is public; two agents' views differ only in who is looking.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple, TypeVar

import numpy as np
import numpy.typing as npt
from gymnasium import spaces

from cleanup_icn.config import SCHEDULED_NAMES, CleanupConfig
from cleanup_icn.state import NUM_ACTIONS, CleanupState, Parameters

_Key = TypeVar("_Key")
FloatArray = npt.NDArray[np.float32]
MaskArray = npt.NDArray[np.int8]

PUBLIC_FEATURES = ("pollution", "fruit", "step", *SCHEDULED_NAMES)
"""Names of the public quantities, which conditions of a contract may compare."""

_MASKS = np.array([1, 1, 1, 0], np.int8), np.array([1, 1, 0, 1], np.int8)  # garden, shore
_NUM_PARAMETERS = len(SCHEDULED_NAMES)
_NUM_TAIL = 3 * _NUM_PARAMETERS + 3
_LARGEST = 10**30  # that float32 can hold; nobody plays with larger amounts


class Announcement(NamedTuple):
    """A coming change of the world that everybody knows of."""

    step: int
    parameters: Parameters


class View(NamedTuple):
    """What one agent sees when it chooses an action."""

    agent_index: int
    num_agents: int
    at_shore: int  # set of agents at the shore, bit i for agent i
    step: int  # steps made so far, 0..horizon_steps
    horizon_steps: int
    pollution: int
    fruit: int
    parameters: Parameters  # in force in the step to come
    changed: tuple[tuple[str, int | float, int | float], ...]  # name, before, after: just now
    announced: Announcement | None

    @property
    def is_at_shore(self) -> bool:
        """Whether the agent that is looking stands at the river shore."""
        return bool(self.at_shore >> self.agent_index & 1)


def agent_names(num_agents: int) -> tuple[str, ...]:
    """Return the PettingZoo names of the agents, in the order of their indices."""
    return tuple(f"agent_{i}" for i in range(num_agents))


def view(config: CleanupConfig, state: CleanupState, step: int, agent_index: int) -> View:
    """Return what an agent sees before acting in ``step`` (or at the end of the episode)."""
    changed = config.changed_at(step)
    return View(
        agent_index=agent_index,
        num_agents=config.num_agents,
        at_shore=state.at_shore,
        step=step,
        horizon_steps=config.horizon_steps,
        pollution=state.pollution,
        fruit=state.fruit,
        parameters=config.parameters_at(step),
        changed=tuple((name, *values) for name, values in changed.items()),
        announced=announcement(config, step),
    )


def announcement(config: CleanupConfig, step: int) -> Announcement | None:
    """Return the next change after ``step``, if changes are announced and one is to come."""
    coming = config.next_change(step) if config.announce_changes else None
    return Announcement(*coming) if coming else None


def public_quantities(config: CleanupConfig, state: CleanupState, step: int) -> dict[str, float]:
    """Return the quantities named in `PUBLIC_FEATURES` as of the observation at ``step``."""
    quantities: dict[str, float] = {
        "pollution": state.pollution,
        "fruit": state.fruit,
        "step": step,
    }
    quantities.update(zip(SCHEDULED_NAMES, config.parameters_at(step), strict=False))
    return quantities


def action_mask(at_shore: bool) -> MaskArray:
    """Return a fresh mask over the four actions, int8 of shape (4,): 1 where legal."""
    return _MASKS[at_shore].copy()


class VectorObserver:
    """Writes the vectors of a game: float32 of shape (N, D), D = 2 N + 27, all entries >= 0.

    Axis 1 holds: own index one-hot (N), who is at the shore (N), pollution and fruit over their
    maxima, step over horizon, then the parameters in force (pollution amounts over pollution_max,
    fruit amounts over fruit_max), whether regrowth is linear, which parameters changed just now,
    and what is announced: whether anything, in how many steps over the horizon, the parameters
    then.
    """

    def __init__(self, config: CleanupConfig) -> None:
        self._config = config
        n = self._num_agents = config.num_agents
        self._shore_places = tuple((1 << i, n + i) for i in range(n))
        self._amounts_place = 2 * n
        self.size = 2 * n + 3 + _NUM_TAIL
        river, garden = _finite(max(config.pollution_max, 1)), _finite(max(config.fruit_max, 1))
        # By what pollution, fruit and step are divided.
        self.amount_scales = np.array([river, garden, _finite(config.horizon_steps)], np.float32)
        self._river, self._garden, self._horizon = self.amount_scales.tolist()
        self._are_huge = max(config.pollution_max, config.fruit_max) > _LARGEST
        self._scales = np.array([river, river, garden, garden, river, 1, 1], np.float32)
        self._by_step: dict[int, FloatArray] = {}

    def space(self) -> spaces.Box:
        """Return the space of one agent's vector."""
        config = self._config
        changes = [change.step for change in config.schedule]
        highest = np.max(
            [self._scaled(config.parameters_at(step)) for step in (0, *changes)], axis=0
        )
        high = np.ones(self.size, np.float32)
        tail = high[-_NUM_TAIL:]
        tail[:_NUM_PARAMETERS] = np.maximum(highest, 1.0)
        tail[-_NUM_PARAMETERS:] = np.maximum(highest, 1.0)
        return spaces.Box(np.zeros(self.size, np.float32), high, dtype=np.float32)

    def vectors(self, state: CleanupState, step: int) -> FloatArray:
        """Return all agents' vectors as one array, (N, D), freshly allocated."""
        return np.stack([*self.rows(range(self._num_agents), state, step).values()])

    def rows(
        self, agents: Iterable[_Key], state: CleanupState, step: int
    ) -> dict[_Key, FloatArray]:
        """Return each agent's vector, (D,), freshly allocated, by these names of the agents."""
        at_shore, pollution, fruit = state
        if self._are_huge:
            pollution, fruit = min(pollution, _LARGEST), min(fruit, _LARGEST)
        seen = self._by_step.get(step)
        if seen is None:
            seen = self._of_step(step)
        for agent_bit, place in self._shore_places:
            seen[place] = 1.0 if at_shore & agent_bit else 0.0
        place = self._amounts_place
        seen[place] = pollution / self._river
        seen[place + 1] = fruit / self._garden
        rows = {}
        for own_place, agent in enumerate(agents):
            rows[agent] = row = seen.copy()
            row[own_place] = 1.0
        return rows

    def _scaled(self, parameters: Parameters) -> FloatArray:
        amounts = [_finite(amount) for amount in parameters[:_NUM_PARAMETERS]]
        return np.array(amounts, np.float32) / self._scales

    def _of_step(self, step: int) -> FloatArray:
        """Return a vector with all that follows from the step alone.

        It is kept: what follows from the state is written over, and copies are handed out.
        """
        vector = self._by_step.get(step)
        if vector is None:
            vector = self._by_step[step] = np.zeros(self.size, np.float32)
            vector[-_NUM_TAIL - 1] = _finite(step) / self._horizon
            vector[-_NUM_TAIL:] = self._build_tail(step)
        return vector

    def _build_tail(self, step: int) -> FloatArray:
        config = self._config
        parameters = config.parameters_at(step)
        changed = config.changed_at(step)
        coming = announcement(config, step)
        ahead = (coming.step - step) / config.horizon_steps if coming else 0.0
        return np.concatenate(
            [
                self._scaled(parameters),
                [parameters.is_linear],
                [name in changed for name in SCHEDULED_NAMES],
                [coming is not None, ahead],
                self._scaled(coming.parameters) if coming else np.zeros(_NUM_PARAMETERS),
            ],
            dtype=np.float32,
        )


def _finite(amount: float) -> float:
    """Return an amount as a float that float32 can hold."""
    return float(min(amount, _LARGEST))


def mask_space() -> spaces.Box:
    """Return the space of an action mask."""
    return spaces.Box(0, 1, (NUM_ACTIONS,), np.int8)
