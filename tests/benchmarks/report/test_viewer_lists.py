"""The overview and the table of episodes in a real browser.

With ``-s`` it is printed how long a large report takes to open.
"""

from __future__ import annotations

import sys

import pytest

pytest.importorskip("selenium", reason="selenium is not installed")

from report_page import Page, numbers
from selenium.webdriver.common.by import By


def test_the_overview_says_what_was_run_and_what_came_of_it(page):
    page.open()
    text = page.text()
    for told in ("Hand-made comparison", "2026-01-02 03:04 UTC", "complete", "12.5 [8.0, 17.1]"):
        assert told in text
    assert page.texts("h2")[1:] == ["Cleanup with a changing threshold", "Six parties, five issues"]
    assert page.find("details summary").text.startswith("How it was made")
    assert not page.find("pre.command").is_displayed()


def test_a_summary_sorts_by_a_measure_both_ways_and_back(page):
    page.open()

    def shown():
        return page.run(
            "return [...document.querySelectorAll('table.summary tbody tr')].slice(0, 6)"
            ".map((row) => parseFloat(row.querySelectorAll('td')[1].textContent))"
        )

    as_given = shown()
    for wanted in (sorted(as_given, reverse=True), sorted(as_given), as_given):
        page.find("table.summary button[data-key=welfare]").click()
        assert shown() == wanted
    assert as_given not in (sorted(as_given), sorted(as_given, reverse=True))


def test_a_policy_in_the_summary_leads_to_its_episodes_all_training_seeds_together(page):
    page.open()
    groups = page.all("table.summary tbody")
    group = next(one for one in groups if one.text.startswith("ppo"))
    page.run("arguments[0].click()", group.find_element(By.LINK_TEXT, "ppo"))
    page.wait(lambda: page.find("table.index"))
    assert numbers(page) == [number for number in range(24) if number % 4 in (1, 2)]
    page.browser.back()
    page.wait(lambda: page.find("table.summary"))


def test_a_condition_in_the_summary_leads_to_the_episodes_of_its_cell(page):
    page.open()
    groups = page.all("table.summary tbody")
    group = next(one for one in groups if one.text.startswith("ppo"))
    page.run("arguments[0].click()", group.find_element(By.LINK_TEXT, "wage"))
    page.wait(lambda: page.find("table.index"))
    assert numbers(page) == [number for number in range(24) if number % 4 == 1]


def test_filters_narrow_the_table_and_stay_in_the_address(page):
    page.open("#view=episodes")
    assert numbers(page) == list(range(24))
    page.choose("Policy", "ppo/0")
    page.choose("Status", "malformed")
    assert numbers(page) == [5]
    page.wait(lambda: "status=malformed" in page.place)
    page.open(page.place)
    assert numbers(page) == [5]
    page.button("Clear").click()
    assert numbers(page) == list(range(24))


def test_a_measure_called_like_a_column_of_all_does_not_take_its_place(page):
    page.open("#view=episodes&status=malformed&sort=malformed&order=desc")
    heads = page.texts("table.index thead th")
    assert [head for head in heads if head.startswith("Malformed")] == ["Malformed↓"]
    position = heads.index("Malformed↓") + 1
    assert set(page.texts(f"table.index tbody tr > :nth-child({position})")) == {"2"}


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("2", [2, 20, 21, 22, 23]),
        (str(1_000_000 + 7919 * 13), [13]),
        ("talks 1", [3, 7, 11, 15, 19, 23]),
        ("nothing", []),
    ],
)
def test_the_search_finds_numbers_seeds_and_names(page, typed, found):
    page.open("#view=episodes")
    page.find("input[type=search]").send_keys(typed)
    page.wait(lambda: page.text(".count") != "24 episodes")
    assert numbers(page) == found


def test_a_sorted_table_is_turned_page_by_page(large_page):
    page = large_page.open("#view=episodes")
    page.find("button[data-key=welfare]").click()
    position = page.texts("table.index thead th").index("welfare↓") + 1
    column = f"table.index tbody tr > :nth-child({position})"
    first = [float(text) for text in page.texts(column)]
    page.button("Next").click()
    second = [float(text) for text in page.texts(column)]
    assert len(first) == len(second) == 100
    assert first + second == sorted(first + second, reverse=True)
    page.button("Last").click()
    assert set(page.texts(column)) == {"\u2013"}  # episodes without the measure come last
    page.find("button[data-key=welfare]").click()
    assert float(page.texts(column)[0]) == 0.0


def test_ten_thousand_episodes_open_and_are_filtered(large_page):
    page = large_page.open("#view=episodes")
    page.wait(lambda: page.find("table.index"))
    assert page.text(".count") == "10,000 episodes"
    opened_ms = page.run("return performance.now()")
    filtered_ms = page.run(
        """
        const select = document.querySelectorAll(".filters select")[1];
        const begun = performance.now();
        select.value = "ppo/1";
        select.dispatchEvent(new Event("change"));
        document.body.offsetHeight;
        return performance.now() - begun;
        """
    )
    assert page.text(".count") == "2,500 of 10,000 episodes"
    loaded_ms = page.run("return performance.getEntriesByType('navigation')[0].loadEventEnd")
    sys.stdout.write(
        f"\n10,000 episodes: load event {loaded_ms:.0f} ms, table seen by {opened_ms:.0f} ms, "
        f"a filter {filtered_ms:.0f} ms\n"
    )
    assert page.errors == []


@pytest.mark.parametrize("place", ["", "#view=episodes", "#episode=4&frame=3", "#episode=3"])
def test_every_view_opens_from_disk_without_a_complaint(page, place):
    page.open(place)
    page.wait(lambda: page.find("main table, main .chart"))
    assert page.errors == []


def test_the_report_is_the_same_on_a_web_server(browser, served):
    page = Page(browser, served).open("#episode=4&frame=3")
    assert page.frame == "Step 3"
    page.run("location.hash = '#view=overview'")
    page.wait(lambda: page.all("img"))
    page.run("document.querySelectorAll('img').forEach((one) => (one.loading = 'eager'))")
    page.wait(lambda: page.run("return [...document.images].every((one) => one.naturalWidth > 0)"))
    assert page.errors == []
