"""Configurations of models: from a TOML file, or the short way for one that is served."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.checked import (
    ABSENT,
    NAME,
    WORDS,
    CheckedT,
    ModelConfigError,
    TableReader,
    one_of_nearest,
)
from benchmarks.model_config import (
    Budget,
    ClientSpec,
    JudgeSpec,
    ModelsConfig,
    ModelSpec,
    RunSettings,
    Table,
    misnamed,
)
from cleanup_icn import ConfigError

SECTIONS = ("clients", "models", "tables", "run", "budget", "judge")
"""The parts of a file."""


def served_model(
    *,
    base_urls: Sequence[str],
    model: str,
    max_tokens: int | None = None,
    temperature: float | None = None,
    style: str | Sequence[str] | None = None,
    structured: str | None = None,
    max_repairs: int | None = None,
    record_lines: int | None = None,
    max_in_flight: int | str | None = None,
) -> ModelsConfig:
    """Return the configuration of one served model, as a file with these settings would.

    None leaves a setting as it is by default. The model's name in tables is `model` with a dash
    for every character that no name may have. Raises `ModelConfigError` for what cannot be.
    """
    chosen: dict[str, Any] = {
        "max_tokens": max_tokens,
        "temperature": temperature,
        "style": style,
        "structured": structured,
        "max_repairs": max_repairs,
        "record_lines": record_lines,
    }
    given = {key: value for key, value in chosen.items() if value is not None}
    name = re.sub(r"[^A-Za-z0-9._/-]", "-", model).lstrip("._/-")
    written = {
        "clients": {"served": {"kind": "openai", "base_urls": list(base_urls)}},
        "models": {name: {"client": "served", "model": model, **given}},
        "run": {} if max_in_flight is None else {"max_in_flight": max_in_flight},
    }
    return _FileReader(written).read()


def load_models(path: str | Path) -> ModelsConfig:
    """Read a TOML file.

    Raises `ModelConfigError` with everything that is wrong with it, a line each: the file, the
    key, the value and what is allowed.
    """
    try:
        written = tomllib.loads(Path(path).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else str(error)
        problem = ConfigError("models file", str(path), f"a readable TOML file ({why})")
        raise ModelConfigError([problem]) from None
    return _FileReader(written, source=f"{path}: ").read()


class _FileReader(TableReader):
    """Turns what a file says into values."""

    def __init__(self, written: Mapping[str, Any], *, source: str = "") -> None:
        super().__init__(source)
        self._written = written

    def read(self) -> ModelsConfig:
        """Return what the file says. Raises `ModelConfigError` with all that is wrong with it."""
        self.refuse_unknown("the file", self._written, SECTIONS)
        clients = {
            name: self.value(ClientSpec, f"clients.{name}", given)
            for name, given in self._named("clients")
        }
        models = {name: self._model(name, given, clients) for name, given in self._named("models")}
        tables = [self._table(name, given) for name, given in self._named("tables")]
        judge = self._section(JudgeSpec, "judge") if "judge" in self._written else None
        run, budget = self._section(RunSettings, "run"), self._section(Budget, "budget")
        if self.problems:  # the names can be checked all the same
            for problem in misnamed(models, [table for table in tables if table], judge):
                self.refuse(problem.name, problem.value, problem.allowed)
        else:
            parts = {"models": models, "tables": tuple(tables), "run": run, "budget": budget}
            config = self.made(ModelsConfig, "", {**parts, "judge": judge})
            if config is not None:
                return config
        raise ModelConfigError(self.problems)

    def _named(self, section: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
        """Yield the tables of a section that are well named, by their names."""
        given = self._written.get(section, {})
        if not isinstance(given, Mapping):
            self.refuse(section, given, f"tables [{section}.NAME]")
            return
        for name, table in given.items():
            if not NAME.fits(name):
                self.refuse(f"name in [{section}]", name, NAME.allowed)
            elif not isinstance(table, Mapping):
                allowed = f"a table [{section}.{name}]"
                self.refuse(f"{section}.{name}", table, allowed)
            else:
                yield name, table

    def _section(self, made: type[CheckedT], section: str) -> CheckedT | None:
        given = self._written.get(section, {})
        if isinstance(given, Mapping):
            return self.value(made, section, given)
        self.refuse(section, given, f"a table [{section}]")
        return None

    def _model(
        self, name: str, given: Mapping[str, Any], clients: Mapping[str, ClientSpec | None]
    ) -> ModelSpec | None:
        client = None
        where = f"models.{name}"
        chosen = given.get("client")
        if isinstance(chosen, str) and chosen in clients:
            client = clients[chosen]
        else:
            value = ABSENT if chosen is None else chosen
            allowed = one_of_nearest(chosen, clients) if clients else "the name of a [clients.NAME]"
            self.refuse(f"{where}.client", value, allowed)
        # Whatever is wrong with the client, the rest is checked: as if the client were a stub.
        resolved = {"name": name, "client": client or ClientSpec(kind="stub")}
        return self.value(ModelSpec, where, given, resolved)

    def _table(self, name: str, given: Mapping[str, Any]) -> Table | None:
        where = f"tables.{name}"
        seats = {}
        for seat, who in given.items():
            if seat == "everyone":
                continue
            if WORDS.fits(seat) and NAME.fits(who):
                seats[seat] = who
            else:
                allowed = "the name of a seat and, as a word, that of a model or policy"
                self.refuse(f"{where}.{seat}", who, allowed)
        return self.made(
            Table, where, {"name": name, "everyone": given.get("everyone"), "seats": seats}
        )
