"""Subjects with threads: a clock that jumps knows nothing of those, and the harness waits for them all the same."""

from __future__ import annotations

from contextlib import asynccontextmanager
from functools import partial
from threading import Event, Semaphore
from typing import TYPE_CHECKING, Final

import pytest
import trio
import trio.testing

from orchestra_trio.testing.harness.opening import open_harness
from tests.runtime.samples import Ask, Item, Other, Tick
from tests.testing.harness.samples import blocking_relay, unmet

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from trio.testing import MockClock

    from orchestra_trio import BlockingSubsystemContext, SubsystemContext

PATIENCE: Final = 60
"""Real seconds after which a test counts as hanging."""


class Gate:
    """Lets a thread pass once in 600 seconds of a clock that jumps: long after all limits of the harness."""

    def __init__(self) -> None:
        self._semaphore = Semaphore(0)

    def pass_through(self) -> None:
        """Wait in a thread."""
        assert self._semaphore.acquire(timeout=PATIENCE)

    async def keep(self) -> None:
        """Let one pass after the other, for ever."""
        while True:
            await trio.sleep(600)
            self._semaphore.release()


@asynccontextmanager
async def gated() -> AsyncIterator[Gate]:
    """Keep a gate while a block runs."""
    gate = Gate()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(gate.keep)
        yield gate
        nursery.cancel_scope.cancel()


def slow_relay(gate: Gate, ctx: BlockingSubsystemContext[Item | Ask, Other, Tick]) -> None:
    """Take a time for each message, in the thread."""
    for incoming in ctx:
        gate.pass_through()
        if isinstance(incoming, Item):
            ctx.send(Other(incoming.number))
        elif isinstance(incoming, Ask):
            incoming.reply.send(incoming.number)


async def hiring(gate: Gate, ctx: SubsystemContext[Item, Other]) -> None:
    """Have a thread take a time for each message."""
    async for incoming in ctx:
        await trio.to_thread.run_sync(gate.pass_through)
        await ctx.send(Other(incoming.number))


async def delegating(gate: Gate, ctx: SubsystemContext[Item]) -> None:
    """Have a job in a thread take a time for each message."""
    async for _ in ctx:
        ctx.start_blocking_soon(gate.pass_through)


async def test_a_blocking_subject_is_told_by_its_annotation(autojump_clock: MockClock) -> None:
    async with open_harness(blocking_relay, within=PATIENCE) as harness:
        await harness.send(Item(1))
        assert await harness.expect(Other) == Other(1)
        await harness.wait_epoch(await harness.signal(Tick()))
        await harness.wait_at_rest()
        harness.close_input()
        await harness.expect_end()


async def test_a_thread_at_work_is_waited_for(autojump_clock: MockClock) -> None:
    async with gated() as gate, open_harness(partial(slow_relay, gate), within=PATIENCE, message_capacity=1) as harness:
        await harness.send_many([Item(1), Item(2), Item(3)])
        assert await harness.expect_many(Other, 3) == [Other(1), Other(2), Other(3)]
        await harness.send(Item(4))
        await harness.wait_at_rest()
        await harness.expect(Other)


async def test_an_answer_from_a_thread_at_work_is_waited_for(autojump_clock: MockClock) -> None:
    async with gated() as gate, open_harness(partial(slow_relay, gate), within=PATIENCE) as harness:
        assert await harness.request(Ask, 3) == 3


async def test_a_thread_that_a_task_of_the_subject_waits_for_is_waited_for(autojump_clock: MockClock) -> None:
    async with gated() as gate, open_harness(partial(hiring, gate), within=PATIENCE) as harness:
        await harness.send(Item(1))
        assert await harness.expect(Other) == Other(1)


async def test_a_thread_in_a_job_is_waited_for(autojump_clock: MockClock) -> None:
    async with gated() as gate, open_harness(partial(delegating, gate), within=PATIENCE) as harness:
        await harness.send(Item(1))
        await harness.wait_at_rest()
        assert harness.statistics().jobs == 0


async def test_a_thread_that_waits_in_its_context_hangs_at_once(autojump_clock: MockClock) -> None:
    async with open_harness(blocking_relay, within=PATIENCE) as harness:
        await harness.wait_at_rest()
        with unmet() as lines:
            await harness.expect(Other)
        assert lines[0] == "expected an Other, but nothing came within 60 s"
        assert lines[1] == "blocking_relay: running, waits to receive"
        await harness.expect_nothing()


async def test_a_thread_at_work_is_waited_for_in_real_seconds(autojump_clock: MockClock) -> None:
    release = Event()

    def stuck(ctx: BlockingSubsystemContext[Item, Other]) -> None:
        release.wait(PATIENCE)

    async with open_harness(stuck, within=0.01) as harness:
        with unmet() as lines:
            await harness.expect(Other)
        assert lines[1].startswith("stuck: running, stands in a thread, at ")
        release.set()
        await harness.expect_end(within=PATIENCE)


async def test_what_a_thread_sends_last_counts(autojump_clock: MockClock) -> None:
    async with gated() as gate:
        with unmet() as lines:
            async with open_harness(partial(slow_relay, gate), within=PATIENCE) as harness:
                await harness.send(Item(1))
    assert lines[0] == "expected nothing more before the end of the test, but a message came:"


async def test_back_pressure_reaches_the_thread(autojump_clock: MockClock) -> None:
    async with open_harness(blocking_relay, peer_capacity=1, within=PATIENCE) as harness:
        await harness.send_many([Item(1), Item(2), Item(3)])
        assert await harness.expect_many(Other, 3) == [Other(1), Other(2), Other(3)]


async def test_an_error_of_a_thread_is_expected(autojump_clock: MockClock) -> None:
    def failing(ctx: BlockingSubsystemContext[Item]) -> None:
        for _ in ctx:
            message = "in a thread"
            raise ValueError(message)

    async with open_harness(failing, within=PATIENCE) as harness:
        async with harness.expect_error(ValueError, match="in a thread"):
            await harness.send(Item(1))
        await harness.expect_nothing()


@pytest.mark.parametrize("blocking", [True, None])
async def test_a_blocking_subject_without_annotation_is_named_so(
    blocking: bool | None, autojump_clock: MockClock
) -> None:
    calls: list[str] = []

    def plain(ctx) -> None:  # type: ignore[no-untyped-def]  # noqa: ANN001 - that is the point
        calls.append(type(ctx).__name__)

    if blocking:
        async with open_harness(plain, consumes=Item, blocking=True) as harness:
            await harness.expect_end(within=PATIENCE)
        assert calls == ["BlockingSubsystemContext"]
    else:
        with pytest.RaisesGroup(TypeError):
            async with open_harness(plain, consumes=Item):
                await trio.sleep(1)
