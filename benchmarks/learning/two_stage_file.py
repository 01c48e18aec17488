"""What a file says of contract learning in two stages: a world, a menu, and the proposals."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields
from typing import Any

from benchmarks.learning.cleanup_file import read_cleanup
from benchmarks.learning.experiment import Experiment
from benchmarks.learning.two_stage import ProposalSettings, TwoStage
from benchmarks.sections import SectionReader
from cleanup_icn import CleanupConfig
from cleanup_icn.observe import agent_names
from cleanup_icn.starts import Starts

SECTIONS = ("world", "contract", "proposals")
"""The sections that are read here."""

DRAWN = "drawn"
"""In the place of the proposer's name: every episode has its own."""

_NOT_IN_FILES = "bootstrap_truncation"
"""A setting that has no use here: a vote ends the game."""


def read_two_stage(reader: SectionReader) -> Callable[..., Experiment] | None:
    """Read ``[world]``, ``[contract]`` and ``[proposals]``.

    See `benchmarks.learning.config_file.ReadGame`.
    """
    make_stage_one = read_cleanup(reader)
    given = reader.section("proposals")
    training = given.pop("training", {})
    proposer = given.pop("proposer", DRAWN)
    if not isinstance(proposer, str):
        reader.refuse("proposals.proposer", proposer, f"{DRAWN}, or the name of an agent")
    proposals = reader.value(ProposalSettings, "proposals", given)
    proposing = _settings(reader, training)
    if make_stage_one is None or proposals is None or proposing is None:
        return None

    def make(**of_all: Any) -> TwoStage:
        one: Any = make_stage_one(**of_all)
        return TwoStage(
            **of_all,
            config=one.config,
            starts=one.starts or configured_start(one.config),
            terms=one.terms,
            proposer=_index_of(proposer, one.config),
            proposals=proposals,
            proposing=proposing,
        )

    return make


def _settings(reader: SectionReader, given: Any) -> Any:
    from agents.ppo import PPOSettings

    def make(**values: Any) -> PPOSettings:
        return PPOSettings.from_dict(values)

    if not isinstance(given, Mapping):
        reader.refuse("proposals.training", given, "a section [proposals.training]")
        return None
    known = [each.name for each in fields(PPOSettings) if each.name != _NOT_IN_FILES]
    return reader.made_of("proposals.training", make, given, known=known)


def _index_of(proposer: object, config: CleanupConfig) -> Any:
    """Return the agent's index, None for a proposer that is drawn, or what is written, unread."""
    names = agent_names(config.num_agents)
    if proposer == DRAWN:
        return None
    return names.index(proposer) if proposer in names else proposer


def configured_start(config: CleanupConfig) -> Starts:
    """Return ranges that hold nothing but the start of the configuration."""
    pollution, fruit = config.pollution_initial, config.fruit_initial
    return Starts(pollution_initial=(pollution, pollution), fruit_initial=(fruit, fruit))
