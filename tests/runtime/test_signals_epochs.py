"""Signals: epochs, waiting for them, and signals to one subsystem."""

from __future__ import annotations

from typing import Never

import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from orchestra_trio import (
    Orchestra,
    Subsystem,
    SubsystemExited,
    SubsystemStalled,
    UndeclaredMessage,
)
from tests.runtime.samples import (
    AnyContext,
    Collect,
    Item,
    Solo,
    Three,
    Tick,
    Tock,
    done,
    forever,
    idle,
)


async def test_epoch_of_a_subsystem_is_that_of_the_last_broadcast_it_received(autojump_clock: MockClock) -> None:
    """It moves when the signal is received, and not by a signal sent to one subsystem."""
    epochs: list[int] = []

    async def worker(ctx: AnyContext) -> None:
        epochs.append(ctx.epoch)
        epochs.extend([ctx.epoch async for _ in ctx])

    async with Solo(worker=worker).open() as running:
        await running.broadcast_signal(Tick())
        await running.send_signal("worker", Tick())
        await running.broadcast_signal(Tick())
    assert epochs == [0, 1, 1, 2]


async def test_a_subsystem_that_does_not_subscribe_skips_epochs(autojump_clock: MockClock) -> None:
    """The number is that of the broadcast, not a count of what was received."""
    epochs: dict[str, list[int]] = {"both": [], "ticks": []}

    async def note(ctx: AnyContext) -> None:
        epochs[ctx.name] += [ctx.epoch async for _ in ctx]

    async with Three(both=note, ticks=note, deaf=idle).open() as running:
        await running.broadcast_signal(Tock())
        await running.broadcast_signal(Tick())
    assert epochs == {"both": [1, 2], "ticks": [2]}


async def test_wait_epoch_waits_until_every_subscriber_has_received_it(autojump_clock: MockClock) -> None:
    """A broadcast returns before; `wait_epoch` does not."""
    async with Three(both=Collect(delay=2), ticks=Collect(delay=3), deaf=forever).open() as running:
        epoch = await running.broadcast_signal(Tock())
        assert trio.current_time() == 0
        await running.wait_epoch(epoch)
        assert trio.current_time() == 2
        await running.wait_epoch(await running.broadcast_signal(Tick()))
        assert trio.current_time() == 3
        running.cancel()


async def test_wait_epoch_waits_for_earlier_broadcasts_too_but_not_for_later_ones(autojump_clock: MockClock) -> None:
    """Signals sent to one subsystem have no epoch, and are not waited for."""

    async def slow(ctx: AnyContext) -> None:
        for _ in range(3):
            await trio.sleep(1)
            await ctx.receive()
        await idle(ctx)

    class Wide(Orchestra[Tick]):
        worker: Subsystem[Item, Never, Tick]

    async with Wide(worker=slow).open() as running:
        for _ in range(2):
            await running.broadcast_signal(Tick())
        await running.send_signal("worker", Tick())
        await running.broadcast_signal(Tick())
        await running.wait_epoch(2)
        assert trio.current_time() == 2
        await running.wait_epoch(0)
        assert trio.current_time() == 2


async def test_wait_epoch_of_a_future_broadcast_and_of_ended_subsystems(autojump_clock: MockClock) -> None:
    """It waits for the broadcast; who has ended, before or meanwhile, is not waited for."""

    async def leaves(ctx: AnyContext) -> None:
        await trio.sleep(7)

    async with Three(both=leaves, ticks=done, deaf=idle).open() as running:
        waited: list[float] = []

        async def wait(epoch: int) -> None:
            await running.wait_epoch(epoch)
            waited.append(trio.current_time())

        async with trio.open_nursery() as nursery:
            nursery.start_soon(wait, 2)
            await trio.sleep(1)
            await running.broadcast_signal(Tick())
            await trio.sleep(1)
            assert waited == []
            await running.broadcast_signal(Tick())
        assert waited == [7]


async def test_cancelled_wait_epoch_changes_nothing(autojump_clock: MockClock) -> None:
    """Another that waits for the same goes on."""
    async with Solo(worker=Collect(delay=5)).open() as running:
        epoch = await running.broadcast_signal(Tick())
        with trio.move_on_after(1) as scope:
            await running.wait_epoch(epoch)
        assert scope.cancelled_caught
        await running.wait_epoch(epoch)
        assert trio.current_time() == 5


async def test_send_signal_reaches_one_subsystem_and_moves_no_epoch(autojump_clock: MockClock) -> None:
    """No message and no broadcast waits for it."""
    both, ticks = Collect(), Collect()
    async with Three(both=both, ticks=ticks, deaf=idle).open() as running:
        await running.send_signal("both", Tick(1))
        assert running.statistics().epoch == 0
        running.send_signal_nowait("both", Tick(2))
        await running.route_message(Item(3))
    assert both.numbers == [1, 2, 3]
    assert ticks.got == []


async def test_send_signal_to_nobody_or_to_who_does_not_listen_is_refused(autojump_clock: MockClock) -> None:
    """The name is checked first, then the subscription."""
    async with Three(both=idle, ticks=idle, deaf=idle).open() as running:
        with pytest.raises(ValueError, match="Three has no subsystem 'none'; it has both, ticks, deaf"):
            await running.send_signal("none", Tick())
        with pytest.raises(UndeclaredMessage, match="cannot signal 'ticks' a Tock: the wiring allows Tick"):
            await running.send_signal("ticks", Tock())
        with pytest.raises(UndeclaredMessage, match="cannot signal 'deaf' a Tick: the wiring allows nothing"):
            running.send_signal_nowait("deaf", Tick())


async def test_send_signal_beyond_capacity_waits_and_stalls_as_a_broadcast_does(autojump_clock: MockClock) -> None:
    """The signal stays delivered. Without waiting, a full lane is `WouldBlock`, and takes nothing."""
    both = Collect(delay=20)
    async with Three(both=both, ticks=idle, deaf=idle).open() as running:
        await running.send_signal("both", Tick(1))
        running.send_signal_nowait("both", Tick(2))
        with pytest.raises(trio.WouldBlock):
            running.send_signal_nowait("both", Tick(3))
        with pytest.raises(SubsystemStalled):
            await running.send_signal("both", Tick(4))
    assert both.numbers == [1, 2, 4]


async def test_send_signal_to_an_ended_subsystem_is_an_error_until_the_orchestra_stops(
    autojump_clock: MockClock,
) -> None:
    """While it stops, there is nothing wrong with being late."""
    async with Three(both=done, ticks=forever, deaf=idle).open() as running:
        await wait_all_tasks_blocked()
        with pytest.raises(SubsystemExited, match="to subsystem 'both' of Three, which has ended"):
            await running.send_signal("both", Tick())
        with pytest.raises(SubsystemExited):
            running.send_signal_nowait("both", Tick())
        await running.terminate(grace=1)
        await running.send_signal("both", Tick())
        running.send_signal_nowait("both", Tick())
