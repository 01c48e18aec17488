"""Cleanup as a PettingZoo environment over one game."""

from __future__ import annotations

import dataclasses
import operator
from typing import Any

import numpy as np
import numpy.typing as npt
from gymnasium import spaces
from pettingzoo import AECEnv, ParallelEnv
from pettingzoo.utils import parallel_to_aec
from pettingzoo.utils.conversions import parallel_to_aec_wrapper

from cleanup_icn import noise, rules, text
from cleanup_icn.config import CleanupConfig, ConfigError
from cleanup_icn.observe import (
    PUBLIC_FEATURES,
    VectorObserver,
    action_mask,
    agent_names,
    mask_space,
    public_quantities,
    view,
)
from cleanup_icn.outcomes import find_outcome, kept_outcomes, needs_dice
from cleanup_icn.state import NUM_ACTIONS, CleanupState, StepFeatures

OBSERVATION_KINDS = ("both", "text", "vector")
RENDER_MODES = ("human", "ansi", "rgb_array")
ILLEGAL = -1
"""What an action that is none of the four is taken for; the rules make it a wait."""

_NOTHING_DONE = StepFeatures(0, 0, 0, 0.0, 0.0)

Infos = dict[str, dict[str, Any]]


class CleanupEnv(ParallelEnv[str, Any, Any]):
    """The parallel environment; see `parallel_env` for its arguments.

    ``infos[agent]`` holds, as of the observation just returned, ``pollution``, ``fruit``, ``step``
    and every parameter in force, ``changed`` (``{name: (before, after)}``: what changed just now)
    and ``action_mask``; of the step just made ``harvested``, ``cleaned`` (units), ``illegal``
    (0 or 1), ``features`` (what contracts pay for) and ``public`` (the public quantities in the
    observation from which the agents acted: what conditions of contracts compare). ``public`` and
    ``changed`` are the same for all agents, one dictionary each.
    """

    metadata: dict[str, Any] = {  # noqa: RUF012 - PettingZoo's declared type
        "name": "cleanup_v0",
        "render_modes": list(RENDER_MODES),
        "is_parallelizable": True,
        "render_fps": 4,
    }
    contract_features = ("harvested", "cleaned", "illegal", "reward")
    public_features = PUBLIC_FEATURES

    def __init__(
        self,
        config: CleanupConfig,
        *,
        observation: str = "both",
        render_mode: str | None = None,
    ) -> None:
        check_kind(observation)
        if render_mode not in (None, *RENDER_MODES):
            raise ConfigError(
                "render_mode", render_mode, "None or one of " + ", ".join(RENDER_MODES)
            )
        self.config = config
        self.render_mode = render_mode
        self.possible_agents = list(agent_names(config.num_agents))
        self.agents: list[str] = []
        self._unfinished = dict.fromkeys(self.possible_agents, False)
        self._kind = observation
        self._vectors = VectorObserver(config)
        space = self._build_space()
        self._observation_spaces = dict.fromkeys(self.possible_agents, space)
        self._action_spaces = {a: spaces.Discrete(NUM_ACTIONS) for a in self.possible_agents}
        self.state_space = self._vectors.space()
        self._in_order = operator.itemgetter(*self.possible_agents)
        self._bits = {agent: 1 << i for i, agent in enumerate(self.possible_agents)}
        self._change_steps = frozenset(config.change_steps)
        self._seed: int | None = None
        self._episode = 0
        self._episode_seed = 0
        self._state: CleanupState
        self._step: int
        self._start(config)

    def observation_space(self, agent: str) -> spaces.Space[Any]:
        """Return the space of an agent's observations; the same object on every call."""
        return self._observation_spaces[agent]

    def action_space(self, agent: str) -> spaces.Space[Any]:
        """Return ``Discrete(4)``: wait, move, harvest, clean."""
        return self._action_spaces[agent]

    def reset(
        self, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[dict[str, Any], Infos]:
        """Start an episode.

        The k-th reset after a seed plays the episode that (seed, k) stands for. ``options`` may
        give this episode's ``pollution_initial`` and ``fruit_initial``; other keys are not looked
        at.

        Raises:
            ConfigError: for an initial value outside its range.
        """
        given = {
            name: value
            for name, value in (options or {}).items()
            if name in ("pollution_initial", "fruit_initial")
        }
        start = dataclasses.replace(self.config, **given) if given else self.config
        if seed is not None:
            self._seed, self._episode = checked_seed(seed), 0
        elif self._seed is None:
            self._seed = int(np.random.SeedSequence().generate_state(1, np.uint64)[0])
        else:
            self._episode += 1
        self._episode_seed = noise.episode_seed(self._seed, self._episode)
        self._start(start)
        self.agents = self.possible_agents[:]
        infos, _ = self._infos(_NOTHING_DONE)
        return self._observations(infos), infos

    def step(
        self, actions: dict[str, Any]
    ) -> tuple[dict[str, Any], dict[str, float], dict[str, bool], dict[str, bool], Infos]:
        """Play one step. Whatever an agent's action is, it never raises: see `rules.step`.

        Raises:
            ValueError: if ``actions`` does not name exactly the live agents.
        """
        agents = self.agents
        if not agents or actions.keys() != self._unfinished.keys():
            check_actors(actions, agents)
            return {}, {}, {}, {}, {}
        before, step = self._state, self._step
        joint = action_indices(self._in_order(actions))
        if self._needs_dice:
            dice = noise.dice(self._episode_seed, step)
            self._state, features = rules.step(before, joint, dice, self._parameters)
        else:
            outcome = self._outcomes.get((before, joint))
            if outcome is None:
                outcome = find_outcome(self._outcomes, before, joint, self._parameters)
            self._state, features = outcome
        self.chronicle.add(text.render_step, self.config, step, before, features, self._state)
        self._step = step + 1
        is_over = self._step >= self.config.horizon_steps
        infos, rewards = self._infos(features)
        observations = self._observations(infos)
        terminations = self._unfinished.copy()
        truncations = dict.fromkeys(agents, True) if is_over else self._unfinished.copy()
        if is_over:
            self.agents = []
        if self.render_mode == "human":
            self.render()
        return observations, rewards, terminations, truncations, infos

    @property
    def cleanup_state(self) -> CleanupState:
        """The state of the game, from which solvers and planners start."""
        return self._state

    @property
    def num_steps(self) -> int:
        """Steps made in this episode."""
        return self._step

    @property
    def episode_seed(self) -> int:
        """The 64-bit seed of this episode's dice, that of the k-th reset after a seed."""
        return self._episode_seed

    def state(self) -> npt.NDArray[np.float32]:
        """Return the public part of the observation as one vector, float32."""
        (row, *_) = self._vectors.rows(self.possible_agents, self._state, self._step).values()
        row[: self.config.num_agents] = 0.0
        return row

    def render(self) -> npt.NDArray[np.uint8] | str | None:
        """Draw the two places: text ("ansi"), uint8 (H, W, 3) ("rgb_array"), or print ("human")."""
        from cleanup_icn import render

        if self.render_mode is None:
            return None
        seen = view(self.config, self._state, self._step, 0)
        if self.render_mode == "rgb_array":
            return render.draw(seen)
        drawn = render.render_ansi(seen)
        if self.render_mode == "ansi":
            return drawn
        print(drawn)  # noqa: T201 - this is what "human" asks for
        return None

    def close(self) -> None:
        """Nothing is held open."""

    def rules_text(self, agent: str) -> str:
        """Return what a model is told once, before the first observation; equal for all agents."""
        del agent
        return text.render_rules(self.config)

    def parse_answer(self, agent: str, answer: object) -> text.ParsedAction:
        """Read what an agent answered to its observation. Never raises."""
        del agent
        return text.parse_action(answer)

    def choices(self, agent: str) -> tuple[str, ...]:
        """Return the names of what the agent can do now; none once the episode is over."""
        if agent not in self.agents:
            return ()
        at_shore = bool(self._state.at_shore >> self.possible_agents.index(agent) & 1)
        return tuple(
            name
            for action, name in enumerate(text.ACTION_NAMES)
            if rules.is_legal(action, at_shore)
        )

    def _start(self, config: CleanupConfig) -> None:
        self.chronicle = text.Chronicle()
        self._state = config.start
        self._step = 0
        self._note_parameters()
        self._public = self._quantities.copy()

    def _note_parameters(self) -> None:
        """Lay out what infos hold as long as these parameters are in force."""
        self._parameters = self.config.parameters_at(self._step)
        self._needs_dice = needs_dice(self._parameters)
        self._outcomes = kept_outcomes(self._parameters)
        self._quantities = public_quantities(self.config, self._state, self._step)
        self._info: dict[str, Any] = {
            **self._quantities,
            "harvested": 0.0,
            "cleaned": 0.0,
            "illegal": 0,
            "features": None,
            "public": None,
            "changed": None,
            "action_mask": None,
        }

    def _build_space(self) -> spaces.Space[Any]:
        words = spaces.Text(text.max_chars(self.config), charset=text.CHARSET)
        if self._kind == "text":
            return words
        if self._kind == "vector":
            return self._vectors.space()
        return spaces.Dict(
            {"observation": self._vectors.space(), "text": words, "action_mask": mask_space()}
        )

    def _observations(self, infos: Infos) -> dict[str, Any]:
        """Return what the agents see; what an observation repeats of the infos is taken there."""
        if self._kind == "vector":
            return self._vectors.rows(self.agents, self._state, self._step)
        words = text.render_observations(view(self.config, self._state, self._step, 0))
        if self._kind == "text":
            return dict(zip(self.agents, words, strict=True))
        rows = self._vectors.rows(self.agents, self._state, self._step)
        return {
            agent: {
                "observation": rows[agent],
                "text": words[i],
                "action_mask": infos[agent]["action_mask"].copy(),
            }
            for i, agent in enumerate(self.agents)
        }

    def _infos(self, features: StepFeatures) -> tuple[Infos, dict[str, float]]:
        """Return infos and rewards. One info is filled in and copied for all: that is fastest."""
        changed: dict[str, tuple[float, float]] = {}
        if self._step in self._change_steps:
            self._note_parameters()
            changed = self.config.changed_at(self._step)
        shared, quantities = self._info, self._quantities
        at_shore, pollution, fruit = self._state
        shared["pollution"] = quantities["pollution"] = pollution
        shared["fruit"] = quantities["fruit"] = fruit
        shared["step"] = quantities["step"] = self._step
        shared["public"], self._public = self._public, quantities.copy()
        shared["changed"] = changed
        harvesters, cleaners, illegals, harvest_share, clean_share = features
        infos: Infos = {}
        rewards: dict[str, float] = {}
        for agent, bit in self._bits.items():
            infos[agent] = info = shared.copy()
            harvested = harvest_share if harvesters & bit else 0.0
            cleaned = clean_share if cleaners & bit else 0.0
            illegal = 1 if illegals & bit else 0
            rewards[agent] = info["harvested"] = harvested
            info["cleaned"] = cleaned
            info["illegal"] = illegal
            info["features"] = {
                "harvested": harvested,
                "cleaned": cleaned,
                "illegal": 1.0 if illegal else 0.0,
                "reward": harvested,
            }
            info["action_mask"] = action_mask(at_shore & bit != 0)
        return infos, rewards


def parallel_env(
    *, observation: str = "both", render_mode: str | None = None, **config: Any
) -> CleanupEnv:
    """Make Cleanup as a PettingZoo parallel environment.

    Args:
        observation: "both" (``Dict(observation=Box, text=Text, action_mask=Box)``), "text" (a
            `Text` space) or "vector" (a `Box`). The mask is in ``infos`` whatever this is.
        render_mode: None, "human", "ansi" or "rgb_array".
        **config: the fields of `CleanupConfig`, ``preset`` and ``max_cycles``.

    Raises:
        ConfigError: names the value that cannot be and what is allowed.
    """
    return CleanupEnv(
        CleanupConfig.create(**config), observation=observation, render_mode=render_mode
    )


def env(**config: Any) -> AECEnv[str, Any, Any]:
    """Make Cleanup as an AEC environment (same arguments); wrong call order is reported.

    Agents choose in turn but no one sees another's choice of the same step.
    """
    return parallel_to_aec(parallel_env(**config))


def raw_env(**config: Any) -> AECEnv[str, Any, Any]:
    """Make the AEC environment without the wrapper that watches the order of calls."""
    return parallel_to_aec_wrapper(parallel_env(**config))


def checked_seed(seed: object) -> int:
    """Return a seed as an integer. Raises `ConfigError` if it is none."""
    try:
        return operator.index(seed)  # type: ignore[arg-type]
    except TypeError:
        raise ConfigError("seed", seed, "an integer or None") from None


def check_kind(observation: object) -> None:
    """Raise `ConfigError` unless this is a kind of observation."""
    if not isinstance(observation, str) or observation not in OBSERVATION_KINDS:
        raise ConfigError("observation", observation, "one of " + ", ".join(OBSERVATION_KINDS))


def check_actors(actions: dict[str, Any], agents: list[str]) -> None:
    """Raise ValueError unless there is an action for each live agent and no other."""
    if actions.keys() != set(agents):
        raise ValueError(
            f"actions are for {sorted(map(str, actions))}: expected {agents} "
            "(call reset() to start an episode)"
        )


def action_indices(actions: tuple[Any, ...]) -> tuple[int, ...]:
    """Return actions as integers; what is none becomes `ILLEGAL`."""
    try:
        return tuple(map(operator.index, actions))
    except TypeError:
        return tuple(map(action_index, actions))


def action_index(action: object) -> int:
    """Return an action as an integer; what is none becomes `ILLEGAL`."""
    try:
        return operator.index(action)  # type: ignore[arg-type]
    except TypeError:
        return ILLEGAL
