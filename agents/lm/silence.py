"""Loading without bars on stderr: what transformers shows by default is no news of a small model's.

transformers keeps one switch for the whole process, and turns that of huggingface_hub with it.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

try:
    from huggingface_hub import utils as hub_utils
    from transformers.utils import logging as transformers_logging
except ImportError as error:
    raise ImportError("loading needs transformers: pip install 'commonweal[lm]'") from error

_logging: Any = transformers_logging  # its functions have no types
_hub: Any = hub_utils  # its switches are not declared


@contextmanager
def without_progress_bars() -> Iterator[None]:
    """Let transformers show no progress bars meanwhile; warnings are shown as before.

    Whether it shows them otherwise, and huggingface_hub too, is as before afterwards.
    """
    if not _logging.is_progress_bar_enabled():
        yield
        return
    is_hub_silent = _hub.are_progress_bars_disabled()
    _switch(_logging.disable_progress_bar)
    try:
        yield
    finally:
        _switch(_logging.enable_progress_bar)
        if is_hub_silent:
            _switch(_hub.disable_progress_bars)


def _switch(turn: Callable[[], object]) -> None:
    """Turn a switch; an environment variable that has the last word needs no mention each time."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Cannot (en|dis)able progress bars")
        turn()
