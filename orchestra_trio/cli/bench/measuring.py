"""Runs an orchestra and reads its meters: at the beginning, at the end, and looks in between.

The counters cost nothing: they are kept anyway. The looks take turns with the subsystems in trio's thread, and take no
more than about a hundredth of its time, however large the orchestra is. Nothing is observed: that would slow down every
step.
"""

import random
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Final, Literal, TypeAlias

import attrs
import trio

from orchestra_trio import Orchestra
from orchestra_trio.cli.bench.loads import Load, Routing, Running
from orchestra_trio.cli.bench.looking import OUTGOING, Place, Reading, Tally
from orchestra_trio.cli.bench.report import Report, make_report

__all__ = ["Ending", "LoadFailed", "Measuring"]

INTERVAL: Final = 0.01
"""Seconds between two looks, in the mean, unless a look takes more than a hundredth of that."""

_COSTS: Final = 5
"""How many looks tell what the next one will cost."""

Ending: TypeAlias = Literal["time", "ended", "interrupted"]


class LoadFailed(Exception):
    """The load raised an exception, which is the cause."""


@attrs.define
class Measuring:
    """One measurement, which can be ended early."""

    orchestra: Orchestra[Any, Any]
    load: Load | None
    """None closes the input at once, as `Orchestra.run` does."""
    seconds: float
    """How long to measure."""
    warm_up: float = 0
    """How long to let it run before."""
    processor_time: Callable[[], float] = time.thread_time
    """Tells the seconds that this thread has computed."""
    ending: Ending = "time"
    """What has ended it."""
    token: trio.lowlevel.TrioToken | None = None
    """Through which signal handlers can call `interrupt`; None before it runs."""
    lasted: float = 0
    """How long the orchestra was open when it ended."""
    report: Report | None = None
    """The figures; None until the time is over, or where it ended before anything was measured."""
    _load_error: Exception | None = None
    _scope: trio.CancelScope = attrs.Factory(trio.CancelScope)
    _done: trio.Event = attrs.Factory(trio.Event)
    """Set by whatever ends it before its time."""
    _is_open: bool = False

    async def run(self) -> None:
        """Run the orchestra and measure it; then `report` has the figures.

        Raises:
            LoadFailed: The load raised an exception.
            BaseExceptionGroup: The orchestra failed.
        """
        self.token = trio.lowlevel.current_trio_token()
        with self._scope:
            async with self.orchestra.open() as running:
                self._is_open = True
                await self._measure(running)
        if self._load_error is not None:
            raise LoadFailed from self._load_error

    def interrupt(self) -> None:
        """End it early, with the figures so far."""
        self._end("interrupted")
        if not self._is_open:
            self._scope.cancel()

    def _end(self, ending: Ending) -> None:
        if not self._done.is_set():
            self.ending = ending
            self._done.set()

    async def _measure(self, running: Running) -> None:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._note_end, running)
            nursery.start_soon(self._drive, running)
            if self.warm_up:  # else the first reading is there before the load does anything
                with trio.move_on_after(self.warm_up):
                    await self._done.wait()
            if not self._done.is_set():
                await self._look_on(running)
            self.lasted = running.statistics().uptime
            running.cancel()

    async def _note_end(self, running: Running) -> None:
        await running.wait_stopped()
        self._end("ended")

    async def _drive(self, running: Running) -> None:  # noqa: ASYNC910 - leaving a nursery is a checkpoint
        """Run the load; when it has ended, what is still under way is handled, and then everything ends.

        Nobody is to wait for the embedding program, so what goes out is read unless the load may do that.
        """
        async with trio.open_nursery() as nursery:
            if self.load is None or isinstance(self.load, Routing):
                nursery.start_soon(_discard, running)
            if self.load is not None:
                await self._call(self.load, running)
            running.close_input()
            if self.load is not None and not isinstance(self.load, Routing):
                nursery.start_soon(_discard, running)

    async def _call(self, load: Load, running: Running) -> None:  # noqa: ASYNC910 - what the load does is the user's
        try:
            await load(running)
        except trio.ClosedResourceError as error:
            with trio.move_on_after(INTERVAL):
                await running.wait_input_closed()
                return  # the orchestra has ended its input by itself: there is nothing more to drive
            self._fail(error)
        except Exception as error:  # noqa: BLE001 - raised by `run`, once the orchestra has ended
            self._fail(error)

    def _fail(self, error: Exception) -> None:
        self._load_error = error
        self._done.set()

    async def _look_on(self, running: Running) -> None:  # noqa: ASYNC910 - it waits, until some time at the latest
        first = self._read(running, traffic=True)
        deadline = first.time + self.seconds
        tally = Tally(_capacities(running), first)
        costs = deque([0.0], maxlen=_COSTS)  # the least counts: one that was disturbed says nothing about the next
        is_last = False
        while not is_last:
            pause = max(INTERVAL, 100 * min(costs)) * random.uniform(0.5, 1.5)  # noqa: S311 - as good as any
            # Of uneven length, so that it does not keep step with what it looks at.
            with trio.move_on_at(min(deadline, trio.current_time() + pause)):
                await self._done.wait()
            is_last = self._done.is_set() or trio.current_time() >= deadline
            begun = time.thread_time()
            tally.add(self._read(running, traffic=is_last))
            costs.append(time.thread_time() - begun)
        if tally.last.time > first.time:
            self.report = make_report(running.graph(), first, tally, warm_up=self.warm_up, ending=self.ending)

    def _read(self, running: Running, *, traffic: bool) -> Reading:
        figures = running.graph().figures if traffic else None
        return Reading(
            time=trio.current_time(),
            statistics=running.statistics(),
            outgoing=running.outgoing.meter.read(),
            traffic=() if figures is None else figures.traffic,
            computed=self.processor_time(),
        )


def _capacities(running: Running) -> dict[Place, int | None]:
    figures = running.graph().figures
    queues = () if figures is None else figures.queues
    capacities = {Place(one.consumer, one.lane): one.capacity for one in queues}
    capacities[Place(OUTGOING, "bounded")] = int(running.outgoing.statistics().max_buffer_size)
    return capacities


async def _discard(running: Running) -> None:
    """Read what goes out, so that nobody waits for the embedding program."""
    with suppress(trio.ClosedResourceError):  # the load may have closed it
        async for _ in running.outgoing:
            pass
    await trio.lowlevel.checkpoint()
