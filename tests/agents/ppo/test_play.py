import numpy as np
import pytest

from agents.ppo import MaskedPolicy, PythonLanes, play_episodes


class OfLengths:
    """Lanes that end after as many steps as their seed says, an action being its reward."""

    num_agents, observation_size, num_actions = 2, 1, 3

    def __init__(self, num_lanes):
        self.num_lanes = num_lanes
        self.played = []

    def reset(self, seeds):
        self.lengths = np.asarray(seeds)
        self.made = np.zeros(self.num_lanes, int)
        return self._seen()

    def step(self, actions):
        self.played.append(actions)
        self.made += 1
        ended = self.made % self.lengths == 0
        observation, mask = self._seen()
        return observation, actions.astype(float), ended, mask, None

    def _seen(self):
        shape = (self.num_lanes, 2)
        return np.zeros((*shape, 1), np.float32), np.ones((*shape, 3), np.int8)


@pytest.fixture
def indifferent():
    """Draws among three actions whatever it sees (one number)."""
    return MaskedPolicy([(np.zeros((1, 3), np.float32), np.zeros(3, np.float32))])


def always(action):
    logits = np.zeros(3, np.float32)
    logits[action] = 50.0
    return MaskedPolicy([(np.zeros((1, 3), np.float32), logits)])


def test_the_first_episode_of_every_lane_is_summed(indifferent):
    lanes = OfLengths(3)
    shown = []
    played = play_episodes(
        lanes,
        indifferent,
        seeds=[2, 5, 1],
        action_seed=0,
        on_step=lambda step, playing: shown.append((step[1], playing)),
    )
    assert played.steps.tolist() == [2, 5, 1]
    assert len(lanes.played) == 5
    for lane, length in enumerate([2, 5, 1]):
        expected = np.sum(lanes.played[:length], axis=0)[lane]
        assert played.returns[lane].tolist() == expected.tolist()
    assert [playing.tolist() for _, playing in shown][1:3] == [[True, True, False], [0, 1, 0]]
    assert all(
        np.array_equal(*pair) for pair in zip([r for r, _ in shown], lanes.played, strict=True)
    )


def test_draws_of_a_lane_follow_from_its_seed_whatever_is_played_beside_it(indifferent):
    def actions(seeds, action_seed=4):
        lanes = OfLengths(len(seeds))
        play_episodes(lanes, indifferent, seeds=seeds, action_seed=action_seed)
        return np.array(lanes.played)[:20]

    together = actions([20, 21, 22, 23])
    assert np.array_equal(together[:, [1]], actions([21]))
    assert np.array_equal(together[:, [2, 0]], actions([22, 20]))
    assert not np.array_equal(together[:, 0], together[:, 1])
    assert not np.array_equal(together[:, :, 0], together[:, :, 1])
    assert not np.array_equal(together, actions([20, 21, 22, 23], action_seed=5))


def test_a_trained_policy_plays_a_lane_alike_alone_and_among_others(trained, symbol_game):
    def returns(seeds):
        lanes = PythonLanes(symbol_game, len(seeds))
        return play_episodes(lanes, trained.policy, seeds=seeds, action_seed=4).returns

    together = returns([7, 8, 9])
    assert [returns([seed])[0].tolist() for seed in (7, 8, 9)] == together.tolist()


def test_the_likeliest_actions_are_taken_when_deterministic(trained, symbol_game):
    episodes = [
        play_episodes(
            PythonLanes(symbol_game, 5),
            trained.policy,
            seeds=range(5),
            action_seed=seed,
            deterministic=True,
        ).returns
        for seed in (1, 2)
    ]
    assert np.array_equal(*episodes)
    assert episodes[0].mean() > 10


def test_every_seat_may_have_a_policy_of_its_own():
    lanes = OfLengths(2)
    played = play_episodes(lanes, [always(2), always(1)], seeds=[4, 4], action_seed=0)
    assert played.returns.tolist() == [[8, 4], [8, 4]]
    with pytest.raises(ValueError, match="policy = 1 policies: expected 2, one a seat"):
        play_episodes(lanes, [always(2)], seeds=[4, 4], action_seed=0)
