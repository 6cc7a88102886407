"""The orchestra of the demo: who consumes and who sends what."""

from orchestra_trio import BlockingSubsystem, Orchestra, Subsystem, subsystem
from orchestra_trio.cli.demo.messages import (
    Document,
    Entry,
    Found,
    Indexed,
    Lookup,
    Skipped,
    Stop,
    Tick,
    Totals,
    Walk,
)

__all__ = ["Indexing"]


class Indexing(Orchestra[Stop | Tick], message_capacity=32, outgoing=Totals):
    """Finds files, reads them, finds their words, indexes these, and keeps count."""

    walker: Subsystem[Walk, Found | Skipped, Stop]
    reader: Subsystem[Found, Document | Skipped]
    tokenizer: Subsystem[Document, Entry]
    index: BlockingSubsystem[Entry | Lookup, Indexed] = subsystem(message_capacity=64)
    reporter: Subsystem[Indexed | Skipped, Totals, Tick]
