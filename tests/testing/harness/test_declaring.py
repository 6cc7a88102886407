"""Where the types and options of the subject come from."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any, Generic, Never, TypeVar

import pytest
import trio

from orchestra_trio import (
    BlockingSubsystem,
    BlockingSubsystemContext,
    DeclarationError,
    Orchestra,
    OrchestraError,
    Priority,
    Restart,
    Subsystem,
    SubsystemContext,
    SubsystemStalled,
    fresh,
    subsystem,
)
from orchestra_trio.testing.harness.opening import open_harness
from tests.runtime.samples import AnyContext, Ask, Imported, Item, LateTick, Other, Tick
from tests.testing.harness.samples import bursting, deaf, relay, unmet

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from trio.testing import MockClock

T = TypeVar("T")


class Wrapped(OrchestraError):
    """What an orchestra makes of errors."""

    def __init__(self, error: Exception, origin: str) -> None:
        super().__init__(f"{origin}: {error}")


class Line(Orchestra[Tick], message_capacity=3, signal_timeout=2, error=Wrapped):
    """Has a slot to be tested."""

    source: Subsystem[Never, Item]
    middle: Subsystem[Item, Other, Tick] = subsystem(priority=True, signal_capacity=1, restart=Restart(max_restarts=1))
    last: BlockingSubsystem[Other]


class Loose(Orchestra, unconsumed="allow"):
    """Has a slot whose messages go nowhere yet."""

    source: Subsystem[Never, Item]


class Relay:
    """An object that is a subsystem, as is a method of it."""

    async def __call__(self, ctx: SubsystemContext[Item, Other]) -> None:
        """Send on each number."""
        async for incoming in ctx:
            await ctx.send(Other(incoming.number))

    async def relay(self, ctx: SubsystemContext[Item, Other]) -> None:
        """Send on each number."""
        await self(ctx)


async def with_offset(offset: int, ctx: SubsystemContext[Item, Other]) -> None:
    """Send on each number, and some."""
    async for incoming in ctx:
        await ctx.send(Other(incoming.number + offset))


async def untold(ctx: AnyContext) -> None:
    """Send on each number, of whatever type."""
    async for incoming in ctx:
        await ctx.send(Other(incoming.number))


@functools.wraps(relay)
async def wrapped(ctx: AnyContext) -> None:
    """Do as another one does, and look like it."""
    await relay(ctx)


async def unannotated(ctx):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN201 - that is the point
    """Receive nothing."""


@pytest.mark.parametrize(
    ("subject", "name"),
    [
        (relay, "relay"),
        (Relay(), "relay"),
        (Relay().relay, "relay"),
        (functools.partial(with_offset, 0), "with_offset"),
        (wrapped, "relay"),
    ],
    ids=["function", "object", "method", "partial", "wrapped"],
)
async def test_types_are_read_from_the_annotation(
    subject: Callable[[AnyContext], Any], name: str, autojump_clock: MockClock
) -> None:
    async with open_harness(subject) as harness:
        assert harness.name == name
        await harness.send(Item(1))
        await harness.expect(Other)


async def test_types_of_the_function_that_opens_the_harness_are_known(autojump_clock: MockClock) -> None:
    class Local(Item):
        """Known here alone."""

    async def local(ctx: SubsystemContext[Local, Other]) -> None:
        async for incoming in ctx:
            await ctx.send(Other(incoming.number))

    async with open_harness(local) as harness:
        await harness.send(Local(1))
        await harness.expect(Other)


async def test_given_types_count_first(autojump_clock: MockClock) -> None:
    async with open_harness(untold, consumes=Item | Ask, sends=(Other,), signals=Tick) as harness:
        await harness.signal(LateTick(1))
        await harness.send(Item(2))
        assert await harness.expect_many(Other, 2) == [Other(1), Other(2)]


async def test_types_that_were_not_given_are_never(autojump_clock: MockClock) -> None:
    async with open_harness(untold, consumes=Item) as harness:
        await harness.expect_nothing()


@pytest.mark.parametrize("subject", [untold, unannotated, fresh(Relay), vars])
def test_types_that_nobody_tells_are_refused(subject: Callable[[AnyContext], Any]) -> None:
    with pytest.raises(DeclarationError, match=r"is not annotated as SubsystemContext.*; pass consumes="):
        open_harness(subject)


def test_types_that_are_not_known_at_run_time_are_refused() -> None:
    async def lost(ctx: SubsystemContext[Missing, Other]) -> None:  # type: ignore[name-defined]  # noqa: F821 - that is the point
        """Consume what is not defined."""

    with pytest.raises(DeclarationError, match=r"Harness.lost: the name 'Missing' .*; pass consumes="):
        open_harness(lost)


async def test_an_annotation_that_is_not_known_at_all_does_not_matter_then(autojump_clock: MockClock) -> None:
    async def lost(ctx: Missing) -> None:  # type: ignore[name-defined]  # noqa: F821 - that is the point
        await ctx.send(Other(1))

    async with open_harness(lost, consumes=Item, sends=Other, signals=Never) as harness:
        await harness.expect(Other)


async def test_types_that_were_given_need_not_be_known_in_the_annotation(autojump_clock: MockClock) -> None:
    def lost(ctx: BlockingSubsystemContext[Missing, Other]) -> None:  # type: ignore[name-defined]  # noqa: F821 - that is the point
        """Consume what is not defined, in a thread."""

    async with open_harness(lost, consumes=Item, sends=Never, signals=Never) as harness:
        await harness.expect_end(within=60)


def test_types_that_cannot_be_told_are_refused() -> None:
    class Generics(Generic[T]):
        async def __call__(self, ctx: SubsystemContext[T]) -> None:
            """Consume what is not known."""

    with pytest.raises(DeclarationError, match="write the class that the type variable stands for"):
        open_harness(Generics[int]())


def test_wirings_that_do_not_add_up_are_refused() -> None:
    with pytest.raises(DeclarationError, match=r"Harness\.relay"):
        open_harness(relay, consumes=(Tick, Item), signals=LateTick)
    with pytest.raises(DeclarationError, match="message_capacity=0"):
        open_harness(relay, message_capacity=0)


async def test_a_class_that_is_awaited_is_a_subsystem(autojump_clock: MockClock) -> None:
    class Awaited:
        def __init__(self, ctx: SubsystemContext[Item, Other]) -> None:
            self.ctx = ctx

        def __await__(self) -> Generator[Any, Any, None]:
            return relay(self.ctx).__await__()  # type: ignore[arg-type]  # it has no signals

    subject: Any = Awaited
    async with open_harness(subject, consumes=Item, sends=Other) as harness:
        await harness.send(Item(1))
        await harness.expect(Other)


async def test_a_slot_tells_types_options_and_the_class_the_rest(autojump_clock: MockClock) -> None:
    async with open_harness(deaf, slot=(Line, "middle")) as harness:
        assert (harness.name, harness.running.name) == ("middle", "Line")
        await harness.send_many([Item(1), Item(2), Item(3)])
        with pytest.raises(trio.WouldBlock):
            harness.send_nowait(Item(4))
        harness.send_nowait(Item(4), priority=Priority.HIGH)
        await harness.signal(Tick())
        with pytest.raises(SubsystemStalled):
            await harness.signal(Tick())
        assert trio.current_time() == 2
        harness.cancel()


async def test_the_peer_has_the_capacity_of_the_class(autojump_clock: MockClock) -> None:
    async with open_harness(bursting, slot=(Line, "middle"), signals=Never) as harness:
        await harness.send(Item(5))
        await trio.testing.wait_all_tasks_blocked()
        assert harness.running.statistics().subsystems["peer"].bounded.channel_len == 3
        await harness.expect_many(Other, 5)


async def test_restarts_and_errors_of_a_slot(autojump_clock: MockClock) -> None:
    async def failing(ctx: SubsystemContext[Item, Other, Tick]) -> None:
        await ctx.receive()
        raise KeyError

    async with open_harness(failing, slot=(Line, "middle"), within=5) as harness:
        await harness.send(Item(1))
        async with harness.expect_error(Wrapped) as caught:
            await harness.send(Item(2))
        assert isinstance(caught.value.__cause__, KeyError)


async def test_options_come_before_those_of_the_slot(autojump_clock: MockClock) -> None:
    async with open_harness(deaf, slot=(Line, "middle"), message_capacity=1) as harness:
        await harness.send(Item(1))
        with pytest.raises(trio.WouldBlock):
            harness.send_nowait(Item(2))
        harness.cancel()


async def test_a_slot_of_a_blocking_subsystem(autojump_clock: MockClock) -> None:
    received: list[int] = []

    def last(ctx) -> None:  # type: ignore[no-untyped-def]  # noqa: ANN001 - the slot tells
        received.extend(incoming.number for incoming in ctx)

    async with open_harness(last, slot=(Line, "last"), within=60) as harness:
        await harness.send(Other(1))
    assert received == [1]


async def test_a_source_is_tested_by_what_comes_out(autojump_clock: MockClock) -> None:
    async def source(ctx: SubsystemContext[Never, Item]) -> None:
        for number in range(3):
            await ctx.send(Item(number))

    async with open_harness(source, slot=(Loose, "source")) as harness:
        await harness.expect_many(Item, 3)
        await harness.expect_end()


def test_a_slot_that_there_is_not_is_refused() -> None:
    with pytest.raises(DeclarationError, match="Line: it has no slot 'midle'; write middle"):
        open_harness(relay, slot=(Line, "midle"))


@pytest.mark.parametrize("name", ["open", "peer", "test", "class", "<lambda>", "__"])
async def test_a_name_that_cannot_be_a_slot_is_not_used(name: str, autojump_clock: MockClock) -> None:
    async def named(ctx: SubsystemContext[Item, Other]) -> None:
        async for incoming in ctx:
            await ctx.send(Other(incoming.number))

    named.__name__ = name
    async with open_harness(named) as harness:
        assert harness.name == "subject"
        assert repr(harness) == "<Harness of 'subject': running>"


async def test_a_subject_that_hears_subclasses(autojump_clock: MockClock) -> None:
    async with open_harness(relay) as harness:
        assert await harness.signal(LateTick()) == 1
        await harness.wait_epoch(1)


async def test_the_wiring_around_the_subject_has_no_cycle(autojump_clock: MockClock) -> None:
    async with open_harness(relay) as harness:
        assert [list(one) for one in harness.running.graph().components] == [["test"], ["relay"], ["peer"]]


async def test_an_orchestra_inside_of_the_subject_is_none_of_the_harness(autojump_clock: MockClock) -> None:
    async def outer(ctx: SubsystemContext[Item, Other]) -> None:
        async with open_harness(relay) as inner:
            await inner.send(Item(1))
            await ctx.send(await inner.expect(Other))
        async for _ in ctx:
            pass

    async with open_harness(outer) as harness:
        await harness.expect(Other)
        assert harness.name in harness.running.statistics().subsystems


async def test_events_are_not_of_its_concern(autojump_clock: MockClock) -> None:
    async with open_harness(relay) as harness:
        with pytest.raises(trio.BrokenResourceError):
            await harness.running.handle.send(Imported(1))
        with unmet():
            await harness.expect(Imported)
