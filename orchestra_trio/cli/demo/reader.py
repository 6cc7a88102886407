"""The reader: reads files, several at once, and leaves out what is no text."""

from pathlib import Path

import attrs
import trio

from orchestra_trio import SubsystemContext
from orchestra_trio.cli.demo.messages import Document, Found, Skipped

__all__ = ["SIZE_LIMIT", "Reader", "read_file"]

SIZE_LIMIT = 2 * 1024 * 1024
"""Bytes of the largest file that is read: with the lanes' capacities, this bounds the memory that the demo takes."""


@attrs.frozen
class Reader:
    """Reads up to `jobs` files at once."""

    jobs: int = 4

    async def __call__(self, ctx: SubsystemContext[Found, Document | Skipped]) -> None:
        """Receive in several jobs: each file goes to the one that is free."""
        for _ in range(1, self.jobs):
            ctx.start_soon(_read_files, ctx)
        await _read_files(ctx)


async def _read_files(ctx: SubsystemContext[Found, Document | Skipped]) -> None:
    async for found in ctx:
        await ctx.send(await trio.to_thread.run_sync(read_file, found.path))


def read_file(path: Path, size_limit: int = SIZE_LIMIT) -> Document | Skipped:
    """Return a file's text, or why it has none.

    Args:
        path: A regular file.
        size_limit: Bytes.
    """
    try:
        with path.open("rb") as file:
            data = file.read(size_limit + 1)
    except OSError as error:
        return Skipped(path, error.strerror or "unreadable")
    if b"\0" in data:
        return Skipped(path, "binary")
    if len(data) > size_limit:
        return Skipped(path, f"larger than {size_limit:,} bytes")
    try:
        return Document(path, data.decode("utf-8-sig"), len(data))
    except UnicodeDecodeError:
        return Skipped(path, "not UTF-8")
