"""The option by which golden files are written anew."""

from __future__ import annotations


def pytest_addoption(parser):
    parser.addoption(
        "--regenerate",
        action="store_true",
        help="write golden files anew; what was rewritten fails once, so that it is reviewed",
    )
