"""Opening and leaving: who cancels whom, and which errors come out, in what shape."""

from __future__ import annotations

import gc
from functools import partial
from typing import TYPE_CHECKING

import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from orchestra_trio import (
    Connector,
    Orchestra,
    OrchestraError,
    RunningOrchestra,
    Subsystem,
    SubsystemContext,
    subsystem,
)
from tests.runtime.samples import (
    AnyContext,
    Collect,
    Duo,
    Fails,
    Imported,
    Item,
    Sends,
    Solo,
    Tick,
    done,
    forever,
    idle,
    stopped,
)

if TYPE_CHECKING:
    from typing import Never


async def test_leaving_normally_drains(autojump_clock: MockClock) -> None:
    """All that was sent is received, however long that takes, and nothing runs afterwards."""
    sink = Collect(delay=3)
    async with Duo(source=Sends(*map(Item, range(10))), sink=sink).open() as running:
        assert isinstance(running, RunningOrchestra)
    assert trio.current_time() == 3
    assert sink.numbers == list(range(10))
    assert running.dead_letters == ()


async def test_entering_lets_every_subsystem_begin(autojump_clock: MockClock) -> None:
    """They run as tasks with the names of their slots."""
    names: list[str] = []

    async def note(_: AnyContext) -> None:
        names.append(trio.lowlevel.current_task().name)
        await trio.lowlevel.checkpoint()

    async with Duo(source=note, sink=note).open():
        await wait_all_tasks_blocked()
        assert sorted(names) == ["sink", "source"]


async def test_outer_cancellation_passes_through(autojump_clock: MockClock) -> None:
    """It ends the block and the subsystems, and the scope around catches it, also while all drain."""
    for waits_in_block in (True, False):
        with trio.move_on_after(5) as scope:
            async with Duo(source=forever, sink=idle).open() as running:
                if waits_in_block:
                    await trio.sleep_forever()
        assert scope.cancelled_caught
        assert running.statistics().subsystems["source"].state == "cancelled"
    assert trio.current_time() == 10
    with pytest.raises(trio.TooSlowError), trio.fail_after(1):
        await Duo(source=forever, sink=idle).run()


async def test_outer_cancellation_swallows_no_error(autojump_clock: MockClock) -> None:
    """What a subsystem raises while it is cancelled comes out."""
    boom = ValueError("boom")

    async def explodes(_: AnyContext) -> None:
        try:
            await trio.sleep_forever()
        finally:
            raise boom

    for waits_in_block in (True, False):
        with stopped() as errors, trio.move_on_after(1):
            async with Duo(source=explodes, sink=idle).open():
                if waits_in_block:
                    await trio.sleep_forever()
        assert errors == [boom]


async def test_outer_cancellation_counts_as_stopping_from_its_first_step(autojump_clock: MockClock) -> None:
    """What a subsystem sends in its last steps to one that has ended already is no error, but a dead letter."""

    async def source(ctx: AnyContext) -> None:
        try:
            await trio.sleep_forever()
        finally:
            with trio.CancelScope(shield=True):
                await trio.sleep(1)
                await ctx.send(Item(1))

    async def block() -> None:
        with trio.CancelScope(shield=True):
            await trio.sleep(5)

    with trio.move_on_after(1):
        async with Duo(source=source, sink=forever).open() as running:
            await block()
            await trio.sleep_forever()
    assert running.statistics().dead_letters == {"stopping": 1}


async def test_cancel_is_absorbed_by_open(autojump_clock: MockClock) -> None:
    """It cancels the subsystems and the rest of the block; what comes after the block runs."""
    reached: list[str] = []
    async with Duo(source=forever, sink=idle).open() as running:
        running.cancel()
        reached.append("rest")
        await trio.sleep(1)
        reached.append("never")
    assert reached == ["rest"]
    async with Duo(source=forever, sink=idle).open() as running:
        running.cancel()  # and a block without another checkpoint


async def test_opening_twice_at_once_is_refused(autojump_clock: MockClock) -> None:
    """Another instance of the class may run beside it."""
    duo = Duo(source=forever, sink=idle)
    async with duo.open() as running:
        with pytest.raises(trio.BusyResourceError, match="this Duo is open already"):
            await duo.run()
        async with Duo(source=done, sink=idle).open():
            pass
        running.cancel()


async def test_an_orchestra_can_be_opened_again_after_it_has_ended(autojump_clock: MockClock) -> None:
    """After a normal end, an error, a cancellation, and an error while it opened."""
    sink = Collect()
    duo = Duo(source=Sends(Item(1)), sink=sink)
    await duo.run()
    with stopped():
        async with duo.open():
            raise ValueError
    with trio.move_on_after(0):
        await duo.run()
    used: Connector[Never] = Connector()
    async with duo.open(connector=used):
        pass
    with pytest.raises(trio.BusyResourceError, match="Connector was used already"):
        async with duo.open(connector=used):
            pass
    sink.got.clear()
    await duo.run()
    assert sink.got == [Item(1)]


async def test_what_open_returns_can_be_entered_once(autojump_clock: MockClock) -> None:
    """Entering it again is refused, while it is open and afterwards; leaving needs entering."""
    opening = Duo(source=forever, sink=idle).open()
    async with opening as running:
        with pytest.raises(trio.BusyResourceError, match="entered once"):
            await opening.__aenter__()
        running.cancel()
    with pytest.raises(trio.BusyResourceError, match="entered once"):
        await opening.__aenter__()
    with pytest.raises(RuntimeError, match="without being entered"):
        await Duo(source=done, sink=idle).open().__aexit__(None, None, None)


async def test_what_was_refused_because_the_orchestra_was_open_can_be_entered_later(autojump_clock: MockClock) -> None:
    """The refusal has changed nothing."""
    duo = Duo(source=done, sink=idle)
    second = duo.open()
    async with duo.open():
        with pytest.raises(trio.BusyResourceError):
            await second.__aenter__()
    async with second:
        pass


class Slow(Orchestra[Tick, Imported]):
    """Opening waits for one of the two."""

    ready: Subsystem[Item] = subsystem(readiness=True)
    other: Subsystem[int]

    async def on_event(self, event: Imported, running: RunningOrchestra[Tick, Imported]) -> None:
        if event.number:
            running.cancel()
        else:
            async with trio.open_nursery() as nursery:  # noqa: ASYNC112 - `on_event` itself may not wait for its end
                nursery.start_soon(partial(running.terminate, grace=1))


async def test_open_waits_for_those_that_declare_readiness_and_for_no_others(autojump_clock: MockClock) -> None:
    """Until `ctx.started()`; calling it again, or where nobody waits, does nothing. Messages can wait meanwhile."""

    async def ready(ctx: SubsystemContext[Item]) -> None:
        await trio.sleep(3)
        ctx.started()
        ctx.started()
        await idle(ctx)

    async def other(ctx: SubsystemContext[int]) -> None:
        await trio.sleep(10)
        ctx.started()

    async with Slow(ready=ready, other=other).open():
        assert trio.current_time() == 3


async def test_failing_before_started_comes_out_of_entering(autojump_clock: MockClock) -> None:
    """The block is not begun, and nothing runs on."""
    boom = ValueError("boom")
    with stopped() as errors:
        async with Slow(ready=Fails(boom, after=1), other=forever).open():
            pytest.fail("the block must not run")
    assert errors == [boom]
    with stopped() as errors:
        async with Slow(ready=forever, other=Fails(boom, after=1)).open():
            pytest.fail("the block must not run")
    assert errors == [boom]


async def test_ending_without_started_is_an_error(autojump_clock: MockClock) -> None:
    """`open()` would wait for ever."""
    with stopped() as errors:
        async with Slow(ready=done, other=forever).open():
            pytest.fail("the block must not run")
    assert [str(one) for one in errors] == ["subsystem 'ready' ended without calling ctx.started()"]


async def test_outer_cancellation_while_opening_passes_through(autojump_clock: MockClock) -> None:
    """Nothing runs on, and the orchestra can be opened again."""
    slow = Slow(ready=forever, other=forever)
    for _ in range(2):
        with trio.move_on_after(1) as scope:
            async with slow.open():
                pytest.fail("the block must not run")
        assert scope.cancelled_caught


async def test_outer_cancellation_while_opening_passes_through_subsystems_that_catch_theirs(
    autojump_clock: MockClock,
) -> None:
    """However they end then, the caller is cancelled."""

    async def catches(_: AnyContext) -> None:
        with trio.CancelScope() as scope:
            try:
                await trio.sleep_forever()
            except trio.Cancelled:
                scope.shield = True
                raise RuntimeError from None  # noqa: ASYNC104 - what this test is about

    async def swallows(ctx: AnyContext) -> None:
        with pytest.raises(RuntimeError):
            await catches(ctx)

    with trio.move_on_after(1) as scope:
        async with Slow(ready=swallows, other=done).open():
            pytest.fail("the block must not run")
    assert scope.cancelled_caught


async def test_cancel_while_opening_is_an_error_of_entering(autojump_clock: MockClock) -> None:
    """There is no block yet whose rest could be left out."""
    connector: Connector[Imported] = Connector()
    connector.handle.send_nowait(Imported(1))
    with pytest.raises(OrchestraError, match="Slow was cancelled while it opened"):
        async with Slow(ready=forever, other=forever).open(connector=connector):
            pytest.fail("the block must not run")


async def test_terminate_while_opening_ends_the_wait_for_readiness(autojump_clock: MockClock) -> None:
    """Who was cancelled will not say that it is ready; the block runs, and finds that all have ended."""
    connector: Connector[Imported] = Connector()
    connector.handle.send_nowait(Imported(0))
    async with Slow(ready=forever, other=forever).open(connector=connector) as running:
        assert {one.state for one in running.statistics().subsystems.values()} == {"cancelled"}


async def test_nothing_outlives_open(autojump_clock: MockClock) -> None:
    """Law 8: a subsystem that needs time to clean up is waited for."""
    cleaned: list[float] = []

    async def careful(_: AnyContext) -> None:
        try:
            await trio.sleep_forever()
        finally:
            with trio.CancelScope(shield=True):
                await trio.sleep(4)
            cleaned.append(trio.current_time())

    with stopped():
        async with Duo(source=careful, sink=careful).open():
            await trio.sleep(1)
            raise ValueError
    assert cleaned == [5, 5]


async def test_nothing_global_holds_an_ended_orchestra(autojump_clock: MockClock) -> None:
    """It is garbage, once nobody refers to it."""
    before = len([one for one in gc.get_objects() if isinstance(one, RunningOrchestra)])
    await Solo(worker=idle).run()
    gc.collect()
    assert len([one for one in gc.get_objects() if isinstance(one, RunningOrchestra)]) <= before
