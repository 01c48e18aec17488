"""Processes that work for this one: they tell what they do as they go, and end when it ends."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context, parent_process
from queue import Empty
from typing import Any

_POLL_S = 0.1


class StoppedError(Exception):
    """The run was given up while a process was at work."""


class Workers:
    """Some processes, as `workers` makes them."""

    def __init__(self, executor: ProcessPoolExecutor, messages: Any) -> None:
        self._executor, self._messages = executor, messages

    def submit(self, work: Callable[..., None], *arguments: Any, **named: Any) -> Future[None]:
        """Let a process do some work, which may `tell` of it."""
        with _ctrl_c_waits():
            return self._executor.submit(_do, work, *arguments, **named)

    def heard(self, futures: Sequence[Future[None]]) -> Iterator[Any]:
        """Yield all that is told until all this work is done, or something failed: it is raised.

        Raises:
            BrokenProcessPool: if a process died.
        """
        pending, num_open = set(futures), len(futures)
        while pending or num_open:  # the last words may come after the work is known to be done
            try:
                message = self._messages.get(timeout=_POLL_S)
            except Empty:
                finished = {future for future in pending if future.done()}
                for future in finished:
                    future.result()
                pending -= finished
                continue
            if message is None:
                num_open -= 1
            else:
                yield message


@contextmanager
def workers(num_workers: int) -> Iterator[Workers]:
    """Start processes; on leaving, what is not begun is not begun any more, the rest is stopped."""
    context = get_context("spawn")  # a forked copy of a process with PyTorch's threads may hang
    messages, stop = context.Queue(), context.Event()
    executor = ProcessPoolExecutor(
        num_workers, mp_context=context, initializer=_begin, initargs=(messages, stop)
    )
    try:
        yield Workers(executor, messages)
    finally:
        stop.set()
        executor.shutdown(cancel_futures=True)


@contextmanager
def _ctrl_c_waits() -> Iterator[None]:
    """Let Ctrl-C reach this process afterwards, and a process that is started meanwhile never.

    One that is still starting would die of it with a traceback, before `_begin` can ignore it.
    """
    if sys.platform == "win32":  # which has no masks of signals
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def tell(message: Any) -> None:
    """Tell the process that started this one. Raises `StoppedError` if the run was given up."""
    if _worker["stop"].is_set():
        raise StoppedError
    _worker["messages"].put(message)


_worker: dict[str, Any] = {}
"""A process's queue of messages and its sign to stop, as left by `_begin`."""


def _begin(messages: Any, stop: Any) -> None:
    # Ctrl-C reaches every process of the terminal; the parent alone answers it.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # When a run is given up nobody reads on: no process may wait at its end for a full queue.
    messages.cancel_join_thread()
    threading.Thread(target=_end_with_parent, daemon=True).start()
    _worker.update(messages=messages, stop=stop)


def _end_with_parent() -> None:
    """Leave nothing running when the parent is killed: it would go on for hours, for nobody."""
    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _do(work: Callable[..., None], *arguments: Any, **named: Any) -> None:
    work(*arguments, **named)
    _worker["messages"].put(None)
