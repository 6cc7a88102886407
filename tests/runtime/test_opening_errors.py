"""Leaving an orchestra by an error: which errors come out, in what shape and order."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs
import pytest
import trio

from orchestra_trio import (
    DeadLetter,
    DeclarationError,
    Orchestra,
    Subsystem,
    SubsystemExited,
    Weighted,
    subsystem,
)
from tests.runtime.samples import (
    AnyContext,
    Collect,
    Duo,
    Fails,
    Item,
    Sends,
    Solo,
    done,
    forever,
    idle,
    stopped,
)

if TYPE_CHECKING:
    from trio.testing import MockClock

    from orchestra_trio.records import LaneChooser


async def test_an_exception_in_the_block_cancels_everything_and_is_in_the_group(autojump_clock: MockClock) -> None:
    """As it is: the block is no subsystem, so that it gets no note."""
    boom = ValueError("boom")
    sink = Collect()
    with stopped() as errors:
        async with Duo(source=forever, sink=sink).open():
            await trio.sleep(1)
            raise boom
    assert errors == [boom]
    assert not hasattr(boom, "__notes__")
    assert trio.current_time() == 1


async def test_errors_come_out_as_one_group_in_the_order_in_which_they_were_raised(autojump_clock: MockClock) -> None:
    """Of subsystems, jobs and the block alike, also those that are raised while all are cancelled."""
    first, second, third, fourth = (ValueError(str(number)) for number in range(4))

    async def late(error: Exception, after: float) -> None:
        try:
            await trio.sleep_forever()
        finally:
            with trio.CancelScope(shield=True):
                await trio.sleep(after)
            raise error

    async def source(ctx: AnyContext) -> None:
        ctx.start_soon(late, third, 2)
        await late(second, 1)

    with stopped() as errors:
        async with Duo(source=source, sink=Fails(first, after=1)).open():
            await late(fourth, 3)
    assert errors == [first, second, third, fourth]


async def test_the_group_is_named_for_the_orchestra(autojump_clock: MockClock) -> None:
    """And it is an `ExceptionGroup` where all in it are exceptions."""
    with pytest.RaisesGroup(ValueError, match="Duo was stopped by an error"):
        await Duo(source=Fails(ValueError()), sink=idle).run()


@pytest.mark.parametrize("interrupt", [KeyboardInterrupt, SystemExit, GeneratorExit])
async def test_what_is_no_exception_stops_everything_too(
    autojump_clock: MockClock, interrupt: type[BaseException]
) -> None:
    """It comes out as it is, in a `BaseExceptionGroup`, without a note."""
    error = interrupt("now")
    with pytest.RaisesGroup(interrupt) as caught:
        await Duo(source=Fails(error, after=1), sink=idle).run()
    assert type(caught.value) is BaseExceptionGroup
    assert caught.value.exceptions == (error,)
    assert not hasattr(error, "__notes__")


async def test_groups_that_user_code_raised_stay_whole(autojump_clock: MockClock) -> None:
    """Only the layers of the library's own nurseries are not there; a user's nursery is a layer of its own."""
    inner, last = ValueError("a"), KeyError("b")

    async def raises_at_the_end(_: AnyContext) -> None:
        try:
            await trio.sleep_forever()
        finally:
            raise last

    async def nests(_: AnyContext) -> None:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(Fails(inner, after=1))
            nursery.start_soon(trio.sleep_forever)

    with stopped() as errors:
        await Duo(source=nests, sink=raises_at_the_end).run()
    group, plain = errors
    assert isinstance(group, ExceptionGroup)
    assert group.exceptions == (inner,)
    assert plain is last


async def test_cancellation_mixed_into_a_users_group_is_taken_out_of_it(autojump_clock: MockClock) -> None:
    """In a subsystem, in a job and in the block: what comes out holds no `trio.Cancelled`."""

    async def mixed(text: str) -> None:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(trio.sleep_forever)
            try:
                await trio.sleep_forever()
            finally:
                raise ValueError(text)

    async def source(ctx: AnyContext) -> None:
        ctx.start_soon(mixed, "job")
        await mixed("subsystem")

    with stopped() as errors:
        async with Duo(source=source, sink=Fails(KeyError("first"), after=1)).open():
            await mixed("block")
    assert isinstance(errors[0], KeyError)
    texts = []
    for group in errors[1:]:
        assert isinstance(group, ExceptionGroup)
        assert len(group.exceptions) == 1
        texts.append(str(group.exceptions[0]))
    assert sorted(texts) == ["block", "job", "subsystem"]


async def test_cancelled_in_a_users_group_while_all_is_cancelled_is_no_error(autojump_clock: MockClock) -> None:
    """A nursery that only passes cancellation on is no error of the subsystem."""

    async def nests(ctx: AnyContext) -> None:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(trio.sleep_forever)
            nursery.start_soon(trio.sleep_forever)
            ctx.start_soon(trio.sleep_forever)
            await trio.sleep_forever()

    async with Duo(source=nests, sink=nests).open() as running:
        await trio.sleep(1)
        running.cancel()
    assert [one.state for one in running.map_subsystems(lambda one: one)] == ["cancelled", "cancelled"]


async def test_an_error_of_the_block_after_cancel_comes_out(autojump_clock: MockClock) -> None:
    """Cancellation is absorbed, and nothing else."""
    boom = ValueError("boom")
    with stopped() as errors:
        async with Duo(source=forever, sink=idle).open() as running:
            running.cancel()
            raise boom
    assert errors == [boom]


async def test_the_first_error_of_a_subsystem_cancels_the_block(autojump_clock: MockClock) -> None:
    """The block gets `trio.Cancelled`, which `open()` turns into the group."""
    boom = ValueError("boom")
    cancelled: list[float] = []
    with stopped() as errors:
        async with Duo(source=Fails(boom, after=2), sink=idle).open():
            try:
                await trio.sleep_forever()
            except trio.Cancelled:
                cancelled.append(trio.current_time())
                raise
    assert (errors, cancelled) == ([boom], [2])


async def test_a_failed_subsystem_makes_later_sends_to_it_dead_letters(autojump_clock: MockClock) -> None:
    """After the first error the orchestra is stopping, so that nobody adds errors of their own."""

    async def source(ctx: AnyContext) -> None:
        try:
            await trio.sleep_forever()
        finally:
            with trio.CancelScope(shield=True):
                await trio.sleep(1)
                await ctx.send(Item(1))

    boom = ValueError("boom")
    with stopped() as errors:
        async with Duo(source=source, sink=Fails(boom, after=1)).open() as running:
            await trio.sleep_forever()
    assert errors == [boom]
    assert [one.reason for one in running.dead_letters] == ["stopping"]


async def test_subsystem_exited_is_an_error_of_its_sender(autojump_clock: MockClock) -> None:
    """A send that failed is never only logged: a fault of the crate."""
    with stopped() as errors:
        async with Duo(source=Sends(*map(Item, range(4))), sink=done).open():
            await trio.sleep_forever()
    assert isinstance(errors[0], SubsystemExited)
    assert "'source'" in errors[0].__notes__[0]


async def test_errors_of_each_exit_reach_the_caller(autojump_clock: MockClock) -> None:
    """A fault of the crate: there, an exit was logged and taken for success."""
    boom = ValueError("boom")

    async def returns_to_its_end(ctx: AnyContext) -> None:
        async for _ in ctx:
            pass
        raise boom

    with stopped() as errors:
        async with Solo(worker=returns_to_its_end).open():
            pass
    assert errors == [boom]


async def test_a_subsystem_that_leaves_a_scope_open_is_to_blame(autojump_clock: MockClock) -> None:
    """What trio reports of that misuse is an error of the subsystem, and comes out as one."""

    async def careless(_: AnyContext) -> None:
        trio.CancelScope().__enter__()
        await trio.lowlevel.checkpoint()

    with stopped() as errors:
        async with Duo(source=careless, sink=forever).open():
            await trio.sleep_forever()
    assert [type(one) for one in errors] == [RuntimeError]
    assert "'source' of Duo" in errors[0].__notes__[0]


async def test_a_sync_callable_is_an_error_that_says_so(autojump_clock: MockClock) -> None:
    """So is one that takes no context."""
    wrong: Any = len
    with stopped() as errors:
        await Solo(worker=wrong).run()
    assert isinstance(errors[0], TypeError)

    def sync(_: AnyContext) -> int:
        return 3

    wrong = sync
    with stopped() as errors:
        await Solo(worker=wrong).run()
    assert str(errors[0]).endswith("sync was called and returned an int: make it an async function")


async def test_a_strategy_that_fails_while_opening_leaves_nothing_open(autojump_clock: MockClock) -> None:
    """The error comes out as it is, and the orchestra can be opened again."""

    @attrs.define
    class Broken:
        is_broken: bool = True

        def chooser(self) -> LaneChooser:
            if self.is_broken:
                raise ValueError
            return Weighted().chooser()

    strategy = Broken()

    class Chosen(Orchestra):
        worker: Subsystem[Item] = subsystem(select=strategy)

    chosen = Chosen(worker=Collect())
    with pytest.raises(ValueError, match=r"^$"):
        await chosen.run()
    strategy.is_broken = False
    await chosen.run()


def test_an_async_hook_for_dead_letters_is_refused() -> None:
    """Nothing could wait for it, and it would do nothing."""
    with pytest.raises(DeclarationError, match=r"its on_dead_letter is async, .*; write `def on_dead_letter`"):

        class Waiting(Orchestra):
            worker: Subsystem[Item]

            async def on_dead_letter(self, letter: DeadLetter) -> None:  # type: ignore[override]
                await trio.sleep(1)
