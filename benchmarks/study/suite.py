"""The grid of the study: which worlds, changes, treatments and policies make up its suite.

All worlds are for two agents over 50 steps. An arena is one change (`WorldChange`), a condition one
treatment (`Treatment`). How often a cell is played says `Place.num_episodes`: noisy worlds with
common dice, the main ones often enough to see whether players draw, the others once. Contracts are
designed for the world before the change. Size ``full``:

========  =====================================================================================
main      every kind x all its magnitudes: sudden at steps 10, 25 and 40, and twice from step 25.
          The three thresholds also announced at step 25; the two that rise also gradual from step
          25, at 0, +2, +4, +8, +12, +16; ``linear-threshold`` also noisy at step 25. Treatments: no
          contract at all, and of each family the contract that stays, that expires and that is
          renegotiated; all four families, but where it is noisy and at steps 10 and 40 least-wage
          and least-share alone. Policies: equilibrium, contract-follower.
bare      ``linear-threshold`` at all its magnitudes, sudden at 25. Treatments: each family's
          contract that stays, and renegotiated without side payments. Policy: equilibrium.
tradeoff  ``linear-threshold`` +4, +12, +14, sudden at 25, and +12 in three parts from 10 on.
          Treatments: least-wage, 8 judges x costs of 0, 1, 2, 5 steps. The same policies.
history   ``linear-threshold`` +4, +12, +18, twice from 25 on. Treatments: least-wage and fair-wage
          renegotiated, history shown or not x the old contract kept or void where talks fail.
          Policies: equilibrium-haggler, equilibrium.
sets      every kind x all its magnitudes, sudden at 25. Treatments: every wage (by 0.1) and every
          share (by 0.05) that brings the optimum about before the change, fixed.
          Policy: equilibrium.
learned   ``linear-threshold`` 0, +4, +8, +12, sudden at 25. Treatments: no contract, least-wage
          that stays and that is renegotiated without side payments. Policies: ppo with 3 training
          seeds, trained for each treatment in the world with its change; stub-cooperative, in
          whose place served models play, judged by a model too where their file says so.
========  =====================================================================================

Size ``quick`` has ``linear-threshold`` alone, at 0, +4 and +12, and a few treatments of each group
but no training.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from types import MappingProxyType

from benchmarks.arena import STUB_PREFIX
from benchmarks.cleanup.arena import CleanupArena, Scenario
from benchmarks.model_config import ModelsConfig
from benchmarks.study.changes import KINDS, Kind, WorldChange
from benchmarks.study.designed import FAMILIES, PRICES, WAGE, designed, implementing_prices
from benchmarks.study.place import GROUPS, MAIN, Place
from benchmarks.study.treatments import (
    COSTS_STEPS,
    DISAGREEMENTS,
    EXPIRES,
    JUDGED,
    JUDGES,
    RENEGOTIATED,
    STAYS,
    Treatment,
)
from benchmarks.suite import Suite
from cleanup_icn import ConfigError

SIZES = ("quick", "full")

LEARNED_EPISODES = 5
TRAINING_SEEDS = (0, 1, 2)
TRAINING_AGENT_STEPS = 120_000

EXACT, FOLLOWER, HAGGLER = "equilibrium", "contract-follower", "equilibrium-haggler"
STUB, LEARNER = f"{STUB_PREFIX}cooperative", "ppo"

_POLICIES = MappingProxyType(
    {
        MAIN: (EXACT, FOLLOWER),
        "bare": (EXACT,),
        "tradeoff": (EXACT, FOLLOWER),
        "history": (HAGGLER, EXACT),
        "sets": (EXACT,),
        "learned": (STUB, LEARNER),
    }
)
_NO_CONTRACT = Treatment(family=None)
_FEW = ("least-wage", "least-share")
_FAIR = ("least-wage", "fair-wage")
_THRESHOLD = "linear-threshold"
_GRADUAL_KINDS, _GRADUAL_MAGNITUDES = (_THRESHOLD, "costly-threshold"), (0, 2, 4, 8, 12, 16)
_MEASURES = ("efficiency_after_change", "equality")


def study_suite(
    size: str = "full",
    *,
    groups: Sequence[str] = GROUPS,
    agents: Sequence[str] | None = None,
    models: ModelsConfig | None = None,
) -> Suite:
    """Return what the study plays; its grid is described above.

    Designing the fixed contracts takes some seconds, once a process.

    Args:
        size: one of `SIZES`.
        groups: some of `GROUPS`.
        agents: only these policies; None for all.
        models: served models, in the place of the stub model.

    Raises:
        ConfigError: there is no such size, group or policy, or no group has a model's seat.
    """
    if size not in SIZES:
        raise ConfigError("size", size, f"one of {', '.join(SIZES)}")
    for group in groups:
        if group not in GROUPS:
            raise ConfigError("groups", group, f"some of {', '.join(GROUPS)}")
    tables = () if models is None else tuple(table.name for table in models.tables)
    wanted = _groups_with(agents, groups, tables=tables)
    if models is not None and not any(STUB in _POLICIES[group] for group in wanted):
        allowed = "learned among them, where served models play; where agents are named, they too"
        raise ConfigError("groups", ", ".join(wanted), allowed)
    make = _QUICK if size == "quick" else _FULL
    arenas = [arena for group in wanted for arena in make[group]()]
    suite = Suite(
        name=f"critical-change-{size}",
        description="What renegotiation buys when the world changes",
        arenas=tuple(arenas),
    )
    if models is not None:
        suite = _with_models(suite, models)
    return suite if agents is None else suite.with_policies(agents)


def _groups_with(
    agents: Sequence[str] | None, groups: Sequence[str], *, tables: Sequence[str]
) -> list[str]:
    """Return the groups that have any of these policies, in order; refuse one that none has.

    That is known before anything is designed.
    """
    policies = {group: _POLICIES[group] for group in GROUPS if group in groups}
    if tables and "learned" in policies:
        policies["learned"] = (*(each for each in policies["learned"] if each != STUB), *tables)
    known = dict.fromkeys(name for names in policies.values() for name in names)
    for name in agents or ():
        if name not in known:
            raise ConfigError("agents", name, f"some of {', '.join(known)}")
    return [
        group
        for group, names in policies.items()
        if agents is None or not set(names).isdisjoint(agents)
    ]


def _with_models(suite: Suite, models: ModelsConfig) -> Suite:
    """Return the suite with models in the arenas that have a stub, and in no other."""
    from benchmarks.kinds import misfits

    asked = replace(suite, arenas=tuple(each for each in suite.arenas if STUB in each.policies))
    of_models = asked.with_models(models, misfits=partial(misfits, models=models))
    seated = {arena.name: arena for arena in of_models.arenas}
    return suite.each(lambda arena: seated.get(arena.name, arena))


def _main() -> Iterator[CleanupArena]:
    for kind in KINDS.values():
        for magnitude in kind.magnitudes:
            change = partial(WorldChange, kind=kind.name, magnitude=magnitude)
            for moment, families in ((25, tuple(FAMILIES)), (10, _FEW), (40, _FEW)):
                yield arena_of(MAIN, change(moment=moment, pace="sudden"), _compared(families))
            for pace in _paces(kind, magnitude):
                yield arena_of(MAIN, change(moment=25, pace=pace), _compared(FAMILIES))
    for magnitude in KINDS[_THRESHOLD].magnitudes:
        noisy = _threshold(magnitude, pace="noisy")
        yield arena_of(MAIN, noisy, _compared(_FEW))


def _paces(kind: Kind, magnitude: int) -> Iterator[str]:
    """Yield how a change comes beside suddenly; with more parts more worlds have to be solved."""
    yield "twice"
    if kind.parameter == "pollution_threshold":
        yield "announced"
        if kind.name in _GRADUAL_KINDS and magnitude in _GRADUAL_MAGNITUDES:
            yield "gradual"


def _compared(families: Iterable[str]) -> list[Treatment]:
    fates = (STAYS, EXPIRES, RENEGOTIATED)
    return [_NO_CONTRACT, *(_treated(family, fate) for family in families for fate in fates)]


def _treated(family: str, fate: str) -> Treatment:
    judge = "change-only" if fate == RENEGOTIATED else None
    return Treatment(family=family, fate=fate, judge=judge)


def _bare(magnitudes: Sequence[int], families: Sequence[str]) -> Iterator[CleanupArena]:
    treatments = [
        each
        for family in families
        for each in (_treated(family, STAYS), _without_side_payments(family))
    ]
    for magnitude in magnitudes:
        yield arena_of("bare", _threshold(magnitude), treatments, policies=_POLICIES["bare"])


def _without_side_payments(family: str) -> Treatment:
    return replace(_treated(family, RENEGOTIATED), side_payments=False)


def _tradeoff() -> Iterator[CleanupArena]:
    changes = [_threshold(magnitude) for magnitude in (4, 12, 14)]
    changes += [_threshold(12, moment=10, pace="thrice")]
    for change in changes:
        yield arena_of("tradeoff", change, _judged(JUDGES, COSTS_STEPS))


def _judged(judges: Iterable[str], costs: Iterable[int]) -> list[Treatment]:
    costs = tuple(costs)
    return [
        Treatment(family="least-wage", fate=JUDGED, judge=judge, cost_steps=cost)
        for judge in judges
        for cost in costs
    ]


def _history(magnitudes: Sequence[int], families: Sequence[str]) -> Iterator[CleanupArena]:
    treatments = [
        replace(_treated(family, RENEGOTIATED), history=history, disagreement=disagreement)
        for family in families
        for history in (True, False)
        for disagreement in DISAGREEMENTS
    ]
    for magnitude in magnitudes:
        change = _threshold(magnitude, pace="twice")
        yield arena_of("history", change, treatments, policies=_POLICIES["history"])


def _sets() -> Iterator[CleanupArena]:
    for kind in KINDS.values():
        for magnitude in kind.magnitudes:
            change = WorldChange(kind=kind.name, magnitude=magnitude, moment=25, pace="sudden")
            yield arena_of(
                "sets", change, _implementing(change, PRICES), policies=_POLICIES["sets"]
            )


def _implementing(change: WorldChange, kinds: Iterable[str]) -> list[Treatment]:
    base = change.base_config()
    return [
        Treatment(family=kind, price=price)
        for kind in kinds
        for price in implementing_prices(base, kind)
    ]


def _learned() -> Iterator[CleanupArena]:
    treatments = _learnable()
    for magnitude in (0, 4, 8, 12):
        change = _threshold(magnitude)
        yield arena_of("learned", change, treatments, policies=(STUB,))
        for seed in TRAINING_SEEDS:
            arena = arena_of("learned", change, treatments, policies=(LEARNER,), training_seed=seed)
            yield replace(arena, seed=seed, num_episodes=LEARNED_EPISODES)


def _learnable() -> list[Treatment]:
    return [_NO_CONTRACT, _treated("least-wage", STAYS), _without_side_payments("least-wage")]


def _quick_main() -> Iterator[CleanupArena]:
    for magnitude in (0, 4, 12):
        yield arena_of(MAIN, _threshold(magnitude), _compared(_FAIR))
    yield arena_of(MAIN, _threshold(12, pace="gradual"), _compared(["least-wage"]))


def _quick_tradeoff() -> Iterator[CleanupArena]:
    treatments = _judged(["change-only", "every-10"], [0, 2])
    yield arena_of("tradeoff", _threshold(12), treatments)


def _quick_sets() -> Iterator[CleanupArena]:
    change = _threshold(12)
    yield arena_of("sets", change, _implementing(change, [WAGE])[::3], policies=_POLICIES["sets"])


def _quick_learned() -> Iterator[CleanupArena]:
    yield arena_of("learned", _threshold(12), _learnable(), policies=(STUB,))


_Make = Callable[[], Iterator[CleanupArena]]

_FULL: Mapping[str, _Make] = MappingProxyType(
    {
        MAIN: _main,
        "bare": partial(_bare, KINDS[_THRESHOLD].magnitudes, tuple(FAMILIES)),
        "tradeoff": _tradeoff,
        "history": partial(_history, (4, 12, 18), _FAIR),
        "sets": _sets,
        "learned": _learned,
    }
)
_QUICK: Mapping[str, _Make] = MappingProxyType(
    {
        MAIN: _quick_main,
        "bare": partial(_bare, (12,), ("least-wage",)),
        "tradeoff": _quick_tradeoff,
        "history": partial(_history, (12,), ("least-wage",)),
        "sets": _quick_sets,
        "learned": _quick_learned,
    }
)


def _threshold(magnitude: int, *, moment: int = 25, pace: str = "sudden") -> WorldChange:
    return WorldChange(kind=_THRESHOLD, magnitude=magnitude, moment=moment, pace=pace)


def arena_of(
    group: str,
    change: WorldChange,
    treatments: Sequence[Treatment],
    *,
    policies: tuple[str, ...] = _POLICIES[MAIN],
    training_seed: int | None = None,
) -> CleanupArena:
    """Return the arena of one change in a group, under some treatments.

    Args:
        group: one of `GROUPS`.
        change: of its world.
        treatments: its conditions.
        policies: who plays all seats.
        training_seed: told in its name, where policies are trained there.
    """
    base, config = change.base_config(), change.config()
    place = Place(group=group, change=change, training_seed=training_seed)
    scenario = Scenario(
        name=change.name,
        config=config,
        pollution_initial=(config.pollution_initial,) * 2,
        fruit_initial=(config.fruit_initial,) * 2,
    )
    return CleanupArena(
        name=place.name,
        description=_described(change, treatments),
        conditions=tuple(treatment.condition(base) for treatment in treatments),
        policies=policies,
        shown_policy=policies[0],
        measures=_MEASURES,
        num_episodes=place.num_episodes,
        training_agent_steps=TRAINING_AGENT_STEPS,
        scenario=scenario,
    )


def _described(change: WorldChange, treatments: Iterable[Treatment]) -> str:
    """Say what changes and which contracts do not bring the optimum about before it."""
    families = dict.fromkeys(each.family for each in treatments if each.family in FAMILIES)
    lacking = [
        family for family in families if not designed(change.base_config(), str(family)).implements
    ]
    told = (
        f"{change.of_kind.label}: {change.magnitude:+d}, {change.pace}, from step {change.moment}"
    )
    if not lacking:
        return told
    return (
        f"{told}; none brings the optimum about, the best there is: {', '.join(map(str, lacking))}"
    )
