"""A trained policy, evaluated in NumPy.

One observation through PyTorch and its distributions costs 0.3 ms, almost all of it overhead;
these few matrix products cost a tenth of that, and need no process-wide thread setting.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from sb3_contrib.common.maskable.policies import MaskableActorCriticPolicy
from stable_baselines3.common.policies import ActorCriticPolicy
from stable_baselines3.common.torch_layers import FlattenExtractor

from agents.ppo.checkpoint import load_model
from agents.ppo.global_state import restored_global_state
from agents.ppo.layers import Layer, layer_of, through_layers
from agents.ppo.scored_actions import Scorer


class MaskedPolicy:
    """A distribution over legal actions for every observation: tanh layers, then a softmax.

    Args:
        actor: pairs of weights (inputs, outputs) and biases (outputs,), the last one giving the
            logits; or a `Scorer`, which gives every action's logit from its features.
        critic: such pairs, the last one giving the value; none where no value will be asked.
        reward_scale: what the critic's values are multiples of.
    """

    def __init__(
        self,
        actor: Sequence[Layer] | Scorer,
        critic: Sequence[Layer] = (),
        *,
        reward_scale: float = 1.0,
    ) -> None:
        self._actor = actor if isinstance(actor, Scorer) else tuple(actor)
        self._critic = tuple(critic)
        self._reward_scale = reward_scale

    @classmethod
    def load(cls, checkpoint: Path | str) -> MaskedPolicy:
        """Return the policy of a checkpoint that training wrote."""
        with restored_global_state():
            model = load_model(checkpoint)
        return cls.from_sb3(model.policy, reward_scale=model.reward_scale)

    @classmethod
    def from_sb3(
        cls, policy: MaskableActorCriticPolicy | ActorCriticPolicy, *, reward_scale: float = 1.0
    ) -> MaskedPolicy:
        """Copy a policy of Stable-Baselines3, actor and critic.

        The policy must flatten its observation and have tanh layers, as training makes them.
        """
        extractor = policy.mlp_extractor
        critic = _layers(policy, extractor.value_net, policy.value_net)
        scorer = getattr(extractor, "scorer", None)
        if scorer is not None:
            return cls(scorer.to_numpy(), critic, reward_scale=reward_scale)
        actor = _layers(policy, extractor.policy_net, policy.action_net)
        return cls(actor, critic, reward_scale=reward_scale)

    @property
    def num_observed(self) -> int:
        """Length D of an observation."""
        if isinstance(self._actor, Scorer):
            return self._actor.layout.observation_size
        return int(self._actor[0][0].shape[0])

    @property
    def num_actions(self) -> int:
        """Number A of actions."""
        if isinstance(self._actor, Scorer):
            return self._actor.layout.num_actions
        return int(self._actor[-1][1].shape[0])

    def probabilities(
        self, observations: NDArray[Any], action_masks: NDArray[Any] | None = None
    ) -> NDArray[np.float64]:
        """Probability of every action, shape (..., A), for observations (..., D).

        `action_masks` has shape (..., A), nonzero where an action is legal; a mask that allows
        nothing is taken as allowing everything. Observations of another length than the policy
        was trained on raise `ValueError`.
        """
        logits = self._logits(self._checked(observations)).astype(np.float64)
        if action_masks is not None:
            legal = np.asarray(action_masks, dtype=np.bool_)
            legal = legal | ~legal.any(axis=-1, keepdims=True)
            logits = np.where(legal, logits, -np.inf)
        odds = np.exp(logits - logits.max(axis=-1, keepdims=True))
        normalized: NDArray[np.float64] = odds / odds.sum(axis=-1, keepdims=True)
        return normalized

    def act(
        self,
        observations: NDArray[Any],
        masks: NDArray[Any] | None,
        uniforms: NDArray[np.float64] | None,
    ) -> NDArray[np.intp]:
        """Actions (...) for observations (..., D) under masks (..., A).

        An observation's chance is its number of `uniforms` (...), in [0, 1); without them the
        likeliest action is taken.
        """
        probabilities = self.probabilities(observations, masks)
        actions: NDArray[np.intp]
        if uniforms is None:
            actions = probabilities.argmax(axis=-1)
            return actions
        cumulative = probabilities.cumsum(axis=-1)
        # Scaled by the last sum, which rounding may leave beside 1: a draw stays below it.
        draws = np.asarray(uniforms)[..., None] * cumulative[..., -1:]
        actions = (cumulative <= draws).sum(axis=-1)
        return actions

    def values(self, observations: NDArray[Any]) -> NDArray[np.float64]:
        """Return the critic's values (...) of observations (..., D), in the game's reward units.

        A value is the discounted sum of rewards that the policy expects from there on. A policy
        without a critic raises `ValueError`.
        """
        if not self._critic:
            raise ValueError("critic = (): expected a policy with a critic")
        seen = self._checked(observations)
        if isinstance(self._actor, Scorer):
            seen = np.concatenate([seen, self._actor.expected_features(seen)], axis=-1)
        values = through_layers(seen, self._critic)[..., 0].astype(np.float64)
        scaled: NDArray[np.float64] = values / self._reward_scale
        return scaled

    def _checked(self, observations: NDArray[Any]) -> NDArray[np.float32]:
        seen = np.asarray(observations, dtype=np.float32)
        if seen.shape[-1:] != (self.num_observed,):
            raise ValueError(
                f"observation shape = {seen.shape}: expected {self.num_observed} numbers, "
                "as in training"
            )
        return seen

    def _logits(self, observations: NDArray[np.float32]) -> NDArray[np.float32]:
        if isinstance(self._actor, Scorer):
            return self._actor.logits(observations)
        return through_layers(observations, self._actor)


def _layers(policy: Any, hidden: torch.nn.Module, last: torch.nn.Module) -> list[Layer]:
    modules = list(hidden.children())
    linear = [m for m in (*modules[0::2], last) if isinstance(m, torch.nn.Linear)]
    tanh = [m for m in modules[1::2] if isinstance(m, torch.nn.Tanh)]
    flat = isinstance(policy.pi_features_extractor, FlattenExtractor)
    if not flat or len(linear) + len(tanh) != len(modules) + 1:
        raise ValueError(f"policy = {policy}: expected flat observations and tanh layers")
    return [layer_of(module) for module in linear]
