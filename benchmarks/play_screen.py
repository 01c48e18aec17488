"""What a person at the table sees in the terminal, and where answers are typed."""

from __future__ import annotations

import contextlib
import sys
import unicodedata

from rich.console import Console, RenderableType
from rich.rule import Rule
from rich.text import Text

UNREADABLE = "\N{REPLACEMENT CHARACTER}"
"""What is read where the terminal sent no text."""


def legible(words: str) -> str:
    r"""Return words without what could steer a terminal: such characters are written as ``\x1b``.

    Line breaks stay. Marks that change the direction of writing go too: they could make a line read
    as something else.
    """
    return "".join(
        character
        if character in "\n\t" or unicodedata.category(character) not in ("Cc", "Cf", "Cs")
        else character.encode("unicode_escape").decode("ascii")
        for character in words
    )


class Screen:
    """Writes to a console and reads lines from standard input.

    Where no terminal says how wide it is, nothing is wrapped, and lines that were read are written
    after their prompts, so that what is kept of a game can be read.
    """

    def __init__(self, console: Console) -> None:
        self._console = console
        with contextlib.suppress(ImportError):
            import readline  # noqa: F401 - typed lines can then be edited

    def show(self, heading: str, words: str) -> None:
        """Write words as they are, under a rule with the heading."""
        self.lay_out(heading, Text(legible(words)))

    def lay_out(self, heading: str, content: RenderableType) -> None:
        """Write anything under a rule with the heading."""
        self._console.print(Rule(Text(heading, style="bold"), align="left", style="dim"))
        self._console.print(content, soft_wrap=not self._console.is_terminal)

    def ask(self, prompt: str) -> str:
        """Return a typed line. Raises `EOFError` where the input is closed."""
        try:
            typed = input(prompt)
        except UnicodeDecodeError:
            typed = UNREADABLE
        if not sys.stdin.isatty():
            self._console.print(Text(legible(typed)), soft_wrap=True)
        return typed
