"""`running.dump()`: where all subsystems stand, as text that shows what keeps them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Never

import trio

from orchestra_trio import (
    Orchestra,
    Priority,
    Restart,
    Spawner,
    Subsystem,
    subsystem,
)
from tests.runtime.samples import (
    AnyContext,
    Ask,
    Duo,
    Fails,
    Item,
    Other,
    Ring,
    Sends,
    Solo,
    Tick,
    done,
    forever,
    idle,
    stopped,
)
from tests.runtime.watch.dumps import section, titles

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from trio.testing import MockClock


async def test_a_dump_as_a_whole(autojump_clock: MockClock) -> None:
    """The orchestra, then for each subsystem what it waits for, its counts, its lanes, and what its tasks do."""

    async def source(ctx: AnyContext) -> None:
        await ctx.send_many([Item(number) for number in range(9)])

    async def sink(ctx: AnyContext) -> None:
        ctx.start_soon(trio.sleep_forever, name="clock")
        await trio.sleep(1)
        await ctx.receive()
        await trio.sleep(2)

    async with Duo(source=source, sink=sink).open() as running:
        await trio.sleep(2.5)
        text = running.dump()
        running.cancel()
    text = re.sub(rf"{re.escape(__file__)}(:|\", line )\d+", r"test_dump.py\g<1>0", text)
    assert text == (
        """\
Duo: up 2.500 s, epoch 0, dead letters: none

source: running, waits for room at 'sink' (bounded lane), to send an Item
  task source: waits for room at 'sink' (bounded lane), to send an Item, for 1.500 s
    File "test_dump.py", line 0, in source
      await ctx.send_many([Item(number) for number in range(9)])

sink: running, stands at test_dump.py:0, in sink
  1 job
  bounded lane: 2 now, 2 at the most, 3 sent, 1 received, senders waited 2 times
  task sink:
    File "test_dump.py", line 0, in sink
      await trio.sleep(2)
  task clock: stands inside the library
"""
    )


async def test_counts_lanes_and_dead_letters(autojump_clock: MockClock) -> None:
    """Of the counts and lanes only those that say something."""

    class Full(Orchestra[Tick], message_capacity=2):
        worker: Subsystem[Item | Other, Never, Tick] = subsystem(
            priority=True, restart=Restart(backoff=1), after_exit="dead_letter"
        )
        gone: Subsystem[bytes] = subsystem(after_exit="dead_letter")

    async def worker(ctx: AnyContext) -> None:
        assert isinstance(await ctx.receive(), Tick)
        if running.statistics().uptime < 1:
            raise ValueError
        await trio.sleep_forever()

    async with Full(worker=worker, gone=done).open() as running:
        for _ in range(3):
            await running.broadcast_signal(Tick())
        await running.route_message(Item(0))
        await running.route_message(Other(0), priority=Priority.HIGH)
        await running.route_message(b"")
        await trio.sleep(5)
        text = running.dump()
        running.cancel()
    assert text.startswith("Full: up 5.000 s, epoch 3, dead letters: 1 exited\n\n")
    assert section(text, "worker")[1:5] == [
        "  epoch 2, 1 restart",
        "  signals lane: 1 now, 2 at the most, 3 sent, 2 received",
        "  priority lane: 1 now, 1 at the most, 1 sent, 0 received",
        "  bounded lane: 1 now, 1 at the most, 1 sent, 0 received",
    ]
    assert section(text, "gone") == ["gone: finished"]


# --- States ----------------------------------------------------------------------------------------------------------


async def test_subsystems_that_have_not_begun(autojump_clock: MockClock) -> None:
    """Such as those that a spawner starts later."""

    class Later(Spawner):
        def start_soon(
            self,
            nursery: trio.Nursery,
            async_fn: Callable[..., Awaitable[object]],
            *args: object,
            name: str,
            subsystem: str,
        ) -> None:
            async def start_later() -> None:
                await trio.sleep(5 if name == "sink" else 0)
                await async_fn(*args)

            nursery.start_soon(start_later, name=name)

    async with Duo(source=done, sink=idle).open(spawner=Later()) as running:
        await trio.sleep(1)
        assert section(running.dump(), "sink") == ["sink: starting, has not begun"]
        await trio.sleep(5)
        assert section(running.dump(), "sink")[0] == "sink: running, waits to receive"


async def test_one_in_its_backoff(autojump_clock: MockClock) -> None:
    """It shows no stack, since nothing of it runs."""

    class Robust(Orchestra):
        worker: Subsystem[Item] = subsystem(restart=Restart(backoff=10))

    with stopped():
        async with Robust(worker=Fails(ValueError())).open() as running:
            await trio.sleep(3)
            assert section(running.dump(), "worker") == ["worker: restarting, waits to begin anew"]
            running.cancel()


async def test_those_that_drain_and_those_that_have_ended(autojump_clock: MockClock) -> None:
    """Also when the orchestra was left."""

    async def sink(ctx: AnyContext) -> None:
        await idle(ctx)
        await trio.sleep(5)

    async with Duo(source=done, sink=sink).open() as running:
        running.close_input()
        await trio.sleep(3)
        text = running.dump()
    assert section(text, "source") == ["source: finished"]
    assert section(text, "sink")[0].startswith(f"sink: ending, stands at {__file__}:")
    assert running.dump() == "Duo: up 5.000 s, epoch 0, dead letters: none\n\nsource: finished\n\nsink: finished\n"


async def test_one_that_has_failed(autojump_clock: MockClock) -> None:
    """While the others still end."""

    async def sink(ctx: AnyContext) -> None:
        with trio.CancelScope(shield=True):
            await trio.sleep(2)
            texts.append(running.dump())

    texts: list[str] = []
    with stopped():
        async with Duo(source=Fails(ValueError(), after=1), sink=sink).open() as running:
            await trio.sleep_forever()
    (text,) = texts
    assert section(text, "source") == ["source: failed"]
    assert section(text, "sink")[0].startswith(f"sink: running, stands at {__file__}:")


# --- Tasks -------------------------------------------------------------------------------------------------------


async def test_workers(autojump_clock: MockClock) -> None:
    """What the task that receives waits for, and the workers, those alike once."""

    async def answer(ctx: AnyContext) -> None:
        await trio.sleep_forever()

    async def worker(ctx: AnyContext) -> None:
        async with ctx.open_workers(3) as workers:
            async for _ in workers:
                workers.start_soon(answer, ctx, name="answer")

    async with Solo(worker=worker).open() as running:
        await running.route_message(Item(0))
        await running.route_message(Item(0))
        await trio.sleep(1)
        text = running.dump()
        assert section(text, "worker")[:2] == ["worker: running, waits to receive", "  2 jobs"]
        assert titles(text, "worker") == ["task worker: waits to receive, for 1.000 s", "task answer (2 alike):"]
        await running.route_message(Item(0))
        await trio.sleep(1)
        text = running.dump()
        waits = "waits for a signal, or for one of its workers to end"
        assert titles(text, "worker") == [f"task worker: {waits}, for 1.000 s", "task answer (3 alike):"]
        running.cancel()


async def test_workers_of_one_that_hears_no_signals(autojump_clock: MockClock) -> None:
    async def sink(ctx: AnyContext) -> None:
        async with ctx.open_workers(1) as workers:
            async for _ in workers:
                workers.start_soon(trio.sleep_forever)

    async with Duo(source=Sends(Item(0)), sink=sink).open() as running:
        await trio.sleep(1)
        assert section(running.dump(), "sink")[0] == "sink: running, waits for one of its workers to end"
        running.cancel()


async def test_tasks_that_receive(autojump_clock: MockClock) -> None:
    """Anything, or signals alone."""

    async def worker(ctx: AnyContext) -> None:
        ctx.start_soon(ctx.receive_signal, name="listener")
        await ctx.receive()

    async with Solo(worker=worker).open() as running:
        await trio.sleep(1)
        assert titles(running.dump(), "worker") == [
            "task worker: waits to receive, for 1.000 s",
            "task listener: waits to receive a signal, for 1.000 s",
        ]
        running.cancel()


async def test_requests(autojump_clock: MockClock) -> None:
    async with Duo(source=lambda ctx: ctx.request(Ask), sink=forever).open() as running:
        await trio.sleep(1)
        assert titles(running.dump(), "source") == [
            "task source: waits for an answer from 'sink' to an Ask, for 1.000 s"
        ]
        running.cancel()


async def test_tasks_outside_that_send_as_a_subsystem(autojump_clock: MockClock) -> None:
    """They are shown where they wait, as what they are."""
    senders: list[Any] = []

    async def source(ctx: AnyContext) -> None:
        senders.append(ctx.sender)
        await trio.sleep_forever()

    async def visitor() -> None:
        await senders[0].send_many([Item(0)] * 3)

    async with Duo(source=source, sink=forever).open() as running, trio.open_nursery() as nursery:
        await trio.sleep(1)
        nursery.start_soon(visitor, name="visitor")
        await trio.sleep(1)
        text = running.dump()
        room = "waits for room at 'sink' (bounded lane), to send an Item"
        assert titles(text, "source") == ["task source:", f"outside task visitor: {room}, for 1.000 s"]
        assert "in visitor" in text
        running.cancel()


async def test_a_subsystem_may_dump_its_own_orchestra(autojump_clock: MockClock) -> None:
    """It shows the line of the call."""
    texts: list[str] = []

    async def sink(ctx: AnyContext) -> None:
        await trio.sleep(1)
        texts.append(running.dump())

    async with Duo(source=forever, sink=sink).open() as running:
        await trio.sleep(2)
        running.cancel()
    assert "texts.append(running.dump())" in texts[0]
    assert section(texts[0], "sink")[0].endswith(", in sink")


# --- Many ------------------------------------------------------------------------------------------------------------


async def test_many_subsystems_begin_with_a_list(autojump_clock: MockClock) -> None:
    """One line for each, in columns; from there on, what is told of each is short where it has little to say."""
    names = [f"s{number}" for number in range(25)]
    types = [type(f"Message{number}", (), {}) for number in range(25)]
    body: dict[str, Any] = {
        name: subsystem(consumes=types[number], sends=types[(number + 1) % 25]) for number, name in enumerate(names)
    }
    annotations: dict[str, Any] = dict.fromkeys(names, Subsystem[object])
    crowd: Any = type("Crowd", (Orchestra,), body | {"__annotations__": annotations}, message_capacity=2)

    async def sends(ctx: AnyContext) -> None:
        await ctx.send_many([types[1]() for _ in range(9)])

    mains: dict[str, Any] = dict.fromkeys(names, idle) | {"s0": sends, "s1": forever, "s2": done}
    async with crowd(**mains).open() as running:
        await trio.sleep(1)
        text = running.dump()
        running.cancel()
    head, overview, *sections = text.rstrip().split("\n\n")
    assert head == "Crowd: up 1.000 s, epoch 0, dead letters: none"
    rows = overview.splitlines()
    assert rows[:4] == [
        "       state     in lanes  place",
        "  s0   running          0  waits for room at 's1' (bounded lane), to send a Message1",
        rows[2],
        "  s2   finished         0  has ended",
    ]
    assert re.match(r"  s1   running          2  stands at .*samples\.py:\d+, in forever$", rows[2])
    assert [row.split()[0] for row in rows[1:]] == names
    assert [one.partition(":")[0] for one in sections] == names
    assert len(text.splitlines()) < 25 * 8


async def test_a_dump_of_a_deadlock_left_alone(autojump_clock: MockClock) -> None:
    """Who waits for whom is read off the first lines."""

    class Left(Ring, on_deadlock="ignore"):
        pass

    async with Left(ping=Sends(*[Other(0)] * 3), pong=Sends(*[Item(0)] * 3)).open() as running:
        await trio.sleep(1)
        text = running.dump()
        running.cancel()
    assert section(text, "ping")[0] == "ping: running, waits for room at 'pong' (bounded lane), to send an Other"
    assert section(text, "pong")[0] == "pong: running, waits for room at 'ping' (bounded lane), to send an Item"
