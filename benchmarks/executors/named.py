"""Executors by what they are called on the command line."""

from __future__ import annotations

from importlib.util import find_spec

from benchmarks.executors.local import local_executor
from benchmarks.work import Executor
from cleanup_icn import ConfigError

KINDS = ("processes", "ray")

INSTALL_HINT = 'pip install "commonweal[ray]"'

_NUM_PROCESSES = 2


def executor_named(
    kind: str, num_workers: int | None = None, address: str | None = None
) -> Executor:
    """Return what does the work of a run.

    Args:
        kind: one of `KINDS`.
        num_workers: of processes, 0 for this one alone, by default two; or the most tasks that a
            Ray cluster has at a time, by default as many as it has processors.
        address: of a Ray cluster to join; without one, one of this machine is started.

    Raises:
        ConfigError: there is no such executor, it cannot have so many workers or such an address,
            or what it needs is not installed.
    """
    if kind not in KINDS:
        raise ConfigError("--executor", kind, f"one of {', '.join(KINDS)}")
    least = 1 if kind == "ray" else 0
    if num_workers is not None and num_workers < least:
        raise ConfigError("--workers", num_workers, f"an integer of at least {least}")
    if kind == "processes":
        if address is not None:
            raise ConfigError("--ray-address", address, "nothing, but with --executor ray")
        return local_executor(_NUM_PROCESSES if num_workers is None else num_workers)
    if find_spec("ray") is None:
        raise ConfigError("--executor", kind, f"an executor that is installed ({INSTALL_HINT})")
    from benchmarks.executors.ray_cluster import RayCluster

    return RayCluster(num_workers, address)
