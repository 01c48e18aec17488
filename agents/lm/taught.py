"""What a teaching leaves beside its model, `teaching.json`, and reading it again."""

from __future__ import annotations

import json
import platform
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

TEACHING_FILE = "teaching.json"


@dataclass(frozen=True, kw_only=True)
class Taught:
    """What was taught, how, and what came of it.

    `curve` has a point for every ten steps and for the last: the step, and the mean loss (nats a
    token of the answers) since the point before.
    """

    folder: Path
    student: dict[str, Any]  # `StudentSettings.to_dict`
    teaching: dict[str, Any]  # `TeachingSettings.to_dict`
    about: dict[str, Any]  # what the caller had to say, as JSON values
    data_digest: str  # SHA-256 of the pairs in their order
    curve: tuple[tuple[int, float], ...]
    held_out_exact: float | None  # share of held-out answers reproduced exactly; None without any
    num_held_out: int  # pairs of which that is the share
    num_pairs: int  # taught from
    num_too_long: int  # left out, both kinds, as they are longer than the context
    precision: str  # what the forward pass was computed in
    seconds: float  # of the teaching, pauses between runs apart
    parameters: int  # of the model
    versions: dict[str, str]


def describe(folder: str | Path) -> Taught:
    """Read `teaching.json` of a taught model's folder.

    Raises:
        ValueError: there is none, or it is not one; names the file and the key.
    """
    path = Path(folder) / TEACHING_FILE
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ValueError(f"{path}: expected a file that a teaching left: {error}") from None
    except ValueError as error:
        raise ValueError(f"{path}: expected JSON: {error}") from None
    if not isinstance(values, dict):
        raise ValueError(f"{path}: expected a JSON object")
    for key, (is_allowed, expected) in _KEYS.items():
        if key not in values:
            raise ValueError(f"{path}: {key}: expected {expected}, and it is missing")
        if not is_allowed(values[key]):
            raise ValueError(f"{path}: {key} = {values[key]!r}: expected {expected}")
    curve = tuple((step, float(loss)) for step, loss in values["curve"])
    known = {key: values[key] for key in _KEYS}
    return Taught(folder=Path(folder), **{**known, "curve": curve})


def write(taught: Taught) -> None:
    """Write `teaching.json` into the folder."""
    values = {key: getattr(taught, key) for key in _KEYS}
    text = json.dumps(values, indent=2) + "\n"
    (taught.folder / TEACHING_FILE).write_text(text, encoding="utf-8")


def versions() -> dict[str, str]:
    """Return the versions of Python and of the packages that matter to what is taught."""
    found = {"python": platform.python_version()}
    for package in ("accelerate", "commonweal", "peft", "tokenizers", "torch", "transformers"):
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue  # only LoRA needs peft; run from a source folder, the project has no version
    return found


def differences(expected: Mapping[str, Any], found: Mapping[str, Any]) -> list[str]:
    """Return a line for each value of `expected`, within tables too, that `found` has otherwise."""
    lines = []
    for key, value in expected.items():
        other = found.get(key)
        if isinstance(value, Mapping) and isinstance(other, Mapping):
            lines += [f"{key}.{line}" for line in differences(value, other)]
        elif value != other:
            lines.append(f"{key} = {value!r}: expected {other!r}")
    return lines


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_share(value: Any) -> bool:
    return value is None or (_is_number(value) and 0 <= value <= 1)


def _is_curve(value: Any) -> bool:
    return isinstance(value, list) and all(
        isinstance(point, list) and len(point) == 2 and _is_count(point[0]) and _is_number(point[1])
        for point in value
    )


_TABLE = (lambda value: isinstance(value, dict), "an object")
_TEXT = (lambda value: isinstance(value, str), "a string")
_COUNT = (_is_count, "an integer of at least 0")

_KEYS: dict[str, tuple[Callable[[Any], bool], str]] = {
    "student": _TABLE,
    "teaching": _TABLE,
    "about": _TABLE,
    "data_digest": _TEXT,
    "num_pairs": _COUNT,
    "num_held_out": _COUNT,
    "num_too_long": _COUNT,
    "held_out_exact": (_is_share, "a number from 0 to 1, or null"),
    "precision": _TEXT,
    "seconds": (_is_number, "a number"),
    "parameters": _COUNT,
    "versions": _TABLE,
    "curve": (_is_curve, "a list of pairs of step and loss"),
}
