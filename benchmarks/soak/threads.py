"""The blocking subsystems of the soak: what `members` does, from threads."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, TypeAlias

import trio

from benchmarks.soak.messages import Echo, Parcel, Question
from orchestra_trio import BlockingSubsystemContext, Priority

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from benchmarks.soak.ledger import Ledger, Way
    from benchmarks.soak.traffic import Traffic

__all__ = ["AnyBlockingContext", "Scribe", "Store"]

AnyBlockingContext: TypeAlias = BlockingSubsystemContext[Any, Any, Any]


class Store:
    """A blocking subsystem; a thread cannot set a time limit, so it waits for as long as it takes."""

    alone = True
    """Whether one thread alone receives."""
    may_echo = True
    """Whether it sends some messages unbounded."""

    def __init__(
        self, name: str, traffic: Traffic, makes: tuple[type[Parcel], ...], asks: tuple[type[Question], ...] = ()
    ) -> None:
        """Make the subsystem; the arguments are as for `Member`."""
        self.name = name
        self.traffic = traffic
        self.makes = makes
        self.asks = asks

    @property
    def ledger(self) -> Ledger:
        """Of the round."""
        return self.traffic.ledger

    def __call__(self, ctx: AnyBlockingContext) -> None:
        """Run until the input ends, and send something more then."""
        with self.ledger.beginning(self.name):
            self.ledger.note("threads")
            self.play(ctx)
            self.send(ctx, 0)

    def play(self, ctx: AnyBlockingContext) -> None:
        """Receive and handle until the input ends."""
        while (batch := self.take(ctx)) is not None:
            for incoming in batch:
                self.handle(ctx, incoming)
            incoming = None  # a reply end in it would keep its requester waiting
            del batch

    def take(self, ctx: AnyBlockingContext) -> list[object] | None:
        """Receive in one of the ways there are; return what came, or None once the input has ended."""
        try:
            match self.traffic.pick(4, 2, 1):
                case 0:
                    items: list[Any] = [ctx.receive()]
                case 1:
                    items = [*ctx.receive_many(self.traffic.chance.randint(1, 8))]
                case _:
                    items = [ctx.receive_nowait()]
        except trio.EndOfChannel:
            return None
        except trio.WouldBlock:
            ctx.check_cancelled()
            return []
        return self.traffic.accept_all(self.name, items, ctx.epoch, alone=self.alone)

    def handle(self, ctx: AnyBlockingContext, incoming: object) -> None:
        """Do something with what was received."""
        self.traffic.maybe_hiccup(self.name)
        if self.traffic.happens(self.traffic.naps):
            time.sleep(self.traffic.pause())
        if isinstance(incoming, Question):
            self.answer(incoming)
        elif isinstance(incoming, Parcel) and incoming.hops:
            self.follow(ctx, incoming.hops - 1)

    def follow(self, ctx: AnyBlockingContext, hops: int) -> None:
        """Send something on, or ask, now or in a job."""
        match self.traffic.pick(12, 3, 1, 1, 2 if self.may_echo else 0):
            case 0:
                for _ in range(self.traffic.chance.randint(1, 2)):
                    self.send(ctx, hops)
            case 1:
                self.ask(ctx)
            case 2:
                ctx.start_soon(self.later, ctx, hops)
            case 3:
                ctx.start_soon(self.later, ctx, hops, background=True)
            case _:
                number = self.ledger.make(Echo, self.name, "unbounded")
                with self.ledger.sending(number):
                    ctx.send_unbounded(Echo(number, hops))

    def later(self, ctx: AnyBlockingContext, hops: int) -> None:
        """Send something after a while: a job."""
        with self.ledger.being(self.name, "job"):
            self.ledger.note("threads")
            time.sleep(self.traffic.pause())
            self.traffic.maybe_hiccup(self.name)
            self.send(ctx, hops)

    def send(self, ctx: AnyBlockingContext, hops: int) -> None:
        """Send one message, or some, in one of the ways there are."""
        match self.traffic.pick(6, 2, 2, 2):
            case 0:
                priority = self.traffic.chance.choice(list(Priority))
                parcel = self.make(hops, "high" if priority is Priority.HIGH else "normal")
                with self.ledger.sending(parcel.number):
                    ctx.send(parcel, priority=priority)
            case 1:
                parcel = self.make(hops)
                try:
                    with self.ledger.sending(parcel.number):
                        ctx.send_nowait(parcel)
                except trio.WouldBlock:
                    self.ledger.note("refused for want of room")
            case 2:
                parcels = [self.make(0) for _ in range(self.traffic.size())]
                with self.ledger.sending_list([one.number for one in parcels]):
                    ctx.send_many(parcels)
            case _:
                with self.ledger.sending_stream() as taken:
                    ctx.send_many(self.stream(taken))

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

    def ask(self, ctx: AnyBlockingContext) -> None:
        """Make a request, and check the answer."""
        if not self.asks:
            return
        kind = self.traffic.chance.choice(self.asks)
        number = self.ledger.make(kind, self.name)
        with self.ledger.requesting(number, self.name):
            answer: int = ctx.request(kind, number)
            if answer != 2 * number + 1:
                self.ledger.faults.append(f"{self.name} asked {number} and was answered {answer}")

    def answer(self, question: Question) -> None:
        """Answer a question, or let it be known in one way or another that there is no answer."""
        match self.traffic.pick(7, 1, 1):
            case 0:
                question.reply.send(question.answer)
            case 1:
                question.reply.close()
            case _:
                pass  # it is let go of by the caller, too


class Scribe(Store):
    """Several threads receive, and one more signals alone."""

    alone = False
    may_echo = False

    def play(self, ctx: AnyBlockingContext) -> None:
        """Receive and handle until the input ends, in two threads."""
        ctx.start_soon(self.as_job, self.help, ctx)
        ctx.start_soon(self.as_job, self.listen, ctx, background=True)
        super().play(ctx)

    def as_job(self, job: Callable[[AnyBlockingContext], None], ctx: AnyBlockingContext) -> None:
        """Run a job, and have it counted."""
        with self.ledger.being(self.name, "job"):
            self.ledger.note("threads")
            job(ctx)

    def help(self, ctx: AnyBlockingContext) -> None:
        """Do what the main function does."""
        super().play(ctx)

    def listen(self, ctx: AnyBlockingContext) -> None:
        """Receive signals alone."""
        while True:
            try:
                signal = ctx.receive_signal()
            except trio.EndOfChannel:
                return
            self.traffic.accept_all(self.name, [signal], ctx.epoch, alone=False)
