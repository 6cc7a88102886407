"""Which fields of a class are slots, which are baggage, and which cannot be."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar

import pytest
import typing_extensions

from orchestra_trio.errors import DeclarationError
from orchestra_trio.wiring.specifiers import subsystem
from tests.wiring.samples import Fetch, Parse, Sample, Store, Subsystem, facts

FetchSlot = typing_extensions.TypeAliasType("FetchSlot", Subsystem[Fetch])


def test_slots_and_baggage_in_the_order_of_the_body() -> None:
    """Defaults of baggage stay where they are."""

    class P(Sample):
        path: str
        fetch: Subsystem[Fetch]
        limit: int = 3
        parse: Subsystem[Parse] = subsystem(priority=True)
        weird: [1, 2]  # type: ignore[valid-type]

    assert list(P.declaration.slots) == ["fetch", "parse"]
    assert P.declaration.slots["parse"].priority
    assert list(P.declaration.baggage.items()) == [("path", str), ("limit", int), ("weird", [1, 2])]
    assert P.limit == 3


def test_annotated_and_aliased_slots() -> None:
    class P(Sample):
        fetch: FetchSlot
        parse: Annotated[Subsystem[Parse], "note"]

    assert [slot.consumes for slot in P.declaration.slots.values()] == [(Fetch,), (Parse,)]


def test_a_slot_without_types_takes_those_of_its_options() -> None:
    class P(Sample):
        fetch: Subsystem = subsystem(consumes=Fetch)  # type: ignore[type-arg]

    assert P.declaration.slots["fetch"].consumes == (Fetch,)


def test_class_variables_are_no_fields() -> None:
    """Whatever their name and value."""

    class P(Sample):
        count: ClassVar[int] = 0
        _hidden: ClassVar[dict[str, int]] = {}
        bare: ClassVar = 1
        open: ClassVar[Any] = None
        fetch: Subsystem[Fetch]

    assert list(P.declaration.slots) == ["fetch"]
    assert P.declaration.baggage == {}


def test_inherited_fields_come_first_and_keep_their_place() -> None:
    """A field that is annotated again takes the place, and the whole meaning, of the inherited one."""

    class Parent(Sample):
        fetch: Subsystem[Fetch] = subsystem(priority=True)
        path: str
        parse: Subsystem[Parse] = subsystem(wip=True)

    class Child(Parent):
        store: Subsystem[Store]
        path: bytes  # type: ignore[assignment]
        fetch: Subsystem[Fetch] = subsystem(readiness=True)

    slots = Child.declaration.slots
    assert list(slots) == ["fetch", "parse", "store"]
    assert (slots["fetch"].priority, slots["fetch"].readiness) == (False, True)
    assert slots["parse"].wip
    assert Child.declaration.baggage == {"path": bytes}
    assert list(Parent.declaration.slots) == ["fetch", "parse"]


def test_inherited_baggage_may_get_a_default() -> None:
    class Parent(Sample):
        path: str

    class Child(Parent):
        path = "here"

    assert Child.declaration.baggage == {"path": str}


@pytest.mark.parametrize("annotation", [Subsystem[Fetch], int])
def test_reserved_names(annotation: object) -> None:
    """Neither slot nor baggage can have a name that the class needs itself."""
    with pytest.raises(DeclarationError) as caught:
        type("P", (Sample,), {"__annotations__": {"open": annotation}})
    assert facts(caught.value) == ("P", "open", "the class needs this name itself", "give the field another name")


@pytest.mark.parametrize(("name", "instead"), [("_fetch", "fetch"), ("__", "another name")])
def test_names_with_an_underscore(name: str, instead: str) -> None:
    with pytest.raises(DeclarationError) as caught:
        type("P", (Sample,), {"__annotations__": {name: int}})
    assert facts(caught.value) == (
        "P",
        name,
        "a field cannot begin with an underscore, which is for the class's own",
        f"write {instead}, or ClassVar for what is no field",
    )


def test_a_slot_with_a_default() -> None:
    """The subsystem itself is held by the orchestra, not by its class."""
    with pytest.raises(DeclarationError) as caught:

        class P(Sample):
            fetch: Subsystem[Fetch] = print  # type: ignore[assignment]

    assert facts(caught.value) == (
        "P",
        "fetch",
        "the slot has a default, of type builtin_function_or_method",
        "write = subsystem(...) or nothing, and pass the subsystem when the orchestra is made",
    )


NO_SLOT = (
    "P",
    "field",
    "subsystem(...) stands on a field that is no slot",
    "annotate it as a slot, field: Subsystem[...] = subsystem(...)",
)


@pytest.mark.parametrize("annotations", [{}, {"field": int}, {"field": ClassVar[int]}], ids=["none", "int", "ClassVar"])
def test_a_specification_on_what_is_no_slot(annotations: dict[str, object]) -> None:
    with pytest.raises(DeclarationError) as caught:
        type("P", (Sample,), {"__annotations__": annotations, "field": subsystem()})
    assert facts(caught.value) == NO_SLOT


def test_an_inherited_slot_cannot_be_covered() -> None:
    """By a method, say, which would be found in place of the subsystem."""

    class Parent(Sample):
        fetch: Subsystem[Fetch]

    with pytest.raises(DeclarationError) as caught:

        class P(Parent):
            def fetch(self) -> None: ...  # type: ignore[override]

    assert facts(caught.value) == (
        "P",
        "fetch",
        "an inherited slot is covered by something without annotation, of type function",
        "annotate it as a slot again, or give what covers it another name",
    )


def test_a_field_cannot_change_between_slot_and_baggage() -> None:
    class Parent(Sample):
        fetch: Subsystem[Fetch]
        path: str

    with pytest.raises(DeclarationError) as caught:
        type("P", (Parent,), {"__annotations__": {"fetch": int}})
    assert facts(caught.value) == (
        "P",
        "fetch",
        "it is inherited as a slot and annotated as baggage",
        "give one of them another name",
    )
    with pytest.raises(DeclarationError) as caught:
        type("P", (Parent,), {"__annotations__": {"path": Subsystem[Store]}})
    assert facts(caught.value)[1:3] == ("path", "it is inherited as baggage and annotated as a slot")


@pytest.mark.parametrize("annotation", ["Subsystem[Fetch] | None", "None | FetchSlot", "Subsystem | int"])
def test_a_union_with_a_subsystem(annotation: str) -> None:
    """As baggage it would be left out of the wiring without a word."""
    with pytest.raises(DeclarationError) as caught:
        type("P", (Sample,), {"__annotations__": {"fetch": annotation}, "__module__": __name__})
    assert facts(caught.value) == (
        "P",
        "fetch",
        "it is a union with a subsystem, so that nobody can say whether it is a slot",
        "write the subsystem alone; subsystem(wip=True) is for one that is not built yet",
    )


@pytest.mark.parametrize("annotation", [list[Subsystem[Fetch]], dict[str, Subsystem[Fetch]]])
def test_a_subsystem_inside_of_another_type(annotation: object) -> None:
    """It would be baggage, and left out of the wiring without a word."""
    with pytest.raises(DeclarationError) as caught:
        type("P", (Sample,), {"__annotations__": {"fetch": annotation}, "__module__": __name__})
    assert facts(caught.value)[1:] == (
        "fetch",
        "it is a subsystem inside of another type, which makes no slot",
        "give each subsystem a slot of its own",
    )


def test_options_in_place_of_the_annotation() -> None:
    """What `subsystem(...)` returns is the default of a slot."""
    with pytest.raises(DeclarationError) as caught:
        type("P", (Sample,), {"__annotations__": {"fetch": subsystem()}, "__module__": __name__})
    assert facts(caught.value)[1:3] == ("fetch", "subsystem(...) stands on a field that is no slot")
