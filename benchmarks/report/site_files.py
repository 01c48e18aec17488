"""The files of a report that are the same for every run: the page, its styles, its scripts."""

from __future__ import annotations

from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path

from benchmarks.whole_file import write_whole


def copy_site(folder: Path) -> None:
    """Write the viewer into a folder, which is made if need be; other files there stay.

    Args:
        folder: of the report; its page is `index.html`, and its data belong into `data/`, see
            `benchmarks.report.data_files`.

    Raises:
        OSError: the folder cannot be written.
    """
    _copy(resources.files("benchmarks.report") / "site", folder)


def _copy(source: Traversable, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for entry in source.iterdir():
        if entry.is_dir():
            _copy(entry, folder / entry.name)
        else:
            write_whole(folder / entry.name, [entry.read_text(encoding="utf-8")])
