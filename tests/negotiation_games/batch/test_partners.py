"""The concession population over lanes chooses as its bots do."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from negotiation_worlds import ferry

from negotiation_games import load_game, noise
from negotiation_games.batch import BatchProposer, BotPartners, ConcessionPartners
from negotiation_games.batch.lanes import Lanes
from negotiation_games.bots import BOULWARE, CONCEDER, LINEAR
from negotiation_games.draw import SheetPlan

NAME_OF = {BOULWARE: "boulware", LINEAR: "linear", CONCEDER: "conceder"}


class Recorder:
    """Partners that concede by a population, each choice compared with its scalar bot's."""

    def __init__(self, exponents):
        self.exponents = exponents
        self.compared = 0
        self.drawn = Counter()

    def seated(self, lanes: Lanes):
        self.lanes = lanes
        self.population = ConcessionPartners(self.exponents).seated(lanes)
        self.bots = {
            exponent: BotPartners([NAME_OF[exponent]] * lanes.shape.num_parties).seated(lanes)
            for exponent in self.exponents
        }
        return self

    def begin(self, which, seeds):
        self.population.begin(which, seeds)
        draws = noise.uniforms(noise.stream(seeds, noise.PARTNERS), self.lanes.shape.num_parties)
        self.exponent = np.array(self.exponents)[(draws * len(self.exponents)).astype(int)]
        self.drawn.update(self.exponent.ravel().tolist())

    def propose(self, which, parties):
        chosen = self.population.propose(which, parties)
        for exponent, bots in self.bots.items():
            same = self.exponent[which, parties] == exponent
            assert chosen[same].tolist() == bots.propose(which[same], parties[same]).tolist()
            self.compared += int(same.sum())
        return chosen

    def favour(self, which, parties):
        return self.population.favour(which, parties)


@settings(max_examples=15, deadline=None)
@given(
    exponents=st.permutations(list(NAME_OF)).map(lambda all_: tuple(all_)),
    seeds=st.lists(st.integers(0, 2**64 - 1), min_size=2, max_size=8),
    num_turns=st.sampled_from([6, 12, 24, 30]),
    plays=st.integers(0, 2**32),
    fresh=st.booleans(),
)
def test_every_choice_of_the_population_is_that_of_its_bot(
    exponents, seeds, num_turns, plays, fresh
):
    partners = Recorder(exponents)
    games = SheetPlan() if fresh else load_game("game2")
    batch = BatchProposer(games, len(seeds), partners=partners, num_turns=num_turns)
    dice = np.random.default_rng(plays)
    for _ in range(2):
        batch.reset(seeds)
        for _ in range(num_turns // 6 + 1):
            batch.step(dice.integers(-1, 722, (len(seeds), 1)))
    assert partners.compared == 2 * len(seeds) * num_turns // 6 * 5


def test_every_exponent_is_as_likely_for_every_party():
    partners = Recorder(tuple(NAME_OF))
    batch = BatchProposer(ferry(), 3000, partners=partners, num_turns=4)
    partners.bots = {}
    batch.reset(range(3000))
    assert partners.drawn.total() == 4 * 3000
    assert all(abs(count / 12_000 - 1 / 3) < 0.02 for count in partners.drawn.values())


def test_a_population_can_be_held_out_by_its_exponents():
    ours, theirs = (
        BatchProposer(load_game("base"), 20, partners=ConcessionPartners(exponents))
        for exponents in ((LINEAR,), (0.5, 2.0))
    )
    ours.reset(range(20))
    theirs.reset(range(20))
    for _ in range(4):
        mine, other = (batch.step(np.zeros((20, 1), np.int64)) for batch in (ours, theirs))
    assert not np.array_equal(mine.observation, other.observation)


def test_who_accepts_less_than_its_worst_deal_concedes_as_its_bot_does():
    ours = ferry()
    parties = tuple(replace(party, threshold=-100_000) for party in ours.parties)
    partners = Recorder(tuple(NAME_OF))
    batch = BatchProposer(replace(ours, parties=parties), 8, partners=partners)
    batch.reset(range(8))
    for _ in range(5):
        batch.step(np.full((8, 1), 3))
    assert partners.compared == 8 * 4 * 3
