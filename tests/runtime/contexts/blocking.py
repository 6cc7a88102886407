"""What the tests of blocking subsystems share: wirings, subsystems for threads, and how tests and threads meet."""

from __future__ import annotations

from threading import Event
from typing import TYPE_CHECKING, Any, Final, Never

import attrs
import trio

from orchestra_trio import Biased, BlockingSubsystem, BlockingSubsystemContext, Orchestra, Subsystem, subsystem
from tests.runtime.samples import Ask, Item, Other, Tick

if TYPE_CHECKING:
    from collections.abc import Callable

    from orchestra_trio import RunningOrchestra
    from orchestra_trio.records import Wait

AnyBlockingContext = BlockingSubsystemContext[Any, Any, Any]

PATIENCE: Final = 60
"""Real seconds after which a test counts as hanging: far more than it takes on the slowest machine."""


class Desk(Orchestra[Tick], message_capacity=2, signal_capacity=2):
    """One in a thread, fed from outside."""

    worker: BlockingSubsystem[Item | Other | Ask, Never, Tick]


class Press(Orchestra[Tick], message_capacity=2):
    """One in a thread sends to one in a task."""

    source: BlockingSubsystem[Never, Item | Other | Ask, Tick]
    sink: Subsystem[Item | Other | Ask]


class Tandem(Orchestra[Tick], message_capacity=2):
    """Both in threads."""

    source: BlockingSubsystem[Never, Item | Other | Ask]
    sink: BlockingSubsystem[Item | Other | Ask, Never, Tick]


class Wheel(Orchestra[Tick], message_capacity=1):
    """Two in threads that send to each other."""

    ping: BlockingSubsystem[Item, Other, Tick]
    pong: BlockingSubsystem[Other, Item]


class Mixed(Orchestra[Tick], message_capacity=1):
    """One in a thread and one in a task that send to each other."""

    ping: BlockingSubsystem[Item, Other, Tick]
    pong: Subsystem[Other, Item]


class Reverse(Orchestra[Tick], message_capacity=1):
    """As `Mixed`, the other way round."""

    ping: Subsystem[Item, Other, Tick]
    pong: BlockingSubsystem[Other, Item]


class Lanes(Orchestra[Tick], message_capacity=100):
    """A worker with all four lanes, and a feeder that sends unbounded."""

    feeder: BlockingSubsystem[str, Other] = subsystem(unbounded={Other: "a test"})
    worker: BlockingSubsystem[Item | Other, Never, Tick] = subsystem(
        priority=True, select=Biased("priority", "unbounded", "bounded")
    )


class Lone(Orchestra[Tick]):
    """One that could send to itself."""

    worker: BlockingSubsystem[Item | Ask, Item | Ask, Tick] = subsystem(unbounded={Item: "a test"})


class Ready(Orchestra):
    """One in a thread, which opening waits for."""

    worker: BlockingSubsystem[Item] = subsystem(readiness=True)


class Gate:
    """Where a thread waits until the test, or another thread, opens it."""

    def __init__(self) -> None:
        self._event = Event()
        self._reached = Event()

    @property
    def is_reached(self) -> bool:
        return self._reached.is_set()

    def open(self) -> None:
        self._event.set()

    def wait(self) -> None:
        self._reached.set()
        assert self._event.wait(PATIENCE), "nobody opened the gate"


async def until(condition: Callable[[], object]) -> None:
    """Wait on the system clock for what a thread is about to do."""
    with trio.fail_after(PATIENCE):
        while not condition():  # noqa: ASYNC110 - a thread cannot set an event of trio's in passing
            await trio.lowlevel.checkpoint()


def waits_of(running: RunningOrchestra[Any, Any], name: str) -> list[Wait]:
    return list(running.statistics().subsystems[name].waits)


async def until_it_waits(running: RunningOrchestra[Any, Any], name: str, kind: str = "receive") -> None:
    """Wait until a subsystem waits in one kind of call."""
    await until(lambda: kind in {wait.kind for wait in waits_of(running, name)})


async def until_it_ends(running: RunningOrchestra[Any, Any], name: str) -> None:
    """Wait until nothing of a subsystem runs any more."""
    await until(lambda: running.statistics().subsystems[name].state in {"finished", "failed", "cancelled"})


def idle(ctx: AnyBlockingContext) -> None:
    """Receive until the input ends."""
    for _ in ctx:
        pass


def done(_: AnyBlockingContext) -> None:
    """End at once."""


def answering(ctx: AnyBlockingContext) -> None:
    """Answer every request with twice its number."""
    for incoming in ctx:
        if isinstance(incoming, Ask):
            incoming.reply.send(2 * incoming.number)


@attrs.define(eq=False)
class Collects:
    """Receives until the input ends, and keeps it."""

    gate: Gate | None = None
    """Where it waits before the first call."""
    got: list[Any] = attrs.Factory(list)

    def __call__(self, ctx: AnyBlockingContext) -> None:
        if self.gate is not None:
            self.gate.wait()
        for incoming in ctx:
            self.got.append(incoming)


@attrs.define(eq=False)
class Does:
    """Runs a function of the test as a subsystem, and keeps what came of it."""

    function: Callable[[AnyBlockingContext], object]
    result: Any = None
    error: BaseException | None = None

    def __call__(self, ctx: AnyBlockingContext) -> None:
        try:
            self.result = self.function(ctx)
        except BaseException as error:
            self.error = error
            raise
