"""`commonweal bench`: measurements, with what they are compared with."""

from __future__ import annotations

import secrets
from typing import Annotated, Any

import typer

from benchmarks.terminal import AsJson, answer, say

bench = typer.Typer(help="Measure speed, each figure beside what it is to be compared with.")

_SLOTS, _DELAY_S = 16, 0.05


@bench.command("models")
def bench_models(
    base_url: Annotated[
        str | None,
        typer.Option(metavar="URL", help="A model's server; without one, a stand-in is measured."),
    ] = None,
    model: Annotated[str | None, typer.Option(help="Name of the served model.")] = None,
    episodes: Annotated[int, typer.Option(min=1, help="Negotiations played at once.")] = 32,
    turns: Annotated[
        int, typer.Option(min=1, help="Turns of each, before the last: a multiple of 6.")
    ] = 12,
    serial_episodes: Annotated[
        int, typer.Option(min=1, help="Negotiations played one at a time.")
    ] = 4,
    layout_episodes: Annotated[
        int, typer.Option(min=1, help="Negotiations played for each layout of the prompt.")
    ] = 8,
    in_flight: Annotated[int, typer.Option(min=2, help="Most questions at a time.")] = 16,
    max_tokens: Annotated[int, typer.Option(min=16, help="Longest answer, in tokens.")] = 160,
    structured: Annotated[
        str, typer.Option(metavar="auto|off", help="Whether answers are held to their form.")
    ] = "auto",
    repeats: Annotated[int, typer.Option(min=1, help="Times that speed is measured.")] = 3,
    as_json: AsJson = False,
) -> None:
    """Play negotiations one at a time, scheduled, and as fast as the server can: how near is it?

    Then the share of prompts found in the server's prefix cache, by layout of the prompt, and what
    asking costs this process beyond the bare HTTP client.
    """
    from benchmarks.instant_server import InstantServer
    from benchmarks.model_bench import GAME, Load
    from negotiation_games import load_game
    from negotiation_games.rules import checked_num_turns

    if (base_url is None) != (model is None):
        missing = "--model" if model is None else "--base-url"
        raise typer.BadParameter("is needed too", param_hint=missing)
    checked_num_turns(load_game(GAME), turns)
    if structured not in ("auto", "off"):
        raise typer.BadParameter(f"{structured!r}: expected auto or off", param_hint="--structured")
    load = Load(
        episodes=episodes,
        turns=turns,
        in_flight=in_flight,
        max_chars=max(16, max_tokens - 60),
        structured=structured == "auto",
    )
    counts = {
        "repeats": repeats,
        "serial_episodes": min(serial_episodes, episodes),
        "layout_episodes": layout_episodes,
    }
    if base_url is not None and model is not None:
        rows = _measure(load, base_url, model, max_tokens, **counts)
    else:
        say(f"commonweal: a stand-in for a server: {_SLOTS} at a time, {_DELAY_S} s each")
        with InstantServer(process=True, slots=_SLOTS, delay_s=_DELAY_S) as server:
            rows = _measure(load, server.base_url, server.model, max_tokens, **counts)
    answer([row.to_dict() for row in rows], _table(rows), as_json=as_json)


@bench.command("env")
def bench_env(
    quick: Annotated[
        bool, typer.Option("--quick", help="Measure for a moment only: figures mean little.")
    ] = False,
    profile: Annotated[
        str | None,
        typer.Option(metavar="ROW", help="Show instead which functions a row's time goes into."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Step single environments and batches at random: how fast beside an empty environment?

    Text, vectors, AEC, under a contract, batches of one to thousands of lanes, and the negotiation.
    """
    if profile is not None:
        _profile_env(profile, share_s=0.01 if quick else 2.0, as_json=as_json)
        return
    from benchmarks.env_bench_rows import run_bench
    from benchmarks.env_bench_table import render_rows
    from cleanup_icn.batch.compiled import IS_COMPILED

    repeats, share_s = (2, 0.002) if quick else (15, 0.08)
    rows, compilation = run_bench(repeats=repeats, share_s=share_s, tell=say)
    table = render_rows(rows, compilation, is_compiled=IS_COMPILED)
    answer([row.to_dict() for row in rows], table, as_json=as_json)


@bench.command("store")
def bench_store(
    episodes: Annotated[int, typer.Option(min=1, help="Episodes kept.")] = 10_000,
    as_json: AsJson = False,
) -> None:
    """Keep the episodes of stub models over and over: time from a result to its commit, and size.

    The records are those of cleanup-smoke and negotiation-smoke, played once beforehand.
    """
    import tempfile
    from pathlib import Path

    from benchmarks.store_bench import measure_store, stub_episodes
    from benchmarks.store_bench_table import render_store
    from benchmarks.suite_file import suite_named

    arenas = [
        *suite_named("cleanup-smoke").arenas,
        *suite_named("negotiation-smoke").arenas,
    ]
    played = stub_episodes(arenas)
    say(f"commonweal: {len(played)} episodes played, to be kept under {episodes} numbers")
    with tempfile.TemporaryDirectory() as folder:
        measured = measure_store(played, num_episodes=episodes, folder=Path(folder) / "run")
    answer(measured.to_dict(), render_store(measured), as_json=as_json)


def _profile_env(name: str, *, share_s: float, as_json: bool) -> None:
    from benchmarks.env_bench import profile
    from benchmarks.env_bench_rows import subjects
    from benchmarks.env_bench_table import render_profile

    chosen = {subject.name: subject for subject in subjects()}
    if name not in chosen:
        allowed = ", ".join(chosen)
        raise typer.BadParameter(f"{name!r}: expected one of {allowed}", param_hint="--profile")
    play, _, _ = chosen[name].start()
    rows = profile(play, share_s=share_s)
    answer([row.to_dict() for row in rows], render_profile(name, rows), as_json=as_json)


def _measure(
    load: Any,
    base_url: str,
    model: str,
    max_tokens: int,
    *,
    repeats: int,
    serial_episodes: int,
    layout_episodes: int,
) -> list[Any]:
    from agents.llm.openai_client import OpenAIClient
    from benchmarks.clients import check_served
    from benchmarks.model_bench_rows import (
        LAYOUT_TOKENS,
        measure_layouts,
        measure_overhead,
        measure_serving,
    )
    from benchmarks.model_file import served_model

    check_served(served_model(base_urls=[base_url], model=model).models)
    # Of its own for every run of this command: a server may have kept the prefixes of the last.
    bench_salt = secrets.token_hex(8)

    def make_client(salt: str, max_tokens: int = max_tokens) -> OpenAIClient:
        return OpenAIClient(
            model=model,
            base_urls=[base_url],
            max_tokens=max_tokens,
            extra_body={"cache_salt": f"{bench_salt} {salt}"},
        )

    def make_terse_client(salt: str) -> OpenAIClient:
        return make_client(salt, min(max_tokens, LAYOUT_TOKENS))

    return [
        *measure_serving(
            load,
            make_client,
            base_url=base_url,
            repeats=repeats,
            serial_episodes=serial_episodes,
            tell=say,
        ),
        *measure_layouts(load, make_client, base_url=base_url, episodes=layout_episodes, tell=say),
        *measure_overhead(repeats=repeats, tell=say),
    ]


def _table(rows: list[Any]) -> Any:
    from rich import box
    from rich.table import Table

    table = Table(
        "run",
        "n",
        "requests",
        "requests/s [low, high]",
        "CPU ms a request",
        "prefix cache",
        "beside",
        box=box.SIMPLE,
        caption=(
            "n: repeats, with their lowest and highest rate. CPU: of this process, the server's "
            "apart. Prefix cache: share of the prompt tokens that the server found there."
        ),
        caption_justify="left",
    )
    for row in rows:
        told = row.to_dict()
        hits = told["prefix_cache_hit_rate"]
        beside = ", ".join(f"{name.replace('_', ' ')} {v:.2f}" for name, v in row.versus.items())
        table.add_row(
            told["name"],
            str(told["n"]),
            str(told["requests"]),
            f"{told['requests_per_s']:.2f} [{told['low']:.2f}, {told['high']:.2f}]",
            f"{told['cpu_ms_per_request']:.2f}",
            "-" if hits is None else f"{hits:.2f}",
            beside or "-",
        )
    return table
