import numpy as np
import pytest

from agents.ppo import OneSeat, PythonLanes, play_episodes


class Always:
    """Takes one action, and notes what it was asked."""

    def __init__(self, action):
        self.action, self.asked = action, []

    def act(self, observations, masks, uniforms):
        self.asked.append((observations.copy(), masks.copy(), uniforms.copy()))
        return np.full(len(observations), self.action)


class Recording(PythonLanes):
    """Notes the actions of every step."""

    def reset(self, seeds=None):
        self.actions = []
        return super().reset(seeds)

    def step(self, actions):
        self.actions.append(actions.copy())
        return super().step(actions)


@pytest.fixture
def game_of_three(make_symbol_game):
    def make(num_lanes, *, auto_reset=True):
        game = make_symbol_game(horizon_steps=3, num_agents=3)
        return Recording(game, num_lanes, auto_reset=auto_reset)

    return make


def test_the_own_seat_sees_and_earns_its_own_while_the_others_play(game_of_three):
    game, whole = game_of_three(4), game_of_three(4)
    first, last = Always(0), Always(2)
    seat = OneSeat(game, 1, {0: first, 2: last})
    observation, mask = seat.reset([1, 2, 3, 4])
    all_observations, all_masks = whole.reset([1, 2, 3, 4])
    assert np.array_equal(observation, all_observations[:, [1]])
    assert np.array_equal(mask, all_masks[:, [1]])
    for step in range(5):
        given = seat.step(np.ones((4, 1), int))
        expected = whole.step(np.tile([0, 1, 2], (4, 1)))
        assert np.array_equal(first.asked[step][0], all_observations[:, 0])
        assert np.array_equal(last.asked[step][1], all_masks[:, 2])
        all_observations, all_masks = expected[0], expected[3]
        assert np.array_equal(game.actions[step], whole.actions[step])
        assert np.array_equal(given[0], expected[0][:, [1]])
        assert np.array_equal(given[1], expected[1][:, [1]])
        assert np.array_equal(given[2], expected[2])
        assert np.array_equal(given[3], expected[3][:, [1]])
        own_last = expected[4].last_observation[:, [1]]
        assert np.array_equal(given[4].last_observation, own_last)
        assert np.array_equal(given[4].terminated, expected[4].terminated)


def play(seat, seeds, num_steps):
    """Who played the seats, step by step."""
    seat.reset(seeds)
    partners = []
    for _ in range(num_steps):
        seat.step(np.zeros((seat.num_lanes, 1), int))
        partners.append(seat.partners.copy())
    return np.array(partners)


def test_partners_are_drawn_for_every_episode_by_the_seed_of_the_lane(game_of_three):
    population = [Always(0), Always(1), Always(2)]
    games = [game_of_three(60), game_of_three(60), game_of_three(2)]
    seats = [OneSeat(game, 0, {1: population, 2: population}) for game in games]
    seeds = list(range(100, 160))
    first, again = (play(seat, seeds, 9) for seat in seats[:2])
    few = play(seats[2], seeds[7:9], 9)
    assert np.array_equal(first, again)
    assert np.array_equal(first[:, 7:9], few)
    assert np.array_equal(np.array(games[0].actions)[:, :, 1:], first[:, :, 1:])
    assert (first[:, :, 0] == -1).all()
    episodes = first.reshape(3, 3, 60, 3)[..., 1:]
    assert (episodes == episodes[:, :1]).all()
    for seat in range(2):
        counts = np.bincount(episodes[:, 0, :, seat].ravel(), minlength=3)
        assert counts.min() > 40
    assert (episodes[0] != episodes[1]).any()
    assert (episodes[..., 0] != episodes[..., 1]).any()


def test_who_the_partner_is_says_nothing_of_what_the_own_seat_draws(game_of_three):
    population, own = [Always(0), Always(1)], Always(0)
    seat = OneSeat(game_of_three(400, auto_reset=False), 1, {0: population, 2: population})
    met = []
    play_episodes(
        seat,
        own,
        seeds=range(400),
        action_seed=0,
        on_step=lambda _step, _playing: met.append(seat.partners[:, 0].copy()),
    )
    (_, _, drawn), *_ = own.asked
    assert abs(np.corrcoef(drawn, met[0])[0, 1]) < 0.2


def test_draws_of_the_others_differ_by_step_episode_seat_and_lane_only(game_of_three):
    def draws(seeds, num_steps):
        policies = Always(0), Always(0)
        play(OneSeat(game_of_three(len(seeds)), 2, dict(enumerate(policies))), seeds, num_steps)
        return np.array([[uniforms for *_, uniforms in policy.asked] for policy in policies])

    drawn = draws([5, 6, 7], 7)
    assert np.unique(drawn).size == drawn.size == 2 * 7 * 3
    assert np.array_equal(draws([7], 7)[..., 0], drawn[..., 2])


def test_a_lane_draws_the_same_whoever_of_a_population_plays_it(game_of_three):
    population, alone = [Always(0), Always(0)], Always(0)
    seats = [
        OneSeat(game_of_three(8), 0, {1: others, 2: Always(0)}) for others in (population, alone)
    ]
    for seat in seats:
        seat.reset(range(8))
    for step in range(6):
        for seat in seats:
            seat.step(np.zeros((8, 1), int))
        partner = seats[0].partners[:, 1]
        for index, policy in enumerate(population):
            if (partner == index).any():
                for given, expected in zip(policy.asked[-1], alone.asked[step], strict=True):
                    assert np.array_equal(given, expected[partner == index])
    assert all(policy.asked for policy in population)


def test_episodes_are_numbered_alike_whether_lanes_restart_or_are_restarted(game_of_three):
    population = [Always(0), Always(1), Always(2)]
    seeds = list(range(20))
    restarting = OneSeat(game_of_three(20), 0, {1: population, 2: population})
    by_itself = play(restarting, seeds, 6)
    waiting = OneSeat(game_of_three(20, auto_reset=False), 0, {1: population, 2: population})
    first = play(waiting, seeds, 3)
    second = play(waiting, None, 3)
    assert np.array_equal(by_itself, np.concatenate([first, second]))


@pytest.mark.parametrize(
    ("seat", "others", "message"),
    [
        (3, {0: Always(0)}, "seat = 3: expected an integer from 0 to 2"),
        (1, {0: Always(0)}, r"seats of others = \[0\]: expected \[0, 2\]"),
        (1, {0: Always(0), 1: Always(0), 2: Always(0)}, r"expected \[0, 2\]"),
        (1, {0: Always(0), 2: []}, r"others\[2\] = \(\): expected at least one policy"),
    ],
)
def test_seats_given_wrongly_are_refused(game_of_three, seat, others, message):
    with pytest.raises(ValueError, match=message):
        OneSeat(game_of_three(1), seat, others)
