"""What the page is told of an orchestra: on a mock clock, asked in this process."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Never

import trio

from orchestra_trio import Orchestra, Restart, Subsystem, SubsystemContext, subsystem
from tests.dashboard.asking import in_process
from tests.runtime.samples import Ask, Collect, Duo, Imported, Item, Other, Playing, Ring, Solo, Tick, forever, idle
from tests.runtime.watch.stuck import MsgA, MsgB, Trio, fills, takes

if TYPE_CHECKING:
    from trio.testing import MockClock

    from tests.runtime.samples import AnyContext


async def test_an_orchestra_at_rest(autojump_clock: MockClock) -> None:
    async with Solo(worker=idle).open() as running, in_process(running) as page:
        await trio.sleep(3.5)  # nobody watched: the first who asks makes it look at once
        state = await page.json("/api/state")
        assert state.pop("time") > 1e9
        (worker,) = state.pop("subsystems")
        assert state == {
            "schema": 1,
            "name": "Solo",
            "uptime": 3.5,
            "interval": 1.0,
            "ended": False,
            "epoch": 0,
            "events": {"length": 0, "capacity": 64, "sent": 0, "received": 0},
            "dead_letters": {},
            "dead_letter_total": 0,
            "totals": {"received_rate": 0, "blocked_rate": 0, "lying": 0, "waiting": 0, "restarts": 0},
            "deadlocks": [],
            "edges": [
                {
                    "sender": None,
                    "consumer": "worker",
                    "lane": "bounded",
                    "types": ["Item", "Other", "Ask"],
                    "messages": 0,
                    "rate": 0.0,
                    "can_block": True,
                }
            ],
            "folding": None,
        }
        nothing = {"length": 0, "capacity": 2, "peak": 0, "sent": 0, "received": 0, "blocked": 0}
        quiet = {**nothing, "received_rate": 0.0, "blocked_rate": 0.0, "flight": None}
        (wait,) = worker.pop("waits")
        assert worker == {
            "name": "worker",
            "state": "running",
            "epoch": 0,
            "jobs": 0,
            "restarts": 0,
            "group": None,
            "lanes": {"signals": quiet, "bounded": quiet},
        }
        assert (wait["kind"], wait["subsystem"], wait["seconds"]) == ("receive", "worker", 3.5)


async def test_rates_are_those_of_the_last_interval(autojump_clock: MockClock) -> None:
    """Of messages and of edges alike, and also in the history."""

    async def source(ctx: AnyContext) -> None:
        for number in range(30):
            await trio.sleep(0.1)
            await ctx.send(Item(number))
        await trio.sleep_forever()

    async with Duo(source=Playing(source), sink=Collect()).open() as running, in_process(running, interval=2) as page:
        await page.json("/api/state")  # from now on, it is watched
        await trio.sleep(2.05)
        state = await page.json("/api/state")
        bounded = next(one for one in state["subsystems"] if one["name"] == "sink")["lanes"]["bounded"]
        edge = next(one for one in state["edges"] if one["consumer"] == "sink")
        assert 9 <= bounded["received_rate"] <= 10
        assert bounded["flight"]["samples"] == 1
        assert edge["rate"] == bounded["received_rate"] == state["totals"]["received_rate"]
        assert edge["messages"] == bounded["received"]
        await trio.sleep(4)
        state = await page.json("/api/state")
        assert state["totals"]["received_rate"] == 0
        assert next(one for one in state["edges"] if one["consumer"] == "sink")["messages"] == 30
        history = await page.json("/api/history")
        assert history["interval"] == 2
        assert len(history["times"]) == 3
        assert history["totals"]["received_rate"] == history["subsystems"]["sink"]["received_rate"]
        assert history["totals"]["received_rate"][2] == 0
        assert sum(history["totals"]["received_rate"]) * 2 == 30
        running.cancel()


async def test_who_waits_for_whom(autojump_clock: MockClock) -> None:
    """Waits for room and for answers come before those of who is idle, and say types, never values."""

    async def ping(ctx: SubsystemContext[Item, Other, Tick]) -> None:
        while True:
            await ctx.send(Other(4711))

    async with Ring(ping=ping, pong=forever).open() as running:
        async with in_process(running) as page:
            await trio.sleep(5.5)
            state = await page.json("/api/state")
            ping_now, pong_now = state["subsystems"]
            (wait,) = ping_now["waits"]
            assert wait == {
                "task": wait["task"],
                "kind": "send",
                "subsystem": "pong",
                "lane": "bounded",
                "type": "Other",
                "seconds": 5.5,
            }
            assert pong_now["lanes"]["bounded"]["length"] == 2
            assert pong_now["lanes"]["bounded"]["blocked"] == 1
            assert state["totals"] == {
                "received_rate": 0,
                "blocked_rate": 0,
                "lying": 2,
                "waiting": 1,
                "restarts": 0,
            }
        running.cancel()


async def test_a_deadlock_and_its_end(autojump_clock: MockClock) -> None:
    """It is told since when it holds, and that it holds no more."""

    class Warned(Trio, on_deadlock="warn"):
        pass

    scope = trio.CancelScope()

    async def a(ctx: AnyContext) -> None:
        await trio.sleep(3)
        with scope:
            await fills(MsgB())(ctx)
        await takes(ctx)

    async with Warned(a=a, b=fills(MsgA()), c=takes).open() as running, in_process(running) as page:
        await trio.sleep(7.5)
        state = await page.json("/api/state")
        (deadlock,) = state["deadlocks"]
        assert deadlock["cycle"] == deadlock["members"] == ["a", "b"]
        assert deadlock["holds"]
        assert abs(state["time"] - deadlock["since"] - 4.5) < 0.01
        assert deadlock["message"].startswith("subsystems of Warned wait for each other for ever: a -[bounded: MsgB]->")
        scope.cancel()
        await trio.sleep(1)
        (deadlock,) = (await page.json("/api/state"))["deadlocks"]
        assert not deadlock["holds"]
        running.cancel()


async def test_a_deadlock_that_was_cancelled(autojump_clock: MockClock) -> None:
    """With all that had a part in it."""

    class Warned(Trio, on_deadlock="warn"):
        pass

    async with trio.open_nursery() as nursery:
        async with Warned(a=fills(MsgB()), b=fills(MsgA()), c=takes).open() as running:
            page = await nursery.start(_keep, running)  # noqa: ASYNC111 - it is to outlive it
            await trio.sleep(2)
            running.cancel()
        state = await page.json("/api/state")
        assert state["ended"]
        assert [one["holds"] for one in state["deadlocks"]] == [False]
        nursery.cancel_scope.cancel()


async def test_restarts_jobs_epochs_and_dead_letters(autojump_clock: MockClock) -> None:
    class Shop(Orchestra[Tick]):
        worker: Subsystem[Item, Never, Tick] = subsystem(restart=Restart(backoff=1))
        late: Subsystem[Other] = subsystem(after_exit="dead_letter")

    async def worker(ctx: SubsystemContext[Item, Never, Tick]) -> None:
        ctx.start_soon(trio.sleep_forever, background=True)
        async for incoming in ctx:
            if isinstance(incoming, Item):
                raise ZeroDivisionError

    async def late(_: AnyContext) -> None:
        await trio.lowlevel.checkpoint()

    async with Shop(worker=worker, late=late).open() as running, in_process(running) as page:
        await running.broadcast_signal(Tick())
        await trio.sleep(0.5)
        await running.route_message(Item(1))
        await running.route_message(Other(1))
        await trio.sleep(0.7)
        state = await page.json("/api/state")
        worker_now, late_now = state["subsystems"]
        assert (worker_now["restarts"], worker_now["state"]) == (0, "restarting")
        assert late_now["state"] == "finished"
        assert state["dead_letters"] == {"exited": 1}
        assert state["dead_letter_total"] == 1
        assert state["epoch"] == 1
        await trio.sleep(2)
        state = await page.json("/api/state")
        assert state["subsystems"][0]["restarts"] == state["totals"]["restarts"] == 1
        assert state["subsystems"][0]["jobs"] == 1
        running.cancel()


class Half(NamedTuple):
    """A message that leaves the orchestra."""


async def test_edges_to_and_from_the_embedding_program(autojump_clock: MockClock) -> None:
    """What is sent from outside to who gets the type from others as well has an edge from then on."""

    class Mill(Orchestra, outgoing=Half):
        source: Subsystem[Never, Item] = subsystem(unbounded={Item: "only one"})
        sink: Subsystem[Item, Half]

    async def source(ctx: SubsystemContext[Never, Item]) -> None:
        ctx.send_unbounded(Item(0))
        await trio.lowlevel.checkpoint()

    async def sink(ctx: SubsystemContext[Item, Half]) -> None:
        async for _ in ctx:
            await ctx.send(Half())

    async with Mill(source=source, sink=sink).open() as running, in_process(running) as page:
        await running.outgoing.receive()
        await trio.sleep(1.5)
        edges = (await page.json("/api/state"))["edges"]
        assert [(one["sender"], one["consumer"], one["lane"], one["messages"], one["can_block"]) for one in edges] == [
            ("source", "sink", "unbounded", 1, False),
            ("sink", None, "bounded", 1, True),
        ]
        await running.route_message(Item(1))
        await trio.sleep(1.5)
        edges = (await page.json("/api/state"))["edges"]
        assert edges[2]["sender"] is None
        assert (edges[2]["consumer"], edges[2]["types"], edges[2]["messages"]) == ("sink", [], 1)
        running.cancel()


async def test_an_orchestra_that_has_ended(autojump_clock: MockClock) -> None:
    """The page is told at once, keeps the figures, and says that nothing flows."""
    async with trio.open_nursery() as nursery:
        async with Solo(worker=idle).open() as running:
            page = await nursery.start(_keep, running)  # noqa: ASYNC111 - it is to outlive it
            await running.route_message(Item(1))
            await trio.sleep(7.25)
        for _ in range(2):
            state = await page.json("/api/state")
            assert state["ended"]
            assert state["uptime"] == 7.25
            assert state["subsystems"][0]["state"] == "finished"
            assert state["subsystems"][0]["waits"] == []
            assert state["subsystems"][0]["lanes"]["bounded"]["received"] == 1
            assert state["totals"]["received_rate"] == 0
            await trio.sleep(100)
        nursery.cancel_scope.cancel()


async def _keep(running: object, *, task_status: trio.TaskStatus[object]) -> None:  # noqa: ASYNC114 - of this test
    async with in_process(running) as page:  # type: ignore[arg-type]  # whatever is running
        task_status.started(page)
        await trio.sleep_forever()


async def test_a_subsystem_with_its_stack(autojump_clock: MockClock) -> None:
    async with Solo(worker=idle).open() as running, in_process(running) as page:
        await trio.sleep(1)
        detail = await page.json("/api/subsystems/worker")
        state = await page.json("/api/state")
        assert detail["place"] == "waits to receive"
        assert "in idle\n    async for _ in ctx:" in detail["stack"]
        assert {name: detail[name] for name in state["subsystems"][0]} == state["subsystems"][0]
        assert (await page.get("/api/subsystems/nobody")).status_code == 404


async def test_very_many_jobs_show_no_stacks(autojump_clock: MockClock) -> None:
    """To ask trio for each would keep the orchestra from running."""

    async def worker(ctx: AnyContext) -> None:
        for _ in range(201):
            ctx.start_soon(trio.sleep_forever, background=True)
        await idle(ctx)

    async with Solo(worker=worker).open() as running, in_process(running) as page:
        await trio.sleep(1.5)
        detail = await page.json("/api/subsystems/worker")
        assert detail["stack"].startswith("201 jobs run: too many")
        assert detail["jobs"] == 201


async def test_requests_are_edges_from_outside(autojump_clock: MockClock) -> None:
    async def worker(ctx: AnyContext) -> None:
        async for incoming in ctx:
            incoming.reply.send(1)

    async with Solo(worker=worker).open() as running, in_process(running) as page:
        assert await running.request(Ask) == 1
        (edge,) = (await page.json("/api/state"))["edges"]
        assert (edge["sender"], edge["consumer"], edge["messages"]) == (None, "worker", 0)  # as of the last look
        await trio.sleep(1.5)
        (edge,) = (await page.json("/api/state"))["edges"]
        assert edge["messages"] == 1


async def test_events(autojump_clock: MockClock) -> None:
    class Node(Orchestra[Never, Imported]):
        worker: Subsystem[Item]

        async def on_event(self, event: Imported, running: object) -> None:
            await trio.sleep(10)

    async with Node(worker=idle).open() as running, in_process(running) as page:
        for number in range(3):
            await running.handle.send(Imported(number))
        await trio.sleep(1.5)
        events = (await page.json("/api/state"))["events"]
        assert events == {"length": 2, "capacity": 64, "sent": 3, "received": 1}
        running.cancel()
