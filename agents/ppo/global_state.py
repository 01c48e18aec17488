"""Random generators and thread counts that belong to the whole process."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch


@contextmanager
def restored_global_state() -> Iterator[None]:
    """Undo on leaving what seeding by Stable-Baselines3 does to generators nobody here owns."""
    python_state = random.getstate()
    numpy_state = np.random.get_state()  # noqa: NPY002  # the legacy generator is what gets seeded
    torch_state, num_threads = torch.get_rng_state(), torch.get_num_threads()
    try:
        yield
    finally:
        random.setstate(python_state)
        np.random.set_state(numpy_state)  # noqa: NPY002
        torch.set_rng_state(torch_state)
        torch.set_num_threads(num_threads)
