"""The viewer's files, as they lie in the package."""

from __future__ import annotations

import re
from importlib import resources

import pytest

from benchmarks.report.site_files import copy_site

SITE = resources.files("benchmarks.report") / "site"
SCRIPTS = sorted((SITE / "scripts").iterdir(), key=lambda file: file.name)
STYLES = sorted((SITE / "styles").iterdir(), key=lambda file: file.name)
_TEXT_AS_CODE = re.compile(
    r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|DOMParser|createContextualFragment"
    r"|\beval\b|\bFunction\(|setTimeout\(\s*[\"'`]|srcdoc|javascript:|setHTML"
)
_NETWORK = re.compile(
    r"\bfetch\(|XMLHttpRequest|WebSocket|sendBeacon|import\(|https?://(?!www\.w3\.org)"
)


def _name(file):
    return file.name


@pytest.mark.parametrize("file", SCRIPTS, ids=_name)
def test_no_script_makes_code_or_markup_of_text(file):
    assert not _TEXT_AS_CODE.search(file.read_text(encoding="utf-8"))


@pytest.mark.parametrize("file", [*SCRIPTS, *STYLES, SITE / "index.html"], ids=_name)
def test_nothing_is_asked_of_a_network(file):
    text = file.read_text(encoding="utf-8")
    assert not _NETWORK.search(text)
    assert "@import" not in text


@pytest.mark.parametrize("file", [*SCRIPTS, *STYLES], ids=_name)
def test_a_file_of_the_site_can_be_read_in_one_sitting(file):
    assert len(file.read_text(encoding="utf-8").splitlines()) <= 400


def test_the_page_loads_every_script_and_style_and_no_other():
    page = (SITE / "index.html").read_text(encoding="utf-8")
    named = set(re.findall(r'(?:src|href)="((?:scripts|styles)/[^"]+)"', page))
    assert named == {
        *(f"scripts/{file.name}" for file in SCRIPTS),
        *(f"styles/{file.name}" for file in STYLES),
    }


def test_the_page_holds_no_script_or_style_of_its_own():
    page = (SITE / "index.html").read_text(encoding="utf-8")
    assert not re.search(r"<style|\sstyle=|\son[a-z]+=|<script>|<script(?![^>]*src=)", page)
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', page)
    assert policy is not None
    assert "default-src 'none'" in policy[1]
    assert "unsafe" not in policy[1]


def test_copying_the_site_leaves_what_else_lies_in_the_folder(tmp_path):
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "run.js").write_text("kept", encoding="utf-8")
    (tmp_path / "index.html").write_text("old", encoding="utf-8")
    copy_site(tmp_path)
    copied = {file.relative_to(tmp_path).as_posix() for file in tmp_path.rglob("*.*")}
    assert copied >= {"index.html", "favicon.svg", "data/run.js", "scripts/main.js"}
    assert (tmp_path / "data" / "run.js").read_text(encoding="utf-8") == "kept"
    assert (tmp_path / "index.html").read_text(encoding="utf-8") == (SITE / "index.html").read_text(
        encoding="utf-8"
    )
