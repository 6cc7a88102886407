"""Requests and reply ends: whoever loses one on the way tells the requester."""

from __future__ import annotations

from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any

import attrs
import pytest
import trio

from orchestra_trio import OneshotCancelled, OneshotSender, SubsystemExited, UndeclaredMessage, open_oneshot
from orchestra_trio.testing.faults.chances import delay, drop, duplicate, reorder
from orchestra_trio.testing.faults.intercepted import intercept
from orchestra_trio.testing.faults.replies import close_replies, reply_ends
from orchestra_trio.testing.faults.stages import Instead
from tests.runtime.samples import Ask, Collect, Duo, Item, Other, Playing, Solo, answering, done, idle, stopped

if TYPE_CHECKING:
    from collections.abc import Callable

    from trio.testing import MockClock

    from tests.runtime.samples import AnyContext


@attrs.define(eq=False)
class Asks:
    """Asks so many times, one after another, and keeps the answers."""

    times: int = 3
    answers: list[int | str] = attrs.Factory(list)

    async def __call__(self, ctx: AnyContext) -> None:
        for number in range(self.times):
            try:
                self.answers.append(await ctx.request(Ask, number))
            except OneshotCancelled:
                self.answers.append("cancelled")


@pytest.mark.parametrize("side", ["source", "sink"])
@pytest.mark.parametrize(
    ("wrap", "expected"),
    [
        (partial(drop, every=2), [0, "cancelled", 4]),
        (duplicate, [0, 2, 4]),
        (partial(delay, seconds=2), [0, 2, 4]),
        (partial(reorder, window=3), [0, 2, 4]),
        (lambda one: drop(delay(duplicate(one), seconds=1), every=3), [0, 2, "cancelled"]),
        (lambda one: delay(drop(one, every=3), seconds=1), [0, 2, "cancelled"]),
    ],
)
async def test_each_request_is_answered_once_or_cancelled(
    autojump_clock: MockClock, wrap: Callable[[Any], Any], expected: list[int | str], side: str
) -> None:
    """A dropped one is cancelled at once; one is never duplicated."""
    asks = Asks()
    subsystems: dict[str, Any] = {"source": asks, "sink": answering}
    subsystems[side] = faulty = wrap(subsystems[side])
    with trio.fail_after(100):
        await Duo(**subsystems).run()
    assert asks.answers == expected
    if "drop" in repr(faulty)[:5]:
        tally = faulty.sent if side == "source" else faulty.received
        assert (tally.seen, tally.dropped, tally.added) == (3, 1, 0)


async def test_a_delayed_request_takes_longer(autojump_clock: MockClock) -> None:
    """On both ways; a time limit counts that, and a cancelled one was not sent."""
    times: list[float] = []

    async def main(ctx: AnyContext) -> None:
        assert await ctx.request(Ask, 1) == 2
        times.append(trio.current_time())
        with trio.move_on_after(1):
            await ctx.request(Ask, 2)
        times.append(trio.current_time())

    sink = delay(answering, seconds=3)
    source = delay(main, seconds=2)
    await Duo(source=source, sink=sink).run()
    assert times == [5, 6]
    assert (source.sent.passed, sink.received.seen) == (1, 1)


@pytest.mark.parametrize("on", ["on_send", "on_receive"])
async def test_a_hook_may_change_a_request(autojump_clock: MockClock, on: str) -> None:
    """With its reply end, or without: then the requester gets no answer."""

    def hook(message: Any) -> Any:  # noqa: ANN401 - of any types
        return [message._replace(number=10), None, Item(5)][message.number]

    asks, sink = Asks(), Playing(answering)
    if on == "on_send":
        await Duo(source=intercept(asks, on_send=hook), sink=sink).run()
    else:
        await Duo(source=asks, sink=intercept(sink, on_receive=hook)).run()
    assert asks.answers == [20, 2, "cancelled"]


async def test_a_hook_may_answer_a_request_and_drop_it(autojump_clock: MockClock) -> None:
    def hook(message: Any) -> Instead[Any]:  # noqa: ANN401 - of any types
        message.reply.send(7)
        return Instead()

    asks = Asks()
    await Duo(source=asks, sink=intercept(idle, on_receive=hook)).run()
    assert asks.answers == [7, 7, 7]


async def test_several_messages_in_the_place_of_a_request_are_refused(autojump_clock: MockClock) -> None:
    with stopped() as errors:
        await Duo(source=intercept(Asks(), on_send=lambda one: Instead(one, one)), sink=answering).run()
    assert str(errors[0]) == "2 messages in the place of a request: it can be answered only once"


async def test_requests_that_the_slot_does_not_send_are_refused(autojump_clock: MockClock) -> None:
    """As such, and in the place of others."""
    make: Any = lambda reply: [reply]  # noqa: E731 - of a type that nobody has declared
    with stopped() as errors:
        await Duo(source=drop(Playing(lambda ctx: ctx.request(make))), sink=idle).run()
    assert isinstance(errors[0], UndeclaredMessage)
    hook: Any = lambda _: "x"  # noqa: E731 - as above
    with stopped() as errors:
        await Duo(source=intercept(Asks(), on_send=hook), sink=idle).run()
    assert str(errors[0]).startswith("a hook returned a str in the place of an Ask, which 'source' does not send: ")


async def test_a_request_to_one_that_has_ended(autojump_clock: MockClock) -> None:
    async def main(ctx: AnyContext) -> None:
        await trio.sleep(1)
        with pytest.raises(SubsystemExited):
            await ctx.request(Ask, 1)

    await Duo(source=delay(drop(Playing(main), every=9), seconds=1), sink=done).run()


async def test_a_request_waits_for_room_as_without_a_fault(autojump_clock: MockClock) -> None:
    answers: list[int] = []

    async def main(ctx: AnyContext) -> None:  # noqa: ASYNC124 - as those that wait
        async def ask(number: int) -> None:
            answers.append(await ctx.request(Ask, number))

        for number in range(5):
            ctx.start_soon(ask, number)

    async def slow(ctx: AnyContext) -> None:
        await trio.sleep(5)
        statistics = running.statistics().subsystems
        assert statistics["sink"].bounded.channel_len == 2
        assert sorted(wait.kind for wait in statistics["source"].waits) == ["request"] * 2 + ["send"] * 3
        await answering(ctx)

    async with Duo(source=duplicate(intercept(main)), sink=slow).open() as running:
        pass
    assert sorted(answers) == [0, 2, 4, 6, 8]


async def test_the_embedding_programs_requests_too(autojump_clock: MockClock) -> None:
    async with Solo(worker=drop(answering, every=2)).open() as running:
        assert await running.request(Ask, 1) == 2
        with pytest.raises(OneshotCancelled):
            await running.request(Ask, 2)


async def test_a_reply_end_of_ones_own_is_closed_with_the_message_that_is_dropped(autojump_clock: MockClock) -> None:
    """Also while somebody still holds the message."""
    messages: list[Ask] = []

    async def main(ctx: AnyContext) -> None:
        reply, answer = open_oneshot[int]()
        messages.append(Ask(reply, 1))
        await ctx.send(messages[0])
        with pytest.raises(OneshotCancelled):
            await answer.receive()

    await Duo(source=Playing(main), sink=drop(idle)).run()
    assert messages


async def test_a_dropped_request_is_cancelled_wherever_its_reply_end_is(autojump_clock: MockClock) -> None:
    """Though nobody closes one that is deep in a message, and somebody holds that."""
    held: list[Any] = []

    def make(reply: OneshotSender[int]) -> Item:
        number: Any = [[reply]]
        held.append(number)
        return Item(number)

    async def main(ctx: AnyContext) -> None:
        with pytest.raises(OneshotCancelled):
            await ctx.request(make)

    await Duo(source=drop(Playing(main)), sink=idle).run()
    assert held


async def test_requests_that_are_held_back_are_cancelled_at_the_end(
    autojump_clock: MockClock, caplog: pytest.LogCaptureFixture
) -> None:
    """Of the subsystem: what it had not received when it ended is counted as lost, and logged."""

    async def main(ctx: AnyContext) -> None:
        with trio.move_on_after(1):
            await ctx.receive()

    asks = Asks(1)
    faulty = delay(main, seconds=5)
    with suppress(trio.EndOfChannel):
        await Duo(source=asks, sink=faulty).run()
    assert asks.answers == ["cancelled"]
    assert trio.current_time() == 1
    assert (faulty.received.seen, faulty.received.passed, faulty.received.held, faulty.received.lost) == (1, 0, 0, 1)
    assert "faults around subsystem 'sink' of Duo lost messages that they held back: 1 Ask" in caplog.text


class Plain:
    """A message of an ordinary class."""

    def __init__(self, reply: OneshotSender[int]) -> None:
        self.reply = reply


class Slotted:
    """A message of a class with one slot."""

    __slots__ = "reply"  # noqa: PLC0205 - as some write it

    def __init__(self, reply: OneshotSender[int]) -> None:
        self.reply = reply


@attrs.frozen
class Framed:
    """A message of a class with slots, of which one is inherited."""

    number: int
    reply: OneshotSender[int]


class Inheriting(Framed):
    """A message of its own."""


KINDS: dict[str, Callable[[OneshotSender[int]], object]] = {
    "class": Plain,
    "slots": Slotted,
    "named tuple": Ask,
    "attrs": partial(Framed, 1),
    "subclass": partial(Inheriting, 1),
    "tuple": lambda reply: (1, reply),
    "list": lambda reply: [reply],
    "itself": lambda reply: reply,
}


@pytest.mark.parametrize("make", KINDS.values(), ids=KINDS)
async def test_reply_ends_are_found_in_messages_of_all_kinds(make: Callable[[OneshotSender[int]], object]) -> None:
    reply, answer = open_oneshot[int]()
    message = make(reply)
    assert reply_ends(message) == [reply]
    close_replies(message, [Item(1), message])
    assert reply.is_wanted
    close_replies(message, [Other(1)])
    with pytest.raises(OneshotCancelled):
        await answer.receive()
    collect = Collect()
    assert reply_ends(collect) == reply_ends(3) == []
