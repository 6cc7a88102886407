"""The index: writes words into the database, and looks them up."""

from collections.abc import Sequence

import attrs
import trio

from orchestra_trio import SubsystemContext
from orchestra_trio.cli.demo.database import Database
from orchestra_trio.cli.demo.messages import Answer, Entry, Indexed, Lookup

__all__ = ["Index"]

BATCH = 64
"""The most files in one transaction: the slower the database, the more wait for it, and the larger its batches."""


@attrs.frozen
class Index:
    """Writes in batches, and answers when there is no more to write."""

    database: Database
    hits: int = 5
    """The most hits of an answer."""

    async def __call__(self, ctx: SubsystemContext[Entry | Lookup, Indexed]) -> None:
        """Take what waits, write it in one transaction, and so on until end-of-input."""
        lookups: list[Lookup] = []
        while batch := await _receive_batch(ctx):
            lookups += [incoming for incoming in batch if isinstance(incoming, Lookup)]
            entries = [incoming for incoming in batch if isinstance(incoming, Entry)]
            if entries:
                await trio.to_thread.run_sync(self.database.add, entries)
                await ctx.send(_sum(entries))
        for lookup in lookups:
            lookup.reply.send(await trio.to_thread.run_sync(self._answer, lookup.question))

    def _answer(self, question: str | None) -> Answer:
        return self.database.search(self.database.typical_word() if question is None else question, self.hits)


async def _receive_batch(ctx: SubsystemContext[Entry | Lookup, Indexed]) -> Sequence[Entry | Lookup]:
    """Wait until there is something, and take all that waits; nothing at end-of-input."""
    try:
        return await ctx.receive_many(BATCH)
    except trio.EndOfChannel:
        await trio.lowlevel.checkpoint()
        return ()


def _sum(entries: list[Entry]) -> Indexed:
    return Indexed(len(entries), sum(entry.tokens for entry in entries), sum(entry.size for entry in entries))
