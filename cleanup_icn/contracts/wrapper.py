"""A contract around any PettingZoo environment: what both APIs share, and the choice between."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray
from pettingzoo import AECEnv, ParallelEnv

from cleanup_icn.contracts.accounts import Accounts, Settlement
from cleanup_icn.contracts.clauses import ContractError
from cleanup_icn.contracts.encode import LARGEST, ContractEncoder
from cleanup_icn.contracts.english import NO_PAYMENTS, contract_line
from cleanup_icn.contracts.observation import ContractView
from cleanup_icn.contracts.terms import Contract

SETTLE = ("episode_end", "step")
REWARD = "reward"
TALLIES = ("game_reward", "transfer", "unpaid", "unreceived")
USUAL_MAX_CLAUSES = 4


@dataclass(frozen=True)
class Transition:
    """One step of an environment, as functions that read features from it see it.

    Attributes:
        agents: those present in the step, including any that leave in it.
        actions: what they did. In a turn-based environment, the action of this turn alone.
        observations: what they see after it, without the contract of this wrapper.
        rewards: what the game gave them, before any transfer, of inner wrappers too.
        terminations: whether each has ended.
        truncations: whether each was cut short.
        infos: the environment's infos after it.
    """

    agents: tuple[str, ...]
    actions: Mapping[str, Any]
    observations: Mapping[str, Any]
    rewards: Mapping[str, float]
    terminations: Mapping[str, bool]
    truncations: Mapping[str, bool]
    infos: Mapping[str, Mapping[str, Any]]


FeatureFunction = Callable[[Transition], Mapping[str, Mapping[str, float]]]
PublicFunction = Callable[[Transition], Mapping[str, float]]
ChangedFunction = Callable[[Transition], bool]


def layers(env: Any) -> Iterator[Any]:
    """Iterate over an environment and those inside it, outermost first, conversions included."""
    while isinstance(env, AECEnv | ParallelEnv):
        yield env
        inside = vars(env)
        env = inside.get("env", inside.get("aec_env"))


class ContractWrapper:
    """Puts a contract in force in any PettingZoo environment, parallel or AEC.

    Game rewards pass through and transfers are added when they settle. The contract is part of
    every observation (`cleanup_icn.contracts.observation.ContractView` says how): as its English
    line, and as a vector of the encoder's with one more entry, the agent's open balance. Once its
    duration is over, observations say that there is none.

    ``infos[agent]`` gain, added up over wrappers around one another:

    - ``game_reward``, ``transfer``: the two parts of the agent's reward;
    - ``accrued``: the open balance, what it is due (or owes) and has not settled;
    - ``unpaid``, ``unreceived``: what limited liability kept back in this settlement;
    - ``contract_text``: the contract in force, in English (one a line).

    In AEC the first, the second and the fourth are, like the reward of ``last()``, sums since the
    agent last acted.

    When any agent terminates or is truncated, all open balances settle in that step; from then on
    it is absent. A reset opens fresh accounts.

    Args:
        env: a ParallelEnv or AECEnv with ``possible_agents``.
        contract: the contract, in force from the first step.
        settle: ``episode_end`` or ``step``; both settle to the same totals where liability does
            not bind.
        limited_liability: whether no agent pays more than it has (see `Accounts`), transfers of
            contracts inside included. Only the outermost of several contracts can have it.
        features: how to read the features of a step, ``{agent: {feature: value}}``; by default
            ``infos[agent]["features"]``. ``reward``, the game's, is always among them. In AEC it
            is called after each turn and gives the increment of that turn; an ``infos`` entry
            that is still the object already booked counts as nothing new. An environment that
            PettingZoo converted from parallel is booked when the world steps.
        public: how to read the quantities that conditions compare; by default
            ``infos[agent]["public"]`` of any agent that has it.
        changed: whether the world has changed, for contracts until then; by default whether any
            ``infos[agent]["changed"]`` is true. The step that shows the change is the last one
            covered.
        encoder: what turns contracts into vectors. By default over the features and quantities
            that the environment declares as ``contract_features`` and ``public_features``, or
            else over the contract's own.

    Raises:
        ContractError: an argument that cannot be; a contract that names an agent, feature or
            quantity that the environment does not have, or that the encoder cannot hold; later,
            features that are missing or not finite.
    """

    env_type: type = object
    contract_type: type[Contract] = Contract
    env: Any

    if TYPE_CHECKING:  # the PettingZoo wrapper that a subclass also inherits from

        def __getattr__(self, name: str) -> Any: ...

    def __new__(cls, *args: Any, **kwargs: Any) -> ContractWrapper:
        """Choose the wrapper for the environment's API."""
        if cls is not ContractWrapper:
            return super().__new__(cls)
        # Both modules import this one.
        from cleanup_icn.contracts.aec_wrapper import AECContractWrapper
        from cleanup_icn.contracts.parallel_wrapper import ParallelContractWrapper

        env = args[0] if args else kwargs.get("env")
        for wrapper in (ParallelContractWrapper, AECContractWrapper):
            if isinstance(env, wrapper.env_type):
                return super().__new__(wrapper)
        raise ContractError("env", env, "a PettingZoo ParallelEnv or AECEnv")

    def __init__(
        self,
        env: ParallelEnv[Any, Any, Any] | AECEnv[Any, Any, Any],
        contract: Contract,
        *,
        settle: str = "episode_end",
        limited_liability: bool = False,
        features: FeatureFunction | None = None,
        public: PublicFunction | None = None,
        changed: ChangedFunction | None = None,
        encoder: ContractEncoder | None = None,
    ) -> None:
        if not isinstance(env, self.env_type):
            raise ContractError("env", env, f"a PettingZoo {self.env_type.__name__}")
        if type(contract) is not self.contract_type:
            raise ContractError("contract", contract, f"a {self.contract_type.__name__}")
        if settle not in SETTLE:
            raise ContractError("settle", settle, " or ".join(repr(each) for each in SETTLE))
        for name, function in (("features", features), ("public", public), ("changed", changed)):
            if function is not None and not callable(function):
                raise ContractError(name, function, "None or a function of a Transition")
        if not isinstance(limited_liability, bool):
            raise ContractError("limited_liability", limited_liability, "True or False")
        if not hasattr(env, "possible_agents"):
            raise ContractError("env", env, "an environment with possible_agents")
        if any(getattr(layer, "limited_liability", False) for layer in layers(env)):
            # It could not see what this contract takes from those it must not overcharge.
            raise ContractError(
                "env", str(env), "no limited liability inside another contract; join the contracts"
            )
        self.env = env
        self.contract = contract
        self.settle = settle
        self.limited_liability = limited_liability
        self._feature_function = features
        self._public_function = public
        self._changed_function = changed
        self._refuse_undeclared()
        self.encoder = self._usual_encoder() if encoder is None else encoder
        self.encoder.check(contract)
        self._views: dict[str, ContractView] = {}
        self._open_accounts()

    def observation_space(self, agent: str) -> spaces.Space[Any]:
        """The agent's observation space with the contract in it: the same object on every call."""
        return self._view(agent).space

    @property
    def contract_in_force(self) -> Contract:
        """The contract, or the null contract once its duration is over."""
        return self.accounts.contract

    # What subclasses share.

    def _open_accounts(self) -> None:
        agents = list(self.env.possible_agents)
        self.accounts = Accounts(agents, limited_liability=self.limited_liability)
        self._nothing_settled = self.accounts.settle()
        self._put_in_force(self.contract)
        self._lapse(next_step=0)
        self._balances = self.accounts.balances

    def _put_in_force(self, contract: Contract) -> None:
        self.accounts.sign(contract)
        self._line = contract_line(contract)
        self._text = contract.to_text()
        self._vectors: dict[str, NDArray[np.float32]] = {}

    def _lapse(self, *, next_step: int) -> None:
        duration = self.accounts.contract.duration
        if duration.step is not None and next_step >= duration.step:
            self._put_in_force(Contract())

    def _told_step(self, infos: Mapping[str, Any]) -> int | None:
        """How many steps the world has made, if the environment speaks of it.

        One that declares what contracts may use also tells ``infos[agent]["step"]``: there may be
        steps, of talks say, in which its world stands still. Elsewhere every step counts.
        """
        if self._declared_features() is None:
            return None
        return next((info["step"] for info in infos.values() if "step" in info), None)

    def _enforce(
        self,
        transition: Transition,
        *,
        received: Mapping[str, float],
        world_moved: bool,
        anyone_left: bool,
    ) -> Settlement:
        """Book a step, and settle if it is time; what accrued earlier settles with it.

        `received` is what reached each agent from inside, transfers of inner wrappers included: of
        this it can pay.
        """
        contract = self.accounts.contract
        if world_moved:
            self._book(transition, received=received, anyone_left=anyone_left)
            if contract.duration.until == "change" and self._has_changed(transition):
                self._put_in_force(Contract())
        is_time = anyone_left or self.settle == "step"
        settlement = self.accounts.settle() if is_time else self._nothing_settled
        self._balances = self.accounts.balances
        return settlement

    def _book(
        self, transition: Transition, *, received: Mapping[str, float], anyone_left: bool
    ) -> None:
        del anyone_left  # clauses are applied to every step by itself
        contract = self.accounts.contract
        self.accounts.book(
            self._read_features(contract, transition),
            game_rewards=received,
            public=self._read_public(transition) if contract.public_names else {},
        )

    def _read_features(
        self, contract: Contract, transition: Transition
    ) -> dict[str, Mapping[str, float]]:
        if not contract.feature_names:
            return {agent: {} for agent in transition.agents}
        return self._all_features(transition, needs_listed=set(contract.feature_names) != {REWARD})

    def _all_features(
        self, transition: Transition, *, needs_listed: bool
    ) -> dict[str, Mapping[str, float]]:
        listed: Mapping[str, Mapping[str, float]] = {}
        if self._feature_function is not None:
            listed = self._feature_function(transition)
            if not isinstance(listed, Mapping):
                raise ContractError("features", listed, "a function that returns {agent: features}")
        elif needs_listed:
            listed = self._listed_features(transition)
        return {
            agent: {**listed.get(agent, {}), REWARD: transition.rewards[agent]}
            for agent in transition.agents
        }

    def _listed_features(self, transition: Transition) -> Mapping[str, Mapping[str, float]]:
        """The features in the environment's infos."""
        listed = {}
        for agent in transition.agents:
            if transition.infos and agent not in transition.infos:
                continue  # it left and nothing more was told of it
            info = transition.infos.get(agent, {})
            if "features" not in info:
                path = f"infos[{agent!r}]['features']"
                raise ContractError(path, None, "features, or features=function to read them with")
            listed[agent] = info["features"]
        return listed

    def _read_public(self, transition: Transition) -> Mapping[str, float]:
        if self._public_function is not None:
            return self._public_function(transition)
        told = (info["public"] for info in transition.infos.values() if "public" in info)
        return next(told, {})

    def _has_changed(self, transition: Transition) -> bool:
        if self._changed_function is not None:
            return bool(self._changed_function(transition))
        return any(info.get("changed") for info in transition.infos.values())

    def _has_functions(self) -> bool:
        functions = (self._feature_function, self._public_function, self._changed_function)
        return any(function is not None for function in functions)

    def _view(self, agent: str) -> ContractView:
        if agent not in self._views:
            low = np.append(self.encoder.space.low, np.float32(-LARGEST))
            high = np.append(self.encoder.space.high, np.float32(LARGEST))
            lines = (contract_line(self.contract), contract_line(None))
            inner = self.env.observation_space(agent)
            self._views[agent] = ContractView(inner, spaces.Box(low, high), lines)
        return self._views[agent]

    def _show(self, agent: str, observation: Any) -> Any:
        if agent not in self._vectors:
            self._vectors[agent] = self.encoder.encode(self.accounts.contract, agent)
        balance = np.float32(max(-LARGEST, min(LARGEST, self._balances[agent])))
        vector = np.append(self._vectors[agent], balance)
        return self._view(agent).show(observation, vector=vector, line=self._line)

    def _info(
        self, agent: str, info: Mapping[str, Any], tallies: Mapping[str, float]
    ) -> dict[str, Any]:
        texts = [info.get("contract_text"), self._text]
        told = [text for text in texts if text and not text.endswith(f"{NO_PAYMENTS}.")]
        return {
            **info,
            **tallies,
            "accrued": info.get("accrued", 0.0) + self._balances[agent],
            "contract_text": "\n".join(told) or self._text,
        }

    def _refuse_undeclared(self) -> None:
        known = set(self.env.possible_agents)
        for path, name in (
            *self.contract.named_roles(),
            *(
                (f"parties[{index}]", name)
                for index, name in enumerate(self.contract.parties or ())
            ),
        ):
            if name not in known:
                raise ContractError(path, name, f"one of {', '.join(map(str, sorted(known)))}")
        if self._feature_function is None:
            self._refuse_names("per", self.contract.feature_names, self._declared_features())
        if self._public_function is None:
            self._refuse_names("when.feature", self.contract.public_names, self._declared_public())

    def _refuse_names(self, field: str, names: tuple[str, ...], declared: Any) -> None:
        for name in names:
            if declared is not None and name not in declared:
                raise ContractError(field, name, f"one of {', '.join(declared) or 'none'}")

    def _declared_features(self) -> tuple[str, ...] | None:
        declared = getattr(self.env.unwrapped, "contract_features", None)
        return None if declared is None else tuple(dict.fromkeys((*declared, REWARD)))

    def _declared_public(self) -> tuple[str, ...] | None:
        declared = getattr(self.env.unwrapped, "public_features", None)
        return None if declared is None else tuple(declared)

    def _usual_encoder(self) -> ContractEncoder:
        """Over what the environment declares, and what the contract names besides."""
        features = (*(self._declared_features() or ()), *self.contract.feature_names)
        public = (*(self._declared_public() or ()), *self.contract.public_names)
        return ContractEncoder(
            agents=list(self.env.possible_agents),
            feature_names=tuple(dict.fromkeys(features)),
            public_names=tuple(dict.fromkeys(public)),
            max_clauses=max(USUAL_MAX_CLAUSES, len(self.contract.clauses)),
        )
