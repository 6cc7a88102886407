"""The async subsystems of the soak: they receive and send in all ways there are, ask, start jobs, and fail at times."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

import trio

from benchmarks.soak.messages import Echo, Lookup, Parcel, Query, Question
from orchestra_trio import Priority, SubsystemContext

if TYPE_CHECKING:
    from collections.abc import Generator

    from benchmarks.soak.ledger import Ledger, Way
    from benchmarks.soak.traffic import Traffic

__all__ = ["AnyContext", "Ears", "Mayfly", "Member", "Pool", "Ready", "Relay", "Source"]

AnyContext: TypeAlias = SubsystemContext[Any, Any, Any]

WORKERS = 3


class Member:
    """One async subsystem.

    Some are *patient*: by chance they wait without a time limit. On each cycle of the wiring stands one that is not, so
    that there is never a deadlock: one that is reported is a false alarm.
    """

    def __init__(
        self,
        name: str,
        traffic: Traffic,
        makes: tuple[type[Parcel], ...],
        *,
        asks: tuple[type[Question], ...] = (),
        patient: bool = True,
        alone: bool = True,
    ) -> None:
        """Make the subsystem.

        Args:
            name: Its slot.
            traffic: Of the round.
            makes: The types that it sends through the bounded lane.
            asks: The requests that it makes.
            patient: Whether it may wait without a time limit.
            alone: Whether one task alone receives.
        """
        self.name = name
        self.traffic = traffic
        self.makes = makes
        self.asks = asks
        self.patient = patient
        self.alone = alone

    @property
    def ledger(self) -> Ledger:
        """Of the round."""
        return self.traffic.ledger

    async def __call__(self, ctx: AnyContext) -> None:
        """Run until the input ends, and send something more then."""
        with self.ledger.beginning(self.name):
            await self.play(ctx)
            await self.send(ctx, 0)

    async def play(self, ctx: AnyContext) -> None:
        """Receive and handle until the input ends."""
        while (batch := await self.take(ctx)) is not None:
            if len(batch) > 1 and self.traffic.happens(0.3):
                async with trio.open_nursery() as nursery:
                    for incoming in batch:
                        nursery.start_soon(self.handle, ctx, incoming)
            else:
                for incoming in batch:
                    await self.handle(ctx, incoming)
            incoming = None  # a reply end in it would keep its requester waiting
            del batch

    async def take(self, ctx: AnyContext) -> list[object] | None:
        """Receive in one of the ways there are; return what came, or None once the input has ended."""
        items: list[Any] = []
        try:
            match self.traffic.pick(4, 2, 2, 2):
                case 0:
                    items = [await ctx.receive()]
                case 1:
                    items = [*await ctx.receive_many(self.traffic.chance.randint(1, 8))]
                case 2:
                    with self.traffic.limit(always=True):
                        items = [await ctx.receive()]
                case _:
                    items = [ctx.receive_nowait()]
        except trio.EndOfChannel:
            return None
        except trio.WouldBlock:
            pass
        return self.traffic.accept_all(self.name, items, ctx.epoch, alone=self.alone)

    async def handle(self, ctx: AnyContext, incoming: object) -> None:
        """Do something with what was received."""
        self.traffic.maybe_hiccup(self.name)
        if self.traffic.happens(self.traffic.naps):
            await trio.sleep(self.traffic.pause())
        if isinstance(incoming, Question):
            await self.answer(ctx, incoming)
        elif isinstance(incoming, Parcel) and incoming.hops:
            await self.follow(ctx, incoming.hops - 1)

    async def follow(self, ctx: AnyContext, hops: int) -> None:
        """Send something on, or ask, now or in a job."""
        match self.traffic.pick(12, 4, 2, 1, 1):
            case 0:
                for _ in range(self.traffic.chance.randint(1, 2)):
                    await self.send(ctx, hops)
            case 1:
                await self.ask(ctx)
            case 2:
                ctx.start_soon(self.later, ctx, hops)
            case 3:
                ctx.start_soon(self.later, ctx, hops, background=True)
            case _:
                with self.traffic.limit():
                    await ctx.start(self.later, ctx, hops)

    async def later(  # noqa: ASYNC114 - started by the context, which flake8-async does not know
        self, ctx: AnyContext, hops: int, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED
    ) -> None:
        """Send something after a while: a job, which may fail before it was started, and later."""
        with self.ledger.being(self.name, "job"):
            await trio.sleep(self.traffic.pause())
            self.traffic.maybe_hiccup(self.name)
            task_status.started()
            await self.send(ctx, hops)
            self.traffic.maybe_hiccup(self.name)

    async def send(self, ctx: AnyContext, hops: int) -> None:
        """Send one message, or some, in one of the ways there are."""
        if not self.makes:
            return
        with self.traffic.limit(always=not self.patient):
            match self.traffic.pick(6, 2, 2, 2):
                case 0:
                    priority = self.traffic.chance.choice(list(Priority))
                    parcel = self.make(hops, "high" if priority is Priority.HIGH else "normal")
                    with self.ledger.sending(parcel.number):
                        await ctx.send(parcel, priority=priority)
                case 1:
                    self.send_nowait(ctx, hops)
                case 2:
                    parcels = [self.make(0) for _ in range(self.traffic.size())]
                    with self.ledger.sending_list([one.number for one in parcels]):
                        await ctx.send_many(parcels)
                case _:
                    with self.ledger.sending_stream() as taken:
                        await ctx.send_many(self.stream(taken))

    def send_nowait(self, ctx: AnyContext, hops: int) -> None:
        """Send one message if there is room."""
        parcel = self.make(hops)
        try:
            with self.ledger.sending(parcel.number):
                ctx.send_nowait(parcel)
        except trio.WouldBlock:
            self.ledger.note("refused for want of room")

    def make(self, hops: int, way: Way = "normal") -> Parcel:
        """Make a message of one of the types that it sends."""
        kind = self.traffic.chance.choice(self.makes)
        return kind(self.ledger.make(kind, self.name, way), hops)

    def stream(self, taken: list[int]) -> Generator[Parcel]:
        """Make messages one by one, as they are asked for."""
        for _ in range(self.traffic.size()):
            parcel = self.make(0)
            taken.append(parcel.number)
            yield parcel

    async def ask(self, ctx: AnyContext) -> None:
        """Make a request, and check the answer."""
        if not self.asks:
            return
        kind = self.traffic.chance.choice(self.asks)
        number = self.ledger.make(kind, self.name)
        with self.traffic.limit(always=not self.patient), self.ledger.requesting(number, self.name):
            answer: int = await ctx.request(kind, number)
            if answer != 2 * number + 1:
                self.ledger.faults.append(f"{self.name} asked {number} and was answered {answer}")

    async def answer(self, ctx: AnyContext, question: Question) -> None:
        """Answer a question, or let it be known in one way or another that there is no answer."""
        match self.traffic.pick(7, 1, 1, 2):
            case 0:
                question.reply.send(question.answer)
            case 1:
                question.reply.close()
            case 2:
                pass  # it is let go of by the caller, too
            case _:
                ctx.start_soon(self.answer_later, question)
        await trio.lowlevel.checkpoint()

    async def answer_later(self, question: Question) -> None:
        """Answer after a while: a job."""
        with self.ledger.being(self.name, "job"), question.reply:
            await trio.sleep(self.traffic.pause())
            self.traffic.maybe_hiccup(self.name)
            question.reply.send(question.answer)


class Source(Member):
    """Sends a number of messages, and ends; what it has sent before it failed, it does not send again."""

    def __init__(self, name: str, traffic: Traffic, makes: tuple[type[Parcel], ...], left: int, hops: int) -> None:
        """Make one that sends so many times, each with so many hops."""
        super().__init__(name, traffic, makes, asks=(Lookup, Query))
        self.left = left
        self.hops = hops

    async def play(self, ctx: AnyContext) -> None:
        """Send."""
        while self.left:
            self.left -= 1
            self.traffic.maybe_hiccup(self.name)
            await self.follow(ctx, self.hops)


class Ready(Member):
    """Says that it is ready, after a while."""

    async def play(self, ctx: AnyContext) -> None:
        """Receive and handle until the input ends."""
        await trio.sleep(self.traffic.pause())
        ctx.started()
        await super().play(ctx)


class Ears(Member):
    """Hears signals in a job, besides; nobody waits for that job at the end."""

    async def play(self, ctx: AnyContext) -> None:
        """Receive and handle until the input ends."""
        ctx.start_soon(self.listen, ctx, background=True)
        await super().play(ctx)

    async def listen(self, ctx: AnyContext) -> None:
        """Receive signals alone."""
        with self.ledger.being(self.name, "job"):
            while True:
                try:
                    signal = await ctx.receive_signal()
                except trio.EndOfChannel:
                    return
                self.traffic.accept_all(self.name, [signal], ctx.epoch, alone=False)


class Pool(Member):
    """Works with several workers at once, some of which use threads."""

    async def play(self, ctx: AnyContext) -> None:
        """Receive, and let workers handle the messages, until the input ends."""
        async with ctx.open_workers(WORKERS) as workers:
            async for incoming in workers:
                self.traffic.accept_all(self.name, [incoming], ctx.epoch, alone=True)
                if isinstance(incoming, Parcel):
                    workers.start_soon(self.work, ctx, incoming)
                self.traffic.maybe_hiccup(self.name)

    async def work(self, ctx: AnyContext, parcel: Parcel) -> None:
        """Handle one message: a worker."""
        with self.ledger.being(self.name, "worker"):
            at_work = sum(one.kind == "worker" and one.name == self.name for one in list(self.ledger.inside))
            if at_work > WORKERS:
                self.ledger.faults.append(
                    f"{self.name} has {at_work} workers at work, and no more than {WORKERS} places"
                )
            if self.traffic.happens(0.1):
                ctx.start_blocking_soon(self.block)
            await self.handle(ctx, parcel)

    def block(self) -> None:
        """Fail, by chance, in a thread."""
        with self.ledger.being(self.name, "job"):
            self.ledger.note("threads")
            self.traffic.maybe_hiccup(self.name)


class Relay(Member):
    """Sends some messages unbounded, besides."""

    async def follow(self, ctx: AnyContext, hops: int) -> None:
        """Send something on."""
        if self.traffic.happens(0.1):
            number = self.ledger.make(Echo, self.name, "unbounded")
            with self.ledger.sending(number):
                ctx.send_unbounded(Echo(number, hops))
        await super().follow(ctx, hops)


class Mayfly(Member):
    """Ends after a few messages, while others still send it more."""

    async def play(self, ctx: AnyContext) -> None:
        """Receive a few times."""
        for _ in range(self.traffic.chance.randint(1, 8)):
            if await self.take(ctx) is None:
                break
