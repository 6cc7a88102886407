"""Opening what a builder made: its capacities, its handle, and how often."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import trio

from orchestra_trio import Connector, MeteredSender, Subsystem
from tests.runtime.samples import AnyContext, Imported, Item, Other, Tick, forever, idle
from tests.wiring.test_builder import Pipeline, Seen, started

if TYPE_CHECKING:
    from collections.abc import Callable

    from trio.testing import MockClock


def most(put: Callable[[], None]) -> int:
    """How often something can be put until there is no room."""
    for count in range(100):
        try:
            put()
        except trio.WouldBlock:
            return count
    pytest.fail("there is always room")


async def room(pipeline: Pipeline) -> list[int]:
    """How much fits into the lanes of subsystems that do not receive: messages to both, then signals to both."""
    async with pipeline.replace(fetcher=forever, parser=forever).open() as running:
        counts = [
            most(lambda: running.route_message_nowait(Item(1))),
            most(lambda: running.route_message_nowait(Other(1))),
            most(lambda: running.send_signal_nowait("fetcher", Tick())),
            most(lambda: running.send_signal_nowait("parser", Tick())),
        ]
        running.cancel()
    return counts


async def test_capacities_are_for_slots_without_their_own() -> None:
    """In place of the class's options; the last call counts, and the class stays as it is."""
    assert await room(started().build()) == [3, 2, 3, 1]
    assert await room(started().message_channel_capacity(5).message_channel_capacity(7).build()) == [7, 2, 3, 1]
    assert await room(started().signal_channel_capacity(5).build()) == [3, 2, 5, 1]
    assert await room(started().message_channel_capacity(1).signal_channel_capacity(1).build()) == [1, 2, 1, 1]
    assert await room(Pipeline(fetcher=idle, parser=idle, db_path="x")) == [3, 2, 3, 1]


async def test_the_handle_is_that_of_the_opening(autojump_clock: MockClock) -> None:
    """What a subsystem was made with leads to `on_event` of the orchestra that it runs in."""
    got: list[object] = []

    def made(handle: MeteredSender[Imported]) -> Subsystem[Item, Other, Tick]:
        async def fetch(ctx: AnyContext) -> None:
            await handle.send(Imported(4))
            got.append(await ctx.receive())

        return fetch

    async with Pipeline.builder().fetcher_with(made).parser(idle).db_path("x").build().open():
        await trio.sleep(1)
    assert got == [Item(4)]


async def test_the_handle_of_a_connector(autojump_clock: MockClock) -> None:
    """It may be in use before the orchestra is built, and is the one that functions get."""
    connector = Connector[Imported](8)
    await connector.handle.send(Imported(1))
    one = Pipeline.builder().fetcher_with(Seen).parser(idle).db_path("x").build_with_connector(connector)
    assert isinstance(one.fetcher, Seen)
    assert one.fetcher.of is connector.handle
    async with one.open() as running:
        assert running.handle is connector.handle
    assert running.statistics().events.received == 1


async def opened(pipeline: Pipeline, connector: Connector[Imported] | None = None) -> None:
    async with pipeline.open(connector=connector) as running:
        await running.handle.send(Imported(1))


async def test_opening_again_what_holds_no_handle(autojump_clock: MockClock) -> None:
    """As one that the constructor made, as often as one likes, also with connectors of one's own."""
    built = started().build()
    for _ in range(2):
        await opened(built)
        await opened(built, Connector(1))


async def test_opening_again_what_holds_its_handle(autojump_clock: MockClock) -> None:
    """It cannot be: the handle leads to the first opening. The error says what to do instead."""
    built = Pipeline.builder().fetcher_with(Seen).parser(idle).db_path("x").build()
    await opened(built)
    with pytest.raises(trio.BusyResourceError) as caught:
        await opened(built)
    assert str(caught.value) == (
        "this Pipeline was built with a connector, for one opening, and its subsystems hold the handle: "
        "build another one"
    )


async def test_opening_what_holds_its_handle_with_another_connector(autojump_clock: MockClock) -> None:
    """Its subsystems would send to nobody, so that it is refused, before it has cost the one opening."""
    connector = Connector[Imported](8)
    built = Pipeline.builder().fetcher_with(Seen).parser(idle).db_path("x").build_with_connector(connector)
    with pytest.raises(ValueError, match="subsystems of this Pipeline hold the handle of the connector") as caught:
        await opened(built, Connector(1))
    assert str(caught.value).endswith(
        "that it was built with: leave out connector=, or build another one with .build_with_connector(connector)"
    )
    await opened(built, connector)


async def test_opening_again_what_was_built_with_a_connector(autojump_clock: MockClock) -> None:
    """A connector is for one opening, but here no subsystem depends on which."""
    built = started().build_with_connector(Connector(8))
    await opened(built)
    with pytest.raises(trio.BusyResourceError) as caught:
        await opened(built)
    assert str(caught.value) == (
        "this Pipeline was built with a connector, for one opening, and others may hold the handle: "
        "build another one, or open it with a new connector="
    )
    await opened(built, Connector(8))


async def test_a_copy_of_what_was_built(autojump_clock: MockClock) -> None:
    """It keeps capacities and connector, so that the handle which its subsystems hold leads to its opening."""
    builder = Pipeline.builder().fetcher_with(Seen).parser(idle).db_path("x").message_channel_capacity(9)
    original = builder.build()
    copied = original.replace(db_path="y")
    assert isinstance(copied.fetcher, Seen)
    async with copied.open() as running:
        assert running.handle is copied.fetcher.of
        with pytest.raises(trio.BusyResourceError, match="its subsystems hold the handle: build another one"):
            await opened(original)
    assert await room(builder.build()) == [9, 2, 3, 1]


async def test_an_orchestra_that_is_open_says_so(autojump_clock: MockClock) -> None:
    """Also one whose connector is in use, just by that."""
    built = Pipeline.builder().fetcher_with(Seen).parser(idle).db_path("x").build()
    async with built.open():
        with pytest.raises(trio.BusyResourceError, match="this Pipeline is open already: wait until it has ended"):
            await opened(built)
