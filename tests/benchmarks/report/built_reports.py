"""Episodes to write transcripts of, and what is in the data files of a report."""

from __future__ import annotations

import base64
import gzip
import json
import re
from dataclasses import replace

from benchmarks.arena import LEARNED, Cell, cells_of
from benchmarks.cells import play_cell, seat_players
from benchmarks.kinds import kind_of, read_record
from benchmarks.suite import Suite
from benchmarks.suite_file import suite_named


def small_arena(name, num_episodes=1, policies=None, contracts=None):
    """Return the first arena of a bundled suite with few episodes, and nothing to be learned."""
    arena = suite_named(name).arenas[0]
    chosen = policies or [policy for policy in arena.policies if policy not in LEARNED]
    conditions = [c for c in arena.conditions if contracts is None or c.name in contracts]
    return replace(
        arena,
        num_episodes=num_episodes,
        policies=tuple(chosen),
        shown_policy=chosen[0],
        conditions=tuple(conditions),
    )


def small_suite():
    """Return a suite of two arenas, one a game, in both of which answers cannot be read."""
    cleanup = small_arena("cleanup-smoke", 2, ("contract-follower", "stub-erratic"))
    negotiation = small_arena(
        "negotiation-smoke",
        2,
        ("best-guess", "stub-erratic"),
        ("base/cooperative", "base/greedy-veto"),
    )
    return Suite(name="small", description="Two small arenas", arenas=(cleanup, negotiation))


def smallest_arena():
    """Return an arena of one cell with two episodes."""
    return small_arena("cleanup-smoke", 2, ("all-harvest",), ("none",))


def read_again(arena, result):
    """Return a result as it is read from its record."""
    return read_record(arena, json.loads(json.dumps(result.to_dict())))


def played(arena):
    """Yield a result of every cell of an arena."""
    for cell in cells_of(arena):
        for result in play_cell(arena, cell):
            yield read_again(arena, result)


def played_and_watched(arena, policy, contract, agents=None):
    """Play an episode; returns its result and, step by step, the words that each agent saw.

    Some `agents` may sit in the place of the policy's.
    """
    cell, kind = Cell(policy=policy, contract=contract), kind_of(arena)
    env = kind.make_env(arena, arena.condition(contract))
    agents = {**seat_players(arena, cell, env), **(agents or {})}
    game = kind.begin(arena, cell, 0, env=env, agents=agents)
    watched, seen = [], next(game)
    while True:
        watched.append({name: observation["text"] for name, observation in seen.items()})
        decisions = {name: agents[name].act(observation) for name, observation in seen.items()}
        try:
            seen = game.send(decisions)
        except StopIteration as over:
            return read_again(arena, over.value), watched


def value_in(file):
    """Return the value that a data file hands to the viewer."""
    script = file.read_text(encoding="ascii")
    escaped = re.search(r"JSON\.parse\('((?:[^'\\]|\\.)*)'\)\);\n\Z", script)[1]
    unescaped = re.sub(
        r"\\(x3c|.)", lambda m: "<" if m[1] == "x3c" else m[1], escaped, flags=re.DOTALL
    )
    return json.loads(unescaped)


def transcripts_in(folder):
    """Return the transcripts of a report, in the order of their files."""
    return [
        json.loads(gzip.decompress(base64.b64decode(packed)))
        for file in sorted((folder / "data" / "transcripts").iterdir())
        for packed in value_in(file)
    ]
