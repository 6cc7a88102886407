"""Fakes for those who meet at a lane, a plain model of one, and tasks that wait."""

from __future__ import annotations

import contextlib
from collections import Counter, OrderedDict
from typing import TYPE_CHECKING, Any

import attrs
import trio
from trio.testing import wait_all_tasks_blocked

from orchestra_trio.records import Readout

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable
    from typing import Self

    from orchestra_trio.delivery.lanes import Lane


@attrs.define
class FakeClock:
    """A clock that moves when it is told to."""

    time: float = 1000.0

    def __call__(self) -> float:
        return self.time


@attrs.define(eq=False)
class FakeReceiver:
    """Somebody who waits to take one item."""

    got: list[Any] = attrs.Factory(list)
    ends: int = 0

    def hand(self, item: object) -> None:
        self.got.append(item)

    def end(self) -> None:
        self.ends += 1


@attrs.define(eq=False)
class FakeSender:
    """Somebody who waits to put one item into a full lane."""

    name: str = "waiting"
    admissions: int = 0
    refusals: list[BaseException | None] = attrs.Factory(list)
    log: list[FakeSender] = attrs.Factory(list)
    """Shared by several, it shows in which order they were admitted."""

    def admit(self) -> None:
        self.admissions += 1
        self.log.append(self)

    def refuse(self, error: BaseException | None) -> None:
        self.refusals.append(error)


@attrs.define(eq=False)
class FakeReply:
    """A reply end that a message carries."""

    cancellations: int = 0

    def cancel(self) -> None:
        self.cancellations += 1


@attrs.define(eq=False)
class Entry:
    """One item, and all that is to be known of it."""

    item: object
    sender: str | None = None
    reply: FakeReply | None = None
    stamp: float | None = None


@attrs.define(eq=False)
class LaneModel:
    """What a lane should be."""

    capacity: float
    clock: FakeClock
    tof_every: int = 16
    queue: list[Entry] = attrs.Factory(list)
    offers: list[tuple[FakeSender, Entry]] = attrs.Factory(list)
    admitted: list[FakeSender] = attrs.Factory(list)
    handed: list[object] = attrs.Factory(list)
    """What was given to somebody who waited."""
    sent: int = 0
    received: int = 0
    dead: int = 0
    peak: int = 0
    blocked: int = 0
    tof: list[float] = attrs.Factory(list)
    shut: bool = False
    sent_by: Counter[str | None] = attrs.Factory(Counter)

    @property
    def has_room(self) -> bool:
        return not self.shut and len(self.queue) < self.capacity

    @property
    def has_something(self) -> bool:
        return bool(self.queue or self.offers)

    def _count(self, entry: Entry) -> None:
        self.sent += 1
        self.sent_by[entry.sender] += 1
        if self.sent % self.tof_every == 0:
            entry.stamp = self.clock()

    def put(self, entry: Entry) -> None:
        self._count(entry)
        self.queue.append(entry)
        self.peak = max(self.peak, len(self.queue))

    def hand_over(self, entry: Entry) -> None:
        """Somebody waits for the item: it only passes."""
        self._count(entry)
        self._leave(entry)
        self.handed.append(entry.item)

    def _leave(self, entry: Entry) -> None:
        self.received += 1
        if entry.stamp is not None:
            self.tof.append(self.clock() - entry.stamp)

    def _admit(self) -> Entry:
        waiting, entry = self.offers.pop(0)
        self._count(entry)
        self.admitted.append(waiting)
        return entry

    def take(self) -> object:
        entry = self.queue.pop(0) if self.queue else self._admit()
        self._leave(entry)
        while self.offers and self.has_room:
            self.queue.append(self._admit())
        return entry.item

    def offer(self, waiting: FakeSender, entry: Entry) -> None:
        self.blocked += 1
        self.offers.append((waiting, entry))

    def withdraw(self, waiting: FakeSender) -> None:
        self.offers = [one for one in self.offers if one[0] is not waiting]

    def bury(self) -> list[Entry]:
        self.shut = True
        dead, self.queue = self.queue, []
        self.dead += len(dead)
        return dead

    def readout(self) -> Readout:
        return Readout(
            sent=self.sent,
            received=self.received,
            channel_len=len(self.queue),
            peak_channel_len=self.peak,
            blocked=self.blocked,
            tof=tuple(self.tof[-100:]),
        )

    def check(self, lane: Lane[Any], *, beyond: bool = False) -> None:
        """Compare the lane with this model, and see that it keeps the laws; `beyond` allows more than its capacity."""
        assert list(lane.items) == [entry.item for entry in self.queue]
        assert list(lane.offers) == [waiting for waiting, _ in self.offers]
        readout = lane.read()
        assert readout == self.readout()
        assert lane.sent_by() == self.sent_by
        # Conservation (law 1) and back-pressure (law 7), at every moment.
        assert readout.sent == readout.received + readout.channel_len + lane.dead
        assert lane.dead == self.dead
        assert len(lane) == readout.channel_len
        assert beyond or len(lane) <= lane.capacity
        assert not lane.offers or len(lane) == lane.capacity or lane.is_shut
        assert lane.is_shut == self.shut
        # Nobody is told twice, and nobody before their turn.
        assert [waiting.admissions for waiting, _ in self.offers] == [0] * len(self.offers)
        assert all(waiting.admissions == 1 for waiting in self.admitted)


def queue_of(*receivers: FakeReceiver) -> OrderedDict[Any, None]:
    """Return a queue in which these wait."""
    return OrderedDict.fromkeys(receivers)


@attrs.define
class Waiter:
    """A task that waits: how that ended, and a scope to cancel it by."""

    wait: Callable[[], Awaitable[object]]
    scope: trio.CancelScope = attrs.Factory(trio.CancelScope)
    result: object = "waits"

    async def run(self) -> None:
        with self.scope:
            try:
                self.result = await self.wait()
            except Exception as error:  # noqa: BLE001  # every outcome is a result
                self.result = error
        if self.scope.cancelled_caught:
            self.result = "cancelled"


@contextlib.asynccontextmanager
async def waiting(*waits: Callable[[], Awaitable[object]]) -> AsyncGenerator[list[Waiter]]:
    """Have tasks wait within the block, each before the next begins, and see that all end by the end of it."""
    waiters = [Waiter(wait) for wait in waits]
    async with trio.open_nursery() as nursery:
        for waiter in waiters:
            nursery.start_soon(waiter.run)
            await wait_all_tasks_blocked()
        yield waiters


def results(waiters: list[Waiter]) -> list[object]:
    return [waiter.result for waiter in waiters]


@attrs.define(eq=False)
class Counting(trio.abc.Instrument):
    """Counts how often the task that made it was resumed: each time is a schedule point or a wake-up."""

    task: trio.lowlevel.Task = attrs.Factory(trio.lowlevel.current_task)
    count: int = 0

    def before_task_step(self, task: trio.lowlevel.Task) -> None:
        self.count += task is self.task

    async def __aenter__(self) -> Self:
        trio.lowlevel.add_instrument(self)
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        trio.lowlevel.remove_instrument(self)
