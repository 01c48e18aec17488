"""When talks are held."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cleanup_icn import ConfigError, icn
from cleanup_icn.contracts import Condition, Contract, Fine
from cleanup_icn.icn import judge
from cleanup_icn.icn.judge import Situation, judge_named

HARVEST = 2
CHANGES = ((4, {"pollution_threshold": 9}), (7, {"clean_per_action": 1}))


def situation(step=0, *, changed=None, welfare=(), negotiated_at=()):
    return Situation(step, 50, {}, changed or {}, Contract(), tuple(welfare), tuple(negotiated_at))


def held_at(table, *, agents_agree=True, **config):
    """Play steps before which talks were held in an episode of harvesting."""
    env = icn.parallel_env(horizon_steps=12, **config)
    env.reset(seed=0)
    while env.agents:
        if env.phase == "propose":
            table.agree(env, 9) if agents_agree else table.disagree(env)
        else:
            table.say(env, *[HARVEST] * len(env.agents))
    return [held.step for held in env.history]


@pytest.mark.parametrize(
    ("name", "steps"),
    [
        ("never", []),
        ("start", [0]),
        ("every:1", list(range(12))),
        ("every:5", [0, 5, 10]),
        ("every:12", [0]),
        ("change", [0, 4, 7]),
    ],
)
@pytest.mark.parametrize("agents_agree", [True, False])
def test_talks_are_held_when_the_judge_says_so(table, name, steps, agents_agree):
    assert held_at(table, judge=name, schedule=CHANGES, agents_agree=agents_agree) == steps


def test_a_change_is_judged_before_the_step_in_which_it_takes_effect(table):
    env = icn.parallel_env(judge="change", schedule=CHANGES, horizon_steps=12)
    env.reset(seed=0)
    table.disagree(env)
    for _ in range(4):
        infos = table.say(env, HARVEST, HARVEST)
    assert env.phase == "propose"
    assert infos["agent_0"]["pollution_threshold"] == 9
    assert infos["agent_0"]["changed"] == {"pollution_threshold": (6, 9)}


def test_a_schedule_entry_that_changes_nothing_calls_for_no_talks(table):
    assert held_at(table, judge="change", schedule=[(4, {"pollution_threshold": 6})]) == [0]


def test_any_callable_is_a_judge(table):
    assert held_at(table, judge=lambda seen: seen.step in (2, 3)) == [2, 3]
    poor = held_at(table, judge=lambda seen: seen.public["fruit"] == 0)
    assert poor[0] > 0


def test_a_judge_is_asked_once_before_each_play_step_whatever_the_talks(table):
    asked = []
    held_at(table, judge=lambda seen: asked.append(seen.step) or seen.step % 3 == 0)
    assert asked == list(range(12))


def test_a_judge_is_asked_before_the_steps_of_forced_waiting_too(table):
    asked = []
    held_at(
        table,
        judge=lambda seen: asked.append(seen.step) or seen.step == 0,
        negotiation_cost_steps=3,
    )
    assert asked == list(range(12))


def test_talks_that_fall_due_in_the_wait_are_held_once_after_it(table):
    due = (0, 1, 2, 7)
    held = held_at(table, judge=lambda seen: seen.step in due, negotiation_cost_steps=3)
    assert held == [0, 3, 7]


def test_a_judge_is_asked_anew_in_every_episode():
    asked = []
    env = icn.parallel_env(judge=lambda seen: bool(asked.append(seen)), horizon_steps=3)
    for _ in range(2):
        env.reset(seed=0)
        while env.agents:
            env.step(dict.fromkeys(env.agents, HARVEST))
    assert [seen.step for seen in asked] == [0, 1, 2, 0, 1, 2]
    assert asked[3].welfare == ()
    assert asked[3].negotiated_at == ()


def test_a_judge_knows_what_everybody_sees_and_nothing_else(table):
    told = []
    env = icn.parallel_env(
        judge=lambda seen: told.append(seen) or seen.step == 1,
        num_agents=3,
        schedule=CHANGES[:1],
        horizon_steps=6,
    )
    _, infos = env.reset(seed=0)
    welfare, seen_by_all = [], [infos]
    while env.agents:
        if env.phase == "propose":
            table.agree(env, 9)
        else:
            _, rewards, *_, infos = env.step(dict.fromkeys(env.agents, HARVEST))
            welfare.append(sum(rewards.values()))
            seen_by_all.append(infos)
    assert len(told) == 6
    for step, (seen, infos) in enumerate(zip(told, seen_by_all, strict=False)):
        assert (seen.step, seen.horizon_steps) == (step, 6)
        assert seen.welfare == pytest.approx(welfare[:step])
        for info in infos.values():
            assert {name: info[name] for name in seen.public} == seen.public
            assert info["changed"] == seen.changed
        assert seen.contract == (env.menu[3] if step > 1 else Contract())
        assert seen.negotiated_at == ((1,) if step > 1 else ())


def test_welfare_before_transfers_is_what_a_judge_sees(table):
    told = []
    env = icn.parallel_env(
        judge=lambda seen: told.append(seen.welfare) or seen.step == 0,
        limited_liability=True,
        horizon_steps=4,
    )
    env.reset(seed=0)
    table.agree(env, 9)
    while env.agents:
        table.say(env, HARVEST, HARVEST)
    assert told[-1] == (8.0, 5.0, 0.0)


def test_a_judge_that_writes_on_what_it_is_shown_changes_nothing(table):
    def scribble(seen):
        with contextlib.suppress(TypeError):
            seen.public["pollution"] = 99
        return False

    when = Condition("pollution", ">=", 50.0)
    fine = Fine(payer="agent_0", payee="agent_1", per="harvested", rate=1.0, when=when)
    env = icn.parallel_env(judge=scribble, initial_contract=Contract([fine]))
    env.reset(seed=0)
    assert table.say(env, HARVEST, 0)["agent_1"]["transfer"] == 0.0


@pytest.mark.parametrize("cost", [1, 2, 3])
def test_a_change_during_the_wait_after_talks_still_leads_to_talks(table, cost):
    env = icn.parallel_env(
        judge="change",
        schedule=[(1, {"pollution_threshold": 9})],
        negotiation_cost_steps=cost,
        horizon_steps=12,
    )
    env.reset(seed=0)
    table.disagree(env)
    while env.agents:
        table.disagree(env) if env.phase == "propose" else table.say(env, 0, 0)
    assert len(env.history) == 2
    assert env.history[1].step == cost


# --- the judges themselves -------------------------------------------------------------------


@given(st.integers(1, 20), st.integers(0, 100))
def test_every_k_steps_begins_with_the_first(steps, step):
    assert judge.every(steps)(situation(step)) == (step % steps == 0)
    assert judge_named(f"every:{steps}")(situation(step)) == (step % steps == 0)


def test_the_judges_of_change_and_of_the_start_look_at_nothing_else():
    rich, poor = situation(3, welfare=(9, 9, 9)), situation(3, welfare=(9, 9, 0))
    changed = situation(3, changed={"pollution_threshold": (6, 9)})
    at_once = situation(0, changed={"pollution_threshold": (6, 9)})
    seen = (situation(), rich, poor, changed, at_once)
    assert [judge.on_change(s) for s in seen] == [1, 0, 0, 1, 1]
    assert [judge.on_change_only(s) for s in seen] == [0, 0, 0, 1, 0]
    assert [judge.at_start(s) for s in (situation(), rich, poor, changed)] == [1, 0, 0, 0]
    assert not any(judge.never(s) for s in (situation(), rich, poor, changed))


def test_welfare_has_fallen_when_the_last_window_is_below_the_fraction_of_the_best():
    fallen = judge.on_welfare_fall(window_steps=2, fraction=0.5)
    assert fallen(situation())
    assert not fallen(situation(4, welfare=(5, 5, 5, 5)))
    assert not fallen(situation(4, welfare=(5, 5, 5, 0)))  # 5 is half of 10, not below it
    assert fallen(situation(4, welfare=(5, 5, 4, 0)))
    assert fallen(situation(5, welfare=(5, 5, 3, 2, 2)))
    assert not fallen(situation(5, welfare=(0, 0, 0, 1, 1)))


def test_welfare_before_the_last_talks_does_not_count_as_a_fall():
    fallen = judge.on_welfare_fall(window_steps=2, fraction=0.5)
    welfare = (9, 9, 9, 2, 2, 2)
    assert fallen(situation(6, welfare=welfare))
    assert not fallen(situation(6, welfare=welfare, negotiated_at=(0, 3)))


@given(st.lists(st.integers(0, 9), max_size=12), st.integers(1, 4), st.floats(0.1, 1.0))
def test_a_fall_is_what_the_windows_say(welfare, window, fraction):
    seen = situation(max(len(welfare), 1), welfare=welfare)
    means = [sum(welfare[i : i + window]) for i in range(len(welfare) - window + 1)]
    expected = bool(means) and means[-1] < fraction * max(means)
    judged = judge.on_welfare_fall(window_steps=window, fraction=fraction)(seen)
    assert judged == expected


def test_the_judge_of_welfare_calls_for_talks_once_the_river_is_dirty(table):
    held = held_at(table, judge="welfare-fall")
    assert held[0] == 0
    assert len(held) == 2


@pytest.mark.parametrize(
    "name", ["", "sometimes", "every", "every:", "every:0", "every:-1", "every:1.5", "every:²", 3]
)
def test_a_judge_that_does_not_exist_is_refused_by_name(name):
    with pytest.raises(
        ConfigError, match=r"judge = .*never, start, change, change-only, welfare-fall"
    ):
        icn.parallel_env(judge=name)


@pytest.mark.parametrize("steps", [0, -1, 1.5, True, "2"])
def test_a_judge_cannot_be_asked_for_an_impossible_interval(steps):
    with pytest.raises(ConfigError, match="judge steps"):
        judge.every(steps)
    with pytest.raises(ConfigError, match="judge window_steps"):
        judge.on_welfare_fall(window_steps=steps)


@pytest.mark.parametrize("fraction", [0.0, -0.5, 1.1, float("nan")])
def test_a_judge_of_welfare_needs_a_fraction(fraction):
    with pytest.raises(ConfigError, match="judge fraction"):
        judge.on_welfare_fall(fraction=fraction)
