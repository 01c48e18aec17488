"""The command, as people and programs call it."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace

import pytest

from benchmarks import cli, pool, suites
from cleanup_icn import PRESETS


@pytest.fixture
def command(capsys):
    """Run a command line; returns its exit code, stdout and stderr."""

    def run(*arguments):
        code = cli.run(list(arguments))
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return run


@pytest.fixture
def tiny(tiny_suite, monkeypatch):
    """Put a tiny suite among the built-in ones, played in this process."""
    suite = replace(tiny_suite, name="tiny", policies=("all-harvest",))
    monkeypatch.setattr(suites, "SUITES", {"tiny": suite})
    monkeypatch.setattr(cli, "_NUM_WORKERS", 0)
    return suite


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ((), (157, 13, 157)),
        (("--set", "pollution_growth_per_step=4"), (81, None, None)),
        (("--set", "clean_per_action=2"), (83, None, None)),
        (("--set", "pollution_threshold=3"), (10, None, None)),
        (("--preset", "linear", "--set", "pollution_threshold=8"), (353, None, None)),
        (
            ("--preset", "linear", "--set", 'schedule=[[25, {"pollution_threshold": 12}]]'),
            (376, None, 376),
        ),
    ],
)
def test_solve_prints_exact_welfare_as_whole_numbers(arguments, expected, command):
    code, out, err = command("solve", "cleanup", *arguments, "--json")
    answer = json.loads(out)
    assert (code, err) == (0, "")
    for name, value in zip(("social_optimum", "all_harvest", "one_cleaner"), expected, strict=True):
        assert value is None or (answer[name] == value and isinstance(answer[name], int))
    assert answer["seconds"] >= 0


def test_an_expected_welfare_stays_a_fraction(command):
    _, out, _ = command("solve", "cleanup", "--set", "prob_fruit_growth=0.3", "--json")
    assert isinstance(json.loads(out)["social_optimum"], float)


@pytest.mark.parametrize("name", ["presets", "suites"])
def test_lists_are_tables_for_people_and_json_for_programs(name, command):
    code, out, err = command(name, "--json")
    names = [row["name"] for row in json.loads(out)]
    assert (code, err) == (0, "")
    assert names == list(PRESETS if name == "presets" else suites.SUITES)
    _, table, _ = command(name)
    assert all(each in table for each in names)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ((), "presets"),
        (("bogus",), "expected one of presets"),
        (("solve",), "cleanup"),
        (("presets", "--bogus"), "--json"),
        (("solve", "cleanup", "--preset", "x"), "costly-cleaning"),
        (("solve", "cleanup", "--set", "x"), "NAME=VALUE"),
        (("solve", "cleanup", "--set", "fruit=1"), "fruit_max"),
        (("solve", "cleanup", "--set", "fruit_max=many"), "an integer of at least 0"),
        (("compare", "bogus"), "cleanup-smoke"),
        (("compare", "--episodes", "0"), "greater than or equal to 1"),
        (("compare", "--episodes", "few"), "integer"),
    ],
)
def test_wrong_usage_gets_one_line_that_says_what_is_allowed(arguments, told, command):
    code, out, err = command(*arguments)
    assert (code, out) == (2, "")
    assert err.count("\n") == 1
    assert told in err


def test_compare_prints_rows_and_nothing_else_on_stdout(tiny, command, tmp_path):
    out_folder = tmp_path / "run"
    arguments = ("compare", "tiny", "--out", str(out_folder), "--episodes", "3", "--seed", "7")
    code, out, err = command(*arguments, "--json")
    rows = json.loads(out)
    assert code == 0
    assert [row["contract"] for row in rows] == ["none", "fixed", "icn"]
    assert {row["n"] for row in rows} == {3}
    assert rows[0].keys() >= {"policy", "welfare", "efficiency", "ci_low", "ci_high", "equality"}
    assert "figure.svg" in err
    code, table, _ = command(*arguments)
    assert (code, "all-harvest" in table) == (0, True)


def test_compare_leaves_a_folder_of_something_else_alone(tiny, command, tmp_path):
    (tmp_path / "thesis.tex").write_text("precious")
    code, _, err = command("compare", "tiny", "--out", str(tmp_path))
    assert code == 2
    assert err.startswith("commonweal: --out")
    assert err.count("\n") == 1
    assert [file.name for file in tmp_path.iterdir()] == ["thesis.tex"]


def test_compare_writes_into_runs_where_no_folder_is_given(tiny, command, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    code, _, _ = command("compare", "tiny", "--json")
    assert code == 0
    assert (tmp_path / "runs" / "tiny" / "table.json").exists()


def test_an_interrupted_run_says_so_in_one_line(tiny, command, tmp_path, monkeypatch):
    def interrupted(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(pool, "run_cell", interrupted)
    code, out, err = command("compare", "tiny", "--out", str(tmp_path / "run"))
    assert (code, out) == (1, "")
    assert err.splitlines()[-1] == "commonweal: interrupted"


def test_the_version_is_printed(command):
    code, out, _ = command("--version")
    assert code == 0
    assert out.startswith("commonweal ")


def test_help_and_solve_import_neither_torch_nor_matplotlib():
    script = (
        "import sys; from benchmarks import cli; cli.run(['--help']);"
        "cli.run(['solve', 'cleanup', '--json']); cli.run(['compare', '--help']);"
        "print(sorted({'torch', 'matplotlib', 'stable_baselines3'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.splitlines()[-1] == "[]"
