"""The `commonweal` command: tables for people, JSON for programs, progress on stderr.

Exit codes: 0 done, 1 failed or interrupted, 2 wrong usage, with what is allowed in one line.
What a command needs is imported when it runs, so that help is there at once.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from concurrent.futures.process import BrokenProcessPool
from importlib import metadata
from typing import Annotated, Any

import typer
from rich.table import Table

from benchmarks import (
    bench_command,
    compare_command,
    contract_design_command,
    export_command,
    negotiation_commands,
    play_command,
    replay_command,
    serving_commands,
    solve_commands,
    suite_commands,
    watch_command,
)
from benchmarks.exploitability import command as exploitability_command
from benchmarks.learning import commands as learning_commands
from benchmarks.report import command as report_command
from benchmarks.report import transcript_command
from benchmarks.study import command as study_command
from benchmarks.teaching import (
    dataset_command,
    evaluate_command,
    lessons_command,
    reading_command,
    reinforce_command,
    results_command,
    train_command,
)
from benchmarks.terminal import DONE, FAILED, WRONG_USAGE, AsJson, answer, say

_TYPER_INTERRUPTED = 130
_NUM_WORKERS = 2

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
app.add_typer(bench_command.bench, name="bench")
app.add_typer(study_command.study, name="study")


def main() -> None:
    """Run the command line and exit."""
    sys.exit(run(sys.argv[1:]))


def run(arguments: list[str]) -> int:
    """Run one command; returns its exit code."""
    from agents.llm import ChatError
    from benchmarks.database import StoreError
    from cleanup_icn import ConfigError
    from negotiation_games import GameError

    code: Any
    try:
        code = app(args=arguments, prog_name="commonweal", standalone_mode=False)
    except (_UsageError, ConfigError, GameError) as error:
        if isinstance(error, _UsageError):
            say("commonweal: " + " ".join(_usage_message(error).split()))
        else:
            for line in str(error).splitlines():  # one for each thing that is wrong
                say(f"commonweal: {line}")
        return WRONG_USAGE
    except (ChatError, StoreError) as error:
        say(f"commonweal: {error}")
        return FAILED
    except OSError as error:  # no room, no permission: nothing that a traceback would explain
        say(f"commonweal: {error.filename or 'a file'}: {error.strerror or error}")
        return FAILED
    except BrokenProcessPool:
        say("commonweal: a process of the run died, perhaps for want of memory")
        return FAILED
    except (KeyboardInterrupt, typer.Abort):
        code = _TYPER_INTERRUPTED
    if code == _TYPER_INTERRUPTED:
        say("commonweal: interrupted")
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
    answer(rows, table, as_json=as_json)


_COMMANDS: tuple[Callable[..., Any], ...] = (
    suite_commands.suites,
    compare_command.compare,
    watch_command.watch,
    report_command.report,
    transcript_command.transcript,
    export_command.export,
    replay_command.replay,
    play_command.play,
    *negotiation_commands.COMMANDS,
    *serving_commands.COMMANDS,
    *learning_commands.COMMANDS,
    lessons_command.lessons,
    dataset_command.dataset,
    train_command.train_lm,
    reinforce_command.reinforce_lm,
    evaluate_command.evaluate_lm,
    reading_command.reading_table,
    results_command.taught_page,
    exploitability_command.exploitability,
)
for _command in _COMMANDS:
    app.command()(_command)
solve.command("cleanup")(solve_commands.solve_cleanup)
solve.command("equilibrium")(solve_commands.solve_equilibrium)
solve.command("contracts")(contract_design_command.solve_contracts)
solve.command("negotiation")(negotiation_commands.solve_negotiation)


if __name__ == "__main__":
    main()
