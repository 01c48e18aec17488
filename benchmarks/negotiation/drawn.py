"""Games whose sheets are drawn, by a name that says all of them: ``drawn-4x3.3.4-f6-s123``.

Before ``f`` stand how many parties there are and how many options each issue has, after it the most
feasible deals (see `negotiation_games.draw.SheetPlan`), after ``s`` the seed of the sheets. Such a
game is figures alone: its parties are ``Party 1`` and so on, and options have no words but their
short names.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from negotiation_games import Game, GameError, noise
from negotiation_games.draw import SheetPlan, draw_sheets

_NAME = re.compile(r"drawn-(\d{1,3})x(\d{1,3}(?:\.\d{1,3})*)-f(\d{1,9})-s(\d{1,19})")
_FORM = "drawn-PARTIESxOPTIONS-fFEASIBLE-sSEED, as in drawn-4x3.3.4-f6-s123"


def drawn_name(*, num_parties: int, num_options: Sequence[int], feasible: int, seed: int) -> str:
    """Return the name of a game.

    Args:
        num_parties: how many parties there are.
        num_options: how many options each issue has.
        feasible: most feasible deals.
        seed: of the sheets, from 0 below 10**19.
    """
    return f"drawn-{num_parties}x{'.'.join(map(str, num_options))}-f{feasible}-s{seed}"


def is_drawn(name: str) -> bool:
    """Whether this is the name of a drawn game, though perhaps of one that cannot be drawn."""
    return name.startswith("drawn-")


def drawn_game(name: str) -> Game:
    """Draw the game of this name; all its parties are cooperative.

    Raises:
        GameError: the name has another form, or there are no such sheets.
    """
    found = _NAME.fullmatch(name)
    if found is None:
        raise GameError("game", name, _FORM)
    plan = SheetPlan(
        num_parties=int(found[1]),
        num_options=tuple(map(int, found[2].split("."))),
        feasible=int(found[3]),
        name=name,
    )
    return draw_sheets(plan, noise.as_words([int(found[4])])).game(0, name=name)
