"""The declared orchestra: what it takes, and the three ways to run it."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

import pytest
import trio

from orchestra_trio import (
    DeclarationError,
    Orchestra,
    RunningOrchestra,
    StopReport,
    Subsystem,
    SubsystemContext,
    subsystem,
)
from tests.runtime.samples import (
    AnyContext,
    Collect,
    Duo,
    Fails,
    Imported,
    Item,
    Sends,
    Solo,
    Tick,
    forever,
    idle,
    stopped,
)

if TYPE_CHECKING:
    from trio.testing import MockClock


class Held(Orchestra, message_capacity=8):
    """With baggage, one with a default."""

    worker: Subsystem[Item]
    later: Subsystem[str] = subsystem(wip=True)
    path: str
    depth: int = 3


def test_an_instance_is_frozen_and_holds_what_it_was_given() -> None:
    """Slots and baggage are keyword arguments; a wip slot is none."""
    held = Held(worker=idle, path="x")
    assert (held.worker, held.path, held.depth) == (idle, "x", 3)
    frozen: Any = held
    with pytest.raises(AttributeError):
        frozen.path = "y"
    make: Any = Held
    for wrong in ({"worker": idle}, {"worker": idle, "path": "x", "later": idle}, {"path": "x"}):
        with pytest.raises(TypeError):
            make(**wrong)
    with pytest.raises(TypeError):
        make(idle, "x")


async def test_a_subsystem_is_any_async_callable() -> None:
    """A function, a bound method, a partial, an object with `__call__`."""

    class Holder:
        async def method(self, ctx: AnyContext) -> None:
            await idle(ctx)

    async def two(_: object, ctx: AnyContext) -> None:
        await idle(ctx)

    for one in (idle, Holder().method, functools.partial(two, 0), Collect()):
        await Held(worker=one, path="x").run()


def test_what_is_not_callable_is_refused_when_the_orchestra_is_made() -> None:
    """The error names class, slot and type."""
    wrong: Any = 3
    with pytest.raises(DeclarationError, match=r"Held.worker: an int is no subsystem"):
        Held(worker=wrong, path="x")


def test_orchestra_itself_declares_nothing() -> None:
    """It must be subclassed."""
    with pytest.raises(TypeError, match="make a subclass with slots"):
        Orchestra()


def test_events_without_on_event_are_refused_by_the_class_statement() -> None:
    """They would disappear silently."""
    with pytest.raises(DeclarationError, match="define `async def on_event`"):

        class Deaf(Orchestra[Tick, Imported]):
            worker: Subsystem[Item, int, Tick]
            other: Subsystem[int]


def test_graph_is_that_of_the_declaration() -> None:
    """It needs no instance."""
    assert Duo.graph().components == (("source",), ("sink",))


async def test_on_event_and_on_dead_letter_do_nothing_unless_overridden(autojump_clock: MockClock) -> None:
    """A class without events may call the base's all the same."""
    solo = Solo(worker=idle)
    async with solo.open() as running:
        event: Any = None
        await solo.on_event(event, running)


async def test_run_opens_and_drains_at_once(autojump_clock: MockClock) -> None:
    """For wirings that end by themselves."""
    sink = Collect()
    await Duo(source=Sends(Item(1), Item(2)), sink=sink).run()
    assert sink.numbers == [1, 2]


async def test_serve_serves_until_the_input_is_closed(autojump_clock: MockClock) -> None:
    """`nursery.start` hands back the running orchestra; the task ends once all have drained."""
    worker = Collect()
    async with trio.open_nursery() as nursery:
        running: RunningOrchestra[Tick, Any] = await nursery.start(Solo(worker=worker).serve)
        await running.route_message(Item(1))
        await trio.sleep(5)
        assert nursery.child_tasks
        running.close_input()
    assert worker.numbers == [1]


async def test_serve_ends_by_terminate_and_by_cancel(autojump_clock: MockClock) -> None:
    """Neither is an error."""
    async with trio.open_nursery() as nursery:
        running: RunningOrchestra[Tick, Any] = await nursery.start(Solo(worker=forever).serve)
        report = await running.terminate(grace=2)
    assert report == StopReport((), ("worker",), {})
    async with trio.open_nursery() as nursery:
        running = await nursery.start(Solo(worker=forever).serve)
        running.cancel()
    assert trio.current_time() == 2


async def test_serve_needs_no_nursery_start(autojump_clock: MockClock) -> None:
    """Awaited directly, it is cancelled from outside or ended from inside, here by `on_exit`."""

    class Brief(Orchestra):
        worker: Subsystem[Item] = subsystem(on_exit="stop")

    async def brief(_: SubsystemContext[Item]) -> None:
        await trio.sleep(3)

    await Brief(worker=brief).serve()
    assert trio.current_time() == 3
    with trio.move_on_after(1) as scope:
        await Solo(worker=idle).serve()
    assert scope.cancelled_caught


async def test_an_error_while_serving_comes_out_of_the_nursery(autojump_clock: MockClock) -> None:
    """As the group of the orchestra, in that of the user's nursery."""
    boom = ValueError("boom")
    with stopped() as errors:
        async with trio.open_nursery() as nursery:  # noqa: ASYNC112 - it is `nursery.start` that is tested
            await nursery.start(Solo(worker=Fails(boom, after=1)).serve)
    (group,) = errors
    assert isinstance(group, ExceptionGroup)
    assert group.exceptions == (boom,)


async def test_an_error_before_all_are_ready_comes_out_of_start(autojump_clock: MockClock) -> None:
    """The nursery that it was to run in is not touched."""

    class Ready(Orchestra):
        worker: Subsystem[Item] = subsystem(readiness=True)

    boom = ValueError("boom")
    async with trio.open_nursery() as nursery:
        with stopped() as errors:
            await nursery.start(Ready(worker=Fails(boom, after=1)).serve)
    assert errors == [boom]


async def test_outgoing_can_be_read_while_serve_drains(autojump_clock: MockClock) -> None:
    """It is closed only after the last subsystem has ended."""

    class Out(Orchestra, outgoing=Item, message_capacity=1):
        source: Subsystem[str, Item]

    async def source(ctx: SubsystemContext[str, Item]) -> None:
        async for _ in ctx:
            pass
        await ctx.send_many([Item(number) for number in range(5)])

    async with trio.open_nursery() as nursery:
        running: RunningOrchestra[Any, Any] = await nursery.start(Out(source=source).serve)
        running.close_input()
        assert [item.number async for item in running.outgoing] == [0, 1, 2, 3, 4]
