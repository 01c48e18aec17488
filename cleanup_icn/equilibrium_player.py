"""Players who solve the game they believe in: for two agents, and for contracts that are solved.

In play they follow the high selection of `cleanup_icn.solve.equilibrium` under the contract in
force, in the world that `cleanup_icn.beliefs` describes: what is in force now stays, or changes as
announced, and a contract lasts as long as it says. Where the equilibrium is mixed they draw.

In talks ``equilibrium`` plays the subgame-perfect equilibrium of the talks
(`cleanup_icn.icn.bargaining`) over what contracts are then worth (`cleanup_icn.icn.prospects`);
``equilibrium-haggler`` concedes round by round and follows precedent (`cleanup_icn.icn.haggling`).
Neither ever agrees to what cannot be solved: a contract with a cap or in plain language. Both
answer in proposals of the menu alone.

They know the rules, which the environment has, and what an observation says in words. Solutions
are shared by all players of a process.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from cleanup_icn.beliefs import Solutions, believed
from cleanup_icn.config import CleanupConfig, ConfigError
from cleanup_icn.contracts import Contract
from cleanup_icn.contracts.wrapper import ContractWrapper, layers
from cleanup_icn.icn.bargaining import Said, bargain
from cleanup_icn.icn.config import ICNConfig
from cleanup_icn.icn.haggling import Precedent, haggle
from cleanup_icn.icn.observe import ACCEPT, FIRST_PROPOSAL, REJECT
from cleanup_icn.icn.prospects import Foresight
from cleanup_icn.icn.protocol import Speech, Stage
from cleanup_icn.icn.text import (
    TalkView,
    is_waiting,
    parse_contracts,
    parse_history,
    parse_talks,
)
from cleanup_icn.observe import View
from cleanup_icn.solve.two_agents import check_additive, check_two_agents
from cleanup_icn.solve.worlds import FULL_GRID_LIMIT, has_full_grid
from cleanup_icn.state import WAIT, CleanupState
from cleanup_icn.text import parse_observation, words_of

_SOLUTIONS = Solutions()


class EquilibriumPlayer:
    """Plays an equilibrium, whichever of the two seats an observation is from.

    Args:
        env: an environment of this package, wrapped or not; observations must have words.
        haggles: whether it talks as `cleanup_icn.icn.haggling` says, and not by equilibrium.

    Raises:
        ConfigError: more agents than two, a world too large, limited liability, more contracts
            than one at a time, or one at the beginning that cannot be solved.
    """

    def __init__(self, env: Any, *, haggles: bool = False) -> None:
        game = env.unwrapped
        self._config: CleanupConfig = game.config
        self._icn: ICNConfig | None = getattr(game, "icn", None)
        self._haggles = haggles
        _check_world(self._config)
        _check_contracts(env, self._icn)
        self.reset(seed=0)

    def reset(self, *, seed: int) -> None:
        """Begin an episode; what is drawn in it depends on the seed alone."""
        self._dice = [np.random.default_rng((seed, agent)) for agent in range(2)]

    def __call__(self, observation: Any) -> int:
        """Return an action for an observation that has words."""
        words = words_of(observation)
        seen = parse_observation(words)
        if is_waiting(words) or seen.step >= seen.horizon_steps:
            return WAIT
        in_force = next(iter(parse_contracts(words)), Contract())
        talks = parse_talks(words)
        if talks is None:
            return self._play(seen, in_force)
        if (talks.proposer == seen.agent_index) != (talks.stage is Stage.PROPOSE):
            return WAIT  # it is the other's turn
        return _action(self._talk(words, seen=seen, talks=talks, in_force=in_force))

    def _play(self, seen: View, in_force: Contract) -> int:
        solved = _SOLUTIONS.equilibrium(self._world(seen), in_force)
        probs = solved.strategies(_state(seen), seen.step)[seen.agent_index]
        if probs.max() == 1.0:
            return int(probs.argmax())
        return int(self._dice[seen.agent_index].choice(len(probs), p=probs / probs.sum()))

    def _talk(self, words: str, *, seen: View, talks: TalkView, in_force: Contract) -> Said:
        assert self._icn is not None  # there are no talks without their rules
        foresight = Foresight(
            self._world(seen),
            state=_state(seen),
            step=seen.step,
            icn=self._icn,
            solutions=_SOLUTIONS,
        )
        stakes = foresight.stakes(in_force, talks.proposal)
        me, now, last = seen.agent_index, talks.round_number, talks.max_rounds
        if not self._haggles:
            return bargain(stakes, agent=me, rounds_left=last - now + 1)
        precedent = self._precedent(words, talks)
        return haggle(stakes, agent=me, round_number=now, max_rounds=last, precedent=precedent)

    def _precedent(self, words: str, talks: TalkView) -> Precedent:
        """Return what was ratified last, where an observation tells of it."""
        agreed = [past.after for past in parse_history(words) if past.is_ratified]
        menu = self._icn.menu if self._icn else ()
        if not agreed:
            return Precedent()
        index = menu.index(agreed[-1]) if agreed[-1] in menu else None
        return Precedent(index, is_proposed=talks.proposal == agreed[-1])

    def _world(self, seen: View) -> CleanupConfig:
        return believed(self._config, seen.parameters, seen.step)


def _state(seen: View) -> CleanupState:
    return CleanupState(seen.at_shore, seen.pollution, seen.fruit)


def _action(said: Said) -> int:
    if said.menu_index is not None:
        return FIRST_PROPOSAL + said.menu_index
    return {Speech.ACCEPT: ACCEPT, Speech.REJECT: REJECT, Speech.PASS: WAIT}[said.speech]


def _check_world(config: CleanupConfig) -> None:
    check_two_agents(config)
    if not has_full_grid(config):
        allowed = (
            f"(pollution_max + 1) * (fruit_max + 1) of at most {FULL_GRID_LIMIT}, "
            "for a player who solves the game from every state"
        )
        raise ConfigError("pollution_max", config.pollution_max, allowed)


def _check_contracts(env: Any, icn: ICNConfig | None) -> None:
    """Refuse what is in force at the beginning and cannot be solved."""
    if any(getattr(layer, "limited_liability", False) for layer in layers(env)):
        allowed = "False: what is paid must not depend on earlier steps"
        raise ConfigError("limited_liability", True, allowed)
    around = [layer.contract for layer in layers(env) if isinstance(layer, ContractWrapper)]
    in_force = [contract for contract in around if contract.clauses]
    if len(in_force) + (icn is not None) > 1:
        allowed = "one contract at a time, and none around talks"
        raise ConfigError("contract", [contract.to_text() for contract in in_force], allowed)
    for contract in [*around, *([icn.initial_contract] if icn else [])]:
        check_additive(contract)
