"""How far a run is, on stderr."""

from __future__ import annotations

from rich.console import Console, Group
from rich.live import Live
from rich.progress import BarColumn, MofNCompleteColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.progress import Progress as Bars

from benchmarks.compare import planned_cells, planned_trainings
from benchmarks.serving import Serving
from benchmarks.suite import Suite


class Progress:
    """Progress bars on stderr, and under them how the models are doing, or what is done last."""

    def __init__(self, suite: Suite) -> None:
        self._bars = Bars(
            "{task.description}",
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
        )
        self._below = ""
        self._console = Console(stderr=True)
        self._live = Live(
            get_renderable=lambda: Group(self._bars, self._below) if self._below else self._bars,
            console=self._console,
        )
        trained = sum(each.arena.training_agent_steps for each in planned_trainings(suite))
        played = sum(cell.num_episodes for cell in planned_cells(suite))
        self._left = {"episodes": played, "agent_steps": trained}
        self._tasks = {"episodes": self._bars.add_task("episodes", total=played)}
        if trained:
            self._tasks["agent_steps"] = self._bars.add_task("training steps", total=trained)

    def __enter__(self) -> Progress:
        self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._live.stop()
        if not self._console.is_interactive:
            self._console.print()  # else what is said next would stand on the same line

    def report(self, kind: str, amount: int) -> None:
        """Take note of so many more episodes or training steps."""
        amount = min(amount, self._left[kind])  # training ends with a whole rollout
        self._left[kind] -= amount
        self._bars.advance(self._tasks[kind], amount)

    def show(self, serving: Serving) -> None:
        """Say how the models are doing."""
        self._below = (
            f"models: {serving.in_flight} of {serving.limit} requests in flight, "
            f"{serving.requests} answered, {serving.tokens_per_s:.0f} tokens/s, "
            f"{serving.cached_share:.0%} of prompts cached, "
            f"{serving.malformed_share:.1%} of answers malformed"
        )

    def note(self, words: str) -> None:
        """Say what is done now that takes a while and has no bar."""
        self._below = words
