"""The negotiation against PettingZoo's own tests, on every bundled game, and what they skip.

``max_cycles_test`` does not apply: how long a negotiation is follows from its parties.
"""

from __future__ import annotations

import re
import warnings
from contextlib import contextmanager

import numpy as np
import pettingzoo
import pytest
from gymnasium import spaces
from gymnasium.utils.env_checker import data_equivalence
from pettingzoo.test import api_test, render_test, seed_test

import negotiation_games
from negotiation_games import Incentive, TextActions

ID = "commonweal/Negotiation-v0"
GAMES = negotiation_games.bundled_games()
KNOWN = re.compile(
    "Observation is not a NumPy array"
    "|Observation space for each agent probably should be gymnasium.spaces.box"
    "|Action space for each agent probably should be gymnasium.spaces.box"
    "|We recommend agents to be named in the format"  # parties have names
)
BABBLE = ("", "ŧøø ☂ \n 議 ", "<ANSWER>𐍈😀 \ud800 \x00 \u2028</ANSWER>", "{", "<DEAL>A1,A1</DEAL>")

each_game = pytest.mark.parametrize("game", GAMES)
each_voting = pytest.mark.parametrize("voting", ["implicit", "explicit"])
each_view = pytest.mark.parametrize("view", ["both", "text", "vector"])


@contextmanager
def no_warning_but(known=KNOWN):
    """Fails if anything is warned of that does not match `known`."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        yield
    assert [str(w.message) for w in caught if not known.search(str(w.message))] == []


def episode(env, choose, *, seed=0):
    """Everything that every party was shown, and paid, in one episode."""
    env.reset(seed=seed)
    record = []
    while env.agents:
        agent = env.agent_selection
        shown = {each: env.observe(each) for each in env.agents}
        for each, observation in shown.items():
            assert env.observation_space(each).contains(observation)
        _, reward, terminated, truncated, info = env.last()
        record.append((agent, shown, reward, dict(info)))
        env.step(None if terminated or truncated else choose(agent))
    return record


def numbers(env, seed=0):
    """A way to choose numbers, legal or not."""
    dice = np.random.default_rng(seed)
    return lambda agent: int(dice.integers(env.action_space(agent).n))


def words(env):
    """A way to choose answers, of which some are in order."""
    options = [f"{'ABCDEFGH'[i]}1" for i in range(len(env.unwrapped.game.issues))]
    answers = (*BABBLE, f"<ANSWER>Yes.</ANSWER><DEAL>{','.join(options)}</DEAL><PLAN>More.</PLAN>")
    turn = iter(range(10**6))
    return lambda agent: answers[next(turn) % len(answers)]


# --- PettingZoo's own tests ------------------------------------------------------------------


def test_there_are_the_six_published_games_and_two_of_our_own():
    published = {"base", "base_rewritten", "base_7players", "game1", "game2", "game3"}
    assert published <= set(GAMES)
    assert len(set(GAMES) - published) >= 2


@each_game
@each_voting
@pytest.mark.parametrize("view", ["both", "vector"])
def test_api_test_passes(game, voting, view):
    with no_warning_but():
        api_test(negotiation_games.env(game=game, voting=voting, observation=view), num_cycles=8)


@each_game
@each_voting
def test_api_test_passes_when_actions_are_text(game, voting):
    with no_warning_but():
        env = negotiation_games.env(game=game, voting=voting, layout="published")
        api_test(TextActions(env), num_cycles=8)


@pytest.mark.parametrize("make", [negotiation_games.env, negotiation_games.raw_env])
def test_api_test_passes_with_and_without_the_wrapper(make):
    with no_warning_but():
        api_test(make(game="base"), num_cycles=40)


@each_game
@each_view
def test_seed_test_passes(game, view):
    with no_warning_but():
        seed_test(lambda: negotiation_games.env(game=game, observation=view), num_cycles=8)
        seed_test(
            lambda: TextActions(negotiation_games.env(game=game, observation=view)), num_cycles=3
        )


def test_render_test_passes(capsys):
    with no_warning_but():
        render_test(lambda render_mode: negotiation_games.env(game="base", render_mode=render_mode))
    assert capsys.readouterr().out.strip(), "human rendering shows nothing"


@each_game
def test_it_is_registered_with_pettingzoo(game):
    env = pettingzoo.make("aec", ID, game=game)
    env.reset(seed=0)
    assert env.possible_agents == list(negotiation_games.load_game(game).party_names)
    assert env.unwrapped.metadata["name"]


def test_the_game_is_base_unless_another_is_named():
    env = pettingzoo.make("aec", ID)
    assert env.unwrapped.game == negotiation_games.load_game("base")


# --- promises that they skip -----------------------------------------------------------------


@each_game
@each_voting
@each_view
def test_every_observation_of_an_episode_lies_inside_its_space(game, voting, view):
    env = negotiation_games.env(game=game, voting=voting, observation=view)
    parties = len(env.possible_agents)
    assert len(episode(env, numbers(env))) >= 4 * parties + 1 + parties
    env = TextActions(env)
    assert len(episode(env, words(env))) >= 4 * parties + 1 + parties


@each_game
@each_voting
def test_a_seed_and_the_actions_determine_the_whole_episode(game, voting):
    fresh = negotiation_games.env(game=game, voting=voting)
    used = negotiation_games.env(game=game, voting=voting)
    episode(used, numbers(used, 5), seed=3)
    one, two = (episode(env, numbers(env, 1), seed=11) for env in (fresh, used))
    assert data_equivalence(one, two, exact=True)


@each_game
def test_babbling_parties_reach_no_deal_and_everybody_is_paid_for_failure(game):
    env = TextActions(negotiation_games.env(game=game))
    turn = iter(range(10**6))
    record = episode(env, lambda agent: BABBLE[next(turn) % len(BABBLE)])
    paid = {agent: reward for agent, _, reward, info in record if "passed" in info}
    assert not any(info.get("passed") or info.get("deal") for *_, info in record)
    parties = negotiation_games.load_game(game).parties
    expected = {p.name: 150 if p.incentive.endswith("_adv") else p.threshold for p in parties}
    assert paid == expected


@each_game
@pytest.mark.parametrize("kind", Incentive)
def test_every_party_can_play_every_incentive(game, kind):
    players = [p.name for p in negotiation_games.load_game(game).parties if p.role == "player"]
    for name in negotiation_games.load_game(game).party_names:
        target = next(player for player in players if player != name)
        aims = {"target": target} if kind is Incentive.TARGETED_SABOTAGE else {}
        loaded = negotiation_games.load_game(game, incentives={name: kind}, **aims)
        env = negotiation_games.env(game=loaded)
        env.reset(seed=0)
        text = env.observe(name)["text"]
        assert loaded.party(name).instructions[kind] in text
        assert "{target}" not in text
        assert not aims or target in loaded.party(name).instructions[kind]


@each_game
def test_nobodys_role_text_or_figures_are_in_anybody_elses_observation(game):
    env = negotiation_games.env(game=game)
    env.reset(seed=0)
    for party in env.unwrapped.game.parties:
        sheets = [
            f"Your scores on issue A: {', '.join(f'A{k} {n}' for k, n in enumerate(points, 1))}"
            for points in (party.scores[0],)
        ]
        secrets = [*party.instructions.values(), *sheets]
        own = env.observe(party.name)["text"]
        assert sheets[0] in own
        for other in env.unwrapped.game.parties:
            same = other is party or other.scores[0] == party.scores[0]
            text = env.observe(other.name)["text"]
            assert same or not any(secret in text for secret in secrets)


def test_the_spaces_are_those_promised():
    env = negotiation_games.env(game="base", voting="explicit")
    agent = env.possible_agents[0]
    assert env.action_space(agent) == spaces.Discrete(720 + 3)
    both = env.observation_space(agent)
    assert set(both.spaces) == {"observation", "text", "action_mask"}
    assert both["action_mask"] == spaces.Box(0, 1, (723,), np.int8)
    assert isinstance(both["text"], spaces.Text)
    text = negotiation_games.env(game="base", observation="text").observation_space(agent)
    assert isinstance(text, spaces.Text)
    vector = negotiation_games.env(game="base", observation="vector").observation_space(agent)
    assert isinstance(vector, spaces.Box)
    assert vector.dtype == np.float32
    assert set(TextActions(env).observation_space(agent).spaces) == {"observation", "text"}
    assert isinstance(TextActions(env).action_space(agent), spaces.Text)
