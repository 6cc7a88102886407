"""Draining wirings without cycles: who ends when, and what is still received."""

from __future__ import annotations

from typing import Any, Never

import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from orchestra_trio import Orchestra, Subsystem, SubsystemContext, subsystem
from tests.runtime.samples import (
    AnyContext,
    Collect,
    Duo,
    Item,
    Other,
    Sends,
    Solo,
    Tick,
    done,
    forever,
    idle,
)


class Chain(Orchestra[Tick], message_capacity=2):
    """Three in a row, declared from the last to the first."""

    last: Subsystem[bytes, Never, Tick]
    middle: Subsystem[Other, bytes]
    first: Subsystem[Item, Other]


class Noted:
    """Subsystems that note when they get to the end of their input, and when they end."""

    def __init__(self) -> None:
        self.log: list[tuple[str, str]] = []

    def subsystem(self, *flush: Any, after: float = 0) -> Any:  # noqa: ANN401 - messages and contexts of any types
        async def run(ctx: AnyContext) -> None:
            async for _ in ctx:
                pass
            self.log.append((ctx.name, "end of input"))
            await trio.sleep(after)
            await ctx.send_many(flush)
            self.log.append((ctx.name, "ended"))

        return run

    @property
    def order(self) -> list[str]:
        return [name for name, what in self.log if what == "ended"]


async def test_a_chain_ends_upstream_first_and_flushes_are_received(autojump_clock: MockClock) -> None:
    """Law 10: end-of-input comes when all upstream has ended; what those send at their end is still consumed."""
    noted = Noted()
    last = Collect()
    async with Chain(
        first=noted.subsystem(*map(Other, range(5)), after=2),
        middle=noted.subsystem(b"1", b"2", b"3", after=1),
        last=last,
    ).open() as running:
        await running.route_message(Item(0))
    assert noted.log == [
        ("first", "end of input"),
        ("first", "ended"),
        ("middle", "end of input"),
        ("middle", "ended"),
    ]
    assert last.got == [b"1", b"2", b"3"]
    assert running.statistics().subsystems["middle"].bounded.received == 5
    assert trio.current_time() == 3


async def test_what_lies_in_lanes_is_received_before_the_end_of_input(autojump_clock: MockClock) -> None:
    """Signals, too."""
    last = Collect(delay=2)
    async with Chain(first=idle, middle=done, last=last).open() as running:
        await running.route_message(b"1")
        await running.broadcast_signal(Tick())
    assert last.got == [Tick(), b"1"]


class Diamond(Orchestra, message_capacity=1):
    """Two ways from top to bottom."""

    bottom: Subsystem[bytes]
    left: Subsystem[Item, bytes]
    right: Subsystem[Other, bytes]
    top: Subsystem[str, Item | Other]


async def test_a_diamond_ends_when_both_sides_have(autojump_clock: MockClock) -> None:
    """A slow side does not keep the quick one from ending, but it does the bottom."""
    noted = Noted()
    bottom = Collect()
    async with Diamond(
        top=noted.subsystem(Item(0), Other(0)),
        left=noted.subsystem(b"left", after=5),
        right=noted.subsystem(b"right", after=1),
        bottom=bottom,
    ).open() as running:
        running.close_input()
        await trio.sleep(3)
        states = running.map_subsystems(lambda one: one.state)
        assert states == ["running", "ending", "finished", "finished"]
    assert noted.order == ["top", "right", "left"]
    assert bottom.got == [b"right", b"left"]


async def test_all_upstream_counts_also_behind_one_that_has_ended(autojump_clock: MockClock) -> None:
    """Law 10 is about all that lies upstream, not about direct senders alone."""
    noted = Noted()
    async with Chain(first=noted.subsystem(after=4), middle=done, last=noted.subsystem()).open():
        await wait_all_tasks_blocked()
    assert noted.order == ["first", "last"]
    assert trio.current_time() == 4


async def test_a_source_that_does_not_receive_is_waited_for(autojump_clock: MockClock) -> None:
    """Nothing tells it to end; `on_exit="stop"` or its own work does."""

    async def source(ctx: SubsystemContext[Never, Item]) -> None:
        for number in range(5):
            await trio.sleep(1)
            await ctx.send(Item(number))

    sink = Collect()
    await Duo(source=source, sink=sink).run()
    assert trio.current_time() == 5
    assert sink.numbers == [0, 1, 2, 3, 4]


async def test_a_subsystem_gets_end_of_input_whatever_its_jobs_and_deadlines(autojump_clock: MockClock) -> None:
    """Without an inner cycle nothing can come any more, so that there is nothing to wait for."""
    ended: list[float] = []

    async def worker(ctx: AnyContext) -> None:
        ctx.start_soon(trio.sleep, 9)
        with trio.move_on_after(5):
            await idle(ctx)
        ended.append(trio.current_time())

    async with Solo(worker=worker).open():
        await trio.sleep(2)
    assert ended == [2]
    assert trio.current_time() == 9


async def test_independent_subsystems_end_at_once(autojump_clock: MockClock) -> None:
    """They do not wait for each other."""

    class Apart(Orchestra):
        a: Subsystem[Item]
        b: Subsystem[Other]

    noted = Noted()
    await Apart(a=noted.subsystem(after=5), b=noted.subsystem()).run()
    assert noted.order == ["b", "a"]


async def test_subsystems_that_ended_before_the_drain_do_not_hold_it_up(autojump_clock: MockClock) -> None:
    """Nor does one that is not built."""

    class Planned(Orchestra):
        first: Subsystem[str, Item]
        planned: Subsystem[Item, Other] = subsystem(wip=True)
        last: Subsystem[Other]

    last = Collect()
    async with Planned(first=done, last=last).open() as running:
        await running.route_message(Other(1))
        await wait_all_tasks_blocked()
    assert last.numbers == [1]
    async with Chain(first=done, middle=done, last=idle).open():
        await wait_all_tasks_blocked()


async def test_close_input_may_be_called_inside_the_block(autojump_clock: MockClock) -> None:
    """It is sync; calling it again does nothing; the block goes on, and is refused all outside input."""
    worker = Collect()
    async with Solo(worker=worker).open() as running:
        await running.route_message(Item(1))
        running.close_input()
        running.close_input()
        for _ in range(2):
            with pytest.raises(trio.ClosedResourceError, match="the input of Solo is closed"):
                await running.route_message(Item(2))
            with pytest.raises(trio.ClosedResourceError):
                running.route_message_nowait(Item(2))
            await running.wait_stopped()
        await running.wait_input_closed()
        await trio.sleep(5)
    assert worker.numbers == [1]
    assert running.statistics().dead_letters == {}


async def test_signals_are_still_sent_while_all_drain(autojump_clock: MockClock) -> None:
    """They are no outside input; who has ended gets none."""
    last = Collect()
    async with Chain(first=idle, middle=Collect(delay=3), last=last).open() as running:
        running.close_input()
        await trio.sleep(1)
        assert await running.broadcast_signal(Tick(1)) == 1
        await running.wait_stopped()
        assert await running.broadcast_signal(Tick(2)) == 2
    assert last.numbers == [1]


async def test_on_exit_stop_closes_the_input(autojump_clock: MockClock) -> None:
    """When that subsystem ends normally; by default the others go on."""

    class Led(Orchestra):
        leader: Subsystem[Never, Item] = subsystem(on_exit="stop")
        follower: Subsystem[Item | str]

    async def leader(ctx: SubsystemContext[Never, Item]) -> None:
        await trio.sleep(3)
        await ctx.send(Item(1))

    follower = Collect()
    async with Led(leader=leader, follower=follower).open() as running:
        await running.wait_input_closed()
        assert trio.current_time() == 3
        with pytest.raises(trio.ClosedResourceError):
            await running.route_message("late")
        await running.wait_stopped()
    assert follower.got == [Item(1)]

    async with Duo(source=done, sink=idle).open() as running:
        await wait_all_tasks_blocked()
        await running.route_message(Item(1))


async def test_on_exit_stop_counts_for_a_normal_end_alone(autojump_clock: MockClock) -> None:
    """Who was cancelled has not ended its work; all is being cancelled anyway then."""

    class Led(Orchestra):
        leader: Subsystem[Never, Item] = subsystem(on_exit="stop")
        follower: Subsystem[Item | str]

    async with Led(leader=forever, follower=idle).open() as running:
        running.cancel()
        await wait_all_tasks_blocked()
    assert running.statistics().subsystems["leader"].state == "cancelled"


async def test_outside_tasks_that_use_a_sender_are_not_waited_for(autojump_clock: MockClock) -> None:
    """They are outside input: what comes after the end of its consumer is a dead letter."""
    senders: list[Any] = []

    async def source(ctx: SubsystemContext[Never, Item]) -> None:
        senders.append(ctx.sender)
        await trio.lowlevel.checkpoint()

    async def outside() -> None:
        await trio.sleep(4)
        await senders[0].send(Item(1))

    async with trio.open_nursery() as nursery:
        async with Duo(source=source, sink=idle).open() as running:
            await wait_all_tasks_blocked()
            nursery.start_soon(outside)
        assert trio.current_time() == 0
    assert [one.reason for one in running.dead_letters] == ["stopping"]


async def test_an_orchestra_of_nothing_but_wip_slots_ends_at_once(autojump_clock: MockClock) -> None:
    """What is routed becomes dead letters."""

    class Plan(Orchestra):
        later: Subsystem[Item] = subsystem(wip=True)

    async with Plan().open() as running:
        await running.route_message(Item(1))
        await running.wait_stopped()
        assert running.statistics().subsystems == {}
    assert running.statistics().dead_letters == {"wip": 1}


async def test_a_long_chain_drains_in_order(autojump_clock: MockClock) -> None:
    """Whatever the order in which tasks run."""
    count = 60
    types = [type(f"M{number}", (), {}) for number in range(count + 1)]
    slots: Any = Subsystem
    annotations = {f"s{number}": slots[types[number], types[number + 1], Never] for number in range(count)}
    make: Any = type(Orchestra)
    made = make("Long", (Orchestra,), {"__annotations__": annotations}, unconsumed="allow")
    noted = Noted()
    async with made(
        **{f"s{number}": noted.subsystem(types[number + 1]()) for number in range(count)}
    ).open() as running:
        pass
    assert noted.order == [f"s{number}" for number in range(count)]
    assert running.statistics().dead_letters == {"unconsumed": 1}


async def test_sends_run_to_their_end_before_their_consumers_get_the_end_of_input(autojump_clock: MockClock) -> None:
    """A full lane only makes the sender slower."""
    sink = Collect(delay=1)
    await Duo(source=Sends(*map(Item, range(100))), sink=sink).run()
    assert sink.numbers == list(range(100))
