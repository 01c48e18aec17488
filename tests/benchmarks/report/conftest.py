"""A report made by hand, and a browser to read it in."""

from __future__ import annotations

import functools
import http.server
import shutil
import sys
import threading
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))  # for `hand_made_report` and others

CHROMIUM, DRIVER = shutil.which("chromium"), shutil.which("chromedriver")
FLAGS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--window-size=1280,900",
)


@pytest.fixture(scope="session")
def report_folder(tmp_path_factory):
    """A report of 24 episodes of two games; number 5 holds a transcript that means harm."""
    from hand_made_report import write_report

    return write_report(tmp_path_factory.mktemp("report"))


@pytest.fixture(scope="session")
def large_report_folder(tmp_path_factory):
    """A report of 10,000 episodes; transcripts of the first pack only."""
    from hand_made_report import write_report

    return write_report(tmp_path_factory.mktemp("large"), num_episodes=10_000, num_packs=1)


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    """A browser for the tests of a module; they are skipped where there is none."""
    webdriver = pytest.importorskip("selenium.webdriver", reason="selenium is not installed")
    if CHROMIUM is None or DRIVER is None:
        pytest.skip("Chromium or its driver is not installed")
    from selenium.webdriver.chrome.service import Service

    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    for flag in (*FLAGS, f"--user-data-dir={tmp_path_factory.mktemp('profile')}"):
        options.add_argument(flag)
    driver = webdriver.Chrome(options=options, service=Service(DRIVER))
    yield driver
    driver.quit()


@pytest.fixture(scope="session")
def served(report_folder):
    """The address of the report on a web server of this machine."""

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_args):
            pass

    handler = functools.partial(Quiet, directory=str(report_folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/index.html"
        server.shutdown()
        thread.join()


@pytest.fixture
def page(browser, report_folder):
    """The report, opened from disk."""
    from report_page import Page

    return Page(browser, (report_folder / "index.html").as_uri())


@pytest.fixture
def large_page(browser, large_report_folder):
    """The large report, opened from disk."""
    from report_page import Page

    return Page(browser, (large_report_folder / "index.html").as_uri())
