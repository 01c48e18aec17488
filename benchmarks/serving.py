"""What the models of a run did for it, and at what speed."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from agents import Decision
from agents.llm.server_metrics import ServerCounts, read_counts
from agents.protocol import OK_STATUS
from benchmarks.gate import Gate


@dataclass(frozen=True, kw_only=True)
class Serving:
    """How the models are doing, now or over a whole run."""

    seconds: float
    in_flight: int
    limit: int  # questions that may be in flight
    requests: int
    prompt_tokens: int
    completion_tokens: int
    cached_tokens: int
    decisions: int
    malformed: int  # decisions that ended in the fallback
    repaired: int  # decisions that took more than one answer and were read in the end
    episodes: int  # that models took part in, over by now
    money: float

    @property
    def tokens_per_s(self) -> float:
        """Tokens of prompts and answers a second."""
        return (self.prompt_tokens + self.completion_tokens) / max(self.seconds, 1e-9)

    @property
    def requests_per_s(self) -> float:
        """Requests a second."""
        return self.requests / max(self.seconds, 1e-9)

    @property
    def cached_share(self) -> float:
        """Share of the prompt tokens that servers said they had cached, 0 where they do not say."""
        return self.cached_tokens / self.prompt_tokens if self.prompt_tokens else 0.0

    @property
    def malformed_share(self) -> float:
        """Share of the decisions that ended in the fallback."""
        return self.malformed / self.decisions if self.decisions else 0.0


class ServingTally:
    """Counts what models do, from the moment it is made.

    Args:
        gate: through which all questions go.
        base_urls: the servers, whose own counts are read now and at the end.
        gpus: that serve the models, if known.
        clock: seconds.
    """

    def __init__(
        self,
        gate: Gate,
        *,
        base_urls: Sequence[str] = (),
        gpus: int | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._gate, self._clock, self._gpus = gate, clock, gpus
        self._base_urls = tuple(base_urls)
        self._began_s = clock()
        self._before = server_counts(base_urls)
        self._decisions = self._malformed = self._repaired = self._episodes = 0

    def count_decision(self, decision: Decision) -> None:
        """Take note of a decision that a model was asked for."""
        self._decisions += 1
        self._malformed += decision.status != OK_STATUS
        self._repaired += decision.status == OK_STATUS and len(decision.calls) > 1

    def count_episode(self) -> None:
        """Take note of an episode that is over."""
        self._episodes += 1

    def now(self) -> Serving:
        """Return how it stands."""
        spent = self._gate.spent
        return Serving(
            seconds=self._clock() - self._began_s,
            in_flight=self._gate.in_flight,
            limit=self._gate.limit.now,
            requests=spent.requests,
            prompt_tokens=spent.prompt_tokens,
            completion_tokens=spent.completion_tokens,
            cached_tokens=spent.cached_tokens,
            decisions=self._decisions,
            malformed=self._malformed,
            repaired=self._repaired,
            episodes=self._episodes,
            money=self._gate.spent_money,
        )

    def to_dict(self) -> dict[str, Any]:
        """Return the whole as JSON values, what the servers counted themselves included."""
        return told_of(
            self.now(),
            most_in_flight=self._gate.most_in_flight,
            gpus=self._gpus,
            before=self._before,
            after=server_counts(self._base_urls),
        )


def told_of(
    now: Serving,
    *,
    most_in_flight: int,
    gpus: int | None,
    before: ServerCounts | None,
    after: ServerCounts | None,
) -> dict[str, Any]:
    """Return as JSON values what models did for a run.

    Args:
        now: how it stands at the end.
        most_in_flight: questions at a time.
        gpus: that served, if that is known.
        before: what the servers had counted themselves when the run began, if all of them tell.
        after: likewise, at its end.

    """
    counted = after - before if after and before else None
    gpu_s = now.seconds * gpus if gpus else None
    return {
        "seconds": round(now.seconds, 3),
        "requests": now.requests,
        "prompt_tokens": now.prompt_tokens,
        "completion_tokens": now.completion_tokens,
        "cached_tokens": now.cached_tokens,
        "tokens_per_s": round(now.tokens_per_s, 1),
        "requests_per_s": round(now.requests_per_s, 3),
        "most_in_flight": most_in_flight,
        "decisions": now.decisions,
        "malformed": now.malformed,
        "repaired": now.repaired,
        "prefix_cache_hit_rate": counted.hit_rate if counted else None,
        "gpu_s_per_episode": gpu_s / now.episodes if gpu_s and now.episodes else None,
        "money": round(now.money, 6),
    }


def server_counts(base_urls: Sequence[str]) -> ServerCounts | None:
    """Return the sum over the servers; None unless all of them tell."""
    told = [read_counts(url) for url in base_urls]
    counts = [each for each in told if each is not None]
    return sum(counts, ServerCounts()) if counts and len(counts) == len(told) else None
