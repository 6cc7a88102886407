"""Workers against a plain model: a queue that a number of servers take from, first come first served.

The model knows nothing of tasks: each message begins when it has come and the first server is free. So it says at once
that every message is handled once and in order, never by more workers than there are, and that no worker idles while a
message waits. An instrument looks after every step of every task whether a message left its lane too early.
"""

from __future__ import annotations

import heapq
from itertools import cycle
from typing import TYPE_CHECKING, Any, Never

import attrs
import trio
from hypothesis import example, given
from hypothesis import strategies as st

from orchestra_trio import Orchestra, Subsystem, SubsystemContext, subsystem
from tests.laws.performance import run

if TYPE_CHECKING:
    from orchestra_trio import RunningOrchestra, SubsystemStatistics, Workers


@attrs.frozen
class Parcel:
    number: int
    duration: int
    """Seconds that a worker needs for it."""


@attrs.frozen
class Tick:
    number: int


@attrs.frozen
class Plan:
    """What comes when, and what is there for it."""

    parcels: list[tuple[int, int]]
    """After how many seconds each comes, counted from the one before, and how long it takes."""
    signals: list[int]
    """After how many seconds each is broadcast, counted from the one before."""
    max_in_flight: int = 1
    capacity: int = 1
    yield_every: int = 1
    patience: tuple[int | None, ...] = (None,)
    """After how many seconds each wait for what comes next is cancelled, in turns; None for never."""


def model(plan: Plan) -> tuple[list[tuple[int, int]], int]:
    """When which parcel's work begins, in order, and when all has ended."""
    free_at = [0] * plan.max_in_flight
    begins: list[tuple[int, int]] = []
    now = sum(plan.signals)
    arrival = 0
    for number, (pause, duration) in enumerate(plan.parcels):
        arrival += pause
        begin = max(arrival, heapq.heappop(free_at))
        heapq.heappush(free_at, begin + duration)
        begins.append((number, begin))
    return begins, max(now, arrival, *free_at)


@attrs.define(eq=False)
class Stage(trio.abc.Instrument):
    """Plays a plan with a real orchestra, and notes what happens."""

    plan: Plan
    begins: list[tuple[int, int]] = attrs.Factory(list)
    heard: list[tuple[int, int]] = attrs.Factory(list)
    """Which signal was received when."""
    overtaken: list[tuple[int, int]] = attrs.Factory(list)
    """For each signal: how many messages were received before it, and how many had left the lane when it was sent."""
    received: int = 0
    ended_at: float = 0
    faults: list[str] = attrs.Factory(list)
    taken_before: dict[int, int] = attrs.Factory(dict)
    workers: Workers[Any, Any] | None = None
    running: RunningOrchestra[Tick, Never] | None = None

    @property
    def statistics(self) -> SubsystemStatistics:
        assert self.running is not None
        return self.running.statistics().subsystems["shop"]

    def after_task_step(self, task: trio.lowlevel.Task) -> None:
        if self.workers is None or self.running is None:
            return
        one = self.statistics
        places = self.workers.max_in_flight - self.workers.in_flight
        on_the_way = one.bounded.received - self.received
        if on_the_way > places:
            self.faults.append(f"{on_the_way} messages taken for {places} places")
        if places and one.bounded.channel_len and any(wait.kind == "receive" for wait in one.waits):
            self.faults.append(f"the iteration sleeps, with {places} places free: {one.bounded}")
        if one.jobs != self.workers.in_flight:
            self.faults.append(f"{one.jobs} jobs counted, of {self.workers.in_flight}")

    async def shop(self, ctx: SubsystemContext[Parcel, Never, Tick]) -> None:
        async with ctx.open_workers(self.plan.max_in_flight) as self.workers:
            for patience in cycle(self.plan.patience):
                with trio.move_on_after(float("inf") if patience is None else patience):
                    async for incoming in self.workers:
                        self.take(incoming)
                    break
        self.workers = None

    def take(self, incoming: Parcel | Tick) -> None:
        now = int(trio.current_time())
        if isinstance(incoming, Tick):
            self.heard.append((incoming.number, now))
            self.overtaken.append((self.received, self.taken_before[incoming.number]))
            return
        assert self.workers is not None
        self.received += 1
        self.begins.append((incoming.number, now))
        self.workers.start_soon(trio.sleep, incoming.duration)

    async def send(self) -> None:
        assert self.running is not None
        for number, (_, duration) in enumerate(self.plan.parcels):
            await trio.sleep_until(sum(before for before, _ in self.plan.parcels[: number + 1]))
            await self.running.route_message(Parcel(number, duration))

    async def broadcast(self) -> None:
        assert self.running is not None
        for number, pause in enumerate(self.plan.signals):
            await trio.sleep(pause)
            self.taken_before[number] = self.statistics.bounded.received
            await self.running.broadcast_signal(Tick(number))

    async def play(self) -> None:
        class Shop(Orchestra[Tick], yield_every=self.plan.yield_every, message_timeout=float("inf")):
            shop: Subsystem[Parcel, Never, Tick] = subsystem(message_capacity=self.plan.capacity)

        trio.lowlevel.add_instrument(self)
        async with Shop(shop=self.shop).open() as self.running, trio.open_nursery() as nursery:
            nursery.start_soon(self.send)
            nursery.start_soon(self.broadcast)
        self.ended_at = trio.current_time()


seconds = st.integers(0, 3)
plans: st.SearchStrategy[Plan] = st.builds(
    Plan,
    st.lists(st.tuples(seconds, seconds), max_size=12),
    st.lists(seconds, max_size=5),
    st.integers(1, 4),
    st.integers(1, 4),
    st.integers(1, 5),
    st.lists(st.one_of(st.none(), seconds), min_size=1, max_size=3)
    .filter(lambda some: some.count(0) < len(some))
    .map(tuple),
)
seeds = st.integers(0, 2**32)


@given(plans, seeds)
@example(Plan([(0, 1), (0, 1), (0, 1)], [1, 1], max_in_flight=2), 0)
@example(Plan([(0, 1), (1, 1), (1, 1)], [1]), 1)
@example(Plan([(0, 0)] * 6, [0, 0], max_in_flight=2, patience=(0, 1)), 2)
def test_workers_are_a_queue_with_so_many_servers(plan: Plan, seed: int) -> None:
    """Each message begins when the model says; a signal is received when it is sent, before what lies in the lane."""
    stage = Stage(plan)
    run(stage.play, seed)
    assert not stage.faults
    assert (stage.begins, stage.ended_at) == model(plan)
    assert [number for number, _ in stage.heard] == list(range(len(plan.signals)))
    assert [at for _, at in stage.heard] == [sum(plan.signals[: number + 1]) for number in range(len(plan.signals))]
    assert all(received <= taken for received, taken in stage.overtaken)
