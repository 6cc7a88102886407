"""The recorder: every kind of event, which message is which, short texts, and the same lines in every run."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Never, get_args

import attrs
import pytest
import trio
import trio.testing

from orchestra_trio import (
    OneshotCancelled,
    OneshotSender,
    Orchestra,
    Restart,
    RunningOrchestra,
    Subsystem,
    SubsystemContext,
    Weighted,
    subsystem,
)
from orchestra_trio.records import HappeningKind, LaneStep
from orchestra_trio.testing.tracing.recorder import recording
from tests.laws.performance import seeded
from tests.runtime.samples import AnyContext, Ask, Duo, Imported, Item, Other, Sends, Solo, Tick, idle
from tests.testing.tracing.reading import only, steps

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from trio.testing import MockClock


# --- What is recorded ------------------------------------------------------------------------------------------------


class Busy(Orchestra[Tick, Imported], message_capacity=1, outgoing=int):
    """Something of everything can happen in it."""

    source: Subsystem[Never, Item | Ask, Tick]
    relay: Subsystem[Item | Ask, Other | int] = subsystem(restart=Restart(max_restarts=1, backoff=1))
    sink: Subsystem[Other]
    later: Subsystem[str] = subsystem(wip=True)

    async def on_event(self, event: Imported, running: RunningOrchestra[Tick, Imported]) -> None:
        await running.route_message(Other(event.number))


async def ask_and_tell(ctx: SubsystemContext[Never, Item | Ask, Tick]) -> None:
    """For each signal, send two messages at once, ask twice, and give up once."""
    async for _ in ctx:
        ctx.start_soon(ctx.send, Item(1), name="tell")
        await ctx.send(Item(2))
        await ctx.request(Ask, 1)
        with pytest.raises(OneshotCancelled):
            await ctx.request(Ask, 0)
        with trio.move_on_after(1):
            for number in (3, 4, 5):
                await ctx.send(Item(number))


class AnswersLate:
    """Fails at its first message; answers what it is asked, unless that is 0."""

    has_failed = False

    async def __call__(self, ctx: SubsystemContext[Item | Ask, Other | int]) -> None:
        async for one in ctx:
            if isinstance(one, Item):
                if not self.has_failed:
                    self.has_failed = True
                    raise ValueError(one.number)
                await trio.sleep(3)
                await ctx.send(Other(one.number))
                await ctx.send(one.number)
            elif one.number:
                one.reply.send(one.number)
            else:
                one.reply.close()


async def test_every_kind_of_event_is_recorded(autojump_clock: MockClock) -> None:
    with recording() as traces:
        async with Busy(source=ask_and_tell, relay=AnswersLate(), sink=idle).open() as running:
            await running.broadcast_signal(Tick(1))
            await running.handle.send(Imported(5))
            await running.outgoing.receive()
            await running.route_message("not built yet")
            await trio.sleep(10)
    trace = only(traces)
    assert trace.has_ended
    assert {one.kind for one in trace} == {*get_args(LaneStep), *OTHER_KINDS}
    assert {one.lane for one in trace} == {None, "signals", "bounded"}
    assert {one.subsystem for one in trace} == {None, "on_event", "source", "relay", "sink", "later"}


OTHER_KINDS: tuple[HappeningKind, ...] = (
    "start",
    "end of input",
    "exit",
    "error",
    "job",
    "job end",
    "broadcast",
    "answer",
    "no answer",
    "dead letter",
)


async def test_what_an_orchestra_is_like_is_recorded(autojump_clock: MockClock) -> None:
    class Wide(Orchestra[Tick], message_capacity=3, signal_capacity=2):
        first: Subsystem[Item, Other, Tick] = subsystem(priority=True, select=Weighted(3, 2, 1))
        second: Subsystem[Other, Item] = subsystem(unbounded={Item: "the test"})
        later: Subsystem[str] = subsystem(wip=True)

    with recording() as traces:
        async with Wide(first=idle, second=idle).open():
            pass
    trace = only(traces)
    assert (trace.orchestra, trace.components, trace.is_from_start) == ("Wide", (("first", "second"),), True)
    assert set(trace.edges) == {("first", "second"), ("second", "first")}
    first, second = trace.participants
    assert first.capacities == {"signals": 2, "priority": 3, "unbounded": None, "bounded": 3}
    assert first.weights == {"priority": 3, "unbounded": 2, "bounded": 1}
    assert second.weights == {"priority": 16, "unbounded": 4, "bounded": 1}
    assert "priority" not in second.capacities


async def test_only_the_library_s_own_strategy_has_weights(autojump_clock: MockClock) -> None:
    """What others choose is theirs to say; a subclass may choose in another way."""

    class Stubborn(Weighted):
        pass

    class Strange(Orchestra):
        sink: Subsystem[Item] = subsystem(select=Stubborn())

    with recording() as traces:
        async with Strange(sink=idle).open():
            pass
    assert only(traces).participants[0].weights is None


async def test_a_broadcast_says_who_subscribes_and_numbers_its_signals(autojump_clock: MockClock) -> None:
    with recording() as traces:
        async with Solo(worker=idle).open() as running:
            tick = Tick(1)
            await running.broadcast_signal(tick)
            await running.send_signal("worker", tick)
            await running.broadcast_signal(tick)
    trace = only(traces)
    assert [(one.epoch, one.audience) for one in trace if one.kind == "broadcast"] == [
        (1, ("worker",)),
        (2, ("worker",)),
    ]
    signals = [(one.kind, one.epoch) for one in trace if one.lane == "signals"]
    assert [epoch for kind, epoch in signals if kind == "send"] == [1, None, 2]
    assert [epoch for kind, epoch in signals if kind == "receive"] == [1, None, 2]


async def test_tasks_of_the_same_name_are_told_apart(autojump_clock: MockClock) -> None:
    async def send_three(ctx: AnyContext) -> None:
        for number in range(3):
            ctx.start_soon(ctx.send, Item(number), name="same")
        await trio.lowlevel.checkpoint()

    with recording() as traces:
        async with Duo(source=send_three, sink=idle).open():
            pass
    senders = {one.task for one in only(traces) if one.kind == "send"}
    assert senders == {"same", "same#2", "same#3"}


async def test_the_same_object_sent_twice_is_two_messages(autojump_clock: MockClock) -> None:
    item = Item(1)
    with recording() as traces:
        async with Duo(source=Sends(item, item, item), sink=idle).open():
            pass
    trace = only(traces)
    sent = [one.message for one in trace if one.kind == "send"]
    assert len(set(sent)) == 3
    assert [one.message for one in trace if one.kind == "receive"] == sent


async def test_the_same_object_is_told_apart_by_who_waits_to_send_it(autojump_clock: MockClock) -> None:
    """The second of three waits for room with another object, the third gives up: the first is still the first."""
    item = Item(1)

    async def send_all(ctx: AnyContext) -> None:
        for number in range(2):
            await ctx.send(Item(number))
        async with trio.open_nursery() as nursery:
            for message, within in ((item, 5.0), (Item(2), 5.0), (item, 1.0)):
                nursery.start_soon(send_within, ctx, message, within)
                await trio.testing.wait_all_tasks_blocked()

    async def send_within(ctx: AnyContext, message: Item, within: float) -> None:
        with trio.move_on_after(within):
            await ctx.send(message)

    async def late(ctx: AnyContext) -> None:
        await trio.sleep(2)
        await idle(ctx)

    with recording() as traces:
        async with Duo(source=send_all, sink=late).open():
            pass
    trace = only(traces)
    blocked = [one.message for one in trace if one.kind == "block"]
    assert [one.message for one in trace if one.kind == "withdraw"] == blocked[2:]
    assert [one.message for one in trace if one.kind == "send"][2:] == blocked[:2]


async def test_dead_letters_are_those_that_lay_or_waited_or_came_too_late(autojump_clock: MockClock) -> None:
    class Out(Orchestra, outgoing=int, message_capacity=1):
        source: Subsystem[Never, int]

    async def send_three(ctx: AnyContext) -> None:
        await ctx.send(1)
        await ctx.send(2)
        await ctx.send(3)

    with recording() as traces:
        async with Out(source=send_three).open():
            await trio.sleep(1)
    trace = only(traces)
    assert steps(trace) == ["send 1", "block 2", "dead letter 1", "dead letter 2", "dead letter 3"]
    sent, blocked, *buried = [one for one in trace if one.lane is not None]
    assert [one.message for one in buried] == [sent.message, blocked.message, buried[2].number]


# --- Texts -----------------------------------------------------------------------------------------------------------


@attrs.frozen
class Long:
    """A message whose text is long, and has an address in the middle."""

    first: object
    rest: str = "x" * 100


class Wordy(Orchestra):
    sink: Subsystem[Long | Item]


async def text_of(message: Long | Item, describe: Callable[[object], str] | None = None) -> str | None:
    with recording(describe=describe) as traces:
        async with Wordy(sink=idle).open() as running:
            await running.route_message(message)
    return next(one.text for one in only(traces) if one.kind == "send")


async def test_texts_are_short_and_without_addresses(autojump_clock: MockClock) -> None:
    text = await text_of(Long(object()))
    assert text is not None
    assert text.startswith("Long(first=<object object>, ")
    assert text.endswith("xxx')")
    assert len(text) <= 60


async def take_one(ctx: AnyContext) -> None:
    await ctx.receive()


@attrs.frozen
class Between:
    first: int
    reply: OneshotSender[int]
    last: int


@attrs.frozen
class Behind:
    first: int
    reply: OneshotSender[int]


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (Ask, "Ask(number=1)"),
        (lambda reply, number: Between(number, reply, 3), "Between(first=1, last=3)"),
        (lambda reply, number: Behind(number, reply), "Behind(first=1)"),
    ],
    ids=["before", "between", "behind"],
)
async def test_texts_leave_reply_ends_out(
    autojump_clock: MockClock, make: Callable[[OneshotSender[int], int], object], text: str
) -> None:
    class Asked(Orchestra):
        sink: Subsystem[Ask | Between | Behind]

    with recording() as traces:
        async with Asked(sink=take_one).open() as running:
            with suppress(OneshotCancelled):
                await running.request(make, 1)
    assert {event.text for event in traces[0] if event.lane} == {text}


async def test_texts_are_what_describe_says(autojump_clock: MockClock) -> None:
    assert await text_of(Item(3), describe=lambda message: type(message).__name__.upper()) == "ITEM"


@pytest.mark.parametrize("describe", [None, lambda message: message.missing])
async def test_a_text_that_cannot_be_made_ends_nothing(
    describe: Callable[[object], str] | None, autojump_clock: MockClock
) -> None:
    class Mute:
        def __repr__(self) -> str:
            raise AttributeError

    assert await text_of(Long(Mute()), describe) == "<Long, whose text cannot be made: AttributeError>"


class Named:
    """A callable object: what trio would call its task has an address."""

    async def __call__(self) -> None:
        await trio.lowlevel.checkpoint()


async def test_names_have_no_addresses(autojump_clock: MockClock) -> None:
    async def start(ctx: AnyContext) -> None:
        ctx.start_soon(Named())
        await trio.lowlevel.checkpoint()

    with recording() as traces:
        async with Duo(source=start, sink=idle).open():
            pass
    assert "0x" not in only(traces).to_json_lines()


# --- Determinism -----------------------------------------------------------------------------------------------------


def lines_of(play: Callable[[], Awaitable[object]], seed: int) -> str:
    with recording() as traces, seeded(seed):
        trio.run(play, clock=trio.testing.MockClock(autojump_threshold=0))
    return only(traces).to_json_lines()


async def play_busy() -> None:
    async with Busy(source=ask_and_tell, relay=AnswersLate(), sink=idle).open() as running:
        await running.broadcast_signal(Tick(1))
        await trio.sleep(100)


def test_one_schedule_gives_one_trace() -> None:
    """Law 11."""
    assert lines_of(play_busy, 1) == lines_of(play_busy, 1)
    assert len({lines_of(play_busy, seed) for seed in range(10)}) > 1, "other schedules give other traces"
