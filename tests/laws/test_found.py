"""What the other tests of this folder have found, each kept as it was when it had shrunk."""

from __future__ import annotations

from typing import Any

import pytest
import trio
import trio.testing

from orchestra_trio import OneshotCancelled, OneshotSender, Orchestra, Subsystem, SubsystemContext, subsystem
from tests.laws.performance import perform
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
