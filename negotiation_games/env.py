"""The negotiation as a PettingZoo AEC environment: parties speak in turn."""

from __future__ import annotations

import operator
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from gymnasium import spaces
from pettingzoo import AECEnv
from pettingzoo.utils import wrappers

from negotiation_games import noise, rules, text
from negotiation_games.answers import (
    MAX_PUBLIC_CHARS,
    ParsedAnswer,
    ParseStatus,
    Speech,
    one_line,
    parse_answer,
)
from negotiation_games.game import Game, GameError, check_choice, deal_name, is_deal
from negotiation_games.load import load_game, recast
from negotiation_games.observe import PHASES, VectorObserver, action_masks, one_hot, own_part
from negotiation_games.probe import render_probe
from negotiation_games.scoring import NO_DEAL_KINDS, Verdict, judge, payoffs
from negotiation_games.spaces import Words
from negotiation_games.state import NegotiationState, Phase
from negotiation_games.text import LAYOUTS, REASONING_STEPS, WINDOW, Said

OBSERVATION_KINDS = ("both", "text", "vector")
RENDER_MODES = ("human", "ansi")

_THIS_LANE = np.zeros(1, np.int64)  # vectors are written for many negotiations; this is one


class NegotiationEnv(AECEnv[str, Any, Any]):
    """The AEC environment; see `env` for its arguments. Agents have the parties' names.

    Actions are ``Discrete``: a deal's number proposes that deal, ``game.num_deals`` speaks without
    a proposal, and with the explicit vote the two after that accept and reject. A `Speech` (what
    `parse_answer` makes of words) is an action as well. What is not possible now proposes nothing,
    or abstains from the vote, and counts as illegal; nothing that a party does raises.

    ``infos[agent]`` holds ``phase``, ``turn`` (turns made after the opening), ``action_mask`` (not
    if observations are words alone) and, of the party's own last turn, ``status`` (a `ParseStatus`
    value or None) and ``illegal``; at the end also ``deal`` (short name or None), ``passed``,
    ``unanimous`` and ``accepted`` (the names of those in favour). Scores are in nobody's infos;
    `verdict` has them.
    """

    metadata: dict[str, Any] = {  # noqa: RUF012 - PettingZoo's declared type
        "name": "negotiation_v0",
        "render_modes": list(RENDER_MODES),
        "is_parallelizable": False,
        "render_fps": 1,
    }

    def __init__(
        self,
        game: Game,
        *,
        num_turns: int | None = None,
        voting: str = "implicit",
        no_deal: str = "threshold",
        layout: str = "append",
        reasoning: Sequence[str] = REASONING_STEPS,
        observation: str = "both",
        render_mode: str | None = None,
    ) -> None:
        check_choice("voting", voting, rules.VOTINGS)
        check_choice("no_deal", no_deal, NO_DEAL_KINDS)
        check_choice("layout", layout, LAYOUTS)
        check_choice("observation", observation, OBSERVATION_KINDS)
        check_choice("render_mode", render_mode, (None, *RENDER_MODES))
        for step in reasoning if isinstance(reasoning, Sequence) else (reasoning,):
            check_choice("reasoning", step, REASONING_STEPS)
        if game.initial_deal is None:
            raise GameError(f"{game.name}: initial deal", None, "a deal to open with")
        self.game = game
        self.num_turns = rules.checked_num_turns(game, num_turns)
        self.render_mode = render_mode
        self.possible_agents = list(game.party_names)
        self.agents: list[str] = []
        self._explicit = voting == "explicit"
        self._no_deal, self._layout, self._kind = no_deal, layout, observation
        self._reasoning = tuple(reasoning)
        self._rules = text.render_rules(
            game, num_turns=self.num_turns, explicit_vote=self._explicit
        )
        failed = payoffs(game, judge(game, None), no_deal=no_deal)
        self._sheets = [
            text.render_sheet(game, party, without_deal=failed[i])
            for i, party in enumerate(game.parties)
        ]
        self._vectors = VectorObserver(
            1, num_parties=game.num_parties, num_options=game.num_options
        )
        self._own = own_part(game)
        self._masks = action_masks(game.num_deals, explicit_vote=self._explicit)
        self._observation_spaces = dict.fromkeys(self.possible_agents, self._build_space())
        size = self._masks.shape[1]
        self._action_spaces = {name: spaces.Discrete(size) for name in self.possible_agents}
        self._seed: int | None = None
        self._episode = 0

    def observation_space(self, agent: str) -> spaces.Space[Any]:
        """Return the space of a party's observations; the same object on every call."""
        return self._observation_spaces[agent]

    def action_space(self, agent: str) -> spaces.Space[Any]:
        """Return ``Discrete(num_deals + 1)``, or + 3 with the explicit vote."""
        return self._action_spaces[agent]

    def reset(self, seed: int | None = None, options: dict[str, Any] | None = None) -> None:
        """Start a negotiation: the k-th reset after a seed has the order that (seed, k) draws."""
        del options
        if seed is not None:
            self._seed, self._episode = operator.index(seed), 0
        elif self._seed is None:
            self._seed = int(np.random.SeedSequence().generate_state(1, np.uint64)[0])
        else:
            self._episode += 1
        (order,) = rules.draw_orders(
            noise.episode_seeds(noise.as_words([self._seed]), self._episode),
            num_parties=self.game.num_parties,
            num_turns=self.num_turns,
            proposer=self.game.proposer_index,
        )
        self._state = rules.begin(self.game, tuple(order.tolist()), explicit_vote=self._explicit)
        opening = self.game.parties[self.game.proposer_index].name
        self._said: list[Said] = []
        self._lines: list[str] = []
        self._add_to_record(Said(opening, "", self.game.initial_deal))
        self._vectors.begin(_THIS_LANE)
        self._count_proposal(is_final=False)
        self._plans = dict.fromkeys(self.possible_agents, "")
        self._statuses: dict[str, str | None] = dict.fromkeys(self.possible_agents)
        self._illegal = dict.fromkeys(self.possible_agents, 0)
        self.verdict: Verdict | None = None
        self.agents = self.possible_agents[:]
        self.rewards = dict.fromkeys(self.agents, 0.0)
        self._cumulative_rewards = dict.fromkeys(self.agents, 0.0)
        self.terminations = dict.fromkeys(self.agents, False)
        self.truncations = dict.fromkeys(self.agents, False)
        self._skip_agent_selection = None
        self._next_turn()

    def step(self, action: Any) -> None:
        """Make the turn of the party whose turn it is."""
        agent = self.agent_selection
        if self.terminations[agent] or self.truncations[agent]:
            self._was_dead_step(action)
            return
        self._cumulative_rewards[agent] = 0.0
        self._clear_rewards()
        speech, self._illegal[agent] = self._as_speech(action)
        self._statuses[agent] = str(speech.status)
        if self._phase is Phase.VOTE:
            self._state = rules.vote(self._state, speech.accepts)
        else:
            self._add_to_record(Said(agent, one_line(speech.public), speech.deal))
            self._plans[agent] = one_line(speech.plan)
            self._state = rules.speak(self._state, speech.deal)
            if self._kind != "text":
                self._count_proposal(is_final=self._phase is Phase.FINAL)
        self._next_turn()
        self._accumulate_rewards()
        if self.render_mode == "human":
            self.render()

    def observe(self, agent: str) -> Any:
        """Return what a party sees: nothing of another's sheet, scratchpad or plan."""
        index = self.possible_agents.index(agent)
        if self._kind == "text":
            return self._words(index)
        made = self._num_made() / len(self._state.order)
        (vector,) = self._vectors.vectors(self._own[index], PHASES.index(self._phase), made)
        if self._kind == "vector":
            return vector
        return {"observation": vector, "text": self._words(index), "action_mask": self._mask.copy()}

    @property
    def record(self) -> tuple[Said, ...]:
        """The public record so far, the opening first."""
        return tuple(self._said)

    @property
    def record_lines(self) -> tuple[str, ...]:
        """The public record as parties read it, a line each: all of it, or the latest entries."""
        return tuple(self._lines if self._layout == "append" else self._lines[-WINDOW:])

    @property
    def negotiation_state(self) -> NegotiationState:
        """The state of the rules."""
        return self._state

    def rules_text(self, agent: str) -> str:
        """Return what precedes the observation in a prompt: nothing, it is complete."""
        del agent
        return ""

    def prompt_parts(
        self, agent: str, steps: Sequence[str] | None = None, *, as_json: str = ""
    ) -> tuple[str, str, str, str]:
        """Return rules, secret sheet, public record and instruction, in this order.

        Args:
            agent: the party that is told.
            steps: the steps of thought it is asked for, names in `negotiation_games.text.STEPS`;
                with none it is to answer at once. None asks for this environment's ``reasoning``.
            as_json: with `steps`, how the answer looks as JSON, if it may be that.

        Raises:
            GameError: there is no such step.
        """
        text.check_steps(steps or ())
        index = self.possible_agents.index(agent)
        record = "\n".join(self.record_lines)
        return self._rules, self._sheets[index], record, self._instruction(index, steps, as_json)

    def probe_text(self, agent: str) -> str:
        """Return the question of the theory-of-mind probe; asking it changes nothing here."""
        index = self.possible_agents.index(agent)
        known = "\n\n".join(self.prompt_parts(agent)[:3])
        return render_probe(self.game, index, known=known)

    def parse_answer(self, agent: str, answer: object) -> ParsedAnswer:
        """Read what a party answered to its observation. Never raises."""
        del agent
        return parse_answer(answer, self.game, self._phase)

    def render(self) -> str | None:
        """Write the public record: returned for "ansi", printed for "human"."""
        if self.render_mode is None:
            return None
        drawn = "\n".join([f"{self.game.name}, {self._phase}", *self._lines])
        if self.render_mode == "ansi":
            return drawn
        print(drawn)  # noqa: T201 - this is what "human" asks for
        return None

    def close(self) -> None:
        """Nothing is held open."""

    def _next_turn(self) -> None:
        """Hand the turn on, or end the negotiation and pay everybody."""
        self._phase = self._state.phase
        self._mask = self._masks[PHASES.index(self._phase)]
        self._speaker = speaker = self._state.speaker
        if speaker is None:
            self.verdict = rules.outcome(self.game, self._state)
            paid = payoffs(self.game, self.verdict, no_deal=self._no_deal)
            self.rewards = dict(zip(self.possible_agents, paid, strict=True))
            self.terminations = dict.fromkeys(self.agents, True)
            self.agent_selection = self.agents[0]
        else:
            self.agent_selection = self.possible_agents[speaker]
        shared = self._shared_info()
        self.infos = {
            agent: {**shared, "status": self._statuses[agent], "illegal": self._illegal[agent]}
            for agent in self.agents
        }
        if self._kind != "text":
            for info in self.infos.values():
                info["action_mask"] = self._mask.copy()

    def _add_to_record(self, said: Said) -> None:
        self._said.append(said)
        self._lines.append(text.render_line(len(self._said), said))

    def _count_proposal(self, *, is_final: bool) -> None:
        """Note for vectors what was proposed last, if it was anything."""
        party, deal = self._state.proposals[-1]
        if deal is not None:
            final = np.ones(1, np.bool_) if is_final else None
            hot = one_hot([deal], self.game.num_options)
            self._vectors.count(_THIS_LANE, np.array([party]), hot, is_final=final)

    def _num_made(self) -> int:
        """Turns made after the opening."""
        return len(self._said) - 1

    def _shared_info(self) -> dict[str, Any]:
        info: dict[str, Any] = {"phase": str(self._phase), "turn": self._num_made()}
        if self.verdict is not None:
            deal = self.verdict.deal
            votes = zip(self.possible_agents, self.verdict.votes, strict=False)
            info.update(
                deal=None if deal is None else deal_name(deal),
                passed=self.verdict.passed,
                unanimous=self.verdict.unanimous,
                accepted=tuple(name for name, accepts in votes if accepts),
            )
        return info

    def _as_speech(self, action: Any) -> tuple[Speech, int]:
        """Return an action as what is said, and 1 if it was not possible."""
        if isinstance(action, Speech):
            deal = action.deal
            if deal is None or is_deal(self.game, deal):
                return action, 0
            return action._replace(deal=None, status=ParseStatus.UNKNOWN_OPTION), 1
        try:
            index = operator.index(action)
        except TypeError:
            index = -1
        deals, is_vote = self.game.num_deals, self._phase is Phase.VOTE
        if is_vote and index in (deals + 1, deals + 2):
            return Speech(None, accepts=index == deals + 1), 0
        if not is_vote and 0 <= index < deals:
            return Speech(self.game.deal_at(index)), 0
        if not is_vote and index == deals:
            return Speech(None, status=ParseStatus.NO_PROPOSAL), 0
        return Speech(None, status=ParseStatus.UNKNOWN_OPTION), 1

    def _words(self, index: int) -> str:
        return "\n\n".join(part for part in self.prompt_parts(self.possible_agents[index]) if part)

    def _instruction(self, index: int, steps: Sequence[str] | None, as_json: str) -> str:
        if self._phase is Phase.OVER:
            return "The negotiation is over."
        if self._speaker != index:
            return "It is not your turn."
        return text.render_instruction(
            self.game,
            self.game.parties[index],
            phase=self._phase,
            turns_left=self._turns_left(index),
            plan=self._plans[self.possible_agents[index]],
            reasoning=self._reasoning if steps is None else steps,
            final_deal=self._state.final_deal,
            as_json=None if steps is None else as_json,
        )

    def _turns_left(self, index: int) -> int:
        return self._state.order[self._num_made() + 1 :].count(index)

    def _word_space(self) -> Words:
        told = len(self._rules) + max(map(len, self._sheets)) + text.MAX_INSTRUCTION_CHARS
        line = (
            MAX_PUBLIC_CHARS + 20 + max(map(len, self.possible_agents)) + 8 * len(self.game.issues)
        )
        return Words(told + MAX_PUBLIC_CHARS + (self.num_turns + 2) * line)

    def _build_space(self) -> spaces.Space[Any]:
        if self._kind == "text":
            return self._word_space()
        if self._kind == "vector":
            return self._vectors.space()
        return spaces.Dict(
            {
                "observation": self._vectors.space(),
                "text": self._word_space(),
                "action_mask": spaces.Box(0, 1, self._masks.shape[1:], np.int8),
            }
        )


def raw_env(
    *,
    game: Game | str | Path = "base",
    incentives: Mapping[str, str] | None = None,
    target: str | None = None,
    **config: Any,
) -> NegotiationEnv:
    """Make the environment without the wrapper that watches the order of calls; see `env`."""
    if isinstance(game, Game):
        chosen = recast(game, incentives=incentives, target=target)
    else:
        chosen = load_game(game, incentives=incentives, target=target)
    return NegotiationEnv(chosen, **config)


def env(**config: Any) -> AECEnv[str, Any, Any]:
    """Make a negotiation; calls in the wrong order are reported.

    Args:
        **config: ``game``, the name of a bundled game, a folder or a `Game` ["base"];
            ``incentives``, ``{party: incentive}`` in place of the game's own; ``target``, the party
            against whom a saboteur works; ``num_turns`` between opening and final proposal [4 x
            parties]; ``voting`` "implicit" (a party accepts what reaches its threshold) or
            "explicit"; ``no_deal`` "threshold" or "zero", what failure pays; ``layout`` "append" (a
            record that is never rewritten) or "published" (the last six answers); ``reasoning``,
            the steps that models are asked for ("observe", "explore", "plan"); ``observation``
            "both", "text" or "vector"; ``render_mode`` None, "human" or "ansi".

    Raises:
        GameError: names the value, or the file and line, that cannot be and what is allowed.
    """
    ordered: AECEnv[str, Any, Any] = wrappers.OrderEnforcingWrapper(raw_env(**config))
    return ordered
