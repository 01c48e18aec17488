"""What a party answers, read in one place: tags or JSON in, a `Speech` out; nothing ever raises.

An answer has a secret scratchpad, a public answer, a deal and a private plan, in the published tags
(``<SCRATCHPAD> <ANSWER> <DEAL> <PLAN>``) or as one JSON object. Only the public answer and the deal
ever reach others. The thoughts of a model (``<think>``) count as its scratchpad.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from enum import StrEnum
from typing import Any, NamedTuple

from negotiation_games.game import ISSUE_LETTERS, Deal, Game, deal_name, option_name
from negotiation_games.state import Phase

MAX_PUBLIC_CHARS = 2_000
"""A longer public answer is cut, and so is a longer plan."""


class ParseStatus(StrEnum):
    """How an answer was read; anything but ``OK`` proposed nothing, or was no vote."""

    OK = "ok"
    NO_PROPOSAL = "no_proposal"  # there is an answer and no deal field: silence on deals
    MISSING = "missing"  # no field of the asked form at all, or an empty one
    INCOMPLETE = "incomplete"  # an issue without an option
    DUPLICATE = "duplicate"  # an issue with more than one option
    UNKNOWN_OPTION = "unknown_option"  # something that is no option of the game
    SEVERAL_DEALS = "several_deals"  # deal fields that differ
    NOT_TEXT = "not_text"  # the answer is no string


class ParsedDeal(NamedTuple):
    """A deal field as it was read; ``deal`` is None unless the status is OK."""

    deal: Deal | None
    status: ParseStatus


class Speech(NamedTuple):
    """What a party does in its turn, as the environment takes it.

    ``accepts`` is for the explicit vote: True, False, or None for no vote.
    """

    deal: Deal | None
    public: str = ""  # what others hear
    plan: str = ""  # carried to the party's own next turn
    accepts: bool | None = None
    status: ParseStatus = ParseStatus.OK


class ParsedAnswer(NamedTuple):
    """An answer as the environment takes it, and how it was read."""

    action: Speech
    status: ParseStatus
    scratchpad: str = ""  # secret, thoughts included; kept for records of one's own


# Beyond ASCII there are an I and a K that match those of THINK and are not the same in capitals.
_TAG = re.compile(
    r"<\s*(?P<slash>/\s*)?(?P<name>SCRATCHPAD|ANSWER|DEAL|PLAN|VOTE|(?a:THINK))\s*>",
    re.IGNORECASE,
)
_GAP = re.compile(r"\b([A-Za-z])\s+(?=[0-9])")
_BREAK = re.compile(r"[\s,;]+")
_OPTION = re.compile(r"([A-Za-z])([0-9]{1,4})")
_VOTES = {"accept": True, "reject": False}


def parse_deal(field: str, num_options: Sequence[int]) -> ParsedDeal:
    """Read the content of a deal field: exactly one valid option of every issue.

    Blanks, commas, order and case do not matter.
    """
    tokens = [token for token in _BREAK.split(_GAP.sub(r"\1", field)) if token]
    if not tokens:
        return ParsedDeal(None, ParseStatus.MISSING)
    chosen: dict[int, int] = {}
    is_duplicate = False
    for token in tokens:
        found = _OPTION.fullmatch(token.strip("[](){}.\"'`*"))
        issue = ISSUE_LETTERS.find(found[1].upper()) if found else -1
        option = int(found[2]) - 1 if found else -1
        if not 0 <= issue < len(num_options) or not 0 <= option < num_options[issue]:
            return ParsedDeal(None, ParseStatus.UNKNOWN_OPTION)
        is_duplicate |= issue in chosen
        chosen[issue] = option
    if is_duplicate:
        return ParsedDeal(None, ParseStatus.DUPLICATE)
    if len(chosen) < len(num_options):
        return ParsedDeal(None, ParseStatus.INCOMPLETE)
    return ParsedDeal(tuple(chosen[i] for i in range(len(num_options))), ParseStatus.OK)


def read_deal(answer: str, num_options: Sequence[int]) -> ParsedDeal:
    """Read the ``<DEAL>`` fields of an answer, secret parts left out: there must be one deal."""
    return _one_deal(_Reader(answer).lists["DEAL"], num_options)


def parse_answer(answer: object, game: Game, phase: Phase) -> ParsedAnswer:
    """Read what a party answered in its turn, tags or JSON; never raises.

    Without a public answer nothing reaches the others: words outside ``<ANSWER>`` may be secret.
    """
    if not isinstance(answer, str):
        return _nothing(ParseStatus.NOT_TEXT)
    given = _as_json(answer)
    if given is None:
        given = _from_tags(answer)
    if phase is Phase.VOTE:
        votes = {vote.strip().strip(".!\"'*").lower() for vote in given["votes"]}
        accepts = _VOTES.get(votes.pop()) if len(votes) == 1 else None
        status = ParseStatus.OK if accepts is not None else ParseStatus.MISSING
        return ParsedAnswer(
            Speech(None, accepts=accepts, status=status), status, given["scratchpad"]
        )
    read = _one_deal(given["deals"], game.num_options)
    is_silent = not given["deals"] and given["answer"]
    status = ParseStatus.NO_PROPOSAL if is_silent else read.status
    speech = Speech(read.deal, one_line(given["answer"]), one_line(given["plan"]), None, status)
    return ParsedAnswer(speech, status, given["scratchpad"])


def render_answer(speech: Speech) -> str:
    """Write the shortest answer that is read as this: the inverse of `parse_answer`.

    Public words and plan are kept where they are one line without tags, as those of a speech that
    was read are.

    Raises:
        ValueError: there is no vote, no deal and nothing public; no answer stands for that.
    """
    if speech.accepts is not None:
        return f"<VOTE>{'accept' if speech.accepts else 'reject'}</VOTE>"
    if speech.deal is None and not speech.public:
        raise ValueError(f"speech = {speech!r}: expected a vote, a deal or public words")
    deal = "" if speech.deal is None else deal_name(speech.deal)
    fields = {"ANSWER": speech.public, "DEAL": deal, "PLAN": speech.plan}
    return "\n".join(f"<{tag}>{words}</{tag}>" for tag, words in fields.items() if words)


def answer_schema(game: Game, phase: Phase) -> dict[str, Any]:
    """Return the JSON Schema of an answer as one object, for structured output."""
    text = {"type": "string"}
    if phase is Phase.VOTE:
        properties: dict[str, Any] = {"scratchpad": text, "vote": {"enum": list(_VOTES)}}
        required = ["vote"]
    else:
        options = {
            ISSUE_LETTERS[i]: {"enum": [option_name(i, k) for k in range(n)]}
            for i, n in enumerate(game.num_options)
        }
        deal = {
            "type": "object",
            "properties": options,
            "required": list(options),
            "additionalProperties": False,
        }
        nothing = {"type": "null"}
        properties = {
            "scratchpad": text,
            "answer": text,
            "deal": {"anyOf": [deal, nothing]},
            "plan": text,
        }
        required = ["answer", "deal"]
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "properties": properties,
        "required": required,
        "additionalProperties": False,
    }


def one_line(words: str) -> str:
    """Return words as one line without tags, cut to `MAX_PUBLIC_CHARS`.

    So nobody can write a line of the record in another's name, or a tag that others' answers use.
    """
    if "<" in words:
        words = _TAG.sub(" ", words)
    if not words.isascii():
        words = words.encode("utf-8", "replace").decode("utf-8")  # lone surrogates cannot be kept
    words = " ".join(words.split())
    return words if len(words) <= MAX_PUBLIC_CHARS else words[: MAX_PUBLIC_CHARS - 1] + "…"


def _nothing(status: ParseStatus) -> ParsedAnswer:
    return ParsedAnswer(Speech(None, status=status), status)


class _Reader:
    """Takes an answer apart at its tags, in one pass.

    A scratchpad, thought or plan ends at its own closing tag (the outer one, if there is another
    inside) and, without one, hides all that follows. A deal or vote ends at the next tag, whichever
    it is. What stands in no field is dropped. Of an answer, scratchpad, thought or plan that comes
    more than once the last counts. A thought that is closed and was never opened began with the
    answer: some chat templates open it in the prompt.
    """

    def __init__(self, answer: str) -> None:
        self._begin()
        begun = position = 0
        for tag in _TAG.finditer(answer):
            self._add(answer[position : tag.start()])
            name, closes = tag["name"].upper(), bool(tag["slash"])
            if name == "THINK" and closes and not self._hidden:
                thought = answer[begun : tag.start()]
                self._begin(thought if thought.strip() else self.secrets["THINK"])
                begun = tag.end()
            else:
                self._turn(name, closes=closes)
            position = tag.end()
        self._add(answer[position:])

    @property
    def scratchpad(self) -> str:
        return _joined(self.secrets["THINK"], self.secrets["SCRATCHPAD"])

    def _begin(self, thought: str = "") -> None:
        self.secrets = {"SCRATCHPAD": "", "PLAN": "", "THINK": thought}
        self.public = ""
        self.lists: dict[str, list[str]] = {"DEAL": [], "VOTE": []}
        self._hidden, self._depth = "", 0
        self._is_public, self._field = False, ""

    def _add(self, words: str) -> None:
        if self._hidden:
            self.secrets[self._hidden] += words
        elif self._field:
            self.lists[self._field][-1] += words
        elif self._is_public:
            self.public += words

    def _turn(self, name: str, *, closes: bool) -> None:
        if self._hidden:
            if name == self._hidden:
                self._depth += -1 if closes else 1
                self._hidden = self._hidden if self._depth else ""
            return
        self._field = ""
        if name == "ANSWER":
            self._is_public = not closes
            self.public = self.public if closes else ""
        elif closes:
            return
        elif name in self.secrets:
            self._hidden, self._depth, self.secrets[name] = name, 1, ""
        else:
            self._field = name
            self.lists[name].append("")


def _from_tags(answer: str) -> dict[str, Any]:
    read = _Reader(answer)
    return {
        "scratchpad": read.scratchpad,
        "answer": read.public,
        "plan": read.secrets["PLAN"],
        "deals": read.lists["DEAL"],
        "votes": read.lists["VOTE"],
    }


def _joined(*secrets: str) -> str:
    return "\n".join(secret for secret in secrets if secret)


def _thoughts_end(answer: str) -> int:
    """Where the thoughts that an answer begins with are over; 0 if it does not, or never."""
    if answer.lstrip().startswith(("{", "```")):
        return 0
    depth = 0
    for tag in _TAG.finditer(answer):
        is_thought = tag["name"].upper() == "THINK"
        opens_late = not tag["slash"] and answer[: tag.start()].strip()
        if not depth and (opens_late or not is_thought):
            return 0
        if is_thought:
            depth += -1 if tag["slash"] else 1
            if depth <= 0:
                return tag.end()
    return 0


def _as_json(answer: str) -> dict[str, Any] | None:
    """Return an answer that is one JSON object, perhaps in a fence, by its keys; else None.

    Thoughts before it go into the scratchpad.
    """
    start = _thoughts_end(answer)
    body = re.sub(r"^\s*```(?:json)?|```\s*$", "", answer[start:]).strip()
    if not body.startswith("{"):
        return None
    try:
        # Not strict: constrained decoders write control characters in strings as they are.
        values = json.loads(body, strict=False)
    except (ValueError, RecursionError):
        return None
    if not isinstance(values, dict):
        return None
    words = {
        key: values[key] if isinstance(values.get(key), str) else ""
        for key in ("scratchpad", "answer", "plan", "vote")
    }
    words["scratchpad"] = _joined(_Reader(answer[:start]).scratchpad, words["scratchpad"])
    words["answer"] = _Reader(f"<ANSWER>{words['answer']}").public  # tags hide here too
    words["votes"] = [words.pop("vote")]
    deal = values.get("deal")
    if isinstance(deal, dict):
        # An option under another issue's letter is no option of that issue.
        named = ((key, f"{value}".strip()) for key, value in deal.items())
        deal = ",".join(v if v[:1].upper() == key.upper() else f"{key}={v}" for key, v in named)
    return {**words, "deals": [] if deal is None else [str(deal)]}


def _one_deal(fields: Sequence[str], num_options: Sequence[int]) -> ParsedDeal:
    if not fields:
        return ParsedDeal(None, ParseStatus.MISSING)
    read = [parse_deal(field, num_options) for field in fields]
    if any(each != read[0] for each in read):
        return ParsedDeal(None, ParseStatus.SEVERAL_DEALS)
    return read[0]
