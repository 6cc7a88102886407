"""The embedding program: opens the orchestra, gives it work, and ends it in order."""

import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Final

import attrs
import trio

from orchestra_trio import OrchestraStatistics, RunningOrchestra, open_oneshot
from orchestra_trio.cli.demo.database import Database
from orchestra_trio.cli.demo.display import Display
from orchestra_trio.cli.demo.index import Index
from orchestra_trio.cli.demo.messages import Answer, Lookup, Stop, Tick, Totals, Walk
from orchestra_trio.cli.demo.reader import Reader
from orchestra_trio.cli.demo.reporter import Reporter
from orchestra_trio.cli.demo.tokenizer import tokenize
from orchestra_trio.cli.demo.walker import walk_folders
from orchestra_trio.cli.demo.wiring import Indexing

__all__ = ["LISTENED_TO", "Outcome", "Work", "index_folder", "wait_for_end"]

_ENDING: Final = frozenset({signal.SIGINT, signal.SIGTERM})
_SHOWING: Final = frozenset(
    getattr(signal, name)
    for name in ("SIGQUIT", "SIGUSR1")
    if hasattr(signal, name)  # not on Windows
)

LISTENED_TO: Final = _ENDING | _SHOWING
"""The signals that `index_folder` is to be told of."""


@attrs.frozen(kw_only=True)
class Work:
    """What there is to do."""

    folder: Path
    questions: tuple[str | None, ...]
    ignored: frozenset[str] = frozenset()
    """Names of folders to leave out."""
    limit: int | None = None
    """Index no more files than this."""
    readers: int = 4
    """Read so many files at once."""
    interval: float = 1
    """Seconds between two signs of progress."""


@attrs.frozen
class Outcome:
    """What came of it."""

    totals: Totals | None
    """None if it was ended at once, as are the answers."""
    answers: tuple[Answer, ...]
    statistics: OrchestraStatistics
    interrupted_by: int | None
    """The number of the signal that ended it."""


async def _look_away(_running: RunningOrchestra[Stop | Tick]) -> None:
    await trio.lowlevel.checkpoint()


async def index_folder(
    work: Work,
    database: Database,
    display: Display,
    signals: AsyncIterator[int],
    on_open: Callable[[RunningOrchestra[Stop | Tick]], Awaitable[None]] = _look_away,
) -> Outcome:
    """Index a folder and answer questions.

    The first SIGINT or SIGTERM ends it in order, with what has been found so far; the second one at once, with what is
    in the database by then. SIGQUIT and SIGUSR1 show where every subsystem stands.

    Args:
        work: What to do.
        database: Open; stays open.
        display: Shows progress.
        signals: Their numbers, as `trio.open_signal_receiver` gives them.
        on_open: Is shown the orchestra before it gets work.
    """
    indexing = _make_indexing(work, database, display)
    listener = _Listener(display)
    totals: Totals | None = None
    answers: tuple[Answer, ...] = ()
    async with indexing.open() as running, trio.open_nursery() as nursery:
        await on_open(running)
        nursery.start_soon(listener.listen, signals, running)
        nursery.start_soon(_tick, running, work.interval)
        lookups = [open_oneshot[Answer]("answer") for _ in work.questions]
        for question, (reply, _) in zip(work.questions, lookups, strict=True):
            await running.route_message(Lookup(reply, question))
        await running.request(Walk, work.folder, work.ignored, work.limit)
        running.close_input()  # all is found: from here on, one subsystem after the other ends
        answers = tuple([await answer.receive() for _, answer in lookups])
        totals = await running.outgoing.receive()
        nursery.cancel_scope.cancel()
    return Outcome(totals, answers, running.statistics(), listener.interrupted_by)


async def wait_for_end(signals: AsyncIterator[int]) -> None:
    """Wait for the next signal that ends the program."""
    async for number in signals:
        if number in _ENDING:
            break


def _make_indexing(work: Work, database: Database, display: Display) -> Indexing:
    return Indexing(
        walker=walk_folders,
        reader=Reader(work.readers),
        tokenizer=tokenize,
        index=Index(database),
        reporter=Reporter(display.show_progress),
    )


@attrs.define
class _Listener:
    """Does what the process is told by signals."""

    display: Display
    interrupted_by: int | None = None
    """The number of the first signal that ends it."""

    async def listen(self, signals: AsyncIterator[int], running: RunningOrchestra[Stop | Tick]) -> None:
        """Take signals until cancelled."""
        async for number in signals:
            if number in _SHOWING:
                self.display.show_standing(running.dump())
            elif self.interrupted_by is None:
                self.interrupted_by = number
                self.display.show_note("ending: what was found is still indexed (Ctrl-C again ends at once)")
                await running.broadcast_signal(Stop())
            else:
                running.cancel()


async def _tick(running: RunningOrchestra[Stop | Tick], interval: float) -> None:
    while True:
        await trio.sleep(interval)
        await running.broadcast_signal(Tick(running.statistics()))
