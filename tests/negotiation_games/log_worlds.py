"""What the tests of recorded sessions share: a game, and logs written in the published layouts."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from negotiation_games.game import Game, Incentive, Issue, Party, Role

NAMES = ("Chair", "Veto", "Third", "Fourth", "Fifth", "Sixth")
P1, P2 = NAMES[:2]


def six_at(*points: tuple[int, int], threshold: int = 50) -> Game:
    """Six parties, one issue: `points` are each party's for A1 and A2; A3 gives everybody 60.

    Parties that are not given score 60 on all. Thresholds are alike.
    """
    sheets = [(*each, 60) for each in (*points, *[(60, 60)] * (len(NAMES) - len(points)))]
    roles = (Role.PROPOSER, Role.VETO, *[Role.PLAYER] * 4)
    parties = tuple(
        Party(name, role, Incentive.COOPERATIVE, (sheet,), threshold)
        for name, role, sheet in zip(NAMES, roles, sheets, strict=True)
    )
    return Game("six", (Issue("", ("", "", "")),), parties)


def history(*said: tuple[str, str], length: int = 26) -> dict[str, Any]:
    """A session of 2024; silence by the third party fills it up in front of what is said."""
    entries = [*[("Third", "nothing")] * (length - len(said)), *said]
    return {"rounds": [{"agent": agent, "public_answer": text} for agent, text in entries]}


def answers(*said: tuple[str, str], final: str = "") -> dict[str, Any]:
    """A session of 2023."""
    return {
        "rounds": [list(each) for each in said],
        "voting_sessions": {"0": {"deal_suggestion": final}},
    }


def write_logs(folder: Path, documents: Sequence[Any], prefix: str) -> Path:
    """Write a file a document; text is written as it is."""
    folder.mkdir(parents=True, exist_ok=True)
    for i, document in enumerate(documents):
        text = document if isinstance(document, str) else json.dumps(document)
        (folder / f"{prefix}{i:02d}.json").write_text(text, encoding="utf-8")
    return folder
