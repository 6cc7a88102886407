"""Runs of messages long enough to move on credit, watched after every step of every task.

The other random episodes send a few messages at a time, and hardly any of them on credit. Here producers send bursts,
and the tasks of one consumer take them, by all calls there are; each writes down what it did, in the same step.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import attrs
import trio
from hypothesis import given
from hypothesis import strategies as st

from orchestra_trio import Orchestra, Priority, Subsystem, SubsystemContext, subsystem
from tests.laws.performance import run

if TYPE_CHECKING:
    from orchestra_trio import Readout


@attrs.frozen
class Parcel:
    """What is sent."""

    sender: str
    lane: str
    number: int


@attrs.frozen
class Letter(Parcel):
    """The same, of another type."""


@attrs.frozen
class Tick:
    """A signal."""


LATE = 10_000
"""When the tasks of the consumer have all ended."""

HOWS = {"bounded": "bounded", "letter": "bounded", "batch": "bounded", "high": "priority", "unbounded": "unbounded"}
bursts = st.tuples(
    st.sampled_from(["bounded", "bounded", "letter", "batch", "high", "unbounded", "pause", "sleep"]),
    st.sampled_from([1, 3, 7, 20]),
)
takes = st.tuples(
    st.sampled_from(["one", "one", "next", "many", "nowait", "hear", "limited", "pause", "sleep"]),
    st.sampled_from([1, 3, 7, 20]),
)


@attrs.define(eq=False)
class Scene(trio.abc.Instrument):
    """Who sends and takes what, and what they wrote down."""

    capacity: int
    yield_every: int
    sending: dict[str, list[list[tuple[str, int]]]]
    """The tasks of each producer."""
    taking: list[list[tuple[str, int]]]
    """The tasks of the consumer."""
    ticks: list[float]
    mailbox: Any = None
    numbers: int = 0
    accepted: Counter[str] = attrs.Factory(Counter)
    """By lane."""
    pending: Counter[str] = attrs.Factory(Counter)
    got: list[Parcel] = attrs.Factory(list)
    receiving: int = 0
    calls: Counter[str] = attrs.Factory(Counter)
    """By subsystem, in this step of a task."""
    fault: AssertionError | None = None
    peaks: Counter[str] = attrs.Factory(Counter)

    def after_task_step(self, task: trio.lowlevel.Task) -> None:
        """Called by trio."""
        try:
            self.check()
        except AssertionError as fault:
            self.fault = self.fault or fault
        self.calls.clear()

    def check(self) -> None:
        """Conservation, back-pressure, and that nobody sleeps who could go on."""
        taken = 0
        for lane in self.mailbox.message_lanes:
            readout: Readout = lane.read()
            what = f"{lane.name}: {readout}, accepted {self.accepted}, pending {self.pending}"
            assert readout.channel_len == len(lane.items), what
            assert readout.sent == readout.received + readout.channel_len + lane.dead, what
            accepted = self.accepted[lane.name]
            assert accepted <= readout.sent <= accepted + self.pending[lane.name], what
            self.peaks[lane.name] = max(self.peaks[lane.name], readout.channel_len)
            assert readout.peak_channel_len >= self.peaks[lane.name], what
            if lane.name != "unbounded":
                assert readout.peak_channel_len <= self.capacity, what
                assert not lane.offers or readout.channel_len == self.capacity, f"a sender sleeps, {what}"
            assert not (self.mailbox.receivers and lane.items), f"a receiver sleeps, {what}"
            assert sum(lane.sent_by().values()) == readout.sent, what
            taken += readout.received
        assert len(self.got) <= taken <= len(self.got) + self.receiving, (len(self.got), taken)
        for who, calls in self.calls.items():
            assert calls <= self.yield_every, f"{calls} calls of {who} without a schedule point"

    async def produce(self, ctx: SubsystemContext[Any, Parcel]) -> None:
        for course in self.sending[ctx.name]:
            ctx.start_soon(self.send_bursts, ctx, course)
        await trio.lowlevel.checkpoint()

    async def send_bursts(self, ctx: SubsystemContext[Any, Parcel], course: list[tuple[str, int]]) -> None:
        me = f"{ctx.name} {id(course)}"
        for how, count in course:
            if how in {"pause", "sleep"}:
                await trio.sleep(how == "sleep")
            elif how == "batch":
                await self.send_batch(ctx, me, count)
            else:
                for _ in range(count):
                    await self.send(ctx, me, how)

    async def send_batch(self, ctx: SubsystemContext[Any, Parcel], me: str, count: int) -> None:
        batch = [self.make(Parcel, me, "bounded") for _ in range(count)]
        self.pending["bounded"] += count
        await ctx.send_many(batch)
        self.pending["bounded"] -= count
        self.accepted["bounded"] += count
        self.calls[ctx.name] += 1

    async def send(self, ctx: SubsystemContext[Any, Parcel], me: str, how: str) -> None:
        lane = HOWS[how]
        parcel = self.make(Letter if how == "letter" else Parcel, me, lane)
        self.pending[lane] += 1
        if lane == "unbounded":
            ctx.send_unbounded(parcel)
        else:
            await ctx.send(parcel, priority=Priority.HIGH if how == "high" else Priority.NORMAL)
            self.calls[ctx.name] += 1
        self.pending[lane] -= 1
        self.accepted[lane] += 1

    def make(self, kind: type[Parcel], me: str, lane: str) -> Parcel:
        self.numbers += 1
        return kind(me, lane, self.numbers)

    async def consume(self, ctx: SubsystemContext[Parcel, Any, Tick]) -> None:
        for course in self.taking:
            ctx.start_soon(self.take_bursts, ctx, course)
        await trio.sleep(LATE)
        self.receiving += 1  # from now on
        async for item in ctx:
            self.note(item)

    async def take_bursts(self, ctx: SubsystemContext[Parcel, Any, Tick], course: list[tuple[str, int]]) -> None:
        with suppress(trio.EndOfChannel, StopAsyncIteration):
            for how, count in course:
                if how in {"pause", "sleep"}:
                    await trio.sleep(how == "sleep")
                elif how == "many":
                    await self.take(ctx, how, count)
                else:
                    for _ in range(count):
                        await self.take(ctx, how, 1)

    async def take(self, ctx: SubsystemContext[Parcel, Any, Tick], how: str, count: int) -> None:
        is_signal_due = bool(self.mailbox.signals.items) and len(self.taking) == 1  # nobody else can take it
        self.receiving += count
        batch: list[Any] = []
        try:
            with trio.move_on_after(0 if how == "limited" else 2):
                match how:
                    case "many":
                        batch = [*await ctx.receive_many(count)]
                    case "nowait":
                        with suppress(trio.WouldBlock):
                            batch = [ctx.receive_nowait()]
                    case "next":
                        batch = [await anext(ctx)]
                    case "hear":
                        batch = [await ctx.receive_signal()]
                    case _:
                        batch = [await ctx.receive()]
                self.calls[ctx.name] += how != "nowait"
        finally:
            self.receiving -= count
        assert not (is_signal_due and batch) or isinstance(batch[0], Tick), f"{batch} before a signal"
        for item in batch:
            self.note(item)

    def note(self, item: Parcel | Tick) -> None:
        if isinstance(item, Parcel):
            self.got.append(item)

    async def play(self) -> None:
        class Busy(Orchestra[Tick], yield_every=self.yield_every):
            p0: Subsystem[Any, Parcel] = subsystem(consumes=(), sends=(Parcel, Letter), unbounded={Parcel: "a scene"})
            p1: Subsystem[Any, Parcel] = subsystem(consumes=(), sends=(Parcel, Letter), unbounded={Parcel: "a scene"})
            consumer: Subsystem[Any, Any, Tick] = subsystem(
                consumes=(Parcel, Letter), sends=(), message_capacity=self.capacity, priority=True
            )

        async with Busy(p0=self.produce, p1=self.produce, consumer=self.consume).open() as running:
            self.mailbox = running._run.subsystems["consumer"].mailbox
            trio.lowlevel.add_instrument(self)
            for pause in self.ticks:
                await trio.sleep(pause)
                await running.broadcast_signal(Tick())
        trio.lowlevel.remove_instrument(self)
        if self.fault is not None:
            raise self.fault


courses = st.lists(st.lists(bursts, min_size=1, max_size=8), min_size=1, max_size=2)


@given(
    st.sampled_from([1, 2, 5, 30, 100]),
    st.sampled_from([1, 2, 9, 64, 64]),
    st.fixed_dictionaries({"p0": courses, "p1": courses}),
    st.lists(st.lists(takes, min_size=1, max_size=8), min_size=1, max_size=3),
    st.lists(st.sampled_from([0, 0, 0.5, 1, 3]), max_size=5),
    st.integers(0, 2**32),
)
def test_all_holds_at_every_moment_of_long_runs(
    capacity: int,
    yield_every: int,
    sending: dict[str, list[list[tuple[str, int]]]],
    taking: list[list[tuple[str, int]]],
    ticks: list[float],
    seed: int,
) -> None:
    """And at the end, each message was received once, those of one task and lane in the order they were sent."""
    scene = Scene(capacity, yield_every, sending, taking, ticks)
    run(scene.play, seed)
    assert sorted(parcel.number for parcel in scene.got) == [*range(1, scene.numbers + 1)]
    by_task: defaultdict[tuple[str, str], list[int]] = defaultdict(list)
    if len(taking) == 1:  # else the tasks of the consumer may write down in another order what they took
        for parcel in scene.got:
            by_task[parcel.sender, parcel.lane].append(parcel.number)
    assert all(numbers == sorted(numbers) for numbers in by_task.values())
