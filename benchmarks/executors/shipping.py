"""Checkpoints on their way between machines that share no disk."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path

Files = Mapping[str, bytes]
"""Contents of files by their paths, relative to the folder of a run."""

_TELL_OF_THE_END = ("policy.zip", "policy.json")


def read_files(paths: Iterable[Path], *, run: Path) -> dict[str, bytes]:
    """Return files that lie in the folder of a run."""
    return {path.relative_to(run).as_posix(): path.read_bytes() for path in paths}


def read_folder(folder: Path, *, run: Path) -> dict[str, bytes]:
    """Return all files in a folder of a run but drafts; none where there is no such folder."""
    found = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return read_files((path for path in found if not path.name.startswith(".")), run=run)


def lay_out(files: Files, *, run: Path) -> None:
    """Write files into the folder of a run, each whole or not at all.

    Those that tell of the end of a training come last: until they are there, it goes on.
    """
    for name in sorted(files, key=_turn):
        _write_whole(run / name, files[name])


def _turn(name: str) -> tuple[int, str]:
    file = Path(name).name
    is_end = file in _TELL_OF_THE_END
    return (1 + _TELL_OF_THE_END.index(file) if is_end else 0), name


def _write_whole(file: Path, content: bytes) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    draft = file.with_name("." + file.name)
    with draft.open("wb") as written:
        written.write(content)
        written.flush()
        os.fsync(written.fileno())
    os.replace(draft, file)
