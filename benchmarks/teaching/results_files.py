"""What was measured of taught students: read from files as commands write them, and kept.

A folder of results holds, each as its command wrote it:

```
evaluation.STUDENT.KIND.json   stdout of `commonweal evaluate-lm DIR --kind KIND --json`
reading.STUDENT.json           of `commonweal reading-table DIR --out FILE`
teaching.STUDENT.json          a copy of DIR/teaching.json
reinforcement.json             a copy of what `commonweal reinforce-lm` wrote
compare.NAME.json              stdout of `commonweal compare ... --json`
compare.NAME.db                a copy of that run's run.db: what models did for it
transcript/run.db              a run with the episode that is shown
```

What is kept of it is one tree of names: ``evaluation``, student, kind, field and so on.
"""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks.database import FILE, LOCK
from benchmarks.page_marks import rounded
from benchmarks.store import RunFolder, RunReader, open_run
from cleanup_icn import ConfigError

Results = Mapping[str, Any]

TRANSCRIPT = "transcript"
"""Folder of the run with the episode that is shown."""

_CHOSEN_BEFORE = ("student", "teaching", "plan", "settings")  # settings stay as they were given
_OF_TEACHING = (
    "num_pairs",
    "num_held_out",
    "held_out_exact",
    "seconds",
    "parameters",
    "precision",
    "student",
    "teaching",
    "versions",
)
_OF_REINFORCEMENT = ("plan", "settings", "before", "after", "curve", "seconds")
_SUMMED = (
    "seconds",
    "requests",
    "prompt_tokens",
    "completion_tokens",
    "cached_tokens",
    "decisions",
    "malformed",
    "repaired",
)


def gathered(folder: Path) -> dict[str, Any]:
    """Return what the files of a folder say, in the form in which a page keeps it.

    Numbers that were measured are rounded to four decimals. Nothing that names a folder of a
    machine is kept.

    Raises:
        ConfigError: there is no such folder, no result in it, or a file is not what it should be.
    """
    if not folder.is_dir():
        raise ConfigError("results", str(folder), "a folder of results")
    found: dict[str, Any] = {}
    paths = sorted(folder.iterdir(), key=lambda path: path.name.split("."))
    for pattern, read in _READERS.items():
        for path in paths:
            named = re.fullmatch(pattern, path.name)
            if named is not None:
                _put(found, read(path, *named.groups()))
    if not found:
        raise ConfigError("results", str(folder), "files such as evaluation.cleanup.taught.json")
    return found


def _put(tree: dict[str, Any], branch: Mapping[str, Any]) -> None:
    """Add a branch to a tree of names."""
    for name, value in branch.items():
        if isinstance(value, dict) and isinstance(tree.get(name), dict):
            _put(tree[name], value)
        else:
            tree[name] = value


def _evaluation(path: Path, student: str, kind: str) -> dict[str, Any]:
    told = _read(path, {"efficiency", "valid", "n", "kind", "lessons", "policies"})
    if told["kind"] != kind:
        raise ConfigError(path.name, told["kind"], f"an evaluation of the kind {kind}")
    return {"evaluation": {student: {kind: rounded(told)}}}


def _reading(path: Path, student: str) -> dict[str, Any]:
    rows = _read_list(path, {"name", "kind", "valid", "agreement", "teacher", "policies"})
    return {"reading": {student: {row["name"]: rounded(row) for row in rows}}}


def _teaching(path: Path, student: str) -> dict[str, Any]:
    told = _read(path, {"seconds", "parameters", "num_pairs", "teaching"})
    return {"teaching": {student: _without_rounding_settings(told, _OF_TEACHING)}}


def _reinforcement(path: Path) -> dict[str, Any]:
    told = _read(path, {"before", "after", "curve", "plan"})
    return {"reinforcement": _without_rounding_settings(told, _OF_REINFORCEMENT)}


def _compare(path: Path, name: str) -> dict[str, Any]:
    by_arena: dict[str, dict[str, dict[str, Any]]] = {}
    for row in _read_list(path, {"arena", "policy", "contract", "n"}):
        policies = by_arena.setdefault(row["arena"], {})
        policies.setdefault(row["policy"], {})[row["contract"]] = rounded(row)
    return {"compare": {name: by_arena}}


def _serving(path: Path, name: str) -> dict[str, Any]:
    with TemporaryDirectory(prefix="commonweal-") as run:
        shutil.copyfile(path, Path(run) / FILE)
        with open_run(Path(run)) as reader:
            told = _served(reader)
    if told is None:
        raise ConfigError(path.name, "a run without models", "a run in which a model was asked")
    return {"serving": {name: rounded(told)}}


_READERS: Mapping[str, Callable[..., dict[str, Any]]] = {
    r"evaluation\.([^.]+)\.([^.]+)\.json": _evaluation,
    r"reading\.([^.]+)\.json": _reading,
    r"teaching\.([^.]+)\.json": _teaching,
    r"reinforcement\.json": _reinforcement,
    r"compare\.([^.]+)\.json": _compare,
    r"compare\.([^.]+)\.db": _serving,
}
"""What reads a file, by the form of its name."""


def _served(reader: RunReader) -> dict[str, Any] | None:
    """Return what models did for a run, all of its parts together; None where there were none."""
    about = reader.about
    parts = [part["serving"] for part in (*about["earlier"], about) if part.get("serving")]
    if not parts:
        return None
    told: dict[str, Any] = {name: sum(part[name] for part in parts) for name in _SUMMED}
    seconds = max(told["seconds"], 1e-9)
    episodes = sum(1 for row in reader.rows() if row.calls)
    prompts = told["prompt_tokens"]
    return {
        **told,
        "episodes": episodes,
        "tokens_per_s": (prompts + told["completion_tokens"]) / seconds,
        "completion_tokens_per_s": told["completion_tokens"] / seconds,
        "requests_per_s": told["requests"] / seconds,
        "episodes_per_s": episodes / seconds,
        "cached_share": _cached_share(told, parts),
        "malformed_share": told["malformed"] / told["decisions"] if told["decisions"] else None,
    }


def _cached_share(told: Results, parts: Iterable[Results]) -> float | None:
    """Return which share of prompts servers had ready; None where they do not tell.

    Answers say how many tokens were cached where a server is so set; else its own counts do.
    """
    if told["cached_tokens"] and told["prompt_tokens"]:
        return float(told["cached_tokens"] / told["prompt_tokens"])
    rates = [part["prefix_cache_hit_rate"] for part in parts]
    return rates[-1] if rates and None not in rates else None


def keep_run(run: Path, to: Path) -> None:
    """Keep the episodes of a run in another folder, new or empty, without naming any other.

    How it was called is left out, and of a path that begins at a root only the last name stays.

    Raises:
        ConfigError: there is no run.
    """
    with open_run(run) as reader:
        suite = _told_shortly(reader.about["suite"])
        with RunFolder(to, suite, reader.cells()) as folder:
            for kept in reader.episodes():
                folder.keep_episode(kept)
            folder.write_run({"command": []}, is_complete=reader.is_complete)
    (to / LOCK).unlink(missing_ok=True)


def _told_shortly(value: Any) -> Any:
    """Return JSON values with the last name alone of every path that begins at a root."""
    if isinstance(value, str):
        return Path(value).name if Path(value).is_absolute() else value
    if isinstance(value, Mapping):
        return {name: _told_shortly(inner) for name, inner in value.items()}
    return [_told_shortly(inner) for inner in value] if isinstance(value, list) else value


def _without_rounding_settings(told: Results, names: Iterable[str]) -> dict[str, Any]:
    """Return what is kept of these, settings as they were given."""
    return {
        name: told[name] if name in _CHOSEN_BEFORE else rounded(told[name])
        for name in names
        if name in told
    }


def _read(path: Path, needed: set[str]) -> dict[str, Any]:
    told = _json(path)
    missing = sorted(needed - set(told)) if isinstance(told, dict) else sorted(needed)
    if missing:
        raise ConfigError(path.name, "JSON without " + ", ".join(missing), "an object with them")
    return dict(told)


def _read_list(path: Path, needed: set[str]) -> list[dict[str, Any]]:
    told = _json(path)
    is_rows = isinstance(told, list) and all(
        isinstance(row, dict) and needed <= set(row) for row in told
    )
    if not is_rows or not told:
        allowed = "a list of objects with " + ", ".join(sorted(needed))
        raise ConfigError(path.name, type(told).__name__, allowed)
    return list(told)


def _json(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ConfigError(path.name, str(error), "one JSON value") from None
