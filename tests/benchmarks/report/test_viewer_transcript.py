"""Reading an episode in a real browser."""

from __future__ import annotations

import pytest

pytest.importorskip("selenium", reason="selenium is not installed")

from report_page import numbers
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys


def test_frames_are_stepped_through_by_keys(page):
    page.open("#episode=4")
    assert page.frame == "Step 0"
    page.press(Keys.ARROW_RIGHT, Keys.ARROW_RIGHT)
    assert page.frame == "Step 2"
    page.press(Keys.ARROW_LEFT)
    assert page.frame == "Step 1"
    page.press("n")
    assert page.frame == "Step 3"  # the first with an answer that could not be read
    page.press(Keys.END)
    assert page.frame == "Step 19"
    assert page.text("#announced").startswith("Step 19. agent_0 harvest")
    page.press(Keys.ARROW_RIGHT)
    assert page.frame == "Step 19"
    page.press(Keys.HOME)
    assert page.frame == "Step 0"
    page.wait(lambda: page.place == "#episode=4")


def test_the_slider_and_the_buttons_step_too(page):
    page.open("#episode=4")
    slider = page.find("input[type=range]")
    slider.send_keys(Keys.ARROW_RIGHT, Keys.ARROW_RIGHT, Keys.ARROW_RIGHT)
    assert page.frame == "Step 3"
    assert slider.get_attribute("aria-valuetext") == "Step 3, frame 3 of 0 to 20"
    page.button("Last frame").click()
    assert page.frame == "Step 19"
    page.button("Previous frame").click()
    assert page.frame == "Step 18"


def test_a_press_in_the_chart_goes_there(page):
    page.open("#episode=4")
    page.run(
        """
        const box = document.querySelector(".chart").getBoundingClientRect();
        const at = { clientX: box.right - 14, clientY: box.top + 50, bubbles: true };
        document.querySelector(".chart").dispatchEvent(new PointerEvent("pointerdown", at));
        """
    )
    assert page.frame == "Step 19"


def test_playing_goes_on_until_the_end_and_stops_there(page):
    page.open("#episode=4&frame=19")
    page.choose("Pace", "500")
    page.press("p")
    page.wait(lambda: page.frame == "Step 19")
    page.wait(lambda: page.find("button.play").text == "▶ Play")
    page.press("p")
    assert page.frame == "Step 0"  # from the end it begins anew
    page.press("p")


def test_a_deep_link_shows_its_frame_with_state_contract_and_events(page):
    page.open("#episode=4&frame=10")
    assert page.frame == "Talks before step 10: vote"
    assert page.texts(".events li") == ["The judge found the proposal valid.", "It was voted for."]
    assert "0.6 for each unit" in page.text(".contract")
    assert page.texts(".ledger dd") == ["\u221218", "+18"]
    assert page.texts(".garden .crowd") == ["agent_0"]
    assert page.texts(".river .crowd") == ["agent_1"]


def test_a_frame_beyond_the_last_is_the_last(page):
    page.open("#episode=4&frame=999")
    assert page.frame == "Step 19"


def test_an_episode_that_is_not_there_is_told(page):
    page.open("#episode=24")
    assert "There is no such episode" in page.text()
    assert "0 to 23" in page.text()


def test_back_leads_to_the_list_as_it_was_and_forward_to_the_frame(page):
    page.open("#view=episodes&policy=ppo%2F0&sort=number&order=desc")
    assert numbers(page) == [21, 17, 13, 9, 5, 1]
    page.find("table.index tbody a").click()
    page.wait(lambda: page.find(".position"))
    page.press(Keys.ARROW_RIGHT, Keys.ARROW_RIGHT, "j")
    page.wait(lambda: page.text("h1") == "Episode 17")
    page.browser.back()
    page.wait(lambda: page.text("h1") == "Episode 21")
    assert page.frame == "Step 2"
    page.browser.back()
    page.wait(lambda: page.find("table.index"))
    assert numbers(page) == [21, 17, 13, 9, 5, 1]
    page.browser.forward()
    page.wait(lambda: page.text("h1") == "Episode 21")
    assert page.frame == "Step 2"


def test_a_transcript_that_comes_too_late_does_not_take_the_place_of_what_is_read(page):
    page.open()
    page.browser.execute_async_script(
        """
        const done = arguments[0];
        addEventListener("hashchange", async () => {
          location.hash = "#view=episodes";
          await commonweal.data.transcript(20, 4);
          await commonweal.data.transcript(20, 4);
          setTimeout(done, 50);
        }, { once: true });
        location.hash = "#episode=20";
        """
    )
    assert page.text("h1") == "Episodes"


def test_the_link_that_is_copied_leads_to_the_frame_alone(page):
    page.open("#episode=4&policy=stub-llm")
    page.press(Keys.ARROW_RIGHT)
    page.run("navigator.clipboard.writeText = (text) => { window.copied = text; }")
    page.button("Copy link").click()
    page.wait(lambda: page.run("return window.copied"))
    assert page.run("return window.copied") == f"{page.address}#episode=4&frame=1"


def test_without_a_clipboard_the_link_is_shown_to_be_copied_by_hand(page):
    page.open("#episode=4&frame=1")
    page.run("navigator.clipboard.writeText = () => Promise.reject(new Error('refused'))")
    page.button("Copy link").click()
    field = page.wait(lambda: page.find("input.link"))
    assert field.get_attribute("value") == f"{page.address}#episode=4&frame=1"


def test_scratchpads_are_hidden_until_the_switch_shows_them(page):
    page.open("#episode=4&frame=2")
    secret = "Nobody knows that agent_0 is greedy."
    assert secret not in page.run("return document.body.textContent")
    page.press("s")
    assert secret in page.text(".acts")
    page.press(Keys.ARROW_RIGHT)
    assert secret in page.text(".acts")
    page.press("s")
    assert secret not in page.run("return document.body.textContent")


def test_answers_as_written_are_hidden_with_the_scratchpad_they_hold(page):
    page.open("#episode=4&frame=3")
    js = "return document.querySelectorAll('.raw').length"
    assert page.run(js) == 0
    page.press("s")
    assert page.run(js) == 3  # one of the first agent, two of the second
    page.press("s")


def test_parse_status_repairs_and_tokens_are_told(page):
    page.open("#episode=4&frame=3")
    card = page.all("article.act")[1]
    assert "unknown action" in card.text
    fold = card.find_elements(By.TAG_NAME, "summary")[-1]
    assert fold.text == "2 model calls, asked again once · 240 + 24 tokens · 0.84 s"
    fold.click()
    assert "2, repair" in card.text
    page.press(Keys.ARROW_RIGHT)
    assert page.find("details table.calls").is_displayed()  # stays open from frame to frame
    page.all("article.act summary")[1].click()
    page.press(Keys.ARROW_RIGHT)
    assert not page.find("details table.calls").is_displayed()  # and so does what is closed


def test_a_negotiation_shows_its_deal_and_who_would_agree(page):
    page.open("#episode=3&frame=4")
    deal = page.text(".acts .did").removeprefix("proposes ")
    assert page.texts(".option.chosen .option-name bdi") == deal.split(",")
    scores = [int(text) for text in page.texts(".parties tbody td:nth-child(2)")]
    thresholds = [int(text) for text in page.texts(".parties tbody td:nth-child(3)")]
    verdicts = ["yes" in text for text in page.texts(".parties tbody td:nth-child(4)")]
    assert verdicts == [s >= t for s, t in zip(scores, thresholds, strict=True)]
    assert page.text(".state figcaption").endswith("turn 4, Other Cities")
    page.choose("Points of", "Mayor")
    assert sum(int(text) for text in page.texts(".option.chosen .points")) == scores[-1]
    assert page.texts(".rights") == ["proposes", "veto"]


def test_all_frames_can_be_read_below_one_another(page):
    page.open("#episode=4&frame=2")
    page.press("a")
    assert len(page.all(".whole > li")) == 21
    assert page.find(".whole [aria-current] h2").text.endswith("Step 2")
    page.press(Keys.ARROW_RIGHT)
    assert page.find(".whole [aria-current] h2").text.endswith("Step 3")
    page.wait(lambda: "all=1" in page.place)
