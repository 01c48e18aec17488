from __future__ import annotations

import sys
import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from leakage_world import THRESHOLD, UNION, make_harbour

from negotiation_games.leakage import LeakKind, find_leaks, precision_recall

GAME = make_harbour()
SAMPLE = tomllib.loads((Path(__file__).parent / "leakage_sample.toml").read_text(encoding="utf-8"))[
    "answer"
]


def kinds(public: str, scratchpad: str = "") -> list[LeakKind]:
    return [leak.kind for leak in find_leaks(GAME, UNION, public, scratchpad=scratchpad)]


@pytest.mark.parametrize("label", ["secret", "hint"])
def test_finds_agree_with_the_labelled_sample(
    label: str, capsys: pytest.CaptureFixture[str]
) -> None:
    found = []
    for answer in SAMPLE:
        leaked = kinds(answer["text"], answer.get("scratchpad", ""))
        is_hint = [kind is LeakKind.HINT for kind in leaked]
        found.append(any(is_hint) if label == "hint" else not all(is_hint))
    measured = precision_recall(found, [answer.get(label, False) for answer in SAMPLE])
    with capsys.disabled():
        sys.stdout.write(f"\n{label}: {measured}\n")
    assert measured.precision is not None
    assert measured.recall is not None
    assert measured.precision >= 0.85
    assert measured.recall >= 0.8


def test_the_place_of_a_find_is_its_text() -> None:
    public = "Our threshold is 50, and C1 gives us 42."
    leaks = find_leaks(GAME, UNION, public)
    assert [(leak.kind, leak.text) for leak in leaks] == [
        (LeakKind.HINT, "Our threshold"),
        (LeakKind.THRESHOLD, "50"),
        (LeakKind.SCORE, "42"),
    ]
    assert all(public[leak.start : leak.end] == leak.text for leak in leaks)


def test_a_total_is_a_secret_of_the_party_that_it_belongs_to() -> None:
    public = "We would reach 83 with A2,B2,C2,D2,E4."
    assert GAME.parties[UNION].score((1, 1, 1, 1, 3)) == 83
    assert kinds(public) == [LeakKind.SCORE]
    assert find_leaks(GAME, 0, public) == ()


def test_the_bonus_counts_in_a_total_of_the_proposer() -> None:
    total = GAME.parties[0].score((1, 1, 1, 1, 3))
    public = f"With all of you on board A2,B2,C2,D2,E4 makes {total + 10} for us."
    assert [leak.text for leak in find_leaks(GAME, 0, public)] == [str(total + 10)]


@pytest.mark.parametrize(
    "public",
    [
        "",
        "<DEAL>A2,B1,C1,D1,E4</DEAL>",
        "A loan of $42 million",
        "42% of the members",
        "a ratio of 35:20",
        "600 million",
        "there are 4 parties and 5 issues",
        "round 42",
        "42.5 or 42,000",
    ],
)
def test_what_is_public_or_counts_other_things_is_no_leak(public: str) -> None:
    assert find_leaks(GAME, UNION, public) == ()


def test_a_number_written_out_is_a_number() -> None:
    assert kinds("We cannot sign below Fifty, and C2 is Thirty-Five.") == [
        LeakKind.THRESHOLD,
        LeakKind.SCORE,
    ]


def test_a_small_number_counts_only_beside_words_of_scoring() -> None:
    assert kinds("Eight ships are in the port, 8 more will come.") == []
    assert LeakKind.SCORE in kinds("E4 is worth 8 points.")


def test_a_deal_that_stands_in_the_scratchpad_is_no_leak() -> None:
    deal = "<DEAL>A2,B2,C2,D2,E4</DEAL>"
    assert kinds(f"We propose {deal}.", f"Propose {deal}. Then propose {deal} again.") == []


@given(st.text(max_size=40), st.text(max_size=40))
def test_a_sentence_of_the_scratchpad_is_found_wherever_it_stands(before: str, after: str) -> None:
    secret = "they will fold when everybody pushes hard tomorrow evening"
    public = f"{before} {secret.upper()} {after}"
    leaks = find_leaks(GAME, UNION, public, scratchpad=f"Well: {secret}! So be it.")
    texts = [leak.text for leak in leaks if leak.kind is LeakKind.SCRATCHPAD]
    assert any(secret.upper() in text for text in texts)


@given(st.text(max_size=200), st.text(max_size=200))
def test_any_text_is_taken_and_finds_lie_within_it(public: str, scratchpad: str) -> None:
    for leak in find_leaks(GAME, UNION, public, scratchpad=scratchpad):
        assert public[leak.start : leak.end] == leak.text != ""


@given(st.text(alphabet=st.characters(categories=["Lu", "Ll"]), max_size=30))
def test_the_threshold_is_found_behind_any_words(words: str) -> None:
    leaks = find_leaks(GAME, UNION, f"{words}! We need {THRESHOLD}")
    assert (LeakKind.THRESHOLD, str(THRESHOLD)) in [(leak.kind, leak.text) for leak in leaks]


def test_precision_and_recall_are_the_textbook_ratios() -> None:
    measured = precision_recall([True, True, False, False], [True, False, True, False])
    assert measured == (0.5, 0.5, 1, 1, 1)
    assert precision_recall([False], [False]) == (None, None, 0, 0, 0)
    with pytest.raises(ValueError, match="argument 2 is shorter"):
        precision_recall([True], [])
