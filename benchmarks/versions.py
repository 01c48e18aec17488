"""The versions that matter to a run's results."""

from __future__ import annotations

import platform
from importlib import metadata

_VERSIONS_OF = (
    "commonweal",
    "gymnasium",
    "negmas",
    "numpy",
    "openai",
    "pettingzoo",
    "ray",
    "sb3-contrib",
    "scipy",
    "stable-baselines3",
    "torch",
)


def versions() -> dict[str, str]:
    """Return the versions of Python and of the packages that matter to a run's results."""
    found = {"python": platform.python_version()}
    for package in _VERSIONS_OF:
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue  # an extra that is not installed
    return found
