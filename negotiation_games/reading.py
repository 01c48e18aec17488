"""What a party may know, read back from the words it was shown.

The inverse of the ``render_*`` functions of `negotiation_games.text`: players that are scripts read
the same observation as a language model does, so they know no more than it is told.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

from negotiation_games.answers import ParsedDeal, parse_deal
from negotiation_games.game import ISSUE_LETTERS, Deal, Incentive
from negotiation_games.state import Phase
from negotiation_games.text import Said


@dataclass(frozen=True)
class View:
    """What one party knows in its turn: its own sheet, the public record, and what is asked."""

    party: str
    parties: tuple[str, ...]
    proposer: str  # p1, who makes the final proposal
    veto: str  # p2, without whom nothing passes
    num_turns: int  # of all parties together, between the opening and the final proposal
    scores: tuple[tuple[int, ...], ...]  # own points for each option of each issue
    threshold: int  # own least score of a deal to accept
    record: tuple[Said, ...]  # as shown; the published layout shows the latest entries alone
    num_said: int  # entries made so far, shown or not
    phase: Phase | None  # what is asked for; None in another party's turn
    turns_left: int  # own turns after this one, the final proposal included
    final_deal: Deal | None = None  # what is voted on
    incentive: Incentive | None = None  # None where the words do not state it
    target: str | None = None  # against whom a saboteur works, where the words state it

    @property
    def num_options(self) -> tuple[int, ...]:
        """How many options each issue has."""
        return tuple(len(points) for points in self.scores)

    @property
    def num_deals(self) -> int:
        """How many deals there are."""
        return math.prod(self.num_options)

    @property
    def others(self) -> tuple[str, ...]:
        """All parties but the one that looks."""
        return tuple(name for name in self.parties if name != self.party)

    @property
    def progress(self) -> float:
        """Share of the own turns that are over, from 0 in the first to 1 in the last."""
        turns = self.num_turns // len(self.parties) + (self.party == self.proposer)
        return progress_at(self.turns_left, turns)

    def proposals(self, party: str) -> tuple[Deal, ...]:
        """Return the deals that a party proposed, in order, of those shown."""
        return tuple(
            said.deal for said in self.record if said.party == party and said.deal is not None
        )


def progress_at(turns_left: int, turns: int) -> float:
    """Return the share of a party's turns that are over in one of them, from 0 to 1."""
    return 1.0 - turns_left / (turns - 1) if turns > 1 else 1.0


def parse_observation(words: str, *, parties: Sequence[str] | None = None) -> View:
    """Read an observation in words, of either layout.

    Args:
        words: the observation's text.
        parties: the parties' names; None reads them from the words, where a name that contains
            ``", "`` cannot be told from two.

    Raises:
        ValueError: this is no observation of the negotiation.
    """
    parts = words.rsplit("\n\n", 2)
    if len(parts) < 3:
        raise _not_ours("rules, a sheet, a record and an instruction")
    head, record, instruction = parts
    names = tuple(parties) if parties else _party_names(head)
    scores, threshold = _sheet(head)
    num_options = tuple(len(points) for points in scores)
    entries = [_entry(line, names, num_options) for line in record.split("\n")]
    proposer, veto, num_turns = _course(head)
    asked = _instruction(instruction)
    return View(
        party=_own_name(head, names),
        parties=names,
        proposer=proposer,
        veto=veto,
        num_turns=num_turns,
        scores=scores,
        threshold=threshold,
        record=tuple(said for _, said in entries),
        num_said=entries[-1][0],
        phase=_phase(asked),
        turns_left=_number(_TURNS_LEFT, asked),
        final_deal=_final_deal(asked, num_options),
        incentive=_incentive(asked),
        target=_target(asked),
    )


_PARTIES = re.compile(r"(\d+) parties negotiate: (.*)\.")
_COURSE = re.compile(
    r"(.+) opens with a proposal; then the parties speak in turn, (\d+) turns in all, .* "
    r"in favour, and \1 and (.+) must be in favour\. If all are, \1 earns .*"
)
_SCORES = re.compile(r"Your scores on issue ([A-Z]): (.*)\.")
_OPTION_SCORE = re.compile(r"[A-Z]\d+ (-?\d+)")
_THRESHOLD = re.compile(r"Your minimum score: (-?\d+) points\.")
_ENTRY = re.compile(r"\[(\d+)\] (.*)")
_DEAL = re.compile(r" <DEAL>([A-Z0-9,]+)</DEAL>$")
_NOTES = "Your notes from your last turn: "
_NO_PROPOSAL = " (no proposal)"
_TURNS_LEFT = re.compile(r"It is your turn, .*\. Turns left after this one: (\d+)\.")
_FINAL_DEAL = re.compile(r"The final proposal is ([A-Z0-9,]+)\. Vote on it\.")
_TARGET = re.compile(
    r"You want the talks to fail\. Work against (.+): push for deals that others like and \1 "
    r"cannot accept, without showing it\."
)
_INCENTIVES = {
    "Look for a deal that all can live with;": Incentive.COOPERATIVE,
    "Get as many points for yourself as you can,": Incentive.GREEDY,
    "You want the talks to fail. Push for deals": Incentive.SABOTAGE,
    "You want the talks to fail. Work against": Incentive.TARGETED_SABOTAGE,
}
_PHASES = {
    Phase.OVER: re.compile(r"The negotiation is over\."),
    Phase.VOTE: _FINAL_DEAL,
    Phase.FINAL: re.compile(r"It is your turn, .*: make the final proposal\."),
    Phase.DISCUSS: _TURNS_LEFT,
}


def _not_ours(missing: str) -> ValueError:
    return ValueError(f"not an observation of the negotiation: expected {missing}")


def _party_names(head: str) -> tuple[str, ...]:
    found = _PARTIES.match(head)
    names = tuple(found[2].split(", ")) if found else ()
    if found is None or len(names) != int(found[1]):
        raise _not_ours('the parties in its first line, none with ", " in its name')
    return names


def _own_name(head: str, names: Sequence[str]) -> str:
    for line in head.split("\n"):
        if line.startswith("You are ") and line.endswith(" What follows is for you alone."):
            for name in sorted(names, key=len, reverse=True):
                if line.startswith(f"You are {name}."):
                    return name
    raise _not_ours("a line that says who is looking")


def _course(head: str) -> tuple[str, str, int]:
    """Return p1, p2 and the number of turns."""
    for line in reversed(head.split("\n")):
        found = _COURSE.fullmatch(line)
        if found:
            return found[1], found[3], int(found[2])
    raise _not_ours("a line on who opens and who must be in favour")


def _sheet(head: str) -> tuple[tuple[tuple[int, ...], ...], int]:
    """Return scores and threshold, which end the sheet whatever its prose looks like."""
    *lines, last = head.split("\n")
    threshold = _THRESHOLD.fullmatch(last)
    if threshold is None:
        raise _not_ours("a minimum score at the end of the sheet")
    rows: list[tuple[int, ...]] = []
    letter = ""
    while letter != ISSUE_LETTERS[0]:
        found = _SCORES.fullmatch(lines.pop()) if lines else None
        if found is None:
            raise _not_ours("scores of every issue")
        letter = found[1]
        rows.append(tuple(int(score) for score in _OPTION_SCORE.findall(found[2])))
    return tuple(reversed(rows)), int(threshold[1])


def _entry(line: str, names: Sequence[str], num_options: Sequence[int]) -> tuple[int, Said]:
    """Read one line of the record: its number and what was said."""
    found = _ENTRY.fullmatch(line)
    speakers = [name for name in names if found and found[2].startswith(name + ":")]
    if found is None or not speakers:
        raise _not_ours("a record of who said what")
    name = max(speakers, key=len)
    said = found[2][len(name) + 1 :]
    proposed = _DEAL.search(said)
    if proposed is None:
        return int(found[1]), Said(name, said.removesuffix(_NO_PROPOSAL).strip(" "), None)
    deal = _deal(proposed[1], num_options)
    return int(found[1]), Said(name, said[: proposed.start()].strip(" "), deal)


def _deal(field: str, num_options: Sequence[int]) -> Deal:
    read: ParsedDeal = parse_deal(field, num_options)
    if read.deal is None:
        raise _not_ours(f"a deal of this game, not {field}")
    return read.deal


def _instruction(instruction: str) -> tuple[str, ...]:
    """Return the instruction's lines without the notes, which are the party's own words."""
    lines = instruction.split("\n")
    return tuple(lines[1:] if lines[0].startswith(_NOTES) else lines)


def _phase(asked: Sequence[str]) -> Phase | None:
    first = asked[0] if asked else ""
    return next((phase for phase, line in _PHASES.items() if line.match(first)), None)


def _number(pattern: re.Pattern[str], asked: Sequence[str]) -> int:
    found = pattern.match(asked[0]) if asked else None
    return int(found[1]) if found else 0


def _final_deal(asked: Sequence[str], num_options: Sequence[int]) -> Deal | None:
    found = _FINAL_DEAL.match(asked[0]) if asked else None
    return _deal(found[1], num_options) if found else None


def _incentive(asked: Sequence[str]) -> Incentive | None:
    goal = asked[1] if len(asked) > 1 else ""
    return next((each for start, each in _INCENTIVES.items() if goal.startswith(start)), None)


def _target(asked: Sequence[str]) -> str | None:
    found = _TARGET.fullmatch(asked[1]) if len(asked) > 1 else None
    return found[1] if found else None
