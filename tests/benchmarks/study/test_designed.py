"""Fixed contracts, designed for the world before the change."""

from __future__ import annotations

from dataclasses import replace

import pytest

from benchmarks.study.changes import WorldChange
from benchmarks.study.designed import (
    FAMILIES,
    PRICES,
    SET_PRICES,
    assessed,
    contract_of,
    designed,
    implementing_prices,
)
from cleanup_icn import CleanupConfig, ConfigError
from cleanup_icn.solve import equilibrium, social_optimum

SMALL = CleanupConfig.create(pollution_max=15, fruit_max=12)
BASE = WorldChange.from_name("linear-threshold/+0/25/sudden").base_config()


@pytest.mark.parametrize("family", FAMILIES)
def test_a_family_brings_the_optimum_about_where_it_can(family):
    found = designed(BASE, family)
    optimum = social_optimum(BASE).welfare
    assert found.implements
    assert equilibrium(BASE, found.contract).welfare == pytest.approx(optimum)
    assert (found.welfare, found.optimum) == (pytest.approx(optimum), pytest.approx(optimum))


@pytest.mark.parametrize("kind", PRICES)
def test_one_family_moves_the_least_and_the_other_leaves_the_worse_off_most(kind):
    able = [each for each in assessed(BASE, kind) if each.implements]
    least, fair = designed(BASE, f"least-{kind}"), designed(BASE, f"fair-{kind}")
    assert least.transfer == pytest.approx(min(each.transfer for each in able))
    assert min(fair.payoffs) == pytest.approx(max(each.min_payoff for each in able))
    assert least.transfer < fair.transfer


def test_of_equally_good_prices_the_lowest_is_taken():
    world = replace(SMALL, horizon_steps=3)  # too short to clean, if nothing but fruit counts
    tied = [each for each in assessed(world, "wage") if each.implements]
    assert sum(each.transfer == 0.0 for each in tied) > 1
    assert designed(world, "least-wage").contract == tied[0].contract
    assert designed(world, "least-wage").price == PRICES["wage"][0]


def test_where_no_price_brings_the_optimum_about_the_best_is_taken_and_says_so():
    world = replace(SMALL, horizon_steps=10, pollution_initial=10)
    found = designed(world, "least-wage")
    assert not found.implements
    welfare = [round(each.welfare, 6) for each in assessed(world, "wage")]
    assert round(found.welfare, 6) == max(welfare) > min(welfare)


def test_a_price_belongs_to_its_contract():
    for family, (kind, *_) in FAMILIES.items():
        found = designed(BASE, family)
        assert contract_of(kind, found.price) == found.contract


@pytest.mark.parametrize("kind", PRICES)
def test_an_implementing_set_is_of_the_coarser_grid(kind):
    prices = implementing_prices(BASE, kind)
    assert prices
    assert set(prices) <= set(SET_PRICES[kind]) <= set(PRICES[kind])
    optimum = social_optimum(BASE).welfare
    for price in SET_PRICES[kind][:: len(SET_PRICES[kind]) // 4]:
        welfare = equilibrium(BASE, contract_of(kind, price)).welfare
        assert (price in prices) == (welfare == pytest.approx(optimum))


def test_unknown_families_and_contracts_are_refused():
    with pytest.raises(ConfigError, match="least-wage"):
        designed(BASE, "greedy-wage")
    with pytest.raises(ConfigError, match="share"):
        contract_of("quota", 1.0)
