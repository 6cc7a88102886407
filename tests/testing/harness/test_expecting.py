"""What the subject sends: taken in order, one by one, and never lost."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import trio
import trio.testing

from orchestra_trio.testing.harness.opening import open_harness
from tests.runtime.samples import Ask, Item, Other, Tick
from tests.testing.harness.samples import asking, bursting, relay, sorter, unmet

if TYPE_CHECKING:
    from trio.testing import MockClock

    from orchestra_trio import SubsystemContext


async def test_a_type_is_expected(autojump_clock: MockClock) -> None:
    async with open_harness(relay) as harness:
        await harness.send(Item(1))
        assert await harness.expect(Other) == Other(1)


async def test_a_predicate_is_expected(autojump_clock: MockClock) -> None:
    async with open_harness(relay) as harness:
        await harness.send(Item(1))
        assert await harness.expect(lambda message: message.number == 1) == Other(1)


async def test_a_type_and_a_predicate_are_expected(autojump_clock: MockClock) -> None:
    async with open_harness(relay) as harness:
        await harness.send(Item(1))
        await harness.expect(Other, lambda message: message.number == 1)


async def test_a_message_of_another_type_stays_the_next(autojump_clock: MockClock) -> None:
    async with open_harness(asking) as harness:
        await harness.send(Item(1))
        with unmet():
            await harness.expect(Other)
        harness.reply(await harness.expect(Ask), 3)
        assert await harness.expect(Other) == Other(3)


async def test_a_message_that_a_predicate_refuses_stays_the_next(autojump_clock: MockClock) -> None:
    async with open_harness(relay) as harness:
        await harness.send_many([Item(1), Item(2)])
        with unmet():
            await harness.expect(Other, lambda message: message.number == 2)
        assert await harness.expect_many(Other, 2) == [Other(1), Other(2)]


async def test_an_error_of_a_predicate_comes_out_and_loses_nothing(autojump_clock: MockClock) -> None:
    async with open_harness(relay) as harness:
        await harness.send(Item(0))
        with pytest.raises(ZeroDivisionError):
            await harness.expect(lambda message: 1 // message.number)
        await harness.expect(Other)


async def test_nothing_came_in_time(autojump_clock: MockClock) -> None:
    """A hang fails at once: after `within` seconds of a clock that jumps."""
    async with open_harness(relay) as harness:
        with unmet():
            await harness.expect(Other)
        assert trio.current_time() == 1
        with unmet():
            await harness.expect(Other, within=5)
        assert trio.current_time() == 6


async def test_the_harness_says_how_long_its_calls_wait(autojump_clock: MockClock) -> None:
    async def slow(ctx: SubsystemContext[Item, Other]) -> None:
        async for incoming in ctx:
            await trio.sleep(20)
            await ctx.send(Other(incoming.number))

    async with open_harness(slow, within=30) as harness:
        await harness.send(Item(1))
        await harness.expect(Other)
        assert trio.current_time() == 20


async def test_a_cancelled_expect_loses_nothing(autojump_clock: MockClock) -> None:
    async with open_harness(relay) as harness:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(harness.expect, Other)
            await trio.testing.wait_all_tasks_blocked()
            harness.send_nowait(Item(1))
            nursery.cancel_scope.cancel()
        assert await harness.expect(Other) == Other(1)


async def test_a_cancelled_expect_many_loses_nothing(autojump_clock: MockClock) -> None:
    async with open_harness(relay) as harness:
        await harness.send_many([Item(1), Item(2)])
        with trio.move_on_after(0.5) as scope:
            await harness.expect_many(Other, 3)
        assert scope.cancelled_caught
        assert await harness.expect_many(Other, 2) == [Other(1), Other(2)]


async def test_a_cancelled_expect_unordered_loses_nothing(autojump_clock: MockClock) -> None:
    async with open_harness(relay) as harness:
        await harness.send(Item(1))
        with trio.move_on_after(0.5) as scope:
            await harness.expect_unordered(Other, Other)
        assert scope.cancelled_caught
        await harness.expect(Other)


@pytest.mark.parametrize("call", ["expect", "expect_many", "expect_unordered", "expect_nothing", "expect_end"])
async def test_every_call_checks_for_cancellation(call: str, autojump_clock: MockClock) -> None:
    arguments: dict[str, list[object]] = {"expect": [Other], "expect_many": [Other, 1], "expect_unordered": [Other]}
    async with open_harness(relay) as harness:
        await harness.send(Item(1))
        await trio.testing.wait_all_tasks_blocked()
        with trio.CancelScope() as scope:
            scope.cancel()
            await getattr(harness, call)(*arguments.get(call, []))
        assert scope.cancelled_caught
        await harness.expect(Other)


async def test_many_are_expected_in_a_row(autojump_clock: MockClock) -> None:
    async with open_harness(bursting) as harness:
        await harness.send(Item(4))
        assert await harness.expect_many(Other, 2) == [Other(0), Other(1)]
        assert await harness.expect_many(lambda message: message.number > 1, 2) == [Other(2), Other(3)]


async def test_many_need_a_count(autojump_clock: MockClock) -> None:
    async with open_harness(relay) as harness:
        with pytest.raises(ValueError, match="count must be at least 1, not 0"):
            await harness.expect_many(Other, 0)


async def test_several_in_any_order_come_in_that_of_the_arguments(autojump_clock: MockClock) -> None:
    async def sends_all(ctx: SubsystemContext[Item, Other | Ask]) -> None:
        async for incoming in ctx:
            await ctx.send(Other(incoming.number))
            ctx.start_soon(ctx.request, Ask, incoming.number)

    async with open_harness(sends_all) as harness:
        await harness.send(Item(1))
        ask, other = await harness.expect_unordered(Ask, Other)
        assert (ask.number, other.number) == (1, 1)
        harness.reply(ask, 0)


async def test_predicates_that_overlap_are_all_met_if_they_can_be(autojump_clock: MockClock) -> None:
    """The first message meets both; it is left for the one that the second does not meet."""
    async with open_harness(bursting) as harness:
        await harness.send(Item(2))
        found = await harness.expect_unordered(lambda message: message.number < 2, lambda message: message.number < 1)
        assert found == (Other(1), Other(0))


async def test_alike_in_any_order_come_in_theirs(autojump_clock: MockClock) -> None:
    async with open_harness(bursting) as harness:
        await harness.send(Item(3))
        assert await harness.expect_unordered(Other, Other, Other) == (Other(0), Other(1), Other(2))


async def test_one_too_many_of_several_in_any_order_stays(autojump_clock: MockClock) -> None:
    async with open_harness(asking, consumes=Item, sends=(Ask, Other)) as harness:
        await harness.send_many([Item(1), Item(2)])
        with unmet():
            await harness.expect_unordered(Ask, Ask)
        harness.reply(await harness.expect(Ask), 1)
        _, ask = await harness.expect_unordered(Other, Ask)
        harness.reply(ask, 2)
        await harness.expect(Other)


async def test_nothing_is_expected_for_a_time(autojump_clock: MockClock) -> None:
    async with open_harness(relay) as harness:
        await harness.signal(Tick())
        await harness.expect_nothing(within=3)
        assert trio.current_time() == 3


async def test_a_message_comes_where_nothing_is_expected_and_stays(autojump_clock: MockClock) -> None:
    async with open_harness(relay) as harness:
        await harness.send(Item(1))
        with unmet():
            await harness.expect_nothing()
        with unmet():
            await harness.expect_nothing()
        await harness.expect(Other)


async def test_nothing_comes_of_a_subject_that_sends_nothing(autojump_clock: MockClock) -> None:
    async def silent(ctx: SubsystemContext[Item]) -> None:
        async for _ in ctx:
            pass

    async with open_harness(silent) as harness:
        await harness.send(Item(1))
        await harness.expect_nothing()


async def test_what_a_subject_sends_to_itself_does_not_come_out(autojump_clock: MockClock) -> None:
    async with open_harness(sorter) as harness:
        await harness.send(Item(12))
        assert await harness.expect(Other) == Other(3)


async def test_two_tasks_cannot_expect_at_once(autojump_clock: MockClock) -> None:
    async with open_harness(relay) as harness, trio.open_nursery() as nursery:
        nursery.start_soon(harness.expect, Other)
        await trio.testing.wait_all_tasks_blocked()
        with pytest.raises(trio.BusyResourceError, match="another task of the test expects something of 'relay'"):
            await harness.expect(Other)
        await harness.send(Item(1))


@pytest.mark.parametrize("expected", [3, None, Item(1), "Other"])
async def test_what_is_neither_type_nor_predicate_is_refused(expected: object, autojump_clock: MockClock) -> None:
    async with open_harness(relay) as harness:
        await harness.send(Item(1))
        with pytest.raises(TypeError, match="write a type, a predicate, or a type and a predicate"):
            await harness.expect(expected)  # type: ignore[call-overload]  # that is the point
        await harness.expect(Other)
