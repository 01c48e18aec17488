"""The report in a browser, as a test has it before its eyes."""

from __future__ import annotations

from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait


class Page:
    """The report as a reader has it before their eyes."""

    def __init__(self, browser, address):
        self.browser, self.address = browser, address

    def open(self, place=""):
        self.browser.get("about:blank")
        self.browser.get_log("browser")
        self.browser.get(self.address + place)
        self.wait(lambda: self.find("main h1"))
        return self

    def wait(self, until):
        return WebDriverWait(self.browser, 10, poll_frequency=0.05).until(lambda _browser: until())

    def find(self, css):
        found = self.all(css)
        return found[0] if found else None

    def all(self, css):
        return self.browser.find_elements(By.CSS_SELECTOR, css)

    def text(self, css="main"):
        return self.run("return document.querySelector(arguments[0]).innerText", css)

    def texts(self, css):
        js = "return [...document.querySelectorAll(arguments[0])].map((one) => one.textContent)"
        return self.run(js, css)

    def run(self, script, *arguments):
        return self.browser.execute_script(script, *arguments)

    def press(self, *keys):
        for key in keys:
            self.browser.switch_to.active_element.send_keys(key)

    def button(self, name):
        return next(one for one in self.all("button") if name in (one.text, one.accessible_name))

    def choose(self, label, value):
        js = """
        const select = [...document.querySelectorAll("label")]
          .find((one) => one.textContent.startsWith(arguments[0])).querySelector("select");
        select.value = arguments[1];
        select.dispatchEvent(new Event("change"));
        """
        self.run(js, label, value)

    @property
    def place(self):
        return self.run("return location.hash")

    @property
    def frame(self):
        return self.text(".position b")

    @property
    def errors(self):
        return [entry["message"] for entry in self.browser.get_log("browser")]


def numbers(page):
    """Return the numbers of the episodes in the table."""
    return [int(text) for text in page.texts("table.index tbody th")]
