"""The space of words in a negotiation, in which parties may speak any language."""

from __future__ import annotations

import string
from typing import Any

from gymnasium import spaces

MAX_ANSWER_CHARS = 1_000_000
"""Length of the longest answer in the action space; longer ones are read all the same."""


class Words(spaces.Text):
    """Strings of up to so many characters, whatever the letters; samples are short ASCII.

    What parties say ends up in observations, so no list of letters could be complete.
    """

    def __init__(self, max_chars: int = MAX_ANSWER_CHARS) -> None:
        letters = string.ascii_letters + string.digits + string.punctuation + " \n"
        super().__init__(max_chars, min_length=0, charset=letters)

    def sample(self, mask: Any = None, probability: Any = None) -> str:
        """Return a random string of up to 200 characters."""
        if mask is None and probability is None:
            mask = (int(self.np_random.integers(0, 200)), None)
        return super().sample(mask=mask, probability=probability)

    def contains(self, x: Any) -> bool:
        """Return whether this is a string that is not too long."""
        return isinstance(x, str) and len(x) <= self.max_length
