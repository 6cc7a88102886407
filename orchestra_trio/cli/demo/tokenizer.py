"""The tokenizer: finds the words of a text."""

import re
from collections.abc import Iterator

import trio

from orchestra_trio import SubsystemContext
from orchestra_trio.cli.demo.messages import Document, Entry

__all__ = ["slices", "tokenize", "words_of"]

SLICE = 64 * 1024
"""Characters between two checkpoints: a few milliseconds of work."""

_WORD = re.compile(r"\w+")
_GAP = re.compile(r"\W")


async def tokenize(ctx: SubsystemContext[Document, Entry]) -> None:
    """Find the words of documents, in slices: the other subsystems run in this thread, too."""
    async for document in ctx:
        words: list[str] = []
        for part in slices(document.text.casefold(), SLICE):
            words += _WORD.findall(part)
            await trio.lowlevel.checkpoint()
        await ctx.send(Entry(document.path, " ".join(words), len(words), document.size))


def words_of(text: str) -> list[str]:
    """Return the words of a short text, as the tokenizer finds them."""
    return _WORD.findall(text.casefold())


def slices(text: str, size: int) -> Iterator[str]:
    """Cut a text into slices that together are the text, and none of which ends within a word.

    Args:
        text: Of any length.
        size: Characters that a slice has at least, but for the last one.
    """
    start = 0
    while start < len(text):
        gap = _GAP.search(text, start + size)
        end = len(text) if gap is None else gap.end()
        yield text[start:end]
        start = end
