"""The option ``--set NAME=VALUE``: how it is declared and read."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Annotated, Any

import typer

Settings = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="NAME=VALUE", help="Replace one setting; JSON or a word."),
]


def read_settings(given: Sequence[str]) -> dict[str, Any]:
    """Read ``NAME=VALUE`` pairs; a value that is not JSON is a word."""
    settings: dict[str, Any] = {}
    for setting in given:
        name, equals, value = setting.partition("=")
        if not equals or not name:
            raise typer.BadParameter(f"{setting!r}: expected NAME=VALUE", param_hint="--set")
        if name == "preset":
            raise typer.BadParameter("expected --preset NAME", param_hint="--set preset")
        try:
            settings[name] = json.loads(value)
        except json.JSONDecodeError:
            settings[name] = value
    return settings
