"""What the test sends: through real lanes, with real capacities and epochs."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import pytest
import trio
import trio.testing

from orchestra_trio import Biased, OneshotCancelled, Priority, SubsystemExited, SubsystemStalled, UndeclaredMessage
from orchestra_trio.testing.harness.opening import open_harness
from tests.runtime.samples import Ask, Item, Other, Tick, Tock
from tests.testing.harness.samples import asking, bursting, counting, deaf, relay, unmet

if TYPE_CHECKING:
    from trio.testing import MockClock

    from orchestra_trio import SubsystemContext


async def ending(_: SubsystemContext[Item | Ask, Other, Tick]) -> None:
    """End at once."""
    await trio.lowlevel.checkpoint()


async def later(ctx: SubsystemContext[Item, Other, Tick]) -> None:
    """Receive after 5 seconds, when the lanes have filled."""
    await trio.sleep(5)
    async for incoming in ctx:
        await ctx.send(Other(-1 if isinstance(incoming, Tick) else incoming.number))


async def test_a_full_lane_makes_the_test_wait(autojump_clock: MockClock) -> None:
    async with open_harness(deaf, message_capacity=2) as harness:
        await harness.send(Item(1))
        harness.send_nowait(Item(2))
        with pytest.raises(trio.WouldBlock):
            harness.send_nowait(Item(3))
        with unmet():
            await harness.send(Item(3))
        assert harness.statistics().bounded.sent == 2
        harness.cancel()


async def test_a_full_lane_is_waited_for(autojump_clock: MockClock) -> None:
    async with open_harness(later, message_capacity=1) as harness:
        await harness.send_many([Item(1), Item(2)], within=6)
        assert trio.current_time() == 5
        assert await harness.expect_many(Other, 2) == [Other(1), Other(2)]


async def test_a_lane_of_the_peer_that_is_full_makes_the_subject_wait(autojump_clock: MockClock) -> None:
    async with open_harness(bursting, peer_capacity=2) as harness:
        await harness.send(Item(5))
        await trio.testing.wait_all_tasks_blocked()
        peer = harness.running.statistics().subsystems["peer"]
        assert (peer.bounded.sent, peer.bounded.blocked) == (2, 1)
        assert harness.statistics().waits[0].kind == "send"
        await harness.expect(Other)
        await trio.testing.wait_all_tasks_blocked()
        assert harness.running.statistics().subsystems["peer"].bounded.sent == 3
        await harness.expect_many(Other, 4)


async def test_the_priority_lane_comes_first(autojump_clock: MockClock) -> None:
    async with open_harness(later, priority=True) as harness:
        await harness.send_many([Item(1), Item(2)])
        await harness.send(Item(3), priority=Priority.HIGH)
        found = await harness.expect_many(Other, 3, within=6)
        assert [message.number for message in found] == [3, 1, 2]


async def test_what_the_subject_sends_with_priority_comes_first(autojump_clock: MockClock) -> None:
    async def urgent(ctx: SubsystemContext[Item, Other]) -> None:
        async for incoming in ctx:
            await ctx.send(Other(incoming.number))
            await ctx.send(Other(-incoming.number), priority=Priority.HIGH)

    async with open_harness(urgent, peer_capacity=1) as harness:
        await harness.send(Item(1))
        await trio.testing.wait_all_tasks_blocked()
        assert await harness.expect_many(Other, 2) == [Other(-1), Other(1)]


async def test_all_lanes_are_served_as_the_slot_says(autojump_clock: MockClock) -> None:
    async with open_harness(later, priority=True, select=Biased("unbounded", "bounded", "priority")) as harness:
        await harness.send(Item(1), priority=Priority.HIGH)
        await harness.send(Item(2))
        harness.send_unbounded(Item(3))
        await harness.signal(Tick())
        found = await harness.expect_many(Other, 4, within=6)
        assert [message.number for message in found] == [-1, 3, 2, 1]


async def test_what_the_subject_sends_unbounded_is_declared(autojump_clock: MockClock) -> None:
    async def flood(ctx: SubsystemContext[Item, Other]) -> None:
        async for incoming in ctx:
            for number in range(incoming.number):
                ctx.send_unbounded(Other(number))

    async with open_harness(flood, peer_capacity=1, unbounded={Other: "a few per item"}) as harness:
        await harness.send(Item(5))
        await harness.wait_at_rest()
        assert harness.running.statistics().subsystems["peer"].unbounded.channel_len == 5
        await harness.expect_many(Other, 5)


async def test_epochs_are_those_of_broadcasts(autojump_clock: MockClock) -> None:
    async with open_harness(relay) as harness:
        assert harness.epoch == 0
        first = await harness.signal(Tick())
        assert await harness.signal(Tick()) == first + 1
        await harness.wait_epoch(first + 1)
        assert harness.epoch == first + 1


async def test_an_epoch_that_is_not_received_is_not_waited_for_for_ever(autojump_clock: MockClock) -> None:
    async with open_harness(deaf) as harness:
        epoch = await harness.signal(Tick())
        with unmet():
            await harness.wait_epoch(epoch)
        harness.cancel()


async def test_signals_beyond_the_capacity_stall(autojump_clock: MockClock) -> None:
    async with open_harness(deaf, signal_capacity=1) as harness:
        await harness.signal(Tick())
        with pytest.raises(SubsystemStalled):
            await harness.signal(Tick())
        harness.cancel()


async def test_what_the_wiring_does_not_know_is_refused(autojump_clock: MockClock) -> None:
    async with open_harness(relay) as harness:
        with pytest.raises(UndeclaredMessage):
            await harness.send(Other(1))  # type: ignore[arg-type]  # that is the point
        with pytest.raises(UndeclaredMessage):
            await harness.signal(Tock())  # type: ignore[arg-type]  # likewise


async def test_the_test_requests(autojump_clock: MockClock) -> None:
    async with open_harness(counting) as harness:
        await harness.send_many([Item(1), Item(2)])
        assert await harness.request(Ask) == 2
        harness.close_input()
        await harness.expect(Other)


async def test_a_request_that_is_not_answered_fails(autojump_clock: MockClock) -> None:
    async def hoarding(ctx: SubsystemContext[Ask]) -> None:
        kept = [incoming async for incoming in ctx]
        del kept

    async with open_harness(hoarding) as harness:
        with unmet():
            await harness.request(Ask, 1)


async def test_a_request_that_nobody_will_answer_says_so(autojump_clock: MockClock) -> None:
    async def careless(ctx: SubsystemContext[Ask]) -> None:
        async for incoming in ctx:
            incoming.reply.close()

    async with open_harness(careless) as harness:
        with pytest.raises(OneshotCancelled):
            await harness.request(Ask, 1)


async def test_the_subject_requests(autojump_clock: MockClock) -> None:
    async with open_harness(asking) as harness:
        await harness.send(Item(1))
        ask = await harness.expect(Ask)
        assert harness.reply(ask, 7)
        assert await harness.expect(Other) == Other(7)


async def test_an_answer_that_is_not_wanted_any_more(autojump_clock: MockClock) -> None:
    async def impatient(ctx: SubsystemContext[Item, Ask]) -> None:
        async for incoming in ctx:
            with trio.move_on_after(2):
                await ctx.request(Ask, incoming.number)

    async with open_harness(impatient) as harness:
        await harness.send(Item(1))
        ask = await harness.expect(Ask)
        await trio.sleep(3)
        assert not harness.reply(ask, 7)


async def test_only_requests_can_be_answered(autojump_clock: MockClock) -> None:
    async with open_harness(relay) as harness:
        with pytest.raises(ValueError, match="an Item carries no reply end: only requests can be answered"):
            harness.reply(Item(1), 7)


async def test_an_answer_is_given_once(autojump_clock: MockClock) -> None:
    async with open_harness(asking) as harness:
        await harness.send(Item(1))
        ask = await harness.expect(Ask)
        harness.reply(ask, 7)
        with pytest.raises(trio.ClosedResourceError):
            harness.reply(ask, 8)
        await harness.expect(Other)


async def test_a_subject_that_has_ended_takes_nothing(autojump_clock: MockClock) -> None:
    async with open_harness(ending) as harness:
        await harness.expect_end()
        with pytest.raises(SubsystemExited):
            await harness.send(Item(1))
        with pytest.raises(SubsystemExited):
            await harness.request(Ask)


async def test_after_exit_holds(autojump_clock: MockClock) -> None:
    async with open_harness(ending, after_exit="dead_letter") as harness:
        await harness.expect_end()
        await harness.send(Item(1))
        assert harness.running.statistics().dead_letters == {"exited": 1}


async def test_a_cancelled_send_has_sent_nothing(autojump_clock: MockClock) -> None:
    async with open_harness(deaf, message_capacity=1) as harness:
        await harness.send(Item(1))
        with trio.move_on_after(3) as scope:
            await harness.send(Item(2), within=math.inf)
        assert scope.cancelled_caught
        assert harness.statistics().bounded.sent == 1
        harness.cancel()


async def test_the_test_waiting_to_send_is_no_deadlock(autojump_clock: MockClock) -> None:
    """Both lanes are full, and each side waits to send: the peer can still receive."""
    async with open_harness(relay, message_capacity=1, peer_capacity=1) as harness, trio.open_nursery() as nursery:
        nursery.start_soon(harness.send_many, [Item(number) for number in range(6)])
        await trio.testing.wait_all_tasks_blocked()
        assert {wait.kind for wait in harness.statistics().waits} == {"send"}
        assert {wait.kind for wait in harness.running.statistics().subsystems["test"].waits} == {"send"}
        assert await harness.expect_many(Other, 6) == [Other(number) for number in range(6)]
