"""Programs that hang or never end fail at once, and say who waits for what."""

from __future__ import annotations

import gc
import itertools
import re
import socket
import threading
from typing import TYPE_CHECKING, NamedTuple, Never

import pytest
import trio
import trio.testing

from orchestra_trio import BlockingSubsystem, BlockingSubsystemContext, Orchestra, Subsystem, SubsystemContext
from orchestra_trio.testing.hangs import Hang, NeverEnds, fail_on_hang
from orchestra_trio.testing.scheduling.schedule import Schedule

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable


class Order(NamedTuple):
    """A message."""


class Shop(Orchestra):
    """One who is told nothing waits for orders, and one who will not work."""

    clerk: Subsystem[Order]
    owner: Subsystem[Never, Order]


class Stall(Orchestra):
    """The same, with a thread."""

    clerk: BlockingSubsystem[Order]
    owner: Subsystem[Never, Order]


async def clerk(ctx: SubsystemContext[Order]) -> None:
    async for _ in ctx:
        pass


async def owner(_: SubsystemContext[Never, Order]) -> None:
    await trio.Event().wait()


def waiting_clerk(ctx: BlockingSubsystemContext[Order]) -> None:
    for _ in ctx:
        pass


async def patient(event: trio.Event) -> None:
    await event.wait()


async def hang_in_a_shield() -> None:
    with trio.CancelScope(shield=True):
        await trio.sleep_forever()


async def tick_for_ever() -> None:
    for _ in itertools.count():
        await trio.sleep(1)


async def guarded(async_fn: Callable[[], Awaitable[None]], most_steps: int = 100_000) -> None:
    async with fail_on_hang(most_steps):
        await async_fn()


async def test_a_hang_says_which_tasks_wait_and_where(autojump_clock: trio.testing.MockClock) -> None:
    async def main() -> None:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(patient, trio.Event(), name="one")
            nursery.start_soon(patient, trio.Event(), name="another")
            nursery.start_soon(trio.sleep, 60)

    with pytest.raises(Hang) as caught:
        await guarded(main)
    lines = str(caught.value).splitlines()
    assert lines[:2] == ["all tasks wait, and nothing will wake any of them", "tasks:"]
    for name in ("one", "another"):
        assert any(re.fullmatch(rf"  {name}: .*test_hangs\.py:\d+ in patient", line) for line in lines)
    assert any(line.endswith("in main") for line in lines)
    assert trio.current_time() == 60


async def test_a_hang_says_where_subsystems_stand(autojump_clock: trio.testing.MockClock) -> None:
    with pytest.raises(Hang) as caught:
        async with fail_on_hang(), Shop(clerk=clerk, owner=owner).open():
            pass
    text = str(caught.value)
    assert re.search(r"^Shop: up ", text, re.MULTILINE)
    assert re.search(r"^  clerk: running, waits to receive$", text, re.MULTILINE)
    assert re.search(r"^  owner: ending, stands at .*test_hangs\.py:\d+, in owner$", text, re.MULTILINE)


async def test_a_thread_that_waits_for_a_message_does_not_hide_a_hang(autojump_clock: trio.testing.MockClock) -> None:
    with pytest.raises(Hang, match="clerk: running, waits to receive"):
        async with fail_on_hang(), Stall(clerk=waiting_clerk, owner=owner).open():
            pass


async def test_what_goes_on_is_left_alone(autojump_clock: trio.testing.MockClock) -> None:
    async with fail_on_hang():
        with trio.move_on_after(10**9):
            await trio.sleep_forever()
        await trio.testing.wait_all_tasks_blocked(0.01)
    assert trio.current_time() == 10**9


async def test_a_thread_that_runs_is_waited_for(autojump_clock: trio.testing.MockClock) -> None:
    """Also where trio has found nothing to do many times over."""
    go_on = threading.Event()

    class Release(trio.abc.Instrument):
        idle = 0

        def before_io_wait(self, timeout: float) -> None:
            self.idle += 1
            if self.idle == 50:
                go_on.set()

    trio.lowlevel.add_instrument(Release())
    async with fail_on_hang():
        assert await trio.to_thread.run_sync(go_on.wait)


async def test_input_is_waited_for(autojump_clock: trio.testing.MockClock) -> None:
    reader, writer = socket.socketpair()
    idle = 0

    class Write(trio.abc.Instrument):
        def before_io_wait(self, timeout: float) -> None:
            nonlocal idle
            idle += 1
            if idle == 20:
                writer.send(b"x")

    trio.lowlevel.add_instrument(Write())
    with reader, writer:
        async with fail_on_hang():
            await trio.lowlevel.wait_readable(reader)
    assert idle >= 20


async def test_on_trios_own_clock_a_hang_is_found_too() -> None:
    with pytest.raises(Hang):
        async with fail_on_hang():
            await trio.sleep_forever()


async def test_an_error_of_the_block_passes_through(autojump_clock: trio.testing.MockClock) -> None:
    async def main() -> None:
        await trio.sleep(1)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await guarded(main)


async def test_what_the_block_raises_when_cancelled_is_the_cause(autojump_clock: trio.testing.MockClock) -> None:
    async def main() -> None:
        try:
            await trio.sleep_forever()
        finally:
            raise ZeroDivisionError

    with pytest.raises(Hang) as caught:
        await guarded(main)
    assert isinstance(caught.value.__cause__, ZeroDivisionError)


async def test_a_cancellation_from_outside_is_no_hang(autojump_clock: trio.testing.MockClock) -> None:
    with trio.move_on_after(5) as scope:
        async with fail_on_hang():
            await trio.sleep_forever()
    assert scope.cancelled_caught


async def test_shields_are_taken_from_what_hangs(autojump_clock: trio.testing.MockClock) -> None:
    with pytest.raises(Hang, match="in hang_in_a_shield"):
        await guarded(hang_in_a_shield)


async def test_a_shield_around_the_block_stays(autojump_clock: trio.testing.MockClock) -> None:
    with trio.CancelScope(shield=True) as scope:
        with pytest.raises(Hang):
            await guarded(hang_in_a_shield)
        assert scope.shield


async def test_what_never_ends_fails_with_who_ran_last(autojump_clock: trio.testing.MockClock) -> None:
    async def main() -> None:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(tick_for_ever)
            nursery.start_soon(trio.sleep_forever)

    with pytest.raises(NeverEnds, match=r"^500 steps were taken; in the last of them ran: .*tick_for_ever$"):
        await guarded(main, 500)


async def test_nothing_stays_behind(autojump_clock: trio.testing.MockClock) -> None:
    async with fail_on_hang(most_steps=20):
        await trio.sleep(1)
    for _ in range(50):
        await trio.lowlevel.checkpoint()


# --- Under a schedule ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("program", "error"), [(hang_in_a_shield, Hang), (tick_for_ever, NeverEnds)])
def test_a_schedule_watches_too(program: Callable[[], Awaitable[None]], error: type[Exception]) -> None:
    with pytest.raises(error) as caught:
        Schedule(most_steps=500).run(program)
    assert caught.value.__notes__


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.filterwarnings("ignore:coroutine .* was never awaited:RuntimeWarning")
def test_what_does_not_end_when_cancelled_is_left_behind() -> None:
    """The last resort: trio's loop is crashed, which is the only way back to the caller."""
    swallowed = 0

    async def stubborn() -> None:
        nonlocal swallowed
        while swallowed < 10_000:
            try:
                await trio.lowlevel.checkpoint()
            except trio.Cancelled:  # noqa: ASYNC103 - the fault that is looked for
                swallowed += 1

    with pytest.raises(NeverEnds) as caught:
        Schedule(most_steps=500).run(stubborn)
    assert "500 steps were taken" in str(caught.value)
    assert 0 < swallowed < 1000
    del caught
    gc.collect()
