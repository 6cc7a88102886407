"""Routing by type, against a plain model that asks for each pair of types."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import assume, given

from orchestra_trio.errors import UndeclaredMessage, a_type
from orchestra_trio.wiring.routing import Route, Routes, build_routes
from tests.wiring.samples import make_slot, related, wirings

if TYPE_CHECKING:
    from collections.abc import Mapping

    from orchestra_trio.wiring.slots import Slot


class Shape: ...


class Circle(Shape): ...


class Dot(Circle): ...


class Sound: ...


class Bell(Sound, Shape): ...


class Tick: ...


class LateTick(Tick): ...


class Stop: ...


def routes_of(*slots: Slot, signals: tuple[type, ...] = (), outgoing: tuple[type, ...] = ()) -> Routes:
    return build_routes("P", {slot.name: slot for slot in slots}, signals, outgoing)


def test_an_exact_type_goes_to_its_consumer() -> None:
    routes = routes_of(make_slot("a", (), (Shape,)), make_slot("b", (Shape,)))
    assert routes.from_slot("a", Shape) == routes.from_outside(Shape) == Route(Shape, "subsystem", "b")


def test_a_subclass_goes_to_the_nearest_declared_base() -> None:
    """Both are consumed by one slot, and each message still has the nearer of them for its declared type."""
    routes = routes_of(make_slot("a", (), (Shape,)), make_slot("b", (Shape, Circle)))
    assert routes.from_slot("a", Dot).declared is Circle
    assert routes.from_slot("a", Shape).declared is Shape


def test_kinds_of_routes() -> None:
    """What goes out, to nobody, or to a slot that is not built, says so; the last still names the slot."""
    routes = routes_of(make_slot("a", (), (Shape, Sound, Tick)), make_slot("b", (Shape,), wip=True), outgoing=(Sound,))
    assert routes.from_slot("a", Shape) == Route(Shape, "wip", "b")
    assert routes.from_slot("a", Sound) == Route(Sound, "outgoing", None)
    assert routes.from_slot("a", Tick) == Route(Tick, "unconsumed", None)
    assert routes.from_outside(Shape) == Route(Shape, "wip", "b")


def test_a_type_that_the_slot_does_not_send_is_refused() -> None:
    """The error names the sender, the type, and what the slot may send."""
    routes = routes_of(make_slot("a", (), (Sound, Tick)), make_slot("b", (Shape,)), outgoing=(Sound, Tick))
    for _ in range(2):  # a refusal leaves nothing behind
        with pytest.raises(UndeclaredMessage) as caught:
            routes.from_slot("a", Circle)
        assert (caught.value.orchestra, caught.value.sender, caught.value.message_type) == ("P", "a", Circle)
        assert "cannot send a Circle: the wiring allows Sound, Tick there" in str(caught.value)


def test_a_type_that_the_wiring_does_not_know_is_refused() -> None:
    routes = routes_of(make_slot("a", (), (Sound,)), outgoing=(Sound,))
    with pytest.raises(UndeclaredMessage):
        routes.from_slot("a", Shape)


def test_a_route_along_an_edge_that_the_slot_does_not_have_is_refused() -> None:
    """A Bell is a Shape, which the slot sends, but goes to the consumer of Sound, to which the slot has no edge."""
    routes = routes_of(make_slot("a", (), (Shape,)), make_slot("b", (Shape,)), make_slot("c", (Sound,)))
    assert routes.from_outside(Bell).consumer == "c"
    with pytest.raises(UndeclaredMessage):
        routes.from_slot("a", Bell)


def test_a_base_that_nobody_consumes_takes_no_messages_from_one_that_is_consumed() -> None:
    """A Bell is a Sound, which is sent to nobody, before it is a Shape; it still reaches the consumer of Shape."""
    routes = routes_of(make_slot("a", (), (Sound, Bell)), make_slot("b", (Shape,)))
    assert routes.from_slot("a", Sound) == Route(Sound, "unconsumed", None)
    assert routes.from_slot("a", Bell) == routes.from_outside(Bell) == Route(Shape, "subsystem", "b")


@pytest.mark.parametrize("message_type", [Sound, Tick, Stop, int])
def test_what_nobody_consumes_cannot_be_routed_from_outside(message_type: type) -> None:
    """Not even what goes out, or what a slot sends to nobody; the error lists what is consumed."""
    routes = routes_of(make_slot("a", (), (Tick,)), make_slot("b", (Shape,)), outgoing=(Sound,))
    with pytest.raises(UndeclaredMessage) as caught:
        routes.from_outside(message_type)
    assert (caught.value.sender, caught.value.message_type) == (None, message_type)
    assert f"cannot route {a_type(message_type)}: the wiring allows Shape there" in str(caught.value)


def test_the_nearest_sent_type_says_whether_a_message_is_unbounded() -> None:
    routes = routes_of(
        make_slot("a", (), (Shape, Circle, Sound), unbounded={Shape: "few", Sound: "one per bell"}),
        make_slot("b", (Shape, Sound)),
    )
    assert routes.is_unbounded("a", Shape)
    assert not routes.is_unbounded("a", Dot)
    assert routes.is_unbounded("a", Bell)
    with pytest.raises(UndeclaredMessage):
        routes.is_unbounded("b", Shape)


def test_signals_reach_all_that_hear_the_type_or_a_base_of_it() -> None:
    """In declaration order, without the slots that are not built."""
    routes = routes_of(
        make_slot("late", (), (), (LateTick,)),
        make_slot("unbuilt", (), (), (Tick,), wip=True),
        make_slot("both", (), (), (LateTick, Tick)),
        make_slot("deaf", (Shape,)),
        make_slot("tick", (), (), (Tick,)),
        signals=(Tick, Stop),
    )
    assert routes.subscribers(Tick) == ("both", "tick")
    assert routes.subscribers(LateTick) == ("late", "both", "tick")
    assert routes.subscribers(LateTick) is routes.subscribers(LateTick)
    assert routes.subscribers(Stop) == ()


def test_what_is_no_signal_cannot_be_broadcast() -> None:
    routes = routes_of(make_slot("a", (Shape,), (), (Tick,)), signals=(Tick, Stop))
    with pytest.raises(UndeclaredMessage) as caught:
        routes.subscribers(Shape)
    assert (caught.value.orchestra, caught.value.sender, caught.value.message_type) == ("P", None, Shape)
    assert "cannot broadcast a Shape: the wiring allows Tick, Stop there" in str(caught.value)


class Model:
    """The rules of routing in plain words, with every pair of types compared."""

    def __init__(self, slots: Mapping[str, Slot], outgoing: tuple[type, ...]) -> None:
        self.slots = slots
        self.kinds = {one: ("wip" if slot.wip else "subsystem") for slot in slots.values() for one in slot.consumes}
        self.kinds |= dict.fromkeys(outgoing, "outgoing")
        owned = tuple(self.kinds)
        self.kinds |= {one: "unconsumed" for slot in slots.values() for one in slot.sends if not issubclass(one, owned)}

    def nearest(self, one: type) -> type | None:
        owned = [base for base in one.mro() if self.kinds.get(base, "unconsumed") != "unconsumed"]
        return next(iter(owned), None) or next((base for base in one.mro() if base in self.kinds), None)

    def sent_as(self, slot: str, one: type) -> type | None:
        goal = self.nearest(one)
        for base in one.mro():
            if goal and base in self.slots[slot].sends and (goal is self.nearest(base) or issubclass(goal, base)):
                return base
        return None

    def consumer(self, one: type) -> str | None:
        goal = self.nearest(one)
        return next((name for name, slot in self.slots.items() if goal in slot.consumes), None)


@given(wirings())
def test_routes_are_those_of_the_model(drawn: tuple[list[type], dict[str, Slot], tuple[type, ...]]) -> None:
    """For every slot and every class of a random hierarchy, declared or not, asked twice."""
    classes, slots, outgoing = drawn
    owners = [(one, slot.name) for slot in slots.values() for one in slot.consumes] + [(one, "") for one in outgoing]
    assume(not any(a != b and related(one, other) for one, a in owners for other, b in owners))
    routes, model = build_routes("P", slots, (), outgoing), Model(slots, outgoing)

    for one in classes * 2:
        goal, consumer = model.nearest(one), model.consumer(one)
        expected = None if goal is None else Route(goal, model.kinds[goal], consumer)  # type: ignore[arg-type]
        if consumer is None:
            with pytest.raises(UndeclaredMessage):
                routes.from_outside(one)
        else:
            assert routes.from_outside(one) == expected
        for name, slot in slots.items():
            sent_as = model.sent_as(name, one)
            if sent_as is None:
                with pytest.raises(UndeclaredMessage):
                    routes.from_slot(name, one)
            else:
                assert routes.from_slot(name, one) == expected
                assert routes.is_unbounded(name, one) == (sent_as in slot.unbounded)
