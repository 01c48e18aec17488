"""Work on a Ray cluster (extra `[ray]`): one that is there, or one of this machine for a while.

Workers tell what they do as they go, and this process alone keeps it. Ray itself tries nothing
again: when a worker dies, this process knows which episodes it has, and sends out the rest.
"""

from __future__ import annotations

import io
import logging
import os
import socket
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures.process import BrokenProcessPool
from contextlib import ExitStack, contextmanager, redirect_stdout
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from agents.llm import ChatClient
from benchmarks.executors.asking import AskModels
from benchmarks.executors.pieces import Message, Piece, do_piece
from benchmarks.executors.plans import LearnAndPlay, Plan
from benchmarks.model_cells import Served, Status
from benchmarks.model_config import ModelsConfig
from benchmarks.work import Keep, Report, Task
from cleanup_icn import ConfigError

if TYPE_CHECKING:
    from benchmarks.executors.shipping import Files

PACKAGES = ("agents", "benchmarks", "cleanup_icn", "negotiation_games")
"""What is sent to a cluster that was there before: its workers run the driver's version."""

_MOST_LOSSES = 3
_OBJECT_STORE_BYTES = 256 * 2**20  # of our own: results are read as they come
_CONNECT_TIMEOUT_S = 10.0
_TOKEN_HINT = "where the cluster asks for a token, set RAY_AUTH_MODE=token"
_CLIENT_SCHEME = "ray://"


class RayCluster:
    """Does the work in tasks of a Ray cluster; this process alone keeps what they tell.

    No disk is shared: checkpoints go to workers and come back over the wire. A worker that dies is
    replaced, and of its work only what it had not told is done again; a piece of work over which
    four workers die one after the other ends the run. Each task has one processor, and PyTorch and
    BLAS no more threads than that.

    As a context manager it stays connected from one call to the next; otherwise each call connects
    and leaves again. A cluster that it started ends with it, one that it joined goes on. Where this
    process is connected to Ray already, that is used, and left as it is.

    Args:
        num_workers: the most tasks at a time; None: as many as the cluster has processors.
        address: of a cluster to join, ``HOST:PORT`` or ``auto``; None starts one on this machine.

    Raises:
        ConfigError: Ray is not installed, or `address` is none that a driver can join.
    """

    def __init__(self, num_workers: int | None = None, address: str | None = None) -> None:
        if address is not None and address.startswith(_CLIENT_SCHEME):
            allowed = "HOST:PORT of the head, or auto, on a machine that has joined the cluster"
            raise ConfigError("--ray-address", address, allowed)
        self._num_workers, self._address = num_workers, address
        self._opened: list[ExitStack] = []

    def __enter__(self) -> Self:
        """Connect, unless this process is connected.

        Raises:
            ConfigError: there is no such cluster.
        """
        import ray

        with ExitStack() as stack:
            stack.enter_context(_without_chatter())
            if not ray.is_initialized():
                self._connect()
                stack.callback(_shut_down)
            self._opened.append(stack.pop_all())
        return self

    def __exit__(self, *raised: object) -> None:
        """Leave the cluster, or end it."""
        del raised
        self._opened.pop().close()

    def perform(self, tasks: Sequence[Task], *, folder: Path, report: Report, keep: Keep) -> None:
        """Perform the tasks; see `benchmarks.work.Executor`.

        Raises:
            BrokenProcessPool: workers died over the same piece of work again and again.
        """
        if not tasks:
            return
        with self:
            num_workers = self._most_at_a_time()
            plan = LearnAndPlay(
                tasks, run=folder, report=report, keep=keep, num_workers=num_workers
            )
            _Errand(plan, num_workers).run()

    def perform_models(
        self,
        tasks: Sequence[Task],
        *,
        models: ModelsConfig,
        keep: Keep,
        on_status: Status,
        clients: Mapping[str, ChatClient] | None = None,
    ) -> Served:
        """Ask models from several workers; see `benchmarks.work.Executor`.

        What a run may cost and how much it asks at a time is divided among them, so that the whole
        is what `models` says. When one of them must stop, all do.

        Raises:
            BrokenProcessPool: workers died over the same piece of work again and again.
        """
        with self:
            num_workers = self._most_at_a_time()
            plan = AskModels(
                tasks,
                models=models,
                keep=keep,
                on_status=on_status,
                clients=clients,
                num_workers=num_workers,
            )
            _Errand(plan, num_workers).run()
            return plan.served()

    def _most_at_a_time(self) -> int:
        import ray

        if self._num_workers is not None:
            return self._num_workers
        resources: Any = ray.cluster_resources()  # type: ignore[no-untyped-call]
        return max(1, int(resources.get("CPU", 1)))

    def _connect(self) -> None:
        import ray

        quietly: dict[str, Any] = {"log_to_driver": False, "logging_level": logging.ERROR}
        if self._address is None:
            os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # it would tell the internet
            ray.init(
                "local",
                num_cpus=self._num_workers,
                object_store_memory=_OBJECT_STORE_BYTES,
                include_dashboard=False,
                **quietly,
            )
            return
        packages = [str(Path(str(import_module(name).__file__)).parent) for name in PACKAGES]
        shipped = {"py_modules": packages, "excludes": ["__pycache__"]}
        try:
            _require_listener(self._address)
            ray.init(self._address, runtime_env=shipped, **quietly)
        except (OSError, RuntimeError, ValueError) as error:
            why = str(error).strip().partition("\n")[0]
            allowed = f"a Ray cluster that this machine has joined ({why}); {_TOKEN_HINT}"
            raise ConfigError("--ray-address", self._address, allowed) from error


def _shut_down() -> None:
    import ray

    with redirect_stdout(io.StringIO()):  # it prints what it had put off, in this thread
        ray.shutdown()


def _require_listener(address: str) -> None:
    """Raise `OSError` where nobody listens: Ray itself would try for minutes."""
    host, _, port = address.rpartition(":")
    if port.isdigit():
        socket.create_connection((host, int(port)), timeout=_CONNECT_TIMEOUT_S).close()


class _Errand:
    """One plan on its way through a cluster."""

    def __init__(self, plan: Plan, num_workers: int) -> None:
        import ray

        self._plan, self._num_workers = plan, num_workers
        self._do = ray.remote(num_returns="streaming", max_retries=0)(_do_piece)
        self._running: dict[Any, Piece] = {}
        self._sent: dict[int, tuple[Files, Any]] = {}  # by identity, which is kept alive

    def run(self) -> None:
        """Carry the plan out; whatever is still going on at the end, or an error, is cancelled."""
        import ray

        try:
            while self._begin_more():
                told, _ = ray.wait(list(self._running), num_returns=1)
                self._hear(told[0])
        finally:
            for doing in self._running:
                ray.cancel(doing, force=True)

    def _begin_more(self) -> bool:
        """Give work to all who have none; returns whether anything is still to be waited for."""
        if self._plan.is_stopped:
            return False
        while len(self._running) < self._num_workers:
            piece = self._plan.next_piece()
            if piece is None:
                break
            do = self._do.options(num_gpus=piece.num_gpus)
            self._running[do.remote(piece.work, *map(self._send, piece.files))] = piece
        return bool(self._running)

    def _send(self, files: Files) -> Any:
        """Put files where all workers can fetch them, once."""
        import ray

        if id(files) not in self._sent:
            self._sent[id(files)] = (files, ray.put(files))
        return self._sent[id(files)][1]

    def _hear(self, doing: Any) -> None:
        """Take what a worker has told; raises what the work raised."""
        import ray
        from ray.exceptions import (
            LocalRayletDiedError,
            NodeDiedError,
            ObjectLostError,
            OutOfMemoryError,
            RayTaskError,
            WorkerCrashedError,
        )

        piece = self._running.pop(doing)
        lost = LocalRayletDiedError, NodeDiedError, ObjectLostError, OutOfMemoryError
        try:
            messages = ray.get(next(doing))
        except StopIteration:
            self._plan.end(piece)
        except RayTaskError as error:
            raise error.cause from error
        except (WorkerCrashedError, *lost) as error:
            self._lose(piece, error)
        else:
            self._running[doing] = piece  # behind all others: each has its turn
            self._take(piece, messages)

    def _take(self, piece: Piece, messages: Sequence[Message]) -> None:
        for message in messages:
            if self._plan.hear(piece, message):
                piece.losses = 0

    def _lose(self, piece: Piece, error: Exception) -> None:
        piece.losses += 1
        if piece.losses > _MOST_LOSSES:
            raise BrokenProcessPool(f"{piece.losses} workers died over one piece") from error
        self._plan.lose(piece)


def _do_piece(work: Any, *files: Files) -> Iterator[list[Message]]:
    yield from do_piece(work, files)


class _WithoutRay:
    """A stream that takes all but what Ray's own threads print: that workers died, say."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        if threading.current_thread().name.startswith("ray_"):
            return len(text)
        written: int = self._stream.write(text)
        return written

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


@contextmanager
def _without_chatter() -> Iterator[None]:
    """Keep stdout for results."""
    quiet: Any = _WithoutRay(sys.stdout)
    with redirect_stdout(quiet):
        yield
