"""A lane plays what the single environment plays."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from negotiation_worlds import ferry, games

import negotiation_games
from negotiation_games import GameError, noise
from negotiation_games.batch import BatchNegotiation
from negotiation_games.draw import SheetPlan, draw_sheets
from negotiation_games.observe import PHASES
from negotiation_games.sheets import sheets_of

law = settings(max_examples=40, deadline=None)
votings = st.sampled_from(["implicit", "explicit"])
no_deals = st.sampled_from(["threshold", "zero"])
SILENCE, ACCEPT, REJECT = 6, 7, 8  # of the ferry


class Solo:
    """The single environment beside a lane: what it shows, turn by turn."""

    def __init__(self, game, **config):
        self.env = negotiation_games.raw_env(game=game, observation="vector", **config)
        self.names = self.env.possible_agents

    def reset(self, seed=None):
        self.env.reset(seed=seed)

    @property
    def is_over(self):
        return all(self.env.terminations.values())

    def shows(self):
        agent = self.env.agent_selection
        info = self.env.infos[agent]
        speaker = -1 if self.is_over else self.names.index(agent)
        phase = [str(each) for each in PHASES].index(info["phase"])
        return self.env.observe(agent), info["action_mask"], speaker, phase

    def step(self, action):
        """Make a turn; return what a lane reports of it."""
        agent = self.env.agent_selection
        self.env.step(action)
        said = self.env.record[-1]
        info = self.env.infos[agent]
        game = self.env.game
        voted = self.env.negotiation_state.votes
        deal = game.num_deals if voted or said.deal is None else game.deal_number(said.deal)
        rewards = [self.env.rewards[name] for name in self.names]
        return self.names.index(agent), deal, bool(info["illegal"]), rewards

    def outcome(self):
        verdict, game = self.env.verdict, self.env.game
        deal = game.num_deals if verdict.deal is None else game.deal_number(verdict.deal)
        votes = verdict.votes or (False,) * game.num_parties
        return deal, votes, verdict.passed, verdict.unanimous


def assert_shows(batch, observation, mask, speaker, phase, lane, solo):
    seen, allowed, whose, which = solo.shows()
    assert np.array_equal(observation[lane], seen)
    assert np.array_equal(mask[lane], allowed)
    assert (speaker[lane], phase[lane]) == (whose, which)


def choose(dice, num_actions, mask, *, legal_share=0.7):
    """Actions of which some are illegal, one for each row of the mask."""
    wild = dice.integers(-3, num_actions + 3, len(mask))
    keys = dice.random(mask.shape) * mask
    return np.where(dice.random(len(mask)) < legal_share, keys.argmax(axis=1), wild)


@law
@given(
    game=games(max_options=3, least_score=-5),
    blocks=st.integers(1, 3),
    voting=votings,
    no_deal=no_deals,
    seeds=st.lists(st.integers(-5, 2**64 + 5), min_size=1, max_size=6),
    auto_reset=st.booleans(),
    play=st.integers(0, 2**32),
)
def test_a_lane_is_the_single_environment_with_its_seed(
    game, blocks, voting, no_deal, seeds, auto_reset, play
):
    config = {"num_turns": blocks * game.num_parties, "voting": voting, "no_deal": no_deal}
    batch = BatchNegotiation(game, len(seeds), auto_reset=auto_reset, **config)
    solos = [Solo(game, **config) for _ in seeds]
    dice = np.random.default_rng(play)
    observation, mask, speaker = batch.reset(seeds)
    for lane, (solo, seed) in enumerate(zip(solos, seeds, strict=True)):
        solo.reset(seed)
        assert_shows(batch, observation, mask, speaker, np.zeros(len(seeds)), lane, solo)
    for _ in range(2 * (config["num_turns"] + game.num_parties + 1)):
        actions = choose(dice, batch.num_actions, mask)
        observation, reward, terminated, mask, told = batch.step(actions)
        for lane, solo in enumerate(solos):
            if solo.is_over:
                assert told.party[lane] == -1
                assert not terminated[lane]
                assert not reward[lane].any()
            else:
                party, deal, illegal, rewards = solo.step(int(actions[lane]))
                assert (told.party[lane], told.deal[lane], told.illegal[lane]) == (
                    party,
                    deal,
                    illegal,
                )
                assert reward[lane].tolist() == rewards
                assert terminated[lane] == solo.is_over
                if solo.is_over:
                    final, votes, passed, unanimous = solo.outcome()
                    assert told.final_deal[lane] == final
                    assert told.votes[lane].tolist() == list(votes)
                    assert (told.passed[lane], told.unanimous[lane]) == (passed, unanimous)
                    if auto_reset:
                        solo.reset()
            assert_shows(batch, observation, mask, told.speaker, told.phase, lane, solo)
        if all(solo.is_over for solo in solos):
            break


def test_lanes_of_unlike_sheets_play_their_own_games():
    ours = ferry()
    harder = replace(
        ours, parties=tuple(replace(p, threshold=p.threshold + 5) for p in ours.parties)
    )
    batch = BatchNegotiation([ours, harder], 5)
    for lane, game in enumerate([ours, harder, ours, harder, ours]):
        solo = Solo(game)
        solo.reset(lane)
        observation, mask, speaker = batch.reset(range(5))
        while not solo.is_over:
            assert_shows(
                batch, observation, mask, speaker, *[np.full(5, solo.shows()[3])], lane, solo
            )
            observation, reward, _, mask, told = batch.step(np.full(5, 2))
            speaker = told.speaker
            assert reward[lane].tolist() == solo.step(2)[3]
    assert batch.sheets.thresholds[1].tolist() == harder.thresholds.tolist()


def test_sheets_may_be_drawn_afresh_for_every_episode():
    batch = BatchNegotiation(SheetPlan(), 3, auto_reset=True)
    batch.reset([5, 6, 7])
    for _ in range(2):
        before = [batch.sheets.game(lane) for lane in range(3)]
        solos = [Solo(game) for game in before]
        assert len({game.parties for game in before}) == 3
        for _ in range(25):
            _, reward, terminated, *_ = batch.step(np.full(3, 100))
        assert terminated.all()
        for lane, solo in enumerate(solos):
            solo.reset(0)
            while not solo.is_over:
                paid = solo.step(100)[3]
            assert reward[lane].tolist() == paid
        assert all(batch.sheets.game(lane) != before[lane] for lane in range(3))


def test_the_sheets_of_an_episode_are_those_that_its_seed_draws():
    batch = BatchNegotiation(SheetPlan(), 3)
    words = noise.as_words([5, 6, 7])
    for episode in range(2):
        batch.reset([5, 6, 7] if episode == 0 else None)
        seeds = noise.stream(noise.episode_seeds(words, episode), noise.SHEETS)
        drawn = draw_sheets(SheetPlan(), seeds)
        for lane in range(3):
            game = batch.sheets.game(lane)
            assert game == drawn.game(lane)
            assert game.parties[0].score(game.initial_deal) == 100


# --- what is returned, and what cannot be ----------------------------------------------------


def test_what_was_returned_is_the_callers_to_keep_and_to_spoil():
    kept, spoilt = (BatchNegotiation(ferry(), 4, voting="explicit") for _ in range(2))
    start, other = kept.reset(range(4)), spoilt.reset(range(4))
    before = [part.copy() for part in start]
    for _ in range(20):
        for part in other:
            part[...] = 1
        step, other = kept.step([2, 3, 9, 6]), spoilt.step([2, 3, 9, 6])
        for mine, theirs in zip((*step[:4], *step[4]), (*other[:4], *other[4]), strict=True):
            assert np.array_equal(mine, theirs)
        other = (*other[:4], *other[4])
    assert all(np.array_equal(part, old) for part, old in zip(start, before, strict=True))


def test_lanes_that_are_over_wait_for_the_last_and_then_a_step_is_refused():
    batch = BatchNegotiation(ferry(), 2, num_turns=4, voting="explicit")
    batch.reset([0, 1])
    for _ in range(4):
        batch.step([SILENCE, SILENCE])
    step = batch.step([SILENCE, 0])
    assert step.terminated.tolist() == [True, False]
    assert not step.mask[0].any()
    for _ in range(3):
        step = batch.step([0, ACCEPT])
        assert not step.reward[0].any()
        assert step.features.illegal.tolist() == [False, False]
    assert step.terminated.tolist() == [False, True]
    assert step.features.votes[1].all()
    with pytest.raises(ValueError, match="all negotiations are over"):
        batch.step([0, 0])
    batch.reset()
    batch.step([0, 0])


@pytest.mark.parametrize("actions", [[0], [[0], [0]], [0.0, 1.0], ["a", "b"], None, [True, False]])
def test_actions_of_another_shape_or_kind_are_refused(actions):
    batch = BatchNegotiation(ferry(), 2)
    batch.reset([0, 1])
    with pytest.raises(ValueError, match=r"actions: expected integers of shape \(2,\)"):
        batch.step(actions)


def test_nothing_is_played_before_the_first_reset():
    batch = BatchNegotiation(ferry(), 2)
    with pytest.raises(ValueError, match="reset"):
        batch.step([0, 0])
    with pytest.raises(GameError, match="seeds: found None, expected 2 integers"):
        batch.reset()


@pytest.mark.parametrize("seeds", [[0], [0, 1, 2], [0.5, 1], 3, [[0, 1]], ["0", "1"]])
def test_seeds_that_are_not_one_integer_a_lane_are_refused(seeds):
    with pytest.raises(GameError, match=r"seeds: found .* expected 2 integers, one for each lane"):
        BatchNegotiation(ferry(), 2).reset(seeds)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"num_lanes": 0}, "num_lanes: found 0"),
        ({"num_lanes": True}, "num_lanes: found True"),
        ({"num_lanes": 2.0}, "num_lanes: found 2.0"),
        ({"num_turns": 5}, "num_turns: found 5, expected a multiple of 4"),
        ({"voting": "loud"}, "voting: found 'loud', expected one of implicit, explicit"),
        ({"no_deal": "never"}, "no_deal: found 'never', expected one of threshold, zero"),
        ({"games": []}, "games: found 0"),
    ],
)
def test_settings_that_cannot_be_are_refused_by_name(change, message):
    with pytest.raises(GameError, match=message):
        BatchNegotiation(**({"games": ferry(), "num_lanes": 2} | change))


def test_sheets_can_be_given_as_they_are():
    batch = BatchNegotiation(sheets_of([ferry()]), np.int64(2))
    other = BatchNegotiation(ferry(), 2)
    assert np.array_equal(batch.reset([1, 2]).observation, other.reset([1, 2]).observation)
    assert batch.num_agents == 4
    assert batch.observation_size == batch.reset([1, 2]).observation.shape[1]
    assert batch.num_actions == 7
