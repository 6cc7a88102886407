"""What a wiring as a whole must keep: whose a type is, what is a signal, and that nothing is sent to nobody.

Each check walks from the types up their bases, never over pairs of types, so that it is linear in both.
"""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING, Generic

import attrs

from orchestra_trio.errors import type_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from orchestra_trio.errors import DeclarationError
    from orchestra_trio.wiring.annotations import Scope
    from orchestra_trio.wiring.routing import Routes
    from orchestra_trio.wiring.slots import Slot

__all__ = [
    "Finding",
    "check_consumers",
    "check_purposes",
    "check_restart_groups",
    "check_signals",
    "unconsumed_types",
    "unsent_types",
]


@attrs.frozen
class Finding:
    """Something about the wiring that is an error, a warning or nothing, as the class says."""

    slot: str
    """The slot that it is about."""

    problem: str
    """What is wrong with it, where it is."""

    remedy: str
    """What to write instead."""


def check_purposes(slots: Iterable[Slot], scope: Scope) -> None:
    """Refuse a slot that neither consumes nor sends nor hears.

    Raises:
        DeclarationError: Names class and slot.
    """
    for slot in slots:
        if not (slot.consumes or slot.sends or slot.signals):
            raise scope.fault(
                "it neither consumes nor sends nor hears anything",
                "name its types in the annotation, [consumes, sends, signals], or leave it out",
                slot.name,
            )


def check_restart_groups(slots: Iterable[Slot], scope: Scope) -> None:
    """Refuse a restart group that nothing ever begins anew, and an order that has no group to apply to.

    Raises:
        DeclarationError: Names class and slot.
    """
    restarting = {slot.restart_group for slot in slots if slot.restart is not None}
    for slot in slots:
        if slot.restart_group is not None and slot.restart_group not in restarting:
            raise scope.fault(
                f"no slot of its restart_group={slot.restart_group!r} has a restart",
                "add restart=Restart() to those whose failures the group is to survive, or leave the group out",
                slot.name,
            )
        if slot.restart is not None and slot.restart.order == "rest" and slot.restart_group is None:
            raise scope.fault(
                'it has Restart(order="rest") and no group',
                'add restart_group="name" to it and to those that are to begin anew with it',
                slot.name,
            )


def check_consumers(slots: Iterable[Slot], outgoing: tuple[type, ...], scope: Scope) -> None:
    """Refuse two owners of one type or of a type and its subclass: two slots, or a slot and the way out.

    Raises:
        DeclarationError: Names class, slots and types.
    """
    owners: dict[type, str | None] = {}
    for slot in slots:
        for one in slot.consumes:
            if one in owners:
                raise _overlap(one, slot.name, one, owners[one], scope)
            owners[one] = slot.name
    for one in outgoing:
        consumer = owners.setdefault(one, None)
        if consumer is not None:
            raise _overlap(one, consumer, one, None, scope)
    for one, owner in owners.items():
        for base in one.__mro__[1:]:
            other = owners.get(base, owner)
            if owner is not None and other != owner:
                raise _overlap(one, owner, base, other, scope)
            if owner is None and other is not None:
                raise _overlap(base, other, one, None, scope)


def check_signals(
    signal_types: tuple[type, ...], slots: Iterable[Slot], outgoing: tuple[type, ...], scope: Scope
) -> None:
    """Refuse signals that the class does not have, and types that are both signal and message.

    A slot may hear a subclass of a declared signal, since that can be broadcast; not a base, since the base itself
    cannot.

    Raises:
        DeclarationError: Names class, slot and types.
    """
    slots = tuple(slots)
    declared = set(signal_types)
    for slot in slots:
        for one in slot.signals:
            if declared.isdisjoint(one.__mro__):
                raise scope.fault(
                    f"it hears {type_name(one)}, which is no signal of {scope.orchestra}",
                    f"add {type_name(one)} to the class's signals, {_listed(signal_types)} now, or leave it out here",
                    slot.name,
                )
    signals = dict.fromkeys(chain(signal_types, *(slot.signals for slot in slots)))
    bases_of_signals = {base: one for one in reversed(signals) for base in one.__mro__}
    for one, role, name in _messages(slots, outgoing):
        base = next((base for base in one.__mro__ if base in signals), None)
        signal = bases_of_signals.get(one, base)
        if signal is not None:
            raise scope.fault(*_both(one, role, signal), name)


def unconsumed_types(slots: Iterable[Slot], routes: Routes) -> Iterator[Finding]:
    """Find the sent types that nobody consumes and that do not go out."""
    for slot in slots:
        for one in slot.sends:
            if one in routes.declared and routes.declared[one].kind == "unconsumed":
                below = [other for other in routes.reach[one] if routes.declared[other].kind != "unconsumed"]
                yield Finding(
                    slot.name,
                    f"it sends {type_name(one)}, which nobody consumes",
                    f"send only {_listed(below)}, the subclasses that somebody consumes"
                    if below
                    else f"let a slot consume {type_name(one)}, add it to outgoing=, or do not send it",
                )


def unsent_types(slots: Iterable[Slot], routes: Routes) -> Iterator[Finding]:
    """Find the consumed types that nobody sends, neither themselves nor a base nor a subclass of theirs."""
    sent = {one for reached in routes.reach.values() for one in reached}
    for slot in slots:
        for one in slot.consumes:
            if one not in sent:
                yield Finding(
                    slot.name,
                    f"it consumes {type_name(one)}, which nobody sends",
                    f"let a slot send {type_name(one)}, or do not consume it",
                )


def _messages(slots: Iterable[Slot], outgoing: tuple[type, ...]) -> Iterator[tuple[type, str, str | None]]:
    for slot in slots:
        yield from ((one, "consumes", slot.name) for one in slot.consumes)
        yield from ((one, "sends", slot.name) for one in slot.sends)
    yield from ((one, "lets out", None) for one in outgoing)


def _overlap(mine: type, slot: str, theirs: type, other: str | None, scope: Scope) -> DeclarationError:
    relation = "" if mine is theirs else f", a {_kinship(mine, theirs)} of {type_name(theirs)}"
    claim = "outgoing= lets out" if other is None else f"{other!r} consumes"
    if other is None:
        remedy = f"take {type_name(theirs)} out of outgoing=, or consume a class that is not related to it"
    elif Generic in mine.__mro__:
        remedy = "let one slot consume it with all type arguments, which cannot be told apart at run time"
    else:
        remedy = f"let one slot consume {_listed(dict.fromkeys((mine, theirs)))}, or use classes that are not related"
    return scope.fault(f"it consumes {type_name(mine)}{relation}, which {claim}", remedy, slot)


def _kinship(one: type, other: type) -> str:
    # Not issubclass(): abstract base classes answer that for classes that routing, by bases, does not see.
    return "subclass" if other in one.__mro__ else "base"


def _both(one: type, role: str, signal: type) -> tuple[str, str]:
    relation = "is a signal" if one is signal else f"is a {_kinship(one, signal)} of the signal {type_name(signal)}"
    return (
        f"it {role} {type_name(one)} as a message, which {relation}",
        "let a type be either signal or message, and give the message a class that is not related to the signal",
    )


def _listed(types: Iterable[type]) -> str:
    return " | ".join(map(type_name, types)) or "Never"
