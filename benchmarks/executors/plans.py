"""What a cluster is to do next, and what becomes of what its workers tell."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Protocol

from benchmarks.executors.pieces import EPISODE, FILES, PROGRESS, Message, Piece, learn, play
from benchmarks.executors.shipping import Files, lay_out, read_files, read_folder
from benchmarks.work import Keep, Report, Task, Training, trainings_of

_PIECES_A_WORKER = 8


class Plan(Protocol):
    """Work that is done piece by piece, by several workers at a time."""

    @property
    def is_stopped(self) -> bool:
        """Whether nothing that is still going on is wanted any more."""
        ...

    def next_piece(self) -> Piece | None:
        """Return what a worker can begin now; None if there is nothing."""
        ...

    def hear(self, piece: Piece, message: Message) -> bool:
        """Take note of what a worker told; returns whether something was kept of it."""
        ...

    def end(self, piece: Piece) -> None:
        """Take note that a piece is done."""
        ...

    def lose(self, piece: Piece) -> None:
        """Take note that a worker died: what is left of its piece will come again."""
        ...


class LearnAndPlay:
    """Trainings, and the episodes of cells in which no model takes part.

    Trainings come first, since they take longest; what they teach is played as soon as it is there.
    Episodes are in no piece but one, and of a worker that dies those that it told are kept.
    """

    is_stopped = False

    def __init__(
        self, tasks: Sequence[Task], *, run: Path, report: Report, keep: Keep, num_workers: int
    ) -> None:
        self._run, self._report, self._keep = run, report, keep
        self._checkpoints: dict[tuple[Path, ...], Files] = {}
        num_episodes = sum(len(task.episodes) for task in tasks)
        size = max(1, num_episodes // (_PIECES_A_WORKER * num_workers))
        self._size = size
        self._reported: Counter[Training] = Counter()
        wanted = [each for each in trainings_of(tasks) if not each.is_done(run)]
        self._pieces = deque(self._training(each) for each in wanted)
        self._waiting: Sequence[Task] = ()
        self._add(tasks)

    def next_piece(self) -> Piece | None:
        """Return the first piece that can be begun; see `Plan`."""
        return self._pieces.popleft() if self._pieces else None

    def hear(self, piece: Piece, message: Message) -> bool:
        """Keep an episode or a checkpoint, pass progress on; see `Plan`."""
        what, *about = message
        if what == PROGRESS:
            self._pass_on(piece, *about)
            return False
        if what == FILES:
            lay_out(about[0], run=self._run)
            return True
        (kept,) = about
        left = piece.wanted.episodes
        if what != EPISODE or kept.row.episode not in left:
            return False
        self._keep(kept)
        self._report("episodes", 1)
        others = tuple(number for number in left if number != kept.row.episode)
        piece.wanted = replace(piece.wanted, episodes=others)
        return True

    def end(self, piece: Piece) -> None:
        """Let what waited for a training begin; see `Plan`."""
        if isinstance(piece.wanted, Training):
            self._add(self._waiting)

    def lose(self, piece: Piece) -> None:
        """Put the rest of a piece first; see `Plan`."""
        wanted = piece.wanted
        if isinstance(wanted, Training):
            rest = self._training(wanted)
        elif wanted.episodes:
            rest = self._playing(wanted)
        else:
            return
        rest.losses = piece.losses
        self._pieces.appendleft(rest)

    def _pass_on(self, piece: Piece, kind: str, amount: int) -> None:
        """Report progress, but not again what another worker had made before it died."""
        piece.progress += amount
        ahead = piece.progress - self._reported[piece.wanted]
        if ahead > 0:
            self._reported[piece.wanted] += ahead
            self._report(kind, ahead)

    def _add(self, tasks: Iterable[Task]) -> None:
        """Put the pieces of tasks last; those that have to wait for a training wait."""
        waiting = []
        for task in tasks:
            if not all(each.is_done(self._run) for each in task.trainings):
                waiting.append(task)
                continue
            for first in range(0, len(task.episodes), self._size):
                episodes = task.episodes[first : first + self._size]
                self._pieces.append(self._playing(replace(task, episodes=episodes)))
        self._waiting = waiting

    def _training(self, wanted: Training) -> Piece:
        begun = read_folder(wanted.folder(self._run), run=self._run)
        return Piece(work=partial(learn, wanted=wanted), wanted=wanted, files=(begun,))

    def _playing(self, task: Task) -> Piece:
        files = [self._checkpoint(paths) for paths in task.checkpoints(self._run)]
        return Piece(work=partial(play, task=task), wanted=task, files=files)

    def _checkpoint(self, paths: tuple[Path, ...]) -> Files:
        """Return a checkpoint; the same one is read, and sent, once."""
        if paths not in self._checkpoints:
            self._checkpoints[paths] = read_files(paths, run=self._run)
        return self._checkpoints[paths]
