"""How much room text takes up, without asking a font: all names are set in a font of fixed width."""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["printable", "shortened", "width_of", "wrapped"]

CODE, PROSE = 0.605, 0.56
"""Widths of one character, per size of the font: of fixed width, and on average in the widest of the usual fonts."""


def printable(text: str) -> str:
    """Return the text with a space for each character that has no look of its own, and that XML may not even hold."""
    return "".join(one if one.isprintable() else " " for one in text)


def width_of(text: str, size: float, *, code: bool = True) -> float:
    """Return how wide a line of text is at the most; East Asian characters count twice."""
    cells = sum(2 if unicodedata.east_asian_width(one) in "WF" else 1 for one in text)
    return cells * size * (CODE if code else PROSE)


def shortened(text: str, longest: int = 38) -> str:
    """Return the text, or, where it has more characters than this, its beginning and its end."""
    if len(text) <= longest:
        return text
    head = longest // 2
    return f"{text[:head]}…{text[head + 1 - longest :]}"


def wrapped(text: str, width: float, size: float, *, code: bool = False) -> Iterator[str]:
    """Yield lines of the text that are no wider than this, broken at spaces; a word that is too long is shortened."""
    longest = max(4, int(width / width_of("x", size, code=code)))
    line = ""
    for word in text.split(" "):
        short = shortened(word, longest)
        longer = f"{line} {short}" if line else short
        if line and width_of(longer, size, code=code) > width:
            yield line
            longer = short
        line = longer
    yield line
