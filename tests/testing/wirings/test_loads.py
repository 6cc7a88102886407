"""Loads: what is played comes in, in order, and what is refused is counted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Never

import pytest
import trio
from hypothesis import find, given
from hypothesis import strategies as st

from orchestra_trio import Orchestra, Priority, Subsystem
from orchestra_trio.testing.wirings.loads import Broadcast, Load, Pause, Route, SendEvent
from orchestra_trio.testing.wirings.strategies import loads
from tests.runtime.samples import Collect, Item, Tick, forever

if TYPE_CHECKING:
    from trio.testing import MockClock

    from orchestra_trio import RunningOrchestra


class Sink(Orchestra[Tick, str], message_capacity=1):
    sink: Subsystem[Item, Never, Tick]

    async def on_event(self, event: str, running: RunningOrchestra[Any, Any]) -> None:
        await running.route_message(Item(len(event)))


async def test_everything_comes_in_in_order(autojump_clock: MockClock) -> None:
    sink = Collect()
    load = Load((Route(Item(1)), Pause(5), Broadcast(Tick(2)), Pause(), Route(Item(3)), SendEvent("four")))
    async with Sink(sink=sink).open() as running:
        assert await load.play(running) == 0
    assert sink.got == [Item(1), Tick(2), Item(3), Item(4)]
    assert trio.current_time() == 5


async def test_what_is_refused_is_counted(autojump_clock: MockClock) -> None:
    async with Sink(sink=forever).open() as running:
        assert await Load((Route(Item(1)), Route(Item(2)), Route(Item(3)))).play(running) == 2
        running.cancel()


async def test_a_closed_input_is_an_error(autojump_clock: MockClock) -> None:
    async with Sink(sink=Collect()).open() as running:
        running.close_input()
        with pytest.raises(trio.ClosedResourceError):
            await Load((Route(Item(1)),)).play(running)


@given(loads(st.builds(Item, st.integers()), priority=False, pauses=False, max_size=5))
def test_what_is_not_asked_for_does_not_occur(load: Load) -> None:
    assert len(load.actions) <= 5
    assert all(isinstance(one, Route) and one.priority is Priority.NORMAL for one in load.actions)


@pytest.mark.parametrize("kind", [Route, Broadcast, SendEvent, Pause])
def test_all_kinds_occur(kind: type) -> None:
    drawn = loads(st.builds(Item, st.integers()), signals=st.builds(Tick), events=st.text())
    assert find(drawn, lambda load: any(type(one) is kind for one in load.actions)).actions
