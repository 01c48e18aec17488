"""What came of a game with a person, as tables."""

from __future__ import annotations

import numpy as np
from rich import box
from rich.console import Group
from rich.table import Table
from rich.text import Text

from benchmarks.cleanup.metrics import efficiency, equality, welfare
from benchmarks.cleanup.runner import EpisodeResult
from negotiation_games import Game, NegotiationEnv
from negotiation_games.game import deal_name
from negotiation_games.scoring import Verdict


def cleanup_outcome(result: EpisodeResult, *, seat: str, partners: str) -> Group:
    """Lay out everybody's rewards, and how much of what could be had they are together.

    Args:
        result: the episode.
        seat: the person's.
        partners: who played the others.
    """
    harvested = np.sum([step.game_rewards for step in result.steps], axis=0)
    received = np.sum([step.transfers for step in result.steps], axis=0)
    table = _table("agent", "played by", numbers=("fruit", "transfers", "reward"))
    for i, agent in enumerate(result.agents):
        player = "you" if agent == seat else partners
        amounts = (harvested[i], received[i], harvested[i] + received[i])
        table.add_row(agent, player, *map(_amount, amounts))
    agreed = [held for held in result.negotiations if held["outcome"]["contract"] is not None]
    lines = [
        f"Together {welfare(result):g} of the {sum(result.optimum_by_step):g} that could be had: "
        f"efficiency {efficiency(result):.2f}. Equality {equality(result):.2f}.",
    ]
    if result.negotiations:
        lines.append(f"Talks held: {len(result.negotiations)}, with an agreement: {len(agreed)}.")
    return Group(table, Text("\n".join(lines)))


def negotiation_outcome(env: NegotiationEnv, *, party: str, reveal: bool) -> Group:
    """Lay out what became of the final proposal.

    Others' scores are secret in the game: they are in it only if asked to be revealed.

    Args:
        env: a negotiation that is over.
        party: the person's.
        reveal: whether to show everybody's sheet.
    """
    game, verdict = env.game, env.verdict
    if verdict is None:
        raise ValueError("the negotiation is not over")
    deal = "nothing" if verdict.deal is None else deal_name(verdict.deal)
    passed = "it passed" if verdict.passed else "it did not pass"
    unanimous = ", with all in favour" if verdict.passed and verdict.unanimous else ""
    own = game.party(party)
    score = None if verdict.deal is None else own.score(verdict.deal)
    lines = [
        f"The final proposal was {deal}: {passed}{unanimous}.",
        f"In favour: {', '.join(_in_favour(game, verdict)) or 'nobody'}.",
        f"You are {party}. The proposal gives you {'no' if score is None else score} points, your "
        f"minimum is {own.threshold}. You earn {env.rewards[party]:g}.",
    ]
    told = Text("\n".join(lines))
    return Group(told, Text(), _sheets(env, verdict)) if reveal else Group(told)


def _sheets(env: NegotiationEnv, verdict: Verdict) -> Table:
    """Return everybody's part in the outcome."""
    table = _table("party", "role", "after", "vote", numbers=("score", "minimum", "earned"))
    in_favour = _in_favour(env.game, verdict)
    for each in env.game.parties:
        score = "-" if verdict.deal is None else str(each.score(verdict.deal))
        table.add_row(
            each.name,
            each.role.name.lower(),
            each.incentive.name.lower().replace("_", " "),
            "for" if each.name in in_favour else "against",
            score,
            str(each.threshold),
            _amount(env.rewards[each.name]),
        )
    return table


def _in_favour(game: Game, verdict: Verdict) -> tuple[str, ...]:
    votes = zip(game.party_names, verdict.votes, strict=False)
    return tuple(name for name, accepts in votes if accepts)


def _table(*names: str, numbers: tuple[str, ...]) -> Table:
    table = Table(*names, box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), show_edge=False)
    for name in numbers:
        table.add_column(name, justify="right")
    return table


def _amount(value: float) -> str:
    return f"{round(value, 9) + 0.0:g}"
