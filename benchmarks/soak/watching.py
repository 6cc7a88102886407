"""What the soak keeps an eye on beside the rounds: log records, and exceptions that Python can only print."""

from __future__ import annotations

import logging
import signal
import sys
from collections import Counter
from contextlib import contextmanager
from typing import TYPE_CHECKING

import attrs
from typing_extensions import override

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

__all__ = ["Watch", "dumping_on_request", "watching"]


class _Counting(logging.Handler):
    """Counts records, and shows none."""

    def __init__(self, counts: Counter[str]) -> None:
        super().__init__()
        self._counts = counts

    @override
    def emit(self, record: logging.LogRecord) -> None:
        self._counts[record.levelname.lower()] += 1


@attrs.define
class Watch:
    """What was seen so far."""

    records: Counter[str] = attrs.Factory(Counter[str])
    """The library's log records, by level."""
    unraisable: list[str] = attrs.Factory(list[str])
    """What was raised where nobody could catch it, and not told yet."""

    def take_faults(self) -> list[str]:
        """Return what should not have been, and begin anew."""
        found, self.unraisable = self.unraisable, []
        return found


@contextmanager
def watching() -> Generator[Watch]:
    """Count the library's log records instead of showing them, and take what Python would print."""
    watch = Watch()
    logger = logging.getLogger("orchestra_trio")
    counting, propagate, hook = _Counting(watch.records), logger.propagate, sys.unraisablehook

    def take(unraisable: sys.UnraisableHookArgs) -> None:
        watch.unraisable.append(
            f"raised where nobody could catch it: {unraisable.exc_value!r} in {unraisable.object!r}"
        )

    logger.addHandler(counting)
    logger.propagate = False
    sys.unraisablehook = take
    try:
        yield watch
    finally:
        sys.unraisablehook = hook
        logger.propagate = propagate
        logger.removeHandler(counting)


@contextmanager
def dumping_on_request(dump: Callable[[], str]) -> Generator[None]:
    """Print where everybody stands on SIGQUIT, where there is such a signal: for a soak that hangs."""
    number = getattr(signal, "SIGQUIT", None)
    if number is None:
        yield
        return
    usual = signal.signal(number, lambda *_: print(dump(), file=sys.stderr, flush=True))
    try:
        yield
    finally:
        signal.signal(number, usual)
