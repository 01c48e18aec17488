"""p1's seat beside partners: what it meets is the single environment."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from negotiation_worlds import ferry, games

import negotiation_games
from negotiation_games import GameError, Incentive, load_game
from negotiation_games.batch import BatchProposer, BotPartners, ConcessionPartners
from negotiation_games.bots import BOTS, BOULWARE, CONCEDER, LINEAR
from negotiation_games.draw import SheetPlan
from negotiation_games.policies import scripted_policy
from negotiation_games.sheets import sheets_of

law = settings(max_examples=25, deadline=None)
NAME_OF = {BOULWARE: "boulware", LINEAR: "linear", CONCEDER: "conceder"}


class SoloSeat:
    """p1's seat of the single environment; the others read its words and play their scripts."""

    def __init__(self, game, names, **config):
        self.env = negotiation_games.raw_env(game=game, **config)
        self.p1 = self.env.possible_agents[game.proposer_index]
        self.policies = {
            agent: scripted_policy(name, self.env)
            for agent, name in zip(self.env.possible_agents, names, strict=True)
        }

    @property
    def is_over(self):
        return self.env.terminations[self.p1]

    def reset(self, seed=None):
        self.env.reset(seed=seed)
        self._let_others_speak()

    def step(self, action):
        self.env.step(action)
        self._let_others_speak()
        threshold = self.env.game.party(self.p1).threshold
        return self.env.rewards[self.p1] - threshold if self.is_over else 0.0

    def shows(self):
        seen = self.env.observe(self.p1)
        return seen["observation"], seen["action_mask"]

    def _let_others_speak(self):
        while self.env.agent_selection != self.p1 and not self.is_over:
            agent = self.env.agent_selection
            self.env.step(self.policies[agent](self.env.observe(agent)))


def assert_same(batch, solos, seeds, *, play, episodes=2):
    """Play episodes in all lanes and alone, and compare everything that p1 meets."""
    dice = np.random.default_rng(play)
    observation, mask = batch.reset(seeds)
    for solo, seed in zip(solos, seeds, strict=True):
        solo.reset(seed)
    for episode in range(episodes):
        is_over = False
        while not is_over:
            for lane, solo in enumerate(solos):
                seen, allowed = solo.shows()
                assert np.array_equal(observation[lane, 0], seen)
                assert np.array_equal(mask[lane, 0], allowed)
            actions = dice.integers(-1, batch.num_actions + 1, (len(solos), 1))
            observation, reward, terminated, mask, told = batch.step(actions)
            alone = [solo.step(int(action)) for solo, (action,) in zip(solos, actions, strict=True)]
            assert reward[:, 0].tolist() == alone
            assert terminated.tolist() == [solo.is_over for solo in solos]
            is_over = terminated.all()
        for lane, solo in enumerate(solos):
            verdict, game = solo.env.verdict, solo.env.game
            final = game.num_deals if verdict.deal is None else game.deal_number(verdict.deal)
            assert told.final_deal[lane] == final
            assert (told.passed[lane], told.unanimous[lane]) == (verdict.passed, verdict.unanimous)
            assert told.votes[lane].tolist() == list(verdict.votes or [False] * game.num_parties)
            assert told.paid[lane].tolist() == list(solo.env.rewards.values())
        if episode + 1 < episodes:
            observation, mask = batch.reset()
            for solo in solos:
                solo.reset()


@law
@given(
    game=games(max_options=3, least_score=-5),
    blocks=st.integers(1, 4),
    voting=st.sampled_from(["implicit", "explicit"]),
    no_deal=st.sampled_from(["threshold", "zero"]),
    exponent=st.sampled_from(list(NAME_OF)),
    seeds=st.lists(st.integers(0, 2**40), min_size=1, max_size=4),
    play=st.integers(0, 2**32),
)
def test_a_conceding_table_is_the_table_of_scripts_that_read_words(
    game, blocks, voting, no_deal, exponent, seeds, play
):
    config = {"num_turns": blocks * game.num_parties, "voting": voting, "no_deal": no_deal}
    batch = BatchProposer(game, len(seeds), partners=ConcessionPartners((exponent,)), **config)
    names = [NAME_OF[exponent]] * game.num_parties
    assert_same(batch, [SoloSeat(game, names, **config) for _ in seeds], seeds, play=play)


@law
@given(
    game=games(max_options=3),
    voting=st.sampled_from(["implicit", "explicit"]),
    seeds=st.lists(st.integers(0, 2**40), min_size=1, max_size=3),
    play=st.integers(0, 2**32),
    data=st.data(),
)
def test_a_table_of_bots_is_the_table_of_scripts_that_read_words(game, voting, seeds, play, data):
    kinds = st.sampled_from(sorted(BOTS))
    names = [data.draw(kinds) for _ in game.parties]
    config = {"num_turns": 2 * game.num_parties, "voting": voting}
    batch = BatchProposer(game, len(seeds), partners=BotPartners(names), **config)
    assert_same(batch, [SoloSeat(game, names, **config) for _ in seeds], seeds, play=play)


def test_saboteurs_work_against_their_target_and_vote_against_everything():
    game = ferry(Farm=Incentive.TARGETED_SABOTAGE)
    names = ["target-saboteur", "linear", "linear", "saboteur"]
    batch = BatchProposer(game, 8, partners=BotPartners(names), voting="explicit")
    solos = [SoloSeat(game, names, voting="explicit") for _ in range(8)]
    assert_same(batch, solos, range(8), play=1)
    batch.reset(range(8))
    for _ in range(5):
        step = batch.step(np.full((8, 1), 2))  # passes with all votes among the cooperative
    assert step.features.votes.tolist() == [[False, True, True, False]] * 8


def final_view(batch):
    """What p1 sees before its final proposal, having always proposed its best deal."""
    batch.reset(range(40)) if batch.num_lanes == 40 else batch.reset([7, 30, 12])
    for _ in range(4):
        step = batch.step(np.zeros((batch.num_lanes, 1), np.int64))
    return step.observation[:, 0]


def test_every_party_draws_its_concession_for_every_episode_from_the_seed():
    game = load_game("base")
    seen = final_view(BatchProposer(game, 40))
    like_one = [
        final_view(BatchProposer(game, 40, partners=ConcessionPartners((e,)))) for e in NAME_OF
    ]
    mixed = [
        not any(np.array_equal(row, one[lane]) for one in like_one) for lane, row in enumerate(seen)
    ]
    assert sum(mixed) > 30
    assert np.array_equal(final_view(BatchProposer(game, 3)), seen[[7, 30, 12]])


def test_fresh_sheets_are_played_by_conceding_parties_as_the_single_environment_plays_them():
    partners = ConcessionPartners((LINEAR,))
    batch = BatchProposer(SheetPlan(), 3, partners=partners, voting="explicit")
    seeds = [3, 4, 2**63]
    for _ in range(2):
        batch.reset(seeds)
        games = [batch.sheets.game(lane) for lane in range(3)]
        assert len({game.parties for game in games}) == 3
        solos = [SoloSeat(game, ["linear"] * 6, voting="explicit") for game in games]
        assert_same(batch, solos, seeds, play=0, episodes=1)
        seeds = [seed + 10 for seed in seeds]


def test_games_of_one_shape_are_played_beside_each_other():
    ours = ferry()
    harder = replace(
        ours, parties=tuple(replace(p, threshold=p.threshold + 9) for p in ours.parties)
    )
    batch = BatchProposer([ours, harder], 3, partners=ConcessionPartners((CONCEDER,)))
    solos = [SoloSeat(game, ["conceder"] * 4) for game in (ours, harder, ours)]
    assert_same(batch, solos, [1, 1, 9], play=3)
    same = BatchProposer(sheets_of([ours, harder]), 3, partners=ConcessionPartners((CONCEDER,)))
    assert_same(same, solos, [1, 1, 9], play=4)


def test_lanes_go_on_by_themselves_if_asked_to():
    going, waiting = (BatchProposer(SheetPlan(), 4, auto_reset=auto) for auto in (True, False))
    going.reset(range(4))
    waiting.reset(range(4))
    for _ in range(3):
        for turn in range(5):
            mine, theirs = going.step(np.full((4, 1), 33)), waiting.step(np.full((4, 1), 33))
            assert mine.terminated.tolist() == theirs.terminated.tolist() == [turn == 4] * 4
            assert np.array_equal(mine.reward, theirs.reward)
            assert np.array_equal(mine.features.paid, theirs.features.paid)
        with pytest.raises(ValueError, match="the negotiations are over"):
            waiting.step(np.full((4, 1), 33))
        start = waiting.reset()
        assert np.array_equal(mine.observation, start.observation)
        assert np.array_equal(mine.mask, start.mask)
        assert going.sheets.game(2) == waiting.sheets.game(2)


def test_what_was_returned_can_be_spoilt():
    kept, spoilt = (BatchProposer(load_game("base"), 3, voting="explicit") for _ in range(2))
    start, other = kept.reset(range(3)), spoilt.reset(range(3))
    for _ in range(5):
        for part in other:
            part[...] = 1
        step, told = kept.step([[3], [0], [720]]), spoilt.step([[3], [0], [720]])
        for mine, theirs in zip((*step[:4], *step[4]), (*told[:4], *told[4]), strict=True):
            assert np.array_equal(mine, theirs)
        other = (*told[:4], *told[4])
    assert start.observation.shape == (3, 1, kept.observation_size)
    assert start.mask.shape == (3, 1, kept.num_actions)
    assert kept.num_agents == 1


@pytest.mark.parametrize("actions", [[0, 1], [[0, 1]], [[0.0], [1.0]], None])
def test_actions_of_another_shape_or_kind_are_refused(actions):
    batch = BatchProposer(ferry(), 2)
    batch.reset([0, 1])
    with pytest.raises(ValueError, match=r"actions: expected integers of shape \(2, 1\)"):
        batch.step(actions)


@pytest.mark.parametrize(
    ("partners", "message"),
    [
        (lambda: ConcessionPartners(()), r"exponents: found \(\), expected at least one"),
        (lambda: ConcessionPartners((1.0, 0.0)), "exponents: found"),
        (lambda: BotPartners(["grumpy"] * 4), "bot: found 'grumpy', expected one of stubborn"),
        (lambda: BotPartners(["linear"] * 3), "bots: found 3, expected 4, one for every party"),
    ],
)
def test_partners_that_cannot_be_are_refused_by_name(partners, message):
    with pytest.raises(GameError, match=message):
        BatchProposer(ferry(), 2, partners=partners())
