"""A file that is written about a run: refused in time, and an error that names it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.database import FILE, LOCK
from benchmarks.terminal import say
from cleanup_icn import ConfigError


def refuse_own_files(run: Path, out: Path | None) -> None:
    """Refuse a file that is no file, or that the run itself lives in.

    Raises:
        ConfigError: names it.
    """
    if out is None:
        return
    is_ours = out.resolve().parent == run.resolve() and out.name.startswith((FILE, LOCK))
    if is_ours or (out.exists() and not out.is_file()):
        raise ConfigError("--out", str(out), "a new file, or one to replace")


@contextmanager
def writing(out: Path) -> Iterator[None]:
    """Say that a file was written, or raise `ConfigError` where it could not be."""
    try:
        yield
    except OSError as error:
        raise ConfigError(
            "--out", str(out), f"a file that can be written ({error.strerror or error})"
        ) from error
    say(f"written: {out}")
