"""Short games, one for each way the environments are met, written so that a person can review them.

A playthrough is what an id of ours plays when agents answer a script: a line for where everything
stands, a line for what each did and what came of it, and here and there what an agent reads::

    step 1  garden[0] shore[1]  pollution 3/6  fruit 9
            agent_0 harvest +4   agent_1 clean -3
"""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import gymnasium
import pettingzoo

import cleanup_icn
import negotiation_games
from cleanup_icn.contracts import Contract, ContractWrapper, Duration, Wage
from cleanup_icn.text import parse_action, parse_observation
from negotiation_games import Game, Incentive, Issue, Party, Role

SEED = 0
MAX_WIDTH = 200
"""Where a line that an agent reads is broken, so that a person can read it too."""


@dataclass(frozen=True, kw_only=True)
class Playthrough:
    """One game to be played and written down.

    Attributes:
        env_id: the registered environment that is played.
        about: what it shows, in a line.
        make: makes the environment; it takes answers in words.
        script: what the agents answer in each step, in the order of their indices.
        reads: (row of the script, agent): whose whole text is written out, and when.
        in_turns: whether a row of the script is one turn, of whoever's turn it is.

    """

    env_id: str
    about: str
    make: Callable[[str], Any]
    script: tuple[str, ...]
    reads: tuple[tuple[int, str], ...] = ()
    in_turns: bool = False


class SeatInWords:
    """A single seat, met like a parallel environment with one agent that answers in words."""

    def __init__(self, env: gymnasium.Env) -> None:
        self._env = env
        self._seat = env.unwrapped.seat
        self.agents: list[str] = []

    def reset(self, seed: int) -> tuple[dict[str, Any], dict[str, Any]]:
        seen, info = self._env.reset(seed=seed)
        self.agents = [self._seat]
        return {self._seat: seen}, {self._seat: info}

    def step(self, actions: dict[str, str]) -> tuple[dict[str, Any], ...]:
        action = parse_action(actions[self._seat]).action
        values = self._env.step(action)
        if values[2] or values[3]:
            self.agents = []
        return tuple({self._seat: value} for value in values)


def record(played: Playthrough) -> str:
    """Play the game and write it down."""
    return "\n".join(_turns(played) if played.in_turns else _lines(played)) + "\n"


def _lines(played: Playthrough) -> Iterator[str]:
    env = played.make(played.env_id)
    observations, infos = env.reset(seed=SEED)
    agents = list(env.agents)
    returns = dict.fromkeys(agents, 0.0)
    contract = ""
    yield f"# {played.env_id}, seed {SEED}"
    yield f"# {played.about}"
    for row, answers in enumerate(played.script):
        yield _situation(observations, infos)
        if infos[agents[0]].get("contract_text", "") != contract:
            contract = infos[agents[0]]["contract_text"]
            yield f"        contract: {contract}"
        yield from _readings(played, row, observations)
        said = dict(zip(agents, answers.split(" | "), strict=True))
        observations, rewards, _, _, infos = env.step(
            {agent: f"Action: {answer}" for agent, answer in said.items()}
        )
        yield "        " + "   ".join(
            _deed(agent, said[agent], infos[agent], rewards[agent]) for agent in agents
        )
        for agent, reward in rewards.items():
            returns[agent] += reward
    yield _situation(observations, infos)
    yield from _readings(played, len(played.script), observations)
    yield "the episode is over" if not env.agents else "the script ends here"
    yield "returns " + "  ".join(f"{agent} {total:g}" for agent, total in returns.items())


def _readings(played: Playthrough, row: int, observations: Mapping[str, Any]) -> Iterator[str]:
    for at, agent in played.reads:
        if at == row:
            yield f"        {agent} reads:"
            for line in observations[agent]["text"].splitlines():
                yield from (f"        | {part}" for part in textwrap.wrap(line, MAX_WIDTH) or [""])


def _situation(observations: Mapping[str, Any], infos: Mapping[str, Any]) -> str:
    agent = next(iter(observations))
    seen = parse_observation(observations[agent]["text"])
    garden = " ".join(str(i) for i in range(seen.num_agents) if not seen.at_shore >> i & 1)
    shore = " ".join(str(i) for i in range(seen.num_agents) if seen.at_shore >> i & 1)
    line = (
        f"step {seen.step:<2} garden[{garden}] shore[{shore}]  "
        f"pollution {seen.pollution}/{seen.parameters.pollution_threshold}  fruit {seen.fruit}"
    )
    for name, before, after in seen.changed:
        line += f"  {name} {before:g}->{after:g}"
    phase = infos[agent].get("phase", "play")
    return line if phase == "play" else f"{line}  ({phase})"


def _deed(agent: str, answer: str, info: Mapping[str, Any], reward: float) -> str:
    """What an agent answered, what it took (+) and removed (-), and what the contract moved."""
    words = [agent, answer]
    if info.get("parse_status", "ok") != "ok":
        words.append(f"({info['parse_status']})")
    if info["illegal"]:
        words.append("(illegal)")
    if info["harvested"]:
        words.append(f"+{info['harvested']:g}")
    if info["cleaned"]:
        words.append(f"-{info['cleaned']:g}")
    if info.get("transfer"):
        words.append(f"transfer {info['transfer']:+g}")
    if abs(reward - info["harvested"] - info.get("transfer", 0.0)) > 1e-9:
        words.append(f"but a reward of {reward:g}")
    return " ".join(words)


def _turns(played: Playthrough) -> Iterator[str]:
    env = played.make(played.env_id)
    env.reset(seed=SEED)
    yield f"# {played.env_id}, seed {SEED}"
    yield f"# {played.about}"
    yield from _sheets(env.unwrapped.game)
    yield f"opening  {_said(env)}"
    for row, answer in enumerate(played.script):
        agent = env.agent_selection
        observation, _, _, _, info = env.last()
        if (row, agent) in played.reads:
            yield from _readings(played, row, {agent: observation})
        yield f"{info['phase']} {info['turn']}  {agent} answers: {answer}"
        env.step(answer)
        spoke = info["phase"] != "vote"
        heard = f"   others hear: {_said(env)}" if spoke else ""
        yield f"        read as {env.infos[agent]['status']}{heard}"
    yield from _outcome(env)


def _sheets(game: Game) -> Iterator[str]:
    for p in game.parties:
        scores = " | ".join(" ".join(map(str, points)) for points in p.scores)
        yield f"# {p.name} ({p.role}, {p.incentive}, from {p.threshold}): {scores}"


def _said(env: Any) -> str:
    return env.unwrapped.prompt_parts(env.possible_agents[0])[2].splitlines()[-1]


def _outcome(env: Any) -> Iterator[str]:
    if not all(env.terminations.values()):
        yield "the script ends here"
        return
    info = env.infos[env.agents[0]]
    how = "fails" if not info["passed"] else "passes, all" if info["unanimous"] else "passes"
    yield f"over  {info['deal']} {how}; in favour: {', '.join(info['accepted'])}"
    returns = {}
    while env.agents:
        returns[env.agent_selection] = env.last()[1]
        env.step(None)
    yield "returns " + "  ".join(f"{agent} {total:g}" for agent, total in returns.items())


# --- the games -------------------------------------------------------------------------------


def _plain(env_id: str) -> Any:
    return cleanup_icn.TextActions(pettingzoo.make("parallel", env_id, horizon_steps=10))


def _linear(env_id: str) -> Any:
    env = pettingzoo.make(
        "parallel",
        env_id,
        preset="linear",
        num_agents=3,
        horizon_steps=10,
        prob_pollution_growth=0.7,
        prob_fruit_growth=0.8,
        schedule=[(4, {"pollution_threshold": 12}), (7, {"clean_per_action": 1})],
        announce_changes=True,
    )
    return cleanup_icn.TextActions(env)


def _under_a_wage(env_id: str) -> Any:
    wage = Wage(payer="others", payee="all", per="cleaned", rate=0.6, cap=6.0)
    contract = Contract([wage], Duration("step", 8))
    env = pettingzoo.make("parallel", env_id, num_agents=3, horizon_steps=10)
    return cleanup_icn.TextActions(ContractWrapper(env, contract, settle="step"))


def _with_talks(env_id: str) -> Any:
    env = pettingzoo.make(
        "parallel",
        env_id,
        horizon_steps=8,
        schedule=[(4, {"pollution_growth_per_step": 4})],
        negotiation_cost_steps=1,
        max_rounds=2,
    )
    return cleanup_icn.TextActions(env)


def _one_seat(env_id: str) -> Any:
    env = gymnasium.make(env_id, seat="agent_1", partners="conditional-cooperator", max_cycles=14)
    return SeatInWords(env)


def _ferry() -> Game:
    """Four parties on two issues, small enough to add up by heart."""

    def party(name: str, role: Role, scores: Any, threshold: int, **kind: Incentive) -> Party:
        incentive = kind.get("incentive", Incentive.COOPERATIVE)
        text = {incentive: f"{name} wants what its scores say."}
        return Party(name, role, incentive, scores, threshold, text)

    return Game(
        "ferry",
        (Issue("Quay", ("old", "new")), Issue("Crossings", ("few", "some", "many"))),
        (
            party("Farm", Role.PLAYER, ((0, 40), (0, 10, 20)), 20, incentive=Incentive.GREEDY),
            party("Line", Role.PROPOSER, ((20, 10), (30, 15, 0)), 30),
            party("Town", Role.PLAYER, ((10, 20), (0, 20, 40)), 30, incentive=Incentive.SABOTAGE),
            party("Port", Role.VETO, ((10, 0), (10, 25, 40)), 20),
        ),
        initial_deal=(0, 0),
        scenario="A ferry is to be licensed.",
    )


def _talks(env_id: str) -> Any:
    return negotiation_games.TextActions(pettingzoo.make("aec", env_id, game=_ferry(), num_turns=4))


def _ballot(env_id: str) -> Any:
    env = pettingzoo.make(
        "aec", env_id, game=_ferry(), num_turns=4, voting="explicit", layout="published"
    )
    return negotiation_games.TextActions(env)


PLAYTHROUGHS: Mapping[str, Playthrough] = {
    "cleanup": Playthrough(
        env_id="commonweal/Cleanup-v0",
        about="Greed and a lost step spoil the river; one cleaner would keep pace, two repair it.",
        make=_plain,
        script=(
            "harvest | harvest",
            "harvest | harvest",
            "clean | dance",
            "move | move",
            *["clean | clean"] * 3,
            "move | clean",
            "harvest | clean",
            "harvest | harvest",
        ),
        reads=((0, "agent_1"), (10, "agent_0")),
    ),
    "cleanup_linear": Playthrough(
        env_id="commonweal/Cleanup-v0",
        about="Linear regrowth and chance, three agents, two announced changes.",
        make=_linear,
        script=(
            "harvest | wait | move",
            "harvest | harvest | clean",
            "harvest | harvest | clean",
            "harvest | harvest | clean",
            "harvest | harvest | wait",
            "harvest | harvest | clean",
            "harvest | move | clean",
            "harvest | clean | clean",
            "harvest | clean | clean",
            "harvest | clean | clean",
        ),
        reads=((4, "agent_2"),),
    ),
    "cleanup_wage": Playthrough(
        env_id="commonweal/Cleanup-v0",
        about="A wage of 0.6, at most 6 in all, until step 8: two clean, one lives on it.",
        make=_under_a_wage,
        script=(
            "harvest | move | move",
            "harvest | wait | clean",
            "harvest | clean | clean",
            "harvest | clean | clean",
            "harvest | move | clean",
            "harvest | harvest | clean",
            "harvest | harvest | harvest",
            *["harvest | harvest | clean"] * 3,
        ),
        reads=((2, "agent_1"), (9, "agent_2")),
    ),
    "cleanup_icn": Playthrough(
        env_id="commonweal/CleanupICN-v0",
        about="Talks at the start and when the world changes; each costs a step of waiting.",
        make=_with_talks,
        script=(
            "propose 1 | pass",
            "pass | counter 3",
            "accept | pass",
            "wait | wait",
            "harvest | move",
            "harvest | clean",
            "harvest | clean",
            "pass | propose Until step 6: agent_0 pays agent_1 5 once.",
            "reject | pass",
            "propose 99 | pass",
            "harvest | wait",
            "harvest | clean",
            "harvest | clean",
            "harvest | harvest",
        ),
        reads=((1, "agent_1"), (7, "agent_1"), (10, "agent_0")),
    ),
    "cleanup_seat": Playthrough(
        env_id="commonweal/CleanupSeat-v0",
        about="Seat 1 beside a conditional cooperator, whom it relieves at its turn.",
        make=_one_seat,
        script=(*["harvest"] * 10, "move", "clean", "clean", "harvest"),
    ),
    "negotiation": Playthrough(
        env_id="commonweal/Negotiation-v0",
        about="Secrets, a deal too many and a bad one; p1 ends with what all but Farm can accept.",
        make=_talks,
        in_turns=True,
        script=(
            "<SCRATCHPAD>A2,B3 is 60.</SCRATCHPAD><ANSWER>A new quay.</ANSWER><DEAL>b3 a2</DEAL>"
            "<PLAN>Ask for A2 again.</PLAN>",
            "<ANSWER>Either will do.</ANSWER><DEAL>A1,B3</DEAL><DEAL>A1,B2</DEAL>",
            '{"scratchpad": "50 now", "answer": "I stay.", "deal": {"A": "A1", "B": "B1"}}',
            "I would rather not say.",
            "<ANSWER>So be it.</ANSWER><DEAL>A1,B2</DEAL>",
        ),
        reads=((3, "Port"), (4, "Line")),
    ),
    "negotiation_vote": Playthrough(
        env_id="commonweal/Negotiation-v0",
        about="Explicit votes: a saboteur refuses what it can well accept, another mumbles.",
        make=_ballot,
        in_turns=True,
        script=(
            "<ANSWER>Many crossings.</ANSWER><DEAL>A2,B3</DEAL>",
            "<ANSWER>Few.</ANSWER><DEAL>A1,B4</DEAL>",
            "<ANSWER>Some.</ANSWER><DEAL>A2</DEAL>",
            "<ANSWER>Some, then.</ANSWER>",
            "<ANSWER>This is all I have.</ANSWER><DEAL>A2,B2</DEAL>",
            "<VOTE>accept</VOTE>",
            "<SCRATCHPAD>40, but 150 if it fails.</SCRATCHPAD><VOTE>reject</VOTE>",
            "Well, yes, I accept.",
        ),
        reads=((6, "Town"),),
    ),
}
"""By the name of the golden file."""
