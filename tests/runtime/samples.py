"""What the tests of the running orchestra share: messages, small wirings, and subsystems that do one thing."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple, Never

import attrs
import pytest
import trio

from orchestra_trio import OneshotSender, Orchestra, Subsystem, SubsystemContext

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

AnyContext = SubsystemContext[Any, Any, Any]


@attrs.frozen
class Tick:
    """A signal."""

    number: int = 0


@attrs.frozen
class LateTick(Tick):
    """A signal that whoever hears a Tick hears too."""


@attrs.frozen
class Tock:
    """Another signal."""


class Item(NamedTuple):
    """A message."""

    number: int


class Other(NamedTuple):
    """Another message."""

    number: int


class Ask(NamedTuple):
    """A message that carries a reply end."""

    reply: OneshotSender[int]
    number: int = 0


class Imported(NamedTuple):
    """An event."""

    number: int


class Solo(Orchestra[Tick], message_capacity=2, signal_capacity=2):
    """One subsystem, fed from outside."""

    worker: Subsystem[Item | Other | Ask, Never, Tick]


class Duo(Orchestra, message_capacity=2):
    """One sends, the other receives."""

    source: Subsystem[Never, Item | Other | Ask]
    sink: Subsystem[Item | Other | Ask]


class Ring(Orchestra[Tick], message_capacity=2):
    """Two that send to each other."""

    ping: Subsystem[Item, Other, Tick]
    pong: Subsystem[Other, Item]


async def idle(ctx: AnyContext) -> None:
    """Receive until the input ends."""
    async for _ in ctx:
        pass


async def done(_: AnyContext) -> None:
    """End at once."""
    await trio.lowlevel.checkpoint()


async def forever(_: AnyContext) -> None:
    """Never receive, and never end."""
    await trio.sleep_forever()


async def answering(ctx: AnyContext) -> None:
    """Answer every request with twice its number."""
    async for incoming in ctx:
        if isinstance(incoming, Ask):
            incoming.reply.send(2 * incoming.number)


class Collect:
    """Receives until the input ends, and keeps it."""

    def __init__(self, delay: float = 0) -> None:
        self.got: list[Any] = []
        self.delay = delay

    async def __call__(self, ctx: AnyContext) -> None:
        await trio.sleep(self.delay)
        async for incoming in ctx:
            self.got.append(incoming)

    @property
    def numbers(self) -> list[int]:
        return [one.number for one in self.got]


class Fails:
    """Raises an exception after a time."""

    def __init__(self, error: BaseException, after: float = 0) -> None:
        self.error = error
        self.after = after

    async def __call__(self, *_: object) -> None:
        await trio.sleep(self.after)
        raise self.error


class Sends:
    """Sends messages, one by one, and ends."""

    def __init__(self, *messages: Any) -> None:  # noqa: ANN401 - whatever the wiring allows
        self.messages = messages

    async def __call__(self, ctx: AnyContext) -> None:
        for message in self.messages:
            await ctx.send(message)


class Playing:
    """Runs a function of the test as a subsystem; for those that are written in place."""

    def __init__(self, function: Callable[[AnyContext], Awaitable[object]]) -> None:
        self.function = function

    async def __call__(self, ctx: AnyContext) -> None:
        await self.function(ctx)


@contextmanager
def stopped() -> Iterator[list[BaseException]]:
    """See that the block raises one group; fill the list with what that directly contains."""
    errors: list[BaseException] = []
    try:
        yield errors
    except BaseExceptionGroup as group:
        errors += group.exceptions
    else:
        pytest.fail("no group was raised")


class Ends:
    """Notes in which order subsystems ended, and when."""

    def __init__(self) -> None:
        self.log: list[tuple[str, float]] = []

    def note(self, ctx: AnyContext) -> None:
        self.log.append((ctx.name, trio.current_time()))

    @property
    def names(self) -> list[str]:
        return [name for name, _ in self.log]


def countdown(reply: Any, ends: Ends, got: list[int] | None = None, pause: float = 0) -> Any:  # noqa: ANN401 - of any wiring
    """Send back each number less one, until 0."""

    async def play(ctx: AnyContext) -> None:
        async for incoming in ctx:
            if got is not None:
                got.append(incoming.number)
            await trio.sleep(pause)
            if incoming.number:
                await ctx.send(reply(incoming.number - 1))
        ends.note(ctx)

    return play


class Three(Orchestra[Tick | Tock], signal_capacity=2, signal_timeout=5):
    """One hears both, one hears one of them, one hears none."""

    both: Subsystem[Item, Never, Tick | Tock]
    ticks: Subsystem[Other, Never, Tick]
    deaf: Subsystem[int]
