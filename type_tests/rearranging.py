"""Rearranging a wiring: what both type checkers must infer and accept; and, marked, what they must reject."""
# pyright: reportUnnecessaryTypeIgnoreComment=error

import copy
import sys
from typing import Any, Generic, Never, TypeVar, assert_type

from orchestra_trio import (
    Builder,
    Connector,
    Feature,
    Orchestra,
    Subsystem,
    SubsystemContext,
    feature,
    make_orchestra,
    subsystem,
    subsystem_if,
)
from type_tests.accepted import Database, Parser, audit, fetch, quiet, tick
from type_tests.wiring import Audit, Fetch, Imported, Parse, Pipeline, Quiet, Tick

T = TypeVar("T")


class Traced(Orchestra[Tick]):
    """With slots that are in use only with certain features."""

    parser: Subsystem[Parse]
    auditor: Subsystem[Never, Audit] = subsystem_if(feature("audit") & ~feature("lite"), unbounded={Audit: "a test"})
    reader: Subsystem[Audit] = subsystem_if(feature("audit") | feature("read"), message_capacity=8)


async def read(ctx: SubsystemContext[Audit]) -> None:
    async for message in ctx:
        assert_type(message, Audit)


def conditional_slots() -> None:
    """They are optional, features are any collection of names, and both are checked."""
    assert_type(Traced(parser=quiet), Traced)
    full = Traced(parser=quiet, auditor=audit, reader=read, features={"audit"})
    Traced(parser=quiet, features=["audit"], auditor=audit, reader=read)
    Traced(parser=quiet, features=frozenset[str]())
    Quiet(parser=quiet, features=())
    assert_type(full.auditor, Subsystem[Never, Audit])
    assert_type(feature("a") | feature("b") & ~feature("c"), Feature)
    Traced(features={"audit"})  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    Traced(parser=quiet, reader=quiet)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    Traced(parser=quiet, features={1})  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    Traced(parser=quiet, features=3)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    feature("a") | "b"  # type: ignore[operator]  # pyright: ignore[reportOperatorIssue, reportUnusedExpression]
    subsystem_if("a")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    subsystem_if(feature("a"), wip=True)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]


def copies() -> None:
    """They are of the same class; their fields are checked at run time."""
    pipeline = Pipeline(fetcher=fetch, parser=Parser(), store=Database().serve, clock=tick, db_path="x", features=())
    assert_type(pipeline.replace(parser=Parser(), db_path="y"), Pipeline)
    assert_type(pipeline.__replace__(db_path="y"), Pipeline)
    if sys.version_info >= (3, 13):
        assert_type(copy.replace(pipeline, db_path="y"), Pipeline)
    pipeline.replace(3)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]


def spy(original: Subsystem[Fetch, Parse, Tick]) -> Subsystem[Fetch, Parse, Tick]:
    return original


def builders(connector: Connector[Imported]) -> None:
    """They know what they build; the stub of `orchestra-trio expand` knows the fields too."""
    assert_type(Pipeline.builder(), Builder[Pipeline])
    builder = Pipeline.builder().fetcher(fetch).replace_fetcher(spy).db_path("x")
    assert_type(builder, Builder[Pipeline])
    builder = builder.message_channel_capacity(8).signal_channel_capacity(8).features({"audit"})
    assert_type(builder.build(), Pipeline)
    assert_type(builder.build_with_connector(connector), Pipeline)
    builder.message_channel_capacity("8")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    builder.features(3)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    builder.build(3)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    builder.fetcher()  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    quiet_builder: Builder[Quiet] = builder  # type: ignore[assignment]  # pyright: ignore[reportAssignmentType]
    general: Builder[Orchestra[Tick, Imported]] = builder
    del quiet_builder, general


class Keeping(Orchestra[Tick], Generic[T]):
    """Generic in its baggage."""

    parser: Subsystem[Parse]
    db: T
    past: tuple[T, ...] = ()


class Counting(Keeping[int]):
    """Of one kind of baggage."""

    depth: int = 3


def generic_baggage() -> None:
    """Type arguments are given or inferred, and kept."""
    assert_type(Keeping[int](parser=quiet, db=3), Keeping[int])
    assert_type(Keeping(parser=quiet, db="x", past=("y",)).db, str)
    assert_type(Keeping[int](parser=quiet, db=3).replace(db=4), Keeping[int])
    assert_type(Keeping[int].builder().build(), Keeping[int])
    assert_type(Counting(parser=quiet, db=3).db, int)
    assert_type(Counting(parser=quiet, db=3).past, tuple[int, ...])
    Keeping[int](parser=quiet, db="x")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    Counting(parser=quiet, db="x")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    Counting(parser=quiet, db=3, past=("x",))  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


def declared_at_run_time() -> None:
    """What checkers cannot know about such a class is `Any`; the options they know."""
    made = make_orchestra("P", {"parser": Subsystem[Parse], "db": (int, 3)}, signals=Tick, message_capacity=8)
    assert_type(made, type[Orchestra[Any, Any]])
    make_orchestra("Q", {"later": subsystem(consumes=Fetch)}, bases=(Quiet,), namespace={"x": 1}, unsent="warn")
    make_orchestra("R", {}, message_capcity=8)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    make_orchestra("R", {}, unsent="maybe")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    assert_type(Pipeline.message_types, tuple[type, ...])
