"""Faults around subsystems that fail, begin anew or are cancelled; arguments that are refused."""

from __future__ import annotations

import math
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
import trio

from orchestra_trio import Orchestra, Restart, Subsystem, subsystem
from orchestra_trio.testing.faults.chances import delay, drop, duplicate, reorder
from orchestra_trio.testing.faults.intercepted import intercept
from orchestra_trio.testing.faults.tally import Tally
from tests.runtime.life.lives import Lives, boom
from tests.runtime.samples import Item, Other, Solo, Tick, idle

if TYPE_CHECKING:
    from collections.abc import Callable

    from trio.testing import MockClock

    from orchestra_trio.testing.faults.intercepted import Intercepted
    from tests.runtime.samples import AnyContext


class Hardy(Orchestra[Tick]):
    """One that may fail, and sends to itself."""

    worker: Subsystem[Item | Other, Other, Tick] = subsystem(
        restart=Restart(max_restarts=9, backoff=1), unbounded={Other: "a test"}
    )


async def fails_after_one(ctx: AnyContext) -> None:
    await ctx.receive()
    raise ValueError


async def run_hardy(worker: Any, *messages: Any) -> None:  # noqa: ANN401 - of any types
    async with Hardy(worker=worker).open() as running:
        for message in messages:
            await running.route_message(message)
        await trio.sleep(20)


async def test_what_is_held_on_its_way_in_stays_for_the_next_incarnation(autojump_clock: MockClock) -> None:
    """As what lies in the mailbox does: only the message in hand is not given again."""
    got: list[int] = []

    async def collect(ctx: AnyContext) -> None:
        async for one in ctx:
            got.append(one.number)  # noqa: PERF401 - what came before it fails

    faulty = duplicate(reorder(Lives(fails_after_one, fails_after_one, collect), window=4))
    await run_hardy(faulty, *map(Item, range(4)))
    assert len(got) == 6
    assert faulty.received == Tally(seen=4, added=4, passed=8)


async def test_each_incarnation_draws_anew(autojump_clock: MockClock) -> None:
    """So a fault that struck the first message strikes the first message after a restart."""
    got: list[int] = []

    async def once(ctx: AnyContext) -> None:
        got.append((await ctx.receive()).number)
        raise ValueError

    faulty = drop(Lives(once, once, once), every=2)
    await run_hardy(faulty, *map(Item, range(3)))
    assert got == [0, 1, 2]
    assert faulty.dropped == 0


@pytest.mark.parametrize("wrap", [partial(delay, seconds=5, on="send"), partial(reorder, window=3)])
async def test_what_is_held_on_its_way_out_is_lost_with_its_incarnation(
    autojump_clock: MockClock, caplog: pytest.LogCaptureFixture, wrap: Callable[[Any], Intercepted[Any, Any]]
) -> None:
    async def sends(ctx: AnyContext) -> None:  # noqa: ASYNC124 - as those that wait
        ctx.send_unbounded(Other(1))
        ctx.send_unbounded(Other(2))
        raise ValueError

    faulty = wrap(Lives(sends, boom))
    await run_hardy(faulty)
    assert faulty.sent == Tally(seen=2, lost=2)
    assert "faults around subsystem 'worker' of Hardy lost messages that they held back: 2 Other" in caplog.text


async def test_what_is_held_when_all_is_over_is_lost(
    autojump_clock: MockClock, caplog: pytest.LogCaptureFixture
) -> None:
    """Each fault counts what it holds itself, and what was handed to none counts for the outermost."""

    async def one_only(ctx: AnyContext) -> None:
        await trio.sleep(1)
        await ctx.receive()

    inner = reorder(one_only, window=3)
    outer = duplicate(inner)
    solo = Solo.builder().worker(outer).message_channel_capacity(9).build()
    async with solo.open() as running:
        for number in range(4):
            await running.route_message(Item(number))
    assert outer.received == Tally(seen=2, added=2, passed=3, lost=1)
    assert inner.received == Tally(seen=3, passed=1, lost=2)
    assert [letter.message.number for letter in running.dead_letters] == [2, 3]  # type: ignore[attr-defined]  # an Item
    assert caplog.text.count("lost messages that they held back") == 2


async def test_a_cancelled_subsystem_stops_at_once(autojump_clock: MockClock) -> None:
    faulty = delay(idle, seconds=100)
    async with Solo(worker=faulty).open() as running:
        await running.route_message(Item(1))
        await trio.sleep(1)
        report = await running.terminate(grace=3)
    assert trio.current_time() == 4
    assert report.cancelled == ("worker",)
    assert faulty.received == Tally(seen=1, lost=1)


async def test_counts_go_on_over_openings(autojump_clock: MockClock) -> None:
    faulty = drop(idle, every=2)
    solo = Solo(worker=faulty)
    for opened in (1, 2):
        async with solo.open() as running:
            for number in range(4):
                await running.route_message(Item(number))
        assert faulty.received == Tally(seen=4 * opened, passed=2 * opened, dropped=2 * opened)
    before = faulty.received
    before.seen = 99
    assert faulty.received.seen == 8


@pytest.mark.parametrize(
    ("fault", "options", "error", "words"),
    [
        (drop, {"probability": 0.5, "every": 2}, TypeError, "drop: give probability= or every=, not both"),
        (drop, {"probability": 1.5}, ValueError, "drop: probability must be from 0 to 1, not 1.5"),
        (drop, {"probability": math.nan}, ValueError, "from 0 to 1, not nan"),
        (drop, {"probability": True}, TypeError, "drop: probability must be a number, not True"),
        (duplicate, {"every": 0}, ValueError, "duplicate: every must be at least 1, not 0"),
        (duplicate, {"every": 1.5}, TypeError, "duplicate: every must be an integer, not 1.5"),
        (duplicate, {"seed": "x"}, TypeError, "duplicate: seed must be an integer, not 'x'"),
        (duplicate, {"on": "sent"}, ValueError, 'on=\'sent\' is unknown; write "receive", "send" or "both"'),
        (reorder, {"window": 1}, ValueError, "reorder: window must be at least 2, not 1"),
        (reorder, {"window": True}, TypeError, "reorder: window must be an integer, not True"),
        (delay, {"seconds": -1}, ValueError, "must be finite and at least 0, the lowest first, not -1"),
        (delay, {"seconds": (2, 1)}, ValueError, "the lowest first, not (2, 1)"),
        (delay, {"seconds": math.inf}, ValueError, "must be finite"),
        (
            delay,
            {"seconds": (1, 2, 3)},
            TypeError,
            "seconds must be a number or a pair (lowest, highest), not (1, 2, 3)",
        ),
        (delay, {"seconds": ()}, TypeError, "delay: seconds must be a number or a pair (lowest, highest), not ()"),
        (intercept, {"on_send": 3}, TypeError, "intercept: on_send must be a function of a message, not 3"),
        (intercept, {"on_receive": "x"}, TypeError, "on_receive must be a function of a message, not 'x'"),
        (intercept, {"on_signal": 3}, TypeError, "on_signal must be a function of a message, not 3"),
        (delay, {"seconds": "1"}, TypeError, "delay: seconds must be a number, not '1'"),
    ],
)
def test_arguments_are_checked_at_once(
    fault: Callable[..., Any], options: dict[str, Any], error: type[Exception], words: str
) -> None:
    with pytest.raises(error) as caught:
        fault(idle, **options)
    assert words in str(caught.value)


def test_types_are_named_one_after_another() -> None:
    union: Any = Item | Other
    with pytest.raises(TypeError, match="is no class: name classes of messages, one after another"):
        drop(idle, union)
