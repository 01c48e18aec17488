from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from log_worlds import P1, P2, answers, history, six_at, write_logs

from negotiation_games.game import Game, GameError
from negotiation_games.log_files import SessionError, read_record
from negotiation_games.logs import (
    bootstrap_interval,
    evaluate_logs,
    evaluate_sessions,
    wilson_interval,
)

REFERENCE = Path(__file__).parents[2] / ".." / "shared" / "data" / "llm_deliberation"
FIGURES = ("any_success", "final_success", "final_unanimous", "wrong_deals")
SETS = (
    "all_coop_temp1_base_gpt4",
    "output_base_best_allcoop_gpt4",
    "output_leading_greedy_gpt4_rest_coop_base",
)


def evaluate(folder: Path, game: Game, rules: str, *documents: Any) -> dict[str, Any]:
    prefix = "answers" if rules == "paper-2023" else "history"
    write_logs(folder, documents, prefix)
    return evaluate_logs(folder, game=game, rules=rules).to_dict()


def figures(report: dict[str, Any]) -> tuple[float, ...]:
    return tuple(report[name] for name in FIGURES)


@pytest.mark.skipif(not REFERENCE.is_dir(), reason="the published logs are not at hand")
@pytest.mark.parametrize("name", SETS)
def test_the_published_figures_are_reproduced(name: str) -> None:
    expected = json.loads((REFERENCE / "reference.json").read_text())["logs"][name]
    report = evaluate_logs(
        REFERENCE / "logs" / f"{name}.zip",
        game=REFERENCE / "games" / expected["game"],
        rules=expected["evaluator"],
    ).to_dict()
    assert (report["sessions"], report["skipped"]) == (expected["sessions"], expected["skipped"])
    assert figures(report) == pytest.approx([expected[each] for each in FIGURES], abs=1e-9)


class TestPaper2024:
    """One clause of the published rule of 2024 a test."""

    def test_all_strictly_above_is_unanimous(self, tmp_path: Path) -> None:
        report = evaluate(tmp_path, six_at(), "paper-2024", history((P1, "A1")))
        assert figures(report) == (1.0, 1.0, 1.0, 0.0)

    def test_a_party_at_its_threshold_does_not_agree(self, tmp_path: Path) -> None:
        game = six_at((60, 60), (60, 60), (50, 50), (50, 50))
        report = evaluate(tmp_path, game, "paper-2024", history((P1, "A1")))
        assert figures(report) == (0.0, 0.0, 0.0, 0.0)

    def test_all_but_one_player_succeed_without_being_unanimous(self, tmp_path: Path) -> None:
        game = six_at((60, 60), (60, 60), (0, 0))
        report = evaluate(tmp_path, game, "paper-2024", history((P1, "A1")))
        assert figures(report) == (1.0, 1.0, 0.0, 0.0)

    def test_nothing_succeeds_without_p2(self, tmp_path: Path) -> None:
        game = six_at((60, 60), (50, 50))
        report = evaluate(tmp_path, game, "paper-2024", history((P1, "A1")))
        assert figures(report) == (0.0, 0.0, 0.0, 0.0)

    def test_p1_at_its_threshold_is_unanimous_by_the_bonus(self, tmp_path: Path) -> None:
        report = evaluate(tmp_path, six_at((50, 0)), "paper-2024", history((P1, "A1")))
        assert figures(report) == (1.0, 1.0, 1.0, 0.0)

    def test_p1_below_its_threshold_within_the_bonus_is_marked_and_so_not_unanimous(
        self, tmp_path: Path
    ) -> None:
        report = evaluate(tmp_path, six_at((40, 0)), "paper-2024", history((P1, "A1")))
        assert figures(report) == (1.0, 1.0, 0.0, 0.0)

    def test_p1_further_below_fails_and_is_wrong(self, tmp_path: Path) -> None:
        report = evaluate(tmp_path, six_at((39, 0)), "paper-2024", history((P1, "A1")))
        assert figures(report) == (0.0, 0.0, 0.0, 1.0)

    def test_the_bonus_excuses_nobody_else(self, tmp_path: Path) -> None:
        report = evaluate(tmp_path, six_at((60, 60), (49, 0)), "paper-2024", history((P2, "A1")))
        assert figures(report) == (0.0, 0.0, 0.0, 1.0)

    def test_only_proposals_of_p1_succeed_and_the_last_full_one_is_final(
        self, tmp_path: Path
    ) -> None:
        game = six_at((60, 0))
        said = history((P1, "A1"), (P1, "A2"), (P2, "A1"), (P1, "no deal"))
        assert figures(evaluate(tmp_path, game, "paper-2024", said)) == (1.0, 0.0, 0.0, 1 / 3)

    def test_the_first_option_named_counts_and_newlines_do_not(self, tmp_path: Path) -> None:
        said = history((P1, "I thought of A\n2, but <DEAL>A1</DEAL>"))
        report = evaluate(tmp_path, six_at((60, 0)), "paper-2024", said)
        assert figures(report) == (0.0, 0.0, 0.0, 1.0)

    def test_a_session_of_another_length_is_skipped(self, tmp_path: Path) -> None:
        short, full = history((P1, "A1"), length=25), history((P1, "A1"))
        report = evaluate(tmp_path, six_at(), "paper-2024", short, full)
        assert (report["sessions"], report["skipped"]) == (1, 1)
        assert report["skips"] == [{"file": "history00.json", "why": "25 entries, not 26"}]

    def test_a_session_without_proposals_failed_and_was_never_wrong(self, tmp_path: Path) -> None:
        report = evaluate(tmp_path, six_at(), "paper-2024", history())
        assert figures(report) == (0.0, 0.0, 0.0, 0.0)

    def test_an_option_that_the_game_lacks_leaves_the_session_out(self, tmp_path: Path) -> None:
        report = evaluate(tmp_path, six_at(), "paper-2024", history((P1, "A9")))
        assert (report["sessions"], report["skipped"], report["any_success"]) == (0, 1, None)


class TestPaper2023:
    """One clause of the published rule of 2023 a test."""

    def test_five_others_and_p1_within_the_bonus_are_unanimous(self, tmp_path: Path) -> None:
        report = evaluate(tmp_path, six_at((40, 0)), "paper-2023", answers(final="A1"))
        assert figures(report) == (1.0, 1.0, 1.0, 0.0)

    def test_four_others_need_p1_at_its_threshold(self, tmp_path: Path) -> None:
        for own, succeeds in ((50, 1.0), (49, 0.0)):
            game = six_at((own, 0), (60, 60), (50, 50))
            report = evaluate(tmp_path, game, "paper-2023", answers(final="A1"))
            assert figures(report) == (succeeds, succeeds, 0.0, 0.0)

    def test_four_others_need_p2_strictly_above(self, tmp_path: Path) -> None:
        game = six_at((60, 60), (50, 50))
        report = evaluate(tmp_path, game, "paper-2023", answers(final="A1"))
        assert figures(report) == (0.0, 0.0, 0.0, 0.0)

    def test_an_earlier_proposal_of_p1_counts_for_any(self, tmp_path: Path) -> None:
        said = answers((P1, "A1"), (P2, "A1"), final="A2")
        report = evaluate(tmp_path, six_at((60, 0)), "paper-2023", said)
        assert figures(report) == (1.0, 0.0, 0.0, pytest.approx(1 / 3))

    def test_an_incomplete_final_suggestion_counts_and_scores_nothing(self, tmp_path: Path) -> None:
        report = evaluate(tmp_path, six_at(), "paper-2023", answers((P1, "A1"), final="none"))
        assert figures(report) == (1.0, 0.0, 0.0, 0.5)

    def test_an_option_that_the_sheet_lacks_counts_and_scores_nothing(self, tmp_path: Path) -> None:
        said = answers((P2, "A5"), (P2, "A6"), final="A1")
        assert figures(evaluate(tmp_path, six_at(), "paper-2023", said))[3] == 0.5

    def test_entries_that_are_no_pairs_are_ignored(self, tmp_path: Path) -> None:
        said = answers(final="A1")
        said["rounds"] = [[P1], [P1, "A2", "A2"], "A2", None, {"a": 1, "b": 2}]
        assert figures(evaluate(tmp_path, six_at((60, 0)), "paper-2023", said))[3] == 0.0

    def test_a_session_without_its_vote_is_skipped(self, tmp_path: Path) -> None:
        unfinished = {"rounds": [], "voting_sessions": {}}
        report = evaluate(tmp_path, six_at(), "paper-2023", unfinished, answers(final="A1"))
        assert (report["sessions"], report["skipped"]) == (1, 1)


class TestCommonweal:
    """The rule of the game on recorded sessions."""

    def test_a_party_at_its_threshold_agrees(self, tmp_path: Path) -> None:
        game = six_at(*[(50, 50)] * 6)
        said = history((P1, "<DEAL>A1</DEAL>"))
        assert figures(evaluate(tmp_path, game, "commonweal", said)) == (1.0, 1.0, 1.0, 0.0)

    def test_the_bonus_counts_when_all_others_accept(self, tmp_path: Path) -> None:
        said = history((P1, "<DEAL>a1</DEAL>"))
        report = evaluate(tmp_path, six_at((40, 0)), "commonweal", said)
        assert figures(report) == (1.0, 1.0, 1.0, 0.0)
        refused = six_at((40, 0), (60, 60), (0, 0))
        assert figures(evaluate(tmp_path, refused, "commonweal", said)) == (0.0, 0.0, 0.0, 1.0)

    def test_what_is_outside_the_deal_field_is_no_proposal(self, tmp_path: Path) -> None:
        report = evaluate(tmp_path, six_at(), "commonweal", history((P1, "I propose A1")))
        assert figures(report) == (0.0, 0.0, 0.0, 0.0)
        assert report["malformed"] == 0.0

    def test_a_malformed_deal_is_reported_apart(self, tmp_path: Path) -> None:
        said = history((P1, "<DEAL>A1</DEAL>"), (P1, "<DEAL>A1, A2</DEAL>"))
        report = evaluate(tmp_path, six_at(), "commonweal", said)
        assert figures(report) == (1.0, 0.0, 0.0, 0.0)
        assert report["malformed"] == pytest.approx(1 / 26)
        assert report["statuses"] == {"missing": 24, "ok": 1, "duplicate": 1}

    def test_sessions_of_2023_are_read_too(self, tmp_path: Path) -> None:
        write_logs(tmp_path, [answers((P1, "hello"), final="<DEAL>A1</DEAL>")], "answers")
        report = evaluate_logs(tmp_path, game=six_at(), rules="commonweal").to_dict()
        assert figures(report) == (1.0, 1.0, 1.0, 0.0)

    def test_a_session_that_p1_does_not_end_is_skipped(self, tmp_path: Path) -> None:
        report = evaluate(tmp_path, six_at(), "commonweal", history((P2, "<DEAL>A1</DEAL>")))
        assert report["sessions"] == 0
        assert "final proposal" in report["skips"][0]["why"]


def record(*deals: str | None, game: str = "six") -> dict[str, Any]:
    turns = [
        {"party": P1, "public": "", "deal": deal, "status": "ok" if deal else "no_proposal"}
        for deal in deals
    ]
    return {"game": game, "turns": turns}


def test_our_own_records_are_read_by_every_rule() -> None:
    sessions = [
        ("mine", read_record(record(*[None] * 25, "A1"))),
        ("another game's", read_record(record("A1", game="other"))),
        ("broken", SessionError("the record has no 'turns'")),
    ]
    for rules in ("commonweal", "paper-2024", "paper-2023"):
        report = evaluate_sessions(sessions, game=six_at((60, 0)), rules=rules).to_dict()
        assert figures(report) == (1.0, 1.0, 1.0, 0.0)
        assert report["sessions"] == 1
        assert [skip["file"] for skip in report["skips"]] == ["another game's", "broken"]


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"turns": None}, "turns is NoneType, not a list"),
        ({"turns": [3]}, r"turns\[0\] is int, not an object"),
        ({"turns": [{"party": P1, "public": ""}]}, r"turns\[0\] has no 'status'"),
        ({"game": 3}, "game is int, not text"),
    ],
)
def test_what_is_no_record_of_ours_says_where(changed: dict[str, Any], told: str) -> None:
    with pytest.raises(SessionError, match=told):
        read_record(record("A1") | changed)


def test_files_are_found_to_any_depth_and_in_an_archive(tmp_path: Path) -> None:
    folder = write_logs(tmp_path / "a" / "b", [history((P1, "A1"))] * 2, "history")
    write_logs(folder, [answers(final="A1")], "answers")
    archive = tmp_path / "logs.zip"
    with zipfile.ZipFile(archive, "w") as opened:
        for path in folder.iterdir():
            opened.write(path, path.relative_to(tmp_path))
    reports = [
        evaluate_logs(logs, game=six_at(), rules="paper-2024").to_dict()
        for logs in (tmp_path, archive)
    ]
    assert reports[0] == reports[1]
    assert reports[0]["sessions"] == 2


BROKEN = [
    "",
    "{",
    "[]",
    "null",
    "[" * 100_000,
    '{"rounds": 3}',
    '{"rounds": {"a": 1}}',
    {"rounds": [None] * 26},
    {"rounds": [{"agent": P1}] * 26},
    {"rounds": [{"agent": P1, "public_answer": None}] * 26},
    {"rounds": [{"agent": [], "public_answer": "A1"}] * 26},
    {"rounds": [{"agent": "Nobody", "public_answer": "A1"}] * 26},
    {"rounds": [], "voting_sessions": {"0": []}},
    {"rounds": [], "voting_sessions": {"0": {}}},
    {"rounds": [], "voting_sessions": {"0": {"deal_suggestion": 3}}},
    {"rounds": [["Nobody", "A1"]], "voting_sessions": {"0": {"deal_suggestion": "A1"}}},
    {"rounds": [[P1, None]], "voting_sessions": {"0": {"deal_suggestion": "A1"}}},
]


@pytest.mark.parametrize("rules", ["commonweal", "paper-2024", "paper-2023"])
def test_a_broken_file_is_skipped_with_its_reason(tmp_path: Path, rules: str) -> None:
    report = evaluate(tmp_path, six_at(), rules, *BROKEN)
    assert (report["sessions"], report["skipped"]) == (0, len(BROKEN))
    assert all(skip["why"] for skip in report["skips"])
    assert [report[name] for name in FIGURES] == [None] * 4
    assert json.loads(json.dumps(report)) == report


def test_a_damaged_member_of_an_archive_is_skipped(tmp_path: Path) -> None:
    archive = tmp_path / "logs.zip"
    with zipfile.ZipFile(archive, "w") as opened:
        opened.writestr("history0.json", json.dumps(history((P1, "A1"))))
        opened.writestr("history1.json", json.dumps(history((P1, "A2"))))
    archive.write_bytes(archive.read_bytes().replace(b'"A2"', b'"A3"', 1))
    report = evaluate_logs(archive, game=six_at(), rules="paper-2024").to_dict()
    assert (report["sessions"], report["skipped"]) == (1, 1)
    assert "unpacked" in report["skips"][0]["why"]


def test_wrong_use_is_one_error_that_names_what_is_allowed(tmp_path: Path) -> None:
    for logs, rules, match in (
        (tmp_path, "paper-2022", "one of commonweal, paper-2024, paper-2023"),
        (tmp_path, "paper-2023", r"answers\*\.json"),
        (tmp_path / "nowhere", "paper-2023", "a folder or a zip archive"),
        (Path(__file__), "paper-2023", "a folder or a zip archive"),
    ):
        with pytest.raises(GameError, match=match):
            evaluate_logs(logs, game=six_at(), rules=rules)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 3) | st.sampled_from(["A1", "0", P1, "rounds"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["rounds", "agent", "public_answer", "voting_sessions", "0"]),
            inner,
            max_size=3,
        )
    ),
    max_leaves=8,
)


@given(json_values)
def test_whatever_a_file_holds_it_counts_once(
    tmp_path_factory: pytest.TempPathFactory, document: Any
) -> None:
    folder = tmp_path_factory.mktemp("logs")
    for rules in ("paper-2024", "paper-2023"):
        report = evaluate(folder, six_at(), rules, document)
        assert report["sessions"] + report["skipped"] == 1


@given(st.lists(st.booleans(), min_size=1, max_size=40))
def test_wilsons_interval_holds_the_share_and_stays_within_0_and_1(values: list[bool]) -> None:
    rate = wilson_interval(values)
    assert rate.value == sum(values) / len(values)
    assert rate.low is not None
    assert rate.high is not None
    assert 0.0 <= rate.low <= rate.value <= rate.high <= 1.0


def test_wilsons_interval_is_the_textbook_one() -> None:
    rate = wilson_interval([True] * 22 + [False] * 10)
    assert (rate.low, rate.high) == pytest.approx((0.514333, 0.820475), abs=1e-6)


def test_the_bootstrap_is_the_same_every_time_and_holds_the_mean() -> None:
    values = [0.0, 0.1, 0.0, 0.4]
    rate = bootstrap_interval(values, seed=0)
    assert rate == bootstrap_interval(values, seed=0)
    assert rate.low is not None
    assert rate.high is not None
    assert rate.low <= 0.125 <= rate.high
