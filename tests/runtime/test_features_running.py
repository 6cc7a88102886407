"""Running with slots that are not in use: nothing runs in them, and all others behave as if they were not there."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any, Never

import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from orchestra_trio import (
    BlockingSubsystem,
    BlockingSubsystemContext,
    DeadlockDetected,
    OneshotCancelled,
    Orchestra,
    Priority,
    Restart,
    RunningOrchestra,
    StopReport,
    Subsystem,
    UndeclaredMessage,
    feature,
    subsystem,
    subsystem_if,
)
from tests.runtime.samples import (
    AnyContext,
    Ask,
    Collect,
    Ends,
    Fails,
    Imported,
    Item,
    Other,
    Sends,
    Tick,
    answering,
    done,
    idle,
    stopped,
)

if TYPE_CHECKING:
    from trio.testing import MockClock


class Traced(Orchestra[Tick], message_capacity=2):
    """One that is always in use, and one that hears and consumes all that it sends, with a feature."""

    source: Subsystem[Never, Item | Other | Ask, Tick] = subsystem(unbounded={Other: "the test"})
    tracer: Subsystem[Item | Other | Ask, Never, Tick] = subsystem_if(feature("trace"), priority=True, readiness=True)


def letters(running: RunningOrchestra[Any, Any]) -> list[tuple[object, str | None, str | None, str, str]]:
    return [(one.message, one.sender, one.consumer, one.lane, one.reason) for one in running.dead_letters]


@pytest.mark.parametrize("given", [None, Fails(AssertionError("it ran"))], ids=["absent", "given"])
async def test_what_is_sent_to_a_disabled_slot(given: Any, autojump_clock: MockClock) -> None:  # noqa: ANN401 - of that slot
    """In whatever way, more than fits into a lane: dead letters, by that reason. What stands in the slot never runs."""

    async def source(ctx: AnyContext) -> None:
        await ctx.send(Item(1))
        await ctx.send(Item(2), priority=Priority.HIGH)
        ctx.send_nowait(Item(3))
        await ctx.send_many([Item(4), Item(5), Other(6)])
        ctx.send_unbounded(Other(7))
        with pytest.raises(OneshotCancelled):
            await ctx.request(Ask, 8)
        with pytest.raises(UndeclaredMessage):
            ctx.send_unbounded(Item(9))

    async with Traced(source=source, tracer=given).open() as running:
        pass
    found = letters(running)
    assert [one[0] for one in found[:-1]] == [Item(1), Item(2), Item(3), Item(4), Item(5), Other(6), Other(7)]
    assert isinstance(found[-1][0], Ask)
    lanes = ["bounded", "priority", "bounded", "bounded", "bounded", "bounded", "unbounded", "bounded"]
    assert [one[1:] for one in found] == [("source", "tracer", lane, "disabled") for lane in lanes]
    assert running.statistics().dead_letters == {"disabled": 8}


async def test_what_is_routed_to_a_disabled_slot(autojump_clock: MockClock) -> None:
    """From outside it is the same, whatever its capacity."""
    async with Traced(source=idle).open() as running:
        for number in range(3):
            await running.route_message(Item(number))
            running.route_message_nowait(Item(number), priority=Priority.HIGH)
        with pytest.raises(OneshotCancelled):
            await running.request(Ask, 1)
    assert [one[1:] for one in letters(running)] == [
        *[(None, "tracer", "bounded", "disabled"), (None, "tracer", "priority", "disabled")] * 3,
        (None, "tracer", "bounded", "disabled"),
    ]


async def test_an_enabled_slot_is_like_any_other(autojump_clock: MockClock) -> None:
    """It is waited for until it is ready, receives signals and messages, and is drained."""
    got: list[object] = []

    async def tracer(ctx: AnyContext) -> None:
        await trio.sleep(3)
        ctx.started()
        got.extend([incoming async for incoming in ctx])

    traced = Traced(source=Sends(Item(1), Other(2)), tracer=tracer, features={"trace"})
    async with traced.open() as running:
        assert trio.current_time() == 3
        await running.broadcast_signal(Tick(1))
        await running.send_signal("tracer", Tick(2))
    assert sorted(map(repr, got)) == ["Item(number=1)", "Other(number=2)", "Tick(number=1)", "Tick(number=2)"]
    assert running.dead_letters == ()


async def test_the_same_orchestra_with_and_without_a_feature(autojump_clock: MockClock) -> None:
    """What stands in the slot may stay when the feature goes."""

    class Simple(Orchestra):
        source: Subsystem[Never, Item]
        sink: Subsystem[Item] = subsystem_if(~feature("quiet"))

    sink = Collect()
    loud = Simple(source=Sends(Item(1)), sink=sink)
    for one in (loud, loud.replace(features={"quiet"}), loud):
        await one.run()
    assert sink.numbers == [1, 1]


async def test_signals_pass_a_disabled_slot_by(autojump_clock: MockClock) -> None:
    """Broadcasts and their epochs are for those who run; one signal for it alone finds nobody."""
    async with Traced(source=idle).open() as running:
        for number in range(100):  # far beyond the capacity of a lane that nobody empties
            epoch = await running.broadcast_signal(Tick(number))
        await running.wait_epoch(epoch)
        with pytest.raises(ValueError, match="Traced has no subsystem 'tracer'; it has source"):
            await running.send_signal("tracer", Tick(1))
        assert running.statistics().epoch == 100


async def test_statistics_show_those_who_run(autojump_clock: MockClock) -> None:
    """And so do the report of the end, and the text of where all stand."""
    async with Traced(source=idle, tracer=idle).open() as running:
        assert list(running.statistics().subsystems) == ["source"]
        assert running.map_subsystems(lambda one: one.name) == ["source"]
        assert "tracer" not in running.dump()
        assert await running.terminate(grace=1) == StopReport(("source",), (), {})


async def test_all_slots_disabled(autojump_clock: MockClock) -> None:
    """There is nothing to run; what is routed is noted all the same."""

    class Empty(Orchestra[Tick]):
        worker: Subsystem[Item, Never, Tick] = subsystem_if(feature("work"))

    async with Empty().open() as running:
        await running.broadcast_signal(Tick(1))
        await running.route_message(Item(1))
        await running.wait_stopped()
    assert running.statistics().dead_letters == {"disabled": 1}
    assert running.statistics().subsystems == {}


class Chain(Orchestra, message_capacity=1):
    """A chain that leads back, with a feature for the one in the middle."""

    first: Subsystem[Item, Other]
    middle: Subsystem[Other, bytes] = subsystem_if(feature("middle"))
    last: Subsystem[bytes, Item]


async def test_drain_order_without_a_slot(autojump_clock: MockClock) -> None:
    """The cycle is broken where the slot is disabled, and the rest is drained from upstream to downstream.

    The last one takes long over the end of its input; the first is told only then.
    """
    ends = Ends()

    async def last(ctx: AnyContext) -> None:
        await idle(ctx)
        await trio.sleep(5)
        await ctx.send(Item(1))
        ends.note(ctx)

    async def first(ctx: AnyContext) -> None:
        async for item in ctx:
            await ctx.send(Other(item.number))
        ends.note(ctx)

    async with Chain(first=first, last=last).open() as running:
        pass
    assert ends.log == [("last", 5), ("first", 5)]
    assert letters(running) == [(Other(1), "first", "middle", "bounded", "disabled")]
    assert Chain(first=first, middle=idle, last=last).graph().components == (("first", "middle", "last"),)


async def test_a_cycle_through_an_enabled_slot_is_drained_as_one(autojump_clock: MockClock) -> None:
    """One at a time once all are at rest, in declaration order."""
    ends = Ends()

    async def passing(ctx: AnyContext) -> None:
        await idle(ctx)
        ends.note(ctx)

    await Chain(first=passing, middle=passing, last=passing, features=["middle"]).run()
    assert ends.names == ["first", "middle", "last"]


async def test_a_broken_cycle_is_no_deadlock(autojump_clock: MockClock) -> None:
    """All send more than fits, without receiving: with the slot enabled they wait for each other, without it never."""
    chain = Chain(first=Sends(*[Other(1)] * 3), middle=Sends(*[b""] * 3), last=idle)
    async with chain.open() as running:
        pass
    assert running.statistics().dead_letters == {"disabled": 3}
    with stopped() as errors:
        await chain.replace(last=Sends(*[Item(1)] * 3), features={"middle"}).run()
    (error,) = errors
    assert isinstance(error, DeadlockDetected)
    assert error.cycle == ("first", "middle", "last")


async def test_a_deadlock_beside_a_disabled_slot(autojump_clock: MockClock) -> None:
    """Two that wait for each other are found, while both have sent to the disabled one as well."""

    class Pair(Orchestra, message_capacity=1):
        one: Subsystem[Item, Other | bytes]
        gone: Subsystem[bytes, Item] = subsystem_if(feature("gone"))
        two: Subsystem[Other, Item | bytes]

    with stopped() as errors:
        await Pair(one=Sends(b"", Other(1), Other(2)), two=Sends(b"", Item(1), Item(2))).run()
    (error,) = errors
    assert isinstance(error, DeadlockDetected)
    assert error.cycle == ("one", "two")


class Group(Orchestra):
    """Three that begin anew together; only one of them has a restart, with the feature."""

    one: Subsystem[Item] = subsystem(restart_group="all")
    two: Subsystem[Other] = subsystem_if(feature("two"), restart_group="all", restart=Restart())
    three: Subsystem[bytes] = subsystem(restart_group="all")


class Counted:
    """Fails in its first life, when it gets a message."""

    def __init__(self) -> None:
        self.lives = 0

    async def __call__(self, ctx: AnyContext) -> None:
        self.lives += 1
        async for _ in ctx:
            if self.lives == 1:
                message = "first life"
                raise ValueError(message)


async def test_a_restart_group_with_a_member_disabled(autojump_clock: MockClock) -> None:
    """The others begin anew as the group says; the disabled one has no part in it."""

    class Larger(Group):
        one: Subsystem[Item] = subsystem(restart_group="all", restart=Restart())

    one, two, three = Counted(), Counted(), Counted()
    async with Larger(one=one, two=two, three=three).open() as running:
        await wait_all_tasks_blocked()
        await running.route_message(Item(1))
        await trio.sleep(5)
    assert (one.lives, two.lives, three.lives) == (2, 0, 2)


async def test_a_restart_group_whose_only_restart_is_disabled(autojump_clock: MockClock) -> None:
    """Then nobody begins anew: a failure is a first error, as without a group."""
    one, three = Counted(), Counted()
    with stopped() as errors:
        async with Group(one=one, three=three).open() as running:
            await wait_all_tasks_blocked()
            await running.route_message(Item(1))
    assert [str(error) for error in errors] == ["first life"]
    assert (one.lives, three.lives) == (1, 1)


class Threads(Orchestra[Tick], message_capacity=1):
    """Blocking subsystems beside conditional ones, some of them both."""

    writer: BlockingSubsystem[Item, Other | Ask, Tick]
    table: BlockingSubsystem[Other | Ask, bytes] = subsystem_if(feature("table"))
    reader: Subsystem[bytes, Item] = subsystem_if(feature("reader"))


async def test_a_thread_that_sends_to_a_disabled_slot() -> None:
    """Its calls return at once, however much it sends, and its requests get no answer."""

    def writer(ctx: BlockingSubsystemContext[Item, Other | Ask, Tick]) -> None:
        ctx.send_many([Other(number) for number in range(3)])
        ctx.send(Other(3))
        with pytest.raises(OneshotCancelled):
            ctx.request(Ask, 4)
        for _ in ctx:
            ctx.send_nowait(Other(5))

    called = threading.Event()
    async with Threads(writer=writer, table=lambda _: called.set()).open() as running:
        await running.broadcast_signal(Tick(1))
        await running.route_message(Item(1))
    assert not called.is_set()
    assert running.statistics().dead_letters == {"disabled": 7}


async def test_a_disabled_blocking_slot_among_tasks() -> None:
    """What threads would have sent to is as usual, for those who run."""

    def writer(ctx: BlockingSubsystemContext[Item, Other | Ask, Tick]) -> None:
        for item in ctx:
            assert isinstance(item, Item)

    reader = Collect()
    sent = Threads(writer=writer, reader=reader, features={"reader"})
    async with sent.open() as running:
        await running.route_message(b"1")
        await running.route_message(b"2")
        await running.route_message(Other(1))
    assert reader.got == [b"1", b"2"]
    assert running.statistics().dead_letters == {"disabled": 1}


async def test_a_blocking_slot_with_its_feature() -> None:
    """It runs in its thread like any other."""
    threads: set[str | None] = set()

    def table(ctx: BlockingSubsystemContext[Other | Ask, bytes]) -> None:
        threads.add(ctx.name if threading.current_thread() is not threading.main_thread() else None)
        for incoming in ctx:
            if isinstance(incoming, Ask):
                incoming.reply.send(2 * incoming.number)

    def writer(ctx: BlockingSubsystemContext[Item, Other | Ask, Tick]) -> None:
        ctx.send(Other(ctx.request(Ask, 4)))

    async with Threads(writer=writer, table=table, features=["table"]).open() as running:
        assert await running.request(Ask, 5) == 10
    assert threads == {"table"}
    assert running.statistics().dead_letters == {}


async def test_on_event_routes_to_a_disabled_slot(autojump_clock: MockClock) -> None:
    """A feature decides what becomes of what comes in through the handle, too."""

    class Node(Orchestra[Tick, Imported]):
        importer: Subsystem[Item] = subsystem_if(feature("import"))
        other: Subsystem[Ask]

        async def on_event(self, event: Imported, running: RunningOrchestra[Tick, Imported]) -> None:
            await running.route_message(Item(event.number))

    async with Node(other=answering).open() as running:
        await running.handle.send(Imported(3))
    assert letters(running) == [(Item(3), None, "importer", "bounded", "disabled")]


async def test_what_goes_out_of_an_enabled_slot(autojump_clock: MockClock) -> None:
    """And with the slot disabled nothing goes out, and reading it ends all the same."""

    class Out(Orchestra, outgoing=Item):
        source: Subsystem[Never, Item] = subsystem_if(feature("out"))
        other: Subsystem[Other]

    for features, expected in (({"out"}, [Item(1)]), (set[str](), [])):
        async with Out(source=Sends(Item(1)), other=idle, features=features).open() as running:
            running.close_input()
            assert [item async for item in running.outgoing] == expected


async def test_the_end_of_a_disabled_slot_stops_nobody(autojump_clock: MockClock) -> None:
    """`on_exit` is about subsystems that run."""

    class Ending(Orchestra):
        brief: Subsystem[Item] = subsystem_if(feature("brief"), on_exit="stop")
        worker: Subsystem[Other]

    ending = Ending(brief=done, worker=idle)
    with trio.move_on_after(100) as scope:
        await ending.serve()
    assert scope.cancelled_caught
    await ending.replace(features=["brief"]).serve()
    assert trio.current_time() == 100
