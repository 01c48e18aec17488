"""Which contract was in force when, and what is shown beside it."""

from __future__ import annotations

import pytest

from benchmarks.study.courses import Courses, contracts_in_force, words_of, words_of_change
from benchmarks.study.place import Place
from benchmarks.study.treatments import Treatment
from benchmarks.study.yardstick import optimal_course
from cleanup_icn import CleanupConfig
from cleanup_icn.contracts import Contract, Duration, Wage
from cleanup_icn.solve.design import shares, wage_and_share, wages
from cleanup_icn.state import CleanupState

ONE, TWO = wages([1.0, 2.0])
CONFIG = CleanupConfig.create(
    preset="linear",
    horizon_steps=20,
    schedule=[(5, {"pollution_threshold": 12}), (12, {"pollution_threshold": 15})],
)


def held(step, after):
    return {"step": step, "after": after.to_dict(), "outcome": {"contract": None, "rounds": []}}


def test_simple_contracts_have_few_words():
    assert words_of(Contract()) == "no contract"
    assert words_of(ONE) == "wage 1"
    assert words_of(shares([0.25])[0]) == "share 0.25"


@pytest.mark.parametrize(
    "other",
    [
        wage_and_share([1.0], [0.5])[0],
        Contract([Wage(payer="agent_0", payee="agent_1", per="cleaned", rate=1.0)]),
        Contract(ONE.clauses, Duration("step", 3)),
    ],
)
def test_other_contracts_have_their_whole_sentence(other):
    assert words_of(other) == other.to_text()


def test_a_change_is_told_from_what_to_what():
    assert words_of_change(CONFIG, 5) == "pollution threshold 6 to 12"
    assert words_of_change(CONFIG, 6) == ""


def test_without_talks_the_first_contract_stays(make_result):
    assert contracts_in_force(make_result(), CONFIG, ONE) == [[0, 20, "wage 1"]]


def test_what_is_signed_holds_until_the_next_is_signed(make_result):
    result = make_result(negotiations=(held(5, TWO), held(12, Contract())))
    assert contracts_in_force(result, CONFIG, ONE) == [
        [0, 5, "wage 1"],
        [5, 12, "wage 2"],
        [12, 20, "no contract"],
    ]


def test_what_is_signed_again_goes_on_and_talks_at_the_start_replace_the_first(make_result):
    result = make_result(negotiations=(held(0, TWO), held(5, TWO)))
    assert contracts_in_force(result, CONFIG, ONE) == [[0, 20, "wage 2"]]


def test_a_contract_of_limited_duration_ends_by_itself_unless_it_is_replaced(make_result):
    brief = Contract(ONE.clauses, Duration("step", 3))
    assert [span[:2] for span in contracts_in_force(make_result(), CONFIG, brief)] == [
        [0, 3],
        [3, 20],
    ]
    until_change = Contract(ONE.clauses, Duration("change"))
    spans = contracts_in_force(make_result(), CONFIG, until_change)
    assert [(first, last) for first, last, _ in spans] == [(0, 5), (5, 20)]
    signed_at_change = make_result(negotiations=(held(5, until_change),))
    assert [span[:2] for span in contracts_in_force(signed_at_change, CONFIG, TWO)] == [
        [0, 5],
        [5, 12],
        [12, 20],
    ]
    replaced = make_result(negotiations=(held(2, TWO),))
    assert contracts_in_force(replaced, CONFIG, brief)[1:] == [[2, 20, "wage 2"]]


@pytest.fixture
def course_of(make_result, make_step):
    """Gather one episode of these conditions in each arena; by name."""

    def gather(arenas, conditions=("least-wage",), **values):
        courses = Courses({(a, c): ONE for a in arenas for c in conditions})
        for arena in arenas:
            place = Place.from_name(arena)
            config = place.change.config()
            steps = [
                make_step(step=k, pollution=3, fruit=10, game_rewards=(1.0, k)) for k in range(50)
            ]
            for condition in conditions:
                result = make_result(
                    *steps,
                    **{
                        "policy": "equilibrium",
                        "contract": condition,
                        "config": config.to_dict(),
                        "change_step": 10,
                        "optimum_by_step": (0.0,) * 50,
                        **values,
                    },
                )
                courses.add(place, Treatment.from_name(condition), result)
        return courses.to_list()

    return gather


def test_a_course_shows_welfare_contracts_and_the_optimum_from_where_the_change_found_them(
    course_of,
):
    name = "linear-threshold/+8/10/twice"
    (found,) = course_of([name], ("least-wage-change", "least-wage", "never-any"))
    config, state = Place.from_name(name).change.config(), CleanupState(0, 3, 10)
    assert [each["condition"] for each in found["treatments"]] == [
        "least-wage",
        "least-wage-change",
    ]
    assert found["treatments"][0]["welfare"] == [1.0 + k for k in range(50)]
    assert found["treatments"][0]["contracts"] == [[0, 50, "wage 1"]]
    assert found["changes"] == [
        [10, "pollution threshold 6 to 10"],
        [22, "pollution threshold 10 to 14"],
    ]
    assert found["optimum"][10:] == pytest.approx(list(optimal_course(config, state, 10)))
    assert found["optimum"][:10] == pytest.approx(list(optimal_course(config, state, 0))[:10])
    assert found["steps"] == list(range(50))


def test_worlds_that_change_once_are_shown_only_where_none_changes_twice(course_of):
    once, twice = "linear-threshold/+8/10/sudden", "linear-threshold/+8/10/twice"
    assert [each["pace"] for each in course_of([once, twice])] == ["twice"]
    assert [each["pace"] for each in course_of([once])] == ["sudden"]


def test_others_are_not_shown(course_of):
    assert course_of(["linear-threshold/+8/10/noisy", "costly-threshold/+8/10/twice"]) == []
    assert course_of(["tradeoff/linear-threshold/+8/10/twice"]) == []
    assert course_of(["linear-threshold/+8/10/twice"], policy="planner") == []
