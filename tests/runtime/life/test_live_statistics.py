"""What statistics say about a subsystem: its states, what it waits for, and what its lanes measured."""

from __future__ import annotations

import json
from typing import Any, Never

import attrs
import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from orchestra_trio import Connector, Orchestra, Subsystem, SubsystemContext, SubsystemStatistics, subsystem
from tests.runtime.samples import (
    AnyContext,
    Ask,
    Collect,
    Duo,
    Item,
    Solo,
    Tick,
    idle,
)


async def test_the_states_of_a_life(autojump_clock: MockClock) -> None:
    """starting, running, ending, and then one of three ends."""
    states: list[str] = []

    def note(running: Any) -> None:  # noqa: ANN401 - of any signals
        states.append(running.statistics().subsystems["ready"].state)

    async def ready(ctx: AnyContext) -> None:
        await trio.sleep(1)
        ctx.started()
        await idle(ctx)
        await trio.sleep(3)

    async def looks(ctx: AnyContext) -> None:
        await idle(ctx)

    class Watched(Orchestra[Never, int]):
        ready: Subsystem[Item] = subsystem(readiness=True)
        looks: Subsystem[str]

        async def on_event(self, event: int, running: object) -> None:
            note(running)

    connector: Connector[int] = Connector()
    connector.handle.send_nowait(1)
    async with Watched(ready=ready, looks=looks).open(connector=connector) as running:
        note(running)
        running.close_input()
        await trio.sleep(1)
        note(running)
        await trio.sleep(5)
        note(running)
    assert states == ["starting", "running", "ending", "finished"]


async def test_statistics_are_frozen_and_plain_data(autojump_clock: MockClock) -> None:
    """`attrs.asdict` and `json.dumps` take them; later changes do not show."""
    async with Solo(worker=Collect(delay=1)).open() as running:
        await running.route_message(Item(1))
        await running.broadcast_signal(Tick())
        await wait_all_tasks_blocked()
        statistics = running.statistics()
        text = json.dumps(attrs.asdict(statistics))
        await trio.sleep(2)
        assert json.dumps(attrs.asdict(statistics)) == text
        with pytest.raises(attrs.exceptions.FrozenInstanceError):
            statistics.epoch = 3  # type: ignore[misc]  # what is refused here
    plain = json.loads(text)
    assert plain["name"] == "Solo"
    assert plain["epoch"] == 1
    assert plain["subsystems"]["worker"]["bounded"]["channel_len"] == 1
    assert plain["subsystems"]["worker"]["signals"]["channel_len"] == 1
    assert plain["subsystems"]["worker"]["restarts"] == 0
    assert set(plain) == {"name", "subsystems", "epoch", "events", "dead_letters", "uptime"}


async def test_uptime_stands_still_once_all_have_ended(autojump_clock: MockClock) -> None:
    """Even while the block goes on."""
    async with Duo(source=idle, sink=idle).open() as running:
        await trio.sleep(3)
        assert running.statistics().uptime == 3
        await running.terminate()
        await trio.sleep(4)
        assert running.statistics().uptime == 3
    assert running.statistics().uptime == 3


async def test_map_subsystems_goes_through_them_as_declared(autojump_clock: MockClock) -> None:
    """It calls the function with the statistics of each."""
    async with Duo(source=idle, sink=idle).open() as running:
        assert running.map_subsystems(lambda one: (one.name, isinstance(one, SubsystemStatistics))) == [
            ("source", True),
            ("sink", True),
        ]


class Busy(Orchestra, message_capacity=1, outgoing=bytes):
    """Where one can wait in every way."""

    sending: Subsystem[Never, Item]
    asking: Subsystem[Never, Ask]
    going_out: Subsystem[Never, bytes]
    full: Subsystem[Item]
    asked: Subsystem[Ask]


async def test_statistics_say_what_each_task_waits_for_and_since_when(autojump_clock: MockClock) -> None:
    """Sends with lane and type, requests with type, receives; the longest wait first; gone when they are over."""

    async def sending(ctx: SubsystemContext[Never, Item]) -> None:
        async def later() -> None:
            await trio.sleep(2)
            await ctx.send(Item(2))

        await ctx.send(Item(0))
        ctx.start_soon(later, name="later")
        await trio.sleep(1)
        await ctx.send(Item(1))

    async def asking(ctx: SubsystemContext[Never, Ask]) -> None:
        await trio.sleep(3)
        await ctx.request(Ask, 1)

    async def going_out(ctx: SubsystemContext[Never, bytes]) -> None:
        await ctx.send_many([b"0", b"1"])

    async def asked(ctx: AnyContext) -> None:
        request: Any = await ctx.receive()
        await trio.sleep(3)
        request.reply.send(1)
        await idle(ctx)

    def waits() -> dict[str, list[tuple[object, ...]]]:
        return {
            one.name: [attrs.astuple(wait) for wait in one.waits] for one in running.statistics().subsystems.values()
        }

    busy = Busy(sending=sending, asking=asking, going_out=going_out, full=Collect(delay=9), asked=asked)
    async with busy.open() as running:
        await trio.sleep(2.5)
        assert waits() == {
            "sending": [
                ("sending", "send", "full", "bounded", "Item", 1),
                ("later", "send", "full", "bounded", "Item", 2),
            ],
            "asking": [],
            "going_out": [("going_out", "send", "outgoing", "bounded", "bytes", 0)],
            "full": [],
            "asked": [("asked", "receive", "asked", None, None, 0)],
        }
        await trio.sleep(1)
        assert waits()["asking"] == [("asking", "request", "asked", None, "Ask", 3)]
        assert waits()["asked"] == []
        await trio.sleep(3)
        assert waits()["asking"] == []
        assert [wait[:5] for wait in waits()["asked"]] == [("asked", "receive", "asked", None, None)]


async def test_tasks_that_wait_for_signals_alone_are_shown_too(autojump_clock: MockClock) -> None:
    """With the others that wait to receive."""

    async def worker(ctx: AnyContext) -> None:
        ctx.start_soon(ctx.receive_signal, name="signals")
        await trio.sleep(1)
        await ctx.receive()

    async with Solo(worker=worker).open() as running:
        await trio.sleep(2)
        shown = running.statistics().subsystems["worker"].waits
        assert [(wait.task, wait.kind, wait.since) for wait in shown] == [
            ("signals", "receive", 0),
            ("worker", "receive", 1),
        ]
        running.cancel()


async def test_time_of_flight_is_measured_for_every_sixteenth_message(autojump_clock: MockClock) -> None:
    """A fault of the crate: there, nearly all messages were measured where a twentieth was meant."""

    class Wide(Orchestra):
        worker: Subsystem[Item]

    async with Wide(worker=Collect(delay=2)).open() as running:
        for number in range(64):
            await running.route_message(Item(number))
        await trio.sleep(3)
        assert running.statistics().subsystems["worker"].bounded.tof == (2, 2, 2, 2)
