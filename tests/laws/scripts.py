"""Subsystems that do what an episode says, and note all of it.

Nothing here waits for ever by its own fault: along an edge that leads back (to the slot itself or one before it), a
step without a time limit does not wait; a step that waits for signals alone always has a limit. So a run that hangs
is a finding.
"""

from __future__ import annotations

import math
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

import attrs
import trio

from orchestra_trio import Priority, SubsystemExited, SubsystemStalled
from tests.laws.wirings import MESSAGES, SIGNALS, SUBTYPES, Edge, Event, Message, Signal, Step, name_of

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

    from orchestra_trio import OneshotSender, RunningOrchestra, SubsystemContext
    from tests.laws.recorder import Attempt, Recorder
    from tests.laws.wirings import Episode, Script

__all__ = ["Player", "Voice"]


@attrs.frozen
class Voice:
    """Somebody who sends: a subsystem, or the embedding program."""

    name: str | None
    place: int
    """The number of the slot; -1 for the embedding program."""
    edges: tuple[Edge, ...]
    ctx: SubsystemContext[Any, Any, Any] | None
    send: Callable[..., Awaitable[None]]
    send_nowait: Callable[..., None]
    request: Callable[..., Awaitable[int]]

    def may_wait(self, edge: Edge, step: Step) -> bool:
        return edge.consumer > self.place or step.within is not None


@attrs.define(eq=False)
class Player:
    """Plays one episode's scripts."""

    episode: Episode
    recorder: Recorder
    running: RunningOrchestra[Any, Any] | None = None

    def subsystem(self, place: int) -> Callable[[SubsystemContext[Any, Any, Any]], Awaitable[None]]:
        """Return the subsystem of one slot."""
        plan = self.episode.slots[place]

        async def main(ctx: SubsystemContext[Any, Any, Any]) -> None:
            voice = Voice(ctx.name, place, plan.edges, ctx, ctx.send, ctx.send_nowait, ctx.request)
            with self.living(voice.name):
                with suppress(trio.EndOfChannel):
                    await self.play(voice, plan.script.prelude, 2)
                    await self.serve(voice, ctx, plan.script)
                with suppress(trio.EndOfChannel):
                    await self.play(voice, plan.script.flush, 1)

        return main

    def outside(self) -> Voice:
        """Return the embedding program's voice."""
        assert self.running is not None
        edges = tuple(Edge(number) for number in range(len(self.episode.slots)))
        running = self.running
        return Voice(None, -1, edges, None, running.route_message, running.route_message_nowait, running.request)

    @contextmanager
    def living(self, name: str | None) -> Iterator[None]:
        self.recorder.note("begin", name)
        try:
            yield
        finally:
            self.recorder.note("exit", name)

    async def serve(self, voice: Voice, ctx: SubsystemContext[Any, Any, Any], script: Script) -> None:
        """Receive until end-of-input, and react."""
        if script.serve == "no":
            return
        while True:
            items: list[Any] = []
            with self.recorder.taking(ctx.name, items):
                if script.serve == "for":
                    items.append(await _next_of(ctx))
                elif script.serve == "many":
                    items.extend(await ctx.receive_many(script.limit))
                else:
                    items.append(await ctx.receive())
            self.check_epoch(ctx)
            reactions = [self.answer(item) for item in items]
            items.clear()
            for hops in reactions:
                if hops is None:
                    await self.play(voice, script.on_signal, 0)
                elif hops > 0:
                    await self.play(voice, script.on_message, hops - 1)

    def answer(self, item: Message | Signal) -> int | None:
        """Answer a request, refuse to, or let go of it; return how many generations a message may cause."""
        if isinstance(item, Signal):
            return None
        if item.reply is not None:
            if item.number % 3 == 0:
                item.reply.send(item.number)
            elif item.number % 3 == 1:
                item.reply.close()
        return item.hops

    async def play(self, voice: Voice, steps: tuple[Step, ...], hops: int, *, direct: bool = True) -> None:
        """Do some steps in the current task; messages that they send may cause `hops` more generations."""
        for step in steps:
            if step.within is None:
                await self.do(voice, step, hops, direct)
                continue
            with trio.move_on_after(step.within) as scope:
                self.recorder.scopes[scope] = None
                try:
                    await self.do(voice, step, hops, direct)
                finally:
                    del self.recorder.scopes[scope]

    async def do(self, voice: Voice, step: Step, hops: int, direct: bool) -> None:
        match step.kind:
            case "send" | "request":
                if voice.edges and self.recorder.may_send():
                    await self.send(voice, step, hops)
            case "receive":
                await self.receive(voice, step, hops)
            case "sleep":
                await trio.sleep(step.pause)
            case "job" | "nursery":
                await self.start_tasks(voice, step, hops)
            case "raise" | "bitter":
                await self.go_wrong(voice, step, direct=direct)
            case "cancel":
                scopes = list(self.recorder.scopes)
                if scopes:
                    scopes[step.which % len(scopes)].cancel()
            case _:
                await self.signal(step)

    async def go_wrong(self, voice: Voice, step: Step, *, direct: bool) -> None:
        """Raise: at once, or in place of a cancellation."""
        if step.kind == "raise":
            raise self.recorder.boom(voice.name, direct=direct)
        try:
            await trio.sleep(5)
        finally:
            if trio.current_effective_deadline() == -math.inf:
                raise self.recorder.boom(voice.name, direct=direct)

    async def start_tasks(self, voice: Voice, step: Step, hops: int) -> None:
        if step.kind == "job":
            await self.start_job(voice, step, hops)
            return
        async with trio.open_nursery() as nursery:
            for _ in range(step.count):
                nursery.start_soon(self.play_child, voice, step.steps, hops)
            self.recorder.note("nursery", voice.name)

    async def play_child(self, voice: Voice, steps: tuple[Step, ...], hops: int) -> None:
        with self.living(voice.name), suppress(trio.EndOfChannel):
            await self.play(voice, steps, hops, direct=False)

    async def start_job(self, voice: Voice, step: Step, hops: int) -> None:
        """Start a job: `wait` waits until it is started, `nowait` makes it a background job."""
        assert voice.ctx is not None

        async def job(**options: trio.TaskStatus[None]) -> None:
            with self.living(voice.name):
                for task_status in options.values():
                    task_status.started()
                with suppress(trio.EndOfChannel):
                    await self.play(voice, step.steps, hops)
                    if step.how == "nowait":
                        await trio.sleep_forever()

        if step.how == "wait":
            await voice.ctx.start(job)
        else:
            voice.ctx.start_soon(job, background=step.how == "nowait")

    async def on_event(self, event: Event, running: RunningOrchestra[Any, Any]) -> None:
        """Route a message for an event."""
        self.running = running
        voice = self.outside()
        await self.send_one(voice, voice.edges[event.consumer], Step("send", count=1), "wait", 1)

    # --- Sending and receiving -----------------------------------------------------------------------------------

    def lane(self, edge: Edge, step: Step) -> str:
        return "priority" if step.high and self.episode.slots[edge.consumer].priority else "bounded"

    def prepare(
        self, voice: Voice, edge: Edge, lane: str, how: str, batch: int | None, hops: int
    ) -> tuple[Attempt, Message]:
        """Note an attempt, and make its message: of the declared type, or of a subclass of it."""
        number = self.recorder.next_number()
        attempt = self.recorder.attempt(voice.name, name_of(edge.consumer), lane, how, number=number, batch=batch)
        message_type = SUBTYPES[edge.consumer] if edge.narrow or number % 4 == 0 else MESSAGES[edge.consumer]
        if self.is_declared_twice(voice, edge):
            message_type = edge.message_type
        return attempt, message_type(number, hops)

    def is_declared_twice(self, voice: Voice, edge: Edge) -> bool:
        """Whether the subclass is declared beside the class, perhaps for another lane."""
        return len({one.message_type for one in voice.edges if one.consumer == edge.consumer}) > 1

    async def send(self, voice: Voice, step: Step, hops: int) -> None:
        first = voice.edges[step.which % len(voice.edges)]
        unbounded = any(one.unbounded for one in voice.edges if one.message_type is first.message_type)
        how = "request" if step.kind == "request" else step.how
        if how in {"list", "iterable"} and voice.ctx is not None:
            edges = [voice.edges[(step.which + n) % len(voice.edges)] for n in range(step.count)]
            if all(voice.may_wait(edge, step) for edge in edges):
                await self.send_many(voice, voice.ctx, edges, step, hops)
                return
        if not voice.may_wait(first, step) or how == "unbounded":
            how = "unbounded" if unbounded and voice.ctx is not None else "nowait"
        for _ in range(step.count):
            if how == "request":
                await self.ask(voice, first, hops)
            else:
                await self.send_one(voice, first, step, how, hops)

    async def send_one(self, voice: Voice, edge: Edge, step: Step, how: str, hops: int) -> None:
        priority = Priority.HIGH if step.high else Priority.NORMAL
        lane = "unbounded" if how == "unbounded" else self.lane(edge, step)
        attempt, message = self.prepare(voice, edge, lane, how, None, hops)
        with self.recorder.sending([attempt], is_call=how not in {"nowait", "unbounded"}):
            if how == "nowait":
                voice.send_nowait(message, priority=priority)
            elif how == "unbounded":
                assert voice.ctx is not None
                voice.ctx.send_unbounded(message)
            else:
                await voice.send(message, priority=priority)

    async def send_many(
        self, voice: Voice, ctx: SubsystemContext[Any, Any, Any], edges: list[Edge], step: Step, hops: int
    ) -> None:
        """Send several messages in one call, as a list or from an iterator that notes what is taken from it."""
        priority = Priority.HIGH if step.high else Priority.NORMAL
        batch = self.recorder.next_number()
        attempts: list[Attempt] = []

        def messages() -> Iterator[Message]:
            for edge in edges:
                attempt, message = self.prepare(voice, edge, self.lane(edge, step), step.how, batch, hops)
                attempts.append(attempt)
                yield message

        many = messages() if step.how == "iterable" else list(messages())
        with self.recorder.sending(attempts, is_call=step.how == "list"):
            await ctx.send_many(many, priority=priority)

    async def ask(self, voice: Voice, edge: Edge, hops: int) -> None:
        number = self.recorder.next_number()
        consumer = name_of(edge.consumer)
        attempt = self.recorder.attempt(voice.name, consumer, "bounded", "request", number=number)

        def make(reply: OneshotSender[int]) -> Message:
            return edge.message_type(number, hops, reply)

        with self.recorder.sending([attempt]):
            answer = await voice.request(make)
            assert answer == number

    async def receive(self, voice: Voice, step: Step, hops: int) -> None:
        """Receive in one call; requests are answered."""
        ctx = voice.ctx
        assert ctx is not None
        items: list[Any] = []
        with self.recorder.taking(ctx.name, items, is_call=step.how != "nowait"):
            match step.how:
                case "many":
                    items.extend(await ctx.receive_many(step.count))
                case "signal":
                    items.append(await ctx.receive_signal())
                case "nowait":
                    items.append(ctx.receive_nowait())
                case _:
                    items.append(await ctx.receive())
        self.check_epoch(ctx)
        for item in items:
            self.answer(item)

    def check_epoch(self, ctx: SubsystemContext[Any, Any, Any]) -> None:
        """The context says which broadcast was received last, once all tasks have noted what they were given."""
        known = self.recorder.epochs[ctx.name]
        assert ctx.epoch >= known if self.recorder.receiving[ctx.name] else ctx.epoch == known

    async def signal(self, step: Step) -> None:
        """Do a step with signals, events or epochs."""
        running = self.running
        if running is None or (step.kind == "broadcast" and not self.recorder.may_broadcast()):
            return  # it is being opened, or has had enough
        number = self.recorder.next_number()
        signal = SIGNALS[step.which % 2](number)
        match step.kind:
            case "broadcast":
                expected = self.recorder.broadcast(number, step.which % 2)
                with suppress(SubsystemStalled):
                    assert await running.broadcast_signal(signal) == expected
            case "signal":
                await self.signal_one(running, step, signal)
            case "event":
                with suppress(trio.WouldBlock, trio.BrokenResourceError):
                    running.handle.send_nowait(Event(step.which % len(self.episode.slots)))
            case "epoch":
                await running.wait_epoch(step.count)

    async def signal_one(self, running: RunningOrchestra[Any, Any], step: Step, signal: Signal) -> None:
        listeners = [n for n, plan in enumerate(self.episode.slots) if step.which % 2 in plan.signals and not plan.wip]
        if not listeners:
            return
        name = name_of(listeners[step.count % len(listeners)])
        self.recorder.note("signal", name, signal.number)
        try:
            if step.how == "nowait":
                running.send_signal_nowait(name, signal)
            else:
                await running.send_signal(name, signal)
        except (trio.WouldBlock, SubsystemExited):
            self.recorder.note("unsignalled", name, signal.number)
        except SubsystemStalled:
            pass


async def _next_of(ctx: SubsystemContext[Any, Any, Any]) -> object:
    """Return what `async for` yields next; nothing here keeps it afterwards."""
    async for item in ctx:
        return item
    raise trio.EndOfChannel
