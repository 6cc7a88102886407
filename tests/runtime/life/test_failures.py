"""What errors say: notes, origins, wrapping; and which of them are no errors while all is stopping."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import trio

from orchestra_trio import (
    AnnotateErrorOrigin,
    OneshotCancelled,
    Orchestra,
    OrchestraError,
    Subsystem,
    SubsystemExited,
    UndeclaredMessage,
)
from tests.runtime.samples import (
    AnyContext,
    Ask,
    Duo,
    Fails,
    Imported,
    Item,
    Sends,
    Solo,
    Tick,
    answering,
    done,
    forever,
    idle,
    stopped,
)

if TYPE_CHECKING:
    from trio.testing import MockClock


async def test_a_note_names_subsystem_orchestra_and_the_type_in_hand(autojump_clock: MockClock) -> None:
    """The payload does not appear."""

    async def worker(ctx: AnyContext) -> None:
        await ctx.receive()
        raise ValueError

    with stopped() as errors:
        async with Solo(worker=worker).open() as running:
            await running.route_message(Item(31337))
    assert errors[0].__notes__ == ["orchestra_trio: raised in 'worker' of Solo, with an Item in hand"]


async def test_before_the_first_message_nothing_is_in_hand(autojump_clock: MockClock) -> None:
    """The note says less then."""
    with stopped() as errors:
        await Solo(worker=Fails(ValueError())).run()
    assert errors[0].__notes__ == ["orchestra_trio: raised in 'worker' of Solo"]


@pytest.mark.parametrize("way", ["receive", "receive_nowait", "receive_many", "receive_signal", "async for", "waiting"])
async def test_in_hand_is_what_any_kind_of_receive_handed_out_last(autojump_clock: MockClock, way: str) -> None:
    """Also a signal, and also while the context waits for the next."""

    async def worker(ctx: AnyContext) -> None:
        await trio.sleep(1)
        match way:
            case "receive":
                await ctx.receive()
            case "receive_nowait":
                ctx.receive_nowait()
            case "receive_many":
                await ctx.receive_many(10)
            case "receive_signal":
                await ctx.receive_signal()
            case "async for":
                async for _ in ctx:
                    break
            case _:
                await ctx.receive()
                with trio.move_on_after(1):
                    await ctx.receive()
        raise ValueError

    with stopped() as errors:
        async with Solo(worker=worker).open() as running:
            await running.broadcast_signal(Tick())
            await trio.sleep(9)
    assert errors[0].__notes__ == ["orchestra_trio: raised in 'worker' of Solo, with a Tick in hand"]


async def test_a_note_names_the_job(autojump_clock: MockClock) -> None:
    """By its function, or by the name it was given, whatever the way it was started."""

    async def job(*, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:  # noqa: ASYNC114 - a job of this test alone
        task_status.started()
        try:
            await trio.sleep(1)
        finally:
            raise ValueError

    def blocking() -> None:
        raise ValueError

    async def worker(ctx: AnyContext) -> None:
        ctx.start_soon(job, name="mine")
        ctx.start_soon(job, background=True, name=len)
        await ctx.start(job)
        await trio.sleep(0.5)
        ctx.start_blocking_soon(blocking)

    with stopped() as errors:
        await Solo(worker=worker).run()
    noted = {one.__notes__[0].partition("in its job ")[2] for one in errors}
    prefix = test_a_note_names_the_job.__qualname__ + ".<locals>."
    assert noted == {"'mine'", "'len'", repr(prefix + "job"), repr(prefix + "blocking")}


async def test_the_note_of_a_users_group_is_on_the_group(autojump_clock: MockClock) -> None:
    """What is inside stays as it is."""
    inner = ValueError()
    with stopped() as errors:
        await Solo(worker=Fails(ExceptionGroup("mine", [inner]))).run()
    assert len(errors[0].__notes__) == 1
    assert not hasattr(inner, "__notes__")


class Annotated(Exception):
    """Wants to say itself where it came from."""

    def __init__(self, origin: str | None = None) -> None:
        self.origin = origin

    def with_origin(self, origin: str) -> Annotated:
        return Annotated(origin)


class Several(ExceptionGroup[Exception]):  # noqa: ASYNC126 - it is to be seen that it is not split
    """A group that a copy would not be."""


async def test_a_users_group_comes_out_itself(autojump_clock: MockClock) -> None:
    """Not a copy, which would be of another class."""
    group = Several("two", [ValueError(1), KeyError(2)])
    with stopped() as errors:
        async with Solo(worker=Fails(group)).open():
            pass
    assert errors == [group]
    assert errors[0] is group


async def test_an_error_that_annotates_its_origin_is_replaced(autojump_clock: MockClock) -> None:
    """By what it returns for the name of the subsystem."""
    assert isinstance(Annotated(), AnnotateErrorOrigin)
    with stopped() as errors:
        await Duo(source=Fails(Annotated()), sink=idle).run()
    (error,) = errors
    assert isinstance(error, Annotated)
    assert error.origin == "source"


async def test_an_error_while_annotating_takes_the_place_of_the_error(autojump_clock: MockClock) -> None:
    """With the error as its cause, so that nothing is hidden."""
    fault = KeyError("fault")

    class Broken(Exception):
        def with_origin(self, origin: str) -> Broken:
            raise fault

    broken = Broken()
    with stopped() as errors:
        await Duo(source=Fails(broken), sink=idle).run()
    assert errors == [fault]
    assert fault.__cause__ is broken


class PipelineError(Exception):
    """What an orchestra's errors are wrapped in."""

    def __init__(self, error: Exception, origin: str) -> None:
        super().__init__(str(error), origin)
        self.origin = origin


class Special(PipelineError):
    """Already one."""


class Wrapping(Orchestra[Tick, Imported], error=PipelineError):
    """With `error=`."""

    source: Subsystem[Item, int]
    sink: Subsystem[int]

    async def on_event(self, event: Imported, running: object) -> None:
        raise ValueError(event.number)


async def test_error_wraps_exceptions_with_their_cause(autojump_clock: MockClock) -> None:
    """The note is on the exception itself."""
    boom = ValueError("boom")
    with stopped() as errors:
        await Wrapping(source=Fails(boom), sink=idle).run()
    (error,) = errors
    assert isinstance(error, PipelineError)
    assert error.origin == "source"
    assert error.__cause__ is boom
    assert "'source' of Wrapping" in boom.__notes__[0]


async def test_error_wraps_neither_its_own_instances_nor_errors_of_the_library_nor_interrupts(
    autojump_clock: MockClock,
) -> None:
    """They come out as they are."""
    for plain in (Special(ValueError(), "x"), OrchestraError("mine"), KeyboardInterrupt()):
        with stopped() as errors:
            await Wrapping(source=Fails(plain), sink=idle).run()
        assert errors == [plain]


async def test_error_wraps_no_error_of_the_block(autojump_clock: MockClock) -> None:
    """It is none of a subsystem."""
    boom = ValueError("boom")
    with stopped() as errors:
        async with Wrapping(source=idle, sink=idle).open():
            raise boom
    assert errors == [boom]


async def test_errors_of_on_event_are_first_errors_with_that_origin(autojump_clock: MockClock) -> None:
    """Noted, and wrapped as those of subsystems."""
    with stopped() as errors:
        async with Wrapping(source=idle, sink=forever).open() as running:
            await running.handle.send(Imported(7))
            await trio.sleep_forever()
    (error,) = errors
    assert isinstance(error, PipelineError)
    assert error.origin == "on_event"
    assert isinstance(error.__cause__, ValueError)
    assert error.__cause__.__notes__ == ["orchestra_trio: raised in 'on_event' of Wrapping, with an Imported in hand"]


class Hooked(Orchestra):
    """A hook that fails."""

    source: Subsystem[str, Item]
    sink: Subsystem[Item]
    error: BaseException

    def on_dead_letter(self, letter: object) -> None:
        raise self.error


@pytest.mark.parametrize("error", [ValueError("hook"), KeyboardInterrupt()])
async def test_errors_of_on_dead_letter_are_first_errors(autojump_clock: MockClock, error: BaseException) -> None:
    """They stop everything; the subsystem that ended is not to blame."""

    async def leaves(_: AnyContext) -> None:
        await trio.sleep(1)

    with stopped() as errors:
        async with Hooked(source=Sends(Item(1)), sink=leaves, error=error).open():
            await trio.sleep_forever()
    assert errors == [error]
    if isinstance(error, ValueError):
        assert error.__notes__ == ["orchestra_trio: raised in 'on_dead_letter' of Hooked, with an Item in hand"]


async def test_errors_of_the_library_are_errors_of_the_subsystem_that_got_them(autojump_clock: MockClock) -> None:
    """With a note, and catchable inside."""

    async def sends_wrong(ctx: AnyContext) -> None:
        with pytest.raises(UndeclaredMessage):
            await ctx.send("text")
        await ctx.send("text")

    with stopped() as errors:
        await Duo(source=sends_wrong, sink=idle).run()
    assert isinstance(errors[0], UndeclaredMessage)
    assert "'source'" in errors[0].__notes__[0]


async def test_a_request_that_is_cancelled_ends_a_stopping_subsystem_without_an_error(
    autojump_clock: MockClock,
) -> None:
    """Here since the subsystem was given end-of-input; in a user's group as well."""

    async def source(ctx: AnyContext) -> None:
        await idle(ctx)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(trio.lowlevel.checkpoint)
            nursery.start_soon(ctx.request, Ask)

    class Asking(Orchestra):
        source: Subsystem[str, Ask]
        sink: Subsystem[Ask]

    async with Asking(source=source, sink=done).open() as running:
        await trio.sleep(1)
    assert running.statistics().subsystems["source"].state == "finished"
    assert running.statistics().dead_letters == {"stopping": 1}


async def test_a_request_that_is_cancelled_is_an_error_as_long_as_nothing_stops(autojump_clock: MockClock) -> None:
    """As is one to a subsystem that has ended."""

    async def source(ctx: AnyContext) -> None:
        await ctx.request(Ask)

    async def closes(ctx: AnyContext) -> None:
        request: Any = await ctx.receive()
        request.reply.close()
        await forever(ctx)

    async def leaves(_: AnyContext) -> None:
        await trio.sleep(1)

    for sink in (closes, leaves):
        with stopped() as errors:
            async with Duo(source=source, sink=sink).open():
                await trio.sleep_forever()
        assert isinstance(errors[0], OneshotCancelled)
    with stopped() as errors:
        async with Duo(source=source, sink=done).open():
            await trio.sleep_forever()
    assert isinstance(errors[0], OneshotCancelled | SubsystemExited)


async def test_while_terminating_a_cancelled_request_is_no_error(autojump_clock: MockClock) -> None:
    """Other errors are, also in one group with it."""
    boom = ValueError("boom")

    async def source(ctx: AnyContext) -> None:
        assert await ctx.request(Ask, 2) == 4
        await trio.sleep(1)
        with trio.CancelScope(shield=True):
            await ctx.request(Ask)

    async def both(ctx: AnyContext) -> None:
        try:
            await source(ctx)
        except OneshotCancelled as error:
            raise ExceptionGroup("both", [error, boom]) from None

    async def answers_once(ctx: AnyContext) -> None:
        request: Any = await ctx.receive()
        request.reply.send(4)
        await trio.sleep(3)

    async with Duo(source=source, sink=answers_once).open() as running:
        await trio.sleep(0.5)
        await running.terminate(grace=9)
    with stopped() as errors:
        async with Duo(source=both, sink=answers_once).open() as running:
            await trio.sleep(0.5)
            await running.terminate(grace=9)
    assert isinstance(errors[0], ExceptionGroup)
    assert errors[0].exceptions[1] is boom
    await Duo(source=done, sink=answering).run()
