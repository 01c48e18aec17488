"""A run's data as scripts that a page may load from disk, where it may not fetch anything."""

from __future__ import annotations

import base64
import gzip
import json
from pathlib import Path
from typing import Any

from benchmarks.whole_file import write_whole


def write_receive(file: Path, name: str, value: Any) -> None:
    """Write a script that hands a value to the viewer: ``commonweal.receive(name, value)``.

    The file is ASCII, and valid as a script whatever strings the value holds.

    Args:
        file: to write, all of it or none; its folder is made if need be.
        name: that the viewer asks for, such as ``"run"`` or ``"transcripts/00000"``.
        value: JSON values, numbers finite. Integers beyond 2**53 lose digits in a browser and
            should be strings.

    Raises:
        ValueError: a number is not finite.
        OSError: the file cannot be written.
    """
    text = json.dumps(value, allow_nan=False, separators=(",", ":"))
    file.parent.mkdir(parents=True, exist_ok=True)
    write_whole(file, ["commonweal.receive(", json.dumps(name), ", ", _parsed(text), ");\n"])


def _parsed(text: str) -> str:
    """Return an expression that a script may hold for what this JSON text says.

    As an object literal, a key ``__proto__`` would be a prototype; parsed, it is a key like others.
    """
    literal = text.replace("\\", "\\\\").replace("'", "\\'").replace("<", "\\x3c")
    return f"JSON.parse('{literal}')"


def pack_transcript(transcript: Any) -> str:
    """Return a transcript's JSON, compressed by gzip, in base64; equal for equal transcripts.

    Raises:
        ValueError: a number is not finite.
    """
    text = json.dumps(transcript, allow_nan=False, separators=(",", ":"))
    return base64.b64encode(gzip.compress(text.encode("ascii"), mtime=0)).decode("ascii")
