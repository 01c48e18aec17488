"""Credit: how much better than its group an answer did.

A group is several episodes from one and the same start, so that they differ in what was answered
alone. An answer is compared with those of the same seat at the same step of all episodes of its
group: the mean of what came after them takes a critic's place, as in GRPO (Shao et al. 2024,
arXiv:2402.03300, where all answers of a group are to one question).

========  =========================================================================================
credit    what an answer is credited with
========  =========================================================================================
step      what came from its own step on, each further step weighing less by `discount`
episode   all that came in its episode, the same for all answers of a seat; as in GRPO
========  =========================================================================================
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from agents.protocol import OK_STATUS

if TYPE_CHECKING:
    from benchmarks.teaching.questions import Asked

STEP, EPISODE = CREDITS = ("step", "episode")
RETURN, WELFARE = REWARDS = ("return", "welfare")
"""What is sought: an agent's own return after transfers, or the sum of all agents'."""

_SAME_WITHIN = 1e-6


def advantages_of(
    asked: Sequence[Asked],
    *,
    credit: str = STEP,
    reward: str = RETURN,
    discount: float = 1.0,
    malformed: float = -1.0,
) -> list[float]:
    """Return how much better than others of its group each answer did.

    In standard deviations of the whole group, not of a step: where little is at stake, and chance
    decides, advantages are small. Those of readable answers are 0 where nothing differs.

    Args:
        asked: all questions of whole episodes, those of an episode in the order they came. A
            group is an arena under a condition.
        credit: one of `CREDITS`.
        reward: one of `REWARDS`.
        discount: by which a reward weighs less a step later, for the credit ``step``.
        malformed: the advantage of an answer that could not be read, whatever came of it.
    """
    credited = _credited(asked, credit=credit, reward=reward, discount=discount)
    groups: dict[Hashable, list[int]] = defaultdict(list)
    for index, question in enumerate(asked):
        groups[question.arena, question.condition].append(index)
    places = _places(asked)
    advantages = [malformed] * len(asked)
    for members in groups.values():
        alike = [(asked[i].agent, asked[i].phase, places[i]) for i in members]
        relative = group_advantages([credited[i] for i in members], alike)
        for index, advantage in zip(members, relative, strict=True):
            if asked[index].status == OK_STATUS:
                advantages[index] = advantage
    return advantages


def group_advantages(values: Sequence[float], alike: Sequence[Hashable]) -> list[float]:
    """Return how far values are from the mean of those like them, in standard deviations.

    The deviation is that of all values from their means. The results sum up to 0 over values that
    are alike, and are 0 for one that nothing is like; all are 0 where the values do not differ.
    """
    members: dict[Hashable, list[int]] = defaultdict(list)
    for index, kind in enumerate(alike):
        members[kind].append(index)
    found = np.asarray(values, dtype=np.float64)
    relative = np.zeros_like(found)
    for indices in members.values():
        relative[indices] = found[indices] - found[indices].mean()
    spread = float(np.sqrt((relative**2).mean())) if len(found) else 0.0
    if spread <= _SAME_WITHIN * max(1.0, float(np.abs(found).max(initial=0.0))):
        return [0.0] * len(found)
    scaled: list[float] = (relative / spread).tolist()
    return scaled


def discounted(returns_to_go: Sequence[float], discount: float) -> list[float]:
    """Return returns to go in which a reward weighs less by `discount` for each step it is away.

    Both are of one episode, in the order of its steps.
    """
    rewards = np.diff(np.asarray(returns_to_go, dtype=np.float64), append=0.0) * -1.0
    to_go, ahead = [], 0.0
    for reward in rewards[::-1]:
        ahead = float(reward) + discount * ahead
        to_go.append(ahead)
    return to_go[::-1]


def _credited(asked: Sequence[Asked], *, credit: str, reward: str, discount: float) -> list[float]:
    """Return what each answer is credited with."""
    sought = [
        question.return_to_go if credit == STEP else question.episode_return for question in asked
    ]
    if reward == WELFARE:
        sought = _summed(asked, sought)
    if credit == EPISODE:
        return sought
    seats: dict[Hashable, list[int]] = defaultdict(list)
    for index, question in enumerate(asked):
        seats[(*_episode(question), question.agent)].append(index)
    credited = [0.0] * len(asked)
    for members in seats.values():
        to_go = discounted([sought[index] for index in members], discount)
        for index, value in zip(members, to_go, strict=True):
            credited[index] = value
    return credited


def _summed(asked: Sequence[Asked], values: Sequence[float]) -> list[float]:
    """Return the sum of values over all agents who were asked at once."""
    places = _places(asked)
    sums: dict[Hashable, float] = defaultdict(float)
    for question, place, value in zip(asked, places, values, strict=True):
        sums[(*_episode(question), place)] += value
    return [
        sums[(*_episode(question), place)] for question, place in zip(asked, places, strict=True)
    ]


def _places(asked: Sequence[Asked]) -> list[tuple[int, int]]:
    """Return when each question came: its step, and how many of its seat came in that step."""
    seen: dict[Hashable, int] = defaultdict(int)
    places = []
    for question in asked:
        key = (*_episode(question), question.agent, question.step)
        places.append((question.step, seen[key]))
        seen[key] += 1
    return places


def _episode(question: Asked) -> tuple[str, str, str, int]:
    return question.arena, question.policy, question.condition, question.episode
