"""For every eye, hand and screen: names, contrast, width, print. In a real browser."""

from __future__ import annotations

import base64

import pytest

pytest.importorskip("selenium", reason="selenium is not installed")

from selenium.webdriver.common.keys import Keys


def test_the_theme_follows_the_chooser_and_is_remembered(page):
    page.open()
    ground = "return getComputedStyle(document.body).backgroundColor"
    page.choose("Theme", "light")
    light = page.run(ground)
    page.choose("Theme", "dark")
    assert page.run(ground) != light
    dark = page.run(ground)
    page.open("#view=episodes")
    assert page.run(ground) == dark
    page.choose("Theme", "system")
    assert page.run(ground) == light


_TOO_FAINT = """
const canvas = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
const rgb = (colour) => {
  canvas.clearRect(0, 0, 1, 1);
  canvas.fillStyle = colour;
  canvas.fillRect(0, 0, 1, 1);
  return [...canvas.getImageData(0, 0, 1, 1).data];
};
const light = (c) => c.slice(0, 3)
  .map((v) => (v / 255 <= 0.04045 ? v / 255 / 12.92 : ((v / 255 + 0.055) / 1.055) ** 2.4))
  .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
const ground = (one) => {
  for (let at = one; at; at = at.parentElement) {
    const colour = rgb(getComputedStyle(at).backgroundColor);
    if (colour[3] === 255) return colour;
  }
  return [255, 255, 255, 255];
};
const faint = new Set();
for (const one of document.querySelectorAll("main *, header *")) {
  const text = [...one.childNodes].some((n) => n.nodeType === 3 && n.data.trim());
  const isOff = one.matches(":disabled, [aria-disabled=true], .mark.idle");
  if (!text || isOff || one.closest("svg") || !one.checkVisibility()) continue;
  const [a, b] = [light(rgb(getComputedStyle(one).color)), light(ground(one))];
  const contrast = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
  if (contrast < 4.5) faint.add(`${one.className || one.tagName} ${contrast.toFixed(2)}`);
}
return [...faint];
"""


@pytest.mark.parametrize(
    "place", ["", "#view=episodes", "#episode=4&frame=10", "#episode=3&frame=1"]
)
def test_text_stands_out_from_its_ground_in_both_themes(page, place):
    page.open(place)
    for theme in ("light", "dark"):
        page.choose("Theme", theme)
        assert (theme, page.run(_TOO_FAINT)) == (theme, [])
    page.choose("Theme", "system")


_UNNAMED = """
const named = (one) => (one.getAttribute("aria-label") || one.textContent || "").trim()
  || [...(one.labels || [])].some((label) => label.textContent.trim());
const shown = (one) => one.checkVisibility();
const controls = [...document.querySelectorAll("button, input, select, a, summary")].filter(shown);
return [
  ...controls.filter((one) => !named(one)),
  ...[...document.querySelectorAll("img")].filter((one) => !one.alt),
  ...[...document.querySelectorAll("table")].filter((one) => !one.caption?.textContent.trim()),
  ...[...document.querySelectorAll("th")].filter((one) => !one.scope),
  ...[...document.querySelectorAll("[role=img], [role=region], [role=group], dialog")]
    .filter((one) => !one.getAttribute("aria-label")),
].map((one) => one.outerHTML.slice(0, 200));
"""


@pytest.mark.parametrize(
    "place", ["", "#view=episodes", "#episode=4&frame=3", "#episode=3&frame=1"]
)
def test_every_control_picture_and_table_has_a_name(page, place):
    page.open(place)
    page.run("document.querySelectorAll('details').forEach((one) => (one.open = true))")
    assert page.run(_UNNAMED) == []


def test_the_help_opens_by_key_and_by_button_and_closes(page):
    page.open("#episode=4")
    page.press("?")
    assert "next frame with an event" in page.text("dialog")
    page.press(Keys.ESCAPE)
    assert not page.find("dialog").is_displayed()
    page.button("Keys").click()
    page.button("Close").click()
    assert not page.find("dialog").is_displayed()


@pytest.mark.parametrize(
    "place", ["", "#view=episodes", "#episode=4&frame=3", "#episode=3&frame=1"]
)
def test_a_phone_shows_every_view_without_scrolling_sideways(page, place):
    size = {"width": 375, "height": 800, "deviceScaleFactor": 1, "mobile": True}
    page.browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    try:
        page.open(place)
        assert page.run("return document.documentElement.scrollWidth") == 375
    finally:
        page.browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


def test_printing_an_open_transcript_prints_all_of_it_and_then_leaves_no_trace(page):
    page.open("#episode=4&frame=2")
    page.run(
        "addEventListener('beforeprint', () => setTimeout(() => 0));"
        "addEventListener('beforeprint', () => {"
        " window.printed = document.querySelectorAll('.whole > li').length; })"
    )
    printed = page.browser.execute_cdp_cmd("Page.printToPDF", {})
    assert base64.b64decode(printed["data"]).startswith(b"%PDF")
    assert page.run("return window.printed") == 21
    assert not page.all(".whole")
