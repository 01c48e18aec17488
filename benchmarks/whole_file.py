"""Files that are written whole or not at all."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO


@contextmanager
def whole_file(file: Path) -> Iterator[IO[bytes]]:
    """Open a file to write; once it is whole it takes the place of what is on the disk."""
    with tempfile.NamedTemporaryFile(dir=file.parent, prefix=f".{file.name}.", delete=False) as to:
        try:
            yield to
            to.flush()
            os.fsync(to.fileno())
        except BaseException:
            os.unlink(to.name)
            raise
    os.chmod(to.name, 0o644)  # a temporary file is for its owner only
    os.replace(to.name, file)


def write_whole(file: Path, parts: Iterable[str]) -> None:
    """Write a text file, all of it or none; it takes the place of what is on the disk."""
    with whole_file(file) as to:
        for part in parts:
            to.write(part.encode())
