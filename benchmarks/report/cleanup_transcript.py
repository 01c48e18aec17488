"""Transcripts of Cleanup: play and talks, frame by frame."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from agents.llm.recorded_client import RecordedClient
from agents.protocol import OK_STATUS
from benchmarks.cleanup.arena import GAME, CleanupArena
from benchmarks.cleanup.conditions import Condition, Env, Negotiated
from benchmarks.cleanup.metrics import MEASURES, welfare_by_step
from benchmarks.cleanup.policies import seat_names
from benchmarks.cleanup.runner import EpisodeResult, StepRecord
from benchmarks.judging import judge_of
from benchmarks.lineups import players_by_seat
from benchmarks.report.cleanup_replay import Replay, Scene, as_action
from benchmarks.report.measures import CLEANUP_MEASURES
from benchmarks.report.transcript import (
    END,
    Act,
    Fact,
    Frame,
    SeatedAgent,
    Transcript,
    in_figures,
    shown_calls,
)
from cleanup_icn.answers import read_object, read_spoken
from cleanup_icn.contracts import Contract
from cleanup_icn.text import ACTION_NAMES

_TALKS = {"propose": "proposal", "respond": "answers"}
"""Phases of talks, and what stands in the title of a frame of them."""

_KEYS = ("scratchpad", "action", "contract", "plan")
_SECRET = ("scratchpad", "plan")


class CleanupTranscripts:
    """Writes transcripts of the episodes of one arena; environments are made once a condition."""

    def __init__(self, arena: CleanupArena) -> None:
        self._arena = arena
        self._envs: dict[str, Env] = {}

    def of(self, result: EpisodeResult, *, number: int) -> Transcript:
        """Play an episode again from its record and write down what there was to see.

        A record that cannot be played again has a transcript too; an event says where both part.

        Args:
            result: what was recorded.
            number: of the episode in its run.

        """
        env = self._env_for(result)
        frames = tuple(_frames(self._arena, result, Replay(env, result)))
        players = players_by_seat(self._arena, result.policy, seat_names(env))
        game: Any = env.unwrapped
        return Transcript(
            number=number,
            arena=self._arena.name,
            policy=result.policy,
            contract=result.contract,
            episode=result.episode,
            seed=result.seed,
            game=GAME,
            agents=tuple(
                SeatedAgent(name=agent, role=None, player=players[agent]) for agent in result.agents
            ),
            rules={agent: game.rules_text(agent) for agent in result.agents},
            outcome=_outcome(result),
            frames=frames,
            series=_series(self._arena, result, frames),
        )

    def _env_for(self, result: EpisodeResult) -> Env:
        condition, config = self._arena.condition(result.contract), self._arena.scenario.config
        if isinstance(condition, Negotiated) and condition.is_judged_by_model:
            return condition.make_env(
                config, observation="text", ask=_recorded_judge(self._arena, result)
            )
        if condition.name not in self._envs:
            self._envs[condition.name] = condition.make_env(config, observation="text")
        return self._envs[condition.name]


def has_contracts(condition: Condition) -> bool:
    """Whether anything can be owed under a condition."""
    contract = getattr(condition, "contract", None)
    return contract is None or not contract.is_null


def _recorded_judge(arena: CleanupArena, result: EpisodeResult) -> Any:
    if arena.models is None:
        return None
    answers = RecordedClient(result.judge_calls)
    return judge_of(arena.models, arena, result.episode, lambda _model: answers)


def _frames(arena: CleanupArena, result: EpisodeResult, replay: Replay) -> Iterable[Frame]:
    settles = has_contracts(arena.condition(result.contract))
    paid = dict.fromkeys(result.agents, 0.0)
    for step in result.steps:
        scene = replay.look()
        infos, heard = replay.go(step)
        for agent, amount in zip(result.agents, step.transfers, strict=True):
            paid[agent] += amount
        yield Frame(
            title=_title(step),
            step=step.step,
            phase=step.phase,
            acts=tuple(_acts(result, step, scene, infos)),
            state=_state(arena, step.step, step.pollution, step.fruit, scene),
            contract=_in_words(scene.contract),
            ledger=_rounded(paid) if settles else None,
            events=(*scene.events, *heard),
        )
    yield _last_frame(arena, result, replay.look(), _rounded(paid) if settles else None, replay)


def _last_frame(
    arena: CleanupArena,
    result: EpisodeResult,
    scene: Scene,
    ledger: Mapping[str, float] | None,
    replay: Replay,
) -> Frame:
    made = result.steps[-1].step + 1 if result.steps else 0
    pollution, fruit = replay.amounts
    return Frame(
        title="End",
        step=made,
        phase=END,
        acts=(),
        state=_state(arena, made, pollution, fruit, scene),
        contract=_in_words(scene.contract),
        ledger=ledger,
        events=scene.events,
    )


def _title(step: StepRecord) -> str:
    if step.phase in _TALKS:
        return f"Talks before step {step.step}: {_TALKS[step.phase]}"
    return f"Step {step.step}" + (", waiting after talks" if step.phase == "waiting" else "")


def _state(
    arena: CleanupArena, step: int, pollution: int | None, fruit: int | None, scene: Scene
) -> dict[str, Any]:
    return {
        "pollution": pollution,
        "fruit": fruit,
        "threshold": arena.scenario.config.parameters_at(step).pollution_threshold,
        "places": dict(scene.places),
    }


def _acts(
    result: EpisodeResult, step: StepRecord, scene: Scene, infos: Mapping[str, Mapping[str, Any]]
) -> Iterable[Act]:
    for seat, agent in enumerate(result.agents):
        status, info = step.statuses[seat], infos.get(agent, {})
        said, thought = taken_apart(step.answers[seat])
        illegal = bool(info.get("illegal", 0))
        yield Act(
            agent=agent,
            saw=scene.words.get(agent),
            said=said,
            thought=thought,
            did=_deed(step, step.actions[seat], info)
            + _failing(status, illegal=illegal, talks=step.phase in _TALKS),
            status=status,
            illegal=illegal,
            reward=step.game_rewards[seat],
            transfer=step.transfers[seat],
            calls=shown_calls(step.calls[seat]),
        )


def taken_apart(answer: str | None) -> tuple[str | None, str | None]:
    """Return what of an answer is said aloud, and all of it if part of it is for nobody else.

    An answer that cannot be taken apart may have secrets anywhere: nothing of it is said aloud.
    """
    if answer is None:
        return None, None
    try:
        given = read_object(answer, _KEYS)
    except ValueError:
        return None, answer
    if given is None:
        aloud = read_spoken(answer).aloud.strip()
        return aloud, None if aloud == answer.strip() else answer
    open_part = {name: value for name, value in given.items() if name not in _SECRET}
    aloud = json.dumps(open_part, ensure_ascii=False)
    has_secrets = len(open_part) < len(given) or not answer.strip().startswith(("{", "```"))
    return aloud, answer if has_secrets else None


def _deed(step: StepRecord, action: Any, info: Mapping[str, Any]) -> str:
    """Return in words what an agent chose and what it got."""
    if step.phase in _TALKS:
        return _speech(step.phase, action, info)
    name = ACTION_NAMES[action] if action in range(len(ACTION_NAMES)) else "what there is not"
    if info.get("harvested"):
        return f"{name}: {info['harvested']:g} fruit"
    if info.get("cleaned"):
        return f"{name}: {info['cleaned']:g} pollution removed"
    return name


def _speech(phase: str, action: Any, info: Mapping[str, Any]) -> str:
    said = info.get("said")
    if said is None:
        contract = as_action(action) if isinstance(action, Mapping) else None
        said = f"propose {contract.to_text()}" if contract else f"move {action}"
    verb, _, contract_text = str(said).partition(" ")
    if verb == "propose" and phase == "respond":
        return f"counter: {contract_text}"
    return f"{verb}: {contract_text}" if contract_text else verb


def _failing(status: str, *, illegal: bool, talks: bool) -> str:
    """Return what is to be added where an agent did not do what it wanted."""
    if status != OK_STATUS:
        return f" (the answer could not be read: {status.replace('_', ' ')})"
    if illegal:
        return " (not possible now: nothing said)" if talks else " (not possible now: waited)"
    return ""


def _outcome(result: EpisodeResult) -> tuple[Fact, ...]:
    earned = dict.fromkeys(result.agents, 0.0)
    for step in result.steps:
        for seat, agent in enumerate(result.agents):
            earned[agent] += step.game_rewards[seat] + step.transfers[seat]
    facts = [
        Fact(label=m.label, value=in_figures(value, digits=m.digits))
        for m in CLEANUP_MEASURES
        if m.name in MEASURES and (value := MEASURES[m.name](result)) is not None
    ]
    returns = [
        Fact(label=f"return of {agent}", value=in_figures(value, digits=2))
        for agent, value in earned.items()
    ]
    return (*facts, *returns)


def _series(arena: CleanupArena, result: EpisodeResult, frames: Sequence[Frame]) -> dict[str, Any]:
    played = [
        (index, frame)
        for index, frame in enumerate(frames)
        if frame.phase not in _TALKS and frame.phase != END
    ]
    config = arena.scenario.config
    steps = [frame.step for _, frame in played]
    states = [frame.state for _, frame in played]
    return {
        "x": steps,
        **{name: [state[name] for state in states] for name in ("pollution", "fruit", "threshold")},
        "welfare": welfare_by_step(result).tolist()[: len(steps)],
        "optimum": list(result.optimum_by_step)[: len(steps)],
        "changes": [
            {"step": step, "text": changes_in_words(config.changed_at(step))}
            for step in config.change_steps
            if step > 0
        ],
        "contracts": contract_spans([frame.contract for _, frame in played]),
        "frame_of_step": [index for index, _ in played],
    }


def changes_in_words(changed: Mapping[str, tuple[float, float]]) -> str:
    """Write what changed in the world."""
    return ", ".join(
        f"{name.replace('_', ' ')} {old} → {new}" for name, (old, new) in changed.items()
    )


def contract_spans(contracts: Sequence[str | None]) -> list[dict[str, Any]]:
    """Return from which play step to before which one each contract was in force."""
    spans: list[dict[str, Any]] = []
    for step, contract in enumerate(contracts):
        if spans and spans[-1]["text"] == contract and spans[-1]["to_step"] == step:
            spans[-1]["to_step"] = step + 1
        elif contract is not None:
            spans.append({"from_step": step, "to_step": step + 1, "text": contract})
    return spans


def _in_words(contract: Contract | None) -> str | None:
    return None if contract is None or contract.is_null else contract.to_text()


def _rounded(paid: Mapping[str, float]) -> dict[str, float]:
    """Return amounts without the dust that adding them up leaves."""
    return {agent: round(amount, 9) + 0.0 for agent, amount in paid.items()}
