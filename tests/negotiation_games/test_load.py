"""Reading games from folders, writing them, and what a fault in a file is told."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from negotiation_games.game import Game, GameError, Incentive, Issue, Party, Role
from negotiation_games.load import load_game, recast, write_game

PUBLISHED = {
    "config.txt": (
        "Mill Owner,mill,p1,cooperative,any\n"
        "Water Board,board,p2,greedy,any\n"
        "Anglers,anglers,player,cooperative,any\n"
        "Village,village,player,cooperative,any\n"
    ),
    "initial_deal.txt": "A2,B1",
    "global_instructions.txt": 'The "Mill Owner" wants a weir. Issue A is its "height".',
    "scores_files/mill.txt": "0, 9\n5, 3, 0\n8",
    "scores_files/board.txt": "4, 0\n0, 6, 2\n4 \n",
    "scores_files/anglers.txt": "9, 0\n0, 2, 8\n7",
    "scores_files/village.txt": "1, 2\n3, 4, 5\n-3\n\n",
    "individual_instructions/cooperative/mill.txt": "A1 (#A1_NUM), A2 (#A2_NUM), best #A_MAX_NUM",
    "individual_instructions/cooperative/anglers.txt": "B3 is worth #B3_NUM.",
    "individual_instructions/cooperative/village.txt": "You live here.",
    "individual_instructions/greedy/board.txt": "Give little: #B2_NUM at most.",
    "individual_instructions/targeted_adv/anglers.txt": "Stop the weir.",
}

TOML = """\
[game]
name = "weir"
title = "A weir"
initial_deal = "A2,B1"
scenario = "scenario.md"

[[issue]]
title = "Height"
description = "How high."
options = ["low", "high"]

[[issue]]
title = "Fish"
options = ["none", "steps", "a ladder"]

[[party]]
name = "Mill Owner"
role = "p1"
incentive = "cooperative"
file = "mill.md"
threshold = 8
scores = [[0, 9], [5, 3, 0]]

[[party]]
name = "Water Board"
role = "p2"
incentive = "greedy"
threshold = 4
scores = [[4, 0], [0, 6, 2]]

[[party]]
name = "Anglers"
role = "player"
incentive = "cooperative"
threshold = 7
scores = [[9, 0], [0, 2, 8]]
"""

OURS = {
    "game.toml": TOML,
    "scenario.md": "A mill wants a weir.\n",
    "roles/mill.md": (
        "You mill.\n\n## cooperative\n\nBe kind.\n\n## targeted_adv\n\nStop {target}.\n"
    ),
}

Folder = Callable[[dict[str, str]], Path]


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    """Write files to a folder named weir."""

    def write(files: dict[str, str]) -> Path:
        return _write(tmp_path / "weir", files)

    return write


def _write(root: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode("utf-8", "surrogateescape"))
    return root


def _fault(root: Path, **options: object) -> GameError:
    with pytest.raises(GameError) as caught:
        load_game(root, **options)  # type: ignore[arg-type]
    return caught.value


# ---- the published layout


def test_the_published_layout_gives_parties_in_the_order_of_the_configuration(
    folder: Folder,
) -> None:
    game = load_game(folder(PUBLISHED))
    assert game.name == "weir"
    assert game.party_names == ("Mill Owner", "Water Board", "Anglers", "Village")
    assert [party.role for party in game.parties] == ["p1", "p2", "player", "player"]
    assert game.party("Water Board").incentive is Incentive.GREEDY
    assert game.num_options == (2, 3)
    assert game.initial_deal == (1, 0)
    assert game.thresholds.tolist() == [8, 4, 7, -3]
    assert game.scenario.startswith('The "Mill Owner"')


def test_placeholders_are_filled_with_the_party_s_own_scores(folder: Folder) -> None:
    game = load_game(folder(PUBLISHED))
    assert game.party("Mill Owner").instructions == {
        Incentive.COOPERATIVE: "A1 (0), A2 (9), best 9"
    }
    assert game.party("Water Board").instructions[Incentive.GREEDY] == "Give little: 6 at most."


def test_texts_for_other_incentives_are_read_where_there_are_any(folder: Folder) -> None:
    game = load_game(folder(PUBLISHED))
    assert set(game.party("Anglers").instructions) == {"cooperative", "targeted_adv"}


def test_removing_a_party_s_line_removes_the_party(folder: Folder) -> None:
    config = PUBLISHED["config.txt"].replace("Village,village,player,cooperative,any\n", "")
    game = load_game(folder({**PUBLISHED, "config.txt": config}))
    assert game.party_names == ("Mill Owner", "Water Board", "Anglers")


@pytest.mark.parametrize("end", ["\r\n", "\n", " \n", "\t\r\n"])
@pytest.mark.parametrize("last", ["", "\n", " ", "\r\n \r\n\n"])
def test_line_ends_and_trailing_blanks_do_not_matter(folder: Folder, end: str, last: str) -> None:
    plain = load_game(folder(PUBLISHED))
    files = {name: text.strip().replace("\n", end) + last for name, text in PUBLISHED.items()}
    assert load_game(folder(files)) == plain


def test_a_byte_order_mark_does_not_matter(folder: Folder) -> None:
    plain = load_game(folder(PUBLISHED))
    assert load_game(folder({name: "\ufeff" + text for name, text in PUBLISHED.items()})) == plain


def test_evaluation_needs_configuration_and_score_sheets_alone(folder: Folder) -> None:
    needed = {name: text for name, text in PUBLISHED.items() if name[:6] in ("config", "scores")}
    game = load_game(folder(needed), evaluation_only=True)
    assert game.initial_deal is None
    assert game.num_deals == 6
    assert "no such file" in str(_fault(folder(needed)))


@pytest.mark.parametrize("missing", sorted(PUBLISHED))
def test_a_missing_file_is_named(folder: Folder, missing: str) -> None:
    root = folder(PUBLISHED)
    (root / missing).unlink()
    if missing == "config.txt":
        assert _fault(root).where == str(root)
    elif missing.endswith("targeted_adv/anglers.txt"):
        assert load_game(root).party("Anglers").incentive is Incentive.COOPERATIVE
    else:
        assert _fault(root).where == str(root / missing)


PUBLISHED_FAULTS = [
    ("config.txt", "", "config.txt", "an empty file"),
    ("config.txt", " \n\r\n", "config.txt", "an empty file"),
    ("config.txt", "Mill,mill,p1,cooperative\n", "config.txt, line 1", "name,file,role"),
    ("config.txt", "Mill,mill,boss,cooperative,m\n", "config.txt, line 1", "'boss'"),
    ("config.txt", "\nMill,mill,p1,nice,m\n", "config.txt, line 2", "'nice'"),
    ("config.txt", ",mill,p1,greedy,m\n", "config.txt, line 1", "a name"),
    ("config.txt", "M,mill,p1,greedy,m\nM,board,p2,greedy,m\n", "config.txt, line 2", "no other"),
    ("config.txt", "M,../mill,p1,greedy,m\n", "config.txt, line 1", "'../mill'"),
    ("config.txt", "M,..,p1,greedy,m\n", "config.txt, line 1", "'..'"),
    ("config.txt", "M,/etc/passwd,p1,greedy,m\n", "config.txt, line 1", "'/etc/passwd'"),
    ("config.txt", "M,a\\b,p1,greedy,m\n", "config.txt, line 1", "file name"),
    ("config.txt", "M,C:b,p1,greedy,m\n", "config.txt, line 1", "'C:b'"),
    ("config.txt", "M,mill\0,p1,greedy,m\n", "config.txt, line 1", "file name"),
    ("scores_files/mill.txt", "0, 9\n5, 3, x\n8", "scores_files/mill.txt, line 2", "'x'"),
    ("scores_files/mill.txt", "0, 9.5\n5, 3, 0\n8", "scores_files/mill.txt, line 1", "'9.5'"),
    ("scores_files/mill.txt", "0, 9\n\n5, 3, 0\n8", "scores_files/mill.txt, line 2", "''"),
    ("scores_files/mill.txt", "0, 9\n5, 3, 0", "scores_files/mill.txt, line 2", "3 numbers"),
    ("scores_files/mill.txt", "0, 9\n5, 3, 0\n15", "scores_files/mill.txt, line 3", "at most 14"),
    ("scores_files/mill.txt", "8", "scores_files/mill.txt", "1 lines"),
    ("scores_files/board.txt", "4, 0\n6, 2\n4", "scores_files/board.txt, line 2", "2 scores"),
    ("scores_files/board.txt", "4, 0\n4", "scores_files/board.txt, line 2", "3 lines"),
    ("scores_files/board.txt", "4,0\n0,6,2\n1,1\n4", "scores_files/board.txt, line 3", "4 lines"),
    ("scores_files/anglers.txt", "9, 0\n0, 2, 18\n70", "scores_files/anglers.txt, line 3", "27"),
    ("initial_deal.txt", "A2", "initial_deal.txt, line 1", "'A2'"),
    ("initial_deal.txt", "A3,B1", "initial_deal.txt, line 1", "A1 to A2"),
    ("initial_deal.txt", "B1,A2", "initial_deal.txt, line 1", "'B1'"),
    ("initial_deal.txt", "A2,B1\nA1,B1", "initial_deal.txt, line 2", "one line"),
    ("global_instructions.txt", "so\n\udcff", "global_instructions.txt, line 2", "UTF-8"),
    (
        "individual_instructions/cooperative/mill.txt",
        "\n\nA3 (#A3_NUM)",
        "individual_instructions/cooperative/mill.txt, line 3",
        "#A3_NUM",
    ),
]


@pytest.mark.parametrize(("file", "text", "where", "message"), PUBLISHED_FAULTS)
def test_a_fault_in_the_published_layout_is_told_by_file_and_line(
    folder: Folder, file: str, text: str, where: str, message: str
) -> None:
    root = folder({**PUBLISHED, file: text})
    error = _fault(root)
    assert error.where == f"{root}{os.sep}{where}"
    assert message in str(error)


def test_a_configuration_without_a_proposer_names_the_configuration(folder: Folder) -> None:
    config = PUBLISHED["config.txt"].replace(",p1,", ",player,")
    root = folder({**PUBLISHED, "config.txt": config})
    assert _fault(root).where.startswith(f"{root / 'config.txt'}, ")


@pytest.mark.parametrize("link", ["scores_files/mill.txt", "scores_files"])
def test_a_symbolic_link_out_of_the_folder_is_not_followed(
    folder: Folder, tmp_path: Path, link: str
) -> None:
    root = folder(PUBLISHED)
    (root / link).rename(tmp_path / "outside")
    (root / link).symlink_to(tmp_path / "outside")
    assert "a file inside" in str(_fault(root))


# ---- our form


def test_our_form_gives_words_for_issues_and_options(folder: Folder) -> None:
    game = load_game(folder(OURS))
    assert game.title == "A weir"
    assert game.scenario == "A mill wants a weir."
    assert game.issues[0] == Issue("Height", ("low", "high"), "How high.")
    assert game.initial_deal == (1, 0)


def test_a_role_text_is_what_holds_for_all_incentives_and_the_section_of_one(
    folder: Folder,
) -> None:
    texts = load_game(folder(OURS)).party("Mill Owner").instructions
    assert texts == {
        Incentive.COOPERATIVE: "You mill.\n\nBe kind.",
        Incentive.TARGETED_SABOTAGE: "You mill.\n\nStop {target}.",
    }


def test_figures_alone_are_a_game(folder: Folder) -> None:
    text = TOML.replace('file = "mill.md"\n', "").replace('scenario = "scenario.md"\n', "")
    game = load_game(folder({"game.toml": text}))
    assert game.scenario == ""
    assert not any(party.instructions for party in game.parties)


def test_evaluation_needs_no_prose_in_our_form(folder: Folder) -> None:
    assert load_game(folder({"game.toml": TOML}), evaluation_only=True).num_deals == 6
    assert "no such file" in str(_fault(folder({"game.toml": TOML})))


TOML_FAULTS = [
    ('name = "weir"', "name = weir", "line 2", "TOML"),
    ("[[issue]]", "[[issues]]", "line 7", "'issues'"),
    ('title = "Fish"', 'titel = "Fish"', "line 13, [[issue]] titel", "title, description"),
    ("threshold = 8", "treshold = 8", "line 21, [[party]] treshold", "threshold"),
    ("threshold = 8", "", "line 16, [[party]] threshold", "None"),
    ("threshold = 8", "threshold = true", "line 21, [[party]] threshold", "True"),
    ("threshold = 8", "threshold = 8.5", "line 21, [[party]] threshold", "8.5"),
    ("threshold = 8", "threshold = 15", "line 21, [[party]] threshold", "at most 14"),
    ("[0, 9], [5, 3, 0]", "[0, 9]", "line 22, [[party]] scores", "1 lists"),
    ("[0, 9], [5, 3, 0]", "[0, 9], [5, 3]", "line 22, [[party]] scores", "3 scores"),
    ("[0, 9], [5, 3, 0]", "[0, 9], 4", "line 22, [[party]] scores", "issue B"),
    ("[0, 9], [5, 3, 0]", '[0, "9"], [5, 3, 0]', "line 22, [[party]] scores", "whole number"),
    ('role = "p1"', 'role = "chief"', "line 18, [[party]] role", "p1, p2, player, target"),
    ('role = "p1"', 'role = ["p1"]', "line 18, [[party]] role", "p1, p2, player, target"),
    ('incentive = "greedy"', 'incentive = "bold"', "line 27, [[party]] incentive", "'bold'"),
    ('name = "Anglers"', 'name = "Water Board"', "line 32, [[party]] name", "no other"),
    ('file = "mill.md"', 'file = "../mill.md"', "line 20, [[party]] file", "'../mill.md'"),
    ('scenario = "scenario.md"', "scenario = 3", "line 5, [game] scenario", "3"),
    ('"A2,B1"', '"A2,B4"', "line 4, [game] initial_deal", "B1 to B3"),
    ('"A2,B1"', "12", "line 4, [game] initial_deal", "12"),
    ('options = ["low", "high"]', "options = []", "line 10, [[issue]] options", "a list"),
    ('options = ["low", "high"]', "options = [1]", "line 10, [[issue]] options", "a string"),
]


@pytest.mark.parametrize(("old", "new", "place", "message"), TOML_FAULTS)
def test_a_fault_in_our_form_is_told_by_file_line_and_key(
    folder: Folder, old: str, new: str, place: str, message: str
) -> None:
    assert old in TOML
    root = folder({**OURS, "game.toml": TOML.replace(old, new, 1)})
    error = _fault(root)
    assert error.where == f"{root / 'game.toml'}, {place}"
    assert message in str(error)


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("Core.\n\n## kind\n\nWords.", 3, "'kind'"),
        ("## greedy\n\nA.\n\n## greedy\n\nB.", 5, "every incentive once"),
        ("Core.\n\n## greedy\n\nWords.", 5, "## cooperative"),
        ("Core.", 1, "no section"),
    ],
)
def test_a_fault_in_a_role_text_is_told_by_file_and_line(
    folder: Folder, text: str, line: int, message: str
) -> None:
    root = folder({**OURS, "roles/mill.md": text})
    error = _fault(root)
    assert error.where == f"{root / 'roles' / 'mill.md'}, line {line}"
    assert message in str(error)


def test_a_source_that_is_nothing_is_told_the_bundled_names(tmp_path: Path) -> None:
    with pytest.raises(GameError, match="base_7players"):
        load_game("no such game")
    assert "neither game.toml nor config.txt" in str(_fault(tmp_path))


# ---- incentives and targets


def test_incentives_replace_those_of_the_files(folder: Folder) -> None:
    config = PUBLISHED["config.txt"].replace("village,player", "village,target")
    root = folder({**PUBLISHED, "config.txt": config})
    game = load_game(root, incentives={"Anglers": "targeted_adv"})
    assert game.party("Anglers").incentive is Incentive.TARGETED_SABOTAGE
    assert game.party("Water Board").incentive is Incentive.GREEDY


def test_an_incentive_whose_text_is_missing_names_the_file(folder: Folder) -> None:
    root = folder(PUBLISHED)
    error = _fault(root, incentives={"Village": "greedy"})
    assert error.where == str(root / "individual_instructions" / "greedy" / "village.txt")


@pytest.mark.parametrize("incentives", [{"Nobody": "greedy"}, {"Village": "kind"}])
def test_unknown_parties_and_incentives_are_refused(
    folder: Folder, incentives: dict[str, str]
) -> None:
    with pytest.raises(GameError, match=r"Nobody|kind"):
        load_game(folder(PUBLISHED), incentives=incentives)


def test_sabotage_with_a_target_needs_one() -> None:
    saboteur = {"Environmental League": "targeted_adv"}
    with pytest.raises(GameError, match="role target"):
        load_game("base", incentives=saboteur)
    game = load_game("base", incentives=saboteur, target="Mayor")
    assert game.party("Mayor").role is Role.TARGET
    text = game.party("Environmental League").instructions[Incentive.TARGETED_SABOTAGE]
    assert "Mayor" in text
    assert "{target}" not in text


@pytest.mark.parametrize("target", ["SportCo", "Department of Tourism", "Union", "Nobody"])
def test_a_target_is_a_player_other_than_the_saboteur(target: str) -> None:
    saboteur = {"Local Labour Union": "targeted_adv"}
    target = target.replace("Union", "Local Labour Union")
    with pytest.raises(GameError, match=target):
        load_game("base", incentives=saboteur, target=target)


def test_a_game_keeps_its_target() -> None:
    game = load_game("base", target="Mayor")
    with pytest.raises(GameError, match="Mayor"):
        recast(game, target="Other cities")
    assert recast(game, target="Mayor") == game


# ---- writing

_WORDS = st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=0, max_size=12)
_NAMES = st.text(st.characters(exclude_categories=("C", "Z")), min_size=1, max_size=8)
_PROSE = _WORDS.map(lambda text: text.replace("#", "").strip())
_SCORES = st.integers(-50, 50)


@st.composite
def _games(draw: st.DrawFn) -> Game:
    num_options = draw(st.lists(st.integers(1, 4), min_size=1, max_size=4))
    names = draw(st.lists(_NAMES, min_size=3, max_size=5, unique=True))
    issues = tuple(
        Issue(
            draw(_PROSE), tuple(draw(_WORDS.map(str.strip)) for _ in range(options)), draw(_PROSE)
        )
        for options in num_options
    )
    parties = []
    for i, name in enumerate(names):
        sheet = tuple(tuple(draw(_SCORES) for _ in range(n)) for n in num_options)
        best = sum(max(points) for points in sheet)
        role = (Role.PROPOSER, Role.VETO, Role.TARGET)[i] if i < 3 else Role.PLAYER
        incentive = draw(st.sampled_from(Incentive))
        texts = {key: draw(_PROSE) + "x" for key in Incentive} if draw(st.booleans()) else {}
        threshold = draw(st.integers(best - 100, best))
        parties.append(Party(name, role, incentive, sheet, threshold, texts))
    deal = tuple(draw(st.integers(0, n - 1)) for n in num_options)
    opening = draw(st.sampled_from([deal, None]))
    return Game("round", issues, tuple(parties), opening, draw(_PROSE), draw(_PROSE))


@settings(max_examples=40, deadline=None)
@given(game=_games())
def test_a_written_game_is_read_back_as_it_was(game: Game) -> None:
    with tempfile.TemporaryDirectory() as root:
        write_game(game, root)
        again = load_game(Path(root))
    assert again == game
    for before, after in zip(game.parties, again.parties, strict=True):
        assert before.instructions == after.instructions


def test_a_game_in_the_published_layout_is_written_in_ours(folder: Folder, tmp_path: Path) -> None:
    game = load_game(folder(PUBLISHED))
    write_game(game, tmp_path / "ours")
    again = load_game(tmp_path / "ours")
    assert again == game
    assert again.party("Mill Owner").instructions == game.party("Mill Owner").instructions


def test_what_cannot_be_written_is_refused(folder: Folder, tmp_path: Path) -> None:
    game = load_game(folder(PUBLISHED))
    texts = {Incentive.COOPERATIVE: "so\n## greedy\nand so"}
    odd = replace(game, parties=(replace(game.parties[0], instructions=texts), *game.parties[1:]))
    with pytest.raises(GameError, match="like a section"):
        write_game(odd, tmp_path / "ours")
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(GameError, match="can be written"):
        write_game(game, tmp_path / "file")


# ---- garbled files

_JUNK = st.one_of(
    st.binary(max_size=6),
    st.sampled_from([b"", b"\n", b"[", b"]]", b'"', b",", b"=", b"-", b"99", b"#A9_NUM", b"\xff"]),
)


@settings(max_examples=150, deadline=None)
@given(
    files=st.sampled_from([PUBLISHED, OURS]),
    choice=st.integers(0, 11),
    at=st.floats(0, 1),
    drop=st.integers(0, 30),
    junk=_JUNK,
)
def test_a_garbled_file_gives_a_game_or_a_game_error(
    files: dict[str, str], choice: int, at: float, drop: int, junk: bytes
) -> None:
    file = sorted(files)[choice % len(files)]
    data = files[file].encode()
    start = int(at * len(data))
    with tempfile.TemporaryDirectory() as name:
        root = _write(Path(name), files)
        (root / file).write_bytes(data[:start] + junk + data[start + drop :])
        assert _loads_or_names_the_folder(root)


def _loads_or_names_the_folder(root: Path) -> bool:
    try:
        return load_game(root).num_parties >= 3
    except GameError as error:
        return str(root) in error.where


@pytest.mark.parametrize(
    "text",
    [
        "x = " + "[" * 5000,
        "x = " + "9" * 5000,
        "game = 3",
        "[[game]]\nname = 'two'",
        "party = [1]",
        "issue = {}",
        "[game]\nname = 1979-05-27",
        "[game.name]\nx = 1",
        "'' = 1",
        '"a\\nb" = 1',
    ],
)
def test_odd_toml_is_a_game_error(folder: Folder, text: str) -> None:
    root = folder({"game.toml": text})
    assert _fault(root).where.startswith(str(root / "game.toml"))


def test_a_folder_in_the_place_of_a_file_is_a_game_error(folder: Folder) -> None:
    root = folder(PUBLISHED)
    (root / "initial_deal.txt").unlink()
    (root / "initial_deal.txt").mkdir()
    assert _fault(root).where == str(root / "initial_deal.txt")


@pytest.mark.parametrize("source", ["x" * 5000, "a\0b", ""])
def test_a_source_that_no_path_can_be_is_a_game_error(source: str) -> None:
    with pytest.raises(GameError):
        load_game(source)
