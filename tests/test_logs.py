"""Log records: what each of the library's carries, which there are, and how those of one's own are tagged."""

from __future__ import annotations

import logging
from io import StringIO
from typing import TYPE_CHECKING, Any, Never

import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from orchestra_trio import (
    BlockingSubsystem,
    BlockingSubsystemContext,
    Connector,
    Orchestra,
    Restart,
    Subsystem,
    SubsystemFilter,
    Workers,
    open_oneshot,
    subsystem,
)
from tests.runtime.samples import AnyContext, Imported, Item, Other, Solo, Tick, forever, idle

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trio.testing import MockClock

app = logging.getLogger("tests.app")
"""A logger of one's own."""


class Log:
    """What a user would read, whose handler has this format."""

    def __init__(self, logger: str, layout: str) -> None:
        self.stream = StringIO()
        self.logger = logging.getLogger(logger)
        self.handler = logging.StreamHandler(self.stream)
        self.handler.setFormatter(logging.Formatter(layout))
        self.records: list[logging.LogRecord] = []
        self.handler.addFilter(lambda record: not self.records.append(record))  # type: ignore[func-returns-value]

    @property
    def text(self) -> str:
        return self.stream.getvalue()

    @property
    def lines(self) -> list[str]:
        return self.text.splitlines()

    def open(self) -> Iterator[Log]:
        level = self.logger.level
        self.logger.addHandler(self.handler)
        self.logger.setLevel(logging.DEBUG)
        yield self
        self.logger.setLevel(level)
        self.logger.removeHandler(self.handler)


LAYOUT = "%(levelname)s %(orchestra)s.%(subsystem)s@%(epoch)s %(message)s"


@pytest.fixture
def library() -> Iterator[Log]:
    """The library's records, with nothing but a handler and a format."""
    yield from Log("orchestra_trio", LAYOUT).open()


@pytest.fixture
def mine() -> Iterator[Log]:
    """Those of one's own logger, with a handler that has the filter."""
    log = Log(app.name, "%(orchestra)s.%(subsystem)s@%(epoch)s %(message)s")
    log.handler.addFilter(SubsystemFilter())
    yield from log.open()


# --- The library's  --------------------------------------------------------------------------------------------------


class Anew(Orchestra[Tick]):
    """Begins anew together."""

    first: Subsystem[Item, Other, Tick] = subsystem(restart=Restart(), restart_group="both")
    second: Subsystem[Other] = subsystem(restart_group="both")


async def test_a_restart_is_a_warning_with_the_error(autojump_clock: MockClock, library: Log) -> None:
    """Each subsystem that begins anew has one record, and an epoch of its own."""

    async def first(ctx: AnyContext) -> None:
        async for incoming in ctx:
            if incoming == Item(1):
                message = "no such page"
                raise LookupError(message)

    async with Anew(first=first, second=idle).open() as running:
        await running.broadcast_signal(Tick())
        await running.route_message(Item(1))
        await trio.sleep(10)
    heads = sorted(line for line in library.lines if line.startswith("WARNING"))
    anew = "begins anew after a backoff of 0.1 s"
    assert heads == [
        f"WARNING Anew.first@1 subsystem 'first' of Anew failed with LookupError and {anew}",
        f"WARNING Anew.second@0 subsystem 'second' of Anew {anew}, with 'first', which failed",
    ]
    assert len(library.records) == 2
    assert "raise LookupError(message)\nLookupError: no such page" in library.text


async def test_what_lies_in_the_lanes_at_the_end_is_one_warning_for_each_subsystem(
    autojump_clock: MockClock, library: Log
) -> None:
    """With counts, and none for each message; a subsystem of which nothing is left has none."""

    class Two(Orchestra[Tick]):
        first: Subsystem[Item | Other, Never, Tick]
        second: Subsystem[int, Never, Tick]
        third: Subsystem[str]

    async with Two(first=forever, second=forever, third=forever).open() as running:
        for number in range(300):
            await running.route_message(Item(number))
            await running.route_message(number)
        await running.route_message(Other(1))
        await running.broadcast_signal(Tick())
        running.cancel()
    assert sorted(library.lines) == [
        "WARNING Two.first@0 subsystem 'first' of Two ended with messages left in its lanes: 300 Item, 1 Other",
        "WARNING Two.second@0 subsystem 'second' of Two ended with messages left in its lanes: 300 int",
    ]


async def test_what_is_left_of_the_orchestra_itself_names_no_subsystem(autojump_clock: MockClock, library: Log) -> None:
    """What goes out to the embedding program, and events."""

    class Outside(Orchestra[Tick, Imported], outgoing=Other):
        worker: Subsystem[Item, Other, Tick]

        async def on_event(self, event: Imported, running: object) -> None:
            await trio.sleep_forever()

    async def worker(ctx: AnyContext) -> None:
        await ctx.send(Other(1))
        await idle(ctx)

    async with Outside(worker=worker).open() as running:
        await running.broadcast_signal(Tick())
        for number in range(3):
            await running.handle.send(Imported(number))
        await trio.sleep(1)
        running.cancel()
    assert sorted(library.lines) == [
        "WARNING Outside.None@1 Outside ended with events unhandled: 2",
        "WARNING Outside.None@1 outgoing of Outside ended with messages left in its lanes: 1 Other",
    ]


async def test_a_deadlock_that_is_to_be_warned_of_is_one_warning(autojump_clock: MockClock, library: Log) -> None:
    """Of the orchestra, since it has no one culprit."""

    class Cross(Orchestra, message_capacity=1, on_deadlock="warn"):
        left: Subsystem[Item, Other]
        right: Subsystem[Other, Item]

    async def left(ctx: AnyContext) -> None:
        await ctx.send_many([Other(number) for number in range(5)])

    async def right(ctx: AnyContext) -> None:
        await ctx.send_many([Item(number) for number in range(5)])

    async with Cross(left=left, right=right).open() as running:
        await trio.sleep(5)
        assert len(library.lines) == 1
        running.cancel()
    path = "left -[bounded: Other]-> right -[bounded: Item]-> left"
    assert library.lines[0].startswith(
        f"WARNING Cross.None@0 subsystems of Cross wait for each other for ever: {path}; let one of them "
    )


async def test_a_soft_timeout_tells_where_the_answer_is_waited_for(autojump_clock: MockClock, library: Log) -> None:
    """In a subsystem, and outside of any."""

    async def wait_for_an_answer(name: str) -> None:
        reply, answer = open_oneshot[int](name, soft_timeout=1)
        with reply, trio.move_on_after(2):
            await answer.receive()

    async def worker(ctx: AnyContext) -> None:
        async for incoming in ctx:
            if isinstance(incoming, Tick):
                await wait_for_an_answer("lookup")

    async with Solo(worker=worker).open() as running:
        await running.broadcast_signal(Tick())
    await wait_for_an_answer("outside")
    rest = "within its soft timeout of 1 s, still waiting; answer sooner, or open it with a larger soft_timeout"
    assert library.lines == [
        f"WARNING Solo.worker@1 no answer to 'lookup' {rest}",
        f"WARNING None.None@None no answer to 'outside' {rest}",
    ]


def test_records_of_others_through_the_librarys_logger_carry_the_same(library: Log) -> None:
    """None of it applies outside of an orchestra."""
    logging.getLogger("orchestra_trio").info("mine")
    assert library.lines == ["INFO None.None@None mine"]


# --- One's own  ------------------------------------------------------------------------------------------------------


class Tagged(Orchestra[Tick, Imported]):
    """Whoever runs in it says so."""

    worker: Subsystem[Item, Never, Tick]
    thread: BlockingSubsystem[Other, Never, Tick]

    async def on_event(self, event: Imported, running: object) -> None:
        await trio.lowlevel.checkpoint()
        app.info("event")


def say(what: str) -> None:
    app.info(what)


async def say_so(what: str, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:  # noqa: ASYNC114 - a job of these tests alone
    task_status.started()
    await trio.lowlevel.checkpoint()
    app.info(what)


def thread(ctx: BlockingSubsystemContext[Other, Never, Tick]) -> None:
    say("thread")
    ctx.start_soon(say, "job of a thread")
    for _ in ctx:
        say("thread, later")


async def test_all_that_runs_in_an_orchestra_is_tagged(mine: Log) -> None:
    """Tasks, jobs, workers, nurseries and threads with their subsystem, and what handles events with the orchestra."""
    begun, heard = trio.Event(), trio.Event()
    contexts: list[tuple[AnyContext, Workers[Any, Any]]] = []

    async def worker(ctx: AnyContext) -> None:
        say("main")
        ctx.start_soon(say_so, "job")
        await ctx.start(say_so, "started job")
        ctx.start_soon(say_so, "background job", background=True)
        ctx.start_blocking_soon(say, "blocking job")
        async with trio.open_nursery() as nursery:  # noqa: ASYNC112 - the task in it is the point
            nursery.start_soon(say_so, "nursery")
        await trio.to_thread.run_sync(say, "thread of one's own")
        async with ctx.open_workers(2) as workers:
            workers.start_soon(say_so, "worker")
            contexts.append((ctx, workers))
            begun.set()
            async for _ in workers:
                say("after a signal")
                heard.set()

    say("before")
    async with Tagged(worker=worker, thread=thread).open() as running:
        say("block")
        await running.handle.send(Imported(1))
        await begun.wait()
        ctx, workers = contexts[0]
        ctx.start_soon(say_so, "job from outside")
        await ctx.start(say_so, "started from outside")
        ctx.start_soon(say_so, "background from outside", background=True)
        ctx.start_blocking_soon(say, "blocking from outside")
        workers.start_soon(say_so, "worker from outside")
        await running.broadcast_signal(Tick())
        await heard.wait()
        await wait_all_tasks_blocked()
    say("afterwards")
    places = {line.partition(" ")[2]: line.partition(" ")[0].partition("@")[0] for line in mine.lines}
    assert {name for name, place in places.items() if place == "None.None"} == {"before", "block", "afterwards"}
    assert {name for name, place in places.items() if place == "Tagged.None"} == {"event"}
    assert {name for name, place in places.items() if place == "Tagged.thread"} == {
        "thread",
        "job of a thread",
        "thread, later",
    }
    assert {name for name, place in places.items() if place == "Tagged.worker"} == {
        "main",
        "job",
        "started job",
        "background job",
        "blocking job",
        "nursery",
        "thread of one's own",
        "worker",
        "after a signal",
        "job from outside",
        "started from outside",
        "background from outside",
        "blocking from outside",
        "worker from outside",
    }


async def test_the_epoch_is_that_of_the_moment(autojump_clock: MockClock, mine: Log) -> None:
    """Of the subsystem, and for events that of the orchestra."""

    class Heard(Orchestra[Tick, Imported]):
        hears: Subsystem[Item, Never, Tick]
        deaf: Subsystem[Other]

        async def on_event(self, event: Imported, running: object) -> None:
            await trio.lowlevel.checkpoint()
            app.info("event")

    async def say_each(ctx: AnyContext) -> None:
        async for incoming in ctx:
            say(type(incoming).__name__)

    connector = Connector[Imported](2)
    async with Heard(hears=say_each, deaf=say_each).open(connector=connector) as running:
        for number in range(2):
            await running.broadcast_signal(Tick())
            await running.route_message(Other(number))
            await running.handle.send(Imported(number))
            await trio.sleep(1)
    assert sorted(mine.lines) == [
        "Heard.None@1 event",
        "Heard.None@2 event",
        "Heard.deaf@0 Other",
        "Heard.deaf@0 Other",
        "Heard.hears@1 Tick",
        "Heard.hears@2 Tick",
    ]


async def test_an_orchestra_within_another_one_has_its_own_tags(autojump_clock: MockClock, mine: Log) -> None:
    """The outer one's are back when it has ended."""

    class Inner(Orchestra):
        inside: Subsystem[Item]

    async def inside(ctx: AnyContext) -> None:
        say("inner")
        await idle(ctx)

    async def worker(ctx: AnyContext) -> None:
        async with Inner(inside=inside).open():
            say("block")
        say("after")

    await Solo(worker=worker).run()
    assert sorted(mine.lines) == ["Inner.inside@0 inner", "Solo.worker@0 after", "Solo.worker@0 block"]


async def test_what_a_record_was_given_stays(autojump_clock: MockClock, mine: Log) -> None:
    """The filter adds only what is missing, so that every format finds all three."""

    async def worker(ctx: AnyContext) -> None:
        app.info("a", extra={"subsystem": "mine"})
        app.info("b", extra={"orchestra": "mine"})
        app.info("c", extra={"orchestra": "mine", "subsystem": None, "epoch": 7})
        await idle(ctx)

    await Solo(worker=worker).run()
    assert mine.lines == ["Solo.mine@0 a", "mine.worker@0 b", "mine.None@7 c"]


def test_the_filter_lets_every_record_pass() -> None:
    """Whatever it is added to."""
    record = logging.makeLogRecord({})
    assert SubsystemFilter().filter(record)
    assert (vars(record)["orchestra"], vars(record)["subsystem"], vars(record)["epoch"]) == (None, None, None)
