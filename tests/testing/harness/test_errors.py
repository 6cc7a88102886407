"""Errors of the subject: how they come out, and how a test expects them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import trio
import trio.testing

from orchestra_trio import Restart
from orchestra_trio.testing.harness.failures import ExpectationFailed
from orchestra_trio.testing.harness.opening import open_harness
from tests.runtime.samples import Ask, Item, Other, stopped
from tests.testing.harness.samples import fail_with, failing, never_reached, relay, unmet

if TYPE_CHECKING:
    from trio.testing import MockClock

    from orchestra_trio import SubsystemContext


async def test_an_error_of_the_subject_cancels_the_test_and_comes_out_in_a_group(autojump_clock: MockClock) -> None:
    with stopped() as errors:
        async with open_harness(failing) as harness:
            await harness.send(Item(0))
            await trio.sleep(60)
    assert [str(error) for error in errors] == ["it was 0"]
    assert errors[0].__notes__ == ["orchestra_trio: raised in 'failing' of Harness, with an Item in hand"]


async def test_an_error_while_something_is_expected_comes_out(autojump_clock: MockClock) -> None:
    with stopped() as errors:
        async with open_harness(failing) as harness:
            await harness.send(Item(0))
            await harness.expect(Other)
    assert len(errors) == 1


@pytest.mark.parametrize("call", ["expect", "expect_end", "wait_at_rest", "wait_epoch", "request"])
async def test_an_error_alone_comes_out_of_whatever_waits(call: str, autojump_clock: MockClock) -> None:
    async def touchy(ctx: SubsystemContext[Item | Ask, Other]) -> None:
        in_hand = await ctx.receive()
        await trio.sleep(0.5)
        raise KeyError(in_hand)

    arguments: dict[str, list[object]] = {"expect": [Other], "wait_epoch": [1], "request": [Ask, 1]}
    with stopped() as errors:
        async with open_harness(touchy) as harness:
            if call != "request":
                await harness.send(Item(0))
            await getattr(harness, call)(*arguments.get(call, []))
            never_reached()
    assert [type(error) for error in errors] == [KeyError]


async def test_an_error_at_the_end_comes_out(autojump_clock: MockClock) -> None:
    async def fails_at_the_end(ctx: SubsystemContext[Item]) -> None:
        async for _ in ctx:
            pass
        raise KeyError

    with stopped() as errors:
        async with open_harness(fails_at_the_end):
            pass
    assert [type(error) for error in errors] == [KeyError]


async def test_an_error_before_it_is_ready_comes_out(autojump_clock: MockClock) -> None:
    async def stillborn(ctx: SubsystemContext[Item]) -> None:
        await trio.sleep(0.1)
        raise KeyError

    with stopped() as errors:
        async with open_harness(stillborn, readiness=True):
            never_reached()
    assert [type(error) for error in errors] == [KeyError]


async def test_errors_of_both_come_out(autojump_clock: MockClock) -> None:
    async def sore_loser(ctx: SubsystemContext[Item]) -> None:
        try:
            await trio.sleep_forever()
        finally:
            raise KeyError

    with stopped() as errors:
        async with open_harness(sore_loser):
            await trio.testing.wait_all_tasks_blocked()
            fail_with(ValueError("of the test"))
    assert [type(error) for error in errors] == [ValueError, KeyError]


async def test_an_error_is_expected_and_the_test_goes_on(autojump_clock: MockClock) -> None:
    async with open_harness(failing) as harness:
        await harness.send(Item(1))
        async with harness.expect_error(ValueError, match="was 0") as caught:
            await harness.send(Item(0))
        assert str(caught.value) == "it was 0"
        assert harness.statistics().state == "failed"
        assert await harness.expect(Other) == Other(1)
        await harness.expect_nothing()
        with pytest.raises(trio.ClosedResourceError):
            await harness.send(Item(2))


async def test_what_came_before_an_error_is_to_be_expected(autojump_clock: MockClock) -> None:
    with unmet():
        async with open_harness(failing) as harness:
            await harness.send(Item(1))
            async with harness.expect_error(ValueError):
                await harness.send(Item(0))


async def test_the_block_that_expects_an_error_is_cancelled_by_it(autojump_clock: MockClock) -> None:
    async with open_harness(failing) as harness:
        async with harness.expect_error((KeyError, ValueError)):
            await harness.send(Item(0))
            await trio.sleep(60)
            never_reached()
        await trio.sleep(1)


async def test_an_expected_error_that_does_not_come(autojump_clock: MockClock) -> None:
    async with open_harness(relay) as harness:
        with unmet() as lines:
            async with harness.expect_error(ValueError):
                pass
        assert lines[0] == "expected a ValueError of the subject within 1 s, but it did not fail"
        await harness.send(Item(1))
        await harness.expect(Other)


async def test_an_expected_error_of_a_subject_that_is_cancelled(autojump_clock: MockClock) -> None:
    async with open_harness(relay) as harness:
        with unmet() as lines:
            async with harness.expect_error((KeyError, OSError)):
                harness.cancel()
        assert lines[0] == "expected a KeyError or an OSError of the subject, but it did not fail"


@pytest.mark.parametrize(
    ("expected", "match", "note"),
    [
        (KeyError, None, "expected a KeyError of 'failing'"),
        (ValueError, "1", "expected a ValueError that matches '1' of 'failing'"),
    ],
)
async def test_another_error_than_expected_comes_out(
    expected: type[Exception], match: str | None, note: str, autojump_clock: MockClock
) -> None:
    with pytest.RaisesGroup(ValueError) as caught:
        async with open_harness(failing) as harness, harness.expect_error(expected, match=match):
            await harness.send(Item(0))
    assert caught.value.__notes__ == [note]


async def test_an_error_of_the_block_that_expects_one_comes_out(autojump_clock: MockClock) -> None:
    with pytest.raises(LookupError):
        async with open_harness(failing) as harness, harness.expect_error(ValueError):
            fail_with(LookupError())


async def test_an_error_is_not_known_before_its_block_was_left(autojump_clock: MockClock) -> None:
    async with open_harness(failing) as harness, harness.expect_error(ValueError) as caught:
        with pytest.raises(RuntimeError, match="known once the block"):
            _ = caught.value
        await harness.send(Item(0))


async def test_errors_are_expected_one_at_a_time(autojump_clock: MockClock) -> None:
    async with open_harness(failing) as harness:
        async with harness.expect_error(ValueError):
            with pytest.raises(RuntimeError, match="is being expected already"):
                async with harness.expect_error(ValueError):
                    pass
            await harness.send(Item(0))
        with pytest.raises(trio.ClosedResourceError):
            async with harness.expect_error(ValueError):
                pass


async def test_restarts_are_survived(autojump_clock: MockClock) -> None:
    async with open_harness(failing, restart=Restart(max_restarts=1, backoff=2)) as harness:
        await harness.send_many([Item(0), Item(1)])
        assert await harness.expect(Other, within=3) == Other(1)
        assert (harness.statistics().restarts, trio.current_time()) == (1, 2)
        async with harness.expect_error(ValueError):
            await harness.send(Item(0))


async def test_the_wait_for_a_restart_is_shown(autojump_clock: MockClock) -> None:
    async with open_harness(failing, restart=Restart(backoff=5)) as harness:
        await harness.send(Item(0))
        with pytest.raises(ExpectationFailed, match="failing: restarting, waits to begin anew"):
            await harness.expect(Other)
        await harness.wait_at_rest(within=5)
