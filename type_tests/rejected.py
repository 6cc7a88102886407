"""What both type checkers must reject: each line says which complaint it expects, and must get it."""
# pyright: reportUnnecessaryTypeIgnoreComment=error

from typing import Never

from orchestra_trio import MeteredSender, Orchestra, RunningOrchestra, Subsystem, SubsystemContext, subsystem
from type_tests.accepted import Database, Parser, fetch, quiet, tick
from type_tests.wiring import Audit, Fetch, Lookup, Parse, Pipeline, Quiet, Store, Tick

store = Database().serve


async def parse_other(ctx: SubsystemContext[Store, Store | Lookup]) -> None:
    """Consumes another type than the parser's slot."""


async def fetch_and_store(ctx: SubsystemContext[Fetch, Parse | Store, Tick]) -> None:
    """Sends a type that the fetcher's slot does not declare."""


async def parse_with_tick(ctx: SubsystemContext[Parse, Store, Tick]) -> None:
    """Expects a signal that the parser's slot does not declare."""


async def fetch_without_tick(ctx: SubsystemContext[Fetch, Parse]) -> None:
    """Does not expect the signal that the fetcher's slot gives it."""


def parse_sync(ctx: SubsystemContext[Parse, Store | Lookup]) -> None:
    """Not async."""


# A missing subsystem, and missing baggage.
Pipeline(parser=Parser(), store=store, clock=tick, db_path="x")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
Pipeline(fetcher=fetch, parser=Parser(), store=store, clock=tick)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
# Baggage of another type.
Pipeline(fetcher=fetch, parser=Parser(), store=store, clock=tick, db_path=1)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
# A subsystem that consumes another type.
Pipeline(fetcher=fetch, parser=parse_other, store=store, clock=tick, db_path="x")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
# One that sends a type that its slot does not declare.
Pipeline(fetcher=fetch_and_store, parser=Parser(), store=store, clock=tick, db_path="x")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
# One that does not expect a signal that its slot gives it.
Pipeline(fetcher=fetch_without_tick, parser=Parser(), store=store, clock=tick, db_path="x")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
# One that expects a signal that its slot does not declare.
Pipeline(fetcher=fetch, parser=parse_with_tick, store=store, clock=tick, db_path="x")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
# One that is not async.
Pipeline(fetcher=fetch, parser=parse_sync, store=store, clock=tick, db_path="x")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
# Setting a slot that is not built yet.
Pipeline(fetcher=fetch, parser=Parser(), store=store, clock=tick, db_path="x", later=quiet)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
# Positional arguments.
Quiet(quiet)  # type: ignore[arg-type, call-arg]  # pyright: ignore[reportCallIssue]
# An orchestra is frozen.
Quiet(parser=quiet).parser = quiet  # type: ignore[misc]  # pyright: ignore[reportAttributeAccessIssue]


async def misuse(ctx: SubsystemContext[Parse, Store, Tick], running: RunningOrchestra[Tick, Never]) -> None:
    # Sending a type that is not declared, in each way.
    await ctx.send(Audit("x"))  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    ctx.send_nowait(Audit("x"))  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    await ctx.send_many([Audit("x")])  # type: ignore[list-item]  # pyright: ignore[reportArgumentType]
    await ctx.sender.send(Audit("x"))  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    # A request with a wrong argument, one that is not declared, and one whose answer has another type.
    await ctx.request(Lookup, 1)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    # Broadcasting what is no signal.
    await running.broadcast_signal(Parse("x"))  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    await running.terminate(Parse("x"))  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    # An event where none are declared.
    await running.handle.send(1)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    # A sender of another type.
    handle: MeteredSender[int] = running.handle  # type: ignore[assignment]  # pyright: ignore[reportAssignmentType]
    del handle


# Options that a class does not have, and one of another type.
class Misspelt(Orchestra, message_capcity=64):  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue, reportGeneralTypeIssues]
    parser: Subsystem[Parse]


class Mistyped(Orchestra, unsent="maybe"):  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType, reportGeneralTypeIssues]
    parser: Subsystem[Parse]


class Unknown(Orchestra):
    # An option that a slot does not have.
    parser: Subsystem[Parse] = subsystem(capacity=1)  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue, reportUnknownVariableType]
