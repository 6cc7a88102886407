"""What the tests of faults share: a source that sends through all lanes, and a sink that notes what comes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, NamedTuple, Never, TypeAlias

import attrs
import trio
import trio.testing

from orchestra_trio import Biased, Orchestra, Priority, Subsystem, SubsystemContext, subsystem
from tests.runtime.samples import Tick

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from orchestra_trio.testing.faults.intercepted import Intercepted

Lane: TypeAlias = Literal["bounded", "priority", "unbounded"]
LANES: tuple[Lane, ...] = ("priority", "unbounded", "bounded")


class Red(NamedTuple):
    """A message."""

    number: int
    lane: Lane = "bounded"


class Blue(NamedTuple):
    """Another message."""

    number: int
    lane: Lane = "bounded"


Message: TypeAlias = Red | Blue
AnyFault: TypeAlias = "Callable[[Any], Intercepted[Any, Any]]"


class Line(Orchestra[Tick], yield_every=1_000_000):
    """One sends, the other receives, through all lanes, the most urgent first."""

    source: Subsystem[Never, Red | Blue, Tick] = subsystem(unbounded={Red: "a test", Blue: "a test"})
    sink: Subsystem[Red | Blue, Never, Tick] = subsystem(
        priority=True, select=Biased("priority", "unbounded", "bounded")
    )


async def send(ctx: SubsystemContext[Any, Any, Any], message: Message) -> None:
    """Send a message through its lane."""
    if message.lane == "unbounded":
        ctx.send_unbounded(message)
    else:
        priority = Priority.HIGH if message.lane == "priority" else Priority.NORMAL
        await ctx.send(message, priority=priority)


@attrs.define(eq=False)
class Source:
    """Sends its messages one by one, and ends."""

    messages: Sequence[Message]

    async def __call__(self, ctx: SubsystemContext[Any, Any, Any]) -> None:
        for message in self.messages:
            await send(ctx, message)


@attrs.define(eq=False)
class Sink:
    """Notes what comes, and when; it begins when all that can be sent is there, unless it is eager."""

    is_eager: bool = False
    got: list[Any] = attrs.Factory(list)
    times: list[float] = attrs.Factory(list)

    async def __call__(self, ctx: SubsystemContext[Any, Any, Any]) -> None:
        if not self.is_eager:
            await trio.sleep(1)
        async for incoming in ctx:
            self.got.append(incoming)
            self.times.append(trio.current_time())

    def through(self, lane: Lane) -> list[Any]:
        return [one for one in self.got if one.lane == lane]


def play(main: Callable[[], Any]) -> None:
    """Run an async function on a mock clock that jumps."""
    trio.run(main, clock=trio.testing.MockClock(autojump_threshold=0))


def run_line(source: Any, sink: Any, *, capacity: int = 1000) -> None:  # noqa: ANN401 - subsystems, as tests have them
    """Run a line to its end."""
    play(Line.builder().source(source).sink(sink).message_channel_capacity(capacity).build().run)
