"""How an observation shows the contract in force: as text, as a vector, or as both."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from cleanup_icn.contracts.clauses import ContractError
from cleanup_icn.contracts.english import LINE_START, NO_CONTRACT_LINE

VECTOR_KEY = "contract"
TEXT_KEY = "contract_text"


class ContractView:
    """One agent's observation space with a contract in it, and observations to match.

    ========================================  =================================================
    observation of the environment            with the contract
    ========================================  =================================================
    1-D Box                                   longer by the contract's vector; float32, unless
                                              it was float64
    Text                                      with the contract's line
    Dict with a 1-D Box ``observation``       those entries as above, all else as it was
    or a Text ``text``, or both
    any other Dict                            with entries ``contract`` and ``contract_text``
    anything else                             Dict of it, as ``observation``, and those two
    ========================================  =================================================

    Args:
        inner: the environment's observation space.
        vector_space: space of the contract's vector.
        lines: every line that may have to be shown.
    """

    def __init__(
        self, inner: spaces.Space[Any], vector_space: spaces.Box, lines: Sequence[str]
    ) -> None:
        self._is_dict = isinstance(inner, spaces.Dict)
        keys: tuple[str | None, str | None] = (None, None)
        self._is_bare = _is_vector(inner) or isinstance(inner, spaces.Text)
        self.space: spaces.Space[Any]
        if self._is_bare:
            self.space = _extended(inner, vector_space, lines)
        else:
            parts = dict(inner.spaces) if isinstance(inner, spaces.Dict) else {"observation": inner}
            keys = _choose_keys(parts)
            for key, new in zip(keys, (vector_space, _text_space(lines)), strict=True):
                if key is not None:
                    known = parts.get(key)
                    parts[key] = new if known is None else _extended(known, vector_space, lines)
            self.space = spaces.Dict(parts)
        self._vector_key, self._text_key = keys

    def show(self, observation: Any, *, vector: NDArray[np.float32], line: str) -> Any:
        """The environment's observation with a contract in it; None stays None."""
        if observation is None:
            return None
        if self._is_bare:
            if isinstance(observation, str):
                return place_line(observation, line)
            return np.concatenate([observation, vector]).astype(self.space.dtype)
        parts = dict(observation) if self._is_dict else {"observation": observation}
        if self._vector_key is not None:
            known = parts.get(self._vector_key)
            dtype = self.space[self._vector_key].dtype  # type: ignore[index]
            whole = vector if known is None else np.concatenate([known, vector])
            parts[self._vector_key] = whole.astype(dtype)
        if self._text_key is not None:
            known = parts.get(self._text_key)
            parts[self._text_key] = line if known is None else place_line(known, line)
        return parts


def place_line(text: str, line: str) -> str:
    """The text with the contract's line.

    It stands in place of the first line that says there is no contract; failing that, after the
    last line that tells of one; failing that, first. That there is none is not said beside one.
    """
    lines = text.split("\n")
    if NO_CONTRACT_LINE in lines:
        lines[lines.index(NO_CONTRACT_LINE)] = line
        return "\n".join(lines)
    told = [index for index, each in enumerate(lines) if each.startswith(LINE_START)]
    if told and line == NO_CONTRACT_LINE:
        return text
    lines.insert(told[-1] + 1 if told else 0, line)
    return "\n".join(lines)


def _choose_keys(parts: Mapping[str, spaces.Space[Any]]) -> tuple[str | None, str | None]:
    """Entries of a Dict observation that hold the contract's vector and its line."""
    vector_key = "observation" if _is_vector(parts.get("observation")) else None
    text_key = "text" if isinstance(parts.get("text"), spaces.Text) else None
    if vector_key or text_key:
        return vector_key, text_key
    # A wrapper inside this one may have put contracts there; anyone else's entry is not ours.
    if VECTOR_KEY in parts and not _is_vector(parts[VECTOR_KEY]):
        raise ContractError("observation_space", parts[VECTOR_KEY], f"no entry {VECTOR_KEY!r}")
    if TEXT_KEY in parts and not isinstance(parts[TEXT_KEY], spaces.Text):
        raise ContractError("observation_space", parts[TEXT_KEY], f"no entry {TEXT_KEY!r}")
    return VECTOR_KEY, TEXT_KEY


def _is_vector(space: spaces.Space[Any] | None) -> bool:
    return isinstance(space, spaces.Box) and len(space.shape) == 1


def _extended(
    space: spaces.Space[Any], vector_space: spaces.Box, lines: Sequence[str]
) -> spaces.Space[Any]:
    if isinstance(space, spaces.Text):
        return _text_space(lines, around=space)
    if not isinstance(space, spaces.Box):
        raise ContractError("observation_space", space, "a Box or a Text")
    dtype = np.float64 if space.dtype == np.float64 else np.float32
    low = np.concatenate([space.low.astype(dtype), vector_space.low.astype(dtype)])
    high = np.concatenate([space.high.astype(dtype), vector_space.high.astype(dtype)])
    return spaces.Box(low, high, dtype=dtype)


def _text_space(lines: Sequence[str], *, around: spaces.Text | None = None) -> spaces.Text:
    longest = max(len(line) for line in lines)
    letters = frozenset("".join(lines))
    if around is None:
        return spaces.Text(longest, min_length=1, charset=letters)
    return spaces.Text(
        around.max_length + 1 + longest,
        min_length=around.min_length,
        charset=around.character_set | letters | {"\n"},
    )
