"""What the subsystems of the demo say to each other: messages, signals, and the data inside them."""

from pathlib import Path

import attrs

from orchestra_trio import OneshotSender, OrchestraStatistics

__all__ = [
    "Answer",
    "Document",
    "Entry",
    "Found",
    "Hit",
    "Indexed",
    "Lookup",
    "Skipped",
    "Stop",
    "Tick",
    "Totals",
    "Walk",
]


# Signals


@attrs.frozen
class Stop:
    """Find no more files; those found are still indexed."""


@attrs.frozen
class Tick:
    """Time to show progress."""

    statistics: OrchestraStatistics
    """How the orchestra stands."""


# Messages, in the order in which a file passes through them


@attrs.frozen
class Walk:
    """A request to find the files under a folder; answered with their number when the walk has ended."""

    reply: OneshotSender[int]
    folder: Path
    ignored: frozenset[str] = frozenset()
    """Names of folders to leave out."""
    limit: int | None = None
    """End after so many files."""


@attrs.frozen
class Found:
    """A file to be read."""

    path: Path


@attrs.frozen
class Document:
    """A file that was read."""

    path: Path
    text: str
    size: int
    """Bytes."""


@attrs.frozen
class Entry:
    """A file's words, ready for the index."""

    path: Path
    words: str
    """Folded to lower case, with a space between any two."""
    tokens: int
    """How many words these are."""
    size: int
    """Bytes of the file."""


@attrs.frozen
class Indexed:
    """Files that are in the index now."""

    files: int = 0
    tokens: int = 0
    size: int = 0
    """Bytes."""


@attrs.frozen
class Skipped:
    """A file or folder that was left out."""

    path: Path
    reason: str


@attrs.frozen
class Totals:
    """All that was indexed and left out, for the embedding program."""

    files: int = 0
    tokens: int = 0
    size: int = 0
    """Bytes."""
    skipped: tuple[Skipped, ...] = ()


# Questions


@attrs.frozen
class Hit:
    """A file that answers a question, and the line that says most about it."""

    path: Path
    score: float
    """BM25: the larger the better."""
    line_number: int | None
    """Counted from 1; None if the file cannot be read any more."""
    line: str


@attrs.frozen
class Answer:
    """The best hits for a question."""

    question: str
    words: tuple[str, ...]
    """The words that were looked up: a hit has all of them."""
    matches: int
    """How many files have all of the words."""
    hits: tuple[Hit, ...]


@attrs.frozen
class Lookup:
    """A request to search the index; answered once everything is indexed."""

    reply: OneshotSender[Answer]
    question: str | None
    """None asks for a word that is typical of what is indexed."""
