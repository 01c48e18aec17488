"""`commonweal train` and `commonweal evaluate-policy`: learn from a file, and check what came."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console, Group
from rich.table import Table

from benchmarks.learning.cross_play_command import cross_play
from benchmarks.terminal import DONE, FAILED, AsJson, answer, say

if TYPE_CHECKING:
    from benchmarks.learning.experiment import Experiment
    from benchmarks.learning.folder import TrainingFolder

_Game = Annotated[
    str | None,
    typer.Argument(
        metavar="GAME", help="cleanup, negotiation, contracts or partners.", show_default=False
    ),
]
_Config = Annotated[
    str | None, typer.Option(help="TOML file, or the name of a bundled one, see --list.")
]
_Out = Annotated[
    Path | None, typer.Option(help="Folder of the training.", show_default="runs/CONFIG")
]
_Seeds = Annotated[int, typer.Option(min=1, help="Training seeds: 0 to N - 1.", metavar="N")]
_Workers = Annotated[
    int | None,
    typer.Option(min=0, help="Seeds at a time; 0: in this process.", show_default="cores"),
]
_List = Annotated[bool, typer.Option("--list", help="List the bundled configurations.")]


def train(
    game: _Game = None,
    config: _Config = None,
    out: _Out = None,
    seeds: _Seeds = 5,
    workers: _Workers = None,
    list_them: _List = False,
    as_json: AsJson = False,
) -> None:
    """Train policies as a file says, one a training seed, and test each of them.

    A training that was stopped goes on when the same command is given again.
    """
    from benchmarks.learning.config_file import GAMES, bundled_names, load_experiment

    if game is not None and game not in GAMES:
        raise typer.BadParameter(f"{game!r}: expected one of {', '.join(GAMES)}", param_hint="GAME")
    if list_them:
        _list(bundled_names(game), as_json=as_json)
        return
    if game is None:
        raise typer.BadParameter(f"expected one of {', '.join(GAMES)}", param_hint="GAME")
    if config is None:
        allowed = ", ".join(bundled_names(game))
        raise typer.BadParameter(f"expected a TOML file or one of {allowed}", param_hint="--config")
    _require_packages()
    experiment, written = load_experiment(config, game=game)
    folder = _begin(experiment, written, out or Path("runs") / experiment.name)
    _train(experiment, folder, range(seeds), num_workers=workers)
    _say_all(experiment, folder, range(seeds), as_json=as_json)


def evaluate_policy(
    folder: Annotated[Path, typer.Argument(help="Folder that `train` wrote.")],
    as_json: AsJson = False,
) -> int:
    """Play the test of every training seed again from its checkpoint; it must come out the same.

    Exit code 1 and what differs if it does not.
    """
    from benchmarks.learning.reproduction import reproduce

    _require_packages()
    compared = reproduce(folder, on_seed=lambda seed: say(f"training seed {seed}: playing"))
    table = Table("training seed", "n", "score", "recorded", "")
    for each in compared:
        same = "the same" if not each.differences else f"{len(each.differences)} numbers differ"
        table.add_row(
            str(each.seed), str(each.n), f"{each.score!r}", f"{each.recorded_score!r}", same
        )
    answer([each.to_dict() for each in compared], table, as_json=as_json)
    for each in compared:
        for line in each.differences[:_DIFFERENCES_SHOWN]:
            say(f"commonweal: training seed {each.seed}: {line}")
    return FAILED if any(each.differences for each in compared) else DONE


COMMANDS = (train, evaluate_policy, cross_play)
"""What the command line offers at its top."""

_DIFFERENCES_SHOWN = 5


def _require_packages() -> None:
    from benchmarks.training import INSTALL_HINT, is_available

    if not is_available():
        say(f"commonweal: learned policies need more packages: {INSTALL_HINT}")
        raise typer.Exit(FAILED)


def _list(names: Sequence[str], *, as_json: bool) -> None:
    table = Table("configuration")
    for name in names:
        table.add_row(name)
    answer(list(names), table, as_json=as_json)


def _begin(experiment: Experiment, written: dict[str, Any], out: Path) -> TrainingFolder:
    from benchmarks.learning.folder import TrainingFolder

    return TrainingFolder(out, experiment.to_dict(), name=experiment.name, written=written)


def _train(
    experiment: Experiment, folder: TrainingFolder, seeds: Sequence[int], *, num_workers: int | None
) -> None:
    import os

    from benchmarks.learning.runs import train_seeds

    num_workers = (os.cpu_count() or 1) if num_workers is None else num_workers
    with _Progress(experiment, folder, seeds) as progress:
        train_seeds(
            experiment,
            folder,
            seeds,
            num_workers=min(num_workers, len(seeds)),
            report=progress.report,
        )


def _say_all(
    experiment: Experiment, folder: TrainingFolder, seeds: Sequence[int], *, as_json: bool
) -> None:
    """Write the table and the curves, and print the rows."""
    from benchmarks.learning.curves import Curve, save_curves
    from benchmarks.learning.folder import CURVES, TABLE, rows_of, write_json
    from benchmarks.learning.rows import render_rows

    rows = rows_of(folder, seeds)
    write_json(folder.path / TABLE, rows)
    paths = [folder.path / name for name in CURVES]
    save_curves(
        [Curve.of(folder.progress(seed)) for seed in seeds],
        experiment.references,
        paths,
        name=experiment.name,
        score=experiment.measures[0].heading,
    )
    found = [result for seed in seeds if (result := folder.result(seed)) is not None]
    details = experiment.details([result["episodes"] for result in found])
    summary = render_rows(rows, experiment.measures, title=experiment.name)
    answer(rows, Group(summary, *details), as_json=as_json)
    say(f"checkpoints: {folder.path}  curves: {paths[0]} and .png")


class _Progress:
    """A bar a training seed, on stderr."""

    def __init__(
        self, experiment: Experiment, folder: TrainingFolder, seeds: Sequence[int]
    ) -> None:
        from rich.progress import BarColumn, Progress, TimeElapsedColumn, TimeRemainingColumn

        self._console = Console(stderr=True)
        self._bars = Progress(
            "{task.description}",
            BarColumn(),
            "{task.fields[made]}",
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            console=self._console,
        )
        total = experiment.total_agent_steps
        self._tasks = {}
        for seed in seeds:
            is_finished = folder.result(seed) is not None
            self._tasks[seed] = self._bars.add_task(
                f"training seed {seed}",
                total=total,
                completed=total if is_finished else 0,
                start=False,
                made="finished before" if is_finished else "waiting",
            )

    def __enter__(self) -> _Progress:
        self._bars.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bars.stop()
        if not self._console.is_interactive:
            self._console.print()  # else what is said next would stand on the same line

    def report(self, seed: int, agent_steps: int) -> None:
        """Take note of how many agent-steps a training seed has made."""
        task = self._tasks[seed]
        self._bars.start_task(task)
        self._bars.update(task, completed=agent_steps, made=f"{agent_steps:,} agent-steps")
