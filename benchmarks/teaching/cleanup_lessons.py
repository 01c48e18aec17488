"""Lessons of Cleanup: who teaches what, in which drawn worlds, under which contracts.

What is taught, in worlds of `benchmarks.teaching.drawn_worlds`:

=========  ========================================================================================
contracts  1/8 none, 1/2 a wage of 0.1..2 for a unit cleaned (for those who learn what a contract
           pays for: in half of them the world's fair wage, or 0.1 less), 1/8 a share of 0.1..0.9
           of what is harvested, 1/4 talks (judge ``change``, ``start`` or ``every:10``, 3 rounds)
           over a menu of its own: fair wages, drawn contracts, 4 to 7 in all with the null contract
tables     in turn: the teacher on all seats, on each seat beside ``wavering`` players, and
           ``wavering`` on all seats
=========  ========================================================================================

The answers are meant to be replaced by the teacher's (``dataset --relabel``), so that what wavering
players lead to is taught with the right answer.

Examinations, an episode in each drawn world:

===============  ==================================================================================
``taught``       other worlds of the same kind
``held-out``     worlds with numbers that were not taught
``more-agents``  4 to 6 agents
``partners``     one seat for the pupil, others for those that it never met
``icn``          worlds that change, each under the fair wage of its beginning (``wage``) and with
                 talks when it changes (``icn``)
===============  ==================================================================================

Elsewhere every second world that changes is played with talks, and all others under their highest
fair wage.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np

from benchmarks.cleanup.arena import CleanupArena, wage_for_cleaning
from benchmarks.cleanup.conditions import Fixed, Negotiated
from benchmarks.model_config import Table
from benchmarks.suite import Suite
from benchmarks.teaching.drawn_suites import HELD_OUT, PARTNERS, TAUGHT, Draw, DrawnSuites
from benchmarks.teaching.drawn_worlds import (
    EXAMINED_POLLUTION,
    LESSON_POLLUTION,
    draw_held_out,
    draw_many,
    draw_menu,
    draw_near_fair,
    draw_share,
    draw_taught,
    draw_wage,
    fair_rate,
    fair_rates,
    scenario_of,
)
from cleanup_icn import CleanupConfig
from cleanup_icn.contracts import Contract
from cleanup_icn.observe import agent_names

if TYPE_CHECKING:
    from collections.abc import Callable

    Condition = Fixed | Negotiated

WAVERING, EQUILIBRIUM = "wavering", "equilibrium"

MORE_AGENTS, ICN = "more-agents", "icn"
KINDS = (TAUGHT, HELD_OUT, MORE_AGENTS, PARTNERS, ICN)
"""Kinds of examination."""

JUDGES = ("change", "start", "every:10")
STRANGERS = ("conditional-cooperator", "contract-follower", "all-harvest", "random", "cleaner")
"""Partners that nobody meets in lessons."""

_SUITES = DrawnSuites(KINDS)
_PROB_NEAR_FAIR = 0.5


@dataclass(frozen=True, kw_only=True)
class CleanupLessons:
    """Lessons of Cleanup under one teacher; see `benchmarks.teaching.lessons.Lessons`."""

    name: str
    teacher: str
    description: str
    most_agents: int = 3  # in a world that is taught
    near_fair: bool = False  # whether half of the wages in lessons are fair, or just not
    kinds: tuple[str, ...] = KINDS

    def teaching_suite(self, *, episodes: int, seed: int) -> Suite:
        """Return what is played to teach from: `episodes` arenas of one world and one contract.

        Raises:
            ConfigError: `episodes` is below 1, or `seed` below 0.
        """
        return _SUITES.teaching(self, self._lesson, episodes=episodes, seed=seed)

    def examination_suite(self, kind: str, *, episodes: int, seed: int) -> Suite:
        """Return `episodes` arenas, each of one drawn world that is played once.

        Policies are the planner, the teacher and ``all-harvest``; for two agents without talks, or
        where it is the teacher, ``equilibrium`` as well.

        Raises:
            ConfigError: there is no such kind, `episodes` is below 1, or `seed` below 0.
        """
        draw = partial(self._examination, kind)
        return _SUITES.examination(self, kind, draw, episodes=episodes, seed=seed)

    def _lesson(self, draw: Draw) -> CleanupArena:
        config = draw_taught(draw.rng, most_agents=self.most_agents)
        tables = _tables(self.teacher, config.num_agents)
        table = tables[draw.index % len(tables)]
        return CleanupArena(
            name=draw.name,
            description=self.description,
            conditions=(_drawn_condition(draw.rng, config, near_fair=self.near_fair),),
            policies=(table.name,),
            lineups=(table,) if table.seats else (),
            shown_policy=table.name,
            num_episodes=1,
            seed=draw.seed,
            scenario=scenario_of(config, pollution=LESSON_POLLUTION),
        )

    def _examination(self, kind: str, draw: Draw) -> CleanupArena:
        index, name = draw.index, draw.name
        config = self._world(kind, draw.rng)
        conditions = _conditions(kind, config, draw.rng, is_second=index % 2 == 1)
        if len(conditions) == 1:
            name += f"/{conditions[0].name}"
        policies = self._compared(config, conditions)
        seats = agent_names(config.num_agents)
        strangers = [stranger for stranger in STRANGERS if stranger != self.teacher]
        return CleanupArena(
            name=name,
            description=f"Examination of {self.name}: {kind}",
            conditions=conditions,
            policies=policies,
            shown_policy=self.teacher if self.teacher in policies else policies[0],
            seat=seats[index % 2] if kind == PARTNERS else None,
            partners=strangers[index // 2 % len(strangers)] if kind == PARTNERS else None,
            num_episodes=1,
            seed=draw.seed,
            scenario=scenario_of(config, pollution=EXAMINED_POLLUTION),
        )

    def _world(self, kind: str, rng: np.random.Generator) -> CleanupConfig:
        draw: Mapping[str, Callable[[np.random.Generator], CleanupConfig]] = {
            TAUGHT: partial(draw_taught, most_agents=self.most_agents),
            HELD_OUT: partial(draw_held_out, most_agents=self.most_agents),
            MORE_AGENTS: draw_many,
            PARTNERS: partial(draw_taught, most_agents=2),
            ICN: partial(draw_taught, most_agents=self.most_agents, prob_change=1.0),
        }
        return draw[kind](rng)

    def _compared(self, config: CleanupConfig, conditions: Sequence[Condition]) -> tuple[str, ...]:
        """Return the policies to compare with, each once."""
        policies = ["planner", self.teacher, "all-harvest"]
        if config.num_agents == 2 and all(isinstance(each, Fixed) for each in conditions):
            policies.append(EQUILIBRIUM)
        return tuple(dict.fromkeys(policies))


def _tables(teacher: str, num_agents: int) -> list[Table]:
    """Return who sits where in lessons, in turn."""
    beside = [
        Table(name=f"teacher-{seat}", everyone=WAVERING, seats={seat: teacher})
        for seat in agent_names(num_agents)
    ]
    return [*beside, Table(name=WAVERING, everyone=WAVERING), Table(name=teacher, everyone=teacher)]


def _drawn_condition(
    rng: np.random.Generator, config: CleanupConfig, *, near_fair: bool
) -> Condition:
    """Draw what a lesson is played under."""
    drawn = int(rng.integers(8))
    if drawn == 0:
        return Fixed(name="none", contract=Contract())
    if drawn < 5:
        is_near = near_fair and rng.random() < _PROB_NEAR_FAIR
        wage = draw_near_fair(rng, config) if is_near else draw_wage(rng)
        return Fixed(name="wage", contract=wage)
    if drawn == 5:
        return Fixed(name="share", contract=draw_share(rng))
    judge = JUDGES[int(rng.integers(len(JUDGES)))]
    return Negotiated(name="icn", judge=judge, menu=draw_menu(rng, config))


def _conditions(
    kind: str, config: CleanupConfig, rng: np.random.Generator, *, is_second: bool
) -> tuple[Condition, ...]:
    """Return what a world of an examination is played under."""
    rates = fair_rates(config)
    talks = Negotiated(name="icn", judge="change", menu=draw_menu(rng, config))
    if kind == ICN:
        before = fair_rate(config.parameters_at(0), config.num_agents)
        return (Fixed(name="wage", contract=wage_for_cleaning(before)), talks)
    if config.change_steps and is_second:
        return (talks,)
    return (Fixed(name="wage", contract=wage_for_cleaning(rates[-1])),)


CLEANUP_LESSONS: Mapping[str, CleanupLessons] = MappingProxyType(
    {
        lessons.name: lessons
        for lessons in (
            CleanupLessons(
                name="cleanup",
                teacher="division-of-labour",
                description="Cooperative: as many clean as the river needs, whatever they are "
                "paid, and the others harvest.",
            ),
            CleanupLessons(
                name="cleanup-selfish",
                teacher=EQUILIBRIUM,
                description="Selfish: plays and bargains for the highest return of its own, "
                "against one who does the same.",
                most_agents=2,
                near_fair=True,
                kinds=tuple(kind for kind in KINDS if kind != MORE_AGENTS),
            ),
            CleanupLessons(
                name="cleanup-abiding",
                teacher="contract-follower",
                description="Contract-abiding: keeps the river as clean as the contract in force "
                "pays for, and harvests where none pays.",
                near_fair=True,
            ),
            CleanupLessons(
                name="cleanup-breaking",
                teacher="breaking",
                description="Contract-breaking: signs whatever is proposed, and harvests whatever "
                "was signed.",
            ),
        )
    }
)
"""Lessons of Cleanup by name."""
