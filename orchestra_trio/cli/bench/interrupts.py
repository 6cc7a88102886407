"""Ctrl-C while it is measured."""

import signal
import threading
from collections.abc import Generator
from contextlib import contextmanager
from types import FrameType

import trio

from orchestra_trio.cli.bench.measuring import Measuring

__all__ = ["interruptible"]


@contextmanager
def interruptible(measuring: Measuring) -> Generator[None]:
    """Let the first Ctrl-C end a measurement with the figures so far; the second one ends the process.

    trio's own way would raise it within a subsystem, whose failure would hide the figures. Where this process deals
    with Ctrl-C otherwise, or ignores it, that stays as it is.
    """
    is_ours = signal.getsignal(signal.SIGINT) is signal.default_int_handler
    if not (is_ours and threading.current_thread() is threading.main_thread()):
        yield
        return

    def handle(number: int, frame: FrameType | None) -> None:
        # A subsystem may compute for ever, or not let itself be cancelled: the next one needs no help from here.
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        try:
            if measuring.token is None:
                signal.default_int_handler(number, frame)
            measuring.token.run_sync_soon(measuring.interrupt)
        except trio.RunFinishedError:
            signal.default_int_handler(number, frame)

    signal.signal(signal.SIGINT, handle)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)
