"""The policy that scores actions by their features, for training with masked PPO."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import torch
from sb3_contrib.common.maskable.policies import MaskableActorCriticPolicy
from torch import nn
from torch.utils.checkpoint import checkpoint

from agents.ppo.layers import layer_of
from agents.ppo.scored_actions import ScoredActions, Scorer


class ActionScorer(nn.Module):
    """`Scorer` in PyTorch, with gradients.

    Rows are judged block by block, and again in the backward pass: to keep every action's units
    for it would take more time, in fetching memory, than to compute them anew.
    """

    _slices: torch.Tensor
    _sum_weights: torch.Tensor
    _mean_weights: torch.Tensor
    _scalars: torch.Tensor
    _special_actions: torch.Tensor
    _combines: torch.Tensor

    def __init__(self, layout: ScoredActions) -> None:
        super().__init__()
        self.layout = layout
        inputs = layout.num_features + len(layout.scalars)
        sizes = (inputs, *layout.hidden_sizes, 1)
        self.layers = nn.ModuleList(nn.Linear(*pair) for pair in pairwise(sizes))
        self.special = nn.Linear(len(layout.scalars), len(layout.special))
        self._pooled = layout.pooled
        combines = np.ones(layout.num_actions, np.float32)
        combines[list(layout.special)] = 0.0
        for name, values in (
            ("_slices", layout.slice_indices),
            ("_sum_weights", layout.sum_weights),
            ("_mean_weights", layout.mean_weights),
            ("_scalars", np.array(layout.scalars, np.int64)),
            ("_special_actions", np.array(layout.special, np.int64)),
            ("_combines", combines),
        ):
            self.register_buffer(name, torch.as_tensor(np.array(values)), persistent=False)

    def forward(self, rows: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Return logits (R, A) and, without gradient, expected features (R, F) of rows (R, D)."""
        judged = [self._block(block) for block in torch.split(rows, self.layout.block_rows)]
        logits = torch.cat([block for block, _ in judged])
        return logits, torch.cat([expected for _, expected in judged])

    @property
    def linear(self) -> list[nn.Linear]:
        """The shared network's layers."""
        return [layer for layer in self.layers if isinstance(layer, nn.Linear)]

    def to_numpy(self) -> Scorer:
        """Copy the network."""
        special = layer_of(self.special) if self.layout.special else None
        return Scorer(self.layout, [layer_of(layer) for layer in self.linear], special)

    def _block(self, rows: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        if not torch.is_grad_enabled():
            return self._judge(rows)
        judged: tuple[torch.Tensor, torch.Tensor] = checkpoint(
            self._judge, rows, use_reentrant=False, preserve_rng_state=False
        )
        return judged

    def _judge(self, rows: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        with torch.no_grad():
            features = self._features(rows)
        scalars = rows[:, self._scalars]
        first, *others = self.linear
        num_features = self.layout.num_features
        seen_by_all = nn.functional.linear(scalars, first.weight[:, num_features:], first.bias)
        # Units (H, R x A): one product a layer, and nothing is copied to make it one.
        units = first.weight[:, :num_features] @ features.flatten(1)
        units.view(len(units), len(rows), -1).add_(seen_by_all.T[:, :, None])
        for layer in others:
            units = torch.addmm(layer.bias[:, None], layer.weight, units.relu_())
        logits = units.view(len(rows), -1)
        with torch.no_grad():
            odds = (logits - logits.amax(1, keepdim=True)).exp_().mul_(self._combines)
            odds /= odds.sum(1, keepdim=True)
            expected = (features * odds).sum(2).T
        if self.layout.special:
            logits = logits.index_copy(1, self._special_actions, self.special(scalars))
        return logits, expected

    def _features(self, rows: torch.Tensor) -> torch.Tensor:
        """Features (F, R, A) of every action."""
        slices = rows.T[self._slices].transpose(1, 2)  # (S, R, O)
        num_sums = len(self.layout.sums)
        found = rows.new_empty(self.layout.num_features, len(rows), self.layout.num_actions)
        torch.matmul(slices[:num_sums], self._sum_weights, out=found[:num_sums])
        place = num_sums
        for group in self._pooled:
            means = torch.matmul(slices[group], self._mean_weights)
            torch.mean(means, 0, out=found[place])
            if len(means) > 1:
                torch.amin(means, 0, out=found[place + 1])
            place += min(len(means), 2)
        return found


class _Extractor(nn.Module):
    """Takes the place of the two towers: logits for the actor, the last layer for the critic."""

    def __init__(self, layout: ScoredActions, critic_sizes: list[int]) -> None:
        super().__init__()
        self.scorer = ActionScorer(layout)
        sizes = [layout.observation_size + layout.num_features, *critic_sizes]
        layers: list[nn.Module] = []
        for pair in pairwise(sizes):
            layers += [nn.Linear(*pair), nn.Tanh()]
        self.value_net = nn.Sequential(*layers)
        self.latent_dim_pi, self.latent_dim_vf = layout.num_actions, sizes[-1]

    def forward(self, rows: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        logits, expected = self.scorer(rows)
        return logits, self.value_net(torch.cat([rows, expected], 1))

    def forward_actor(self, rows: torch.Tensor) -> torch.Tensor:
        logits: torch.Tensor = self.scorer(rows)[0]
        return logits

    def forward_critic(self, rows: torch.Tensor) -> torch.Tensor:
        with torch.no_grad():
            expected = self.scorer(rows)[1]
        value: torch.Tensor = self.value_net(torch.cat([rows, expected], 1))
        return value


class ScoredActionsPolicy(MaskableActorCriticPolicy):
    """Actor: `ActionScorer`. Critic: tanh layers over the observation and the expected features.

    `net_arch` gives the critic's layers; the actor's are the layout's.
    """

    mlp_extractor: Any
    action_net: Any

    def __init__(self, *args: Any, layout: ScoredActions, **kwargs: Any) -> None:
        self._layout = layout
        super().__init__(*args, **kwargs)

    def _build(self, lr_schedule: Any) -> None:
        extractor = _Extractor(self._layout, [int(size) for size in self.net_arch])
        self.mlp_extractor = extractor
        self.action_net = nn.Identity()
        self.value_net = nn.Linear(extractor.latent_dim_vf, 1)
        # Gains as Stable-Baselines3 has them: a policy that starts all but uniform.
        *hidden, last = extractor.scorer.linear
        for module in (*hidden, extractor.value_net):
            module.apply(lambda m: self.init_weights(m, gain=np.sqrt(2)))
        for module in (last, extractor.scorer.special):
            module.apply(lambda m: self.init_weights(m, gain=0.01))
        self.value_net.apply(lambda m: self.init_weights(m, gain=1.0))
        make_optimizer: Any = self.optimizer_class
        self.optimizer = make_optimizer(
            self.parameters(), lr=lr_schedule(1), **self.optimizer_kwargs
        )
