"""The games that come with the package: whole, playable, and the published ones' figures."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from negotiation_games.game import Game, Incentive, Role
from negotiation_games.load import bundled_games, load_game

PUBLISHED = Path(__file__).parents[3] / "shared/data/llm_deliberation/games"
OWN = ("hospital_merger", "water_basin")
NUM_DEALS = {
    "base": 720,
    "base_7players": 2880,
    "base_rewritten": 720,
    "game1": 720,
    "game2": 720,
    "game3": 720,
    "hospital_merger": 432,
    "water_basin": 864,
}


def _supporters(game: Game) -> list[list[bool]]:
    """Return who reaches its threshold, for each deal that p1, p2 and N - 1 parties do."""
    found = []
    for deal in game.deals():
        votes = [s >= p.threshold for s, p in zip(game.scores(deal), game.parties, strict=True)]
        if votes[game.proposer_index] and votes[game.veto_index]:
            found += [votes] * (sum(votes) >= game.num_parties - 1)
    return found


def test_the_bundled_games_are_the_six_published_and_two_of_our_own() -> None:
    assert bundled_games() == tuple(sorted(NUM_DEALS))


@pytest.mark.parametrize("name", NUM_DEALS)
def test_a_bundled_game_is_called_as_its_folder_and_has_all_its_deals(name: str) -> None:
    game = load_game(name)
    assert game.name == name
    assert game.num_deals == NUM_DEALS[name]
    assert game.initial_deal is not None
    assert game.title
    assert game.scenario


@pytest.mark.parametrize("name", NUM_DEALS)
def test_every_party_of_a_bundled_game_has_a_text_for_every_incentive(name: str) -> None:
    for party in load_game(name).parties:
        assert party.incentive is Incentive.COOPERATIVE
        assert set(party.instructions) == set(Incentive)
        assert len(set(party.instructions.values())) == len(Incentive)
        for incentive, text in party.instructions.items():
            assert 40 <= len(text.split()) <= 140, (party.name, incentive)
            named = "{target}" in text
            assert named == (incentive is Incentive.TARGETED_SABOTAGE), (party.name, incentive)


@pytest.mark.parametrize("name", NUM_DEALS)
def test_role_texts_have_no_figures_that_could_differ_from_the_sheet(name: str) -> None:
    for party in load_game(name).parties:
        for text in party.instructions.values():
            assert not any(character.isdigit() for character in text), party.name


@pytest.mark.parametrize("name", NUM_DEALS)
def test_every_issue_and_option_of_a_bundled_game_has_words(name: str) -> None:
    for issue in load_game(name).issues:
        assert issue.title
        assert issue.description
        assert len(set(issue.options)) == len(issue.options)
        assert all(issue.options)


@pytest.mark.parametrize("name", NUM_DEALS)
@pytest.mark.parametrize("incentive", Incentive)
def test_every_party_of_a_bundled_game_can_play_every_incentive(
    name: str, incentive: Incentive
) -> None:
    game = load_game(name)
    for party in game.parties:
        players = [p.name for p in game.parties if p.role is Role.PLAYER and p is not party]
        cast = load_game(name, incentives={party.name: incentive}, target=players[0])
        assert cast.party(party.name).incentive is incentive
        assert "{target}" not in cast.party(party.name).instructions[incentive]


@pytest.mark.parametrize("name", OWN)
def test_our_own_games_leave_room_for_agreement_and_for_conflict(name: str) -> None:
    game = load_game(name)
    supporters = _supporters(game)
    assert 20 <= len(supporters) <= 120
    assert sum(all(votes) for votes in supporters) >= 3
    per_party = [sum(votes) for votes in zip(*supporters, strict=True)]
    assert min(per_party) < 0.8 * len(supporters)
    favourites = [max(game.deals(), key=party.score) for party in game.parties]
    assert len(set(favourites)) == game.num_parties


@pytest.mark.parametrize("name", [name for name in NUM_DEALS if name not in OWN])
def test_the_bundled_figures_are_the_published_ones(name: str) -> None:
    if not (PUBLISHED / name).is_dir():
        pytest.skip(f"the published folder of {name} is not on this machine")
    ours, published = load_game(name), load_game(PUBLISHED / name)
    assert ours.party_names == published.party_names
    assert ours.initial_deal == published.initial_deal
    for mine, theirs in zip(ours.parties, published.parties, strict=True):
        assert mine.role is theirs.role
        assert mine.scores == theirs.scores
        assert mine.threshold == theirs.threshold


def test_every_published_folder_on_this_machine_loads() -> None:
    if not PUBLISHED.is_dir():
        pytest.skip("the published games are not on this machine")
    folders = sorted(path.parent for path in PUBLISHED.glob("*/config.txt"))
    games = [load_game(folder, evaluation_only=True) for folder in folders]
    assert [game.name for game in games] == [folder.name for folder in folders]
    for folder in folders:
        if (folder / "initial_deal.txt").exists():
            assert load_game(folder).initial_deal is not None


def test_the_rewritten_twin_is_base_with_its_parts_in_another_order() -> None:
    """Only the Green Alliance's threshold differs: 50 instead of the League's 55."""
    base, twin = load_game("base"), load_game("base_rewritten")

    def sheets(game: Game) -> list[tuple[tuple[int, ...], ...]]:
        return sorted(tuple(sorted(party.scores)) for party in game.parties)

    assert sheets(base) == sheets(twin)
    assert sorted(base.thresholds.tolist()) == [30, 31, 50, 55, 55, 65]
    assert sorted(twin.thresholds.tolist()) == [30, 31, 50, 50, 55, 65]


def test_games_are_found_from_any_working_directory(tmp_path: Path) -> None:
    code = "import negotiation_games.load as l; print(l.load_game('game2').num_deals)"
    root = str(Path(__file__).parents[2])
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env={"PYTHONPATH": root},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == "720"
