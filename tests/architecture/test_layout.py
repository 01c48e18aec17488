"""How the sources are laid out: names, sizes, places."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("cleanup_icn", "negotiation_games", "agents", "benchmarks")
SOURCES = sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))
MAX_FILE_LINES = 400
MAX_FUNCTION_LINES = 60
EMPTY_NAMES = {"utils", "util", "helpers", "common", "base", "manager", "misc"}


def test_there_are_sources_in_every_library_package() -> None:
    packages = {path.relative_to(ROOT).parts[0] for path in SOURCES}
    assert packages >= {"cleanup_icn", "negotiation_games", "agents"}


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_a_file_can_be_read_in_one_sitting(path: Path) -> None:
    num_lines = len(path.read_text(encoding="utf-8").splitlines())
    assert num_lines <= MAX_FILE_LINES
    long = {name: lines for name, lines in _functions(path) if lines > MAX_FUNCTION_LINES}
    assert not long


def test_no_module_has_a_name_that_says_nothing() -> None:
    assert not [path for path in SOURCES if path.stem in EMPTY_NAMES]


def test_every_package_says_that_it_is_typed() -> None:
    assert not [package for package in PACKAGES if not (ROOT / package / "py.typed").is_file()]


def test_no_package_lies_under_tests_where_it_could_shadow_ours() -> None:
    assert not list((ROOT / "tests").rglob("__init__.py"))


def _functions(path: Path) -> Iterator[tuple[str, int]]:
    """Yield every function's name and its length in lines."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node.name, (node.end_lineno or node.lineno) - node.lineno + 1
