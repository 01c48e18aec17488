"""Commands about negotiation games: what they hold, how hard they are, what was played in them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Group
from rich.table import Table

from benchmarks.terminal import FAILED, AsJson, answer, say

if TYPE_CHECKING:
    from negotiation_games import Game
    from negotiation_games.log_files import Session, SessionError
    from negotiation_games.logs import LogReport
    from negotiation_games.solve import Solution

Source = Annotated[
    str, typer.Argument(metavar="GAME", help="A bundled game, see `games`, or a game's folder.")
]
Feasible = Annotated[
    int, typer.Option(min=0, help="Deals that all parties but at most one accept, p1 and p2 too.")
]
Unanimous = Annotated[int, typer.Option(min=0, help="Deals that all parties accept.")]


def games(as_json: AsJson = False) -> None:
    """List the bundled negotiation games."""
    from negotiation_games import bundled_games, load_game

    bundled = [load_game(name) for name in bundled_games()]
    rows = [
        {
            "name": game.name,
            "title": game.title,
            "parties": list(game.party_names),
            "issues": len(game.issues),
            "deals": game.num_deals,
        }
        for game in bundled
    ]
    table = Table("game", "about", "parties", "issues", "deals")
    for game in bundled:
        counts = (game.num_parties, len(game.issues), game.num_deals)
        table.add_row(game.name, game.title, *map(str, counts))
    answer(rows, table, as_json=as_json)


def solve_negotiation(
    game: Source,
    pareto: Annotated[
        bool | None,
        typer.Option(help="Find the Pareto front.", show_default="up to 100000 deals"),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Solve a negotiation game exactly: which deals can pass, and which stand out."""
    from negotiation_games import load_game
    from negotiation_games.solve import solve

    solution = solve(load_game(game, evaluation_only=True), pareto=pareto)
    answer(solution.to_dict(), _solution_table(solution), as_json=as_json)


def tune(
    game: Source,
    feasible: Feasible,
    unanimous: Unanimous,
    out: Annotated[
        Path | None, typer.Option(help="Folder to write the game to, thresholds changed.")
    ] = None,
    as_json: AsJson = False,
) -> int:
    """Find thresholds that give a game so many feasible and unanimous deals."""
    from negotiation_games import load_game, write_game
    from negotiation_games.tune import tune as tune_game

    given = load_game(game, evaluation_only=out is None)
    tuning = tune_game(given, feasible=feasible, unanimous=unanimous)
    if not tuning.found:
        searched = "no thresholds give" if tuning.searched_all else "the search ended without"
        say(
            f"commonweal: {searched} {feasible} feasible and {unanimous} unanimous deals; "
            f"nearest seen: {tuning.feasible} and {tuning.unanimous}"
        )
        return FAILED
    if out is not None:
        write_game(tuning.game, out)
    table = Table("party", "threshold", "before")
    for party in given.parties:
        threshold = tuning.thresholds[party.name]
        before = "" if threshold == party.threshold else str(party.threshold)
        table.add_row(party.name, str(threshold), before)
    answer(tuning.to_dict(), table, as_json=as_json)
    return 0


def generate_game(
    feasible: Feasible,
    unanimous: Unanimous,
    out: Annotated[Path, typer.Option(help="Folder to write the game to.")],
    parties: Annotated[int, typer.Option(min=3, help="How many; the first two are p1 and p2.")] = 6,
    options: Annotated[
        str, typer.Option(metavar="N,N,...", help="How many options each issue has.")
    ] = "3,3,4,4,5",
    sparsity: Annotated[
        float | None,
        typer.Option(help="Share of issues that a party does not care about.", show_default="1/6"),
    ] = None,
    conflict: Annotated[
        float | None, typer.Option(help="How opposed: 0 not at all, 0.5 unrelated.")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Of the random numbers.")] = 0,
    as_json: AsJson = False,
) -> None:
    """Sample score sheets with wanted counts, sparsity and conflict; write the game."""
    from negotiation_games import generate as generation
    from negotiation_games import write_game
    from negotiation_games.solve import solve

    game = generation.generate(
        feasible=feasible,
        unanimous=unanimous,
        seed=seed,
        parties=parties,
        options=_counts(options),
        conflict=conflict,
        **({} if sparsity is None else {"sparsity": sparsity}),
        name=out.resolve().name,
    )
    write_game(game, out)
    solution = solve(game, pareto=False)
    made = {
        "name": game.name,
        "deals": solution.deals,
        "feasible": solution.feasible,
        "unanimous": solution.unanimous,
        "sparsity": generation.sparsity(game),
        "conflict": generation.conflict(game),
        "thresholds": {party.name: party.threshold for party in game.parties},
    }
    table = Table("of the game", "is")
    for name, value in made.items():
        if name != "thresholds":
            table.add_row(name, f"{value:.3f}" if isinstance(value, float) else str(value))
    answer(made, table, as_json=as_json)


def evaluate_logs(
    logs: Annotated[Path, typer.Argument(help="A folder, a zip archive, or a run's folder.")],
    game: Annotated[str, typer.Option(help="The game that was played: a name or a folder.")],
    rules: Annotated[
        str, typer.Option(help="commonweal, paper-2024 or paper-2023.")
    ] = "commonweal",
    as_json: AsJson = False,
) -> None:
    """Evaluate recorded sessions: how many succeed, how many proposals are wrong."""
    from benchmarks.database import FILE
    from negotiation_games import load_game
    from negotiation_games.logs import evaluate_logs as evaluate

    played = load_game(game, evaluation_only=True)
    if (logs / FILE).is_file():
        report = _evaluate_run(logs, game=played, rules=rules)
    else:
        report = evaluate(logs, game=played, rules=rules)
    answer(report.to_dict(), _report_table(report), as_json=as_json)


def _evaluate_run(run: Path, *, game: Game, rules: str) -> LogReport:
    """Evaluate the negotiations of a run; its episodes are named by their numbers."""
    from benchmarks.negotiation.arena import GAME
    from benchmarks.store import open_run
    from cleanup_icn import ConfigError
    from negotiation_games.logs import evaluate_sessions

    with open_run(run) as reader:
        arenas = reader.about["suite"]["arenas"]
        of_negotiation = {arena["name"] for arena in arenas if arena["game"] == GAME}
        sessions = (
            (f"episode {number}", _session(kept.record))
            for number, kept in enumerate(reader.episodes())
            if kept.row.arena in of_negotiation
        )
        report = evaluate_sessions(sessions, game=game, rules=rules)
    if not report.sessions and not report.skips:
        raise ConfigError("logs", str(run), "a run in which negotiations were played")
    return report


def _session(record: Mapping[str, Any]) -> Session | SessionError:
    from negotiation_games.log_files import SessionError, read_record

    try:
        return read_record(record)
    except SessionError as error:
        return error


COMMANDS = (games, tune, generate_game, evaluate_logs)
"""What the command line offers at its top."""


def _counts(text: str) -> tuple[int, ...]:
    try:
        return tuple(int(part) for part in text.split(","))
    except ValueError as error:
        message = f"{text!r}: expected integers with commas between them"
        raise typer.BadParameter(message, param_hint="--options") from error


def _solution_table(solution: Solution) -> Table:
    found = solution.to_dict()
    table = Table(show_header=False)
    for name in ("deals", "feasible", "unanimous", "passable"):
        table.add_row(name, str(found[name]))
    for party, count in found["per_party"].items():
        table.add_row(f"feasible for {party}", str(count))
    if found["pareto"] is not None:
        table.add_row("Pareto front", f"{len(found['pareto'])} deals")
    table.add_row("Nash deal", found["nash_deal"] or "none")
    table.add_row("egalitarian deal", found["egalitarian_deal"] or "none")
    table.add_row("best welfare", f"{found['best_welfare']}, {found['best_welfare_deal']}")
    return table


def _report_table(report: LogReport) -> Group:
    found: dict[str, Any] = report.to_dict()
    table = Table("", "share", "95% interval")
    for name, (low, high) in found["intervals"].items():
        if found[name] is None:
            table.add_row(name.replace("_", " "), "-", "-")
        else:
            table.add_row(name.replace("_", " "), f"{found[name]:.3f}", f"{low:.3f} to {high:.3f}")
    reasons = Counter(skip["why"] for skip in found["skips"])
    skipped = [f"{count} skipped: {why}" for why, count in reasons.items()]
    return Group(table, "\n".join([f"{found['sessions']} sessions", *skipped]))
