"""The command `demo`: its arguments, and what its exit status says."""

import argparse
import logging
import math
import os
import sqlite3
import sysconfig
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

import trio

from orchestra_trio.cli.demo.database import Database, DatabaseUnusable
from orchestra_trio.cli.demo.display import Display, choose_display
from orchestra_trio.cli.demo.page import find_dashboard, index_with_page
from orchestra_trio.cli.demo.program import LISTENED_TO, Outcome, Work, index_folder
from orchestra_trio.cli.printing import Failed, Misuse

__all__ = ["add_demo"]

_DESCRIPTION = """\
Index the text files under a folder for full-text search, and answer questions: an orchestra of a walker, a reader, a
tokenizer, an index and a reporter. Files that are not UTF-8 text or larger than 2 MiB, and symbolic links, are skipped
and named. Folders named __pycache__, .git, .hg or .svn are left out."""

_EPILOG = """\
Ctrl-C ends it in order: what has been found is still indexed, and the questions are answered. A second one ends it at
once. SIGQUIT and SIGUSR1, where the system has them, print to the standard error stream where every subsystem stands,
and it goes on. With --dashboard, a page for browsers shows the orchestra while it works, and stays when all is done,
until Ctrl-C, which then is no failure. Exit status: 0; 1 if it failed; 2 for misuse; 130 after Ctrl-C, 143 after
SIGTERM."""

_IGNORED = frozenset({"__pycache__", ".git", ".hg", ".svn"})
_NOT_STANDARD = frozenset({"site-packages", "dist-packages"})
_STANDARD_QUESTIONS = ("cancel pending future", "temporary directory cleanup")
_NAMED = 5
"""How many of the files that were skipped for one reason are named, unless all are."""


def add_demo(commands: "argparse._SubParsersAction[Any]") -> None:
    """Add the command to those of the command line."""
    parser = commands.add_parser("demo", help="index a folder and search it", description=_DESCRIPTION, epilog=_EPILOG)
    add = parser.add_argument
    add("folder", nargs="?", metavar="FOLDER", help="default: the standard library of this Python")
    add("--query", action="append", metavar="WORDS", help="find files that have all of these words; repeatable")
    add("--database", metavar="FILE", help="keep the index there, or renew it; default: a temporary one")
    add("--limit", type=_positive_int, metavar="N", help="index no more than N files")
    add("--readers", type=_positive_int, default=4, metavar="N", help="read N files at once; default: %(default)s")
    add("--interval", type=_positive_float, metavar="SECONDS", help="between two signs of progress")
    add("--dashboard", action="store_true", help="show the orchestra on a live page, and stay until Ctrl-C")
    add("--dashboard-port", type=_port, default=0, metavar="PORT", help="where to serve it; default: any free one")
    add("--skipped", action="store_true", help=f"name all files that were skipped, not {_NAMED} for each reason")
    parser.set_defaults(run=_run_demo, program=parser.prog)


def _positive_int(text: str) -> int:
    """Read a number of things; argparse names this function's complaint."""
    if text.isascii() and text.isdigit() and int(text) > 0:
        return int(text)
    raise argparse.ArgumentTypeError(f"{text!r} is no positive whole number")


def _port(text: str) -> int:
    """Read a port."""
    if text.isascii() and text.isdigit() and int(text) < 1 << 16:
        return int(text)
    raise argparse.ArgumentTypeError(f"{text!r} is no port")


def _positive_float(text: str) -> float:
    """Read a time."""
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if 0 < number < math.inf:
        return number
    raise argparse.ArgumentTypeError(f"{text!r} is no positive number")


def _run_demo(options: argparse.Namespace) -> int:
    # What the library warns of (messages that nobody received) is part of the report.
    logging.getLogger("orchestra_trio").addHandler(logging.NullHandler())
    folder = _find_folder(options.folder)
    serve_dashboard = find_dashboard() if options.dashboard else None
    display = choose_display(options.interval)
    work = Work(
        folder=folder,
        questions=tuple(options.query or (_STANDARD_QUESTIONS if options.folder is None else [None])),
        ignored=_IGNORED | _NOT_STANDARD if options.folder is None else _IGNORED,
        limit=options.limit,
        readers=options.readers,
        interval=display.interval,
    )
    try:
        database = Database.open(None if options.database is None else Path(options.database))
    except DatabaseUnusable as error:
        raise Misuse(error) from error
    with closing(database):

        def show(outcome: Outcome) -> None:
            display.end_progress()
            _show(outcome, work, display, named=None if options.skipped else _NAMED)
            if options.database is not None or outcome.totals is None:
                display.show_note(f"\nthe index has {len(database.paths()):,} files")

        index = partial(index_folder, work, database, display)
        if serve_dashboard is None:
            outcome = _index(index, work.folder, display)
            show(outcome)
        else:
            serve = partial(serve_dashboard, port=options.dashboard_port)
            outcome = _index(partial(index_with_page, index, serve, display, show), work.folder, display)
    return 0 if outcome.interrupted_by is None else 128 + outcome.interrupted_by


def _find_folder(given: str | None) -> Path:
    folder = sysconfig.get_path("stdlib") if given is None else given
    try:
        os.scandir(folder).close()
    except OSError as error:
        raise Misuse(f"{folder!r}: {error.strerror}") from error
    return Path(folder).absolute()


def _index(run: Callable[[AsyncIterator[int]], Awaitable[Outcome]], folder: Path, display: Display) -> Outcome:
    async def index_and_listen() -> Outcome:
        with trio.open_signal_receiver(*LISTENED_TO) as signals:
            return await run(signals)

    display.show_start(folder)
    try:
        return trio.run(index_and_listen)
    except BaseExceptionGroup as group:
        foreseen, others = group.split((OSError, sqlite3.Error))
        if foreseen is None or others is not None:
            raise
        error: BaseException = foreseen
        while isinstance(error, BaseExceptionGroup):
            error = error.exceptions[0]
        if isinstance(error, BrokenPipeError):
            raise BrokenPipeError(*error.args) from group
        raise Failed(error) from group
    finally:
        display.end_progress()


def _show(outcome: Outcome, work: Work, display: Display, named: int | None) -> None:
    if outcome.totals is not None:
        display.show_skipped(outcome.totals.skipped, work.folder, named)
        display.show_totals(outcome.totals, outcome.statistics.uptime)
    for answer in outcome.answers:
        display.show_answer(answer, work.folder)
    display.show_meters(outcome.statistics)
    lost = sum(outcome.statistics.dead_letters.values())
    if lost:
        display.show_note(f"\n{lost:,} messages were not delivered")
