"""What a failed expectation says: texts as a person reads them."""

from __future__ import annotations

import gc
import re
import weakref
from textwrap import dedent
from typing import TYPE_CHECKING

import pytest
import trio
import trio.testing

from orchestra_trio import OneshotCancelled, Priority
from orchestra_trio.testing.harness.failures import ExpectationFailed
from orchestra_trio.testing.harness.opening import open_harness
from tests.runtime.samples import Ask, Item, Other, Tick
from tests.testing.harness.samples import asking, bursting, deaf, relay, sorter

if TYPE_CHECKING:
    from trio.testing import MockClock

    from orchestra_trio import SubsystemContext


def shown(failure: pytest.ExceptionInfo[ExpectationFailed]) -> str:
    """Return the text of an error, without what depends on where the files lie."""
    return re.sub(r'at \S*/(\w+\.py):\d+|File "\S*/(\w+\.py)", line \d+', r"at \1\2", str(failure.value))


def text(written: str) -> str:
    return dedent(written).strip()


async def test_another_message_came(autojump_clock: MockClock) -> None:
    async with open_harness(asking, strict=False) as harness:
        await harness.send(Item(1))
        with pytest.raises(ExpectationFailed) as failure:
            await harness.expect(Other)
    assert shown(failure) == text(
        """
        expected an Other, but something else came:
            Ask(reply=<OneshotSender 'Ask': open>, number=1)  (bounded lane)
        asking: running, waits for an answer from 'peer' to an Ask
          bounded lane: 0 now, 0 at the most, 1 sent, 1 received
          task asking: waits for an answer from 'peer' to an Ask, for 0.000 s
            at samples.py, in asking
              await ctx.send(Other(await ctx.request(Ask, incoming.number)))
        """
    )
    assert failure.value.expected == "an Other"
    assert failure.value.arrived == ("Ask(reply=<OneshotSender 'Ask': open>, number=1)  (bounded lane)",)
    assert failure.value.standing.statistics.state == "running"


async def test_nothing_came(autojump_clock: MockClock) -> None:
    async with open_harness(relay) as harness:
        await harness.wait_epoch(await harness.signal(Tick()))
        with pytest.raises(ExpectationFailed) as failure:
            await harness.expect(Other, within=2.5)
    assert shown(failure) == text(
        """
        expected an Other, but nothing came within 2.5 s
        relay: running, waits to receive
          epoch 1
          signals lane: 0 now, 1 at the most, 1 sent, 1 received
          task relay: waits to receive, for 2.500 s
            at samples.py, in relay
              async for incoming in ctx:
        """
    )


async def test_what_has_not_been_received_and_who_waits_is_shown(autojump_clock: MockClock) -> None:
    async with open_harness(deaf, message_capacity=1) as harness, trio.open_nursery() as nursery:
        await harness.signal(Tick())
        nursery.start_soon(harness.send_many, [Item(1), Item(2)], name="sends")
        with pytest.raises(ExpectationFailed) as failure:
            await harness.expect(Other, within=0.5)
        nursery.cancel_scope.cancel()
        harness.cancel()
    assert shown(failure) == text(
        """
        expected an Other, but nothing came within 0.5 s
        the last broadcast is epoch 1, and the subject is at epoch 0
        the test's task sends waits for room at 'deaf' (bounded lane) for an Item
        deaf: running, stands at samples.py, in deaf
          signals lane: 1 now, 1 at the most, 1 sent, 0 received
          bounded lane: 1 now, 1 at the most, 1 sent, 0 received, senders waited 1 time
          task deaf:
            at samples.py, in deaf
              await trio.sleep_forever()
        """
    )


async def test_several_came_and_the_last_does_not_fit(autojump_clock: MockClock) -> None:
    async with open_harness(bursting, strict=False, peer_capacity=8) as harness:
        await harness.send(Item(5))
        await trio.testing.wait_all_tasks_blocked()
        with pytest.raises(ExpectationFailed) as failure:
            await harness.expect_many(Other, 5, lambda message: message.number < 2)
    head = str(failure.value).splitlines()
    assert head[0].startswith("expected 5 times an Other for which the predicate at ")
    assert head[0].endswith("holds in a row, but the last of these 3 messages does not fit:")
    assert head[1:5] == [
        "    1. Other(number=0)  (bounded lane)",
        "    2. Other(number=1)  (bounded lane)",
        "    3. Other(number=2)  (bounded lane)",
        "2 messages lie in the lanes of the peer, not taken yet",
    ]


async def test_in_any_order_one_does_not_fit(autojump_clock: MockClock) -> None:
    async with open_harness(bursting, strict=False) as harness:
        await harness.send(Item(2))
        with pytest.raises(ExpectationFailed) as failure:
            await harness.expect_unordered(Other, Ask)
    head = "expected an Other, and an Ask, in any order, but the last of these 2 messages does not fit"
    assert str(failure.value).splitlines()[:3] == [
        f"{head}; what is left: an Ask:",
        "    1. Other(number=0)  (bounded lane)",
        "    2. Other(number=1)  (bounded lane)",
    ]


async def test_in_any_order_one_is_missing(autojump_clock: MockClock) -> None:
    async with open_harness(asking, strict=False) as harness:
        await harness.send(Item(2))
        with pytest.raises(ExpectationFailed) as failure:
            await harness.expect_unordered(Other, Ask)
    assert failure.match(
        "^expected an Other, and an Ask, in any order, but only 1 came within 1 s; what is left: an Other:"
    )


async def test_the_lane_of_each_is_shown(autojump_clock: MockClock) -> None:
    async def by_all_lanes(ctx: SubsystemContext[Item, Other]) -> None:
        await ctx.send(Other(1))
        ctx.send_unbounded(Other(2))
        await ctx.send(Other(3), priority=Priority.HIGH)

    with pytest.raises(ExpectationFailed) as failure:
        async with open_harness(by_all_lanes, unbounded={Other: "one"}) as harness:
            await harness.expect_end()
    assert {line.split()[-2] for line in str(failure.value).splitlines()[1:4]} == {
        "(bounded",
        "(unbounded",
        "(priority",
    }


async def test_what_the_wiring_excludes_is_said(autojump_clock: MockClock) -> None:
    async with open_harness(relay) as harness:
        with pytest.raises(ExpectationFailed, match="; 'relay' is wired to send Other, and no Ask"):
            await harness.expect(Ask)
    async with open_harness(sorter) as harness:
        with pytest.raises(ExpectationFailed, match="; 'sorter' consumes Item itself, so that none comes out"):
            await harness.expect(Item)


async def test_no_room_and_no_answer(autojump_clock: MockClock) -> None:
    async def mute(_: SubsystemContext[Item | Ask]) -> None:
        await trio.sleep_forever()

    async with open_harness(mute, message_capacity=1) as harness:
        with pytest.raises(ExpectationFailed) as failure:
            await harness.request(Ask)
        assert shown(failure).startswith(
            "expected an answer to an Ask within 1 s, but none came\nmute: running, stands"
        )
        with pytest.raises(ExpectationFailed) as failure:
            await harness.send(Item(1), within=2)
        assert shown(failure).startswith(
            "expected room for an Item within 2 s, but its lane stayed full\nmute: running"
        )
        harness.cancel()


async def test_long_messages_and_long_lists_are_cut(autojump_clock: MockClock) -> None:
    class Long(Other):
        def __repr__(self) -> str:
            return "many words,\n" * 1000

    async def wordy(ctx: SubsystemContext[Item, Other]) -> None:
        for number in range(30):
            await ctx.send(Long(number))

    with pytest.raises(ExpectationFailed) as failure:
        async with open_harness(wordy):
            pass
    lines = str(failure.value).splitlines()
    assert lines[0] == "expected nothing more before the end of the test, but 30 messages came:"
    assert lines[10].startswith("    10. ")
    assert lines[11] == "    and 20 more"
    assert all(len(line) < 250 for line in lines[:12])


async def test_a_message_that_cannot_be_shown_is_named(autojump_clock: MockClock) -> None:
    class Shy(Other):
        def __repr__(self) -> str:
            raise KeyError

    async def sends_shy(ctx: SubsystemContext[Item, Other]) -> None:
        await ctx.send(Shy(1))

    with pytest.raises(ExpectationFailed, match="<Shy instance at 0x"):
        async with open_harness(sends_shy):
            pass


async def test_an_error_holds_no_reply_ends(autojump_clock: MockClock) -> None:
    """The subject is told that no answer will come as soon as the test lets go of its message."""
    told: list[str] = []

    async def curious(ctx: SubsystemContext[Item, Ask]) -> None:
        try:
            await ctx.request(Ask, 1)
        except OneshotCancelled as error:
            told.append(error.name)

    async with open_harness(curious) as harness:
        with pytest.raises(ExpectationFailed) as failure:
            await harness.expect(Other)
        ask = await harness.expect(Ask)
        kept = weakref.ref(ask.reply) if hasattr(ask.reply, "__weakref__") else None
        del ask
        gc.collect()
        await harness.expect_end()
    assert told == ["Ask"]
    assert kept is None or kept() is None
    assert failure.value.arrived
