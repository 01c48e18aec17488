"""The `commonweal` command: tables for people, JSON for programs, progress on stderr.

Exit codes: 0 done, 1 failed or interrupted, 2 wrong usage, with what is allowed in one line.
What a command needs is imported when it runs, so that help is there at once.
"""

from __future__ import annotations

import json
import sys
from concurrent.futures.process import BrokenProcessPool
from dataclasses import replace
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console, RenderableType
from rich.table import Table

if TYPE_CHECKING:
    from benchmarks.pool import Report
    from benchmarks.suites import Suite

DONE, FAILED, WRONG_USAGE = 0, 1, 2
_TYPER_INTERRUPTED = 130
_NUM_WORKERS = 2
_PIPED_COLUMNS = 140
"""Width of tables where no terminal says how wide it is."""

# typer carries a click of its own: this is the class of its usage errors, whichever click it is.
_UsageError: Any = typer.BadParameter.__base__

app = typer.Typer(
    name="commonweal",
    help="Games that agents share, contracts between them, and comparisons of who plays how well.",
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
solve = typer.Typer(help="Exact answers about a game.")
app.add_typer(solve, name="solve")

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, and nothing else, on stdout.")]


def main() -> None:
    """Run the command line and exit."""
    sys.exit(run(sys.argv[1:]))


def run(arguments: list[str]) -> int:
    """Run one command; returns its exit code."""
    from cleanup_icn import ConfigError

    code: Any
    try:
        code = app(args=arguments, prog_name="commonweal", standalone_mode=False)
    except (_UsageError, ConfigError) as error:
        message = _usage_message(error) if isinstance(error, _UsageError) else str(error)
        _say("commonweal: " + " ".join(message.split()))
        return WRONG_USAGE
    except BrokenProcessPool:
        _say("commonweal: a process of the run died, perhaps for want of memory")
        return FAILED
    except (KeyboardInterrupt, typer.Abort):
        code = _TYPER_INTERRUPTED
    if code == _TYPER_INTERRUPTED:
        _say("commonweal: interrupted")
        return FAILED
    return code if isinstance(code, int) else DONE


def _usage_message(error: Any) -> str:
    """Say what is wrong with the words of a command line, and which words there are."""
    message = str(error.format_message()).rstrip(".")
    if isinstance(error, typer.BadParameter) or error.ctx is None:
        return message
    command = error.ctx.command
    known = list(getattr(command, "commands", {}))
    known = known or [option for param in command.params for option in param.opts]
    return f"{message}: expected one of {', '.join(known)}, --help"


def _print_version(wanted: bool) -> None:
    if not wanted:
        return
    try:
        version = metadata.version("commonweal")
    except metadata.PackageNotFoundError:
        version = "(not installed)"
    typer.echo(f"commonweal {version}")
    raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Print the version."
        ),
    ] = False,
) -> None:
    del version  # answered by its callback


@app.command()
def presets(as_json: AsJson = False) -> None:
    """List the named settings of Cleanup."""
    from cleanup_icn import PRESETS

    rows = [{"name": name, "values": dict(values)} for name, values in PRESETS.items()]
    table = Table("preset", "replaces in the defaults")
    for name, values in PRESETS.items():
        table.add_row(name, ", ".join(f"{k}={json.dumps(v)}" for k, v in values.items()) or "-")
    _answer(rows, table, as_json=as_json)


@app.command()
def suites(as_json: AsJson = False) -> None:
    """List the built-in comparisons."""
    from benchmarks.suites import SUITES

    table = Table("suite", "what it compares", "policies", "contracts", "episodes a cell")
    for suite in SUITES.values():
        contracts = ", ".join(condition.name for condition in suite.conditions)
        policies = ", ".join(suite.policies)
        table.add_row(suite.name, suite.description, policies, contracts, str(suite.num_episodes))
    _answer([suite.to_dict() for suite in SUITES.values()], table, as_json=as_json)


@solve.callback()
def _solve() -> None:
    pass  # keeps `cleanup` a word of the command line while it is the only one


@solve.command("cleanup")
def solve_cleanup(
    preset: Annotated[str | None, typer.Option(help="Named settings, see `presets`.")] = None,
    values: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="NAME=VALUE", help="Replace one setting; JSON or a word."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Solve Cleanup exactly: the best welfare, and that of two rules of thumb."""
    import time

    from cleanup_icn import CleanupConfig
    from cleanup_icn.solve import all_harvest_welfare, one_cleaner_welfare, social_optimum

    config = CleanupConfig.create(preset=preset, **_settings(values or []))
    start_s = time.perf_counter()
    answer = {
        "social_optimum": _whole(social_optimum(config).welfare),
        "all_harvest": _whole(all_harvest_welfare(config)),
        "one_cleaner": _whole(one_cleaner_welfare(config)),
    }
    seconds = round(time.perf_counter() - start_s, 3)
    table = Table("play", "welfare")
    for play, welfare in answer.items():
        table.add_row(play.replace("_", " "), str(welfare))
    _answer({**answer, "seconds": seconds}, table, as_json=as_json)


@app.command()
def compare(
    suite: Annotated[str, typer.Argument(help="Name of a suite, see `suites`.")] = "cleanup-smoke",
    out: Annotated[
        Path | None, typer.Option(help="Folder of the run.", show_default="runs/SUITE")
    ] = None,
    episodes: Annotated[int | None, typer.Option(min=1, help="Episodes a cell.")] = None,
    seed: Annotated[int | None, typer.Option(min=0, help="Seed of the run.")] = None,
    as_json: AsJson = False,
) -> None:
    """Play policies under contracts; write records, a table and a figure."""
    from benchmarks import compare as comparison
    from benchmarks.store import FIGURES, RunFolder
    from benchmarks.suites import suite_named
    from benchmarks.table import render_tables
    from benchmarks.training import INSTALL_HINT

    chosen = suite_named(suite)
    wanted = replace(
        chosen,
        num_episodes=chosen.num_episodes if episodes is None else episodes,
        seed=chosen.seed if seed is None else seed,
    )
    folder = RunFolder(out or Path("runs") / suite)
    playable = comparison.without_missing_extras(wanted)
    left_out = [policy for policy in wanted.policies if policy not in playable.policies]
    if left_out:
        _say(f"commonweal: {', '.join(left_out)} is left out; to train it: {INSTALL_HINT}")
    with _Progress(playable) as report:
        rows = comparison.compare(
            playable, folder=folder, num_workers=_NUM_WORKERS, report=report, command=sys.argv[1:]
        )
    title = f"{playable.name}: {playable.scenario.name}"
    tables = render_tables(rows, title=title, width=_console().width)
    _answer([row.to_dict() for row in rows], tables, as_json=as_json)
    _say(f"records: {folder.path}  figure: {folder.path / FIGURES[0]} and .png")


class _Progress:
    """Progress bars on stderr."""

    def __init__(self, suite: Suite) -> None:
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeElapsedColumn

        from benchmarks.policies import LEARNED

        self._progress = Progress(
            "{task.description}",
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            console=Console(stderr=True),
        )
        num_learned = sum(policy in LEARNED for policy in suite.policies)
        trained = num_learned * len(suite.conditions) * suite.training_agent_steps
        played = len(suite.policies) * len(suite.conditions) * suite.num_episodes
        self._left = {"episodes": played, "agent_steps": trained}
        self._tasks = {"episodes": self._progress.add_task("episodes", total=played)}
        if trained:
            self._tasks["agent_steps"] = self._progress.add_task("training steps", total=trained)

    def __enter__(self) -> Report:
        self._progress.start()
        return self._report

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def _report(self, kind: str, amount: int) -> None:
        amount = min(amount, self._left[kind])  # training ends with a whole rollout
        self._left[kind] -= amount
        self._progress.advance(self._tasks[kind], amount)


def _settings(given: list[str]) -> dict[str, Any]:
    """Read ``NAME=VALUE`` pairs; a value that is not JSON is a word."""
    settings: dict[str, Any] = {}
    for setting in given:
        name, equals, value = setting.partition("=")
        if not equals or not name:
            raise typer.BadParameter(f"{setting!r}: expected NAME=VALUE", param_hint="--set")
        if name == "preset":
            raise typer.BadParameter("expected --preset NAME", param_hint="--set preset")
        try:
            settings[name] = json.loads(value)
        except json.JSONDecodeError:
            settings[name] = value
    return settings


def _whole(number: float) -> int | float:
    """Return a number as an integer where it is one, within rounding."""
    rounded = round(number, 9)
    return int(rounded) if rounded == int(rounded) else rounded


def _answer(answer: Any, table: RenderableType, *, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps(answer))
        return
    _console().print(table)


def _console() -> Console:
    console = Console()
    return console if console.is_terminal else Console(width=_PIPED_COLUMNS)


def _say(line: str) -> None:
    typer.echo(line, err=True)


if __name__ == "__main__":
    main()
