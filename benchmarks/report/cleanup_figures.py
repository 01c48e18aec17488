"""Figures of Cleanup: welfare over time, and which contract was in force with what it moved."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.cleanup.arena import CleanupArena
from benchmarks.cleanup.metrics import welfare_by_step
from benchmarks.cleanup.runner import EpisodeResult
from benchmarks.drawing import plain
from benchmarks.report.cleanup_transcript import changes_in_words, has_contracts
from benchmarks.report.figures import (
    INTERVALS,
    Floats,
    Sample,
    ShownFigure,
    counted,
    draw_course,
    few,
    legend_in_rows,
    legend_lines_of,
    lone_axes,
    mark_changes,
    name_panel,
    named_file,
    sample_of,
    save_panels,
    styles_of,
)
from benchmarks.report.transcript import Transcript

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_MOST_CONTRACTS = 7
_OTHERS = "other contracts"
_OPTIMUM_COLOUR = "#000000"
_NO_CONTRACT_COLOUR, _OTHERS_COLOUR = "#EEEEEE", "#999999"


@dataclass(frozen=True, kw_only=True)
class Course:
    """What figures need of one episode; lists are by play step."""

    policy: str
    contract: str
    welfare: tuple[float, ...]
    optimum: tuple[float, ...]
    transfers: tuple[float, ...]  # half the sum of absolute ones
    in_force: tuple[str | None, ...]


def course_of(result: EpisodeResult, transcript: Transcript) -> Course:
    """Return what figures need of an episode."""
    num_steps = len(result.optimum_by_step)
    moved = [0.0] * num_steps
    for step in result.steps:
        moved[step.step] += sum(map(abs, step.transfers)) / 2.0
    in_force: list[str | None] = [None] * num_steps
    for span in transcript.series["contracts"]:
        count = span["to_step"] - span["from_step"]
        in_force[span["from_step"] : span["to_step"]] = [span["text"]] * count
    return Course(
        policy=result.policy,
        contract=result.contract,
        welfare=tuple(welfare_by_step(result).tolist()),
        optimum=result.optimum_by_step,
        transfers=tuple(moved),
        in_force=tuple(in_force),
    )


class CleanupFigures:
    """The figures of one arena, drawn when all its episodes have been added."""

    def __init__(self, arena: CleanupArena) -> None:
        self._arena = arena
        self._welfare: dict[str, dict[str, list[Any]]] = defaultdict(lambda: defaultdict(list))
        self._moved: dict[str, dict[str, list[Any]]] = defaultdict(lambda: defaultdict(list))
        self._in_force: dict[str, dict[str, list[Counter[str | None]]]] = defaultdict(dict)
        self._optimum: dict[tuple[float, ...], int] = {}

    def add(self, course: Course) -> None:
        """Take note of an episode."""
        of = course.contract, course.policy
        self._welfare[of[0]][of[1]].append(np.asarray(course.welfare, np.float32))
        self._moved[of[0]][of[1]].append(np.asarray(course.transfers, np.float32))
        counts = self._in_force[of[0]].setdefault(of[1], [Counter() for _ in course.in_force])
        for count, text in zip(counts, course.in_force, strict=True):
            count[text] += 1
        self._optimum[course.optimum] = self._optimum.get(course.optimum, 0) + 1

    def draw(self, report: Path) -> list[ShownFigure]:
        """Draw all of them into a report's folder."""
        if not self._welfare:
            return []
        conditions = [
            condition.name
            for condition in self._arena.conditions
            if has_contracts(condition) and condition.name in self._in_force
        ]
        return [
            self._draw_welfare(report),
            *(self._draw_contracts(report, contract) for contract in conditions),
        ]

    def _policies(self, contracts: Sequence[str]) -> list[str]:
        return [
            policy
            for policy in self._arena.policies
            if any(
                self._welfare[contract].get(player)
                for contract in contracts
                for player in self._arena.players(policy)
            )
        ]

    def _draw_welfare(self, report: Path) -> ShownFigure:
        arena = self._arena
        contracts = [c.name for c in arena.conditions if c.name in self._welfare]
        styles = styles_of(condition.name for condition in arena.conditions)
        policies, left_out = few(self._policies(contracts), arena.shown_policy)
        samples = {
            (policy, contract): sample_of(arena, self._welfare[contract], policy)
            for policy in policies
            for contract in contracts
        }
        optimum = np.average(list(self._optimum), axis=0, weights=list(self._optimum.values()))
        top = 1.08 * max(
            float(optimum.max()), *(float(s.mean.max()) for s in samples.values() if s)
        )

        def draw_panel(panel: Any, policy: str) -> None:
            axes = lone_axes(panel, policy)
            mark_changes(axes, _changes(arena))
            axes.plot(optimum, color=_OPTIMUM_COLOUR, linestyle=":", linewidth=1.3)
            for over, contract in enumerate(contracts):
                sample = samples[policy, contract]
                if sample is not None:
                    draw_course(axes, sample, styles[contract], over=over)
            _label(axes, "welfare, fruit", top=top)

        def finish(head: Any) -> None:
            from matplotlib.lines import Line2D

            handles = [
                Line2D([], [], color=styles[c].colour, linestyle=styles[c].line, lw=2, label=c)
                for c in contracts
            ]
            handles.append(
                Line2D([], [], color=_OPTIMUM_COLOUR, linestyle=":", lw=1.3, label="social optimum")
            )
            legend_in_rows(head, handles)

        file = named_file(arena.name, "welfare")
        save_panels(
            policies,
            draw_panel,
            report / file,
            panel_height=2.3,
            finish=finish,
            legend_lines=legend_lines_of(len(contracts) + 1),
        )
        return ShownFigure(
            file=file,
            title="Welfare over time",
            caption=(
                "Rewards of all agents in each step, in fruit, a panel a policy and a line a "
                f"contract condition; means, {counted(samples.values())}. {INTERVALS} "
                f"{_change_words(arena)}Dotted: the social optimum from the same starts.{left_out}"
            ),
            alt=_welfare_alt(policies, contracts, samples, optimum),
        )

    def _draw_contracts(self, report: Path, contract: str) -> ShownFigure:
        arena = self._arena
        policies, left_out = few(self._policies([contract]), arena.shown_policy)
        samples = {p: sample_of(arena, self._moved[contract], p) for p in policies}
        shares = {policy: self._shares(contract, policy) for policy in policies}
        colours = _contract_colours(shares)
        top = max(1.0, 1.08 * max(float(s.mean.max()) for s in samples.values() if s))
        style = styles_of(c.name for c in arena.conditions)[contract]

        def draw_panel(panel: Any, policy: str) -> None:
            in_force, moved = panel.subplots(2, 1, sharex=True)
            name_panel(in_force, policy)
            _draw_shares(in_force, shares[policy], colours)
            for axes in (in_force, moved):
                plain(axes)
                mark_changes(axes, _changes(arena))
            sample = samples[policy]
            if sample is not None:
                draw_course(moved, sample, style, over=1)
            _label(moved, "transfers", top=top)

        def finish(head: Any) -> None:
            from matplotlib.patches import Patch

            handles = [
                Patch(facecolor=colour, edgecolor="#666666", linewidth=0.4, label=text)
                for text, colour in colours.items()
            ]
            head.legend(handles=handles, loc="center left", ncols=1, frameon=False, fontsize=9)

        file = named_file(arena.name, "contracts", contract)
        save_panels(
            policies,
            draw_panel,
            report / file,
            panel_height=2.9,
            finish=finish,
            legend_lines=len(colours),
        )
        return ShownFigure(
            file=file,
            title=f"Contracts and transfers under {contract}",
            caption=(
                "A panel a policy. Above: the share of episodes in which each contract was in "
                "force, by step. Below: reward that changed hands in a step, half the sum of "
                f"absolute transfers; means, {counted(samples.values())}. {INTERVALS} "
                f"{_change_words(arena)}{left_out}"
            ).strip(),
            alt=_contracts_alt(contract, policies, shares, samples),
        )

    def _shares(self, contract: str, policy: str) -> dict[str, Floats]:
        """Return the share of episodes in which each contract was in force, by step."""
        found = [
            counts
            for player in self._arena.players(policy)
            if (counts := self._in_force[contract].get(player)) is not None
        ]
        merged = [_added(each) for each in zip(*found, strict=True)]
        texts = Counter({text: 0 for count in merged for text in count if text is not None})
        for count in merged:
            texts.update({text: n for text, n in count.items() if text is not None})
        return {
            text: np.array([count[text] / count.total() for count in merged])
            for text, _ in texts.most_common()
        }


def _added(counts: Iterable[Counter[str | None]]) -> Counter[str | None]:
    total: Counter[str | None] = Counter()
    for each in counts:
        total.update(each)
    return total


def _changes(arena: CleanupArena) -> list[int]:
    return [step for step in arena.scenario.config.change_steps if step > 0]


def _change_words(arena: CleanupArena) -> str:
    config = arena.scenario.config
    told = "; ".join(
        f"at step {step} {changes_in_words(config.changed_at(step))}" for step in _changes(arena)
    )
    return f"Vertical line: the world changes ({told}). " if told else ""


def _label(axes: Axes, what: str, *, top: float) -> None:
    axes.set_xlabel("step", fontsize=9)
    axes.set_ylabel(what, fontsize=9)
    axes.tick_params(labelsize=8)
    axes.set_ylim(0, top)


def _contract_colours(shares: Mapping[str, Mapping[str, Floats]]) -> dict[str, Any]:
    """Return the colour of every contract that was ever in force, the commonest first."""
    from matplotlib import colormaps

    totals: Counter[str] = Counter()
    for of_policy in shares.values():
        totals.update({text: float(share.sum()) for text, share in of_policy.items()})
    ranked = [text for text, _ in totals.most_common()]
    named = sorted(ranked[:_MOST_CONTRACTS])
    shades = colormaps["cividis"](np.linspace(0.05, 0.95, max(2, len(named))))
    colours: dict[str, Any] = dict(zip(named, map(tuple, shades), strict=False))
    if len(ranked) > len(named):
        colours[_OTHERS] = _OTHERS_COLOUR
    return {**colours, "no contract": _NO_CONTRACT_COLOUR}


def _draw_shares(axes: Axes, shares: Mapping[str, Floats], colours: Mapping[str, Any]) -> None:
    num_steps = len(next(iter(shares.values()))) if shares else 1
    edges = np.arange(num_steps + 1)
    below = np.zeros(num_steps)
    axes.axhspan(0, 1, color=colours["no contract"], zorder=0, linewidth=0)
    ordered = [text for text in colours if text in shares]
    ordered += [text for text in shares if text not in colours]
    for text in ordered:
        upper = below + shares[text]
        colour = colours.get(text, _OTHERS_COLOUR)
        axes.stairs(upper, edges, baseline=below, fill=True, color=colour, linewidth=0)
        below = upper
    axes.set_xlim(0, num_steps)
    axes.set_ylim(0, 1)
    axes.set_yticks((0.0, 0.5, 1.0), ("0%", "50%", "100%"))
    axes.set_ylabel("in force", fontsize=9)
    axes.tick_params(labelsize=8, labelbottom=False)


def _welfare_alt(
    policies: Sequence[str],
    contracts: Sequence[str],
    samples: Mapping[tuple[str, str], Sample | None],
    optimum: Floats,
) -> str:
    told = []
    for policy in policies:
        means = [
            f"{float(sample.mean.mean()):.1f} under {contract}"
            for contract in contracts
            if (sample := samples[policy, contract]) is not None
        ]
        told.append(f"{policy} {', '.join(means)}")
    return (
        f"Line charts of welfare by step. Mean welfare a step over the episode: {'; '.join(told)}. "
        f"The social optimum is {float(optimum.mean()):.1f}."
    )


def _contracts_alt(
    contract: str,
    policies: Sequence[str],
    shares: Mapping[str, Mapping[str, Floats]],
    samples: Mapping[str, Sample | None],
) -> str:
    told = []
    for policy in policies:
        sample, of_policy = samples[policy], shares[policy]
        moved = 0.0 if sample is None else float(sample.mean.sum())
        last = {text: float(share[-1]) for text, share in of_policy.items() if share[-1] > 0}
        most = max(last, key=lambda text: last[text], default=None)
        ends = "no contract" if most is None else f"in {last[most]:.0%} of episodes: {most}"
        told.append(f"{policy} moves {moved:.1f} an episode and ends with {ends}")
    return f"Contracts in force and transfers by step under {contract}. " + "; ".join(told) + "."
