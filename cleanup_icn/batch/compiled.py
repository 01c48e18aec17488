"""Compilation of scalar rules over lanes; the only place that knows numba, and does without it.

A kernel is a plain function that loops over lanes and calls scalar functions of the rule book: the
very functions that a single environment calls. `compiled` hands a kernel and all that it calls to
numba (extra ``[ppo]``) and keeps the machine code in numba's cache on disk, if there is room for
one that can be written to. Without numba the same lines run interpreted: same results, a hundred
times slower.
"""

from __future__ import annotations

import hashlib
import inspect
import sys
import warnings
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from pathlib import Path
from types import FunctionType
from typing import Any, TypeVar

import numpy as np

try:
    import numba
    from numba.extending import register_jitable

    IS_COMPILED = not vars(numba.config)["DISABLE_JIT"]
    _WHY_NOT = "numba is switched off (NUMBA_DISABLE_JIT)"
except ModuleNotFoundError:
    IS_COMPILED = False
    _WHY_NOT = 'numba is not installed (pip install "commonweal[ppo]")'
except ImportError as error:  # as where it does not go with the numpy installed
    IS_COMPILED = False
    _WHY_NOT = f"numba cannot be imported ({error})"
"""Whether kernels are compiled here, or interpreted for want of numba."""

_Function = TypeVar("_Function", bound=Callable[..., Any])

word: Callable[[Any], Any] = np.uint64 if IS_COMPILED else int
"""A number as the 64-bit word that `cleanup_icn.noise` reckons with, in a kernel."""


def compiled(kernel: _Function) -> _Function:
    """Compile a kernel, when it is first called, with all functions of ours that it calls.

    What a kernel calls it must name directly (``from ... import step``, not ``rules.step``), and
    what stands in the kernel's own file must stand above it.
    """
    if not IS_COMPILED:
        return kernel
    called = dict.fromkeys(_called_by(kernel))
    for function in called:
        _make_callable(function)
    # Kernels divide by nothing that can be 0, so the check is left out ("numpy").
    # numba's cache looks at the kernel's own file alone. The name carries the files it calls and
    # the constants it uses, so that a changed rule book is never answered from the cache.
    kernel.__qualname__ += f"-{_digest(kernel, called)}"
    machine_code: Any
    try:
        machine_code = numba.njit(cache=True, error_model="numpy")(kernel)
    except RuntimeError:  # nowhere to keep it: neither the package nor a home can be written to
        machine_code = numba.njit(error_model="numpy")(kernel)
    return machine_code  # type: ignore[no-any-return]  # it is called as the kernel is


@cache
def warn_if_interpreted() -> None:
    """Say once a process that batches run interpreted, if they do."""
    if not IS_COMPILED:
        warnings.warn(
            f"batches run interpreted, about a hundred times slower: {_WHY_NOT}",
            RuntimeWarning,
            stacklevel=4,  # who makes a batch, whose class makes `LaneWorlds`
        )


@cache
def _make_callable(function: FunctionType) -> None:
    register_jitable(function)


def _called_by(function: Any) -> Iterator[Any]:
    """Iterate over the plain functions of ours that a function names, and those they name."""
    for name in function.__code__.co_names:
        named = function.__globals__.get(name)
        if isinstance(named, FunctionType) and _is_ours(named):
            yield named
            yield from _called_by(named)
        elif hasattr(named, "py_func"):  # a kernel that calls a kernel
            yield from _called_by(named.py_func)


def _is_ours(function: FunctionType) -> bool:
    return function.__module__.partition(".")[0] == __name__.partition(".")[0]


def _file_of(function: FunctionType) -> Path:
    return Path(inspect.getfile(sys.modules[function.__module__]))


def _digest(kernel: Any, called: Iterable[FunctionType]) -> str:
    told = hashlib.sha256()
    for file in sorted({_file_of(each) for each in called}):
        told.update(file.read_bytes())
    constants = {constant for each in (kernel, *called) for constant in _constants_of(each)}
    told.update(repr(sorted(constants)).encode())
    return told.hexdigest()[:16]


def _constants_of(function: FunctionType) -> Iterator[tuple[str, str]]:
    """Iterate over what is frozen into machine code: values, and the order of tuples' fields."""
    for name in function.__code__.co_names:
        named: Any = function.__globals__.get(name)
        if isinstance(named, int | float | str | tuple):
            yield name, repr(named)
        elif hasattr(named, "_fields"):
            yield name, repr(named._fields)
