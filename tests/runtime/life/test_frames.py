"""Errors that nobody will see keep no requester waiting: all without the garbage collector."""

from __future__ import annotations

import gc
from typing import TYPE_CHECKING, Any, NamedTuple, Never

import pytest
import trio.testing

from orchestra_trio import BlockingSubsystem, OneshotCancelled, OneshotSender, Orchestra, RunningOrchestra, Subsystem
from tests.runtime.samples import AnyContext, Ask, Item

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.runtime.contexts.blocking import AnyBlockingContext


@pytest.fixture(autouse=True)
def _no_collector() -> Iterator[None]:
    gc.collect()
    gc.disable()
    yield
    gc.enable()


class Outward(Orchestra, message_capacity=1, outgoing=Item):
    """A thread that sends to who does not read."""

    store: BlockingSubsystem[Ask, Item]


class Query(NamedTuple):
    """Another message that carries a reply end."""

    reply: OneshotSender[int]


class Inward(Orchestra):
    """One asks the other in turn."""

    store: Subsystem[Ask, Query]
    peer: Subsystem[Query]


class InwardThread(Orchestra):
    """The same, in a thread."""

    store: BlockingSubsystem[Ask, Query]
    peer: Subsystem[Query]


async def ask(running: RunningOrchestra[Never, Never], outcome: list[str]) -> None:
    try:
        await running.request(Ask)
        outcome.append("answered")
    except OneshotCancelled:
        outcome.append("cancelled")


async def until_it_waits(running: RunningOrchestra[Never, Never], kind: str) -> None:
    def waits() -> bool:
        return any(wait.kind == kind for wait in running.statistics().subsystems["store"].waits)

    while not waits():  # noqa: ASYNC110 - there is no event for it
        await trio.lowlevel.checkpoint()


async def test_a_question_in_the_hand_of_a_cancelled_thread() -> None:
    outcome: list[str] = []

    def store(ctx: AnyBlockingContext) -> None:
        for _question in ctx:
            while True:
                ctx.send(Item(1))

    async with Outward(store=store).open() as running, trio.open_nursery() as nursery:
        nursery.start_soon(ask, running, outcome)
        await until_it_waits(running, "send")
        await running.terminate(grace=0)
        await trio.testing.wait_all_tasks_blocked()
        assert outcome == ["cancelled"]


@pytest.mark.parametrize("blocking", [False, True])
async def test_a_question_in_the_hand_of_one_that_ends_for_want_of_an_answer(*, blocking: bool) -> None:
    """It is stopping, so that the error is its way to end, and is shown to nobody."""
    outcome: list[str] = []
    release = trio.Event()

    async def store(ctx: AnyContext) -> None:
        async for _question in ctx:
            await ctx.request(Query)

    def store_in_thread(ctx: AnyBlockingContext) -> None:
        for _question in ctx:
            ctx.request(Query)

    async def peer(ctx: AnyContext) -> None:
        async for query in ctx:
            await release.wait()
            query.reply.close()

    orchestra: Any = InwardThread(store=store_in_thread, peer=peer) if blocking else Inward(store=store, peer=peer)
    async with orchestra.open() as running, trio.open_nursery() as nursery:
        nursery.start_soon(ask, running, outcome)
        await until_it_waits(running, "request")
        nursery.start_soon(running.terminate)
        await trio.testing.wait_all_tasks_blocked()
        release.set()
        await running.wait_stopped()
        await trio.testing.wait_all_tasks_blocked()
        assert outcome == ["cancelled"]
