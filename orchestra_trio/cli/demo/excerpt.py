"""What to show of a file that was found."""

from pathlib import Path

from orchestra_trio.cli.demo.messages import Document
from orchestra_trio.cli.demo.reader import read_file
from orchestra_trio.cli.demo.tokenizer import words_of

__all__ = ["best_line", "best_line_of"]

WIDTH = 100
"""Characters of an excerpt."""


def best_line(path: Path, words: tuple[str, ...]) -> tuple[int | None, str]:
    """Read a file again, and return what `best_line_of` does; None and nothing if it cannot be read any more."""
    match read_file(path):
        case Document(text=text):
            return best_line_of(text, words)
        case _:
            return None, ""


def best_line_of(text: str, words: tuple[str, ...], width: int = WIDTH) -> tuple[int | None, str]:
    """Return the number and the text of the line that has most of some words: the first one, if several have.

    Args:
        text: Of a file.
        words: Folded, as the tokenizer returns them.
        width: The most characters of the line to return; of a longer one, those around a word.
    """
    wanted = set(words)
    best_number, best, most = None, "", 0
    for number, line in enumerate(text.splitlines(), start=1):
        count = len(wanted.intersection(words_of(line)))
        if count > most:
            best_number, best, most = number, line, count
    return best_number, _shorten(" ".join(best.split()), words, width)


def _shorten(line: str, words: tuple[str, ...], width: int) -> str:
    if len(line) <= width:
        return line
    places = [place for word in words if (place := line.casefold().find(word)) >= 0]
    start = min(max(0, min(places, default=0) - width // 4), len(line) - width)
    return ("…" if start else "") + line[start : start + width] + ("…" if start + width < len(line) else "")
