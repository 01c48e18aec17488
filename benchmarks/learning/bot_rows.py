"""Scripted bots as policies of rows: partners to learn with, in batches that have no words."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from cleanup_icn import CleanupConfig, ConfigError
from cleanup_icn.bots import BOTS, Bot, planner
from cleanup_icn.contracts import Contract
from cleanup_icn.icn.bots import follow_contract
from cleanup_icn.observe import VectorObserver, View, view
from cleanup_icn.state import CleanupState

if TYPE_CHECKING:
    from agents.ppo.batch import RowPolicy

ROW_POLICIES = (*BOTS, "contract-follower", "planner", "random")
"""The names of policies that need no training."""


class WorldReader:
    """Reads the world back from vectors that show it.

    Args:
        config: the game in which the vectors were written; what comes after the world in a row, a
            contract's vector say, is not read.
    """

    def __init__(self, config: CleanupConfig) -> None:
        self._config = config
        observer = VectorObserver(config)
        self._scales = observer.amount_scales
        self.size = observer.size
        """Length of what shows the world."""

    def views(self, observations: npt.NDArray[np.float32]) -> list[View]:
        """Return what each row shows, (R, D)."""
        n = self._config.num_agents
        indices = observations[:, :n].argmax(axis=1)
        at_shore = (observations[:, n : 2 * n] > 0.5) @ (1 << np.arange(n))
        amounts = np.rint(observations[:, 2 * n : 2 * n + 3] * self._scales).astype(np.int64)
        return [
            view(self._config, CleanupState(shore, pollution, fruit), step, index)
            for index, shore, (pollution, fruit, step) in zip(
                indices.tolist(), at_shore.tolist(), amounts.tolist(), strict=True
            )
        ]


class BotRows:
    """Plays a bot for every row.

    Args:
        bot: what to do, from what is seen.
        config: see `WorldReader`.
    """

    def __init__(self, bot: Bot, config: CleanupConfig) -> None:
        self._bot, self._world = bot, WorldReader(config)

    def act(
        self,
        observations: npt.NDArray[np.float32],
        masks: npt.NDArray[np.int8] | None,
        uniforms: npt.NDArray[np.float64] | None,
    ) -> npt.NDArray[np.intp]:
        """Actions (R,) for observations (R, D); a bot's are legal, and nothing is drawn."""
        del masks, uniforms
        return np.array([self._bot(seen) for seen in self._world.views(observations)], np.intp)


class RandomRows:
    """Takes any legal action."""

    def act(
        self,
        observations: npt.NDArray[np.float32],
        masks: npt.NDArray[np.int8] | None,
        uniforms: npt.NDArray[np.float64] | None,
    ) -> npt.NDArray[np.intp]:
        """Actions (R,), each legal one as likely; without chances (R,) the first legal one."""
        del observations
        if masks is None:
            raise ValueError("masks = None: expected what is legal")
        chances = np.zeros(len(masks)) if uniforms is None else uniforms
        counts = masks.sum(axis=1)
        wanted = np.minimum((chances * counts).astype(np.int64), counts - 1)
        actions: npt.NDArray[np.intp] = (masks.cumsum(axis=1) > wanted[:, None]).argmax(axis=1)
        return actions


def row_policy(name: str, config: CleanupConfig, contract: Contract) -> RowPolicy:
    """Return the policy of that name for rows of Cleanup under a contract.

    Raises:
        ConfigError: no policy of `ROW_POLICIES` has that name.
    """
    if name == "random":
        return RandomRows()
    if name == "planner":
        return BotRows(planner(config), config)
    if name == "contract-follower":
        return BotRows(lambda seen: follow_contract(seen, (contract,)), config)
    if name not in BOTS:
        raise ConfigError("policy", name, "one of " + ", ".join(ROW_POLICIES))
    return BotRows(BOTS[name], config)
