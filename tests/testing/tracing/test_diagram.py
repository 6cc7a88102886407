"""Traces as sequence diagrams: what is drawn how, for whom, and in which order."""

from __future__ import annotations

from typing import TYPE_CHECKING, Never

import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from orchestra_trio import Orchestra, Priority, Restart, Subsystem, subsystem
from orchestra_trio.testing.tracing.recorder import recording
from tests.runtime.samples import AnyContext, Ask, Item, Other, Tick, answering
from tests.testing.tracing.sequences import Made, body_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from trio.testing import MockClock


OVERTAKING = """\
sequenceDiagram
    participant outside
    participant clerk
    participant store
    Note over clerk,store: start
    outside-)store: Item(number=0)
    outside-)store: Item(number=1)
    outside-)store: Other(number=9) [priority]
    Note over clerk,store: broadcast Tick(number=1), epoch 1, taken at once by clerk
    outside->>clerk: request Ask
    clerk-->>outside: answer to Ask
    Note over outside,store: at 1 s
    Note over store: takes Tick(number=1), epoch 1, overtakes Item(number=0) and 2 more
    Note over store: takes Other(number=9) [priority] from outside, overtakes Item(number=0) and 1 more
    Note over store: takes Item(number=0) from outside
    Note over store: takes Item(number=1) from outside
    Note over outside,store: at 2 s
    Note over clerk,store: end of input, exit, finished
"""


def brief(payload: object) -> str:
    return "Ask" if isinstance(payload, Ask) else repr(payload)


async def test_a_run_in_which_messages_overtake_others(autojump_clock: MockClock) -> None:
    """The whole picture: who sent what in which order, and in which order it was taken."""

    class Shop(Orchestra[Tick]):
        clerk: Subsystem[Ask, Item, Tick]
        store: Subsystem[Item | Other, Never, Tick] = subsystem(priority=True)

    async def store(ctx: AnyContext) -> None:
        await trio.sleep(1)
        async for _ in ctx:
            pass

    with recording(describe=brief) as traces:
        async with Shop(clerk=answering, store=store).open() as running:
            await wait_all_tasks_blocked()
            await running.route_message(Item(0))
            await running.route_message(Item(1))
            await running.route_message(Other(9), priority=Priority.HIGH)
            await running.broadcast_signal(Tick(1))
            await running.request(Ask)
            await trio.sleep(2)
    assert traces[0].to_mermaid() == OVERTAKING


RESTARTING = """\
sequenceDiagram
    participant outside
    participant p1 as left
    participant p2 as end
    Note over p1: start
    outside->>p1: Item(number=1)
    Note over p1: begins job work
    p1-xp2: Other(number=1), dead letter (wip)
    rect rgba(179, 38, 30, 0.25)
        Note over p1: error ValueError('no#59; #35;1') in job work
    end
    Note over p1: ends job work
    Note over outside,p2: at 0.1 s
    Note over p1: start anew
    Note over outside,p2: at 60 s
    Note over p1: end of input, exit, finished
"""


async def test_a_run_with_an_error_a_restart_and_a_dead_letter(autojump_clock: MockClock) -> None:
    class Retried(Orchestra):
        left: Subsystem[Item, Other] = subsystem(restart=Restart(max_restarts=1))
        end: Subsystem[Other] = subsystem(wip=True)

    async def work(ctx: AnyContext) -> None:
        await ctx.send(Other(1))
        raise ValueError("no; #1")

    async def left(ctx: AnyContext) -> None:
        async for _ in ctx:
            ctx.start_soon(work, ctx, name="work")

    with recording() as traces:
        async with Retried(left=left).open() as running:
            await wait_all_tasks_blocked()
            await running.route_message(Item(1))
            await trio.sleep(60)
    assert traces[0].to_mermaid() == RESTARTING


async def test_a_run_in_which_senders_wait_for_room(autojump_clock: MockClock) -> None:
    class Narrow(Orchestra, message_capacity=1):
        sink: Subsystem[Item]

    async def sink(ctx: AnyContext) -> None:
        await trio.sleep(1)
        await ctx.receive()
        await trio.sleep(10)

    with recording() as traces:
        async with Narrow(sink=sink).open() as running:
            await wait_all_tasks_blocked()
            for number in range(2):
                await running.route_message(Item(number))
            with trio.move_on_after(1):
                await running.route_message(Item(2))
    assert body_of(traces[0].to_mermaid()) == [
        "Note over sink: start",
        "outside-)sink: Item(number=0)",
        "Note over outside: waits for room at sink for Item(number=1)",
        "Note over outside,sink: at 1 s",
        "Note over sink: takes Item(number=0) from outside",
        "outside-)sink: Item(number=1)",
        "Note over outside: waits for room at sink for Item(number=2)",
        "Note over outside,sink: at 2 s",
        "Note over outside: gives up sending Item(number=2) to sink",
        "Note over sink: end of input",
        "Note over outside,sink: at 11 s",
        "Note over sink: exit, finished",
        "Note over sink: dead letter (left over) Item(number=1) from outside",
    ]


def fan_out(made: Made) -> None:
    made.take(made.send("a", "b", "X"))
    first, second = made.send("a", "b", "X"), made.send("a", "c", "Y")
    made.take(first)
    made.take(second)


def sent_twice(made: Made) -> None:
    first, second = made.send("a", "b", "X"), made.send("a", "b", "Y")
    made.take(first)
    made.take(second)


def sent_by_two(made: Made) -> None:
    first, second = made.send("a", "b", "X"), made.send("c", "b", "Y")
    made.take(first)
    made.take(second)


def others_between(made: Made) -> None:
    """What comes between a sending and the receipt, but of what the sender sends to others, keeps them apart."""
    kept = made.send("a", "c", "W")
    first = made.send("a", "b", "X")
    made.take(kept)
    made.take(first)
    first, second = made.send("a", "b", "X"), made.send("c", "a", "Y")
    made.take(first)
    made.take(second)
    first = made.send("a", "b", "Z")
    made.add("start", "c")
    made.take(first)


def received_late(made: Made) -> None:
    message = made.send("a", "b", "X")
    made.time = 0.5
    made.take(message)


def out_of_order(made: Made) -> None:
    first, second = made.send("a", "b", "X"), made.send("a", "b", "X")
    made.take(second)
    made.take(first)


def lanes(made: Made) -> None:
    made.pass_on("a", "b", "X", lane="priority")
    made.pass_on("a", "b", "X", lane="unbounded", is_request=True)
    made.pass_on(None, "b", "Tick", lane="signals")


def broadcast_to_all(made: Made) -> None:
    for message in made.broadcast("a", "c"):
        made.take(message)


def broadcast_that_overtakes(made: Made) -> None:
    made.send("b", "a", "X")
    for message in made.broadcast("a", "c"):
        made.take(message)


def broadcast_to_who_is_deaf(made: Made) -> None:
    made.broadcast("a", "b", "c")


def broadcast_that_skips_one(made: Made) -> None:
    made.broadcast("c")


def broadcast_that_comes_late(made: Made) -> None:
    made.broadcast("c")
    made.pass_on("a", "b", "X")
    made.send(None, "a", "Tick", lane="signals", epoch=3)


def answers(made: Made) -> None:
    made.add("answer", "a", sender="b", detail="Ask")
    made.add("no answer", "a", sender="b", detail="Ask")


def losses(made: Made) -> None:
    made.lose(made.send("a", "b", "X", lane="priority"), "left over")
    for reason in ("exited", "outgoing closed", "unconsumed"):
        to = "b" if reason == "exited" else None
        letter = len(made.events)
        made.add("dead letter", to, sender="a", lane="bounded", text="X", message=letter, detail=reason)


def lost_before_others(made: Made) -> None:
    """What is gone is not overtaken."""
    made.lose(made.send("a", "b", "X"), "left over")
    made.add("start", "b")
    made.add("start", "b")
    made.pass_on("a", "b", "Y")


def lives_that_differ(made: Made) -> None:
    made.add("start", "a")
    made.time = 1
    made.add("start", "b")
    for _ in range(2):
        made.add("exit", "a", detail="finished")
    made.add("job", "b", detail="one")
    made.add("job end", "b", detail="other")


def lives(made: Made) -> None:
    for name in ("c", "a"):
        made.add("start", name)
    made.add("job", "b", detail="work")
    made.add("job end", "b", detail="work")
    for name in ("b", "c"):
        made.add("end of input", name)
        made.add("exit", name, detail="finished")
    made.add("exit", "a", detail="cancelled")


def after_waiting(made: Made) -> None:
    made.send("a", "b", "X")
    waiting = made.add("block", "b", sender="c", lane="bounded", type="Y", text="Y", message=1)
    made.send("a", "b", "Z", lane="priority")
    made.take(0)
    made.send("c", "b", "Y", waited=waiting)
    made.take(2)
    made.take(waiting)


def from_before(made: Made) -> None:
    made.add("receive", "b", lane="bounded", text="X", detail="sent before the recording began")


@pytest.mark.parametrize(
    ("happen", "drawn"),
    [
        (fan_out, ["a->>b: X", "a->>b: X", "a->>c: Y"]),
        (sent_twice, ["a-)b: X", "a-)b: Y", "Note over b: takes X from a", "Note over b: takes Y from a"]),
        (sent_by_two, ["a-)b: X", "c-)b: Y", "Note over b: takes X from a", "Note over b: takes Y from c"]),
        (
            others_between,
            [
                "a->>c: W",
                "a->>b: X",
                "a-)b: X no. 4",
                "c-)a: Y",
                "Note over b: takes X no. 4 from a",
                "Note over a: takes Y from c",
                "a-)b: Z",
                "Note over c: start",
                "Note over b: takes Z from a",
            ],
        ),
        (received_late, ["a-)b: X", "Note over a,b: at 0.5 s", "Note over b: takes X from a"]),
        (
            out_of_order,
            ["a-)b: X no. 0", "a->>b: X, overtakes X no. 0", "Note over b: takes X no. 0 from a"],
        ),
        (lanes, ["a->>b: X [priority]", "a->>b: request X [unbounded]", "outside->>b: Tick [signals]"]),
        (
            broadcast_to_all,
            ["Note over a,c: broadcast Tick, epoch 3, taken at once"],
        ),
        (
            broadcast_that_overtakes,
            [
                "b-)a: X",
                "Note over a,c: broadcast Tick, epoch 3, taken at once by c (a, c)",
                "Note over a: takes Tick, epoch 3, overtakes X",
            ],
        ),
        (broadcast_to_who_is_deaf, ["Note over a,c: broadcast Tick, epoch 3 (a, c)", "outside-)b: Tick, epoch 3"]),
        (broadcast_that_skips_one, ["Note over a,c: broadcast Tick, epoch 3, not to a"]),
        (
            broadcast_that_comes_late,
            [
                "Note over a,c: broadcast Tick, epoch 3, not to a (a, c)",
                "a->>b: X",
                "outside-)a: Tick, epoch 3",
            ],
        ),
        (answers, ["b-->>a: answer to Ask", "b--xa: no answer to Ask"]),
        (
            losses,
            [
                "a-)b: X [priority]",
                "Note over b: dead letter (left over) X [priority] from a",
                "a-xb: X, dead letter (exited)",
                "a-xoutside: X, dead letter (outgoing closed)",
                "a-xp3: X, dead letter (unconsumed)",
            ],
        ),
        (
            lost_before_others,
            [
                "a-)b: X",
                "Note over b: dead letter (left over) X from a",
                "Note over b: start",
                "Note over b: start anew",
                "a->>b: Y",
            ],
        ),
        (
            lives_that_differ,
            [
                "Note over a: start",
                "Note over a,b: at 1 s",
                "Note over b: start",
                "Note over a: exit, finished",
                "Note over a: exit, finished",
                "Note over b: begins job one",
                "Note over b: ends job other",
            ],
        ),
        (
            lives,
            [
                "Note over a,c: start (a, c)",
                "Note over b: job work",
                "Note over b,c: end of input, exit, finished",
                "Note over a: exit, cancelled",
            ],
        ),
        (
            after_waiting,
            [
                "a-)b: X",
                "Note over c: waits for room at b for Y",
                "a-)b: Z [priority]",
                "Note over b: takes X from a",
                "c-)b: Y",
                "Note over b: takes Z [priority] from a",
                "Note over b: takes Y from c",
            ],
        ),
        (from_before, ["Note over b: takes X, sent before the recording began"]),
    ],
)
def test_what_is_drawn_how(happen: Callable[[Made], None], drawn: list[str]) -> None:
    made = Made()
    happen(made)
    assert body_of(made.text) == drawn
