"""Checks of a whole wiring, against oracles that compare every pair of types."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from orchestra_trio.errors import DeclarationError
from orchestra_trio.wiring.checks import check_consumers, check_signals, unconsumed_types, unsent_types
from orchestra_trio.wiring.routing import build_routes
from tests.wiring.samples import hierarchies, make_slot, related, scope, wirings

if TYPE_CHECKING:
    from collections.abc import Callable

    from orchestra_trio.wiring.slots import Slot

Wiring = tuple[list[type], "dict[str, Slot]", tuple[type, ...]]


def refused(check: Callable[[], None]) -> bool:
    try:
        check()
    except DeclarationError:
        return True
    return False


def owners(slots: dict[str, Slot], outgoing: tuple[type, ...]) -> list[tuple[type, str]]:
    return [(one, slot.name) for slot in slots.values() for one in slot.consumes] + [(one, "") for one in outgoing]


@given(wirings(), st.data())
def test_consumers_overlap_where_a_pair_of_their_types_does(drawn: Wiring, data: st.DataObject) -> None:
    """A type and itself, or a class and its subclass, in two slots or in a slot and outgoing, and only then."""
    classes, slots, outgoing = drawn
    if data.draw(st.booleans()):
        slots["d"] = make_slot("d", (data.draw(st.sampled_from(classes)),))
    claims = owners(slots, outgoing)
    expected = any(a != b and related(one, other) for one, a in claims for other, b in claims)
    assert refused(lambda: check_consumers(slots.values(), outgoing, scope())) == expected


@given(hierarchies(), st.data())
def test_types_are_signal_and_message_where_a_pair_is_related(classes: list[type], data: st.DataObject) -> None:
    """Consumed, sent and outgoing types alike, against the signals of the class and those that slots hear."""

    def some(limit: int) -> tuple[type, ...]:
        return tuple(data.draw(st.lists(st.sampled_from(classes), unique=True, max_size=limit)))

    signals, outgoing = some(2), some(1)
    slots = [make_slot("a", some(1), some(1), some(1)), make_slot("b", some(1), some(1))]
    assume(all(issubclass(one, signals) for slot in slots for one in slot.signals))
    heard = [*signals, *(one for slot in slots for one in slot.signals)]
    messages = [*outgoing, *(one for slot in slots for one in (*slot.consumes, *slot.sends))]
    expected = any(related(one, other) for one in messages for other in heard)
    assert refused(lambda: check_signals(signals, slots, outgoing, scope())) == expected


@given(wirings())
def test_findings_are_those_of_an_oracle(drawn: Wiring) -> None:
    """Unconsumed: no owned type is the sent type or a base of it. Unsent: no sent type can be the consumed one."""
    _, slots, outgoing = drawn
    assume(not refused(lambda: check_consumers(slots.values(), outgoing, scope())))
    routes = build_routes("P", slots, (), outgoing)
    owned = tuple(one for one, _ in owners(slots, outgoing))
    sent = [one for slot in slots.values() for one in slot.sends]

    assert [(one.slot, one.problem) for one in unconsumed_types(slots.values(), routes)] == [
        (slot.name, f"it sends {one.__name__}, which nobody consumes")
        for slot in slots.values()
        for one in slot.sends
        if not issubclass(one, owned)
    ]

    def arrives(one: type, consumed: type) -> bool:
        return issubclass(consumed, one) or next((b for b in one.mro() if b in owned), None) is consumed

    assert [(one.slot, one.problem) for one in unsent_types(slots.values(), routes)] == [
        (slot.name, f"it consumes {consumed.__name__}, which nobody sends")
        for slot in slots.values()
        for consumed in slot.consumes
        if not any(arrives(one, consumed) for one in sent)
    ]


class Virtual(type):
    """Says of every class that it is a subclass, as abstract base classes may."""

    def __subclasscheck__(cls, subclass: type) -> bool:
        return True


class Everything(metaclass=Virtual): ...


class Other: ...


def test_virtual_subclasses_do_not_count() -> None:
    """Routing goes by the bases that a class has, whatever `issubclass` says."""
    check_consumers([make_slot("a", (Everything,)), make_slot("b", (Other,))], (), scope())


@pytest.mark.parametrize("wip", [False, True])
def test_ten_thousand_consumers_of_unrelated_types(wip: bool) -> None:
    """Every type is looked up once and its bases once; nothing is compared in pairs."""
    slots = [make_slot(f"s{number}", (type(f"T{number}", (), {}),), wip=wip) for number in range(10_000)]
    check_consumers(slots, (), scope())
