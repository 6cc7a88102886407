"""The demo, to be measured by the command `bench`: an orchestra on a temporary database, and a load for it."""

import sysconfig
from collections.abc import Generator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Never

from orchestra_trio import OrchestraStatistics, RunningOrchestra
from orchestra_trio.cli.demo.database import Database
from orchestra_trio.cli.demo.index import Index
from orchestra_trio.cli.demo.messages import Stop, Tick, Totals, Walk
from orchestra_trio.cli.demo.reader import Reader
from orchestra_trio.cli.demo.reporter import Reporter
from orchestra_trio.cli.demo.tokenizer import tokenize
from orchestra_trio.cli.demo.walker import walk_folders
from orchestra_trio.cli.demo.wiring import Indexing

__all__ = ["indexing", "walk"]


@contextmanager
def indexing() -> Generator[Indexing]:
    """Make an orchestra with a database that is gone afterwards."""
    with closing(Database.open(None)) as database:
        yield Indexing(
            walker=walk_folders,
            reader=Reader(),
            tokenizer=tokenize,
            index=Index(database),
            reporter=Reporter(_show_nothing),
        )


async def walk(running: RunningOrchestra[Stop | Tick, Never]) -> None:
    """Index the standard library of this Python, again and again."""
    folder = Path(sysconfig.get_path("stdlib"))
    while True:
        await running.request(Walk, folder, frozenset({"site-packages", "dist-packages", "__pycache__"}))


def _show_nothing(_totals: Totals, _statistics: OrchestraStatistics) -> None:
    pass
