"""The wheel: what it holds, and that everything works from it in an otherwise empty environment."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TOUR = Path(__file__).with_name("wheel_tour.py")
PACKAGES = {"cleanup_icn", "negotiation_games", "agents", "benchmarks"}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the wheel as pip does for a user."""
    folder = tmp_path_factory.mktemp("wheel")
    _run(sys.executable, "-m", "pip", "wheel", "--no-deps", "--wheel-dir", folder, ROOT, cwd=folder)
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Install it with its base dependencies alone; return the folder of the programs."""
    folder = tmp_path_factory.mktemp("empty")
    _run(sys.executable, "-m", "venv", folder / "venv", cwd=folder)
    programs = folder / "venv" / ("Scripts" if os.name == "nt" else "bin")
    _run(programs / "python", "-m", "pip", "install", "--quiet", wheel, cwd=folder)
    return programs


@pytest.mark.slow
def test_the_wheel_installs_our_packages_and_no_other_top_level_name(wheel: Path) -> None:
    top_levels = {name.partition("/")[0] for name in zipfile.ZipFile(wheel).namelist()}
    metadata = {name for name in top_levels if name.endswith(".dist-info")}
    assert len(metadata) == 1
    assert top_levels - metadata == PACKAGES


@pytest.mark.slow
def test_the_wheel_holds_every_file_of_our_packages(wheel: Path) -> None:
    held = {n for n in zipfile.ZipFile(wheel).namelist() if n.partition("/")[0] in PACKAGES}
    tracked = {
        path.relative_to(ROOT).as_posix()
        for package in PACKAGES
        for path in (ROOT / package).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert held == tracked


@pytest.mark.slow
def test_every_environment_plays_an_episode_from_the_wheel(installed: Path, tmp_path: Path) -> None:
    played = json.loads(_run(installed / "python", "-I", TOUR, cwd=tmp_path))
    assert {name for name in played if name.startswith("parallel ")} >= {
        "parallel commonweal/Cleanup-v0",
        "parallel commonweal/CleanupICN-v0",
    }
    assert played["parallel commonweal/Cleanup-v0"] == 50
    assert played["aec commonweal/Negotiation-v0"] == 4 * 6 + 1
    assert sum(name.startswith("negotiation ") for name in played) >= 8
    assert min(played.values()) >= 4 * 5 + 1


@pytest.mark.slow
def test_the_command_works_without_any_extra(installed: Path, tmp_path: Path) -> None:
    presets = json.loads(_run(installed / "commonweal", "presets", "--json", cwd=tmp_path))
    assert len(presets) >= 3
    solved = json.loads(_run(installed / "commonweal", "solve", "cleanup", "--json", cwd=tmp_path))
    known = (solved["social_optimum"], solved["all_harvest"], solved["one_cleaner"])
    assert known == (157, 13, 157)


def _run(*command: object, cwd: Path) -> str:
    """Run away from the sources, with nothing on the path that could stand in for the wheel."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "COV_"))}
    ran = subprocess.run(
        [str(part) for part in command], cwd=cwd, env=environment, capture_output=True, text=True
    )
    assert ran.returncode == 0, f"{command}\n{ran.stdout}\n{ran.stderr}"
    return ran.stdout
