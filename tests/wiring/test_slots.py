"""What `subsystem(...)` says about a slot."""

from __future__ import annotations

from typing import Any, Never

import pytest

from orchestra_trio.delivery.strategies import Weighted
from orchestra_trio.errors import DeclarationError
from orchestra_trio.wiring.options import OrchestraOptions
from orchestra_trio.wiring.slots import Slot, resolve_slot
from orchestra_trio.wiring.specifiers import SubsystemSpec, subsystem
from tests.wiring.samples import Fetch, Parse, Stop, Store, Tick, facts, scope


def resolved(spec: SubsystemSpec | None = None, **class_options: int) -> Slot:
    options = OrchestraOptions(**class_options)  # type: ignore[arg-type]
    names = scope(Stop=Stop)
    return resolve_slot("slot", (Fetch, Parse | Store, Tick), spec or SubsystemSpec(), options, names)


def fault(**options: Any) -> tuple[str, str | None, str, str]:  # noqa: ANN401 - values of wrong types on purpose
    with pytest.raises(DeclarationError) as caught:
        resolved(subsystem(**options))
    return facts(caught.value)


def test_without_options() -> None:
    """The types are the annotation's, and the capacities the class's."""
    slot = resolved(message_capacity=5, signal_capacity=6)
    assert (slot.name, slot.consumes, slot.sends, slot.signals) == ("slot", (Fetch,), (Parse, Store), (Tick,))
    assert (slot.message_capacity, slot.signal_capacity) == (5, 6)
    assert (slot.priority, slot.readiness, slot.wip, slot.unbounded) == (False, False, False, {})
    assert (slot.select, slot.on_exit, slot.after_exit) == (None, "continue", "raise")


def test_with_all_options() -> None:
    strategy = Weighted()
    slot = resolved(
        subsystem(
            message_capacity=1,
            signal_capacity=2,
            priority=True,
            unbounded={Store: "one per block"},
            select=strategy,
            on_exit="stop",
            after_exit="dead_letter",
            readiness=True,
        )
    )
    assert (slot.message_capacity, slot.signal_capacity) == (1, 2)
    assert (slot.priority, slot.readiness, slot.unbounded) == (True, True, {Store: "one per block"})
    assert (slot.select, slot.on_exit, slot.after_exit) == (strategy, "stop", "dead_letter")
    assert resolved(subsystem(wip=True)).wip


def test_types_in_options_override_the_annotation() -> None:
    """As a type, a union, a tuple, a quoted name, or Never; the annotation is not even looked at then."""
    slot = resolved(subsystem(consumes=Parse | Store, sends=(Fetch,), signals="Stop"))
    assert (slot.consumes, slot.sends, slot.signals) == ((Parse, Store), (Fetch,), (Stop,))
    slot = resolve_slot(
        "slot",
        (list[int], list[int], list[int]),
        subsystem(consumes=Never, sends=Fetch, signals=()),
        OrchestraOptions(),
        scope(),
    )
    assert (slot.consumes, slot.sends, slot.signals) == ((), (Fetch,), ())


def test_capacities_of_its_own_stay_under_other_class_options() -> None:
    """Those of the class are filled in anew."""
    slot = resolved(subsystem(message_capacity=3), message_capacity=5, signal_capacity=6)
    again = slot.under(OrchestraOptions(message_capacity=7, signal_capacity=8))
    assert (again.message_capacity, again.signal_capacity) == (3, 8)


def test_slots_are_plain_data() -> None:
    """They can be compared and hashed, and nothing in them can be changed."""
    spec = subsystem(unbounded={Store: "few"})
    assert resolved(spec) == resolved(spec)
    assert hash(resolved(spec)) == hash(resolved(spec))
    with pytest.raises(TypeError):
        resolved(spec).unbounded[Parse] = "more"  # type: ignore[index]


@pytest.mark.parametrize("option", ["message_capacity", "signal_capacity"])
@pytest.mark.parametrize("value", [0, -3, 1.5, "8", True])
def test_a_capacity_that_is_no_positive_integer(option: str, value: object) -> None:
    assert fault(**{option: value}) == (
        "P",
        "slot",
        f"{option}={value!r} is no positive integer",
        "write an integer of 1 or more",
    )


@pytest.mark.parametrize("option", ["priority", "readiness", "wip"])
@pytest.mark.parametrize("value", [1, None, "yes"])
def test_a_flag_that_is_none(option: str, value: object) -> None:
    assert fault(**{option: value}) == (
        "P",
        "slot",
        f"{option}={value!r} is neither True nor False",
        "write one of them",
    )


@pytest.mark.parametrize(
    ("option", "words"),
    [("on_exit", 'write "continue" or "stop"'), ("after_exit", 'write "raise" or "dead_letter"')],
)
@pytest.mark.parametrize("value", ["restart", None, {}])
def test_a_word_that_is_unknown(option: str, words: str, value: object) -> None:
    assert fault(**{option: value}) == ("P", "slot", f"{option}={value!r} is unknown", words)


def test_a_strategy_that_is_none() -> None:
    """The class of a strategy is not refused here: it has the method too."""
    assert fault(select="biased") == (
        "P",
        "slot",
        "select='biased' is no strategy",
        "write one that has a method chooser()",
    )


def test_unbounded_needs_a_reason() -> None:
    for reason in ("", "  ", None, 7):
        assert fault(unbounded={Store: reason}) == (
            "P",
            "slot",
            "it sends Store unbounded without a reason",
            'write what bounds it elsewhere, such as "one per block"',
        )


def test_unbounded_types_without_reasons_at_all() -> None:
    assert fault(unbounded={Store}) == (
        "P",
        "slot",
        f"unbounded={ {Store}!r} gives no reasons",
        'write a dict of each type with what bounds it elsewhere, such as {Log: "one per block"}',
    )


def test_unbounded_types_are_among_those_sent() -> None:
    assert fault(unbounded={Store: "few", Tick: "few"}) == (
        "P",
        "slot",
        "it does not send Tick, which it declares unbounded",
        "add Tick to the types that it sends, or leave it out of unbounded=",
    )


def test_several_unbounded_types_with_one_reason() -> None:
    assert resolved(subsystem(unbounded={Parse | Store: "few"})).unbounded == {Parse: "few", Store: "few"}  # type: ignore[dict-item]


@pytest.mark.parametrize(
    ("option", "role"), [("consumes", "consumed type"), ("sends", "sent type"), ("signals", "signal type")]
)
def test_types_that_cannot_be_told(option: str, role: str) -> None:
    assert fault(**{option: list[int]}) == (
        "P",
        "slot",
        f"its {role} list[int] cannot be told apart at run time",
        "write list for all of them, or a class of your own that holds one",
    )


def test_a_strategy_is_made_and_not_only_named() -> None:
    """The class itself has the method too, but is none."""
    assert fault(select=Weighted) == ("P", "slot", "select=Weighted is a class", "write a strategy, such as Weighted()")
