"""What a file says of learning with partners: a world, a contract, a seat, and who else plays."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from benchmarks.learning.cleanup_file import read_cleanup
from benchmarks.learning.experiment import Experiment
from benchmarks.learning.partners import PartnerExperiment
from benchmarks.learning.two_stage_file import configured_start
from benchmarks.sections import SectionReader
from cleanup_icn.observe import agent_names

SECTIONS = ("world", "contract", "partners")
"""The sections that are read here."""

_KEYS = ("seat", "training", "held_out")


def read_partners(reader: SectionReader) -> Callable[..., Experiment] | None:
    """Read ``[world]``, ``[contract]`` and ``[partners]``.

    See `benchmarks.learning.config_file.ReadGame`.
    """
    make_world = read_cleanup(reader)
    given = reader.section("partners")
    reader.refuse_unknown("[partners]", given, _KEYS)
    seat = given.get("seat", "agent_0")
    if not isinstance(seat, str):
        reader.refuse("partners.seat", seat, "the name of an agent")
    populations = [_population(reader, given, key) for key in _KEYS[1:]]
    if make_world is None or None in populations:
        return None
    training, held_out = populations

    def make(**of_all: Any) -> PartnerExperiment:
        world: Any = make_world(**of_all)
        names = agent_names(world.config.num_agents)
        return PartnerExperiment(
            **of_all,
            config=world.config,
            starts=world.starts or configured_start(world.config),
            terms=world.terms,
            seat=names.index(seat) if seat in names else seat,
            partners=training or (),
            held_out=held_out or (),
        )

    return make


def _population(reader: SectionReader, given: dict[str, Any], key: str) -> tuple[str, ...] | None:
    names = given.get(key)
    if isinstance(names, list) and names and all(isinstance(name, str) for name in names):
        return tuple(names)
    allowed = "a list of partners, by name or by the folder of their training"
    reader.refuse(f"partners.{key}", "(missing)" if names is None else names, allowed)
    return None
