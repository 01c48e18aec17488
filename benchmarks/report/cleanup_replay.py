"""An episode of Cleanup played again beside its record, for what the record does not have."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from agents.llm import ChatError
from benchmarks.cleanup.conditions import Env
from benchmarks.cleanup.runner import EpisodeResult, StepRecord
from benchmarks.report.transcript import parted_event, require_equal
from cleanup_icn.contracts import Contract, NaturalLanguageContract
from cleanup_icn.observe import View
from cleanup_icn.text import parse_observation

PLACES = ("garden", "shore")
"""Where an agent can be, by the bit that says so."""


class Scene(NamedTuple):
    """What there is to see before a step; all that is not known is None or empty."""

    words: Mapping[str, str]  # what each agent reads
    places: Mapping[str, str]
    contract: Contract | None  # in force
    events: tuple[str, ...]  # what has just happened, beside what agents did


class Replay:
    """The environment beside a record, as long as both go the same way.

    Args:
        env: made for the episode's condition, its observations words alone.
        result: what was recorded.
    """

    def __init__(self, env: Env, result: EpisodeResult) -> None:
        self._env, self._result = env, result
        self._game: Any = env.unwrapped
        self._num_talks = self._num_verdicts = 0
        self._contract: Contract | None = None
        self._talked = False
        self._told_until = 0  # play step up to which changes of the world have been told
        self._is_on, self._lost = True, ""
        try:
            self._seen, self._infos = env.reset(seed=result.seed, options=dict(result.start))
        except (ChatError, ValueError) as error:
            self._part(error)

    @property
    def amounts(self) -> tuple[int | None, int | None]:
        """Pollution and fruit now, units; None where the replay does not know."""
        if not self._is_on:
            return None, None
        told = self._infos[self._result.agents[0]]
        return int(told["pollution"]), int(told["fruit"])

    def look(self) -> Scene:
        """Return what there is to see now."""
        events = [self._lost] if self._lost else []
        self._lost = ""
        if not self._is_on:
            return Scene({}, {}, None, tuple(events))
        seen = parse_observation(next(iter(self._seen.values())))
        places = {
            agent: PLACES[seen.at_shore >> i & 1] for i, agent in enumerate(self._result.agents)
        }
        events += self._change_events(seen) + self._contract_events() + self._verdict_events()
        return Scene(self._seen, places, self._contract, tuple(events))

    def go(self, step: StepRecord) -> tuple[Mapping[str, Any], tuple[str, ...]]:
        """Make a step; returns the infos after it, by agent, and what came of talks that it ended.

        Where the replay is not what was recorded both are empty, from then on.
        """
        if not self._is_on:
            return {}, ()
        try:
            self._require_same_before(step)
            actions = dict(zip(self._result.agents, map(as_action, step.actions), strict=True))
            self._seen, _, _, _, infos = self._env.step(actions)
            self._infos = infos
            _require_same_after(step, infos)
        except (ChatError, ValueError) as error:
            self._part(error)
            return {}, ()
        self._talked = step.phase in ("propose", "respond")
        return infos, tuple(self._talk_events())

    def _require_same_before(self, step: StepRecord) -> None:
        told = self._infos[self._result.agents[0]] if self._env.agents else {}
        for what, recorded in (
            ("step", step.step),
            ("phase", step.phase),
            ("pollution", step.pollution),
            ("fruit", step.fruit),
        ):
            default = "play" if what == "phase" and told else None
            require_equal(what, recorded, told.get(what, default))

    def _part(self, error: Exception) -> None:
        self._is_on, self._lost = False, parted_event(error)

    def _change_events(self, seen: View) -> list[str]:
        """Tell of a change once: talks are held between it and the next play step."""
        is_told, self._told_until = seen.step <= self._told_until, seen.step
        if is_told:
            return []
        return [
            f"The world has changed: {name} from {old} to {new}." for name, old, new in seen.changed
        ]

    def _contract_events(self) -> list[str]:
        """Take note of the contract in force; tell of one that nobody has talked about."""
        before, now = self._contract, contract_in_force(self._env)
        self._contract = now
        if before is None or self._talked or before == now or before.is_null:
            return []
        return [f"No longer in force: {before.to_text()}"]

    def _talk_events(self) -> list[str]:
        held = getattr(self._game, "history", ())
        new, self._num_talks = held[self._num_talks :], len(held)
        return [
            f"{'Agreed' if each.is_ratified else 'No agreement; in force'}: {each.after.to_text()}"
            for each in new
        ]

    def _verdict_events(self) -> list[str]:
        verdicts = getattr(self._game, "verdicts", ())
        new, self._num_verdicts = verdicts[self._num_verdicts :], len(verdicts)
        return [
            f"The judge before step {step}: {'negotiate' if verdict else 'keep the contract'} "
            f"({verdict.status}). It said: {verdict.said}"
            for step, verdict in new
        ]


def contract_in_force(env: Env) -> Contract:
    """Return the contract in force in an environment that a condition made."""
    wrapped: Contract | None = getattr(env, "contract_in_force", None)
    if wrapped is not None:
        return wrapped
    agreed: Contract = env.unwrapped.contract
    return agreed


def as_action(recorded: Any) -> Any:
    """Return a recorded action as the environment takes it: contracts are on record as JSON."""
    if not isinstance(recorded, Mapping):
        return recorded
    if "words" in recorded:
        return NaturalLanguageContract(recorded["words"])
    return Contract.from_dict(recorded)


def _require_same_after(step: StepRecord, infos: Mapping[str, Mapping[str, Any]]) -> None:
    told = list(infos.values())
    for what, recorded, name in (
        ("rewards", step.game_rewards, "game_reward"),
        ("transfers", step.transfers, "transfer"),
    ):
        require_equal(what, list(recorded), [float(info[name]) for info in told])
    require_equal("illegal", step.illegal, sum(int(info["illegal"]) for info in told))
