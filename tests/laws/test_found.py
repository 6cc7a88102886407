"""What the other tests of this folder have found, each kept as it was when it had shrunk."""

from __future__ import annotations

from typing import Any

import pytest
import trio
import trio.testing
from hypothesis import given
from hypothesis import strategies as st

from orchestra_trio import OneshotCancelled, OneshotSender, Orchestra, Subsystem, SubsystemContext, subsystem
from tests.laws.performance import perform, run
from tests.laws.wirings import MESSAGES, Episode, Message, SlotPlan, Step


def test_another_task_of_the_context_calls_during_a_schedule_point() -> None:
    """While one task was in the checkpoint that was due, the calls of others counted below zero, unlimited."""
    request, send = Step("request"), Step("send", "wait", count=2)
    perform(Episode((SlotPlan(),), load=((request,), (send,)), yield_every=1))


@pytest.mark.parametrize("how", ["ends", "goes on"])
async def test_a_request_that_was_let_go_of_is_not_kept(how: str, autojump_clock: trio.testing.MockClock) -> None:
    """The context kept the last message it had handed out, and the reply end with it, until its next wait."""

    class Deaf(Orchestra):
        subsystem: Subsystem[Message] = subsystem(consumes=MESSAGES[0])

    async def take_one(ctx: SubsystemContext[Message]) -> None:
        await ctx.receive()
        if how == "goes on":
            await trio.sleep_forever()

    async def main(ctx: SubsystemContext[Message]) -> None:
        ctx.start_soon(take_one, ctx, background=True)
        await trio.testing.wait_all_tasks_blocked()
        async for _ in ctx:
            pass

    def make(reply: OneshotSender[Any]) -> Message:
        return MESSAGES[0](1, 0, reply)

    with trio.fail_after(5):
        async with Deaf(subsystem=main).open() as running:
            await trio.testing.wait_all_tasks_blocked(0.01)
            with pytest.raises(OneshotCancelled):
                await running.request(make)


@given(st.booleans(), st.integers(0, 2**32))
def test_what_is_routed_while_the_input_closes_is_refused_or_received(is_request: bool, seed: int) -> None:
    """Routing looked whether the input was open, and then came a schedule point, at which it could be closed."""
    received: list[Message] = []
    refused: list[Exception] = []

    class Quick(Orchestra, yield_every=1):
        subsystem: Subsystem[Message] = subsystem(consumes=MESSAGES[0])

    async def main(ctx: SubsystemContext[Message]) -> None:
        async for message in ctx:
            received.append(message)
            if message.reply is not None:
                message.reply.send(1)

    def make(reply: OneshotSender[Any]) -> Message:
        return MESSAGES[0](1, 0, reply)

    begun = trio.Event()
    running: Any = None

    async def route() -> None:
        begun.set()
        try:
            if is_request:
                await running.request(make)
            else:
                await running.route_message(MESSAGES[0](1))
        except trio.ClosedResourceError as error:
            refused.append(error)

    async def scene() -> None:
        nonlocal running
        async with Quick(subsystem=main).open() as running, trio.open_nursery() as nursery:
            nursery.start_soon(route)
            await begun.wait()
            running.close_input()
        assert not running.dead_letters

    run(scene, seed)
    assert len(received) + len(refused) == 1
