"""Commands about negotiation games."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from stored_episodes import play_alone

from benchmarks import cli
from benchmarks.suite import Suite
from benchmarks.suite_file import suite_named
from negotiation_games import bundled_games, load_game

NEGOTIATION_SMOKE = suite_named("negotiation-smoke").arenas[0]

PUBLISHED = Path(__file__).parents[2] / ".." / "shared" / "data" / "llm_deliberation"
needs_published = pytest.mark.skipif(
    not PUBLISHED.exists(), reason="the published games and logs are not here"
)

GENERATED = ("--feasible", "12", "--unanimous", "3", "--parties", "4")


@pytest.fixture
def command(capsys):
    """Run a command line; returns its exit code, stdout and stderr."""

    def run(*arguments):
        code = cli.run(list(map(str, arguments)))
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return run


def test_games_are_a_table_for_people_and_json_for_programs(command):
    code, out, err = command("games", "--json")
    assert (code, err) == (0, "")
    assert [row["name"] for row in json.loads(out)] == list(bundled_games())
    _, table, _ = command("games")
    assert all(name in table for name in bundled_games())


@pytest.mark.parametrize(
    ("game", "counts"), [("base", (720, 55, 12, 77)), ("base_7players", (2880, 204, 52, 343))]
)
def test_a_bundled_game_is_solved_by_name(command, game, counts):
    code, out, err = command("solve", "negotiation", game, "--json")
    answer = json.loads(out)
    assert (code, err) == (0, "")
    assert tuple(answer[k] for k in ("deals", "feasible", "unanimous", "passable")) == counts
    assert answer.keys() >= {"per_party", "pareto", "nash_deal", "egalitarian_deal", "best_welfare"}
    _, table, _ = command("solve", "negotiation", game)
    assert all(str(count) in table for count in counts)


def test_the_pareto_front_can_be_left_out(command):
    _, out, _ = command("solve", "negotiation", "base", "--no-pareto", "--json")
    assert json.loads(out)["pareto"] is None


def test_tune_writes_a_game_with_the_wanted_counts(command, tmp_path):
    out = tmp_path / "harder"
    wanted = ("--feasible", 17, "--unanimous", 2)
    code, printed, err = command("tune", "base", *wanted, "--out", out, "--json")
    answer = json.loads(printed)
    assert (code, err) == (0, "")
    assert (answer["feasible"], answer["unanimous"]) == (17, 2)
    _, solved, _ = command("solve", "negotiation", out, "--json")
    assert (json.loads(solved)["feasible"], json.loads(solved)["unanimous"]) == (17, 2)
    tuned, given = load_game(out), load_game("base")
    moved = {p.name for p in tuned.parties if p.threshold != given.party(p.name).threshold}
    assert moved == set(answer["changed"])
    assert {p.name: p.threshold for p in tuned.parties} == answer["thresholds"]


def test_counts_that_no_thresholds_give_are_a_failure_in_one_line(command, tmp_path):
    out = tmp_path / "impossible"
    code, printed, err = command(
        "tune", "base", "--feasible", 720, "--unanimous", 0, "--out", out, "--json"
    )
    assert (code, printed) == (1, "")
    assert err.count("\n") == 1
    assert "no thresholds give 720 feasible and 0 unanimous" in err
    assert not out.exists()


def test_a_generated_game_has_what_was_asked_for(command, tmp_path):
    out = tmp_path / "mine"
    wanted = (*GENERATED, "--options", "3,3,4")
    code, printed, err = command("generate-game", *wanted, "--out", out, "--json")
    made = json.loads(printed)
    assert (code, err) == (0, "")
    assert (made["deals"], made["feasible"], made["unanimous"]) == (36, 12, 3)
    _, solved, _ = command("solve", "negotiation", out, "--json")
    assert json.loads(solved)["feasible"] == 12


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("solve", "negotiation", "atlantis"), "base_7players"),
        (("tune", "base", "--feasible", "3"), "--unanimous"),
        (("tune", "base", "--feasible", "3", "--unanimous", "4"), "0 to 3"),
        (("tune", "base", "--feasible", "-1", "--unanimous", "0"), "greater than or equal to 0"),
        (("evaluate-logs", "nowhere", "--game", "base"), "no such file or folder"),
        (("evaluate-logs", "nowhere", "--game", "base", "--rules", "mine"), "paper-2023"),
        (("generate-game", *GENERATED, "--out", "x", "--options", "a"), "commas"),
        (("generate-game", *GENERATED, "--out", "x", "--options", "1,3"), "at least 2"),
    ],
)
def test_wrong_usage_gets_one_line_that_says_what_is_allowed(arguments, told, command):
    code, out, err = command(*arguments)
    assert (code, out) == (2, "")
    assert err.count("\n") == 1
    assert told in err


@needs_published
@pytest.mark.parametrize(
    ("logs", "game", "rules"),
    [
        ("all_coop_temp1_base_gpt4", "base", "paper-2024"),
        ("output_base_best_allcoop_gpt4", "base_2023_sheets", "paper-2023"),
    ],
)
def test_published_logs_give_the_published_figures(command, logs, game, rules):
    archive, folder = PUBLISHED / "logs" / f"{logs}.zip", PUBLISHED / "games" / game
    code, out, err = command("evaluate-logs", archive, "--game", folder, "--rules", rules, "--json")
    expected = json.loads((PUBLISHED / "reference.json").read_text())["logs"][logs]
    found = json.loads(out)
    assert (code, err) == (0, "")
    for name in ("sessions", "skipped", "any_success", "final_success", "wrong_deals"):
        assert found[name] == pytest.approx(expected[name], abs=1e-9)
    assert found.keys() >= {"final_unanimous", "intervals", "skips"}


def test_a_comparison_in_negotiation_is_played_and_its_records_evaluated(
    command, tmp_path, monkeypatch
):
    tiny = replace(NEGOTIATION_SMOKE, name="tiny", policies=("planner", "stub-erratic"))
    monkeypatch.setattr("benchmarks.suite_file.load_suite", {"tiny": Suite.of(tiny)}.__getitem__)
    monkeypatch.setattr("benchmarks.executors.named._NUM_PROCESSES", 0)
    out = tmp_path / "run"
    code, printed, err = command("compare", "tiny", "--out", out, "--episodes", 1, "--json")
    rows = json.loads(printed)
    assert code == 0
    assert len(rows) == 12
    assert rows[0].keys() >= {"policy", "contract", "n", "ci_low", "ci_high", "final_success"}
    assert "figure.svg" in err
    code, table, _ = command("evaluate-logs", out, "--game", "base")
    assert code == 0
    assert "4 sessions" in table
    assert "skipped: played 'game1', not 'base'" in table


def test_of_a_run_with_no_negotiations_nothing_is_evaluated(command, tiny_suite, tmp_path):
    play_alone(Suite.of(replace(tiny_suite, policies=("random",))), tmp_path)
    code, out, err = command("evaluate-logs", tmp_path, "--game", "base")
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert "a run in which negotiations were played" in err


def test_negotiations_are_evaluated_beside_another_game_and_named_by_their_numbers(
    command, tiny_suite, tmp_path
):
    river = replace(tiny_suite, policies=("random",), num_episodes=1)
    talks = replace(NEGOTIATION_SMOKE, policies=("conceder",), num_episodes=1)
    suite = Suite(name="both", description="", arenas=(river, talks))
    play_alone(suite, tmp_path)
    for rules in ("commonweal", "paper-2024", "paper-2023"):
        words = ("evaluate-logs", tmp_path, "--game", "game1", "--rules", rules, "--json")
        code, out, err = command(*words)
        told = json.loads(out)
        assert (code, err) == (0, "")
        assert (told["sessions"], told["skipped"]) == (2, 4)
        assert [skip["file"] for skip in told["skips"]] == [
            f"episode {number}" for number in (3, 4, 7, 8)
        ]
