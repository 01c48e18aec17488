"""Who may import whom, and what importing costs in modules."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from pathlib import Path

import pytest
from importlinter.cli import EXIT_STATUS_SUCCESS, lint_imports

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("cleanup_icn", "negotiation_games", "agents", "benchmarks")

ALLOWED_IN = {
    "torch": ("agents/ppo/", "agents/lm/", "agents/llm/transformers_client.py"),
    "stable_baselines3": ("agents/ppo/",),
    "sb3_contrib": ("agents/ppo/",),
    "numba": ("cleanup_icn/batch/compiled.py",),
    "openai": ("agents/llm/openai_client.py",),
    "transformers": ("agents/lm/", "agents/llm/transformers_client.py"),
    "tokenizers": ("agents/lm/tokenizer.py", "agents/llm/prompt_tokens.py"),
    "peft": ("agents/lm/",),
    "negmas": ("agents/negmas_agent.py",),
    "vllm": ("agents/llm/vllm_engine.py", "agents/llm/vllm_server.py"),
    "matplotlib": ("benchmarks/",),
    "typer": ("benchmarks/",),
    "pyarrow": ("benchmarks/export_files.py",),
    "scipy": ("benchmarks/",),
    "ray": ("benchmarks/executors/ray_cluster.py",),
    "rich": ("benchmarks/",),
}
"""Heavy or optional modules, and the only places that may name them."""


def test_every_direction_agreed_in_pyproject_holds(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(ROOT)
    monkeypatch.syspath_prepend(str(ROOT))
    status = lint_imports(no_cache=True, no_logo=True)
    assert status == EXIT_STATUS_SUCCESS, capfd.readouterr().out


@pytest.mark.parametrize("module", ALLOWED_IN)
def test_a_heavy_module_is_named_only_where_it_belongs(module: str) -> None:
    naming = {
        path.relative_to(ROOT).as_posix()
        for path in _sources()
        if module in _imported_top_levels(path)
    }
    astray = {name for name in naming if not name.startswith(ALLOWED_IN[module])}
    assert not astray


@pytest.mark.parametrize("package", ["cleanup_icn", "negotiation_games"])
def test_importing_a_game_loads_nothing_foreign_beyond_pettingzoo(package: str) -> None:
    floor = _foreign_modules("pettingzoo")
    assert _foreign_modules(f"pettingzoo, {package}") - floor == {package}


@pytest.mark.parametrize("package", ["cleanup_icn", "negotiation_games", "agents"])
def test_importing_a_library_package_loads_nothing_heavy(package: str) -> None:
    heavy = {*ALLOWED_IN, "PIL", "pydantic"}
    assert not _foreign_modules(package) & heavy


def test_contracts_name_nothing_of_the_package_around_them() -> None:
    contracts = sorted((ROOT / "cleanup_icn" / "contracts").glob("*.py"))
    assert contracts
    named = {name for path in contracts for name in _imported(path)}
    ours = {name for name in named if name.partition(".")[0] in PACKAGES}
    assert not {name for name in ours if not name.startswith("cleanup_icn.contracts")}


def test_the_light_parts_of_agents_load_no_game() -> None:
    loaded = _foreign_modules("agents, agents.llm, agents.scripted, agents.random_agent")
    assert not loaded & {"cleanup_icn", "negotiation_games", "benchmarks", "torch", "openai"}


def _sources() -> list[Path]:
    return [path for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py"))]


def _imported(path: Path) -> set[str]:
    """Return the names of all modules imported, wherever in the file they stand."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.module, f"{path}: imports are absolute"
            assert not node.level, f"{path}: imports are absolute"
            names.add(node.module)
    return names


def _imported_top_levels(path: Path) -> set[str]:
    return {name.partition(".")[0] for name in _imported(path)}


def _foreign_modules(imported: str) -> set[str]:
    """Import in a fresh interpreter; return the top-level modules not of the standard library."""
    program = (
        "import json, sys\n"
        "before = set(sys.modules)\n"
        f"import {imported}\n"
        "names = {name.partition('.')[0] for name in set(sys.modules) - before}\n"
        "print(json.dumps(sorted(names - set(sys.stdlib_module_names))))\n"
    )
    ran = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, check=True, capture_output=True, text=True
    )
    return {name for name in json.loads(ran.stdout) if not name.startswith("_")}
