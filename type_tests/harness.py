"""What both type checkers must accept of the harness, and what they must reject."""
# pyright: reportUnnecessaryTypeIgnoreComment=error

from typing import Never, assert_type

from orchestra_trio import BlockingSubsystemContext, SubsystemContext, fresh
from orchestra_trio.testing.harness.harness import Harness
from orchestra_trio.testing.harness.opening import open_harness
from type_tests.accepted import Database, Parser, fetch, tick
from type_tests.wiring import Fetch, Lookup, Parse, ParseFast, Pipeline, Store, Tick


def store_blocking(ctx: BlockingSubsystemContext[Store | Lookup, Never, Tick]) -> None:
    """Runs in a thread."""


def parse_sync(ctx: SubsystemContext[Parse, Store | Lookup]) -> None:
    """Not async."""


def has_key(message: Store | Lookup) -> bool:
    return isinstance(message, Lookup)


async def subjects() -> None:
    async with open_harness(fetch) as harness:
        assert_type(harness, Harness[Fetch, Parse, Tick])
    async with open_harness(Parser(), slot=(Pipeline, "parser"), message_capacity=2, within=5) as parser:
        assert_type(parser, Harness[Parse | Fetch, Store | Lookup, Never])
    async with open_harness(Database().serve, consumes=Store | Lookup, signals=Tick) as database:
        assert_type(database, Harness[Store | Lookup, Never, Tick])
    async with open_harness(tick) as clock:
        assert_type(clock, Harness[Never, Fetch, Never])
    async with open_harness(store_blocking, blocking=True) as store:
        assert_type(store, Harness[Store | Lookup, Never, Tick])
    async with open_harness(fresh(Parser), consumes=Parse, sends=Store | Lookup) as anew:
        assert_type(anew, Harness[Parse | Fetch, Store | Lookup, Never])


async def conversation(
    parser: Harness[Parse, Store | Lookup, Tick], store: Harness[Store | Lookup, Never, Tick]
) -> None:
    await parser.send(ParseFast("x"))
    await parser.send_many([Parse("a"), ParseFast("b")])
    assert_type(await parser.signal(Tick(1)), int)
    assert_type(await parser.expect(Lookup), Lookup)
    assert_type(await parser.expect(Store, lambda message: message.record == "a"), Store)
    assert_type(await parser.expect(has_key), Store | Lookup)
    assert_type(await parser.expect(lambda message: message == Store("a")), Store | Lookup)
    assert_type(await parser.expect_many(Store, 2), list[Store])
    assert_type(await parser.expect_unordered(Store, Lookup), tuple[Store, Lookup])
    assert_type(await parser.expect_unordered(Store, Lookup, Store), tuple[Store, Lookup, Store])
    await parser.expect_unordered(Store, has_key)
    assert_type(await store.request(Lookup, "key"), int)
    async with parser.expect_error(ValueError, match="x") as caught:
        await parser.send(Parse("a"))
    assert_type(caught.value, ValueError)
    async with parser.expect_error((ValueError, KeyError)) as either:
        await parser.send(Parse("a"))
    error: Exception = either.value
    del error
    await parser.terminate(Tick(2), grace=1)


async def misuse(parser: Harness[Parse, Store | Lookup, Tick], store: Harness[Store | Lookup, Never, Tick]) -> None:
    # A message that the subject does not consume, in each way.
    await parser.send(Store("x"))  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    parser.send_nowait(Store("x"))  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    await parser.send_many([Store("x")])  # type: ignore[list-item]  # pyright: ignore[reportArgumentType]
    parser.send_unbounded(Store("x"))  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    # What is no signal of the subject.
    await parser.signal(Parse("x"))  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    await parser.terminate(Parse("x"))  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    # A request with a wrong argument, and one that the subject does not consume.
    await store.request(Lookup, 1)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    await parser.request(Lookup, "key")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    # A predicate for other messages.
    await parser.expect(Lookup, lambda message: message.text)  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue, reportUnknownLambdaType, reportUnknownMemberType]
    # A message in place of a type.
    await parser.expect(Store("x"))  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue, reportArgumentType]
    # What is no exception.
    parser.expect_error(Store)  # type: ignore[type-var]  # pyright: ignore[reportArgumentType]
    # What is no subsystem, and options that there are not.
    open_harness(parse_sync)  # type: ignore[arg-type]  # pyright: ignore[reportCallIssue, reportArgumentType]
    open_harness(fetch, wip=True)  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue]
    open_harness(fetch, message_capacity="2")  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue, reportArgumentType]
