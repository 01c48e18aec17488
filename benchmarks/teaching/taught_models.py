"""`models.toml` beside a model that was taught: it is asked there as it was when it was taught."""

from __future__ import annotations

import json
from pathlib import Path

from agents.llm.styles import DIRECT
from benchmarks.whole_file import write_whole

MODELS = "models.toml"
TAUGHT = "taught"
"""Name of the model in the file."""


def most_tokens(style: str) -> int:
    """Return how long an answer of a student may be, in tokens of any base's tokenizer."""
    return 96 if style == DIRECT else 256


def write_models(folder: Path, *, record_lines: int | None, style: str = DIRECT) -> None:
    """Write into a model's folder how `commonweal compare --models` asks it, in this process.

    In the game's own words, which are among those of every wording that can be taught.

    Args:
        folder: of the model; its place is written down.
        record_lines: last lines of the public record that it was shown; None: all.
        style: which thoughts it was asked for, a name in `agents.llm.styles.STYLES`.
    """
    path = json.dumps(str(folder.resolve()), ensure_ascii=False)  # TOML reads such quotes alike
    lines = [
        "# The model in this folder, played in this process; to serve it instead, see",
        "# docs/teaching.md.",
        "[clients.here]",
        'kind = "transformers"',
        "",
        f"[models.{TAUGHT}]",
        'client = "here"',
        f"model = {path}",
        "temperature = 0.0",
        f"max_tokens = {most_tokens(style)}",
        'structured = "off"',
        "max_repairs = 0",
    ]
    if style != DIRECT:
        lines.append(f'style = "{style}"')
    if record_lines is not None:
        lines.append(f"record_lines = {record_lines}")
    write_whole(folder / MODELS, ["\n".join(lines) + "\n"])
