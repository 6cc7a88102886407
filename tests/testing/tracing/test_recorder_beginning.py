"""Recording from wherever it begins: what was there before is told apart, and who opens what is recorded."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, Never

import pytest
import trio
import trio.testing

from orchestra_trio import (
    Orchestra,
    RunningOrchestra,
    Subsystem,
    SubsystemExited,
    make_orchestra,
)
from orchestra_trio.testing.tracing.laws.checking import check_laws
from orchestra_trio.testing.tracing.recorder import record, recording
from orchestra_trio.testing.tracing.trace import FROM_BEFORE
from tests.runtime.samples import AnyContext, Duo, Imported, Item, Other, Sends, Solo, Tick, idle
from tests.testing.tracing.reading import only, steps

if TYPE_CHECKING:
    from trio.testing import MockClock


async def test_what_lay_there_when_the_recording_began_is_told_apart(autojump_clock: MockClock) -> None:
    """One lies in the lane, one waits for room, and a signal lies there too."""

    async def late(ctx: AnyContext) -> None:
        await trio.sleep(5)
        await idle(ctx)

    class Narrow(Orchestra[Tick], message_capacity=1):
        sink: Subsystem[Item, Never, Tick]

    async with Narrow(sink=late).open() as running, trio.open_nursery() as nursery:
        await running.broadcast_signal(Tick(1))
        await running.route_message(Item(1))
        nursery.start_soon(running.route_message, Item(2))
        await trio.testing.wait_all_tasks_blocked()
        trace = record(running)
        await running.broadcast_signal(Tick(2))
        nursery.start_soon(running.route_message, Item(3))
    assert not trace.is_from_start
    assert (trace.epoch, trace.participants[0].epoch) == (1, 0)
    assert trace.participants[0].lying == {"signals": 1, "bounded": 1}
    check_laws(trace)
    unknown = [f"{one.kind} {one.text}" for one in trace if one.detail == FROM_BEFORE]
    assert unknown == ["receive Tick(number=1)", "receive Item(number=1)"]
    assert steps(trace, "send", "block") == [
        "send Tick(number=2)",
        "block Item(number=3)",
        "send Item(number=2)",
        "send Item(number=3)",
    ]


async def test_who_waited_in_vain_since_before_the_recording_began(autojump_clock: MockClock) -> None:
    class Narrow(Orchestra, message_capacity=1):
        sink: Subsystem[Item]

    async def route(running: RunningOrchestra[Never], item: Item) -> None:
        with pytest.raises(SubsystemExited):
            await running.route_message(item)

    async def end_late(_: AnyContext) -> None:
        await trio.sleep(1)

    async with Narrow(sink=end_late).open() as running, trio.open_nursery() as nursery:
        await running.route_message(Item(1))
        nursery.start_soon(route, running, Item(2))
        await trio.testing.wait_all_tasks_blocked()
        trace = record(running)
    check_laws(trace)
    assert steps(trace) == ["dead letter Item(number=1)", "withdraw Item(number=2)"]
    assert [one.detail for one in trace if one.lane is not None] == [FROM_BEFORE, FROM_BEFORE]


async def test_what_lay_in_the_channels_of_the_embedding_program(autojump_clock: MockClock) -> None:
    """Events that were not handled, and what had gone out."""

    class Out(Orchestra[Never, Imported], outgoing=Other):
        relay: Subsystem[Item, Other]

        async def on_event(self, event: Imported, running: RunningOrchestra[Never, Imported]) -> None:
            await trio.sleep(1)
            await running.route_message(Item(event.number))

    async def relay(ctx: AnyContext) -> None:
        async for item in ctx:
            await ctx.send(Other(item.number))

    async with Out(relay=relay).open() as running:
        for number in range(3):
            running.handle.send_nowait(Imported(number))
        await trio.sleep(1.5)
        trace = record(running)
        for _ in range(3):
            await running.outgoing.receive()
    check_laws(trace)
    assert Counter(f"{one.subsystem} {one.type}" for one in trace if one.detail == FROM_BEFORE) == {
        "None Other": 1,
        "on_event Imported": 1,
    }


async def test_one_that_had_ended_is_known_to_have(autojump_clock: MockClock) -> None:
    async with Duo(source=Sends(), sink=idle).open() as running:
        await trio.sleep(1)
        trace = record(running)
    assert [one.has_ended for one in trace.participants] == [True, False]
    assert trace.has_ended
    check_laws(trace)


async def test_several_recordings_of_one_orchestra_see_the_same(autojump_clock: MockClock) -> None:
    with recording() as outer, recording(describe=lambda _: "x") as inner:
        async with Duo(source=Sends(Item(1), Item(2)), sink=idle).open() as running:
            late = record(running)
    assert [one.kind for one in only(outer)] == [one.kind for one in only(inner)]
    assert {one.text for one in inner[0] if one.lane} == {"x"}
    check_laws(late)


async def test_all_orchestras_of_a_context_are_recorded_and_no_others(autojump_clock: MockClock) -> None:
    async with Solo(worker=idle).open():
        with recording() as traces:
            async with Duo(source=Sends(Item(1)), sink=idle).open(), Solo(worker=idle).open():
                pass
    async with Solo(worker=idle).open():
        pass
    assert [trace.orchestra for trace in traces] == ["Duo", "Solo"]
    for trace in traces:
        check_laws(trace)


def test_of_many_runs_the_traces_of_the_last_one_are_kept_where_that_is_asked_for() -> None:
    async def main(*names: str) -> None:
        for name in names:
            made: Any = make_orchestra(name, {"worker": Subsystem[Item]})
            async with made(worker=idle).open() as running:
                await running.route_message(Item(1))

    with recording(last_run_only=True) as traces:
        for names in (("A", "B", "C"), ("D", "E")):
            trio.run(main, *names)
    assert [trace.orchestra for trace in traces] == ["D", "E"]


async def test_what_does_not_run_cannot_be_recorded() -> None:
    await trio.lowlevel.checkpoint()
    wrong: Any = Solo(worker=idle)
    with pytest.raises(TypeError, match=r"^record\(\) takes what open\(\) gives, not a Solo; see recording\(\)$"):
        record(wrong)
