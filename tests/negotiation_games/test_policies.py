"""Scripted policies by name: whole negotiations, by words alone."""

from __future__ import annotations

import random

import pytest
from negotiation_worlds import ferry, make, play, short

from negotiation_games import GameError, Incentive, TextActions, bundled_games, load_game
from negotiation_games.policies import SCRIPTED, scripted_policy, words_of
from negotiation_games.scoring import judge


def deeds(env, names, *, seed=0):
    """Play an episode by policies, one name or one by agent; return its steps."""
    by_agent = names if isinstance(names, dict) else dict.fromkeys(env.possible_agents, names)
    policies = {name: scripted_policy(name, env) for name in by_agent.values()}
    return play(env, lambda agent, seen, info: policies[by_agent[agent]](seen), seed=seed)


@pytest.mark.parametrize("voting", ["implicit", "explicit"])
@pytest.mark.parametrize("layout", ["append", "published"])
@pytest.mark.parametrize("name", SCRIPTED)
def test_a_scripted_policy_never_acts_illegally(name, layout, voting):
    env = make(layout=layout, voting=voting)
    steps = deeds(env, name)
    assert env.unwrapped.verdict is not None
    assert [step.info["illegal"] for step in steps if step.info["illegal"]] == []


@pytest.mark.parametrize("name", SCRIPTED)
def test_words_alone_are_enough(name):
    both, words = make(), make(observation="text")
    first, second = (deeds(env, name, seed=3) for env in (both, words))
    assert [step.action for step in first] == [step.action for step in second]


@pytest.mark.parametrize("name", bundled_games())
def test_planners_pass_p1s_best_deal_in_every_bundled_game(name):
    env = short(load_game(name))
    deeds(env, "planner")
    game, verdict = env.unwrapped.game, env.unwrapped.verdict
    passable = [deal for deal in game.deals() if judge(game, deal).passed]
    p1 = game.parties[game.proposer_index]
    assert verdict.passed
    assert p1.score(verdict.deal) + 10 >= max(p1.score(deal) for deal in passable)


def test_best_guesses_agree_more_often_than_those_who_never_move():
    successes = {"best-guess": 0, "stubborn": 0}
    for name in successes:
        for game in ("game1", "game3"):
            env = make(load_game(game), observation="text")
            for seed in range(3):
                deeds(env, name, seed=seed)
                successes[name] += env.unwrapped.verdict.passed
    assert successes["stubborn"] == 0
    assert successes["best-guess"] >= 3


def test_only_p1_speaks_without_communication_and_always_of_the_same_deal():
    env = make()
    deeds(env, "no-communication")
    said = env.unwrapped.record[1:]
    assert {each.party for each in said if each.deal is not None} == {"Line"}
    assert len({each.deal for each in said if each.party == "Line"}) == 1


def test_saboteurs_reject_what_the_others_would_let_pass():
    env = short(ferry(Town=Incentive.SABOTAGE, Farm=Incentive.SABOTAGE), voting="explicit")
    planners = dict.fromkeys(env.possible_agents, "planner")
    deeds(env, planners)
    assert env.unwrapped.verdict.passed
    deeds(env, {**planners, "Town": "saboteur", "Farm": "target-saboteur"})
    assert not env.unwrapped.verdict.passed


def test_six_who_babble_reach_no_deal_and_the_negotiation_ends():
    env = TextActions(make(load_game("base"), observation="text"))
    dice = random.Random(0)

    def babble(agent, seen, info):
        return "".join(
            chr(
                dice.choice(
                    (
                        dice.randrange(32, 0x250),
                        dice.randrange(0x4E00, 0x9FFF),
                        dice.randrange(0x1F300, 0x1F6FF),
                    )
                )
            )
            for _ in range(80)
        )

    steps = play(env, babble)
    assert env.agents == []
    assert not env.unwrapped.verdict.passed
    assert env.unwrapped.verdict.deal is None
    assert [said.deal for said in env.unwrapped.record[1:]] == [None] * 25
    assert {step.info["status"] for step in steps if step.is_over} == {"missing"}


def test_an_unknown_name_is_refused_with_those_there_are():
    with pytest.raises(GameError, match="policy: found 'ppo', expected one of stubborn, "):
        scripted_policy("ppo", make())


@pytest.mark.parametrize("observation", [{"observation": 1}, [0.0, 1.0], None])
def test_an_observation_without_words_is_refused(observation):
    with pytest.raises(GameError, match='expected "both" or "text"'):
        words_of(observation)
