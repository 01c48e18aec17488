"""The only place where Cleanup's words are born and read.

`render_observation` and `parse_observation` are each other's inverse; `parse_action` reads what an
agent answered and never raises. An answer is prose that ends with an ``Action:`` line, its secret
parts between ``<SCRATCHPAD>``, ``<THINK>`` or ``<PLAN>`` and their closing tags, or one JSON
object.
"""

from __future__ import annotations

import re
import string
from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from typing import Any, NamedTuple

from cleanup_icn.answers import read_object, read_spoken
from cleanup_icn.config import SCHEDULED_NAMES, CleanupConfig, ConfigError
from cleanup_icn.observe import Announcement, View, agent_names
from cleanup_icn.rules import is_legal
from cleanup_icn.state import WAIT, CleanupState, Parameters, StepFeatures

CHARSET = string.ascii_letters + string.digits + string.punctuation + " \n"
"""The characters the game writes with: what its `Text` spaces declare."""

ACTION_NAMES = ("wait", "move", "harvest", "clean")
ACTION_BY_NAME = {name: action for action, name in enumerate(ACTION_NAMES)}

NO_CONTRACT_LINE = "Contract in force: none."
"""Stands where a contract's sentence goes when the environment is wrapped in one."""

GAME_OVER = "The episode is over."

STEPS: Mapping[str, str] = {
    "think": "Think step by step about what to do.",
    "observe": "Note what the others have done so far and what each of them probably wants.",
    "explore": (
        "Try out your choices: for each, add up what it would bring you now and in the steps "
        "after it."
    ),
    "predict": "Before you decide, say what each of the others will do next, and why.",
    "universalize": "Ask of each of your choices what would come of it if everybody did so.",
    "plan": (
        "At the end, between <PLAN> and </PLAN>, write short notes to yourself for your next "
        "turn; nobody else sees them."
    ),
}
"""The steps of thought that a model can be asked for, in the order in which they are."""


def max_chars(config: CleanupConfig) -> int:
    """Return an upper bound on the length of an observation, in characters."""
    amounts = (value for value in config.to_dict().values() if isinstance(value, int))
    scheduled = (value for change in config.schedule for _, value in change.values)
    digits = len(str(int(max((*amounts, *scheduled)))))
    return 4096 + 64 * digits


class ParseStatus(StrEnum):
    """How an answer was read; anything but ``OK`` became the documented fallback."""

    OK = "ok"
    MISSING = "missing"  # no line of the asked form
    UNKNOWN_ACTION = "unknown_action"  # the line names no action
    BAD_CONTRACT = "bad_contract"  # what is proposed is not a contract of the language
    BAD_JSON = "bad_json"  # a broken JSON object, or one whose keys are unknown or contradictory
    NOT_TEXT = "not_text"  # the answer is no string


class ParsedAction(NamedTuple):
    """An answer as the environment takes it: ``action`` is the fallback unless status is OK.

    In talks the action may be a contract proposed in words.
    """

    action: Any
    status: ParseStatus


# Each class leaves out what ends it, so that no answer, however odd, takes long to read.
_ACTION_LINE = re.compile(
    r"^[^\w\n]*action[^\w\n:]*:[^\w\n]*([a-z_]+)[^\w\n]*$", re.IGNORECASE | re.MULTILINE
)


def parse_action(answer: object) -> ParsedAction:
    """Read the last line of the form ``Action: <name>``, or a JSON object ``{"action": <name>}``.

    Case, surrounding blanks and punctuation (``**Action:** Move.``) do not matter. What stands in a
    scratchpad or a plan does not count. Anything else is a wait with its status.
    """
    if not isinstance(answer, str):
        return ParsedAction(WAIT, ParseStatus.NOT_TEXT)
    try:
        given = read_object(answer, ("scratchpad", "action", "plan"))
    except ValueError:
        return ParsedAction(WAIT, ParseStatus.BAD_JSON)
    if given is not None:
        named = [given["action"].strip()] if "action" in given else []
    else:
        named = _ACTION_LINE.findall(read_spoken(answer).aloud)
    if not named:
        return ParsedAction(WAIT, ParseStatus.MISSING)
    action = ACTION_BY_NAME.get(named[-1].lower())
    if action is None:
        return ParsedAction(WAIT, ParseStatus.UNKNOWN_ACTION)
    return ParsedAction(action, ParseStatus.OK)


def render_rules(config: CleanupConfig) -> str:
    """Write what holds for the whole episode: the part of a prompt that never changes."""
    return (
        f"{config.num_agents} agents share a river and a fruit garden for "
        f"{config.horizon_steps} steps. In each step all act at once, without seeing the others' "
        "choices of that step.\n"
        "wait: do nothing. move: go to the other place. harvest: take fruit, possible in the fruit "
        "garden only. clean: remove pollution, possible at the river shore only. An action at the "
        "wrong place does nothing. Fruit too scarce for all harvesters is shared equally among "
        "them.\n"
        "After the actions pollution grows, and then fruit grows if pollution is low enough.\n"
        "Your reward is the fruit you harvest; cleaning earns nothing by itself. A contract in "
        "force moves reward between agents as it says. The numbers of the world are given in each "
        "observation and may change."
    )


def render_observation(seen: View) -> str:
    """Write what an agent sees, in the same wording each step; `parse_observation` reads it."""
    return render_observations(seen)[seen.agent_index]


def render_observations(seen: View) -> list[str]:
    """Write what each agent sees; whose view this is does not matter."""
    scene = _render_scene(seen)
    is_over = seen.step >= seen.horizon_steps
    written = []
    for i, name in enumerate(agent_names(seen.num_agents)):
        at_shore = seen.at_shore >> i & 1
        ending = GAME_OVER if is_over else _CHOICES[at_shore]
        written.append(f"You are {name}, {_PLACES[at_shore]}. {scene}\n{ending}")
    return written


def render_situation(seen: View) -> str:
    """Write where everything stands, without what can be done about it."""
    return render_observation(seen).rpartition("\n")[0]


def _render_scene(seen: View) -> str:
    """Write what all agents see alike, with what the first line begins with left out."""
    garden: list[str] = []
    shore: list[str] = []
    for i, name in enumerate(agent_names(seen.num_agents)):
        (shore if seen.at_shore >> i & 1 else garden).append(name)
    lines = [
        f"In the fruit garden: {', '.join(garden) or 'nobody'}. At the river shore: "
        f"{', '.join(shore) or 'nobody'}. Step {seen.step} of {seen.horizon_steps}.",
        _render_pollution(seen.pollution, seen.parameters),
        _render_fruit(seen.fruit, seen.parameters),
        NO_CONTRACT_LINE,
        f"Changed just now: {_render_changes(seen.changed)}.",
    ]
    if seen.announced:
        lines.append(_render_announcement(seen.announced, seen.parameters))
    return "\n".join(lines)


def render_choice(choices: Sequence[str]) -> str:
    """Write what an agent may answer: the last line of an observation."""
    return f'Choose one: {", ".join(choices)}. End with a line "Action: <choice>".'


_PLACES = ("in the fruit garden", "at the river shore")
_CHOICES = tuple(
    render_choice([name for name, action in ACTION_BY_NAME.items() if is_legal(action, at_shore)])
    for at_shore in (False, True)
)


def check_steps(steps: Sequence[str]) -> None:
    """Raise `ConfigError` unless all of these are steps of thought."""
    for step in steps:
        if step not in STEPS:
            raise ConfigError("step", step, "one of " + ", ".join(STEPS))


def render_instruction(
    observation: str, steps: Sequence[str], *, plan: str = "", json_form: str = ""
) -> str:
    """Write what a model is to do now: an observation, and how to think before answering it.

    The last line stays the observation's, which says how to answer.

    Args:
        observation: an observation in words.
        steps: names in `STEPS`; with none the model is to answer at once.
        plan: what the agent noted for itself.
        json_form: how the same answer looks as JSON, if it may be that.
    """
    situation, _, choice = observation.rpartition("\n")
    if choice == GAME_OVER:
        return observation
    lines = [f"Your notes to yourself: {plan}"] if plan else []
    lines += [situation] if situation else []
    thoughts = [words for name, words in STEPS.items() if name in steps and name != "plan"]
    if thoughts:
        lines.append("First, between <SCRATCHPAD> and </SCRATCHPAD>, which nobody else sees:")
        lines += thoughts
    if "plan" in steps:
        lines.append(STEPS["plan"])
    if not steps:
        lines.append("Answer at once, with the line asked for and nothing else.")
    if json_form:
        lines.append(f"In JSON the same is {json_form}.")
    return "\n".join([*lines, choice])


class Chronicle:
    """The public record of an episode: a line an event, written when somebody reads it.

    Lines are only ever added, and none changes once it was read.
    """

    def __init__(self) -> None:
        self._events: list[tuple[Callable[..., str], tuple[Any, ...]]] = []
        self._lines: list[str] = []

    def add(self, render: Callable[..., str], *values: Any) -> None:
        """Note an event of which ``render(*values)``, values that never change, writes the line."""
        self._events.append((render, values))

    @property
    def lines(self) -> tuple[str, ...]:
        """The lines so far, oldest first."""
        for render, values in self._events[len(self._lines) :]:
            self._lines.append(render(*values))
        return tuple(self._lines)


def render_step(
    config: CleanupConfig,
    step: int,
    before: CleanupState,
    features: StepFeatures,
    now: CleanupState,
) -> str:
    """Write what everybody did in a step and what came of it, in one line."""
    done = ", ".join(
        f"{name} {_render_deed(1 << i, before.at_shore ^ now.at_shore, features)}"
        for i, name in enumerate(agent_names(config.num_agents))
    )
    line = f"Step {step}: {done}. Then pollution {now.pollution}, fruit {now.fruit}."
    changed = config.changed_at(step + 1)
    if changed:
        told = _render_changes(tuple((name, *values) for name, values in changed.items()))
        line += f" Changed: {told}."
    return line


def _render_deed(agent: int, movers: int, features: StepFeatures) -> str:
    """Write what one agent did; it and all sets are bits."""
    if features.harvesters & agent:
        return f"harvested {features.harvest_share:g}"
    if features.cleaners & agent:
        return f"cleaned {features.clean_share:g}"
    if movers & agent:
        return "moved"
    return "tried what was not possible" if features.illegal & agent else "waited"


def words_of(observation: Any) -> str:
    """Return an observation's text, whichever kind of observation has one."""
    words = observation.get("text") if isinstance(observation, dict) else observation
    if not isinstance(words, str):
        raise ConfigError("observation", type(observation).__name__, '"both" or "text": words')
    return words


def parse_observation(text: str) -> View:
    """Read an observation back, whatever contract stands in it.

    Raises:
        ValueError: if the text is not an observation of Cleanup.
    """
    head, pollution, fruit = (_match(pattern, text) for pattern in (_HEAD, _POLLUTION, _FRUIT))
    garden = _names(head["garden"])
    shore = _names(head["shore"])
    parameters = Parameters(
        pollution_threshold=int(pollution["threshold"]),
        pollution_growth_per_step=int(pollution["growth"]),
        fruit_growth_per_step=int(fruit["growth"]),
        harvest_per_action=int(fruit["harvest"]),
        clean_per_action=int(pollution["clean"]),
        prob_pollution_growth=float(pollution["prob"] or 1.0),
        prob_fruit_growth=float(fruit["prob"] or 1.0),
        pollution_max=int(pollution["max"]),
        fruit_max=int(fruit["max"]),
        is_linear=fruit["linear"] is not None,
    )
    return View(
        agent_index=int(head["me"]),
        num_agents=len(garden) + len(shore),
        at_shore=sum(1 << i for i in shore),
        step=int(head["step"]),
        horizon_steps=int(head["horizon"]),
        pollution=int(pollution["now"]),
        fruit=int(fruit["now"]),
        parameters=parameters,
        changed=tuple(
            (name, _number(old), _number(new))
            for name, old, new in _CHANGE.findall(_match(_CHANGED, text)["changes"])
        ),
        announced=_parse_announcement(text, parameters),
    )


def _render_pollution(now: int, p: Parameters) -> str:
    return (
        f"Pollution {now} of at most {p.pollution_max} (fruit grows only below "
        f"{p.pollution_threshold}; +{p.pollution_growth_per_step} each step"
        f"{_render_chance(p.prob_pollution_growth)}; one cleaning removes up to "
        f"{p.clean_per_action})."
    )


def _render_fruit(now: int, p: Parameters) -> str:
    share = f" * ({p.pollution_threshold} - pollution) // {p.pollution_threshold}"
    return (
        f"Fruit {now} of at most {p.fruit_max} (+{p.fruit_growth_per_step}"
        f"{share if p.is_linear else ''} when it grows{_render_chance(p.prob_fruit_growth)}; "
        f"one harvest takes up to {p.harvest_per_action})."
    )


def _render_chance(probability: float) -> str:
    return "" if probability == 1.0 else f" with probability {probability!r}"


def _render_changes(changed: tuple[tuple[str, int | float, int | float], ...]) -> str:
    return ", ".join(f"{name} from {old} to {new}" for name, old, new in changed) or "nothing"


def _render_announcement(announced: Announcement, now: Parameters) -> str:
    values = zip(SCHEDULED_NAMES, announced.parameters, now, strict=False)
    coming = ", ".join(f"{name} {then}" for name, then, value in values if then != value)
    return f"Announced from step {announced.step}: {coming}."


_CHANCE = r"(?: with probability (?P<prob>[0-9.e-]+))?"
_HEAD = re.compile(
    r"^You are agent_(?P<me>\d+), (?:at|in) the [a-z ]+\. In the fruit garden: (?P<garden>[^.]+)\. "
    r"At the river shore: (?P<shore>[^.]+)\. Step (?P<step>\d+) of (?P<horizon>\d+)\.$",
    re.MULTILINE,  # an agreed contract stands in the text too, and its words may imitate a line
)
_POLLUTION = re.compile(
    r"^Pollution (?P<now>\d+) of at most (?P<max>\d+) \(fruit grows only below (?P<threshold>\d+); "
    r"\+(?P<growth>\d+) each step" + _CHANCE + r"; one cleaning removes up to (?P<clean>\d+)\)\.$",
    re.MULTILINE,
)
_FRUIT = re.compile(
    r"^Fruit (?P<now>\d+) of at most (?P<max>\d+) \(\+(?P<growth>\d+)"
    r"(?P<linear> \* \(\d+ - pollution\) // \d+)? when it grows" + _CHANCE + r"; one harvest takes "
    r"up to (?P<harvest>\d+)\)\.$",
    re.MULTILINE,
)
_CHANGED = re.compile(r"^Changed just now: (?P<changes>.+)\.$", re.MULTILINE)
_CHANGE = re.compile(r"(\w+) from ([0-9.e-]+) to ([0-9.e-]+)(?=, |$)")
_ANNOUNCED = re.compile(r"^Announced from step (?P<step>\d+): (?P<values>.+)\.$", re.MULTILINE)
_ANNOUNCED_VALUE = re.compile(r"(\w+) ([0-9.e-]+)(?=, |$)")


def _match(pattern: re.Pattern[str], text: str) -> re.Match[str]:
    found = pattern.search(text)
    if found is None:
        raise ValueError(f"not an observation of Cleanup: nothing matches {pattern.pattern!r}")
    return found


def _names(listed: str) -> list[int]:
    return [int(index) for index in re.findall(r"agent_(\d+)", listed)]


def _number(written: str) -> int | float:
    return int(written) if written.isdigit() else float(written)


def _parse_announcement(text: str, now: Parameters) -> Announcement | None:
    found = _ANNOUNCED.search(text)
    if found is None:
        return None
    values: dict[str, Any] = {
        name: _number(value) for name, value in _ANNOUNCED_VALUE.findall(found["values"])
    }
    return Announcement(int(found["step"]), now._replace(**values))
