"""A run's work in pieces: what a worker does in one go, told to the driver while it is done.

A worker has a temporary folder with the layout of a run's folder. It writes nothing that lasts:
episodes, checkpoints and progress are told, and the driver keeps them.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from queue import Empty, SimpleQueue
from tempfile import TemporaryDirectory
from typing import Any

from agents.llm import ChatClient
from benchmarks.executors.shipping import Files, lay_out, read_folder
from benchmarks.model_cells import play_model_cells
from benchmarks.model_config import ModelsConfig
from benchmarks.work import Task, Training, play_task, train

EPISODE, PROGRESS, FILES, STATUS, SERVED = "episode", "progress", "files", "status", "served"

Message = tuple[Any, ...]
"""One of the words above, and what it is about."""

Tell = Callable[[Message], None]

Work = Callable[[Path, Tell], None]
"""Is done in a folder and tells of it; can be sent to another process."""


@dataclass(eq=False, kw_only=True)
class Piece:
    """What a worker does in one go."""

    work: Work
    wanted: Any  # what it was made for, as its plan knows it
    files: Sequence[Files] = ()  # that it finds in its folder
    num_gpus: int = 0
    losses: int = 0  # workers that died over it in a row, leaving nothing that lasts
    progress: int = 0  # that was told of it


def do_piece(work: Work, files: Sequence[Files]) -> Iterator[list[Message]]:
    """Do a piece of work in a temporary folder; yields what it tells, at once and in order.

    Raises:
        Exception: whatever the work raises, after all that it told.
    """
    with TemporaryDirectory(prefix="commonweal-") as folder:
        for each in files:
            lay_out(each, run=Path(folder))
        yield from _told(lambda tell: work(Path(folder), tell))


def _told(work: Callable[[Tell], None]) -> Iterator[list[Message]]:
    """Do some work in a thread of its own and yield what it tells; then raise what it raised."""
    messages: SimpleQueue[Message | None] = SimpleQueue()
    raised: list[BaseException] = []

    def do() -> None:
        try:
            work(messages.put)
        except BaseException as error:  # noqa: BLE001  # raised again below, where it is heard
            raised.append(error)
        finally:
            messages.put(None)

    threading.Thread(target=do, daemon=True, name="work").start()
    is_over = False
    while not is_over:
        batch = [messages.get(), *_waiting(messages)]
        is_over = batch[-1] is None
        if told := [message for message in batch if message is not None]:
            yield told
    if raised:
        raise raised[0]


def _waiting(messages: SimpleQueue[Message | None]) -> Iterator[Message | None]:
    while True:
        try:
            yield messages.get_nowait()
        except Empty:
            return


def learn(run: Path, tell: Tell, *, wanted: Training) -> None:
    """Learn a policy; its folder is told whenever a part of the training is kept in it."""
    folder = wanted.folder(run)
    latest = folder / "last.zip"
    kept_at: int | None = None

    def report(kind: str, amount: int) -> None:
        nonlocal kept_at
        tell((PROGRESS, kind, amount))
        changed_at = latest.stat().st_mtime_ns if latest.exists() else None
        if changed_at != kept_at:
            kept_at = changed_at
            tell((FILES, read_folder(folder, run=run)))

    train(wanted, folder=run, report=report)
    tell((FILES, read_folder(folder, run=run)))


def play(run: Path, tell: Tell, *, task: Task) -> None:
    """Play episodes and tell each when it is over."""
    for kept in play_task(task, folder=run):
        tell((EPISODE, kept))


def ask_models(
    run: Path,
    tell: Tell,
    *,
    tasks: Sequence[Task],
    models: ModelsConfig,
    clients: Mapping[str, ChatClient] | None,
) -> None:
    """Play episodes that models take part in; tell each when it is over, and how models do."""
    del run
    served = play_model_cells(
        tasks,
        models=models,
        keep=lambda kept: tell((EPISODE, kept)),
        on_status=lambda serving: tell((STATUS, serving)),
        clients=clients,
    )
    tell((SERVED, served))
