"""The command, as people and programs call it."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from benchmarks.suite_file import bundled_suites
from cleanup_icn import PRESETS


@pytest.mark.parametrize("name", ["presets", "suites"])
def test_lists_are_tables_for_people_and_json_for_programs(name, command):
    code, out, err = command(name, "--json")
    names = [row["name"] for row in json.loads(out)]
    assert (code, err) == (0, "")
    assert names == list(PRESETS if name == "presets" else bundled_suites())
    _, table, _ = command(name)
    assert all(each in table for each in names)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ((), "presets"),
        (("bogus",), "expected one of presets"),
        (("solve",), "cleanup"),
        (("presets", "--bogus"), "--json"),
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
