"""A game for the tests of leakage: figures of a harbour dispute, our own words."""

from __future__ import annotations

from negotiation_games.game import Game, Incentive, Issue, Party, Role

UNION = 2
THRESHOLD = 50

ISSUES = (
    Issue("Building ground", ("on water", "on both", "on land")),
    Issue("Coast", ("some harm", "balance", "improvement")),
    Issue("Employment Rules", ("members only", "quota of 2:1", "quota of 1:1", "no preference")),
    Issue("Loan", ("$3 billion", "$2 billion", "$1 billion", "none")),
    Issue("Compensation", ("$600 million", "$450 million", "$300 million", "$150 million", "none")),
)
SHEETS = {
    "Company": (((14, 8, 0), (11, 7, 0), (0, 5, 10, 17), (35, 29, 20, 0), (0, 5, 10, 15, 23)), 55),
    "Ministry": (((0, 11, 5), (0, 20, 25), (0, 2, 4, 9), (10, 26, 40, 0), (4, 8, 15, 12, 0)), 65),
    "Union": (((15, 20, 0), (0, 0, 0), (42, 35, 25, 0), (30, 20, 10, 0), (2, 4, 6, 8, 0)), 50),
    "Mayor": (((14, 8, 0), (12, 8, 0), (24, 18, 12, 0), (40, 30, 23, 0), (0, 2, 4, 7, 10)), 30),
}


def make_harbour() -> Game:
    roles = (Role.PROPOSER, Role.VETO, Role.PLAYER, Role.PLAYER)
    parties = tuple(
        Party(name, role, Incentive.COOPERATIVE, sheet, threshold)
        for (name, (sheet, threshold)), role in zip(SHEETS.items(), roles, strict=True)
    )
    return Game("harbour", ISSUES, parties, scenario="A company wants to build in the harbour.")
