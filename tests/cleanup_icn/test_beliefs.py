"""What agents believe, and the solutions that are kept of it."""

from __future__ import annotations

import numpy as np
import pytest

from cleanup_icn import CleanupConfig, ConfigError
from cleanup_icn.beliefs import Recent, Solutions, believed, without_lump_sums
from cleanup_icn.contracts import Contract, Duration, LumpSum, Share, Wage
from cleanup_icn.solve import equilibria, equilibrium

CHANGES = [(4, {"pollution_threshold": 9}), (8, {"clean_per_action": 1})]
SMALL = CleanupConfig.create(horizon_steps=6, pollution_max=9, fruit_max=10, fruit_initial=5)
WAGE = Contract([Wage(payer="others", payee="all", per="cleaned", rate=0.6)])
SHARE = Contract([Share(payer="all", payee="others", of="harvested", fraction=0.4)])
CAPPED = Contract([Wage(payer="others", payee="all", per="cleaned", rate=0.6, cap=9)])


def test_a_surprise_is_not_believed_in_and_what_it_changed_is():
    config = CleanupConfig.create(schedule=CHANGES)
    for step, threshold, rate in ((0, 6, 3), (4, 9, 3), (9, 9, 1)):
        world = believed(config, config.parameters_at(step), step)
        assert {world.parameters_at(t)[0] for t in range(50)} == {threshold}
        assert {world.parameters_at(t)[4] for t in range(50)} == {rate}
        assert world.change_steps == ()


def test_what_is_announced_is_believed_from_now_on():
    config = CleanupConfig.create(schedule=CHANGES, announce_changes=True)
    for step in (0, 3, 4, 7, 8):
        world = believed(config, config.parameters_at(step), step)
        for t in range(step, 50):
            assert world.parameters_at(t) == config.parameters_at(t)
        assert world.change_steps == tuple(t for t in config.change_steps if t > step)


def test_beliefs_about_the_same_future_are_the_same():
    config = CleanupConfig.create(schedule=CHANGES, pollution_initial=3)
    first, second = (believed(config, config.parameters_at(t), t) for t in (4, 7))
    assert first == second
    assert first == believed(CleanupConfig.create(), config.parameters_at(4), 0)


def test_solutions_are_those_of_the_solver_whether_asked_for_alone_or_together():
    kept = Solutions()
    together = kept.values(SMALL, [WAGE, SHARE, WAGE], 2)
    for contract, values in zip([WAGE, SHARE, WAGE], together, strict=True):
        np.testing.assert_array_equal(values, equilibrium(SMALL, contract).values[2])
        np.testing.assert_array_equal(
            kept.equilibrium(SMALL, contract).values, equilibrium(SMALL, contract).values
        )


def test_what_was_solved_is_not_solved_again():
    kept = Solutions()
    first = kept.equilibrium(SMALL, WAGE)
    assert kept.equilibrium(SMALL, WAGE) is first
    lump = Contract([*WAGE.clauses, LumpSum(payer="agent_0", payee="agent_1", amount=7)])
    assert kept.equilibrium(SMALL, lump) is first
    (values,) = kept.values(SMALL, [lump], 3)
    assert kept.values(SMALL, [WAGE], 3)[0] is values


def test_values_outlive_the_solutions_they_come_from():
    kept = Solutions(solutions_bytes=1)
    (values,) = kept.values(SMALL, [WAGE], 3)
    first = kept.equilibrium(SMALL, WAGE)
    kept.equilibrium(SMALL, SHARE)
    assert kept.equilibrium(SMALL, WAGE) is not first
    assert kept.values(SMALL, [WAGE], 3)[0] is values


def test_lump_sums_alone_are_left_out():
    lump = LumpSum(payer="agent_0", payee="agent_1", amount=7)
    assert without_lump_sums(Contract([lump, *WAGE.clauses])) == WAGE
    brief = Contract([lump], Duration("step", 4), parties=("agent_0", "agent_1"))
    assert without_lump_sums(brief) == Contract([], brief.duration, brief.parties)


def test_what_cannot_be_solved_has_no_values_and_does_not_spoil_the_rest(monkeypatch):
    def unable(world, contracts):
        if SHARE in contracts:
            raise ArithmeticError("payoffs too large for their differences")
        return equilibria(world, contracts)

    monkeypatch.setattr("cleanup_icn.beliefs.equilibria", unable)
    kept = Solutions()
    capped, wage, too_large = kept.values(SMALL, [CAPPED, WAGE, SHARE], 2)
    assert capped is too_large is None
    np.testing.assert_array_equal(wage, equilibrium(SMALL, WAGE).values[2])
    with pytest.raises(ConfigError, match="cap = 9"):
        kept.equilibrium(SMALL, CAPPED)
    with pytest.raises(ConfigError, match=r"contract = .*expected amounts near enough"):
        kept.equilibrium(SMALL, SHARE)


def test_what_was_not_used_for_longest_makes_room():
    recent = Recent(limit_bytes=10)
    for key, size in (("a", 4), ("b", 4)):
        recent.keep(key, key.upper(), num_bytes=size)
    assert recent.get("a") == "A"
    recent.keep("c", "C", num_bytes=4)
    assert [recent.get(key) for key in "abc"] == ["A", None, "C"]
    recent.keep("a", "A2", num_bytes=6)
    assert [recent.get(key) for key in "ac"] == ["A2", "C"]
    recent.keep("huge", "H", num_bytes=99)
    assert [recent.get(key) for key in ("a", "c", "huge")] == [None, None, "H"]
    recent.keep("d", "D", num_bytes=10)
    assert [recent.get(key) for key in ("huge", "d")] == [None, "D"]
