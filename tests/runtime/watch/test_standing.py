"""Where subsystems stand when they stall: in words, and as stacks of users' frames."""

from __future__ import annotations

from typing import TYPE_CHECKING, Never

import pytest
import trio

from orchestra_trio import (
    Orchestra,
    Restart,
    Standing,
    Subsystem,
    SubsystemStalled,
    subsystem,
)
from orchestra_trio.runtime.watch.stances import _is_users
from tests.runtime.samples import AnyContext, Ask, Fails, Item, Other, Tick, forever, stopped

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from trio.testing import MockClock

    from orchestra_trio import RunningOrchestra

    Main = Callable[[AnyContext], Awaitable[None]]


class Office(Orchestra[Tick], message_capacity=1, signal_capacity=1, signal_timeout=5, message_timeout=5):
    """One that does whatever a test wants, and one that never does anything."""

    clerk: Subsystem[Item, Other | Ask, Tick] = subsystem(restart=Restart(backoff=30))
    lazy: Subsystem[Other | Ask]


async def stall(running: RunningOrchestra[Tick, Never]) -> Standing:
    """Broadcast to a clerk that does not take its signals; return where it stands."""
    await running.broadcast_signal(Tick())
    with pytest.raises(SubsystemStalled) as caught:
        await running.broadcast_signal(Tick())
    (standing,) = caught.value.standings
    return standing


async def standing_of(main: Main) -> Standing:
    """Return where a clerk stands that does this, after five seconds."""
    async with Office(clerk=main, lazy=forever).open() as running:
        standing = await stall(running)
        running.cancel()
    return standing


# --- What SubsystemStalled carries ---------------------------------------------------------------------------------


async def busy(ctx: AnyContext) -> None:
    """Be at one line for ever."""
    await trio.sleep_forever()  # here


def assert_tells_of_the_busy_clerk(error: SubsystemStalled) -> None:
    (standing,) = error.standings
    assert standing.statistics.name == "clerk"
    assert standing.place.startswith(f"stands at {__file__}:")
    assert standing.place.endswith(", in busy")
    assert "await trio.sleep_forever()  # here" in standing.stack
    assert error.__notes__ == [f"where 'clerk' stood:\n{standing.stack.rstrip()}"]
    assert f"'clerk' {standing.place}, " in str(error)


async def test_a_broadcast_that_stalls(autojump_clock: MockClock) -> None:
    """The lane's readout, where it stands, and its stack, also as a note."""
    async with Office(clerk=busy, lazy=forever).open() as running:
        await running.broadcast_signal(Tick())
        with pytest.raises(SubsystemStalled) as caught:
            await running.broadcast_signal(Tick())
        running.cancel()
    error = caught.value
    assert_tells_of_the_busy_clerk(error)
    assert error.standings[0].statistics.signals.channel_len == 2
    assert "the signals lane of Office stayed full for 5 s" in str(error)
    assert "2 in its lane; let these subsystems receive more often" in str(error)


async def test_a_signal_for_one_that_stalls(autojump_clock: MockClock) -> None:
    async with Office(clerk=busy, lazy=forever).open() as running:
        await running.send_signal("clerk", Tick())
        with pytest.raises(SubsystemStalled) as caught:
            await running.send_signal("clerk", Tick())
        running.cancel()
    assert_tells_of_the_busy_clerk(caught.value)
    assert caught.value.standings[0].statistics.signals.channel_len == 2


async def test_a_routed_message_that_stalls(autojump_clock: MockClock) -> None:
    async with Office(clerk=busy, lazy=forever).open() as running:
        await running.route_message(Item(0))
        with pytest.raises(SubsystemStalled) as caught:
            await running.route_message(Item(1))
        running.cancel()
    error = caught.value
    assert_tells_of_the_busy_clerk(error)
    assert error.lane == "bounded"
    assert error.standings[0].statistics.bounded.channel_len == 1
    assert error.standings[0].statistics.bounded.blocked == 1


# --- What it does, in words ------------------------------------------------------------------------------------------


async def fills_the_lane(ctx: AnyContext) -> None:
    await ctx.send_many([Other(0), Other(1)])


async def asks(ctx: AnyContext) -> None:
    await ctx.request(Ask)


@pytest.mark.parametrize(
    ("main", "words"),
    [
        (fills_the_lane, "waits for room at 'lazy' (bounded lane), to send an Other"),
        (asks, "waits for an answer from 'lazy' to an Ask"),
    ],
)
async def test_waits_inside_the_library(autojump_clock: MockClock, main: Main, words: str) -> None:
    """In words, in the line and above the stack with the time that it has taken; the stack shows the call."""
    standing = await standing_of(main)
    assert standing.place == words
    first, where, code = standing.stack.splitlines()
    assert first == f"task clerk: {words}, for 5.000 s"
    assert __file__ in where
    assert "await ctx." in code


async def test_the_end_of_a_nursery(autojump_clock: MockClock) -> None:
    """A task that waits for others says so; each of those is shown, those alike once."""

    async def main(ctx: AnyContext) -> None:
        async with trio.open_nursery() as nursery:
            for _ in range(3):
                nursery.start_soon(fills_the_lane, ctx, name="filler")
            nursery.start_soon(trio.sleep_forever, name="sleeper")

    standing = await standing_of(main)
    assert standing.place.startswith(f"waits for 4 tasks below it, at {__file__}:")
    titles = [line for line in standing.stack.splitlines() if not line.startswith(" ")]
    room = "waits for room at 'lazy' (bounded lane), to send an Other"
    assert titles == [
        "task clerk: waits for 4 tasks below it",
        f"task filler (3 alike): {room}, for up to 5.000 s",
        "task sleeper: stands inside the library",
    ]


async def test_jobs_after_the_main_function_has_returned(autojump_clock: MockClock) -> None:
    """In one line the first few of them; all of them in the stacks, those of background jobs included."""

    async def main(ctx: AnyContext) -> None:
        for number in range(5):
            ctx.start_soon(busy, ctx, name=f"job {number}", background=number > 2)
        await trio.lowlevel.checkpoint()

    standing = await standing_of(main)
    assert standing.place.startswith(f"has 5 jobs running: job 0 stands at {__file__}:")
    assert "job 2 stands at" in standing.place
    assert standing.place.endswith(", ...")
    titles = [line for line in standing.stack.splitlines() if not line.startswith(" ")]
    assert titles == [f"task job {number}:" for number in range(5)]


async def test_a_start_that_is_waited_for(autojump_clock: MockClock) -> None:
    async def job(task_status: trio.TaskStatus[None]) -> None:  # noqa: ASYNC114 - a job of this test alone
        await trio.sleep(1000)
        task_status.started()

    async def main(ctx: AnyContext) -> None:
        await ctx.start(job)

    standing = await standing_of(main)
    assert standing.place.startswith("waits for 1 task below it, at ")
    assert "await ctx.start(job)" in standing.stack
    assert "await trio.sleep(1000)" in standing.stack


async def test_stacks_go_from_the_outermost_to_the_innermost_frame(autojump_clock: MockClock) -> None:
    """Those of users alone: neither what the library does to run them, nor what it does in their calls."""

    async def outer(ctx: AnyContext) -> None:
        await inner(ctx)

    async def inner(ctx: AnyContext) -> None:
        async for _ in ctx:
            await fills_the_lane(ctx)

    async with Office(clerk=outer, lazy=forever).open() as running:
        await running.route_message(Item(0))
        await trio.sleep(1)
        standing = await stall(running)
        running.cancel()
    functions = [line.rpartition(" in ")[2] for line in standing.stack.splitlines() if "File" in line]
    assert functions == ["outer", "inner", "fills_the_lane"]


@pytest.mark.parametrize(
    ("module", "is_users"),
    [
        ("trio._core._run", False),
        ("threading", False),
        ("orchestra_trio.runtime.contexts.sender", False),
        ("orchestra_trio.delivery.waiting", False),
        ("orchestra_trio.cli.demo.reader", True),
        ("orchestra_trio_plugin.runtime", True),
        ("trio_websocket", True),
        ("__main__", True),
        ("sqlite3.dbapi2", True),
    ],
)
def test_whose_frames_are_shown(module: str, is_users: bool) -> None:
    """The demo is a user of the library as any other."""
    assert _is_users({"__name__": module}) is is_users


async def test_one_that_begins_anew(autojump_clock: MockClock) -> None:
    """Nothing of it runs during its backoff, so that there is no stack, and no note."""
    with stopped():  # it never came to survive its error
        async with Office(clerk=Fails(ValueError()), lazy=forever).open() as running:
            await running.broadcast_signal(Tick())
            with pytest.raises(SubsystemStalled, match="'clerk' waits to begin anew, 2 in its lane") as caught:
                await running.broadcast_signal(Tick())
            running.cancel()
    (standing,) = caught.value.standings
    assert standing.statistics.state == "restarting"
    assert standing.stack == ""
    assert not hasattr(caught.value, "__notes__")
