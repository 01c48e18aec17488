"""Teaching without a trace: generators, threads, switches and log levels as they were before."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import numpy as np

from agents.lm.silence import without_progress_bars

try:
    import torch
    from torch.utils import deterministic
    from transformers.utils import logging as transformers_logging
except ImportError as error:
    raise ImportError(
        "teaching needs PyTorch and transformers: pip install 'commonweal[lm]'"
    ) from error

_deterministic_settings: Any = deterministic  # its attributes are not declared
_logging: Any = transformers_logging  # its functions have no types


@contextmanager
def isolated(*, seed: int, threads: int | None) -> Iterator[None]:
    """Seed Python's, numpy's and PyTorch's global generators, compute alike each time, be quiet.

    On the CPU the same seed and number of threads give the same numbers, bit for bit. Everything
    is put back afterwards.
    """
    with ExitStack() as stack:
        stack.enter_context(_generators(seed))
        stack.enter_context(_threads(threads))
        stack.enter_context(_deterministic())
        stack.enter_context(_quiet())
        yield


@contextmanager
def _generators(seed: int) -> Iterator[None]:
    ours, numpys = random.getstate(), np.random.get_state()  # noqa: NPY002
    try:
        with torch.random.fork_rng(devices=range(torch.cuda.device_count())):
            random.seed(seed)
            np.random.seed(seed)  # noqa: NPY002 - the generator that other libraries draw from
            torch.manual_seed(seed)
            yield
    finally:
        random.setstate(ours)
        np.random.set_state(numpys)  # noqa: NPY002


@contextmanager
def _threads(number: int | None) -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(before if number is None else number)
    try:
        yield
    finally:
        torch.set_num_threads(before)


@contextmanager
def _deterministic() -> Iterator[None]:
    before = torch.are_deterministic_algorithms_enabled()
    warned = torch.is_deterministic_algorithms_warn_only_enabled()
    filled = _deterministic_settings.fill_uninitialized_memory
    _deterministic_settings.fill_uninitialized_memory = (
        False  # a tenth of a step, and nothing reads it
    )
    # On a GPU it would cost time, ask for an environment variable, and still not be the same.
    torch.use_deterministic_algorithms(not torch.cuda.is_available(), warn_only=True)
    try:
        yield
    finally:
        _deterministic_settings.fill_uninitialized_memory = filled
        torch.use_deterministic_algorithms(before, warn_only=warned)


@contextmanager
def _quiet() -> Iterator[None]:
    level = _logging.get_verbosity()
    _logging.set_verbosity_error()
    try:
        with without_progress_bars():
            yield
    finally:
        _logging.set_verbosity(level)
