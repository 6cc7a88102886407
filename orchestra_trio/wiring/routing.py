"""Routing by type: who gets a message of a type, and who hears a signal.

A message goes to the nearest type of its method resolution order that is consumed by a slot or outgoing; where there is
none, to nobody, as the nearest type that a slot declares to send. So a type has one route, whoever sends it; whether a
slot may send it is a second question.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NoReturn, TypeAlias

import attrs

from orchestra_trio.errors import UndeclaredMessage

if TYPE_CHECKING:
    from collections.abc import Mapping

    from orchestra_trio.wiring.slots import Slot

__all__ = ["Route", "RouteKind", "Routes", "build_routes"]

RouteKind: TypeAlias = Literal["subsystem", "outgoing", "wip", "unconsumed"]
"""Where a route leads: to a subsystem, out to the embedding program, or to a dead letter."""


@attrs.frozen
class Route:
    """Where messages of one declared type go."""

    declared: type
    """The type as the wiring declares it; a message may be of a subclass."""

    kind: RouteKind
    """Whether a subsystem receives it, or what becomes of it else."""

    consumer: str | None
    """The slot that consumes it, built or not; None where no slot does."""


@attrs.frozen
class _Permission:
    """What one slot may do with messages of one type."""

    route: Route
    sent_as: type


@attrs.frozen(eq=False)
class _Sender:
    """What one slot may send, and the permissions that it has asked for."""

    sends: frozenset[type]
    permissions: dict[type, _Permission] = attrs.field(init=False, factory=dict[type, _Permission])


@attrs.frozen(eq=False)
class Routes:
    """The routes of one orchestra's class. It only grows a cache, of the message types that came by."""

    orchestra: str
    """The name of the class."""

    declared: Mapping[type, Route]
    """The route of every type that has one of its own: consumed ones, then outgoing, then sent but unconsumed ones."""

    reach: Mapping[type, Mapping[type, None]] = attrs.field(repr=False)
    """For every sent type, the declared types that its messages can have: its own route's, then its subclasses."""

    _slots: Mapping[str, Slot] = attrs.field(alias="slots", repr=False)
    _signal_types: tuple[type, ...] = attrs.field(alias="signal_types", repr=False)
    _hearing: Mapping[type, tuple[int, ...]] = attrs.field(alias="hearing", repr=False)
    # Caches by type keep classes alive that programs create at run time and send; these are few, and their bases,
    # the declared types, live as long as the orchestra's class anyway.
    _senders: dict[str, _Sender] = attrs.field(init=False, repr=False, factory=dict[str, _Sender])
    _outside: dict[type, Route] = attrs.field(init=False, repr=False, factory=dict[type, Route])
    _subscribers: dict[type, tuple[str, ...]] = attrs.field(init=False, repr=False, factory=dict[type, tuple[str, ...]])

    def from_slot(self, slot_name: str, message_type: type) -> Route:
        """Return where a message goes that a subsystem sends.

        Args:
            slot_name: The sender's slot.
            message_type: The class of the message itself.

        Raises:
            UndeclaredMessage: The slot does not declare that it sends such messages, or not along this route.
        """
        return self._permission(slot_name, message_type).route

    def is_unbounded(self, slot_name: str, message_type: type) -> bool:
        """Return whether a slot declares that it sends such messages unbounded.

        What counts is the nearest of its sent types: of a base that is unbounded and a subclass that is not, messages
        of the subclass are bounded.

        Raises:
            UndeclaredMessage: As for `from_slot`.
        """
        return self._permission(slot_name, message_type).sent_as in self._slots[slot_name].unbounded

    def from_outside(self, message_type: type) -> Route:
        """Return where a message goes that the embedding program routes: to a subsystem, built or not.

        Raises:
            UndeclaredMessage: No slot consumes such messages, or they are outgoing.
        """
        route = self._outside.get(message_type)
        if route is None:
            route = _nearest(message_type, self.declared)
            if route is None or route.consumer is None:
                consumed = [one.declared for one in self.declared.values() if one.consumer is not None]
                raise UndeclaredMessage(self.orchestra, None, message_type, operation="route", declared=consumed)
            self._outside[message_type] = route
        return route

    def subscribers(self, signal_type: type) -> tuple[str, ...]:
        """Return the built slots that hear a signal: that declare its type or a base of it, in declaration order.

        Args:
            signal_type: The class of the signal itself.

        Raises:
            UndeclaredMessage: It is no signal of this class.
        """
        names = self._subscribers.get(signal_type)
        if names is None:
            self.check_signal(signal_type, operation="broadcast")
            positions = {place for base in signal_type.__mro__ for place in self._hearing.get(base, ())}
            order = tuple(self._slots)
            names = self._subscribers[signal_type] = tuple(order[place] for place in sorted(positions))
        return names

    def check_signal(self, signal_type: type, *, operation: str) -> None:
        """Refuse what is no signal.

        Args:
            signal_type: The class of the signal itself.
            operation: What is to be done with it, for the error.

        Raises:
            UndeclaredMessage: It is no signal of this class.
        """
        if not any(base in self._signal_types for base in signal_type.__mro__):
            raise UndeclaredMessage(self.orchestra, None, signal_type, operation=operation, declared=self._signal_types)

    def _permission(self, slot_name: str, message_type: type) -> _Permission:
        sender = self._senders.get(slot_name)
        if sender is None:
            sender = self._senders[slot_name] = _Sender(frozenset(self._slots[slot_name].sends))
        permission = sender.permissions.get(message_type)
        if permission is None:
            permission = sender.permissions[message_type] = self._find_permission(slot_name, sender, message_type)
        return permission

    def _find_permission(self, slot_name: str, sender: _Sender, message_type: type) -> _Permission:
        route = _nearest(message_type, self.declared)
        if route is not None:
            # That the slot sends a base of it is not enough: with two bases, the nearest declared one may be a type
            # that only others send, and a message along an edge that the graph does not know would break the drain.
            for base in message_type.__mro__:
                if base in sender.sends and route.declared in self.reach[base]:
                    return _Permission(route, base)
        return self._refuse(slot_name, message_type, self._slots[slot_name].sends)

    def _refuse(self, slot_name: str, message_type: type, sends: tuple[type, ...]) -> NoReturn:
        raise UndeclaredMessage(self.orchestra, slot_name, message_type, operation="send", declared=sends)


def _nearest(message_type: type, routes: Mapping[type, Route]) -> Route | None:
    """Return the route of the type itself, else of its nearest base that has one.

    A base that nobody consumes counts only where there is no other: it must not take messages from who consumes them.
    """
    unconsumed: Route | None = None
    for base in message_type.__mro__:
        route = routes.get(base)
        if route is not None and route.kind != "unconsumed":
            return route
        unconsumed = unconsumed or route
    return unconsumed


def build_routes(
    orchestra: str, slots: Mapping[str, Slot], signal_types: tuple[type, ...], outgoing: tuple[type, ...]
) -> Routes:
    """Return the routes of a wiring in which no two consumers overlap.

    Args:
        orchestra: The name of the class.
        slots: All slots, in declaration order.
        signal_types: The signals that the class can broadcast.
        outgoing: The types that go out to the embedding program.
    """
    declared: dict[type, Route] = {
        one: Route(one, "wip" if slot.wip else "subsystem", slot.name)
        for slot in slots.values()
        for one in slot.consumes
    }
    declared |= {one: Route(one, "outgoing", None) for one in outgoing}
    sent = {one: None for slot in slots.values() for one in slot.sends}
    declared |= {one: Route(one, "unconsumed", None) for one in sent if _nearest(one, declared) is None}
    hearing: dict[type, list[int]] = {}
    for place, slot in enumerate(slots.values()):
        for one in () if slot.wip else slot.signals:
            hearing.setdefault(one, []).append(place)
    return Routes(
        orchestra=orchestra,
        declared=declared,
        reach=_reach(sent, declared),
        slots=slots,
        signal_types=signal_types,
        hearing={one: tuple(places) for one, places in hearing.items()},
    )


def _reach(sent: Mapping[type, None], declared: Mapping[type, Route]) -> dict[type, dict[type, None]]:
    reach: dict[type, dict[type, None]] = {}
    for one in sent:
        route = _nearest(one, declared)
        reach[one] = {} if route is None else {route.declared: None}
    # From each declared type up its bases: linear, where comparing sent with declared types would be quadratic.
    for one in declared:
        for base in one.__mro__:
            if base in reach:
                reach[base][one] = None
    return reach
