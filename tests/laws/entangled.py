"""Playing a tangle: subsystems that do what it says, under a mock clock and a seeded schedule."""

from __future__ import annotations

from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any

import attrs
import trio
import trio.testing

from orchestra_trio import OneshotCancelled, Priority
from tests.laws.ledger import HORIZON, Crew, Ctx, Ledger, Part
from tests.laws.performance import seeded
from tests.laws.tangles import EXPORT, make_class, message_type
from tests.laws.wirings import SIGNALS, Message, name_of

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

    from orchestra_trio import OneshotSender
    from tests.laws.ledger import Outcome
    from tests.laws.tangles import Step, Tangle

__all__ = ["Boom", "play"]


class Boom(Exception):
    """What scripts raise."""


@attrs.define(eq=False)
class Player(Ledger):
    """Plays one tangle once."""

    tangle: Tangle = attrs.field(kw_only=True)
    held: dict[str, list[OneshotSender[int]]] = attrs.Factory(dict)
    """The reply ends that each subsystem keeps."""
    incarnations: dict[str, int] = attrs.Factory(dict)
    outside: trio.Nursery | None = None
    numbers: int = 0

    # --- What they do ----------------------------------------------------------------------------------------------

    def subsystem(self, number: int) -> Callable[[Ctx], Awaitable[None]]:
        """Return the subsystem of one slot."""
        knot, name = self.tangle.knots[number], name_of(number)
        self.held[name] = []

        async def main(ctx: Ctx) -> None:
            self.incarnations[name] = self.incarnations.get(name, 0) + 1
            await self.task(Part(name, knot, ctx), knot.script)

        return main

    async def task(self, part: Part, steps: tuple[Step, ...]) -> None:
        with self.living(part), suppress(trio.EndOfChannel):
            await self.do_all(part, steps)

    async def do_all(self, part: Part, steps: tuple[Step, ...]) -> None:
        for step in steps:
            with self.limit(part, None if step.kind == "workers" and step.high else step.within):
                await self.do(part, step)
            self.note(part)

    async def do(self, part: Part, step: Step) -> None:
        match step.kind:
            case "send" | "request" | "receive" | "echo" | "hear" | "answer":
                await self.exchange(part, step)
            case "sleep":
                await trio.sleep(step.count)
            case "lend":
                assert self.outside is not None
                self.outside.start_soon(self.send_outside, part, step)
            case "raise":
                if self.incarnations[part.name] < 3:  # as often as restarts allow
                    raise Boom
            case _:
                await self.do_together(part, step)

    async def exchange(self, part: Part, step: Step) -> None:
        """Send, receive, or answer."""
        match step.kind:
            case "send":
                await self.send(part, step)
            case "request":
                await self.request(part, step)
            case "receive":
                for _ in range(step.count):
                    await self.take_in(part, await part.ctx.receive())
            case "echo":
                for _ in range(step.count):
                    await self.take_in(part, await part.ctx.receive())
                    await self.send(part, attrs.evolve(step, count=1))
            case "hear" if part.knot.hears:
                await part.ctx.receive_signal()
            case "answer" if self.held[part.name]:
                self.held[part.name].pop(0).send(1)

    async def do_together(self, part: Part, step: Step) -> None:
        """Do what several tasks do."""
        match step.kind:
            case "job":
                part.ctx.start_soon(self.task, part.child(0), step.children[0], background=step.high)
            case "start":
                with self.doing(part, "joining"):
                    await part.ctx.start(self.started_task, part.child(part.limits), step)
            case "nursery":
                try:
                    async with trio.open_nursery() as nursery:
                        for child in step.children:
                            nursery.start_soon(self.task, part.child(part.limits), child)
                        with suppress(trio.EndOfChannel):  # here: the nursery would wrap it
                            await self.do_all(part, step.body)
                        part.doing = "joining"
                finally:
                    part.doing = "something"
            case "workers":
                await self.employ(part, step)

    async def started_task(  # noqa: ASYNC114 - of this module alone
        self, part: Part, step: Step, *, task_status: trio.TaskStatus[None]
    ) -> None:
        """A job that does something before it is started: until then the limits of who starts it are its own."""
        inherited = part.limits
        with self.living(part):
            with suppress(trio.EndOfChannel):
                await self.do_all(part, step.body)
            part.limits -= inherited
            task_status.started()
            with suppress(trio.EndOfChannel):
                await self.do_all(part, step.children[0])

    async def employ(self, part: Part, step: Step) -> None:
        """Let workers deal with some messages; then do something else, and wait for them."""
        crew = Crew(step.count)
        limits = part.limits

        async def work() -> None:
            try:
                await self.task(part.child(limits), step.children[0])
            finally:
                crew.at_work -= 1

        try:
            async with part.ctx.open_workers(crew.most) as workers:
                part.crew = crew
                with self.limit(part, step.within if step.high else None):
                    for _ in range(9):
                        with self.doing(part, "idling"):
                            incoming = await anext(workers, None)
                        if isinstance(incoming, Message):
                            crew.at_work += 1
                            workers.start_soon(work)
                            await self.take_in(part, incoming)
                part.crew = None
                await self.do_all(part, step.body)
                part.doing = "joining"
        finally:
            part.crew, part.doing = None, "something"

    # --- Messages --------------------------------------------------------------------------------------------------

    def next_number(self) -> int:
        self.numbers += 1
        return self.numbers

    async def send(self, part: Part, step: Step) -> None:
        target = part.knot.edges[step.which % len(part.knot.edges)]
        made: Any = message_type(part.knot, target)
        lane = "priority" if step.high and target != EXPORT and self.tangle.knots[target].priority else "bounded"
        part.aims_at(target, 0, lane)
        priority = Priority.HIGH if step.high else Priority.NORMAL
        with self.doing(part, "sending"):
            if step.count % 2:
                await part.ctx.send_many([made(self.next_number()) for _ in range(step.count)], priority=priority)
            else:
                for _ in range(step.count):
                    await part.ctx.send(made(self.next_number()), priority=priority)

    async def request(self, part: Part, step: Step) -> None:
        target = part.knot.edges[step.which % len(part.knot.edges)]
        if target == EXPORT:
            await self.send(part, step)
            return
        made: Any = message_type(part.knot, target)
        for _ in range(step.count):
            number = self.next_number()
            part.aims_at(target, number, "request")
            with self.doing(part, "requesting"), suppress(OneshotCancelled):
                await part.ctx.request(partial(_with_reply, made, number))

    async def take_in(self, part: Part, item: object) -> None:
        """Deal with what was received: answer a request, or not, or let another subsystem do it."""
        if not isinstance(item, Message) or item.reply is None:
            return
        self.taken.add(item.number)
        forward = next((edge for edge in part.knot.edges if edge != EXPORT), None)
        match part.knot.requests:
            case "answer":
                item.reply.send(1)
            case "close":
                item.reply.close()
            case "forward" if forward is not None:
                made: Any = message_type(part.knot, forward)
                part.aims_at(forward, 0, "bounded")
                with self.doing(part, "sending"):
                    await part.ctx.send(made(self.next_number(), 0, item.reply))
            case _:
                self.held[part.name].append(item.reply)

    async def send_outside(self, part: Part, step: Step) -> None:
        """Send as a subsystem does, in a task that is none of it."""
        target = part.knot.edges[step.which % len(part.knot.edges)]
        made: Any = message_type(part.knot, target)
        for _ in range(step.count):
            await part.ctx.sender.send(made(self.next_number()))

    # --- The whole -------------------------------------------------------------------------------------------------

    async def main(self, on_deadlock: str) -> None:
        mains: dict[str, Any] = {name_of(number): self.subsystem(number) for number in range(len(self.tangle.knots))}
        orchestra = make_class(self.tangle, on_deadlock)(**mains)
        trio.lowlevel.add_instrument(self)
        try:
            async with trio.open_nursery() as self.outside, orchestra.open() as running:
                closing = () if self.tangle.close_at is None else (self.tangle.close_at,)
                for second in sorted({*self.tangle.signals_at, *closing}):
                    await trio.sleep_until(second)
                    if second in self.tangle.signals_at:
                        with trio.move_on_after(0):  # it is delivered, whoever does not receive
                            await running.broadcast_signal(SIGNALS[0](second))
                    if second in closing:
                        running.close_input()
                await trio.sleep_until(HORIZON)
                self.end()
                running.cancel()
                self.outside.cancel_scope.cancel()
        except BaseExceptionGroup as group:
            self.outcome.errors = tuple(_leaves(group))
            self.outcome.stopped_at = trio.current_time()
        finally:
            trio.lowlevel.remove_instrument(self)


def _with_reply(made: Any, number: int, reply: OneshotSender[int]) -> Message:  # noqa: ANN401 - a message type
    message: Message = made(number, 0, reply)
    return message


def _leaves(error: BaseException) -> Iterator[BaseException]:
    if isinstance(error, BaseExceptionGroup):
        for one in error.exceptions:
            yield from _leaves(one)
    else:
        yield error


def play(tangle: Tangle, on_deadlock: str) -> Outcome:
    """Play a tangle once, until nothing moves any more, or until an error has stopped it."""
    player = Player(tangle=tangle)
    with seeded(tangle.seed):
        trio.run(player.main, on_deadlock, clock=trio.testing.MockClock(autojump_threshold=0))
    return player.outcome
