"""Which questions of a run are taught: by filters, and so many an episode."""

from __future__ import annotations

import operator
import random
import re
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from benchmarks.arena import STUB_PREFIX, Arena
from benchmarks.checked import one_of_nearest
from benchmarks.cleanup.arena import CleanupArena
from benchmarks.episode_row import EpisodeRow
from benchmarks.lineups import players_of
from benchmarks.suite import Suite
from benchmarks.teaching.questions import Asked
from cleanup_icn import ConfigError, ParseStatus
from cleanup_icn.observe import agent_names
from negotiation_games import ParseStatus as DealStatus
from negotiation_games.state import Phase

OPTION = "--filter"

_Value = str | float
_OPERATORS: Mapping[str, Callable[[Any, Any], bool]] = {
    "=": operator.eq,
    ">=": operator.ge,
    "<=": operator.le,
}
_FILTER = re.compile(r"([a-z]+)(>=|<=|=)(.+)")

_OF_EPISODE: Mapping[str, Callable[[EpisodeRow], _Value | None]] = {
    "arena": lambda row: row.arena,
    "policy": lambda row: row.policy,
    "condition": lambda row: row.contract,
    "efficiency": lambda row: row.measures.get("efficiency"),
}
_OF_QUESTION: Mapping[str, Callable[[Asked], _Value]] = {
    "agent": lambda asked: asked.agent,
    "player": lambda asked: asked.player,
    "persona": lambda asked: asked.player.removeprefix(STUB_PREFIX),
    "phase": lambda asked: asked.phase,
    "status": lambda asked: asked.status,
    "return": lambda asked: asked.episode_return,
}
KEYS = (*_OF_EPISODE, *_OF_QUESTION)
"""What can be asked of an episode or a question."""

NUMBERS = ("return", "efficiency")
"""Those of `KEYS` that are numbers, which ``>=`` and ``<=`` compare as well."""

PHASES = ("play", "waiting", "propose", "respond", Phase.DISCUSS, Phase.FINAL, Phase.VOTE)
STATUSES = tuple(dict.fromkeys((*map(str, ParseStatus), *map(str, DealStatus))))


@dataclass(frozen=True)
class Filter:
    """One thing that must hold of a question."""

    key: str  # one of `KEYS`
    operator: str  # "=", or for numbers also ">=" or "<="
    value: _Value

    def __str__(self) -> str:
        """Write it as the command line takes it."""
        value = f"{self.value:g}" if isinstance(self.value, float) else self.value
        return f"{self.key}{self.operator}{value}"

    @property
    def is_of_episode(self) -> bool:
        """Whether it holds of all questions of an episode or of none."""
        return self.key in _OF_EPISODE

    def takes_episode(self, row: EpisodeRow) -> bool:
        """Whether an episode passes; every one does if the filter is about questions."""
        if not self.is_of_episode:
            return True
        value = _OF_EPISODE[self.key](row)
        if self.key == "policy" and value != self.value:
            value = row.policy.rpartition("/")[0]  # all seeds of a training
        return value is not None and _OPERATORS[self.operator](value, self.value)

    def takes(self, asked: Asked) -> bool:
        """Whether a question passes; every one does if the filter is about episodes."""
        if self.is_of_episode:
            return True
        return _OPERATORS[self.operator](_OF_QUESTION[self.key](asked), self.value)


def parse_filter(written: str) -> Filter:
    """Read ``KEY=VALUE``, or for numbers also ``KEY>=VALUE`` and ``KEY<=VALUE``.

    Raises:
        ConfigError: there is no such key, or its values are others.
    """
    found = _FILTER.fullmatch(written.strip())
    if found is None:
        raise ConfigError(OPTION, written, "KEY=VALUE, KEY>=NUMBER or KEY<=NUMBER")
    key, compared, value = found[1], found[2], found[3].strip()
    if key not in KEYS:
        raise ConfigError(OPTION, written, f"a key that is {one_of_nearest(key, KEYS)}")
    if key in NUMBERS:
        return Filter(key, compared, _number(written, value))
    if compared != "=":
        allowed = f"{key}=VALUE: only {' and '.join(NUMBERS)} are numbers"
        raise ConfigError(OPTION, written, allowed)
    chosen = Filter(key, compared, value)
    if key == "phase":
        _require_known(chosen, PHASES)
    if key == "status":
        _require_known(chosen, STATUSES)
    return chosen


def _number(written: str, value: str) -> float:
    try:
        number = float(value)
    except ValueError:
        number = float("nan")
    if number != number:
        raise ConfigError(OPTION, written, "a number after the operator")
    return number


def check_filters(filters: Iterable[Filter], suites: Sequence[Suite]) -> None:
    """Refuse names that nothing in these suites goes by.

    Raises:
        ConfigError: names the filter and what there is.
    """
    arenas = [arena for suite in suites for arena in suite.arenas]
    for chosen in filters:
        if chosen.key in _NAMES_IN:
            known = dict.fromkeys(name for a in arenas for name in _NAMES_IN[chosen.key](a))
            _require_known(chosen, known)


def _require_known(chosen: Filter, known: Collection[str]) -> None:
    if chosen.value not in known:
        raise ConfigError(OPTION, str(chosen), f"a {chosen.key} that is {_nearest(chosen, known)}")


_SHOWN = 20


def _nearest(chosen: Filter, known: Collection[str]) -> str:
    """Say what there is; of many, the first."""
    shown = list(known)[:_SHOWN]
    if len(shown) == len(known):
        return one_of_nearest(chosen.value, known)
    return f"one of {len(known)}, such as {', '.join(shown)}"


def _policies(arena: Arena[Any]) -> Iterable[str]:
    return (*arena.policies, *(name for each in arena.policies for name in arena.players(each)))


def _players(arena: Arena[Any]) -> Iterable[str]:
    return (name for policy in arena.policies for name in players_of(arena, policy))


def _personas(arena: Arena[Any]) -> Iterable[str]:
    return (name.removeprefix(STUB_PREFIX) for name in _players(arena))


def _agents(arena: Arena[Any]) -> Iterable[str]:
    if isinstance(arena, CleanupArena):
        return agent_names(arena.scenario.config.num_agents)
    return (name for setting in arena.conditions for name in setting.load().party_names)


_NAMES_IN: Mapping[str, Callable[[Arena[Any]], Iterable[str]]] = {
    "arena": lambda arena: (arena.name,),
    "policy": _policies,
    "condition": lambda arena: (condition.name for condition in arena.conditions),
    "agent": _agents,
    "player": _players,
    "persona": _personas,
}


class Selection:
    """Filters that must all hold, and how much each of them has taken away.

    A question counts against the first filter that it fails.
    """

    def __init__(self, filters: Sequence[Filter]) -> None:
        self._filters = tuple(filters)
        self.num_episodes = self.num_questions = 0  # looked at; questions of the episodes kept
        self._episodes_taken: Counter[Filter] = Counter()
        self._questions_taken: Counter[Filter] = Counter()

    def wants(self, row: EpisodeRow) -> bool:
        """Whether an episode passes."""
        self.num_episodes += 1
        failed = next((each for each in self._filters if not each.takes_episode(row)), None)
        if failed is not None:
            self._episodes_taken[failed] += 1
        return failed is None

    def keeps(self, asked: Asked) -> bool:
        """Whether a question of such an episode passes."""
        self.num_questions += 1
        failed = next((each for each in self._filters if not each.takes(asked)), None)
        if failed is not None:
            self._questions_taken[failed] += 1
        return failed is None

    def told(self) -> str:
        """Say how many there were and which filter took how many."""
        words = [f"{self.num_episodes} episodes"]
        words += [f"{each} took {n} of them" for each, n in self._episodes_taken.items()]
        where = "in the others" if self._episodes_taken else "in them"
        words += [f"{self.num_questions} questions {where}"]
        words += [f"{each} took {n} of them" for each, n in self._questions_taken.items()]
        return ", ".join(words)


class Marked(NamedTuple):
    """A question, and whether its agent answers something else than in its question before."""

    asked: Asked
    is_new: bool


def marked(episode: Iterable[Asked]) -> list[Marked]:
    """Mark the questions of one episode, in the order of play; an agent's first one is new."""
    last: dict[str, str] = {}
    found = []
    for asked in episode:
        found.append(Marked(asked, last.get(asked.agent) != asked.choice))
        last[asked.agent] = asked.choice
    return found


def draw_questions(
    episode: Sequence[Marked], most: int | None, *, rng: random.Random
) -> list[Asked]:
    """Return at most so many questions of an episode, in its order; None for all.

    Those that are new come first, as a run of equal answers teaches nothing more: all of them if
    there is room, and then drawn ones of the others; else drawn ones of the new.
    """
    if most is None or len(episode) <= most:
        return [each.asked for each in episode]
    new = [place for place, each in enumerate(episode) if each.is_new]
    others = [place for place, each in enumerate(episode) if not each.is_new]
    chosen = rng.sample(new, min(most, len(new)))
    chosen += rng.sample(others, most - len(chosen))
    return [episode[place].asked for place in sorted(chosen)]
