"""A report's data made by hand: two small arenas, and one transcript that means harm."""

from __future__ import annotations

import random

from hand_made_transcripts import (
    STEPS,
    cleanup_transcript,
    hostile_transcript,
    negotiation_transcript,
)

from benchmarks.report.data_files import pack_transcript, write_receive
from benchmarks.report.site_files import copy_site

PACK_SIZE = 4
HOSTILE = 5
"""Number of the episode whose agents try to run code and to break the page."""


POLICIES = ("stub-llm", "ppo/0", "ppo/1", "all-harvest")
CONTRACTS = ("none", "wage")
CLEANUP_MEASURES = (
    {"name": "welfare", "label": "welfare", "digits": 1, "better": "high"},
    {"name": "equality", "label": "equality", "digits": 2, "better": "high"},
)
DEAL_MEASURES = (
    {"name": "passed", "label": "passed", "digits": 0, "better": "high"},
    {"name": "regret", "label": "regret", "digits": 1, "better": "low"},
)
FIGURE = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 640 240" width="640" height="240">'
    '<rect width="640" height="240" fill="none"/><path d="M20 200L620 40" stroke="#0072B2" '
    'stroke-width="3"/><text x="20" y="230">a line of welfare over time</text></svg>'
)


def estimate(mean, half):
    low, high = mean - half, mean + half
    return {"mean": mean, "low": low, "high": high, "text": f"{mean:.1f} [{low:.1f}, {high:.1f}]"}


def table(measures, policies, contracts, rng):
    return {
        "columns": [{"key": m["name"], "label": m["label"], "title": m["name"]} for m in measures],
        "rows": [
            {
                "policy": policy,
                "contract": contract,
                "n": rng.choice((3, 8)),
                "unit": "episode",
                "cells": {m["name"]: estimate(rng.uniform(10, 90), 5) for m in measures},
            }
            for policy in policies
            for contract in contracts
        ],
    }


def arena(name, game, *, title, policies, contracts, measures):
    rng = random.Random(name)
    made = table(measures, policies, contracts, rng)
    return {
        "name": name,
        "title": title,
        "game": game,
        "description": f"Everybody meets everybody in {name}; one policy plays all seats.",
        "conditions": [{"name": c, "text": f"The condition {c} in words."} for c in contracts],
        "policies": list(policies),
        "measures": list(measures),
        "table": made,
        "sensitivity": made,
        "comparisons": [
            {
                "title": f"Paired differences of {measures[0]['label']}",
                "columns": ["first", "second", "difference", "p (Holm)"],
                "rows": [[policies[0], policies[-1], "12.5 [8.0, 17.1]", "0.004"]],
                "caption": "Paired by seed and partners; 95% bootstrap intervals.",
            }
        ],
        "figures": [
            {
                "file": f"figures/{name}.svg",
                "title": "Welfare over time",
                "caption": "Means over episodes; the change is marked.",
                "alt": "Welfare rises from 20 to 40 over the episode.",
            }
        ],
    }


def run_of(num_episodes):
    return {
        "title": "Hand-made comparison",
        "description": "A report for trying the viewer: its numbers mean nothing.",
        "suite": "hand-made",
        "command": "commonweal compare hand-made --out run",
        "seed": 7,
        "status": "complete",
        "started_at": "2026-01-02T03:04:05Z",
        "seconds": 93.5,
        "versions": {"python": "3.11.2", "numpy": "2.1.0"},
        "num_episodes": num_episodes,
        "pack_size": PACK_SIZE,
        "arenas": [
            arena(
                "cleanup",
                "cleanup",
                title="Cleanup with a changing threshold",
                policies=("stub-llm", "ppo", "all-harvest"),
                contracts=CONTRACTS,
                measures=CLEANUP_MEASURES,
            ),
            arena(
                "talks",
                "negotiation",
                title="Six parties, five issues",
                policies=("stub-llm",),
                contracts=("base",),
                measures=DEAL_MEASURES,
            ),
        ],
    }


def episodes_of(num_episodes):
    """All but every fourth episode are Cleanup's; every tenth holds a malformed answer."""
    rng = random.Random(0)
    rows = []
    for number in range(num_episodes):
        is_talk = number % 4 == 3
        malformed = 2 if number % 10 == 5 else 0
        rows.append(
            [
                int(is_talk),
                0 if is_talk else number % len(POLICIES),
                2 if is_talk else number % 2,
                number // 8,
                1_000_000 + 7919 * number,
                "malformed" if malformed else "ok",
                malformed,
                40 if is_talk else 2 * STEPS,
                rng.randrange(1000, 90000),
                None if is_talk else round(rng.uniform(0, 160), 3),
                None if is_talk else round(rng.uniform(0, 1), 3),
                float(rng.random() < 0.5) if is_talk else None,
                round(rng.uniform(0, 30), 2) if is_talk else None,
                malformed / 40,
            ]
        )
    return {
        "columns": [
            *("arena", "policy", "contract", "episode", "seed", "status"),
            *("malformed", "calls", "tokens", "welfare", "equality", "passed", "regret"),
            "malformed",  # as a measure, which of talks is a share
        ],
        "names": {
            "arena": ["cleanup", "talks"],
            "policy": list(POLICIES),
            "contract": [*CONTRACTS, "base"],
        },
        "rows": rows,
    }


def transcript_of(number):
    row = episodes_of(number + 1)["rows"][number]
    is_talk = row[0] == 1
    about = {
        "number": number,
        "arena": "talks" if is_talk else "cleanup",
        "policy": POLICIES[row[1]],
        "contract": "base" if is_talk else CONTRACTS[row[2]],
        "episode": row[3],
        "seed": row[4],
    }
    if number == HOSTILE:
        return hostile_transcript(about)
    return negotiation_transcript(about) if is_talk else cleanup_transcript(about)


def write_report(folder, *, num_episodes=24, num_packs=None):
    """Write a report of so many episodes; ``num_packs`` leaves the transcripts behind them out."""
    copy_site(folder)
    data = folder / "data"
    write_receive(data / "run.js", "run", run_of(num_episodes))
    write_receive(data / "episodes.js", "episodes", episodes_of(num_episodes))
    packs = num_packs if num_packs is not None else -(-num_episodes // PACK_SIZE)
    for pack in range(packs):
        name = f"transcripts/{pack:05}"
        numbers = range(pack * PACK_SIZE, min(num_episodes, (pack + 1) * PACK_SIZE))
        packed = [pack_transcript(transcript_of(number)) for number in numbers]
        write_receive(data / f"{name}.js", name, packed)
    (folder / "figures").mkdir(exist_ok=True)
    for name in ("cleanup", "talks"):
        (folder / "figures" / f"{name}.svg").write_text(FIGURE, encoding="utf-8")
    return folder
