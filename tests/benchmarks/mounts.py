"""Disks that are full and folders that cannot be written, where tests may mount such."""

from __future__ import annotations

import subprocess
from contextlib import contextmanager

import pytest


@contextmanager
def small_disk(place, *, size):
    """Mount a disk of so many bytes for a while."""
    place.mkdir()
    if not _mount("-t", "tmpfs", "-o", f"size={size}", "none", place):
        pytest.skip("only root can mount a small disk")
    try:
        yield place
    finally:
        subprocess.run(["umount", str(place)], check=True)


@contextmanager
def read_only(folder):
    """Make a folder one that not even root can write to, for a while."""
    if not _mount("--bind", folder, folder):
        pytest.skip("only root can mount a folder to read alone")
    try:
        if not _mount("-o", "remount,ro,bind", folder, folder):
            pytest.skip("only root can mount a folder to read alone")
        yield folder
    finally:
        subprocess.run(["umount", str(folder)], check=True)


def _mount(*options):
    try:
        return subprocess.run(["mount", *map(str, options)], capture_output=True).returncode == 0
    except OSError:  # a system without such a command
        return False
