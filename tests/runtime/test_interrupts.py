"""Ctrl-C: it leaves as `KeyboardInterrupt` in the group, and the state of the library whole.

The last tests let it strike at every line of the library, one after the other: the handler is called in that line, as
Python does it for a signal that arrives there.
"""

from __future__ import annotations

import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Never

import pytest
import trio
from trio.testing import MockClock

import orchestra_trio
from orchestra_trio import Connector, Orchestra, RunningOrchestra, Subsystem, subsystem
from tests.runtime.samples import AnyContext, Ask, Collect, Duo, Imported, Item, Tick, answering, forever, idle, stopped

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from types import FrameType

LIBRARY = str(Path(orchestra_trio.__path__[0]))


def run(main: Callable[[], Awaitable[object]]) -> object:
    """Run outside of the pytest plugin's own run, where Ctrl-C is trio's."""
    return trio.run(main, clock=MockClock(autojump_threshold=0))


def interrupted(main: Callable[[], Awaitable[object]]) -> list[BaseException]:
    """Run what is to end by one group, and return what that directly contains."""
    with stopped() as errors:
        run(main)
    return errors


def test_ctrl_c_in_a_subsystem_comes_out_in_the_group() -> None:
    """As it is, and all others are cancelled."""

    async def source(_: AnyContext) -> None:
        await trio.sleep(1)
        signal.raise_signal(signal.SIGINT)
        await trio.sleep(1)

    errors = interrupted(Duo(source=source, sink=idle).run)
    assert [type(one) for one in errors] == [KeyboardInterrupt]


@pytest.mark.parametrize("kind", ["job", "background", "started", "on_event", "hook"])
def test_ctrl_c_in_users_code_strikes_where_it_is(kind: str) -> None:
    """In jobs and events, too: they are no part of the library. A hook is called within one of its steps: after it."""
    reached: list[str] = []

    class Hooked(Orchestra[Tick, Imported]):
        source: Subsystem[str, Item, Tick]
        later: Subsystem[Item] = subsystem(wip=True)

        async def on_event(self, event: Imported, running: object) -> None:
            signal.raise_signal(signal.SIGINT)
            reached.append("on_event")
            await trio.sleep(1)

        def on_dead_letter(self, letter: object) -> None:
            signal.raise_signal(signal.SIGINT)
            reached.append("hook")

    async def job(*, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:  # noqa: ASYNC114 - a job of this test alone
        task_status.started()
        signal.raise_signal(signal.SIGINT)
        reached.append("job")
        await trio.sleep(1)

    async def source(ctx: AnyContext) -> None:
        match kind:
            case "job" | "background":
                ctx.start_soon(job, background=kind == "background")
            case "started":
                await ctx.start(job)
            case "hook":
                await ctx.send(Item(1))
        await trio.sleep_forever()

    async def main() -> None:
        async with Hooked(source=source).open() as running:
            if kind == "on_event":
                await running.handle.send(Imported(1))
            await trio.sleep_forever()

    assert [type(one) for one in interrupted(main)] == [KeyboardInterrupt]
    assert reached == (["hook"] if kind == "hook" else [])


def test_ctrl_c_in_the_block_comes_out_in_the_group() -> None:
    """While it runs, and while it waits for the drain, where trio wakes its task."""

    async def main() -> None:
        async with Duo(source=forever, sink=idle).open():
            signal.raise_signal(signal.SIGINT)
            await trio.sleep_forever()

    assert [type(one) for one in interrupted(main)] == [KeyboardInterrupt]

    async def source(_: AnyContext) -> None:
        await trio.sleep(1)
        trio.lowlevel.current_trio_token().run_sync_soon(signal.raise_signal, signal.SIGINT)
        await trio.sleep_forever()

    assert [type(one) for one in interrupted(Duo(source=source, sink=idle).run)] == [KeyboardInterrupt]


def test_ctrl_c_while_draining_counts_as_stopping() -> None:
    """What a subsystem sends in its last steps to one that has ended makes no error of its own."""
    runs: list[Any] = []

    async def source(ctx: AnyContext) -> None:
        try:
            await trio.sleep(1)
            trio.lowlevel.current_trio_token().run_sync_soon(signal.raise_signal, signal.SIGINT)
            await trio.sleep_forever()
        finally:
            with trio.CancelScope(shield=True):
                await trio.sleep(1)
                await ctx.send(Item(1))

    class Fed(Orchestra):
        feeder: Subsystem[Never, str]
        source: Subsystem[str, Item]
        sink: Subsystem[Item]

    async def main() -> None:
        async with Fed(feeder=forever, source=source, sink=forever).open() as running:
            runs.append(running)

    assert [type(one) for one in interrupted(main)] == [KeyboardInterrupt]
    assert runs[0].statistics().dead_letters == {"stopping": 1}


class Everything(Orchestra[Tick, Imported], message_capacity=2, signal_capacity=1, outgoing=bytes):
    """A little of everything."""

    source: Subsystem[str, Item | Ask | bytes, Tick]
    ping: Subsystem[Item, float]
    pong: Subsystem[float, Item] = subsystem(after_exit="dead_letter")
    answers: Subsystem[Ask] = subsystem(readiness=True)

    async def on_event(self, event: Imported, running: RunningOrchestra[Tick, Imported]) -> None:
        await running.route_message(str(event.number))


async def source(ctx: AnyContext) -> None:
    async def job() -> None:
        await ctx.send_many([Item(number) for number in range(4)])

    ctx.start_soon(job)
    ctx.start_soon(forever, ctx, background=True)
    async for incoming in ctx:
        if isinstance(incoming, str):
            await ctx.request(Ask, int(incoming))
            await ctx.send(b"out")


async def ping(ctx: AnyContext) -> None:
    async for incoming in ctx:
        if incoming.number:
            await ctx.send(1.0)


async def pong(ctx: AnyContext) -> None:
    for _ in range(3):
        await ctx.receive_many(2)
        await ctx.send(Item(0))


async def ready(ctx: AnyContext) -> None:
    ctx.started()
    await answering(ctx)


async def use_everything(openings: list[RunningOrchestra[Tick, Imported]]) -> None:
    """Open, use and end an orchestra in many ways."""
    everything = Everything(source=source, ping=ping, pong=pong, answers=ready)
    connector: Connector[Imported] = Connector(2)
    connector.handle.send_nowait(Imported(0))
    try:
        async with everything.open(connector=connector) as running:
            openings.append(running)
            for number in range(3):
                await running.broadcast_signal(Tick(number))
                with trio.move_on_after(1):
                    await connector.handle.send(Imported(number))
            with trio.move_on_after(1):
                await running.outgoing.receive()
            await running.terminate(Tick(9), grace=3)
    finally:
        # Whatever struck, all of it has ended and can be opened again.
        for one in openings:
            assert {two.state for two in one.statistics().subsystems.values()} <= {"finished", "cancelled", "failed"}
            check_lanes(one)
        with trio.CancelScope(shield=True), trio.fail_after(100):
            for one in openings:
                await one.wait_stopped()
            async with everything.open() as running:
                running.cancel()


def check_lanes(running: RunningOrchestra[Tick, Imported]) -> None:
    """See that nothing lies in a lane, and that the counts add up (law 1)."""
    left = 0
    for one in running.statistics().subsystems.values():
        for lane in (one.priority, one.unbounded, one.bounded):
            assert lane.channel_len == 0
            left += lane.sent - lane.received
        assert one.jobs == 0
        assert one.waits == ()
    reasons = running.statistics().dead_letters
    assert left == reasons.get("left over", 0)


class Striker:
    """Calls the handler of SIGINT at the n-th line event of the library's own runtime."""

    def __init__(self, at: int) -> None:
        self.at = at
        self.count = 0
        self.struck: str | None = None
        self.others: list[BaseException] = []
        """What came out beside `KeyboardInterrupt`."""

    def trace(self, frame: FrameType, event: str, _: object) -> Any:  # noqa: ANN401 - what sys.settrace wants
        if not frame.f_code.co_filename.startswith(LIBRARY) or frame.f_code.co_name == "call_users":
            return None  # where users' code is called, it may strike as in that code itself
        if event == "line":
            self.count += 1
            if self.count == self.at:
                self.struck = f"{frame.f_code.co_filename}:{frame.f_lineno}"
                handler: Any = signal.getsignal(signal.SIGINT)
                handler(signal.SIGINT, frame)
        return self.trace


def strike(at: int) -> Striker:
    """Run everything with one interrupt, and see that it comes out and has left nothing undone."""
    striker = Striker(at)
    openings: list[RunningOrchestra[Tick, Imported]] = []

    async def main() -> None:
        with trio.fail_after(10_000):
            await use_everything(openings)

    previous = sys.gettrace()
    sys.settrace(striker.trace)
    try:
        run(main)
    except KeyboardInterrupt:
        pass
    except BaseExceptionGroup as group:
        striker.others = [one for one in group.exceptions if not isinstance(one, KeyboardInterrupt)]
    finally:
        sys.settrace(previous)
    return striker


def test_ctrl_c_at_any_line_of_the_library_leaves_its_state_whole() -> None:
    """At lines spread over a whole run; it always comes out, and the orchestra can be opened again."""
    lines = strike(0).count
    assert lines > 1000
    strikers = [strike(at) for at in range(1, lines, max(1, lines // 150))]
    assert {one.struck: one.others for one in strikers if one.others} == {}
    assert len({one.struck for one in strikers}) > 50


def test_collect_is_interruptible_as_any_subsystem() -> None:
    """A subsystem that only receives waits in the library; Ctrl-C reaches the block then."""

    async def main() -> None:
        async with Duo(source=forever, sink=Collect()).open():
            await trio.sleep(1)
            trio.lowlevel.current_trio_token().run_sync_soon(signal.raise_signal, signal.SIGINT)
            await trio.sleep_forever()

    assert [type(one) for one in interrupted(main)] == [KeyboardInterrupt]
