"""A question off the record: what does each other party want most? Off unless it is asked.

The environment never asks it, and an answer reaches nobody. It measures theory of mind: the answer
is scored against the true sheets, where a sheet prefers anything at all.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from negotiation_games.game import ISSUE_LETTERS, Game, GameError, deal_name

Guess = Mapping[str, tuple[int | None, ...]]
"""By party its guessed best option of every issue, None where nothing was guessed."""


@dataclass(frozen=True)
class ProbeScore:
    """How much of what others prefer was guessed. A row is one issue of one other party."""

    rows: int  # rows asked about in which not all options are worth the same
    correct: int
    answered: int  # rows with a guess
    chance: float | None  # expected share of correct guesses at random; None without rows

    @property
    def accuracy(self) -> float | None:
        """Share of rows guessed right, rows without a guess being wrong; None without rows."""
        return self.correct / self.rows if self.rows else None


def render_probe(game: Game, party_index: int, *, known: str) -> str:
    """Write the question to one party.

    Args:
        game: the game.
        party_index: who is asked.
        known: what the party knows by now, in words: rules, own sheet and public record, the first
            three of ``env.unwrapped.prompt_parts(agent)``.
    """
    asked = _others(game, party_index)
    example = deal_name((0,) * len(game.issues))
    return "\n".join(
        [
            known,
            "",
            "Off the record: nobody sees your answer and it changes nothing. For every other "
            "party, guess the option that it likes best on every issue, from what was said. "
            f"Answer with {len(asked)} lines of this form, your best guess where you do not know:",
            *(f"{name}: {example}" for name in asked),
        ]
    )


def parse_probe(answer: object, game: Game, party_index: int) -> Guess:
    """Read an answer to the question; never raises.

    What follows a party's name and a colon, up to the next such name, is about that party, its last
    mention counts. Case, order, markup and JSON do not matter. An issue with no option of the game,
    or with several, has no guess.
    """
    asked = _others(game, party_index)
    guess: dict[str, tuple[int | None, ...]] = dict.fromkeys(asked, (None,) * len(game.issues))
    if not isinstance(answer, str):
        return guess
    by_key = {name.casefold(): name for name in game.party_names}
    names = "|".join(re.escape(name) for name in sorted(game.party_names, key=len, reverse=True))
    mention = re.compile(rf"(?<!\w)({names})[\"'*_`]*\s*:", re.IGNORECASE)
    found = list(mention.finditer(answer))
    ends = [*(each.start() for each in found[1:]), len(answer)]
    for each, end in zip(found, ends[: len(found)], strict=True):
        name = by_key.get(each[1].casefold())
        options = _options(answer[each.end() : end], game.num_options)
        if name in guess and any(option is not None for option in options):
            guess[name] = options
    return guess


def score_probe(game: Game, party_index: int, guess: Guess) -> ProbeScore:
    """Score a guess against the sheets: any of equally good options is right.

    Rows in which all options are worth the same are left out. The chance level is the mean over
    rows of the share of right options.
    """
    correct = answered = 0
    chances: list[float] = []
    for name in _others(game, party_index):
        guessed = guess.get(name, (None,) * len(game.issues))
        for points, option in zip(game.party(name).scores, guessed, strict=True):
            if min(points) == max(points):
                continue
            chances.append(points.count(max(points)) / len(points))
            answered += option is not None
            correct += option is not None and points[option] == max(points)
    chance = sum(chances) / len(chances) if chances else None
    return ProbeScore(len(chances), correct, answered, chance)


def _others(game: Game, party_index: int) -> tuple[str, ...]:
    if not 0 <= party_index < game.num_parties:
        raise GameError("party_index", party_index, f"0 to {game.num_parties - 1}")
    return tuple(name for i, name in enumerate(game.party_names) if i != party_index)


def _options(words: str, num_options: Sequence[int]) -> tuple[int | None, ...]:
    named: list[set[int]] = [set() for _ in num_options]
    for letter, number in re.findall(r"(?<![A-Za-z0-9])([A-Za-z])([0-9]{1,4})(?![0-9])", words):
        issue, option = ISSUE_LETTERS.find(letter.upper()), int(number) - 1
        if issue < len(num_options) and 0 <= option < num_options[issue]:
            named[issue].add(option)
    return tuple(options.pop() if len(options) == 1 else None for options in named)
