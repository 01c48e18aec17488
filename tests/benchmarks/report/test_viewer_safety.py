"""What agents wrote is only ever shown; what is missing is told. In a real browser."""

from __future__ import annotations

import pytest

pytest.importorskip("selenium", reason="selenium is not installed")

from hand_made_report import HOSTILE
from hand_made_transcripts import HOSTILE_TEXTS, HUGE
from report_page import Page


@pytest.mark.parametrize("frame", [0, 1, 2])
def test_a_hostile_transcript_does_nothing_and_is_shown_as_it_is(page, frame):
    page.open(f"#episode={HOSTILE}&frame={frame}")
    page.press("s")
    page.run("document.querySelectorAll('details').forEach((one) => (one.open = true))")
    page.run(
        "document.querySelectorAll('svg').forEach((one) => one.dispatchEvent(new Event('load')))"
    )
    shown = page.run("return document.querySelector('main').textContent")
    for text in (*HOSTILE_TEXTS[:5], HOSTILE_TEXTS[9]):
        assert text in shown
    for written in (
        "abc[U+202E]def[U+2066]",
        "nul [NUL]",
        "[ESC][31m",
        "[U+009B]1m",
        "[U+D800]",
        "line[U+2028]",
    ):
        assert written in shown
    assert not page.all("main img, main iframe, main script, main a[href^=javascript]")
    assert page.run("return window.pwned") is None
    assert page.errors == []
    page.press("s")


@pytest.mark.parametrize("frame", [1, 2])
def test_a_huge_word_stays_in_its_box(page, frame):
    page.open(f"#episode={HOSTILE}&frame={frame}")
    too_wide = "return document.documentElement.scrollWidth - document.documentElement.clientWidth"
    assert page.run(too_wide) == 0
    assert page.run("return document.documentElement.scrollHeight") < 20_000
    if frame == 1:
        page.button("Show all 200,000 characters").click()
        assert HUGE in page.texts(".said")
        assert page.run("return document.activeElement.className") == "prose said"
    assert page.run(too_wide) == 0


def test_nothing_but_data_files_can_become_a_script(page):
    page.open()
    refused = page.run(
        """
        const tried = [
          () => { document.body.innerHTML = "<p>"; },
          () => { document.createElement("script").src = "data/run.js"; },
          () => trustedTypes.createPolicy("another", {}),
          () => { const asked = commonweal.data.load("../elsewhere"); },
        ];
        return tried.map((one) => { try { one(); return null; } catch (e) { return e.name; } });
        """
    )
    assert refused == ["TypeError"] * 4


def test_a_pack_that_is_missing_is_told_and_the_rest_still_works(large_page):
    page = large_page.open("#episode=9999")
    assert "data/transcripts/02499.js did not load" in page.text("[role=alert]")
    page.find("nav a[data-view=episodes]").click()
    page.wait(lambda: page.find("table.index"))


def test_a_browser_that_cannot_unpack_is_told_what_is_wanted(page):
    page.open("#view=episodes")
    page.run("delete window.DecompressionStream; location.hash = '#episode=0'")
    page.wait(lambda: page.find("[role=alert]"))
    assert "cannot unpack" in page.text("[role=alert]")
    assert "Firefox 113" in page.text("[role=alert]")


def test_a_folder_without_data_says_so(browser, tmp_path):
    from benchmarks.report.site_files import copy_site

    copy_site(tmp_path)
    page = Page(browser, (tmp_path / "index.html").as_uri()).open()
    assert "data/run.js did not load" in page.text("[role=alert]")
    assert "commonweal report" in page.text("[role=alert]")
