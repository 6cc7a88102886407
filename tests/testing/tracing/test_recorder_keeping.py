"""What recording changes: nothing is kept alive by it, and threads go on beside it."""

from __future__ import annotations

import gc
from threading import Event
from typing import TYPE_CHECKING, Any, Never
from weakref import ref

import attrs
import pytest
import trio
import trio.testing

from orchestra_trio import (
    BlockingSubsystem,
    BlockingSubsystemContext,
    OneshotCancelled,
    Orchestra,
    Priority,
    Subsystem,
)
from orchestra_trio.testing.tracing.laws.checking import check_laws
from orchestra_trio.testing.tracing.recorder import record, recording
from tests.runtime.samples import AnyContext, Ask, Item, Solo, Tick, idle, stopped
from tests.testing.tracing.reading import only, steps

if TYPE_CHECKING:
    from trio.testing import MockClock


@attrs.frozen
class Flag:
    """A signal that can be watched: tuples cannot."""


@attrs.frozen
class Cargo:
    """A message that can be watched."""

    number: int


class Leak(Exception):
    """An error that can be watched: those of Python cannot."""


class Carrying(Orchestra[Flag]):
    sink: Subsystem[Cargo, Never, Flag]


async def test_nothing_is_kept_alive_by_a_trace(autojump_clock: MockClock) -> None:
    """Messages, signals that were dropped, tasks and exceptions."""
    watched: list[Any] = []

    def watch(thing: Any) -> Any:  # noqa: ANN401 - whatever can be watched
        watched.append(ref(thing))
        return thing

    async def fail_late(ctx: AnyContext) -> None:
        watch(trio.lowlevel.current_task())
        await ctx.receive()
        await trio.sleep(1)
        raise watch(Leak())

    with recording() as traces:
        with stopped() as errors:
            async with Carrying(sink=fail_late).open() as running:
                await trio.testing.wait_all_tasks_blocked()
                for number in range(2):
                    await running.route_message(watch(Cargo(number)))
                await running.broadcast_signal(watch(Flag()))
                await trio.sleep_forever()
        assert [type(error) for error in errors] == [Leak]
        errors.clear()
        del running
    gc.collect()
    assert len(watched) == 5
    assert [one() for one in watched] == [None] * 5
    assert {one.kind for one in only(traces)} > {"error", "dead letter", "receive", "exit"}


async def test_a_reply_end_that_is_dropped_is_noticed_while_recording(autojump_clock: MockClock) -> None:
    """The consumer lets go of it, also after it lay in the lane for a while."""

    async def drop(ctx: AnyContext) -> None:
        await trio.sleep(1)
        async for request in ctx:
            del request

    with recording() as traces:
        async with Solo(worker=drop).open() as running:
            for number in range(2):
                with pytest.raises(OneshotCancelled):
                    await running.request(Ask, number)
                await trio.sleep(2)
    assert steps(only(traces), "no answer") == ["no answer None"] * 2


# --- Threads ---------------------------------------------------------------------------------------------------------


class Threaded(Orchestra[Tick], message_capacity=2):
    source: BlockingSubsystem[Never, Item, Tick]
    sink: Subsystem[Item]


async def test_steps_of_threads_have_no_task() -> None:
    def say(ctx: BlockingSubsystemContext[Never, Item, Tick]) -> None:
        for signal in ctx:
            ctx.send(Item(signal.number))

    with recording() as traces:
        async with Threaded(source=say, sink=idle).open() as running:
            await running.broadcast_signal(Tick(1))
    trace = only(traces)
    assert [one.task for one in trace if one.kind == "send" and one.sender == "source"] == [None]
    assert [one.is_shared for one in trace.participants] == [True, True]


async def test_threads_go_on_while_the_recording_begins() -> None:
    """What lay there then is not known exactly, and nothing is made of it."""
    may_go_on = Event()

    def say_many(ctx: BlockingSubsystemContext[Never, Item, Tick]) -> None:
        for number in range(500):
            ctx.send(Item(number), priority=Priority.HIGH)
            if number == 100:
                may_go_on.set()

    async with Threaded(source=say_many, sink=idle).open() as running:
        await trio.to_thread.run_sync(may_go_on.wait)
        trace = record(running)
    assert not trace.is_from_start
    check_laws(trace)
