"""How the conversation ends: by the subject, by the test, and what was not expected."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import trio
import trio.testing

from orchestra_trio import StopReport, UndeclaredMessage
from orchestra_trio.testing.harness.failures import ExpectationFailed
from orchestra_trio.testing.harness.opening import open_harness
from tests.runtime.samples import Ask, Item, Other, Tick, Tock
from tests.testing.harness.samples import asking, bursting, counting, deaf, never_reached, relay, unmet

if TYPE_CHECKING:
    from trio.testing import MockClock

    from orchestra_trio import SubsystemContext


async def one_word(ctx: SubsystemContext[Item, Other]) -> None:
    """Answer once, and end."""
    incoming = await ctx.receive()
    await ctx.send(Other(incoming.number))


async def endless(ctx: SubsystemContext[Item, Other]) -> None:
    """Send for ever, whatever comes."""
    while True:
        await ctx.send(Other(0))


async def resting(ctx: SubsystemContext[Item, Other, Tick]) -> None:
    """Receive with a time limit, and work for 3 seconds on what has come."""
    try:
        while True:
            with trio.move_on_after(0.5):
                await ctx.receive()
                await trio.sleep(0.4)
    except trio.EndOfChannel:
        pass


async def test_what_was_not_expected_fails_the_test() -> None:
    with unmet() as lines:
        async with open_harness(relay) as harness:
            await harness.send_many([Item(1), Item(2)])
    assert lines[:3] == [
        "expected nothing more before the end of the test, but 2 messages came:",
        "    1. Other(number=1)  (bounded lane)",
        "    2. Other(number=2)  (bounded lane)",
    ]


async def test_what_a_failed_expectation_left_was_not_expected(autojump_clock: MockClock) -> None:
    with unmet() as lines:
        async with open_harness(relay) as harness:
            await harness.send(Item(1))
            with unmet():
                await harness.expect_nothing()
    assert lines[0] == "expected nothing more before the end of the test, but a message came:"


async def test_a_harness_that_is_not_strict_lets_them_be() -> None:
    async with open_harness(relay, strict=False, peer_capacity=1) as harness:
        await harness.send_many([Item(number) for number in range(10)])


async def test_a_request_that_was_not_expected_is_let_go_of() -> None:
    """The subject is told that no answer will come, and ends by it, since it is being terminated."""
    async with open_harness(asking, strict=False) as harness:
        await harness.send_many([Item(1), Item(2)])
        await trio.testing.wait_all_tasks_blocked()


async def test_one_that_is_not_strict_has_time_to_end(autojump_clock: MockClock) -> None:
    ends: list[float] = []

    async def dawdling(ctx: SubsystemContext[Item, Other]) -> None:
        async for _ in ctx:
            pass
        await trio.sleep(20)
        ends.append(trio.current_time())

    async with open_harness(dawdling, strict=False, within=30):
        pass
    assert ends == [20]


async def test_a_request_that_was_not_expected_fails_the_test_and_not_the_subject(autojump_clock: MockClock) -> None:
    with unmet() as lines:
        async with open_harness(asking) as harness:
            await harness.send_many([Item(1), Item(2)])
    assert lines[1].startswith("    Ask(reply=<OneshotSender 'Ask': open>, number=1)")


async def test_what_is_sent_at_the_end_can_be_expected(autojump_clock: MockClock) -> None:
    async with open_harness(counting) as harness:
        await harness.send_many([Item(1), Item(2)])
        harness.close_input()
        harness.close_input()
        assert await harness.expect(Other) == Other(2)
        await harness.expect_end()


async def test_a_closed_input_takes_nothing(autojump_clock: MockClock) -> None:
    async with open_harness(counting) as harness:
        harness.close_input()
        for send in (harness.send_nowait, harness.send_unbounded):
            with pytest.raises(trio.ClosedResourceError, match="the input of 'counting' is closed"):
                send(Item(1))
        with pytest.raises(trio.ClosedResourceError):
            await harness.send(Item(1))
        with pytest.raises(trio.ClosedResourceError):
            await harness.request(Ask)
        await harness.expect(Other)


async def test_the_running_orchestra_may_close_the_input_too(autojump_clock: MockClock) -> None:
    async with open_harness(counting) as harness:
        harness.running.close_input()
        await harness.expect(Other)
        await harness.expect_end()
        with pytest.raises(trio.ClosedResourceError):
            harness.send_nowait(Item(1))


async def test_the_end_of_input_is_the_only_one(autojump_clock: MockClock) -> None:
    """A subject that waits with time limits of its own gets end-of-input at once, as outside of every cycle."""
    async with open_harness(resting) as harness:
        harness.close_input()
        await harness.expect_end(within=0.1)


async def test_a_subject_ends_by_itself(autojump_clock: MockClock) -> None:
    async with open_harness(one_word) as harness:
        await harness.send(Item(1))
        await harness.expect_end()
        assert harness.statistics().state == "finished"
        assert await harness.expect(Other) == Other(1)


async def test_nothing_comes_after_the_end(autojump_clock: MockClock) -> None:
    async with open_harness(one_word) as harness:
        harness.send_nowait(Item(1))
        await harness.expect(Other)
        await harness.expect_end()
        with unmet() as lines:
            await harness.expect(Other)
        assert lines[0] == "expected an Other, but nothing came and will come: the subject has ended"
        harness.close_input()
        with unmet():
            await harness.expect(Other)
        await harness.expect_nothing()


async def test_a_subject_that_does_not_end(autojump_clock: MockClock) -> None:
    async with open_harness(deaf) as harness:
        with unmet() as lines:
            await harness.expect_end()
        assert lines[0] == "expected the subject to end within 1 s, but it runs on"
        harness.cancel()


async def test_a_subject_that_does_not_end_fails_the_test(autojump_clock: MockClock) -> None:
    with unmet() as lines:
        async with open_harness(deaf):
            pass
    assert lines[0] == "expected the subject to end within 1 s of the end of its input, but it runs on"
    assert lines[1].startswith("deaf: ending, stands at ")


@pytest.mark.parametrize(("strict", "count"), [(True, 100), (False, 10_000)])
async def test_a_subject_that_sends_for_ever_fails_the_test(
    strict: bool, count: int, autojump_clock: MockClock
) -> None:
    with unmet() as lines:
        async with open_harness(endless, strict=strict):
            pass
    assert f"{count} messages" in lines[0]


async def test_the_test_comes_to_rest_with_the_subject(autojump_clock: MockClock) -> None:
    async with open_harness(resting, message_capacity=4) as harness:
        await harness.send_many([Item(1), Item(2)])
        await harness.wait_at_rest()
        assert trio.current_time() == pytest.approx(0.8)
        assert harness.statistics().bounded.received == 2


async def test_a_subject_that_has_ended_is_at_rest(autojump_clock: MockClock) -> None:
    async with open_harness(one_word) as harness:
        await harness.send(Item(1))
        await harness.expect(Other)
        await harness.wait_at_rest()


async def test_a_subject_that_does_not_come_to_rest(autojump_clock: MockClock) -> None:
    async with open_harness(deaf) as harness:
        with unmet() as lines:
            await harness.wait_at_rest()
        assert lines[0] == "expected the subject to come to rest within 1 s, but it did not"
        harness.cancel()


async def test_a_job_that_works_is_not_at_rest_and_one_in_the_background_is(autojump_clock: MockClock) -> None:
    async def working(ctx: SubsystemContext[Item]) -> None:
        ctx.start_soon(trio.sleep_forever, background=True)
        ctx.start_soon(trio.sleep, 0.6)
        async for _ in ctx:
            pass

    async with open_harness(working) as harness:
        await harness.wait_at_rest()
        assert trio.current_time() == pytest.approx(0.6)


async def test_terminating(autojump_clock: MockClock) -> None:
    async def obedient(ctx: SubsystemContext[Item, Other, Tick]) -> None:
        async for incoming in ctx:
            if isinstance(incoming, Tick):
                break
        for number in range(3):
            await ctx.send(Other(number))

    async with open_harness(obedient) as harness:
        report = await harness.terminate(Tick())
        assert report == StopReport(finished=("obedient",), cancelled=(), undelivered={})
        assert await harness.expect_many(Other, 3) == [Other(0), Other(1), Other(2)]
        await harness.expect_nothing()
        await harness.expect_end()
        with pytest.raises(trio.ClosedResourceError, match="'obedient' runs no more"):
            await harness.terminate()
        with pytest.raises(trio.ClosedResourceError):
            await harness.signal(Tick())
        with pytest.raises(trio.ClosedResourceError):
            await harness.send(Item(1))


async def test_terminating_cancels_after_the_grace(autojump_clock: MockClock) -> None:
    async with open_harness(deaf) as harness:
        await harness.send(Item(1))
        report = await harness.terminate(grace=3)
        assert report == StopReport(finished=(), cancelled=("deaf",), undelivered={"deaf": 1})
        assert trio.current_time() == 3


async def test_what_cannot_be_terminated_with_changes_nothing(autojump_clock: MockClock) -> None:
    async with open_harness(relay) as harness:
        with pytest.raises(UndeclaredMessage):
            await harness.terminate(Tock())  # type: ignore[arg-type]  # that is the point
        with pytest.raises(ValueError, match="grace"):
            await harness.terminate(grace=-1)
        await harness.send(Item(1))
        await harness.expect(Other)


async def test_what_came_before_a_cancellation_can_be_expected(autojump_clock: MockClock) -> None:
    async with open_harness(bursting, peer_capacity=3) as harness:
        await harness.send(Item(5))
        await trio.testing.wait_all_tasks_blocked()
        harness.cancel()
        assert await harness.expect_many(Other, 3) == [Other(0), Other(1), Other(2)]
        await harness.expect_end()


async def test_what_came_before_a_cancellation_is_expected_to_be_expected(autojump_clock: MockClock) -> None:
    with unmet():
        async with open_harness(relay) as harness:
            await harness.send(Item(1))
            await harness.wait_at_rest()
            harness.cancel()


async def test_an_error_of_the_test_comes_out_as_it_is(autojump_clock: MockClock) -> None:
    with pytest.raises(KeyError):
        async with open_harness(deaf):
            raise KeyError


async def test_a_cancelled_test_leaves_nothing(autojump_clock: MockClock) -> None:
    with trio.move_on_after(1) as scope:
        async with open_harness(relay, within=60) as harness:
            await harness.send(Item(1))
            await trio.sleep(20)
    assert scope.cancelled_caught
    assert harness.statistics().state == "cancelled"


async def test_readiness_is_waited_for(autojump_clock: MockClock) -> None:
    async def careful(ctx: SubsystemContext[Item]) -> None:
        await trio.sleep(0.5)
        ctx.started()
        async for _ in ctx:
            pass

    async with open_harness(careful, readiness=True):
        assert trio.current_time() == 0.5


async def test_a_subject_that_is_never_ready(autojump_clock: MockClock) -> None:
    with unmet() as lines:
        async with open_harness(deaf, readiness=True):
            never_reached()
    assert lines[0] == "expected the subject to be ready within 1 s, but it has not called ctx.started()"
    assert lines[1].startswith("deaf: starting, stands at ")


async def test_on_the_system_clock_a_request_is_answered() -> None:
    async with open_harness(counting, within=60) as harness:
        assert await harness.request(Ask) == 0
        harness.close_input()
        await harness.expect(Other)


async def test_on_the_system_clock_the_limit_is_a_real_one() -> None:
    async with open_harness(relay) as harness:
        with pytest.raises(ExpectationFailed):
            await harness.expect(Other, within=0)
        await harness.send(Item(1))
        await harness.expect(Other, within=60)
        await harness.expect_nothing(within=0)
