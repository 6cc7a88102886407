"""The index: writes words into the database, and looks them up. It runs in a thread of its own, where it may block."""

from collections.abc import Sequence

import attrs
import trio

from orchestra_trio import BlockingSubsystemContext
from orchestra_trio.cli.demo.database import Database
from orchestra_trio.cli.demo.messages import Answer, Entry, Indexed, Lookup

__all__ = ["Index"]

BATCH = 64
"""The most files in one transaction: the slower the database, the more wait for it, and the larger its batches."""


@attrs.frozen
class Index:
    """Writes in batches, and answers when there is no more to write."""

    database: Database
    """Nobody else uses it while the orchestra runs."""
    hits: int = 5
    """The most hits of an answer."""

    def __call__(self, ctx: BlockingSubsystemContext[Entry | Lookup, Indexed]) -> None:
        """Take what waits, write it in one transaction, and so on until end-of-input."""
        lookups: list[Lookup] = []
        while batch := _receive_batch(ctx):
            lookups += [incoming for incoming in batch if isinstance(incoming, Lookup)]
            entries = [incoming for incoming in batch if isinstance(incoming, Entry)]
            if entries:
                self.database.add(entries)
                ctx.send(_sum(entries))
        for lookup in lookups:
            ctx.check_cancelled()  # nothing here waits, and who has no more patience need not wait for all the answers
            lookup.reply.send(self._answer(lookup.question))

    def _answer(self, question: str | None) -> Answer:
        return self.database.search(self.database.typical_word() if question is None else question, self.hits)


def _receive_batch(ctx: BlockingSubsystemContext[Entry | Lookup, Indexed]) -> Sequence[Entry | Lookup]:
    """Wait until there is something, and take all that waits; nothing at end-of-input."""
    try:
        return ctx.receive_many(BATCH)
    except trio.EndOfChannel:
        return ()


def _sum(entries: list[Entry]) -> Indexed:
    return Indexed(len(entries), sum(entry.tokens for entry in entries), sum(entry.size for entry in entries))
