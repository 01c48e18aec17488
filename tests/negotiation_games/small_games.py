"""Games for the tests: drawn by Hypothesis, or the figures of published ones."""

from __future__ import annotations

from hypothesis import strategies as st

from negotiation_games.game import Game, Incentive, Issue, Party, Role


def figures(sheets, thresholds, *, name="drawn", p1=0, p2=1):
    """A game of figures alone: ``sheets[party][issue][option]``."""
    roles = {p1: Role.PROPOSER, p2: Role.VETO}
    parties = tuple(
        Party(
            f"party {i}",
            roles.get(i, Role.PLAYER),
            Incentive.COOPERATIVE,
            tuple(tuple(points) for points in sheet),
            threshold,
        )
        for i, (sheet, threshold) in enumerate(zip(sheets, thresholds, strict=True))
    )
    issues = tuple(Issue("", ("",) * len(points)) for points in sheets[0])
    return Game(name, issues, parties)


@st.composite
def small_games(draw, *, max_parties=5, max_issues=3, max_options=3, max_points=12):
    """Games small enough to enumerate, p1 and p2 anywhere, ties and neutral rows frequent."""
    num_parties = draw(st.integers(3, max_parties))
    options = draw(st.lists(st.integers(1, max_options), min_size=1, max_size=max_issues))
    points = st.integers(-2, max_points)
    sheets = [
        [draw(st.lists(points, min_size=n, max_size=n)) for n in options]
        for _ in range(num_parties)
    ]
    best = [sum(map(max, sheet)) for sheet in sheets]
    thresholds = [b - draw(st.integers(0, 2 * max_points)) for b in best]
    p1, p2 = draw(st.permutations(range(num_parties)))[:2]
    return figures(sheets, thresholds, p1=p1, p2=p2)


def base():
    """The published base game: Mayor, other cities, union, SportCo (p1), tourism (p2), league."""
    sheets = [
        [[14, 8, 0], [12, 8, 0], [24, 18, 12, 0], [40, 30, 23, 0], [0, 2, 4, 7, 10]],
        [[0, 4, 10], [0, 0, 0], [12, 8, 6, 0], [0, 8, 13, 18], [60, 45, 30, 15, 0]],
        [[15, 20, 0], [0, 0, 0], [42, 35, 25, 0], [30, 20, 10, 0], [2, 4, 6, 8, 0]],
        [[14, 8, 0], [11, 7, 0], [0, 5, 10, 17], [35, 29, 20, 0], [0, 5, 10, 15, 23]],
        [[0, 11, 5], [0, 20, 25], [0, 2, 4, 9], [10, 26, 40, 0], [4, 8, 15, 12, 0]],
        [[0, 22, 45], [0, 25, 55], [0, 0, 0, 0], [0, 0, 0, 0], [0, 0, 0, 0, 0]],
    ]
    return figures(sheets, [30, 31, 50, 55, 65, 55], name="base", p1=3, p2=4)


def game_2():
    """The published game 2: aid agency (p2), project manager (p1), government, owners, two more."""
    sheets = [
        [[0, 15, 25, 20, 0], [0, 7, 4], [15, 5, 0, 10], [13, 0, 9], [26, 40, 10, 0]],
        [[5, 10, 23, 15, 5], [35, 25, 0], [17, 0, 5, 10], [0, 14, 8], [11, 0, 7, 7]],
        [[0, 10, 15, 20, 25], [14, 7, 0], [0, 0, 35, 25], [0, 9, 5], [0, 0, 17, 10]],
        [[5, 10, 20, 30, 40], [16, 12, 5], [22, 0, 10, 15], [0, 22, 17], [0, 0, 0, 0]],
        [[25, 20, 15, 10, 5], [0, 35, 40], [0, 11, 5, 9], [15, 0, 12], [2, 0, 5, 9]],
        [[10, 8, 6, 2, 0], [0, 12, 14], [0, 40, 35, 0], [11, 0, 5], [0, 0, 20, 25]],
    ]
    return figures(sheets, [60, 59, 37, 40, 30, 30], name="game 2", p1=1, p2=0)


def game_3():
    """The published game 3: federal government (p2), investors (p1), state, and three more."""
    sheets = [
        [[0, 40, 10, 29], [0, 25, 20], [10, 14, 6, 0], [0, 9, 13, 7, 0], [0, 8, 5]],
        [[25, 20, 0, 10], [18, 13, 0], [25, 10, 0, 32], [15, 12, 8, 4, 0], [10, 5, 0]],
        [[0, 5, 3, 7], [0, 24, 30], [24, 12, 30, 0], [0, 11, 17, 15, 5], [0, 11, 16]],
        [[0, 0, 0, 0], [0, 40, 65], [0, 0, 0, 0], [0, 10, 20, 35, 25], [0, 0, 0]],
        [[0, 45, 20, 20], [0, 25, 30], [0, 0, 0, 0], [0, 0, 0, 0, 0], [0, 20, 25]],
        [[20, 20, 25, 0], [0, 15, 20], [0, 0, 0, 0], [0, 17, 25, 30, 35], [0, 15, 20]],
    ]
    return figures(sheets, [55, 63, 45, 50, 65, 50], name="game 3", p1=1, p2=0)
