"""A run's folder: what was played, every episode of it, and what came out.

```
run.json         what was run, with which versions, and whether it is complete
episodes.jsonl   one record an episode, kept as soon as it is over:
                 `benchmarks.runner.EpisodeResult` for Cleanup,
                 `benchmarks.negotiation.runner.NegotiationResult` for negotiation
table.json       the rows
figure.svg, figure.png
ppo/<contract>/  of learned policies: checkpoints and logs, see `agents.ppo.folder`
trained/<name>/  of policies that were trained before: copies of their checkpoints
```
"""

from __future__ import annotations

import json
import os
import platform
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from importlib import metadata
from pathlib import Path
from typing import Any

from benchmarks.episode_log import EpisodeLog
from cleanup_icn import ConfigError

FORMAT = "commonweal-run"
RUN, EPISODES, TABLE = "run.json", "episodes.jsonl", "table.json"
FIGURES = ("figure.svg", "figure.png")
_WRITTEN_WHOLE = (RUN, EPISODES, TABLE)
_CHECKPOINTS = (
    *(
        f"*/*/{name}"
        for name in ("policy.*", "last.*", "best.*", "progress.jsonl", "tensorboard/events.*")
    ),
    *(
        f"trained/*/{seat}/{name}"
        for seat in ("seed-*", "seed-*/seat-*")
        for name in ("policy.*", "best.*")
    ),
)
_VERSIONS_OF = (
    "commonweal",
    "gymnasium",
    "numpy",
    "openai",
    "pettingzoo",
    "sb3-contrib",
    "stable-baselines3",
    "torch",
)


def write_whole(file: Path, parts: Iterable[str]) -> None:
    """Write a file, all of it or none; it takes the place of what is on the disk."""
    with tempfile.NamedTemporaryFile(
        "w", dir=file.parent, prefix=f".{file.name}.", encoding="utf-8", delete=False
    ) as draft:
        try:
            draft.writelines(parts)
            draft.flush()
            os.fsync(draft.fileno())
        except BaseException:
            os.unlink(draft.name)
            raise
    os.chmod(draft.name, 0o644)  # a temporary file is for its owner only
    os.replace(draft.name, file)


class RunFolder:
    """The folder of one run.

    Opening it for a new run removes what an earlier run left there; opening it to `resume` keeps
    the episodes that are there, and begins a new run where there are none.

    Args:
        path: of the folder.
        suite: what is to be played, as JSON values; kept from the beginning, so that a run is only
            ever resumed as what it was.
        resume: whether to go on with an earlier run.

    Raises:
        ConfigError: the folder holds something that is not a run, or a run of something else that
            was to be resumed, or cannot be written.
    """

    def __init__(self, path: Path, suite: Mapping[str, Any], *, resume: bool = False) -> None:
        self.path = path
        self._suite = json.loads(json.dumps(suite))  # as it will be read again
        self._log = EpisodeLog(path / EPISODES)
        try:
            path.mkdir(parents=True, exist_ok=True)
            earlier = _read_run(path / RUN)
            nameless = {file for name in _WRITTEN_WHOLE for file in path.glob(f".{name}.*")}
            if earlier is None and not nameless.issuperset(path.iterdir()):
                raise ConfigError(
                    "--out", str(path), "a new folder, an empty one, or that of an earlier run"
                )
            self._earlier: list[dict[str, Any]] = []
            if resume and earlier is not None:
                _refuse_drift(earlier.get("suite"), self._suite, path=path)
                self._log.mend()
                self._earlier = _parts(earlier)
            else:
                self._remove_earlier_run()
            for file in nameless:  # left by a run that was killed while it wrote
                file.unlink(missing_ok=True)
            self._write_status("running", {})
        except OSError as error:
            reason = error.strerror or str(error)
            raise ConfigError("--out", str(path), f"a folder to write in ({reason})") from error

    def episodes(self) -> list[dict[str, Any]]:
        """Return the records kept so far, those of earlier parts of the run included."""
        return self._log.read()

    def keep_episode(self, record: Mapping[str, Any]) -> None:
        """Keep the record of an episode that is over."""
        self._log.append(record)

    def write_json(self, name: str, value: Any) -> None:
        """Write one file of JSON, all of it or none."""
        self._write(name, [json.dumps(value, indent=2) + "\n"])

    def write_episodes(self, records: Iterable[Mapping[str, Any]]) -> None:
        """Write one record a line, all of them or none."""
        self._write(EPISODES, (json.dumps(record) + "\n" for record in records))

    def write_run(self, about: Mapping[str, Any], *, is_complete: bool = True) -> None:
        """Say how this part of the run went; a complete run has all of its episodes."""
        self._write_status("complete" if is_complete else "stopped", about)

    def _write_status(self, status: str, about: Mapping[str, Any]) -> None:
        told = {"format": FORMAT, "status": status, "suite": self._suite, **about}
        self.write_json(RUN, {**told, "versions": versions(), "earlier": self._earlier})

    def _write(self, name: str, parts: Iterable[str]) -> None:
        write_whole(self.path / name, parts)

    def _remove_earlier_run(self) -> None:
        # By name: a file that somebody put beside them stays.
        earlier = [self.path / name for name in (EPISODES, TABLE, *FIGURES)]
        for pattern in _CHECKPOINTS:
            earlier += self.path.glob(pattern)
        for file in earlier:
            file.unlink(missing_ok=True)


def is_complete(path: Path) -> bool:
    """Whether a folder holds a run with all of its episodes."""
    return (_read_run(path / RUN) or {}).get("status") == "complete"


def read_run(path: Path) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Return what a run says of itself, and its records; nothing in its folder is changed.

    Raises:
        ConfigError: the folder holds no run.
    """
    about = _read_run(path / RUN)
    if about is None or "suite" not in about:
        raise ConfigError("run", str(path), f"a folder that `commonweal compare` wrote ({RUN})")
    return about, EpisodeLog(path / EPISODES).read()


def versions() -> dict[str, str]:
    """Return the versions of Python and of the packages that matter to a run's results."""
    found = {"python": platform.python_version()}
    for package in _VERSIONS_OF:
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue  # an extra that is not installed
    return found


def _read_run(file: Path) -> dict[str, Any] | None:
    """Return what a run says of itself; None where there is no run."""
    try:
        about = json.loads(file.read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return None
    return about if isinstance(about, dict) and about.get("format") == FORMAT else None


def _parts(about: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return what each part of a run told of itself, the first first."""
    told_by_all = ("format", "suite", "earlier")
    last = {name: value for name, value in about.items() if name not in told_by_all}
    return [*about.get("earlier", []), last]


def _refuse_drift(earlier: Any, now: Any, *, path: Path) -> None:
    """Raise unless a run to be resumed is the run that is asked for."""
    for key, before, after in differences(earlier, now):
        raise ConfigError(
            f"--resume with {key}", after, f"{before!r}, as the run in {path} was begun with"
        )


def differences(earlier: Any, now: Any, key: str = "") -> Iterator[tuple[str, Any, Any]]:
    """Yield where two JSON values differ, what stood there and what stands there now."""
    if isinstance(earlier, dict) and isinstance(now, dict):
        for name in dict.fromkeys((*earlier, *now)):
            inner = f"{key}.{name}" if key else name
            yield from differences(earlier.get(name), now.get(name), inner)
    elif isinstance(earlier, list) and isinstance(now, list) and len(earlier) == len(now):
        for index, (before, after) in enumerate(zip(earlier, now, strict=True)):
            yield from differences(before, after, f"{key}[{index}]")
    elif earlier != now:
        yield key, earlier, now
