"""The laws where subsystems run in threads: any slot of a small wiring may, with any load and any end.

Threads run at once, so that no two runs of a plan are alike; but what is checked holds for each of them.
"""

from __future__ import annotations

import time
from collections import Counter, defaultdict
from threading import Event
from typing import TYPE_CHECKING, Any, Never

import attrs
import networkx as nx
import pytest
import trio
import trio.testing
from hypothesis import given, settings
from hypothesis import strategies as st
from typing_extensions import override

from orchestra_trio import BlockingSubsystem, BlockingSubsystemContext, Orchestra, Subsystem, SubsystemContext
from tests.delivery.crowds import PATIENCE
from tests.laws.staging import perform
from tests.laws.threads import MOST_SLOTS, Act, Ending, Plan, SlotPlan, Tick, World, name_of

if TYPE_CHECKING:
    from collections.abc import Iterator

CALM: tuple[Ending, ...] = ("leave", "terminate")
"""Endings by which nobody is cancelled."""
ENDINGS: tuple[Ending, ...] = (*CALM, "stop", "cancel")

acts = st.builds(
    Act,
    how=st.sampled_from(["send", "nowait", "many", "iterator", "unbounded", "request"]),
    edge=st.integers(0, MOST_SLOTS - 1),
    count=st.integers(1, 4),
    high=st.booleans(),
)
reactions = st.lists(acts, min_size=1, max_size=3).map(tuple)


def slot_plans(place: int, count: int) -> st.SearchStrategy[SlotPlan]:
    others = [other for other in range(count) if other != place]
    return st.builds(
        SlotPlan,
        blocking=st.sampled_from([True, True, False]),
        edges=st.lists(st.sampled_from(others), unique=True, min_size=1, max_size=3).map(tuple),
        capacity=st.integers(1, 4),
        priority=st.booleans(),
        hears=st.sampled_from([True, True, False]),
        receivers=st.integers(1, 2),
        take=st.sampled_from(["receive", "receive_many", "receive_nowait"]),
        on_message=reactions,
        on_signal=reactions,
    )


@st.composite
def plans(draw: st.DrawFn) -> Plan:
    """Plans in which at least one slot runs in a thread."""
    count = draw(st.integers(2, MOST_SLOTS))
    slots = [draw(slot_plans(place, count)) for place in range(count)]
    forced = draw(st.integers(0, count - 1))
    slots[forced] = attrs.evolve(slots[forced], blocking=True)
    load = draw(st.lists(st.integers(0, count), min_size=4, max_size=20).map(tuple))
    return Plan(tuple(slots), load, seed=draw(st.integers(0, 1000)))


def fates(world: World) -> tuple[Counter[int], Counter[int]]:
    """How often each message was received, and how often it became a dead letter."""
    received = Counter(entry.number for entry in world.trace if entry.what == "got")
    letters: list[Any] = [letter.message for letter in world.letters]
    return received, Counter(message.number for message in letters)


def check_conservation(world: World) -> None:
    """Law 1: what a send accepted is in one place, and what it refused, or was cancelled out of, in none."""
    received, dead = fates(world)
    for number, attempt in world.attempts.items():
        places = received[number] + dead[number]
        match attempt.outcome:
            case "sent":
                assert places == 1, attempt
            case "cancelled" if attempt.how in {"many", "iterator", "request"}:
                assert places <= 1, attempt
            case "refused" | "cancelled":
                assert places == 0, attempt
            case "pending":
                pytest.fail(f"{attempt}")
    for entry in world.trace:
        assert entry.what != "got" or world.attempts[entry.number].consumer == entry.who
    for letter in world.letters:
        attempt = world.attempts[letter.message.number]  # type: ignore[attr-defined]  # a message
        assert (letter.sender, letter.consumer, letter.lane) == (attempt.sender, attempt.consumer, attempt.lane)


def check_meters(world: World) -> None:
    """Laws 1 and 7: in the end the meters say what happened, and no lane has ever held more than its capacity."""
    received, _ = fates(world)
    where = Counter((world.attempts[number].consumer, world.attempts[number].lane) for number in received.elements())
    left = Counter[tuple[Any, str]]()
    left.update((letter.consumer, letter.lane) for letter in world.letters if letter.reason == "left over")
    for (name, lane), readout in world.lanes.items():
        capacity = world.plan.slots[int(name[1:])].capacity
        assert (readout.received, readout.channel_len) == (where[name, lane], 0)
        assert readout.sent == readout.received + left[name, lane]
        assert lane == "unbounded" or readout.peak_channel_len <= capacity
    assert world.reasons == Counter(letter.reason for letter in world.letters)


def check_order(world: World) -> None:
    """Law 2: per sending thread or task, lane and consumer, first in, first out; what is left over came last."""
    last: dict[tuple[str, ...], int] = defaultdict(lambda: -1)
    furthest: dict[tuple[str, ...], int] = defaultdict(lambda: -1)
    for entry in world.trace:
        if entry.what == "got":
            attempt = world.attempts[entry.number]
            way = (attempt.voice, attempt.lane, attempt.consumer)
            assert entry.number > last[*way, entry.voice], entry
            last[*way, entry.voice] = entry.number
            furthest[way] = max(furthest[way], entry.number)
    for letter in world.letters:
        number: int = letter.message.number  # type: ignore[attr-defined]  # a message
        attempt = world.attempts[number]
        assert number > furthest[attempt.voice, attempt.lane, attempt.consumer], letter


def check_signals(world: World) -> None:
    """Law 4: everybody hears the broadcasts in the same order; once each, and all of them who are not cancelled."""
    for place, plan in enumerate(world.plan.slots):
        heard = [entry for entry in world.trace if entry.what == "heard" and entry.who == name_of(place)]
        for voice in {entry.voice for entry in heard}:
            numbers = [entry.number for entry in heard if entry.voice == voice]
            assert numbers == sorted(set(numbers))
        numbers = sorted(entry.number for entry in heard)
        if world.plan.ending in CALM:
            assert numbers == (world.broadcasts if plan.hears else [])
        else:
            assert numbers == sorted(set(numbers))


def check_watermark(world: World) -> None:
    """Law 5: nobody receives a message before the broadcasts that its sender had received when it was sent."""
    heard: dict[str, int] = defaultdict(int)
    for entry in world.trace:
        plan = world.plan.slots[int(entry.who[1:])]
        if entry.what == "heard":
            heard[entry.who] = entry.number
        elif entry.what == "got" and plan.hears:
            # Of several threads that receive, one may note its signal after another has noted a later message.
            known = heard[entry.who] if plan.receivers == 1 else entry.epoch
            assert known >= world.sent_epochs[entry.number], entry


def check_drain_order(world: World) -> None:
    """Law 10: nobody is told of the end of input before all upstream have ended; members of a cycle, in their order."""
    graph: nx.DiGraph[str] = nx.DiGraph()
    for place, plan in enumerate(world.plan.slots):
        graph.add_node(name_of(place))
        graph.add_edges_from((name_of(place), name_of(target)) for target in plan.edges)
    for component in nx.strongly_connected_components(graph):
        upstream = nx.ancestors(graph, next(iter(component))) - component
        for name in component:
            before = upstream | {other for other in component if other < name}
            for place, entry in enumerate(world.trace):
                if entry.what == "end" and entry.who == name:
                    assert not set(living(world, place)) & before, f"{name} was told to end before {before}"


def living(world: World, place: int) -> Iterator[str]:
    """Whose threads or tasks run at some place of the trace; each of them begins some time."""
    gone = {entry.voice for entry in world.trace[:place] if entry.what == "exit"}
    return (entry.who for entry in world.trace if entry.what == "begin" and entry.voice not in gone)


def check_end(world: World) -> None:
    """Law 8: nothing outlives the orchestra; and a calm end leaves nothing over."""
    begun = [entry.voice for entry in world.trace if entry.what == "begin"]
    assert Counter(begun) == Counter(entry.voice for entry in world.trace if entry.what == "exit")
    names = {name_of(place) for place in range(len(world.plan.slots))}
    if world.plan.ending in CALM:
        assert world.states == dict.fromkeys(names, "finished")
        assert world.letters == []
        assert Counter(begun) == Counter(entry.voice for entry in world.trace if entry.what == "end")
        assert all(one.how == "nowait" for one in world.attempts.values() if one.outcome == "refused")
    if world.report is not None:
        assert {*world.report.finished, *world.report.cancelled} == names
        assert len(world.report.finished) + len(world.report.cancelled) == len(names)
        left = Counter(letter.consumer for letter in world.letters if letter.reason == "left over")
        assert world.report.undelivered == left


CHECKS = [
    check_conservation,
    check_meters,
    check_order,
    check_signals,
    check_watermark,
    check_drain_order,
    check_end,
]


@pytest.mark.parametrize("ending", ENDINGS)
@settings(max_examples=max(1, settings().max_examples // 3))  # in all profiles: each example starts threads
@given(plan=plans())
def test_all_laws_hold_where_subsystems_run_in_threads(ending: Ending, plan: Plan) -> None:
    """Conservation, order, signals, watermark, back-pressure, cancellation, drain order; and nothing hangs."""
    world = perform(attrs.evolve(plan, ending=ending))
    for check in CHECKS:
        check(world)


# --- Found -----------------------------------------------------------------------------------------------------------


@attrs.frozen
class Note:
    """What a thread sends when it has heard a signal."""

    number: int


class Relay(Orchestra[Tick]):
    """A broadcast comes to the first, then to the next, and last to the one that the first sends to."""

    first: BlockingSubsystem[Never, Note, Tick]
    middle: Subsystem[Never, Never, Tick]
    last: Subsystem[Note, Never, Tick]


class Pausing(trio.abc.Clock):
    """A clock that, once it was told to, lets another thread act before it says what time it is."""

    def __init__(self) -> None:
        self.is_armed = False
        self.asked = Event()
        self.acted = Event()

    @override
    def start_clock(self) -> None: ...

    @override
    def current_time(self) -> float:
        if self.is_armed:
            self.is_armed = False
            self.asked.set()
            # In vain, as it should be: the thread gets no part of a broadcast that is still on its way.
            self.acted.wait(0.2)
        return time.perf_counter()

    @override
    def deadline_to_sleep_time(self, deadline: float) -> float:
        return deadline - time.perf_counter()


def test_a_thread_takes_no_signal_before_all_others_have_it() -> None:
    """Else what it sends then would overtake the signal on its way to them (law 5)."""
    clock = Pausing()
    got: list[object] = []

    def first(ctx: BlockingSubsystemContext[Never, Note, Tick]) -> None:
        for _ in range(14):
            ctx.receive()
        clock.asked.wait(PATIENCE)
        signal = ctx.receive()
        ctx.send(Note(signal.number))
        clock.acted.set()

    async def middle(ctx: SubsystemContext[Never, Never, Tick]) -> None:
        async for _ in ctx:
            pass

    async def last(ctx: SubsystemContext[Note, Never, Tick]) -> None:
        got.extend([one async for one in ctx])

    async def main() -> None:
        async with Relay(first=first, middle=middle, last=last).open() as running:
            await running.send_signal("middle", Tick(0))
            for number in range(1, 15):
                await running.broadcast_signal(Tick(number))
            await running.wait_epoch(14)
            await trio.testing.wait_all_tasks_blocked()
            clock.is_armed = True  # it is asked next when the sixteenth signal comes to the one in the middle
            await running.broadcast_signal(Tick(15))

    trio.run(main, clock=clock)
    assert got == [*(Tick(number) for number in range(1, 16)), Note(15)]
