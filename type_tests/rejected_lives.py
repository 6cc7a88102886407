"""What both type checkers must reject about threads, workers, restarts and spawners."""
# pyright: reportUnnecessaryTypeIgnoreComment=error

import trio

from orchestra_trio import (
    BlockingSubsystem,
    BlockingSubsystemContext,
    Orchestra,
    Restart,
    Spawner,
    Subsystem,
    SubsystemContext,
    fresh,
    subsystem,
)
from type_tests.accepted import fetch
from type_tests.accepted_lives import Database, Fetcher, Naming, parse_with_workers, store, work
from type_tests.wiring import Audit, Fetch, Lookup, Parse, Service, Store, Tick


async def store_async(ctx: BlockingSubsystemContext[Store | Lookup, Audit, Tick]) -> None:
    """Is async."""


def store_less(ctx: BlockingSubsystemContext[Store, Audit, Tick]) -> None:
    """Does not know a type that its slot consumes."""


def store_and_parse(ctx: BlockingSubsystemContext[Store | Lookup, Audit | Parse, Tick]) -> None:
    """Sends a type that its slot does not declare."""


def store_without_tick(ctx: BlockingSubsystemContext[Store | Lookup, Audit]) -> None:
    """Does not expect the signal that its slot gives it."""


def store_with_more_signals(ctx: BlockingSubsystemContext[Store | Lookup, Audit, Tick | Fetch]) -> None:
    """Expects a signal that its slot does not declare."""


def store_with_another_context(ctx: SubsystemContext[Store | Lookup, Audit, Tick]) -> None:
    """Expects the context of an async one."""


def fetch_sync(ctx: SubsystemContext[Fetch, Parse, Tick]) -> None:
    """Is not async."""


async def fetch_with_another_context(ctx: BlockingSubsystemContext[Fetch, Parse, Tick]) -> None:
    """Expects the context of a blocking one."""


class AsyncDatabase:
    async def __call__(self, ctx: BlockingSubsystemContext[Store | Lookup, Audit, Tick]) -> None:
        """Is async."""


class SyncFetcher:
    def __call__(self, ctx: SubsystemContext[Fetch, Parse, Tick]) -> None:
        """Is not async."""


class OtherFetcher:
    async def __call__(self, ctx: SubsystemContext[Store, Parse, Tick]) -> None:
        """Consumes another type."""


class NeedsPath:
    def __init__(self, path: str) -> None:
        self.path = path

    def __call__(self, ctx: BlockingSubsystemContext[Store | Lookup, Audit, Tick]) -> None:
        """Cannot be made without an argument."""


# --- Threads

Service(fetcher=fetch, parser=parse_with_workers, store=store_async)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
Service(fetcher=fetch, parser=parse_with_workers, store=AsyncDatabase())  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
Service(fetcher=fetch, parser=parse_with_workers, store=store_less)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
Service(fetcher=fetch, parser=parse_with_workers, store=store_and_parse)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
Service(fetcher=fetch, parser=parse_with_workers, store=store_without_tick)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
Service(fetcher=fetch, parser=parse_with_workers, store=store_with_more_signals)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
Service(fetcher=fetch, parser=parse_with_workers, store=store_with_another_context)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
# A class, rather than an object of it.
Service(fetcher=fetch, parser=parse_with_workers, store=Database)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
# An async subsystem in a blocking slot, and the other way round.
Service(fetcher=fetch, parser=parse_with_workers, store=fetch)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
Service(fetcher=store, parser=parse_with_workers, store=store)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
Service(fetcher=fetch_sync, parser=parse_with_workers, store=store)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
Service(fetcher=fetch_with_another_context, parser=parse_with_workers, store=store)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
# A slot that is not built yet.
Service(fetcher=fetch, parser=parse_with_workers, store=store, later=store)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]


def misuse_thread(
    ctx: BlockingSubsystemContext[Parse, Store, Tick], other: BlockingSubsystemContext[Parse, Lookup]
) -> None:
    # Sending a type that is not declared, in each way.
    ctx.send(Audit("x"))  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    ctx.send_nowait(Audit("x"))  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    ctx.send_many([Audit("x")])  # type: ignore[list-item]  # pyright: ignore[reportArgumentType]
    ctx.send_unbounded(Audit("x"))  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    # A request that is not declared, and one with a wrong argument.
    ctx.request(Lookup, "key")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    other.request(Lookup, 1)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    # A job with wrong arguments.
    ctx.start_soon(len, 1)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    # Of what comes, all kinds are to be expected.
    message: Parse = ctx.receive()  # type: ignore[assignment]  # pyright: ignore[reportAssignmentType]
    signal: Tick = next(ctx)  # type: ignore[assignment]  # pyright: ignore[reportAssignmentType]
    del message, signal


# --- Workers


async def misuse_workers(ctx: SubsystemContext[Fetch, Parse, Tick]) -> None:
    ctx.open_workers()  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    ctx.open_workers("5")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    with ctx.open_workers(5):  # type: ignore[attr-defined]  # pyright: ignore[reportGeneralTypeIssues]
        pass
    async with ctx.open_workers(max_in_flight=5) as workers:
        # Wrong arguments, one too few, and a function that is not async.
        workers.start_soon(work, "1", "x")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
        workers.start_soon(work, 1)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
        workers.start_soon(print, "x")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
        # It is told, not set.
        workers.in_flight = 1  # type: ignore[misc]  # pyright: ignore[reportAttributeAccessIssue]
        async for incoming in workers:
            # Both signals and messages come.
            message: Fetch = incoming  # type: ignore[assignment]  # pyright: ignore[reportAssignmentType]
            signal: Tick = incoming  # type: ignore[assignment]  # pyright: ignore[reportAssignmentType]
            del message, signal


# --- Restarts

# Made objects that do not fit.
Service(fetcher=fresh(OtherFetcher), parser=parse_with_workers, store=store)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
Service(fetcher=fresh(SyncFetcher), parser=parse_with_workers, store=store)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
Service(fetcher=fresh(Database), parser=parse_with_workers, store=store)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
Service(fetcher=fetch, parser=parse_with_workers, store=fresh(AsyncDatabase))  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
Service(fetcher=fetch, parser=parse_with_workers, store=fresh(Fetcher))  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
# What makes nothing, needs an argument, or is an object already.
Service(fetcher=fetch, parser=parse_with_workers, store=fresh(lambda: None))  # type: ignore[arg-type, return-value]  # pyright: ignore[reportArgumentType, reportUnknownArgumentType]
Service(fetcher=fetch, parser=parse_with_workers, store=fresh(NeedsPath))  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
Service(fetcher=fetch, parser=parse_with_workers, store=fresh(Database()))  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType, reportUnknownArgumentType]
Service(fetcher=fresh(fetch), parser=parse_with_workers, store=store)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType, reportUnknownArgumentType]
# Arguments that a Restart does not have, or of another type.
Restart(max_tries=3)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
Restart(3, 60, 1, 2, 30, 0, OSError, "all", 1)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
Restart(max_restarts="3")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
Restart(on=KeyboardInterrupt)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
Restart(on="OSError")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
Restart(order="one")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
# It is frozen.
Restart().max_restarts = 4  # type: ignore[misc]  # pyright: ignore[reportAttributeAccessIssue]


class WrongSlots(Orchestra):
    parser: Subsystem[Parse] = subsystem(restart=3)  # type: ignore[call-overload]  # pyright: ignore[reportArgumentType]
    store: BlockingSubsystem[Store] = subsystem(restart_group=1)  # type: ignore[call-overload]  # pyright: ignore[reportArgumentType]
    fetcher: BlockingSubsystem[Fetch] = subsystem(restarts=Restart())  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue, reportUnknownVariableType]


class Hopeful(Orchestra, on_deadlock="nope"):  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType, reportGeneralTypeIssues]
    parser: Subsystem[Parse]


# --- Spawners


class Incomplete:
    def start_soon(self, nursery: trio.Nursery) -> None:
        """Takes too little, and the other methods are missing."""


class Ungeneral(Spawner):
    def start_soon(self, nursery: trio.Nursery, async_fn: object, *, name: str, subsystem: str) -> None:  # type: ignore[override]  # pyright: ignore[reportIncompatibleMethodOverride]
        """Takes no arguments for the function."""


def misuse_spawners(service: Service) -> None:
    service.open(spawner=Incomplete())  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    service.open(spawner=Naming)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    service.open(spawner="default")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    service.open(spawners=Naming())  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    Spawner()  # type: ignore[misc]  # pyright: ignore[reportAbstractUsage]
