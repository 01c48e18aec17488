"""Contract learning in two stages.

1. One policy learns to play under whatever contract is in force: one of a menu, drawn for every
   episode and shown in the observation, the null contract among them.
2. That policy is frozen. A second one learns to propose a contract, given the start, and to vote;
   what the contract in force is worth to an agent is what the first policy says.

After Haupt, Christoffersen, Damani and Hadfield-Menell (*Formal Contracts Mitigate Social Dilemmas
in Multi-Agent Reinforcement Learning*, arXiv:2208.10469). Stage two is also solved exactly, see
`benchmarks.learning.proposals`.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import numpy as np
import numpy.typing as npt

from benchmarks.checked import Checked, one_of, whole
from benchmarks.cleanup.arena import wage_for_cleaning
from benchmarks.learning.cleanup import CleanupExperiment
from benchmarks.learning.experiment import (
    ACTION_SEED,
    LAST,
    SHARED,
    Experiment,
    Measure,
    Measured,
    Policy,
    Reference,
)
from benchmarks.learning.frozen import Floats, FrozenPlay, FrozenPolicy, Ints, Sampled, StartSet
from benchmarks.learning.proposal_batch import ProposalBatch
from benchmarks.learning.proposals import ContractValues
from benchmarks.learning.seeds import TEST, VALIDATION, Seeds, episode_seeds
from benchmarks.learning.terms import DrawnContract
from cleanup_icn import CleanupConfig, ConfigError
from cleanup_icn.contracts import Contract, Wage
from cleanup_icn.observe import agent_names
from cleanup_icn.starts import Starts

if TYPE_CHECKING:
    from agents.ppo import PPOSettings
    from agents.ppo.batch import RowPolicy

CRITIC, RETURNS = "critic", "returns"
"""What a start is worth: what the critic of stage one expects, or the mean of episodes played."""

PROPOSALS = "proposals"
"""Folder of stage two in that of a training seed, which is stage one's."""

MEASURES = (
    Measure("efficiency", "efficiency"),
    Measure("efficiency_solved", "solved play"),
    Measure("efficiency_best_accepted", "best accepted"),
    Measure("efficiency_no_contract", "no contract"),
    Measure("same_as_solved", "same as solved"),
    Measure("lost_by_proposer", "lost by proposer"),
    Measure("critic_error", "critic's error"),
)
"""What a table says of a training seed; docs/contract-learning.md explains each, and the others."""

_JUDGE_ACTIONS = ACTION_SEED + 1  # draws of the episodes that judge, not those that decide


@dataclass(frozen=True, kw_only=True)
class ProposalSettings(Checked):
    """What is proposed about, and how stage two is judged."""

    values: Annotated[str, one_of((CRITIC, RETURNS))] = CRITIC  # what payoffs are
    starts: Annotated[int, whole(1)] = 48  # drawn for learning, and as many others for the test
    episodes: Annotated[int, whole(1)] = 16  # played from each start under each contract


@dataclass(frozen=True, kw_only=True)
class TwoStage(Experiment):
    """A world, a menu of contracts, and how the two stages learn.

    To the training of experiments it is stage one, `settings`, and stage two is part of its test.

    Raises:
        ConfigError: there is no null contract on the menu, the same contract is there twice, the
            proposer is no agent, each seat learns its own policy, another checkpoint than the last
            is asked for, or stage two could not begin.
    """

    config: CleanupConfig
    starts: Starts
    terms: DrawnContract
    proposer: int | None  # index of the agent that always proposes; None draws it every episode
    proposals: ProposalSettings
    proposing: PPOSettings  # of stage two

    def __post_init__(self) -> None:
        """Check what the parts do not check alone."""
        if self.terms.kind != "random":
            raise ConfigError(
                "contract.kind", self.terms.kind, '"random": stage one draws contracts'
            )
        names = list(self.contract_names)
        if self.terms.contracts.count(Contract()) != 1:
            raise ConfigError("contract.menu", names, "a menu with the null contract on it, once")
        if len(set(names)) < len(names):
            raise ConfigError("contract.menu", names, "each contract once")
        if self.proposer not in (None, *range(self.config.num_agents)):
            allowed = f"drawn, or one of {', '.join(agent_names(self.config.num_agents))}"
            raise ConfigError("proposals.proposer", self.proposer, allowed)
        if self.sharing != SHARED:
            raise ConfigError("training.sharing", self.sharing, f"{SHARED!r}: one policy is frozen")
        if (checkpoint := self.evaluation.checkpoint) != LAST:
            allowed = f"{LAST!r}: stage one is frozen as it ended"
            raise ConfigError("evaluation.checkpoint", checkpoint, allowed)
        self._check_proposing()

    def _check_proposing(self) -> None:
        """Refuse settings with which stage two could not begin, before stage one is learned."""
        learning = self.proposing
        rows = learning.num_lanes * self.config.num_agents * learning.n_steps
        if rows % learning.batch_size == 1:
            allowed = f"one that leaves no single agent-step of the {rows} of a rollout"
            raise ConfigError("proposals.training.batch_size", learning.batch_size, allowed)

    @property
    def contract_names(self) -> tuple[str, ...]:
        """Short names of the contracts, in the order of the menu."""
        return tuple(map(contract_name, self.terms.contracts))

    @property
    def null_index(self) -> int:
        """Where the null contract stands on the menu."""
        return self.terms.contracts.index(Contract())

    @property
    def proposers(self) -> tuple[int, ...]:
        """The agents that may propose."""
        return tuple(range(self.config.num_agents)) if self.proposer is None else (self.proposer,)

    @property
    def stage_one(self) -> CleanupExperiment:
        """Playing under drawn contracts, as an experiment of its own."""
        return CleanupExperiment(
            name=self.name,
            settings=self.settings,
            sharing=self.sharing,
            evaluation=self.evaluation,
            config=self.config,
            starts=self.starts,
            terms=self.terms,
        )

    @property
    def measures(self) -> Sequence[Measure]:
        """What the test measures; the efficiency during training is that under drawn contracts."""
        return MEASURES

    @property
    def references(self) -> Sequence[Reference]:
        """Those of stage one."""
        return self.stage_one.references

    @property
    def num_tested(self) -> int:
        """Episodes that are played under every contract to judge it."""
        return (1 + self.proposals.starts) * self.proposals.episodes

    def make_batch(self, num_lanes: int) -> Any:
        """Make lanes of stage one."""
        return self.stage_one.make_batch(num_lanes)

    def evaluate(self, policy: Policy, seeds: Seeds, *, complete: bool = True) -> Measured:
        """Measure stage one."""
        return self.stage_one.evaluate(policy, seeds, complete=complete)

    def test(self, policy: Policy, folder: Path) -> Measured:
        """Learn stage two in the training seed's folder, or read it, and put both to the test.

        What is frozen is stage one as it ended. The checkpoint of the highest efficiency would be
        a choice that nobody in the game makes.
        """
        from agents.ppo import MaskedPolicy
        from benchmarks.learning.two_stage_figure import FIGURES, save_values_figure
        from benchmarks.learning.two_stage_report import report

        del policy
        checkpoint, out = folder / "policy.zip", folder / PROPOSALS
        frozen = MaskedPolicy.load(checkpoint)
        proposing = learn_to_propose(self, frozen, stage_one=checkpoint, out=out)
        result = report(self, frozen, proposing)
        save_values_figure(result, [out / name for name in FIGURES])
        return {"measures": result.measures(), "episodes": result.to_dict()}

    def details(self, results: Sequence[Mapping[str, Any]]) -> Sequence[Any]:
        """Return the menu: what contracts are worth, and who accepts them."""
        from benchmarks.learning.two_stage_table import render_menu

        return [render_menu(results)]

    def start_set(self, family: int) -> StartSet:
        """Return the starts of a family: the configured one first, then those drawn."""
        seeds = episode_seeds(family, self.proposals.starts)
        return StartSet.drawn(self.starts, seeds).after(self.config)

    def frozen(self, policy: FrozenPolicy) -> FrozenPlay:
        """Return the game as it is played by the policy of stage one."""
        return FrozenPlay(config=self.config, terms=self.terms, policy=policy)

    def table(self, values: Floats) -> ContractValues:
        """Return what starts are worth, (S, K, N), as the table that stage two is about."""
        return ContractValues(
            contracts=self.contract_names, null_index=self.null_index, values=values
        )

    def to_dict(self) -> dict[str, Any]:
        """Return the experiment as JSON values."""
        proposals = {"proposer": self.proposer, **self.proposals.to_dict()}
        return {
            **self.stage_one.to_dict(),
            "game": "contracts",
            "proposals": {**proposals, "training": self.proposing.to_dict()},
        }


def contract_name(contract: Contract) -> str:
    """Return a short name: "none", "wage 0.6" for a plain wage for cleaning, or its sentence."""
    if not contract.clauses:
        return "none"
    rate = wage_rate(contract)
    return contract.to_text() if rate is None else f"wage {rate:g}"


def wage_rate(contract: Contract) -> float | None:
    """Return what the others pay whoever cleans for each unit; None if that is not all they do."""
    if contract == Contract():
        return 0.0
    first = contract.clauses[0] if contract.clauses else None
    is_plain = isinstance(first, Wage) and contract == wage_for_cleaning(first.rate)
    return first.rate if isinstance(first, Wage) and is_plain else None


class Worths(NamedTuple):
    """What starts are worth under the contracts of the menu, (S, K, N) each."""

    critic: ContractValues
    returns: ContractValues
    sampled: Sampled

    def by(self, name: str) -> ContractValues:
        """Return those that the critic expects, or those of episodes played."""
        return self.critic if name == CRITIC else self.returns


def weigh(experiment: TwoStage, policy: FrozenPolicy, family: int) -> Worths:
    """Return what the starts of a family are worth, by the critic and by episodes played."""
    starts, frozen = experiment.start_set(family), experiment.frozen(policy)
    seeds = _episodes(experiment, starts, family)
    sampled = frozen.sample(starts, seeds, action_seed=ACTION_SEED)
    critic = experiment.table(frozen.critic_values(starts))
    return Worths(critic, experiment.table(sampled.mean), sampled)


def learn_to_propose(
    experiment: TwoStage, policy: FrozenPolicy, *, stage_one: Path, out: Path
) -> RowPolicy:
    """Learn stage two, to propose and to vote, over what `policy` makes of starts of its own.

    Goes on from what the folder `out` holds; a training that is finished there is read, and one
    over another stage one refused.

    Args:
        experiment: what is learned.
        policy: the frozen one.
        stage_one: its checkpoint, whose training seed is that of stage two as well.
        out: folder of stage two.

    Raises:
        ValueError: the folder holds another training.
    """
    from agents.ppo import train

    settings, table = experiment.proposing, _payoffs(experiment, policy)
    starts = experiment.start_set(VALIDATION)
    lanes = ProposalBatch(
        table,
        starts.shown(experiment.config),
        settings.num_lanes,
        proposer=experiment.proposer,
        auto_reset=True,
    )
    told = json.loads(stage_one.with_suffix(".json").read_text(encoding="utf-8"))
    digest = hashlib.sha256(stage_one.read_bytes()).hexdigest()
    meta = {**experiment.to_dict(), "stage_one_sha256": digest}
    trained = train(lanes, settings, seed=int(told["seed"]), out=out, meta=meta)
    return trained.policy


def _payoffs(experiment: TwoStage, policy: FrozenPolicy) -> ContractValues:
    kind = experiment.proposals.values
    if kind == CRITIC:
        starts = experiment.start_set(VALIDATION)
        return experiment.table(experiment.frozen(policy).critic_values(starts))
    return weigh(experiment, policy, VALIDATION).by(kind)


def proposed_in_play(
    experiment: TwoStage, table: ContractValues, shown: Any, policy: RowPolicy
) -> tuple[Ints, Ints]:
    """Play stage two once from every start, for every proposer; each agent does what is likeliest.

    Returns:
        What was proposed and what was in force, (P, S) contract indices, P proposers.
    """
    from agents.ppo import play_episodes

    proposed, decided = [], []
    everywhere = np.arange(table.num_starts)
    for proposer in experiment.proposers:
        lanes = ProposalBatch(table, shown, len(everywhere), proposer=proposer, starts=everywhere)
        steps: list[Any] = []
        play_episodes(
            lanes,
            policy,
            seeds=everywhere,
            action_seed=ACTION_SEED,
            deterministic=True,
            on_step=partial(_keep, steps),
        )
        proposed.append(steps[-1].features.proposed)
        decided.append(steps[-1].features.in_force)
    return np.stack(proposed), np.stack(decided)


def _keep(steps: list[Any], step: Any, _playing: Any) -> None:
    steps.append(step)


def votes_in_play(
    experiment: TwoStage, table: ContractValues, shown: Any, policy: RowPolicy
) -> npt.NDArray[np.bool_]:
    """Return who votes for what if it is proposed, (P, S, K, N); True at the proposer's own place.

    Each agent does what is likeliest.
    """
    num_contracts, n = len(table.contracts), table.num_agents
    starts = np.repeat(np.arange(table.num_starts), num_contracts)
    named = np.tile(np.arange(num_contracts), table.num_starts)
    votes = []
    for proposer in experiment.proposers:
        lanes = ProposalBatch(table, shown, len(starts), proposer=proposer, starts=starts)
        lanes.reset(starts)
        step = lanes.step(np.repeat(named[:, None], n, axis=1))
        observation, mask = step.observation, step.mask
        actions = policy.act(
            observation.reshape(-1, lanes.observation_size),
            mask.reshape(-1, lanes.num_actions),
            None,
        )
        accepts = actions.reshape(len(starts), n) == lanes.accept
        accepts[:, proposer] = True
        votes.append(accepts.reshape(table.num_starts, num_contracts, n))
    return np.stack(votes)


def judged(experiment: TwoStage, policy: FrozenPolicy) -> Sampled:
    """Play the test starts under every contract in episodes that nothing was decided by."""
    starts = experiment.start_set(TEST)
    decided_by = _episodes(experiment, starts, TEST)
    return experiment.frozen(policy).sample(
        starts, decided_by + len(decided_by), action_seed=_JUDGE_ACTIONS
    )


def _episodes(experiment: TwoStage, starts: StartSet, family: int) -> Seeds:
    return episode_seeds(family, len(starts) * experiment.proposals.episodes)
