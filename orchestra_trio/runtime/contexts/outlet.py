"""Where the messages of one sender go: the port of each message type, and what happens when a lane takes no more.

A *port* is the way from one sender to the consumer of one message type. It is found once for each type; from then on a
message costs one look-up and one append (`context`). Everything else is here, off that path: a full lane, a consumer
that has ended, one that is not built yet.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

import attrs
import trio

from orchestra_trio.delivery.credit import Credit
from orchestra_trio.delivery.shared import SharedLane
from orchestra_trio.delivery.waiting import park_sender
from orchestra_trio.errors import SubsystemExited, SubsystemStalled, UndeclaredMessage, type_name
from orchestra_trio.records import DeadLetter, Priority
from orchestra_trio.runtime.watch.standing import stand

if TYPE_CHECKING:
    from collections.abc import Mapping

    from orchestra_trio.delivery.lanes import Lane, Reply
    from orchestra_trio.delivery.mailbox import Mailbox
    from orchestra_trio.delivery.oneshot import OneshotReceiver, OneshotState
    from orchestra_trio.delivery.trio_internals import Pace
    from orchestra_trio.records import DeadLetterReason, HappeningKind, MessageLane
    from orchestra_trio.runtime.dead_letters import DeadLetters
    from orchestra_trio.runtime.life.live import LiveSubsystem
    from orchestra_trio.runtime.observing import Observers
    from orchestra_trio.wiring.routing import Route, Routes
    from orchestra_trio.wiring.slots import Slot

T = TypeVar("T")

__all__ = ["Consumers", "Outlet", "Port", "Ports", "reason_after_exit"]


class Consumers(Protocol):
    """What an outlet asks the running orchestra."""

    orchestra: str
    routes: Routes
    slots: Mapping[str, Slot]
    subsystems: dict[str, LiveSubsystem]
    dead_letters: DeadLetters
    is_stopping: bool
    observers: Observers | None

    def check_input_open(self) -> None:
        """Refuse outside input once it was closed, with `trio.ClosedResourceError`."""
        ...

    @property
    def outgoing_mailbox(self) -> Mailbox[Any, Any]:
        """The mailbox of what goes out to the embedding program."""
        ...


class _NoLane:
    """In place of a lane where there is no consumer: it takes nothing, so that every send looks closer."""

    __slots__ = ("items", "name")

    def __init__(self, name: MessageLane) -> None:
        self.name: MessageLane = name
        self.items: deque[Any] = deque()
        """Stays empty: nobody gets credit here."""

    def post(self, _item: object, _sender: str | None, _reply: Reply | None = None) -> bool:
        return False

    def post_many(self, _items: object, _start: int, _sender: str | None) -> int:
        return 0


@attrs.define(eq=False)
class Port:
    """The way from one sender to the consumer of one message type."""

    consumer: str | None
    live: LiveSubsystem | None
    """The consumer; None where that is the embedding program, or nobody."""
    dead_end: DeadLetterReason | None
    """Why every message becomes a dead letter; None where there is a consumer."""
    credit: Credit
    """For the bounded lane."""
    bounded: Lane[Any]
    priority: Lane[Any]
    """The bounded lane where the consumer has no priority lane."""
    unbounded: Lane[Any] | None
    """None where the sender does not declare the type unbounded."""


class Ports(dict[type, Port]):
    """The ports of one sender by message type, found when first asked for.

    Attributes:
        found: The same, of those found so far: Python looks up what lies in a bare dict faster (0.015 of 0.65 µs for
            each message).
    """

    def __init__(self, outlet: Outlet) -> None:
        super().__init__()
        self._outlet = outlet
        self.found: dict[type, Port] = {}

    def __missing__(self, message_type: type) -> Port:
        """Find the port of a type.

        Raises:
            UndeclaredMessage: The sender may not send it.
        """
        port = self[message_type] = self.found[message_type] = self._outlet.open_port(message_type)
        return port


@attrs.define(eq=False)
class Outlet:
    """What one sender needs to send: a subsystem, or the embedding program."""

    run: Consumers
    sender: str | None
    """The subsystem, or None for the embedding program."""
    pace: Pace
    ports: Ports = attrs.Factory(Ports, takes_self=True)
    _credits: dict[Any, Credit] = attrs.Factory(dict[Any, Credit])
    """By lane: types that go to the same one share what is lent."""

    def open_port(self, message_type: type) -> Port:
        """Find the way of messages of one type.

        Raises:
            UndeclaredMessage: The wiring has none.
        """
        routes = self.run.routes
        if self.sender is None:
            route, unbounded = routes.from_outside(message_type), False
        else:
            route = routes.from_slot(self.sender, message_type)
            unbounded = routes.is_unbounded(self.sender, message_type)
        mailbox, live = self._find_mailbox(route)
        if mailbox is None:
            nowhere: Any = _NoLane("bounded")
            reason: DeadLetterReason = "unconsumed" if route.consumer is None else "disabled"
            if route.kind == "wip":
                reason = "wip"
            beyond: Any = _NoLane("unbounded") if unbounded else None
            has_priority = route.consumer is not None and self.run.slots[route.consumer].priority
            high: Any = _NoLane("priority" if has_priority else "bounded")
            return Port(route.consumer, None, reason, self._credit_at(nowhere), nowhere, high, beyond)
        return Port(
            consumer=route.consumer,
            live=live,
            dead_end=None,
            credit=self._credit_at(mailbox.bounded),
            bounded=mailbox.bounded,
            priority=mailbox.bounded if mailbox.priority is None else mailbox.priority,
            unbounded=mailbox.unbounded if unbounded else None,
        )

    def unbounded_lane(self, message_type: type) -> tuple[Port, Lane[Any]]:
        """Return the unbounded lane for messages of one type.

        Raises:
            UndeclaredMessage: The slot does not declare the type unbounded.
        """
        port = self.ports[message_type]
        if port.unbounded is None:
            declared = [] if self.sender is None else self._unbounded_types(self.sender)
            raise UndeclaredMessage(
                self.run.orchestra,
                self.sender,
                message_type,
                operation="send unbounded",
                declared=declared,
                remedy=f'declare its slot with subsystem(unbounded={{{type_name(message_type)}: "what bounds it"}})',
            )
        return port, port.unbounded

    def deal_with_refusal(self, port: Port, lane: Lane[Any], message: object, reply: Reply | None) -> bool:
        """Deal with a message that a lane did not take, unless it will once there is room.

        Returns:
            Whether it became a dead letter; False if the lane is full.

        Raises:
            SubsystemExited: Its consumer has ended.
        """
        reason = port.dead_end
        if reason is None:
            if not lane.is_shut:
                return False
            reason = self._reason_after_exit(port, type(message))
        if reply is not None:
            reply.cancel()
        self.run.dead_letters.add(DeadLetter(message, self.sender, port.consumer, lane.name, reason))
        return True

    async def send(self, message: object, priority: Priority, *, within: float) -> None:
        """Send a message from outside, waiting for room for `within` seconds at the most.

        Raises:
            UndeclaredMessage: The wiring does not allow it.
            SubsystemExited: Its consumer has ended.
            SubsystemStalled: There was no room in time. Nothing was queued.
            trio.ClosedResourceError: The input is closed.
        """
        port = self.ports[type(message)]
        if self.pace.is_due():
            await self.pace.keep()
            self.run.check_input_open()  # it may have been closed meanwhile
        lane = port.bounded if priority is Priority.NORMAL else port.priority
        if lane.post(message, self.sender):
            return  # noqa: ASYNC910 - the pace has checked for cancellation
        with trio.move_on_after(within):
            await self.wait_for_room(port, lane, message)
            return
        standings = [] if port.live is None else [stand(port.live)]
        raise SubsystemStalled(self.run.orchestra, lane.name, within, standings)

    async def wait_for_room(self, port: Port, lane: Lane[Any], message: object, reply: Reply | None = None) -> None:
        """Bring a message to its end that a lane did not take: wait for room, unless no room will ever come.

        Raises:
            SubsystemExited: Its consumer has ended, before or while it waited.
        """
        if self.deal_with_refusal(port, lane, message, reply):
            return  # noqa: ASYNC910 - the pace has checked for cancellation
        if self.sender is None:
            await park_sender(lane, message, None, reply)
        else:
            live = self.run.subsystems[self.sender]
            with live.waiting("send", port.consumer or "outgoing", lane.name, type(message), reply):
                await park_sender(lane, message, self.sender, reply)
        self.pace.renew()

    async def wait_for_answer(
        self, port: Port, message_type: type, answer: OneshotReceiver[T], state: OneshotState[T]
    ) -> T:
        """Wait for the answer to a request that was sent.

        Raises:
            OneshotCancelled: No answer will come.
        """
        try:
            if self.sender is None:
                value = await answer.receive()
            else:
                live = self.run.subsystems[self.sender]
                with live.waiting("request", port.consumer or "outgoing", None, message_type, state):
                    value = await answer.receive()
        except BaseException:
            self._tell_answer("no answer", port, message_type)
            raise
        self._tell_answer("answer", port, message_type)
        return value

    def _tell_answer(self, kind: HappeningKind, port: Port, message_type: type) -> None:
        if self.run.observers is not None:
            self.run.observers.tell(kind, self.sender, sender=port.consumer, detail=type_name(message_type))

    def _credit_at(self, lane: Lane[Any]) -> Credit:
        if lane not in self._credits:
            lender: Any = None if isinstance(lane, SharedLane) else lane  # not asked for what it never lends
            self._credits[lane] = Credit(self.pace, lender, lane.items)
        return self._credits[lane]

    def _find_mailbox(self, route: Route) -> tuple[Mailbox[Any, Any] | None, LiveSubsystem | None]:
        if route.kind == "outgoing":
            return self.run.outgoing_mailbox, None
        live = None if route.consumer is None else self.run.subsystems.get(route.consumer)
        return (None, None) if live is None else (live.mailbox, live)

    def _reason_after_exit(self, port: Port, message_type: type) -> DeadLetterReason:
        if port.live is None:
            return "outgoing closed"
        reason = reason_after_exit(self.run, port.live, self.sender)
        if reason is None:
            raise SubsystemExited(self.run.orchestra, port.live.name, self.sender, message_type)
        return reason

    def _unbounded_types(self, sender: str) -> list[type]:
        return list(self.run.subsystems[sender].slot.unbounded)


def reason_after_exit(run: Consumers, consumer: LiveSubsystem, sender: str | None) -> DeadLetterReason | None:
    """Return why a message to a consumer that has ended becomes a dead letter; None if it is an error instead."""
    if consumer.slot.after_exit == "dead_letter":
        return "exited"
    if run.is_stopping or consumer.was_told_to_end:
        return "stopping"
    if sender is not None and run.subsystems[sender].is_stopping:
        return "stopping"
    return None
