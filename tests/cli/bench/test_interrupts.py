"""Who deals with Ctrl-C while it is measured; what comes of it is tested with the whole command."""

from __future__ import annotations

import signal
import threading
from typing import TYPE_CHECKING

import pytest
import trio

from orchestra_trio.cli.bench.interrupts import interruptible
from orchestra_trio.cli.bench.measuring import Measuring
from tests.cli.bench.samples import make_chain

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(autouse=True)
def _handler() -> Iterator[None]:
    """Whatever a test does, Ctrl-C works as before afterwards."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def make_measuring() -> Measuring:
    return Measuring(make_chain(count=1), None, seconds=1)


def test_before_it_runs_and_after_it_has_run() -> None:
    """There is nothing to be ended in order; and the next one needs no help from here."""
    measuring = make_measuring()
    for count in range(2):
        with interruptible(measuring):
            with pytest.raises(KeyboardInterrupt):
                signal.raise_signal(signal.SIGINT)
            assert signal.getsignal(signal.SIGINT) is signal.SIG_DFL
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
        if not count:
            trio.run(measuring.run)


@pytest.mark.parametrize("handler", [signal.SIG_IGN, lambda *_: None], ids=["ignored", "handled"])
def test_others_ways_of_dealing_with_it_stay(handler: signal.Handlers) -> None:
    signal.signal(signal.SIGINT, handler)
    with interruptible(make_measuring()):
        assert signal.getsignal(signal.SIGINT) is handler


def test_other_threads_have_no_signals() -> None:
    seen: list[object] = []

    def look() -> None:
        with interruptible(make_measuring()):
            seen.append(signal.getsignal(signal.SIGINT))

    thread = threading.Thread(target=look)
    thread.start()
    thread.join()
    assert seen == [signal.default_int_handler]
