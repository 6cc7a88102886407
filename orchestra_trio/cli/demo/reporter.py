"""The reporter: counts what happens to files, and shows how far it has come."""

from collections.abc import Callable

import attrs

from orchestra_trio import OrchestraStatistics, SubsystemContext
from orchestra_trio.cli.demo.messages import Indexed, Skipped, Tick, Totals

__all__ = ["Reporter"]


@attrs.frozen
class Reporter:
    """Shows progress at every Tick, which overtakes all that is still to be counted."""

    show: Callable[[Totals, OrchestraStatistics], None]

    async def __call__(self, ctx: SubsystemContext[Indexed | Skipped, Totals, Tick]) -> None:
        """Count until end-of-input, and send the totals out of the orchestra."""
        files = tokens = size = 0
        skipped: list[Skipped] = []
        async for incoming in ctx:
            match incoming:
                case Indexed():
                    files += incoming.files
                    tokens += incoming.tokens
                    size += incoming.size
                case Skipped():
                    skipped.append(incoming)
                case Tick(statistics):
                    self.show(Totals(files, tokens, size, tuple(skipped)), statistics)
        await ctx.send(Totals(files, tokens, size, tuple(skipped)))
