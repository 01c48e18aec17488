"""What happens over time when the world changes more than once: welfare, and contracts in force."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from benchmarks.cleanup.metrics import welfare_by_step
from benchmarks.cleanup.runner import EpisodeResult
from benchmarks.study.episodes import is_compared
from benchmarks.study.measures import state_at
from benchmarks.study.place import MAIN, Place
from benchmarks.study.treatments import Treatment
from benchmarks.study.yardstick import optimal_course
from cleanup_icn import CleanupConfig
from cleanup_icn.contracts import Contract, Share, Wage
from cleanup_icn.solve import design

KIND, POLICY = "linear-threshold", "equilibrium"
"""What is shown."""

PACES = ("twice", "thrice")
"""How the world changes where that is shown; where a run has none of these, any way but noisy."""


class Courses:
    """Gathers what is shown while the episodes of a run are read.

    Args:
        contracts: what is in force at first, by arena and condition.
    """

    def __init__(self, contracts: Mapping[tuple[str, str], Contract]) -> None:
        self._contracts = contracts
        self._found: dict[Place, dict[str, EpisodeResult]] = {}

    def add(self, place: Place, treatment: Treatment, result: EpisodeResult) -> None:
        """Take an episode that belongs to a course; the first of its cell."""
        change = place.change
        is_shown = (
            place.group == MAIN
            and (change.kind, result.policy) == (KIND, POLICY)
            and bool(change.magnitude)
            and not change.is_noisy
            and is_compared(treatment)
        )
        if is_shown:
            self._found.setdefault(place, {}).setdefault(treatment.name, result)

    def to_list(self) -> list[dict[str, Any]]:
        """Return the courses as JSON values."""
        several = [place for place in self._found if place.change.pace in PACES]
        return [self._course(place) for place in several or self._found]

    def _course(self, place: Place) -> dict[str, Any]:
        change, by_condition = place.change, self._found[place]
        first = next(iter(by_condition.values()))
        config = CleanupConfig.create(**first.config)
        return {
            "kind": change.kind,
            "magnitude": change.magnitude,
            "moment": change.moment,
            "pace": change.pace,
            "policy": first.policy,
            "steps": list(range(config.horizon_steps)),
            "changes": [[step, words_of_change(config, step)] for step in config.change_steps],
            "optimum": _optimum(config, first),
            "treatments": [
                {
                    "condition": name,
                    "welfare": welfare_by_step(result).tolist(),
                    "contracts": contracts_in_force(
                        result, config, self._contracts[change.name, name]
                    ),
                }
                for name, result in sorted(by_condition.items())
            ],
        }


def initial_contracts(suite: Mapping[str, Any]) -> dict[tuple[str, str], Contract]:
    """Return what is in force at first by arena and condition, of the main group of a run's suite.

    `suite` is told as `benchmarks.suite.Suite.to_dict` does. Only what may be shown is read.
    """
    return {
        (arena["name"], told["name"]): Contract.from_dict(
            told["initial_contract"] if "initial_contract" in told else told["contract"]
        )
        for arena in suite["arenas"]
        if arena["name"].startswith(f"{KIND}/")
        for told in arena["contracts"]
        if is_compared(Treatment.from_name(told["name"]))
    }


def words_of(contract: Contract) -> str:
    """Return a contract in few words: what it pays, or its whole sentence if that is not simple."""
    if contract.is_null:
        return "no contract"
    clause = contract.clauses[0]
    if isinstance(clause, Wage) and contract == design.wages([clause.rate])[0]:
        return f"wage {clause.rate:g}"
    if isinstance(clause, Share) and contract == design.shares([clause.fraction])[0]:
        return f"share {clause.fraction:g}"
    return contract.to_text()


def words_of_change(config: CleanupConfig, step: int) -> str:
    """Return what changes at a step, such as "pollution threshold 6 to 8"."""
    changed = config.changed_at(step).items()
    return ", ".join(f"{name.replace('_', ' ')} {old:g} to {new:g}" for name, (old, new) in changed)


def contracts_in_force(
    result: EpisodeResult, config: CleanupConfig, initial: Contract
) -> list[list[Any]]:
    """Return which contract was in force when: [from step, to step, words], the end left out."""
    signed: list[tuple[int, str]] = []

    def sign(step: int, contract: Contract) -> None:
        signed.append((step, words_of(contract)))
        over = _end(contract, config, step)
        if over is not None:
            signed.append((over, words_of(Contract())))

    sign(0, initial)
    for held in result.negotiations:
        while signed and signed[-1][0] >= held["step"]:  # replaced before it could end
            signed.pop()
        sign(held["step"], Contract.from_dict(held["after"]))
    return _spans(signed, config.horizon_steps)


def _spans(signed: Sequence[tuple[int, str]], horizon_steps: int) -> list[list[Any]]:
    """Return what held from when to when; what is signed again goes on."""
    spans: list[list[Any]] = []
    for step, words in signed:
        if spans and spans[-1][2] == words:
            continue
        if spans:
            spans[-1][1] = step
        spans.append([step, horizon_steps, words])
    return spans


def _end(contract: Contract, config: CleanupConfig, signed: int) -> int | None:
    """Return the step from which a contract no longer binds, None if it does to the end."""
    if contract.duration.until == "change":
        return next((step for step in config.change_steps if step > signed), None)
    return contract.duration.step


def _optimum(config: CleanupConfig, result: EpisodeResult) -> list[float]:
    """Return the optimum's welfare by step, begun again from the state at the first change.

    That state is the same under all treatments of a family. Later changes find each treatment in
    another state; the yardstick goes on from where its own play has led.
    """
    since = result.change_step or 0
    before = optimal_course(config, state_at(result, 0), 0)[:since]
    return [*before, *optimal_course(config, state_at(result, since), since)]
