"""Linear layers in NumPy, copied from PyTorch."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray

Layer = tuple[NDArray[np.float32], NDArray[np.float32]]
"""Weights (inputs, outputs) and biases (outputs,)."""


_ALONE = 2**18
"""Multiplications up to which NumPy's OpenBLAS computes a product in the calling thread.

More of them wake threads on all cores. Where others use the cores too, waiting for these made a
product of 512 rows a hundred times slower than in pieces below this size.
"""


def product(left: NDArray[np.float32], right: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the product of (R, I) and (I, C), computed in the calling thread."""
    (rows, inner), columns = left.shape, right.shape[1]
    found = np.empty((rows, columns), np.float32)
    if rows >= columns:
        step = max(1, _ALONE // (inner * columns))
        for first in range(0, rows, step):
            np.matmul(left[first : first + step], right, out=found[first : first + step])
    else:
        step = max(1, _ALONE // (inner * rows))
        for first in range(0, columns, step):
            found[:, first : first + step] = left @ right[:, first : first + step]
    return found


def through_layers(
    activations: NDArray[np.float32], layers: Sequence[Layer]
) -> NDArray[np.float32]:
    """Return what linear layers with tanh between them make of activations (..., inputs)."""
    lead = activations.shape[:-1]
    units = activations.reshape(-1, activations.shape[-1])
    *hidden, (last_weights, last_biases) = layers
    for weights, biases in hidden:
        units = np.tanh(product(units, weights) + biases)
    return (product(units, last_weights) + last_biases).reshape(*lead, -1)


def layer_of(module: torch.nn.Linear) -> Layer:
    """Copy a layer, laid out for `observations @ weights`: training on must not change it."""
    weights = np.ascontiguousarray(module.weight.detach().numpy().T).copy()
    return weights, module.bias.detach().numpy().copy()
