"""What both type checkers must accept."""

from collections.abc import Sequence
from typing import Never, assert_type

import trio

from orchestra_trio import (
    Connector,
    MeteredReceiver,
    MeteredSender,
    OneshotReceiver,
    OneshotSender,
    Orchestra,
    Priority,
    RunningOrchestra,
    Subsystem,
    SubsystemContext,
    SubsystemSender,
    UnboundedMeteredSender,
    open_metered_channel,
    open_oneshot,
    open_unbounded_channel,
    select,
    subsystem,
)
from type_tests.wiring import Audit, Fetch, Imported, Lookup, Parse, ParseFast, Pipeline, Quiet, Store, Tick


async def fetch(ctx: SubsystemContext[Fetch, Parse, Tick]) -> None:
    """A function that sends less than its slot allows."""
    async for incoming in ctx:
        assert_type(incoming, Fetch | Tick)
        match incoming:
            case Tick(number):
                assert_type(number, int)
            case Fetch(url):
                await ctx.send(Parse(url))
    assert_type(await ctx.receive(), Fetch | Tick)
    assert_type(ctx.receive_nowait(), Fetch | Tick)
    assert_type(await ctx.receive_many(10), Sequence[Fetch | Tick])
    assert_type(await ctx.receive_signal(), Tick)
    assert_type(ctx.sender, SubsystemSender[Parse])
    await ctx.send(ParseFast("x"), priority=Priority.HIGH)
    await ctx.send_many([Parse("a"), ParseFast("b")])
    ctx.send_nowait(Parse("x"))
    ctx.start_soon(trio.sleep, 1.0, name="a nap", background=True)
    ctx.start_blocking_soon(print, "x", name="printing")


class Parser:
    """A callable object that answers more than its slot consumes."""

    async def __call__(self, ctx: SubsystemContext[Parse | Fetch, Store | Lookup]) -> None:
        answer = await ctx.request(Lookup, "key")
        assert_type(answer, int)
        assert_type(await ctx.request(Lookup, key="key"), int)
        await ctx.send(Store(str(answer)))


class Database:
    """A bound method of it is a subsystem."""

    async def serve(self, ctx: SubsystemContext[Store | Lookup, Never, Tick]) -> None:
        async for incoming in ctx:
            match incoming:
                case Lookup(reply, key):
                    assert_type(reply.send(len(key)), bool)
                case Store() | Tick():
                    pass


async def tick(ctx: SubsystemContext[Never, Fetch]) -> None:
    await ctx.send(Fetch("x"))


async def quiet(ctx: SubsystemContext[Parse]) -> None:
    async for message in ctx:
        assert_type(message, Parse)


async def use() -> None:
    pipeline = Pipeline(fetcher=fetch, parser=Parser(), store=Database().serve, clock=tick, db_path="x.db")
    assert_type(pipeline.db_path, str)
    async with pipeline.open(connector=Connector[Imported](8)) as running:
        assert_type(running, RunningOrchestra[Tick, Imported])
        assert_type(await running.broadcast_signal(Tick(1)), int)
        await running.send_signal("fetcher", Tick(2))
        await running.route_message(Fetch("x"))
        assert_type(running.handle, MeteredSender[Imported])
        await running.handle.send(Imported(1))
        assert_type(await running.request(Lookup, "key"), int)
        assert_type(running.map_subsystems(lambda one: one.epoch), list[int])
        await running.terminate(Tick(3), grace=1)
    await pipeline.run()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(pipeline.serve)
    await Quiet(parser=quiet).run()
    await Quiet(parser=Quiet(parser=quiet).parser).run()


async def channels() -> None:
    sender, receiver = open_metered_channel[int](16, priority_capacity=2)
    assert_type(sender, MeteredSender[int])
    assert_type(receiver, MeteredReceiver[int])
    assert_type(await receiver.receive(), int)
    other, strings = open_unbounded_channel[str]()
    assert_type(other, UnboundedMeteredSender[str])
    async for item in select(receiver, strings):
        assert_type(item, int | str)
    reply, answer = open_oneshot[bytes]("lookup", soft_timeout=1, hard_timeout=5)
    assert_type(reply, OneshotSender[bytes])
    assert_type(answer, OneshotReceiver[bytes])
    assert_type(await answer.receive(), bytes)


class Child(Pipeline, message_capacity=8):
    """An orchestra that inherits slots and baggage, and adds its own."""

    auditor: Subsystem[Never, Audit] = subsystem(unbounded={Audit: "one for each start"})


async def audit(ctx: SubsystemContext[Never, Audit]) -> None:
    ctx.send_unbounded(Audit("started"))


def child() -> Orchestra[Tick, Imported]:
    return Child(fetcher=fetch, parser=Parser(), store=Database().serve, clock=tick, auditor=audit, db_path="x.db")
