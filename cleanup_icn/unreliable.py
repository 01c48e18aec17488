"""Those nobody can rely on: one who breaks contracts, and one who wavers.

Beside them an agent comes to states that two who do their part never see.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from cleanup_icn.bots import clean, divide_labour, harvest
from cleanup_icn.icn.bots import negotiate
from cleanup_icn.icn.observe import ACCEPT, FIRST_PROPOSAL, REJECT
from cleanup_icn.icn.protocol import Stage
from cleanup_icn.icn.text import TalkView, is_waiting, parse_contracts, parse_talks
from cleanup_icn.observe import View
from cleanup_icn.state import CLEAN, HARVEST, MOVE, WAIT
from cleanup_icn.text import parse_observation, words_of

SPELL_RATES = (0.0, 0.05, 0.15)
"""Probabilities that a spell begins with an answer; one of them holds for an episode."""

TREMBLE_RATES = (0.0, 0.05, 0.2, 0.5)
"""Probabilities that an answer is any legal one; one of them holds for an episode."""

LONGEST_SPELL = 9
"""Most answers that a spell lasts; the fewest are 1, all lengths between are as likely."""


def break_contracts(observation: Any) -> int:
    """Sign whatever is proposed, propose as `negotiate` does, and harvest whatever was signed."""
    words = words_of(observation)
    seen = parse_observation(words)
    talks = parse_talks(words)
    if is_waiting(words):
        return WAIT
    if talks is None:
        return harvest(seen)
    if talks.proposal is not None and talks.proposer != seen.agent_index:
        return ACCEPT
    return negotiate(seen, parse_contracts(words), talks)


class Wavering:
    """Divides labour and negotiates as the cooperative do, but not always, on every seat it has.

    At random moments a spell begins: for 1 to `LONGEST_SPELL` answers the agent waits, goes to and
    fro, harvests or cleans, whatever the world is like, and says anything legal in talks. Apart
    from spells single answers are any legal one. How often that happens is drawn once an episode
    for each agent, from `SPELL_RATES` and `TREMBLE_RATES`; all draws depend on the seed alone.
    """

    def __init__(self) -> None:
        self.reset(seed=0)

    def reset(self, *, seed: int) -> None:
        """Begin an episode."""
        self._seed = seed
        self._moods: dict[int, _Mood] = {}

    def __call__(self, observation: Any) -> int:
        """Return an action for an observation that has words."""
        words = words_of(observation)
        seen = parse_observation(words)
        if is_waiting(words) or seen.step >= seen.horizon_steps:
            return WAIT
        talks = parse_talks(words)
        if talks is not None and (talks.proposer == seen.agent_index) != (
            talks.stage is Stage.PROPOSE
        ):
            return WAIT  # it is another's turn
        mood = self._mood(seen.agent_index)
        whim = mood.next_whim()
        if talks is not None:
            if whim is None:
                return negotiate(seen, parse_contracts(words), talks)
            return mood.any_of(_sayings(talks))
        if whim is None:
            return divide_labour(seen)
        return mood.any_of(_deeds(seen)) if whim == _ANYTHING else _insist(whim, seen)

    def _mood(self, agent_index: int) -> _Mood:
        if agent_index not in self._moods:
            dice = np.random.default_rng((self._seed, agent_index))
            self._moods[agent_index] = _Mood(dice)
        return self._moods[agent_index]


_ANYTHING = -1


class _Mood:
    """What one agent is at in an episode."""

    def __init__(self, dice: np.random.Generator) -> None:
        self._dice = dice
        self._spell_rate = float(dice.choice(SPELL_RATES))
        self._tremble_rate = float(dice.choice(TREMBLE_RATES))
        self._insists_on, self._answers_left = WAIT, 0

    def next_whim(self) -> int | None:
        """Return the action it insists on, `_ANYTHING`, or None where it does its part."""
        if self._answers_left == 0 and self._dice.random() < self._spell_rate:
            self._insists_on = self.any_of([WAIT, MOVE, HARVEST, CLEAN])
            self._answers_left = int(self._dice.integers(1, LONGEST_SPELL, endpoint=True))
        if self._answers_left:
            self._answers_left -= 1
            return self._insists_on
        return _ANYTHING if self._dice.random() < self._tremble_rate else None

    def any_of(self, actions: list[int]) -> int:
        return actions[int(self._dice.integers(len(actions)))]


def _insist(action: int, seen: View) -> int:
    """Do one thing only, from the other place go where it is done."""
    if action == HARVEST:
        return harvest(seen)
    return clean(seen) if action == CLEAN else action


def _deeds(seen: View) -> list[int]:
    return [WAIT, MOVE, CLEAN if seen.is_at_shore else HARVEST]


def _sayings(talks: TalkView) -> list[int]:
    proposals = [FIRST_PROPOSAL + i for i in range(len(talks.menu))]
    plain = [WAIT] if talks.stage is Stage.PROPOSE else [ACCEPT, REJECT]
    return plain + proposals
