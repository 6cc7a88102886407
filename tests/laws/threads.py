"""Wirings in which any subsystem may run in a thread: plans as plain data, and what happened when one was performed.

A script is a generator: it yields what is to be called, and is sent what came of that. So the same script runs in a
task and in a thread. Nothing here waits for ever by its own fault: scripts wait only for slots after their own, and do
not wait along edges that lead back; so a run that hangs, or in which a deadlock is found, is a finding. The threads run
on the system clock, and no time limit in it is meant to pass.

What is recorded is in an order that keeps causes before their effects, and says no more: threads run at once.
"""

from __future__ import annotations

import itertools
from functools import partial
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple, TypeAlias

import attrs
import trio

from orchestra_trio import OneshotCancelled, OneshotSender, Priority, SubsystemExited

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator

    from orchestra_trio import DeadLetter, Readout, RunningOrchestra, StopReport

__all__ = ["MESSAGES", "MOST_SLOTS", "Act", "Call", "Ending", "Plan", "Script", "SlotPlan", "Tick", "World", "name_of"]

How: TypeAlias = Literal["send", "nowait", "many", "iterator", "unbounded", "request"]
Ending: TypeAlias = Literal["leave", "terminate", "stop", "cancel"]

MOST_SLOTS: Final = 4
MOST_ATTEMPTS: Final = 150
"""Messages that are sent in one run, so that it ends."""


@attrs.frozen(eq=False)
class Message:
    """The base of all messages."""

    number: int
    hops: int
    epoch: int
    """The sender's, when it was made."""
    reply: OneshotSender[int] | None = None


class Tick(NamedTuple):
    """The signal."""

    number: int


MESSAGES: Final[tuple[Any, ...]] = tuple(type(f"M{place}", (Message,), {}) for place in range(MOST_SLOTS))


@attrs.frozen
class Act:
    """Messages that are sent."""

    how: How
    edge: int
    """Modulo how many the slot has."""
    count: int = 1
    high: bool = False


@attrs.frozen
class SlotPlan:
    """One slot, and what its subsystem does."""

    blocking: bool
    edges: tuple[int, ...]
    """The places of those that it sends to."""
    capacity: int = 1
    priority: bool = False
    hears: bool = True
    receivers: int = 1
    """Threads, or tasks, that receive from its mailbox."""
    take: Literal["receive", "receive_many", "receive_nowait"] = "receive"
    on_message: tuple[Act, ...] = ()
    on_signal: tuple[Act, ...] = ()


@attrs.frozen
class Plan:
    """A wiring, its load, and its end."""

    slots: tuple[SlotPlan, ...]
    load: tuple[int, ...]
    """For each step from outside, to which slot a message goes; beyond the slots, a broadcast."""
    ending: Ending = "leave"
    seed: int = 0


def name_of(place: int) -> str:
    return f"s{place}"


@attrs.define
class Attempt:
    """A message that somebody began to send."""

    voice: str
    """Which thread or task."""
    sender: str | None
    consumer: str
    lane: str
    how: str
    outcome: Literal["pending", "sent", "refused", "cancelled"] = "pending"


class Entry(NamedTuple):
    """Something that happened."""

    what: Literal["begin", "got", "heard", "end", "exit"]
    who: str
    voice: str
    number: int = -1
    epoch: int = 0
    """The subsystem's, right after that."""


@attrs.define(eq=False)
class World:
    """One run: its scripts, and what is recorded of it. Every step here is one that threads may take at once."""

    plan: Plan
    attempts: dict[int, Attempt] = attrs.Factory(dict)
    trace: list[Entry] = attrs.Factory(list)
    sent_epochs: dict[int, int] = attrs.Factory(dict)
    letters: list[DeadLetter] = attrs.Factory(list)
    broadcasts: list[int] = attrs.Factory(list)
    lanes: dict[tuple[str, str], Readout] = attrs.Factory(dict)
    reasons: dict[Any, int] = attrs.Factory(dict)
    report: StopReport | None = None
    states: dict[str, str] = attrs.Factory(dict)
    _numbers: Iterator[int] = attrs.Factory(itertools.count)

    # --- Scripts -----------------------------------------------------------------------------------------------------

    def serve(self, place: int, voice: str) -> Script:
        """Receive to the end of the input, and react."""
        plan, name = self.plan.slots[place], name_of(place)
        self.trace.append(Entry("begin", name, voice))
        try:
            while True:
                items: list[Any] = yield from self.take(plan)
                epoch = (yield lambda ctx: ctx.epoch).pop()
                for item in items:
                    what: Literal["heard", "got"] = "heard" if isinstance(item, Tick) else "got"
                    self.trace.append(Entry(what, name, voice, item.number, epoch))
                    del item
                while items:
                    yield from self.react(place, voice, items.pop(0))
        except trio.EndOfChannel:
            self.trace.append(Entry("end", name, voice))
        finally:
            self.trace.append(Entry("exit", name, voice))

    def take(self, plan: SlotPlan) -> Generator[Call, list[Any], list[Any]]:
        if plan.take == "receive_many":
            return list((yield lambda ctx: ctx.receive_many(3)).pop())
        if plan.take == "receive_nowait":
            try:
                return (yield lambda ctx: ctx.receive_nowait())
            except trio.WouldBlock:
                pass
        return (yield lambda ctx: ctx.receive())

    def react(self, place: int, voice: str, item: Any) -> Script:  # noqa: ANN401 - what the wiring lets in
        plan = self.plan.slots[place]
        acts, hops = plan.on_signal, 1
        if not isinstance(item, Tick):
            acts, hops = plan.on_message, item.hops
            if item.reply is not None and item.number % 3 < 2:
                reply, number = item.reply, item.number
                yield lambda _: reply.send(number) if number % 3 else reply.close()
        del item  # a reply end must not outlive its use
        for act in acts if hops and plan.edges else ():
            yield from self.send(place, voice, act, hops - 1)

    def send(self, place: int, voice: str, act: Act, hops: int) -> Script:
        target = self.plan.slots[place].edges[act.edge % len(self.plan.slots[place].edges)]
        how = act.how
        if target <= place and how != "unbounded":
            how = "nowait"  # along an edge that leads back nobody waits
        lane = "bounded"
        if how == "unbounded":
            lane = "unbounded"
        elif act.high and how != "request" and self.plan.slots[target].priority:
            lane = "priority"
        epoch = (yield lambda ctx: ctx.epoch).pop()
        count = act.count if how in {"many", "iterator"} else 1
        made = [self.prepare(voice, name_of(place), target, lane, how, hops, epoch) for _ in range(count)]
        messages = [one for one in made if one is not None]
        if messages:
            yield from self.call(how, messages, Priority.HIGH if lane == "priority" else Priority.NORMAL)

    def call(self, how: How, messages: list[Message], priority: Priority) -> Script:
        """Send messages, and write down what the sender knows of it."""
        numbers = [one.number for one in messages]
        calls: dict[How, Call] = {
            "send": lambda ctx: ctx.send(messages[0], priority=priority),
            "nowait": lambda ctx: ctx.send_nowait(messages[0], priority=priority),
            "many": lambda ctx: ctx.send_many(messages, priority=priority),
            "iterator": lambda ctx: ctx.send_many(iter(messages), priority=priority),
            "unbounded": lambda ctx: ctx.send_unbounded(messages[0]),
            "request": lambda ctx: ctx.request(partial(with_reply, messages[0])),
        }
        outcome: Literal["sent", "refused", "cancelled"] = "cancelled"
        try:
            yield calls[how]
            outcome = "sent"
        except OneshotCancelled:
            outcome = "sent"
        except (trio.WouldBlock, SubsystemExited):
            # Of several, those before the one that was refused were sent.
            outcome = "refused" if len(messages) == 1 else "cancelled"
        finally:
            for number in numbers:
                self.attempts[number].outcome = outcome

    # --- The embedding program ---------------------------------------------------------------------------------------

    async def take_step(self, running: RunningOrchestra[Tick, Any], step: int) -> None:
        """Route a message, or broadcast."""
        if step >= len(self.plan.slots):
            self.broadcasts.append(len(self.broadcasts) + 1)
            await running.broadcast_signal(Tick(len(self.broadcasts)))
            return
        message = self.prepare("outside", None, step, "bounded", "send", 2, len(self.broadcasts))
        if message is not None:
            await running.route_message(message)
            self.attempts[message.number].outcome = "sent"

    def check_meters(self, running: RunningOrchestra[Tick, Any]) -> None:
        """See that counts add up and capacities are kept at this moment, whatever threads are doing (laws 1 and 7)."""
        for plan, one in zip(self.plan.slots, running.statistics().subsystems.values(), strict=True):
            for lane, capacity in ((one.bounded, plan.capacity), (one.priority, plan.capacity), (one.unbounded, None)):
                assert lane.sent == lane.received + lane.channel_len, lane
                assert capacity is None or lane.channel_len <= lane.peak_channel_len <= capacity, lane

    def read(self, running: RunningOrchestra[Tick, Any]) -> None:
        statistics = running.statistics()
        self.reasons = dict(statistics.dead_letters)
        for name, one in statistics.subsystems.items():
            self.states[name] = one.state
            self.lanes |= {(name, lane): getattr(one, lane) for lane in ("priority", "unbounded", "bounded")}

    def prepare(
        self, voice: str, sender: str | None, target: int, lane: str, how: str, hops: int, epoch: int
    ) -> Message | None:
        number = next(self._numbers)
        if number >= MOST_ATTEMPTS:
            return None
        self.attempts[number] = Attempt(voice, sender, name_of(target), lane, how)
        self.sent_epochs[number] = epoch
        message: Message = MESSAGES[target](number, hops, epoch)
        return message


Call: TypeAlias = "Callable[[Any], Any]"
Script: TypeAlias = "Generator[Call, list[Any], None]"


def with_reply(message: Message, reply: OneshotSender[int]) -> Message:
    return attrs.evolve(message, reply=reply)
