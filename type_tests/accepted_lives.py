"""What both type checkers must accept: threads, workers, restarts, spawners."""

from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Any, Never, assert_type

import trio
from typing_extensions import TypeVar, TypeVarTuple, override

from orchestra_trio import (
    BlockingSubsystem,
    BlockingSubsystemContext,
    Priority,
    Spawner,
    Subsystem,
    SubsystemContext,
    SubsystemSender,
    Workers,
    fresh,
)
from type_tests.accepted import fetch
from type_tests.wiring import Audit, Fetch, Lookup, Parse, Service, Store, Tick

T = TypeVar("T")
Ts = TypeVarTuple("Ts")


# --- Threads


def store(ctx: BlockingSubsystemContext[Store | Lookup, Audit, Tick]) -> None:
    for incoming in ctx:
        assert_type(incoming, Store | Lookup | Tick)
        match incoming:
            case Lookup(reply, key):
                assert_type(reply.send(len(key)), bool)
            case Store() | Tick():
                pass
    assert_type(ctx.receive(), Store | Lookup | Tick)
    assert_type(ctx.receive_nowait(), Store | Lookup | Tick)
    assert_type(ctx.receive_many(10), Sequence[Store | Lookup | Tick])
    assert_type(ctx.receive_signal(), Tick)
    assert_type(ctx.sender, SubsystemSender[Audit])
    ctx.send(Audit("x"), priority=Priority.HIGH)
    ctx.send_nowait(Audit("x"))
    ctx.send_many([Audit("a"), Audit("b")])
    ctx.send_unbounded(Audit("x"))
    ctx.start_soon(print, "x", name="printing", background=True)
    ctx.started()
    ctx.check_cancelled()


def ask(ctx: BlockingSubsystemContext[Never, Lookup]) -> int:
    assert_type(ctx.request(Lookup, "key"), int)
    return ctx.request(Lookup, key="key")


def store_and_more(ctx: BlockingSubsystemContext[Store | Lookup | Fetch, Audit, Tick]) -> None:
    """Answers more than its slot consumes."""


def store_silently(ctx: BlockingSubsystemContext[Store | Lookup, Never, Tick]) -> None:
    """Sends less than its slot allows."""


class Database:
    """A callable object; a bound method of it is a subsystem, too."""

    def __init__(self, path: str = "x.db") -> None:
        self.path = path

    def __call__(self, ctx: BlockingSubsystemContext[Store | Lookup, Audit, Tick]) -> None:
        store(ctx)

    def serve(self, ctx: BlockingSubsystemContext[Store | Lookup, Audit, Tick]) -> None:
        store(ctx)


# --- Workers


async def work(number: int, text: str) -> None: ...


async def fetch_with_workers(ctx: SubsystemContext[Fetch, Parse, Tick]) -> None:
    async with ctx.open_workers(max_in_flight=5) as workers:
        assert_type(workers, Workers[Fetch, Tick])
        async for incoming in workers:
            assert_type(incoming, Fetch | Tick)
            match incoming:
                case Tick(number):
                    assert_type(number, int)
                case Fetch(url):
                    workers.start_soon(work, 1, url, name="a worker")
                    workers.start_soon(ctx.send, Parse(url))
        assert_type(workers.in_flight, int)
        assert_type(workers.max_in_flight, int)


async def parse_with_workers(ctx: SubsystemContext[Parse, Store]) -> None:
    """Hears no signals, so that messages alone come."""
    async with ctx.open_workers(5) as workers:
        assert_type(workers, Workers[Parse, Never])
        async for incoming in workers:
            assert_type(incoming, Parse)


# --- Restarts


class Fetcher:
    def __init__(self, agent: str = "x") -> None:
        self.agent = agent

    async def __call__(self, ctx: SubsystemContext[Fetch, Parse, Tick]) -> None:
        await fetch_with_workers(ctx)


def make_fetcher() -> Subsystem[Fetch, Parse, Tick]:
    return Fetcher()


def make_database() -> BlockingSubsystem[Store | Lookup, Audit, Tick]:
    return Database().serve


def services() -> list[Service]:
    return [
        Service(fetcher=fetch_with_workers, parser=parse_with_workers, store=store),
        Service(fetcher=fetch, parser=parse_with_workers, store=store_and_more),
        Service(fetcher=Fetcher(), parser=parse_with_workers, store=store_silently),
        Service(fetcher=fresh(Fetcher), parser=parse_with_workers, store=Database()),
        Service(fetcher=fresh(make_fetcher), parser=parse_with_workers, store=Database().serve),
        Service(fetcher=fresh(lambda: Fetcher("y")), parser=parse_with_workers, store=fresh(Database)),
        Service(fetcher=fresh(partial(Fetcher, "y")), parser=parse_with_workers, store=fresh(make_database)),
        Service(fetcher=fetch, parser=parse_with_workers, store=fresh(lambda: Database().serve)),
        Service(fetcher=fetch, parser=parse_with_workers, store=fresh(lambda: store)),
    ]


# --- Spawners


class Naming(Spawner):
    """Changes one method."""

    @override
    def start_soon(
        self,
        nursery: trio.Nursery,
        async_fn: Callable[[*Ts], Awaitable[object]],
        *args: *Ts,
        name: str,
        subsystem: str,
    ) -> None:
        super().start_soon(nursery, async_fn, *args, name=f"{subsystem}: {name}", subsystem=subsystem)


class Structural:
    """Inherits from nothing."""

    def start_soon(
        self,
        nursery: trio.Nursery,
        async_fn: Callable[[*Ts], Awaitable[object]],
        *args: *Ts,
        name: str,
        subsystem: str,
    ) -> None:
        nursery.start_soon(async_fn, *args, name=f"{subsystem}: {name}")

    async def start(
        self,
        nursery: trio.Nursery,
        async_fn: Callable[..., Awaitable[object]],
        *args: object,
        name: str,
        subsystem: str,
    ) -> Any:  # noqa: ANN401 - as the protocol
        return await nursery.start(async_fn, *args, name=f"{subsystem}: {name}")

    async def run_in_thread(
        self,
        sync_fn: Callable[[*Ts], T],
        *args: *Ts,
        name: str,
        subsystem: str,
        limiter: trio.CapacityLimiter | None,
    ) -> T:
        return await trio.to_thread.run_sync(sync_fn, *args, limiter=limiter, thread_name=f"{subsystem}: {name}")


async def use(service: Service) -> None:
    async with service.open(spawner=Naming()) as running:
        assert_type(running.dump(), str)
    async with service.open(spawner=Structural()):
        pass
    async with service.open(spawner=None):
        pass
