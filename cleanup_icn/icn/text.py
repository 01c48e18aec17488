"""The words of talks, born and read here; those of play are Cleanup's own (`cleanup_icn.text`)."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from cleanup_icn.answers import read_object, read_spoken
from cleanup_icn.contracts import (
    Condition,
    Contract,
    ContractError,
    Duration,
    Fine,
    LumpSum,
    NaturalLanguageContract,
    Quota,
    Share,
    Wage,
    contract_line,
)
from cleanup_icn.icn.config import ICNConfig
from cleanup_icn.icn.history import Negotiation
from cleanup_icn.icn.observe import ACCEPT, FIRST_PROPOSAL, REJECT
from cleanup_icn.icn.protocol import Move, Outcome, Speech, Stage, Talks, advance, can_say
from cleanup_icn.observe import View, agent_names
from cleanup_icn.state import WAIT
from cleanup_icn.text import (
    ACTION_NAMES,
    NO_CONTRACT_LINE,
    ParseStatus,
    render_choice,
    render_observation,
    render_situation,
)

_EXAMPLES = (
    Contract([Share(payer="agent_0", payee="others", of="harvested", fraction=0.4)]),
    Contract(
        [Wage(payer="others", payee="agent_1", per="cleaned", rate=0.6, cap=40)], Duration("change")
    ),
    Contract(
        [
            Fine(
                payer="all",
                payee="others",
                per="harvested",
                rate=1,
                when=Condition("pollution", ">=", 6),
            )
        ],
        Duration("step", 30),
    ),
    Contract([Quota(payer="agent_1", payee="others", per="cleaned", at_least=3, amount=2)]),
    Contract([LumpSum(payer="agent_0", payee="agent_1", amount=5)]),
)
"""One of each clause and each duration, to show the language by."""

PLAIN_LANGUAGE = (
    "Any other proposal of one line is a contract in plain language: in each step a judge who "
    "reads it and sees what everybody did decides who pays whom how much."
)
"""Added to the rules where contracts can be in plain language."""

HISTORY_SHOWN = 8
"""How many of the latest negotiations an agent in talks is shown."""


class Phase(NamedTuple):
    """What the agents are at: talks, or play of which the next steps may be forced waiting."""

    talks: Talks | None
    waiting_steps: int  # play steps of forced waiting still to come


@dataclass(frozen=True)
class TalkView:
    """The talks as one agent reads them."""

    stage: Stage
    proposer: int
    round_number: int
    max_rounds: int
    proposal: Contract | None
    menu: tuple[Contract, ...]


class PastTalks(NamedTuple):
    """What earlier talks came to, as agents in talks read of it."""

    step: int  # play step before which they were held
    is_ratified: bool
    after: Contract  # in force when they ended


class ParsedSpeech(NamedTuple):
    """An answer in talks: what is said, the contract it names, and how it was read.

    ``menu_index`` is set where the answer names a contract by its number in the menu.
    """

    speech: Speech
    contract: Contract | None
    menu_index: int | None
    status: ParseStatus


def render_rules(
    rules: str, menu: Sequence[Contract], *, features: Sequence[str], icn: ICNConfig
) -> str:
    """Add to the rules of play how talks go; nothing here changes during an episode."""
    keeps = icn.disagreement == "keep"
    stands = "the contract in force stands" if keeps else "no contract is in force"
    return (
        f"{rules}\n"
        "At times contracts are negotiated while the world stands still. One agent proposes a "
        "contract; all others answer at once: accept, reject, or counter with another contract. If "
        "all accept it is in force. Else the first counter is the next proposal, or the next agent "
        f"proposes. If none of {icn.max_rounds} proposals is accepted, {stands}. Talks cost "
        f"{icn.negotiation_cost_steps} steps of waiting.\n"
        f"A contract is named by its number in the menu:\n{render_menu(menu)}\n"
        f"or written out, as JSON or as one sentence of up to {icn.max_clauses} clauses joined by "
        f"semicolons. Clauses pay for units {', '.join(features)}; payers and payees are agents, "
        "the others or every agent. Examples of all that a contract can say:\n"
        + "\n".join(contract.to_text() for contract in _EXAMPLES)
        + (f"\n{PLAIN_LANGUAGE}" if icn.natural_language else "")
    )


def render_in_contract(
    seen: View, contract: Contract, phase: Phase, menu: Sequence[Contract]
) -> str:
    """Write what an agent sees in play or in talks (without the history)."""
    situation = render_situation(seen).replace(NO_CONTRACT_LINE, contract_line(contract), 1)
    if phase.talks is not None:
        return f"{situation}\n{_render_talks(seen, phase.talks, menu)}"
    if phase.waiting_steps and seen.step < seen.horizon_steps:
        waiting = f"Phase: waiting after talks, {phase.waiting_steps} steps to go."
        return f"{situation}\n{waiting}\n{render_choice(('wait',))}"
    final = render_observation(seen).rsplit("\n", 1)[-1]
    return f"{situation}\nPhase: play.\n{final}"


def render_history(history: Sequence[Negotiation]) -> str:
    """Write what the latest negotiations came to, a line each, oldest first."""
    lines = []
    for held in history[-HISTORY_SHOWN:]:
        result = _AGREED if held.is_ratified else _FAILED
        lines.append(
            f"Talks before step {held.step} (pollution {held.public['pollution']:g}, fruit "
            f"{held.public['fruit']:g}, fruit grows below {held.public['pollution_threshold']:g}): "
            f"{result}: {held.after.to_text()}"
        )
    return "\n".join(lines)


def parse_history(text: str) -> tuple[PastTalks, ...]:
    """Return what an observation tells of earlier negotiations, oldest first; none in play."""
    return tuple(
        PastTalks(int(found["step"]), found["result"] == _AGREED, _read_contract(found["after"]))
        for found in _HISTORY.finditer(text)
    )


def render_menu(menu: Sequence[Contract]) -> str:
    """Write the menu, a line a contract."""
    return "\n".join(f"Menu {i}: {contract.to_text()}" for i, contract in enumerate(menu))


def parse_contracts(text: str) -> tuple[Contract, ...]:
    """Return the contracts in force that an observation names, the null contract left out."""
    found = re.findall(r"^Contract in force: (.+)$", text, re.MULTILINE)
    return tuple(_read_contract(words) for words in found if words != "none.")


def parse_talks(text: str) -> TalkView | None:
    """Return the talks an observation tells of, or None in play."""
    found = _TALKS.search(text)
    if found is None:
        return None
    proposal = found["proposal"]
    return TalkView(
        stage=Stage.RESPOND if proposal else Stage.PROPOSE,
        proposer=int(found["proposer"]),
        round_number=int(found["round"]),
        max_rounds=int(found["max"]),
        proposal=_read_contract(proposal) if proposal else None,
        menu=tuple(_read_contract(words) for words in _MENU.findall(text)),
    )


def is_waiting(text: str) -> bool:
    """Whether an observation says that waiting is forced."""
    return "\nPhase: waiting after talks" in text


def parse_speech(
    answer: object, menu: Sequence[Contract], *, natural_language: bool = False
) -> ParsedSpeech:
    """Read the last ``Action:`` line of an answer in talks, or a JSON object; never raises.

    ``pass``, ``accept`` or ``reject`` and no more, or ``propose X`` or ``counter X``, where X is a
    number of the menu, a contract in words, or one in JSON; as an object, X is the value of
    ``contract``. With ``natural_language`` other words are a contract in plain language. What
    stands in a scratchpad or a plan does not count. Anything else is nothing said, with its status.
    """
    if not isinstance(answer, str):
        return _nothing(ParseStatus.NOT_TEXT)
    try:
        given = read_object(answer, ("scratchpad", "action", "contract", "plan"))
    except ValueError:
        return _nothing(ParseStatus.BAD_JSON)
    if given is not None:
        return _parse_object(given, menu, natural_language)
    aloud = read_spoken(answer).aloud
    found = list(_ACTION.finditer(aloud))
    if not found:
        return _nothing(ParseStatus.MISSING)
    word = found[-1]["word"].lower()
    if word in ("propose", "counter"):
        return _parse_proposal(aloud[found[-1].end("word") :], menu, natural_language)
    if word not in _PLAIN or re.search(r"\w", found[-1]["rest"]):
        return _nothing(ParseStatus.UNKNOWN_ACTION)
    return ParsedSpeech(Speech(word), None, None, ParseStatus.OK)


_PLAIN = ("pass", "accept", "reject")


def render_answer(
    action: object, stage: Stage | None = None, *, plan: str = "", thought: str = ""
) -> str:
    """Write the shortest answer that is read as this action: the inverse of ``parse_answer``.

    In talks, which wait for `stage`, the action may be a contract. `plan` and `thought` are lines
    to oneself. Raises `ValueError` where no answer stands for the action.
    """
    if (named := _name_of(action, stage)) is None:
        raise ValueError(f"action = {action!r}: expected one that an answer stands for")
    before = f"<SCRATCHPAD>{thought}</SCRATCHPAD>\n" if thought else ""
    return f"{before}Action: {named}" + (f"\n<PLAN>{plan}</PLAN>" if plan else "")


def _name_of(action: object, stage: Stage | None) -> str | None:
    if stage is None:
        return _NAMES_IN_PLAY.get(action)
    verb = "propose" if stage is Stage.PROPOSE else "counter"
    if isinstance(action, Contract):
        return f"{verb} {action.to_text()}"
    if isinstance(action, int) and action >= FIRST_PROPOSAL:
        return f"{verb} {action - FIRST_PROPOSAL}"
    return _NAMES_IN_TALKS.get(action)


_NAMES_IN_PLAY: Mapping[object, str] = dict(enumerate(ACTION_NAMES))
_NAMES_IN_TALKS: Mapping[object, str] = {WAIT: "pass", ACCEPT: "accept", REJECT: "reject"}


def _nothing(status: ParseStatus) -> ParsedSpeech:
    return ParsedSpeech(Speech.NOTHING, None, None, status)


def _parse_object(
    given: Mapping[str, Any], menu: Sequence[Contract], natural_language: bool
) -> ParsedSpeech:
    """Read a JSON answer: a contract goes with a proposal and with nothing else."""
    if "action" not in given:
        return _nothing(ParseStatus.MISSING)
    word = given["action"].strip().lower()
    if word not in (*_PLAIN, "propose", "counter"):
        return _nothing(ParseStatus.UNKNOWN_ACTION)
    if word in _PLAIN:
        if "contract" in given:
            return _nothing(ParseStatus.BAD_JSON)
        return ParsedSpeech(Speech(word), None, None, ParseStatus.OK)
    named = given.get("contract", "")
    if isinstance(named, str | int) and not isinstance(named, bool):
        return _parse_proposal(f"{named}", menu, natural_language)
    try:
        contract = Contract.from_dict(named)
    except (ValueError, RecursionError):
        return _nothing(ParseStatus.BAD_CONTRACT)
    return ParsedSpeech(Speech.PROPOSE, contract, None, ParseStatus.OK)


def talk_choices(talks: Talks, agent_index: int) -> tuple[str, ...]:
    """Return the names of what an agent can answer in talks."""
    named = {"pass": Speech.PASS, "accept": Speech.ACCEPT, "reject": Speech.REJECT}
    named["propose" if talks.stage is Stage.PROPOSE else "counter"] = Speech.PROPOSE
    return tuple(name for name, speech in named.items() if can_say(talks, agent_index, speech))


def render_talk(step: int, talks: Talks, moves: Sequence[Move], after: Contract) -> str:
    """Write what was said in a step of talks and what came of it, in one line.

    Args:
        step: the play step before which the talks are held.
        talks: the talks as they stood.
        moves: what everybody said, by agent index.
        after: the contract in force after it.
    """
    names = agent_names(talks.num_agents)
    asked = [
        i for i in range(talks.num_agents) if (i == talks.proposer) == (talks.proposal is None)
    ]
    line = f"Talks before step {step}, round {talks.round_number} of {talks.max_rounds}: "
    said = [f"{names[i]} {_render_move(talks, i, moves[i])}" for i in asked]
    line += " ".join(words if words.endswith(".") else words + "." for words in said)
    outcome = advance(talks, moves)
    if not isinstance(outcome, Outcome):
        return line
    result = "All agreed" if outcome.is_ratified else "No agreement"
    return f"{line} {result}; in force: {after.to_text()}"


def _render_move(talks: Talks, agent_index: int, move: Move) -> str:
    if not can_say(talks, agent_index, move.speech):
        return "said nothing"
    if move.contract is not None:
        verb = "proposed" if talks.proposal is None else "countered"
        return f"{verb}: {move.contract.to_text()}"
    return {Speech.PASS: "passed", Speech.ACCEPT: "accepted", Speech.REJECT: "rejected"}[
        move.speech
    ]


_ACTION = re.compile(
    r"^[^\w\n]*action[^\w\n:]*:[^\w\n]*(?P<word>[a-z_]+)(?P<rest>[^\n]*)",
    re.IGNORECASE | re.MULTILINE,
)
_TALKS = re.compile(
    r"^Phase: talks, round (?P<round>\d+) of (?P<max>\d+)\. agent_(?P<proposer>\d+) "
    r"(?:is to propose\.|proposes: (?P<proposal>.+))$",
    re.MULTILINE,
)
_MENU = re.compile(r"^Menu \d+: (.+)$", re.MULTILINE)
_AGREED, _FAILED = "agreed on", "no agreement, then in force"
_HISTORY = re.compile(
    r"^Talks before step (?P<step>\d+) \([^()]*\): "
    rf"(?P<result>{_AGREED}|{_FAILED}): (?P<after>.+)$",
    re.MULTILINE,
)


def _render_talks(seen: View, talks: Talks, menu: Sequence[Contract]) -> str:
    proposer = agent_names(talks.num_agents)[talks.proposer]
    says = f"proposes: {talks.proposal.to_text()}" if talks.proposal else "is to propose."
    lines = [f"Phase: talks, round {talks.round_number} of {talks.max_rounds}. {proposer} {says}"]
    choices = [
        f"{name} <number or contract>" if name in ("propose", "counter") else name
        for name in talk_choices(talks, seen.agent_index)
    ]
    if len(choices) > 1:
        lines.append(render_menu(menu))
    return "\n".join([*lines, render_choice(choices)])


def _parse_proposal(words: str, menu: Sequence[Contract], natural_language: bool) -> ParsedSpeech:
    """Read what follows ``propose``: the rest of the line, or JSON over several lines."""
    line = words.split("\n", 1)[0].strip(" \t:*`\"'<>")
    number = re.fullmatch(r"(?:menu\s*|number\s*|#)?([0-9]{1,9})\W*", line, re.IGNORECASE)
    json_form = re.match(r"[\s:]*(?:`+(?:json)?\s*)?(?=\{)", words)
    try:
        if number and int(number[1]) < len(menu):
            index = int(number[1])
            return ParsedSpeech(Speech.PROPOSE, menu[index], index, ParseStatus.OK)
        if json_form:
            contract = Contract.from_json(_first_object(words[json_form.end() :]))
        else:
            contract = Contract.from_text(line)
    except (ValueError, RecursionError):  # a JSON form can be nested without end
        if natural_language and not number and not json_form and re.search(r"[^\W\d]", line):
            return _in_plain_language(line)
        return _nothing(ParseStatus.BAD_CONTRACT)
    return ParsedSpeech(Speech.PROPOSE, contract, None, ParseStatus.OK)


def _in_plain_language(line: str) -> ParsedSpeech:
    try:
        contract = NaturalLanguageContract(line)
    except ContractError:  # too many words
        return _nothing(ParseStatus.BAD_CONTRACT)
    return ParsedSpeech(Speech.PROPOSE, contract, None, ParseStatus.OK)


def _read_contract(words: str) -> Contract:
    """Read a contract as observations write it, be it a sentence of the language or not."""
    try:
        return Contract.from_text(words)
    except ContractError:
        return NaturalLanguageContract(words)


def _first_object(words: str) -> str:
    """Return the JSON object that a text begins with; what follows it does not matter."""
    _, end = json.JSONDecoder().raw_decode(words)
    return words[:end]
