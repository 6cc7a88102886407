"""The stub that `orchestra-trio expand` writes, in use: its builder knows what was set."""

from typing import Never, assert_type

from orchestra_trio import Connector, Subsystem, SubsystemContext
from type_tests.expanded import (  # pyright: ignore[reportMissingModuleSource] - a stub alone, as users have it
    Given,
    Missing,
    Pipeline,
    PipelineBuilder,
)
from type_tests.wiring import Audit, Fetch, Imported, Lookup, Parse, Store, Tick


async def fetch(ctx: SubsystemContext[Fetch, Parse | Audit, Tick]) -> None: ...
async def parse(ctx: SubsystemContext[Parse, Store | Lookup]) -> None: ...
async def store(ctx: SubsystemContext[Store | Lookup, Never, Tick]) -> None: ...
async def clock(ctx: SubsystemContext[Never, Fetch]) -> None: ...


def fresh_store(original: Subsystem[Store | Lookup, Never, Tick]) -> Subsystem[Store | Lookup, Never, Tick]:
    return original


begun = Pipeline.builder().fetcher(fetch).parser(parse).db_path("x")
assert_type(begun, PipelineBuilder[Given, Given, Missing, Missing, Given])
ready = begun.store(store).clock_with(lambda _handle: clock).message_channel_capacity(8)
assert_type(ready.build(), Pipeline)
assert_type(ready.build_with_connector(Connector[Imported]()), Pipeline)
assert_type(ready.replace_store(fresh_store).db_path("y").build(), Pipeline)

# What is rejected: building before all is set,
begun.build()  # type: ignore[misc]  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType]
# setting a subsystem twice,
begun.parser(parse)  # type: ignore[misc]  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType]
# replacing one that is not set,
begun.replace_store(fresh_store)  # type: ignore[misc]  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType]
# one that does not fit its slot,
begun.store(parse)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
# and a slot that is not built yet.
begun.later(parse)  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType]
