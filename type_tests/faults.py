"""Faults: what both type checkers must infer and accept; and, marked, what they must reject."""
# pyright: reportUnnecessaryTypeIgnoreComment=error

from collections.abc import Awaitable
from typing import Never, assert_type

from orchestra_trio import BlockingSubsystem, BlockingSubsystemContext, Subsystem, SubsystemContext, fresh
from orchestra_trio.testing.faults.chances import delay, drop, duplicate, reorder
from orchestra_trio.testing.faults.intercepted import Intercepted, intercept
from orchestra_trio.testing.faults.stages import Instead
from orchestra_trio.testing.faults.tally import Tally
from type_tests.accepted import Database, Parser, fetch, tick
from type_tests.wiring import Audit, Fetch, Lookup, Parse, Pipeline, Store, Tick


def store(ctx: BlockingSubsystemContext[Store | Lookup, Audit, Tick]) -> None:
    for incoming in ctx:
        assert_type(incoming, Store | Lookup | Tick)


def as_subsystems(
    fetcher: Subsystem[Fetch, Parse, Tick], blocking: BlockingSubsystem[Store | Lookup, Audit, Tick]
) -> None:
    """A subsystem of the same type, for the same slot."""
    same: Subsystem[Fetch, Parse, Tick] = drop(fetcher, Parse, every=3)
    same = delay(duplicate(reorder(same, Fetch, window=5), probability=0.5, seed=3), seconds=(0.5, 2), on="send")
    same = intercept(drop(fetch), on_signal=print)
    threaded: BlockingSubsystem[Store | Lookup, Audit, Tick] = duplicate(intercept(blocking))
    threaded = delay(drop(store), seconds=1)
    assert_type(drop(fetcher), Intercepted[SubsystemContext[Fetch, Parse, Tick], Awaitable[None]])
    assert_type(drop(store), Intercepted[BlockingSubsystemContext[Store | Lookup, Audit, Tick], None])
    assert_type(drop(fetch).dropped, int)
    assert_type(drop(fetch).received, Tally)
    Pipeline(fetcher=drop(fetch), parser=reorder(Parser()), store=drop(Database().serve), clock=tick, db_path="x")
    Pipeline(fetcher=fetch, parser=drop(fresh(Parser)), store=Database().serve, clock=duplicate(tick), db_path="x")
    other: Subsystem[Parse, Parse, Tick] = drop(fetcher)  # type: ignore[arg-type]  # pyright: ignore[reportAssignmentType]
    other = drop(store)  # type: ignore[arg-type]  # pyright: ignore[reportAssignmentType]
    del same, threaded, other


def change(message: Fetch) -> Fetch | Instead[Fetch] | None:
    match message.url:
        case "":
            return Instead()
        case "x":
            return Instead(message, message)
        case "y":
            return Fetch("z")
        case _:
            return None


def wrong(message: Fetch) -> str:
    return message.url


async def later(message: Fetch) -> None:
    del message


def hooks(fetcher: Subsystem[Fetch, Parse, Tick], blocking: BlockingSubsystem[Store | Lookup, Audit, Tick]) -> None:
    """Hooks get what the subsystem consumes or sends, and give such messages back, or nothing."""
    seen: list[object] = []
    intercept(fetcher, on_receive=seen.append, on_send=seen.append, on_signal=seen.append)
    intercept(fetcher, on_receive=change)
    intercept(fetcher, on_send=lambda message: Parse(message.text))
    intercept(fetcher, on_send=lambda message: Instead(message, Parse(message.text)))
    intercept(blocking, on_receive=lambda _: Instead(), on_send=lambda message: Audit(message.line))
    intercept(fetcher, on_signal=lambda tick: tick.number)
    intercept(fetcher, on_receive=wrong)  # type: ignore[misc]  # pyright: ignore[reportCallIssue, reportArgumentType]
    intercept(fetcher, on_receive=later)  # type: ignore[misc]  # pyright: ignore[reportCallIssue, reportArgumentType]
    intercept(fetcher, on_send=change)  # type: ignore[misc]  # pyright: ignore[reportCallIssue, reportArgumentType]
    intercept(fetcher, on_dropped=print)  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue]


def arguments(fetcher: Subsystem[Fetch, Never, Tick]) -> None:
    drop(fetcher, "Fetch")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    drop(fetcher, on="sent")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    delay(fetcher)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    delay(fetcher, seconds=(1, 2, 3))  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    reorder(fetcher, window="3")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    drop(3)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
