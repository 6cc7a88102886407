"""Law 7: a bounded lane never holds more than its capacity, and a full one makes senders wait.

The capacities in all other random episodes are checked after every step of a task as well: see `performance.Watch`.
"""

from __future__ import annotations

from collections import Counter
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import attrs
import trio
import trio.testing
from hypothesis import given
from hypothesis import strategies as st

from orchestra_trio import Orchestra, Priority, Subsystem, SubsystemContext, subsystem
from tests.laws.drawing import episodes
from tests.laws.performance import perform, run
from tests.laws.wirings import MESSAGES, SIGNALS, Episode, Message, Signal

if TYPE_CHECKING:
    from collections.abc import Iterator

Parcel: Any = MESSAGES[0]
Tick: Any = SIGNALS[0]


@given(episodes(cancelled=False, endings=("leave", "terminate")))
def test_no_lane_is_ever_beyond_its_capacity(episode: Episode) -> None:
    """The peaks of the meters say so, too, at the end."""
    performance = perform(episode)
    for number, plan in enumerate(episode.slots):
        for lane in ("priority", "bounded"):
            readout = performance.lanes.get((f"s{number}", lane))
            assert readout is None or readout.peak_channel_len <= plan.capacity


@attrs.define
class Scene:
    """Tasks of one subsystem send as much as they get rid of; the consumer takes some, rests, and looks."""

    capacity: int
    sending: list[tuple[str, int, bool]]
    """For each task: how, how many, and with high priority or not."""
    taking: list[int]
    """How many the consumer takes before each rest."""
    sent: Counter[bool] = attrs.Factory(Counter)
    taken: Counter[bool] = attrs.Factory(Counter)

    async def produce(self, ctx: SubsystemContext[Any, Message]) -> None:
        for one in self.sending:
            ctx.start_soon(self.send, ctx, *one)
        await trio.lowlevel.checkpoint()

    async def send(self, ctx: SubsystemContext[Any, Message], how: str, count: int, high: bool) -> None:
        priority = Priority.HIGH if high else Priority.NORMAL
        if how == "many":
            await ctx.send_many(self.parcels(count, high), priority=priority)
            return
        for parcel in self.parcels(count, high):
            await ctx.send(parcel, priority=priority)

    def parcels(self, count: int, high: bool) -> Iterator[Message]:
        """Yield messages, and count each as sent when the next one is asked for."""
        for _ in range(count):
            yield Parcel(int(high))
            self.sent[high] += 1

    async def consume(self, ctx: SubsystemContext[Message]) -> None:
        for count in [0, *self.taking]:
            await self.take(ctx, count)
            await trio.testing.wait_all_tasks_blocked()
            for high in (True, False):
                total = sum(number for _, number, one in self.sending if one is high)
                assert self.sent[high] == min(total, self.taken[high] + self.capacity)
        async for _ in ctx:
            pass

    async def take(self, ctx: SubsystemContext[Message], count: int) -> None:
        """Take so many messages if there are."""
        with trio.move_on_after(1), suppress(trio.EndOfChannel):
            while count:
                for message in await ctx.receive_many(count):
                    self.taken[bool(message.number)] += 1
                    count -= 1


@given(
    st.integers(1, 4),
    st.lists(st.tuples(st.sampled_from(["one", "many"]), st.integers(1, 5), st.booleans()), min_size=1, max_size=4),
    st.lists(st.integers(1, 4), max_size=4),
    st.integers(1, 8),
    st.integers(0, 2**32),
)
def test_a_full_lane_makes_senders_wait(
    capacity: int, sending: list[tuple[str, int, bool]], taking: list[int], yield_every: int, seed: int
) -> None:
    """While the consumer rests, exactly as many sends have returned as there was room for, by lane."""

    class Narrow(Orchestra, yield_every=yield_every):
        producer: Subsystem[Any, Message] = subsystem(consumes=(), sends=Parcel)
        consumer: Subsystem[Message] = subsystem(consumes=Parcel, message_capacity=capacity, priority=True)

    scene = Scene(capacity, sending, taking)
    narrow = Narrow(producer=scene.produce, consumer=scene.consume)
    run(narrow.run, seed)


@given(st.integers(1, 3), st.integers(1, 8), st.integers(0, 2**32))
def test_only_the_broadcaster_waits_for_a_lane_of_signals(capacity: int, count: int, seed: int) -> None:
    """Signals go beyond the capacity, all of them at once; who broadcast them waits until the lane is within it."""
    heard: list[int] = []
    returned: list[int] = []

    async def listen(ctx: SubsystemContext[Any, Any, Signal]) -> None:
        await trio.sleep(1)
        async for signal in ctx:
            heard.append(signal.number)
            for _ in range(4):  # enough for the broadcaster to go on
                await trio.lowlevel.checkpoint()

    class Deaf(Orchestra[Tick]):
        listener: Subsystem[Any, Any, Tick] = subsystem(consumes=(), sends=(), signal_capacity=capacity)

    async def main() -> None:
        async def broadcast(number: int) -> None:
            await running.broadcast_signal(Tick(number))
            returned.append(number)

        async with Deaf(listener=listen).open() as running, trio.open_nursery() as nursery:
            for number in range(count):
                nursery.start_soon(broadcast, number)
            await trio.testing.wait_all_tasks_blocked()
            assert running.statistics().subsystems["listener"].signals.channel_len == count
            assert len(returned) == min(count, capacity)

    run(main, seed)
    assert sorted(heard) == sorted(returned) == list(range(count))
