"""The actor of a trained policy, evaluated in NumPy.

One observation through PyTorch and its distributions costs 0.3 ms, almost all of it overhead;
these few matrix products cost a tenth of that, and need no process-wide thread setting.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from sb3_contrib.common.maskable.policies import MaskableActorCriticPolicy
from stable_baselines3.common.torch_layers import FlattenExtractor

Layer = tuple[NDArray[np.float32], NDArray[np.float32]]


class MaskedPolicy:
    """A distribution over legal actions for every observation: tanh layers, then a softmax.

    `layers` are pairs of weights (inputs, outputs) and biases (outputs,), the last one giving the
    logits.
    """

    def __init__(self, layers: Sequence[Layer]) -> None:
        *self._hidden, self._output = layers

    @classmethod
    def from_sb3(cls, policy: MaskableActorCriticPolicy) -> MaskedPolicy:
        """Copy the actor of a policy of Stable-Baselines3.

        The policy must flatten its observation and have tanh layers, as `train` makes them.
        """
        modules = list(policy.mlp_extractor.policy_net)
        linear = [m for m in (*modules[0::2], policy.action_net) if isinstance(m, torch.nn.Linear)]
        tanh = [m for m in modules[1::2] if isinstance(m, torch.nn.Tanh)]
        flat = isinstance(policy.pi_features_extractor, FlattenExtractor)
        if not flat or len(linear) + len(tanh) != len(modules) + 1:
            raise ValueError(f"policy = {policy}: expected flat observations and tanh layers")
        return cls([_layer(module) for module in linear])

    @property
    def num_observed(self) -> int:
        """Length D of an observation."""
        return int((*self._hidden, self._output)[0][0].shape[0])

    @property
    def num_actions(self) -> int:
        """Number A of actions."""
        return int(self._output[1].shape[0])

    def probabilities(
        self, observations: NDArray[Any], action_masks: NDArray[Any] | None = None
    ) -> NDArray[np.float64]:
        """Probability of every action, shape (..., A), for observations (..., D).

        `action_masks` has shape (..., A), nonzero where an action is legal; a mask that allows
        nothing is taken as allowing everything. Observations of another length than the policy
        was trained on raise `ValueError`.
        """
        activations = np.asarray(observations, dtype=np.float32)
        if activations.shape[-1:] != (self.num_observed,):
            raise ValueError(
                f"observation shape = {activations.shape}: expected {self.num_observed} numbers, "
                "as in training"
            )
        for weights, biases in self._hidden:
            activations = np.tanh(activations @ weights + biases)
        weights, biases = self._output
        logits = (activations @ weights + biases).astype(np.float64)
        if action_masks is not None:
            legal = np.asarray(action_masks, dtype=np.bool_)
            legal = legal | ~legal.any(axis=-1, keepdims=True)
            logits = np.where(legal, logits, -np.inf)
        odds = np.exp(logits - logits.max(axis=-1, keepdims=True))
        normalized: NDArray[np.float64] = odds / odds.sum(axis=-1, keepdims=True)
        return normalized


def _layer(module: torch.nn.Linear) -> Layer:
    # Copies, laid out for `observations @ weights`: training on must not change this policy.
    weights = np.ascontiguousarray(module.weight.detach().numpy().T).copy()
    return weights, module.bias.detach().numpy().copy()
