"""The pages are true: their code runs, prints what they show, and their tables match the code."""

from __future__ import annotations

import contextlib
import io
import re
import shlex
import sys
import tomllib
import types
from collections.abc import Iterator
from dataclasses import fields
from itertools import zip_longest
from pathlib import Path
from typing import NamedTuple

import pytest

from benchmarks.cli import run as run_command
from cleanup_icn import PRESETS, CleanupConfig

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
PAGES_WITHOUT_CODE = {"docs/index.md"}
PARTS = ("index", "game", "contracts", "icn", "agents", "compare")
README_EXAMPLE_LINES = 20

FENCE = re.compile(r"^```(?P<language>\w*)\n(?P<body>.*?)^```[ ]*$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\((?!https?://|#)([^)#\s]+)")
COMMAND = re.compile(r"^(?:\$ )?commonweal (.*?)(?: {2,}.*)?$", re.MULTILINE)
CODE_CELL = re.compile(r"`([^`]+)`")


class Example(NamedTuple):
    """A block of Python on a page, and what it says it prints (None: says nothing)."""

    line: int  # of its first line of code on the page, from 1
    code: str
    printed: str | None


def page_name(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


def examples(page: Path) -> list[Example]:
    """Return a page's Python blocks; a ``text`` block directly below one is its output."""
    text = page.read_text(encoding="utf-8")
    blocks = list(FENCE.finditer(text))
    found = []
    for block, after in zip_longest(blocks, blocks[1:]):
        if block["language"] != "python":
            continue
        is_output = (
            after is not None
            and after["language"] == "text"
            and not text[block.end() : after.start()].strip()
        )
        line = text.count("\n", 0, block.start("body")) + 1
        found.append(Example(line, block["body"], after["body"] if is_output and after else None))
    return found


def commands(page: Path) -> list[list[str]]:
    """Return the words after `commonweal` of every command in a page's console blocks."""
    blocks = FENCE.finditer(page.read_text(encoding="utf-8"))
    console = "\n".join(block["body"] for block in blocks if block["language"] == "console")
    return [shlex.split(line) for line in COMMAND.findall(console)]


def run(page: Path, example: Example, namespace: dict[str, object]) -> str:
    """Run a block so that a traceback shows the page and its line; return what it printed."""
    printed = io.StringIO()
    code = compile("\n" * (example.line - 1) + example.code, str(page), "exec")
    with contextlib.redirect_stdout(printed):
        exec(code, namespace)
    return printed.getvalue()


@pytest.fixture
def namespace() -> Iterator[dict[str, object]]:
    """A module of its own for a page: dataclasses look theirs up in `sys.modules`."""
    module = types.ModuleType("page_under_test")
    sys.modules[module.__name__] = module
    yield module.__dict__
    del sys.modules[module.__name__]


@pytest.mark.parametrize("page", PAGES, ids=page_name)
def test_every_block_of_a_page_runs_and_prints_what_the_page_shows(
    page: Path,
    namespace: dict[str, object],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    blocks = examples(page)
    assert bool(blocks) != (page_name(page) in PAGES_WITHOUT_CODE)
    for example in blocks:
        printed = run(page, example, namespace)
        if example.printed is not None:
            assert printed == example.printed, f"{page_name(page)}, line {example.line}"


@pytest.mark.parametrize("page", PAGES, ids=page_name)
def test_every_command_on_a_page_exists_with_its_options(
    page: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for words in commands(page):
        assert run_command([*words, "--help"]) == 0, words
        known = capsys.readouterr().out
        assert not [w for w in words if w.startswith("--") and w not in known], words


def test_every_part_of_the_product_has_its_page() -> None:
    assert {page.stem for page in PAGES} >= set(PARTS)


@pytest.mark.parametrize("page", PAGES, ids=page_name)
def test_every_link_to_a_file_leads_somewhere(page: Path) -> None:
    links = LINK.findall(page.read_text(encoding="utf-8"))
    assert not [link for link in links if not (page.parent / link).exists()]


def test_the_index_lists_every_page() -> None:
    linked = set(LINK.findall((ROOT / "docs" / "index.md").read_text(encoding="utf-8")))
    pages = {page.name for page in (ROOT / "docs").glob("*.md")}
    assert pages - linked == {"index.md"}


def test_the_readme_example_is_short_and_steps_an_environment_under_a_contract() -> None:
    (example,) = examples(ROOT / "README.md")
    assert len(example.code.splitlines()) <= README_EXAMPLE_LINES
    assert "env.step(" in example.code
    assert "ContractWrapper(" in example.code
    assert example.printed is not None
    assert "welfare 157" in example.printed
    assert "transfers" in example.printed


def test_the_readme_lists_every_extra() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    listed = re.findall(r"^\| `\[(\w+)\]`", (ROOT / "README.md").read_text("utf-8"), re.MULTILINE)
    assert listed == list(project["optional-dependencies"])


def test_the_table_of_parameters_is_the_configuration() -> None:
    rows = _rows_under("## Parameters")
    shown = {name: default for name, default, *_ in rows}
    written = {f.name: repr(f.default) for f in fields(CleanupConfig) if f.init}
    assert shown == written


def test_the_table_of_presets_is_what_the_presets_replace() -> None:
    shown = {name: values for name, *values in _rows_under("## Presets")}
    written = {
        preset: [f"{name}={value!r}" for name, value in replaced.items()]
        for preset, replaced in PRESETS.items()
    }
    assert shown == written


def _rows_under(heading: str) -> list[list[str]]:
    """Return the code cells of each row of the first table under a heading of docs/game.md."""
    text = (ROOT / "docs" / "game.md").read_text(encoding="utf-8")
    section = text.split(f"\n{heading}\n", 1)[1].split("\n## ", 1)[0]
    lines = [line for line in section.splitlines() if line.startswith("| `")]
    return [CODE_CELL.findall(line) for line in lines]
