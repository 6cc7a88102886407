"""Events: how they come in, one at a time, before and while an orchestra runs, and what becomes of the last ones."""

from __future__ import annotations

import logging
from typing import Any, Never

import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from orchestra_trio import Connector, Orchestra, RunningOrchestra, Subsystem
from tests.runtime.samples import AnyContext, Collect, Fails, Imported, Item, Tick, forever, idle, stopped


class Importing(Orchestra[Tick, Imported], event_capacity=2):
    """Routes each event as a message, after a time."""

    worker: Subsystem[Item, Never, Tick]
    pause: float = 0

    async def on_event(self, event: Imported, running: RunningOrchestra[Tick, Imported]) -> None:
        await trio.sleep(self.pause)
        await running.route_message(Item(event.number))


async def test_events_are_handled_one_at_a_time_in_order(autojump_clock: MockClock) -> None:
    """In a task of the orchestra; senders wait while the channel is full."""
    worker = Collect()
    async with Importing(worker=worker, pause=1).open() as running:
        for number in range(6):
            await running.handle.send(Imported(number))
        assert trio.current_time() == 3
        assert running.statistics().events.channel_len == 2
        await trio.sleep(1.5)
        assert worker.numbers == [0, 1, 2, 3]
    assert worker.numbers == [0, 1, 2, 3, 4, 5]


async def test_events_sent_before_opening_wait_in_the_connector(autojump_clock: MockClock) -> None:
    """Its handle is that of the running orchestra; its capacity is its own."""
    connector: Connector[Imported] = Connector(3)
    for number in range(3):
        connector.handle.send_nowait(Imported(number))
    with pytest.raises(trio.WouldBlock):
        connector.handle.send_nowait(Imported(3))
    worker = Collect()
    async with Importing(worker=worker).open(connector=connector) as running:
        assert running.handle is connector.handle
    assert worker.numbers == [0, 1, 2]


def test_a_connector_can_be_made_outside_of_a_run() -> None:
    """And needs room for at least one event."""
    connector: Connector[Imported] = Connector()
    connector.handle.send_nowait(Imported(0))
    with pytest.raises(ValueError, match="capacity must be at least 1, not 0"):
        Connector(0)

    async def main() -> list[int]:
        worker = Collect()
        async with Importing(worker=worker).open(connector=connector):
            pass
        return worker.numbers

    assert trio.run(main) == [0]


async def test_a_connector_serves_one_opening(autojump_clock: MockClock) -> None:
    """The second is refused, and leaves the orchestra closed."""
    connector: Connector[Imported] = Connector()
    orchestra = Importing(worker=idle)
    async with orchestra.open(connector=connector):
        pass
    with pytest.raises(trio.BusyResourceError, match="make one for each opening"):
        async with orchestra.open(connector=connector):
            pass
    async with orchestra.open():
        pass


async def test_handles_can_be_cloned(autojump_clock: MockClock) -> None:
    """When all of them are closed, no event will come; the rest of the orchestra runs on."""
    worker = Collect()
    async with Importing(worker=worker).open() as running:
        with running.handle.clone() as clone:
            running.handle.close()
            await clone.send(Imported(1))
        with pytest.raises(trio.ClosedResourceError):
            await running.handle.send(Imported(2))
        await trio.sleep(1)
        await running.route_message(Item(3))
    assert worker.numbers == [1, 3]


async def test_closing_the_input_refuses_new_events_and_handles_those_that_have_come(
    autojump_clock: MockClock,
) -> None:
    """Senders that wait for room are refused; `on_event` may still route, and only it."""
    worker = Collect()
    refused: list[str] = []

    async def send_on() -> None:
        try:
            for number in range(9):
                await running.handle.send(Imported(number))
        except trio.BrokenResourceError:
            refused.append("sender")

    async with trio.open_nursery() as nursery, Importing(worker=worker, pause=2).open() as running:
        nursery.start_soon(send_on)
        await trio.sleep(1)
        running.close_input()
        with pytest.raises(trio.BrokenResourceError):
            await running.handle.send(Imported(9))
        with pytest.raises(trio.BrokenResourceError):
            running.handle.clone().send_nowait(Imported(9))
        with pytest.raises(trio.ClosedResourceError):
            await running.route_message(Item(9))
        await running.wait_stopped()
        assert trio.current_time() == 6
    assert refused == ["sender"]
    assert worker.numbers == [0, 1, 2]


async def test_on_event_may_use_everything_of_the_running_orchestra(autojump_clock: MockClock) -> None:
    """Requests, signals, its end, also after the input was closed."""
    log: list[Any] = []

    class Commanded(Orchestra[Tick, str]):
        worker: Subsystem[Item, Never, Tick]

        async def on_event(self, event: str, running: RunningOrchestra[Tick, str]) -> None:
            match event:
                case "signal":
                    log.append(await running.broadcast_signal(Tick(1)))
                case "route":
                    running.route_message_nowait(Item(2))
                case "close":
                    running.close_input()
                case _:
                    log.append(running.name)

    worker = Collect()
    async with Commanded(worker=worker).open() as running:
        for event in ("signal", "close", "route", "name"):
            await running.handle.send(event)
    assert log == [1, "Commanded"]
    assert worker.numbers == [1, 2]


async def test_an_event_that_cancels_the_orchestra(autojump_clock: MockClock) -> None:
    """`open()` absorbs it."""

    class Kill(Orchestra[Tick, Imported]):
        worker: Subsystem[Item, Never, Tick]

        async def on_event(self, event: Imported, running: RunningOrchestra[Tick, Imported]) -> None:
            running.cancel()

    async with Kill(worker=forever).open() as running:
        await running.handle.send(Imported(1))
        await trio.sleep_forever()
    assert running.statistics().subsystems["worker"].state == "cancelled"


async def test_events_that_were_not_handled_are_logged(
    autojump_clock: MockClock, caplog: pytest.LogCaptureFixture
) -> None:
    """With their number; who waited to send one is refused."""
    refused: list[str] = []

    async def send_on() -> None:
        try:
            for number in range(9):
                await running.handle.send(Imported(number))
        except trio.BrokenResourceError:
            refused.append("sender")

    async with trio.open_nursery() as nursery, Importing(worker=forever, pause=100).open() as running:
        nursery.start_soon(send_on)
        await trio.sleep(1)
        running.cancel()
    assert refused == ["sender"]
    assert [(one.levelno, one.getMessage()) for one in caplog.records] == [
        (logging.WARNING, "Importing ended with events unhandled: 2")
    ]
    with pytest.raises(trio.BrokenResourceError):
        await running.handle.send(Imported(1))


async def test_after_an_error_no_event_is_handled(autojump_clock: MockClock) -> None:
    """Neither after one of `on_event` itself nor after one of a subsystem."""
    handled: list[int] = []

    class Faulty(Orchestra[Tick, Imported]):
        worker: Subsystem[Item, Never, Tick]

        async def on_event(self, event: Imported, running: RunningOrchestra[Tick, Imported]) -> None:
            handled.append(event.number)
            if event.number == 1:
                raise ValueError

    with stopped() as errors:
        async with Faulty(worker=idle).open() as running:
            for number in range(4):
                await running.handle.send(Imported(number))
    assert isinstance(errors[0], ValueError)
    assert handled == [0, 1]
    boom = KeyError("boom")
    with stopped() as errors:
        async with Importing(worker=Fails(boom), pause=1).open() as running:
            await running.handle.send(Imported(0))
    assert errors == [boom]


async def test_handles_of_an_orchestra_without_events_refuse_them(autojump_clock: MockClock) -> None:
    """Nobody would handle them."""

    class Plain(Orchestra):
        worker: Subsystem[Item]

    async with Plain(worker=idle).open() as running:
        handle: Any = running.handle
        with pytest.raises(trio.BrokenResourceError):
            await handle.send(Imported(1))


async def test_a_nested_orchestra_is_another_orchestra(autojump_clock: MockClock) -> None:
    """That one's event is being handled gives no right to route into another whose input is closed."""
    inner = Importing(worker=idle)
    log: list[str] = []

    class Outer(Orchestra[Tick, Imported]):
        worker: Subsystem[Item, Never, Tick]

        async def on_event(self, event: Imported, running: RunningOrchestra[Tick, Imported]) -> None:
            async with inner.open() as other:
                other.close_input()
                with pytest.raises(trio.ClosedResourceError):
                    await other.route_message(Item(1))
            log.append("refused")

    async def worker(ctx: AnyContext) -> None:
        await idle(ctx)

    async with Outer(worker=worker).open() as running:
        await running.handle.send(Imported(1))
        await wait_all_tasks_blocked()
    assert log == ["refused"]


@pytest.mark.parametrize("operation", ["terminate", "wait_stopped"])
async def test_on_event_cannot_wait_for_its_own_end(operation: str, autojump_clock: MockClock) -> None:
    """It is told so, rather than waiting until it is cancelled."""

    class Waiting(Orchestra[Tick, Imported]):
        worker: Subsystem[Item, Never, Tick]

        async def on_event(self, event: Imported, running: RunningOrchestra[Tick, Imported]) -> None:
            del event
            await getattr(running, operation)()

    with stopped() as errors:
        async with Waiting(worker=idle).open() as running:
            running.handle.send_nowait(Imported(1))
    assert isinstance(errors[0], RuntimeError)
    assert str(errors[0]) == f"{operation}() in on_event of Waiting would wait for its own end; use close_input()"


async def test_a_task_that_on_event_started_elsewhere_may_not_route_for_ever(autojump_clock: MockClock) -> None:
    """Once all events are handled, it is outside input like any other."""
    refused = trio.Event()

    class Delegating(Orchestra[Tick, Imported]):
        worker: Subsystem[Item, Never, Tick]
        nursery: trio.Nursery

        async def on_event(self, event: Imported, running: RunningOrchestra[Tick, Imported]) -> None:
            self.nursery.start_soon(self.route_later, event, running)
            await trio.lowlevel.checkpoint()

        async def route_later(self, event: Imported, running: RunningOrchestra[Tick, Imported]) -> None:
            await trio.sleep(2)
            with pytest.raises(trio.ClosedResourceError):
                await running.route_message(Item(event.number))
            refused.set()

    async with trio.open_nursery() as nursery, Delegating(worker=Collect(), nursery=nursery).open() as running:
        running.handle.send_nowait(Imported(1))
        await wait_all_tasks_blocked()
        running.close_input()
        await trio.sleep(3)
    assert refused.is_set()
