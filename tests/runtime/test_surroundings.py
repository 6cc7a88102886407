"""Surroundings: what holds for every orchestra that is opened in a context."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Never

import pytest
import trio

from orchestra_trio import Orchestra, Subsystem
from orchestra_trio.runtime.surroundings import Surroundings, surroundings
from tests.runtime.samples import Item, Tick, forever

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trio.testing import MockClock

    from orchestra_trio import RunningOrchestra


class Sink(Orchestra[Tick, int]):
    sink: Subsystem[Item, Never, Tick]

    async def on_event(self, event: int, running: RunningOrchestra[Tick, int]) -> None:
        raise NotImplementedError


@pytest.fixture(autouse=True)
def _restored() -> Iterator[None]:
    token = surroundings.set(surroundings.get())
    yield
    surroundings.reset(token)


async def test_whoever_wants_to_know_is_told_of_each_opening_before_anything_runs() -> None:
    told: list[RunningOrchestra[Any, Any]] = []
    states: list[str] = []

    def tell(running: RunningOrchestra[Any, Any]) -> None:
        told.append(running)
        states.extend(running.map_subsystems(lambda one: one.state))

    surroundings.set(Surroundings(on_open=(tell,)))
    sink = Sink(sink=forever)
    for _ in range(2):
        async with sink.open() as running:
            assert told[-1] is running
            running.cancel()
    assert len(told) == 2
    assert set(states) == {"starting"}


async def test_what_is_raised_when_told_comes_out_and_nothing_runs() -> None:
    def refuse(_: object) -> None:
        raise LookupError

    surroundings.set(Surroundings(on_open=(refuse,)))
    sink = Sink(sink=forever)
    with pytest.RaisesGroup(LookupError):
        await sink.run()
    surroundings.set(Surroundings())
    async with sink.open() as running:
        running.cancel()


async def test_no_lane_holds_more_than_the_limit(autojump_clock: MockClock) -> None:
    surroundings.set(Surroundings(capacity=1))
    async with Sink(sink=forever).open() as running:
        await running.route_message(Item(1))
        with trio.move_on_after(1):
            await running.route_message(Item(2))
        with trio.move_on_after(1):
            await running.broadcast_signal(Tick(1))
            await running.broadcast_signal(Tick(2))
        statistics = running.statistics().subsystems["sink"]
        assert statistics.bounded.channel_len == 1
        assert statistics.signals.channel_len == 2  # a broadcast is always delivered; the second one waited
        assert trio.current_time() == 2
        running.cancel()


async def test_a_limit_above_what_is_declared_changes_nothing(autojump_clock: MockClock) -> None:
    class Narrow(Orchestra, message_capacity=2):
        sink: Subsystem[Item]

    surroundings.set(Surroundings(capacity=100))
    async with Narrow(sink=forever).open() as running:
        for number in range(2):
            await running.route_message(Item(number))
        with trio.move_on_after(1) as scope:
            await running.route_message(Item(2))
        assert scope.cancelled_caught
        running.cancel()
