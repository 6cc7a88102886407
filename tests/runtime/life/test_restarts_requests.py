"""Requests, and errors that were handed on, when the subsystem that has them in hand begins anew."""

from __future__ import annotations

import gc
import threading
from typing import TYPE_CHECKING, Any, NamedTuple, Never

import pytest
import trio

from orchestra_trio import (
    BlockingSubsystem,
    BlockingSubsystemContext,
    OneshotCancelled,
    OneshotSender,
    Orchestra,
    Restart,
    Subsystem,
    fresh,
    subsystem,
)
from tests.runtime.life.lives import Hardy, Lives, boom, hardy
from tests.runtime.samples import AnyContext, Ask, Item, Other, Tick, answering, stopped

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from trio.testing import MockClock


@pytest.fixture(autouse=True)
def _without_collector() -> Iterator[None]:
    """Nothing that is promised here may wait for the garbage collector."""
    gc.disable()
    yield
    gc.enable()


async def take_and_fail(ctx: AnyContext) -> None:
    """Raise with a request in a variable, and with that error as the cause of another."""

    def parse(question: Ask) -> int:
        return int(str(question))

    try:
        parse(await ctx.receive())
    except ValueError as error:
        raise LookupError from error


async def take_and_fail_in_job(ctx: AnyContext) -> None:
    async def job(question: Ask) -> None:
        await trio.sleep(1)
        raise ExceptionGroup(str(question), [ValueError()])

    ctx.start_soon(job, await ctx.receive())
    await trio.sleep_forever()


async def take_and_fail_in_worker(ctx: AnyContext) -> None:
    async def work(question: Ask) -> None:
        await trio.sleep(1)
        raise ValueError(str(question))

    async with ctx.open_workers(2) as workers:
        async for question in workers:
            workers.start_soon(work, question)


async def take_and_fail_in_nursery(ctx: AnyContext) -> None:
    async def child(question: Ask) -> None:
        await trio.sleep(1)
        raise ValueError(str(question))

    async with trio.open_nursery() as nursery:
        nursery.start_soon(child, await ctx.receive())
        await trio.sleep_forever()


@pytest.mark.parametrize(
    "play", [take_and_fail, take_and_fail_in_job, take_and_fail_in_worker, take_and_fail_in_nursery]
)
async def test_a_request_in_hand_ends_with_the_incarnation(play: Any, autojump_clock: MockClock) -> None:  # noqa: ANN401 - a subsystem
    """Before the backoff begins, though the error, and the log that keeps it, have the frames that it was in."""
    async with hardy(Restart(backoff=5))(worker=Lives(play, answering)).open() as running:
        with trio.fail_after(100), pytest.raises(OneshotCancelled):
            await running.request(Ask, 1)
        assert trio.current_time() in (0, 1)
        assert await running.request(Ask, 2) == 4
        assert trio.current_time() in (5, 6)


async def test_a_request_that_lies_in_the_lane_is_answered_by_the_next_incarnation(autojump_clock: MockClock) -> None:
    """It is as good as new."""
    async with Hardy(worker=Lives(boom, answering)).open() as running:
        assert await running.request(Ask, 3) == 6
        assert trio.current_time() == 1


async def test_a_request_that_was_handed_on_is_answered(autojump_clock: MockClock) -> None:
    """Whoever has the reply end answers, whatever becomes of who handed it on."""

    class Desk(Orchestra):
        front: Subsystem[Ask, tuple[Any, ...]] = subsystem(sends=Item, restart=Restart(backoff=1))
        back: Subsystem[Item]

    replies: list[OneshotSender[int]] = []

    async def front(ctx: AnyContext) -> None:
        question = await ctx.receive()
        replies.append(question.reply)
        await ctx.send(Item(question.number))
        raise ValueError

    async def back(ctx: AnyContext) -> None:
        async for message in ctx:
            await trio.sleep(10)
            replies.pop().send(message.number + 1)

    async with Desk(front=Lives(front), back=back).open() as running:
        assert await running.request(Ask, 7) == 8
        assert running.statistics().subsystems["front"].restarts == 1


class Hoarding:
    """Keeps requests in itself, answers those that it finds there when it begins, and fails."""

    def __init__(self) -> None:
        self.kept: list[Ask] = []

    async def __call__(self, ctx: AnyContext) -> None:
        for question in self.kept:
            question.reply.send(question.number)
        async for question in ctx:
            self.kept.append(question)
            del question
            raise ValueError


async def test_a_request_kept_in_the_object_is_still_there(autojump_clock: MockClock) -> None:
    """The same object is called again: it may answer later. A fresh one has nothing, and the old one is let go of."""
    async with Hardy(worker=Hoarding()).open() as running:
        assert await running.request(Ask, 5) == 5
    async with Hardy(worker=fresh(Hoarding)).open() as running:
        with trio.fail_after(100), pytest.raises(OneshotCancelled):
            await running.request(Ask, 5)


async def test_nobody_wants_the_answer_to_a_request_of_an_incarnation_that_failed(autojump_clock: MockClock) -> None:
    """That is no error of who answers; the next incarnation asks for itself."""

    class Asking(Orchestra):
        client: Subsystem[Never, Ask] = subsystem(restart=Restart(backoff=1))
        server: Subsystem[Ask]

    wanted: list[bool] = []
    answers: list[int] = []

    async def client(ctx: AnyContext) -> None:
        if not lives.ended:
            ctx.start_soon(boom, ctx)
        answers.append(await ctx.request(Ask, len(lives.ended)))

    async def server(ctx: AnyContext) -> None:
        async for question in ctx:
            await trio.sleep(3)
            wanted.append(question.reply.is_wanted)
            assert question.reply.send(question.number) == wanted[-1]

    lives = Lives(client, client)
    await Asking(client=lives, server=server).run()
    assert (wanted, answers) == ([False, True], [1])


async def test_one_that_ends_only_when_it_is_answered_is_not_waited_for_in_vain(autojump_clock: MockClock) -> None:
    """The error kept the request until all that begin anew together had ended, of which the requester was one."""

    class Together(Orchestra):
        client: Subsystem[Never, Ask] = subsystem(restart_group="both")
        server: Subsystem[Ask] = subsystem(restart=Restart(backoff=1), restart_group="both")

    refused: list[float] = []

    async def client(ctx: AnyContext) -> None:
        with trio.move_on_after(100, shield=True), pytest.raises(OneshotCancelled):
            await ctx.request(Ask, 1)
        refused.append(trio.current_time())
        await trio.sleep_forever()

    async def server(ctx: AnyContext) -> None:
        await trio.sleep(1)
        await take_and_fail(ctx)

    clients, servers = Lives(client), Lives(server)
    async with Together(client=clients, server=servers).open():
        await trio.sleep(5)
    assert refused == [1]
    assert clients.begun == servers.begun == [0, 2]


# --- errors that were handed on --------------------------------------------------------------------------------------


class Found(NamedTuple):
    """A message that carries an error."""

    error: Any


def in_a_generator() -> Iterator[Exception | str]:
    try:
        int("")
    except ValueError as error:
        yield error
    yield "goes on"


async def in_an_async_generator() -> AsyncIterator[Exception | str]:
    for one in in_a_generator():
        try:
            if isinstance(one, Exception):
                raise one
        except ValueError as error:
            yield error
        else:
            yield one
        await trio.lowlevel.checkpoint()


@pytest.mark.parametrize("how", ["itself", "cause", "group"])
@pytest.mark.parametrize("where", ["task", "generator", "async generator"])
async def test_who_caught_the_error_before_goes_on(where: str, how: str, autojump_clock: MockClock) -> None:
    """Its frame is in the error's traceback: to clear it, which let go of requests, ended the task."""

    class Pair(Orchestra):
        source: Subsystem[Never, Found]
        sink: Subsystem[Found] = subsystem(restart=Restart(backoff=1))

    rest: list[object] = []

    async def source(ctx: AnyContext) -> None:
        match where:
            case "task":
                try:
                    int("")
                except ValueError as error:
                    await ctx.send(Found(error))
            case "generator":
                caught = in_a_generator()
                await ctx.send(Found(next(caught)))
            case _:
                also_caught = in_an_async_generator()
                await ctx.send(Found(await anext(also_caught)))
        await trio.sleep(3)
        match where:
            case "task":
                rest.append("goes on")
            case "generator":
                rest.extend(caught)
            case _:
                rest.extend([one async for one in also_caught])

    async def sink(ctx: AnyContext) -> None:
        error = (await ctx.receive()).error
        match how:
            case "itself":
                raise error
            case "cause":
                raise KeyError from error
            case _:
                raise ExceptionGroup("", [error])

    sinks = Lives(sink)
    await Pair(source=source, sink=sinks).run()
    assert sinks.begun == [0, 1]
    assert rest == ["goes on"]


# --- threads ---------------------------------------------------------------------------------------------------------


async def test_blocking_subsystems_begin_anew() -> None:
    """The threads of the old incarnation have ended before; a request in hand ends with it, other messages stay."""

    class Threaded(Orchestra[Tick]):
        worker: BlockingSubsystem[Ask | Other, Never, Tick] = subsystem(restart=Restart(backoff=0))

    trace: list[str] = []
    token = trio.lowlevel.current_trio_token()
    job_is_cancelled, job_may_end = trio.Event(), threading.Event()

    def job(ctx: BlockingSubsystemContext[Ask | Other, Never, Tick]) -> None:
        try:
            ctx.receive_signal()
        finally:
            token.run_sync_soon(job_is_cancelled.set)
            job_may_end.wait(20)
            trace.append("job ends")

    def worker(ctx: BlockingSubsystemContext[Ask | Other, Never, Tick]) -> None:
        trace.append("begins")
        for incoming in ctx:
            trace.append(f"{type(incoming).__name__} {incoming.number}")
            match incoming:
                case Ask():
                    ctx.start_soon(job, ctx)
                    raise ValueError

    async with Threaded(worker=worker).open() as running:

        async def ask() -> None:
            with pytest.raises(OneshotCancelled):
                await running.request(Ask, 2)

        async with trio.open_nursery() as nursery:
            await running.broadcast_signal(Tick(1))
            nursery.start_soon(ask)
            await job_is_cancelled.wait()
            assert running.statistics().subsystems["worker"].state == "restarting"
            await running.route_message(Other(3))
            job_may_end.set()
    assert trace == ["begins", "Tick 1", "Ask 2", "job ends", "begins", "Other 3"]
    statistics = running.statistics().subsystems["worker"]
    assert (statistics.state, statistics.restarts, statistics.epoch) == ("finished", 1, 1)


async def test_a_blocking_subsystem_past_its_limit() -> None:
    """The error comes out as that of any other."""

    class Threaded(Orchestra):
        worker: BlockingSubsystem[Item] = subsystem(restart=Restart(max_restarts=2, backoff=0))

    begun: list[int] = []

    def worker(ctx: BlockingSubsystemContext[Item]) -> None:
        begun.append(ctx.receive().number)
        raise ValueError

    with stopped() as errors:
        async with Threaded(worker=worker).open() as running:
            for number in range(5):
                await running.route_message(Item(number))
            await trio.sleep_forever()
    assert [type(error) for error in errors] == [ValueError]
    assert begun == [0, 1, 2]
    assert running.statistics().subsystems["worker"].restarts == 2
