"""Regions of contracts before and after a change: solved once for a run."""

from __future__ import annotations

import json
from dataclasses import replace

from benchmarks.study import regions
from benchmarks.study.changes import WorldChange
from benchmarks.study.regions import REGIONS, RegionGrid, kept_regions, solved_region
from benchmarks.study.treatments import Treatment
from cleanup_icn.contracts import Contract
from cleanup_icn.solve import equilibria, equilibrium, social_optimum
from cleanup_icn.solve.design import wage_and_share, wages

TINY = RegionGrid(magnitudes=(8,), rates=(0.0, 1.0, 2.5), fractions=(0.0, 0.5))


def test_the_masks_are_those_of_equilibria_before_the_change():
    found = solved_region(TINY, 8, under=wages([1.0])[0])
    assert found["under"] == "wage 1"
    assert (found["rates"], found["fractions"]) == ([0.0, 1.0, 2.5], [0.0, 0.5])
    base = WorldChange.from_name("linear-threshold/+8/25/sudden").base_config()
    optimum, nothing = social_optimum(base).welfare, equilibrium(base, Contract()).payoffs
    for i, rate in enumerate(TINY.rates):
        row = equilibria(base, wage_and_share([rate], TINY.fractions))
        assert found["implements_before"][i] == [each.welfare >= optimum - 1e-6 for each in row]
        assert found["before"][i] == [bool((each.payoffs >= nothing - 1e-6).all()) for each in row]


def test_a_run_solves_its_regions_once(tmp_path, monkeypatch):
    solved, least = [], wages([1.0])[0]
    monkeypatch.setattr(Treatment, "contract", lambda _self, _base: least)

    def solve(grid, magnitude, *, under):
        assert under == least
        solved.append(magnitude)
        return {"magnitude": magnitude, "rates": list(grid.rates)}

    monkeypatch.setattr(regions, "solved_region", solve)
    two = replace(TINY, magnitudes=(8, 2))
    first = kept_regions(tmp_path, two, num_workers=0)
    assert [entry["magnitude"] for entry in first] == [8, 2]
    assert kept_regions(tmp_path, two, num_workers=0) == first
    assert solved == [8, 2]
    kept_regions(tmp_path, TINY, num_workers=0)  # another grid
    assert solved == [8, 2, 8]
    kept = json.loads((tmp_path / REGIONS).read_text())
    kept["key"]["version"] = "before"
    (tmp_path / REGIONS).write_text(json.dumps(kept))
    kept_regions(tmp_path, TINY, num_workers=0)
    assert solved == [8, 2, 8, 8]
