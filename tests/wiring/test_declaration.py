"""What a class declares, as a whole, and every way in which a wiring can be wrong."""

from __future__ import annotations

import inspect
from typing import Generic, Never, TypeVar

import pytest

from orchestra_trio.errors import DeclarationError
from orchestra_trio.wiring.declaration import declare
from orchestra_trio.wiring.graph import Edge
from orchestra_trio.wiring.options import OrchestraOptions
from orchestra_trio.wiring.specifiers import subsystem
from tests.wiring.samples import Fetch, Imported, LateTick, Parse, Sample, Stop, Store, Subsystem, Tick, facts

T = TypeVar("T")


class Box(Generic[T]): ...


class Urgent(Fetch): ...


class Pipeline(Sample[Tick | Stop, Imported], message_capacity=8, outgoing=Store):
    fetcher: Subsystem[Fetch, Parse, Tick]
    parser: Subsystem[Parse, Store | Fetch] = subsystem(message_capacity=2, unbounded={Fetch: "one per page"})
    clock: Subsystem[Never, Never, LateTick]
    path: str


def test_all_that_a_class_says() -> None:
    """Read from the body, with string annotations, and laid out as routes and graph."""
    said = Pipeline.declaration
    assert said.name == "Pipeline"
    assert said.signal_types == (Tick, Stop)
    assert said.event_types == (Imported,)
    assert list(said.slots) == ["fetcher", "parser", "clock"]
    assert [slot.message_capacity for slot in said.slots.values()] == [8, 2, 8]
    assert said.baggage == {"path": str}
    assert said.options == OrchestraOptions(message_capacity=8, outgoing=(Store,))
    assert said.routes.from_slot("parser", Urgent).consumer == "fetcher"
    assert said.routes.subscribers(LateTick) == ("fetcher", "clock")
    assert said.graph.edges == (
        Edge("fetcher", "parser", Parse, "bounded"),
        Edge("parser", "fetcher", Fetch, "unbounded"),
    )
    assert said.graph.components == (("fetcher", "parser"), ("clock",))


def test_a_declaration_cannot_be_changed() -> None:
    with pytest.raises(TypeError):
        Pipeline.declaration.slots["other"] = Pipeline.declaration.slots["clock"]  # type: ignore[index]
    with pytest.raises(TypeError):
        Pipeline.declaration.baggage["path"] = int  # type: ignore[index]


def test_a_class_without_parameters_has_neither_signals_nor_events() -> None:
    class P(Sample):
        fetch: Subsystem[Fetch]

    assert (P.declaration.signal_types, P.declaration.event_types) == ((), ())


def test_events_may_be_left_out() -> None:
    class P(Sample[Tick]):
        fetch: Subsystem[Fetch]

    assert (P.declaration.signal_types, P.declaration.event_types) == ((Tick,), ())


def test_a_subclass_inherits_and_adds() -> None:
    """Signals, events, options and slots; capacities that came from the class follow its options."""

    class Child(Pipeline, message_capacity=9, outgoing=()):
        store: Subsystem[Store]

    said = Child.declaration
    assert (said.signal_types, said.event_types) == ((Tick, Stop), (Imported,))
    assert said.options == OrchestraOptions(message_capacity=9)
    assert {name: slot.message_capacity for name, slot in said.slots.items()} == {
        "fetcher": 9,
        "parser": 2,
        "clock": 9,
        "store": 9,
    }
    assert said.routes.from_slot("parser", Store).consumer == "store"
    assert Pipeline.declaration.routes.from_slot("parser", Store).kind == "outgoing"


def test_a_subclass_may_name_signals_and_events_anew() -> None:
    class Parent(Sample[Tick, Imported]):
        fetch: Subsystem[Fetch]

    class Child(Parent, Sample[Stop]):
        stop: Subsystem[Never, Never, Stop]

    assert (Child.declaration.signal_types, Child.declaration.event_types) == ((Stop,), ())


def test_two_orchestras_as_bases() -> None:
    class First(Sample):
        fetch: Subsystem[Fetch]

    class Second(Sample):
        parse: Subsystem[Parse]

    with pytest.raises(DeclarationError) as caught:

        class P(First, Second): ...

    assert facts(caught.value) == (
        "P",
        None,
        "it inherits from several orchestras, First and Second",
        "inherit from one, and repeat the fields of the others",
    )


@pytest.mark.parametrize(
    ("parameters", "role"), [((list[int], Never), "signal type"), ((Never, list[int]), "event type")]
)
def test_parameters_that_cannot_be_told(parameters: tuple[object, object], role: str) -> None:
    with pytest.raises(DeclarationError) as caught:

        class P(Sample[parameters]): ...  # type: ignore[valid-type]

    assert facts(caught.value) == (
        "P",
        None,
        f"its {role} list[int] cannot be told apart at run time",
        "write list for all of them, or a class of your own that holds one",
    )


def test_an_option_that_is_unknown() -> None:
    with pytest.raises(DeclarationError) as caught:

        class P(Sample, unconsumd="allow"): ...

    assert facts(caught.value) == ("P", None, "it has no option 'unconsumd'", "write unconsumed")
    assert str(caught.value) == "P: it has no option 'unconsumd'; write unconsumed"


def test_a_slot_without_purpose() -> None:
    with pytest.raises(DeclarationError) as caught:

        class P(Sample):
            idle: Subsystem[Never]

    assert facts(caught.value) == (
        "P",
        "idle",
        "it neither consumes nor sends nor hears anything",
        "name its types in the annotation, [consumes, sends, signals], or leave it out",
    )
    assert str(caught.value).startswith("P.idle: it neither ")


def test_two_consumers_of_one_type() -> None:
    with pytest.raises(DeclarationError) as caught:

        class P(Sample):
            one: Subsystem[Fetch | Parse]
            two: Subsystem[Store | Parse]

    assert facts(caught.value) == (
        "P",
        "two",
        "it consumes Parse, which 'one' consumes",
        "let one slot consume Parse, or use classes that are not related",
    )


@pytest.mark.parametrize(("first", "second", "where"), [(Fetch, Urgent, "two"), (Urgent, Fetch, "one")])
def test_consumers_of_a_class_and_its_subclass(first: type, second: type, where: str) -> None:
    """The error stands at the subclass, whichever comes first."""
    other = {"one": "two", "two": "one"}[where]
    with pytest.raises(DeclarationError) as caught:

        class P(Sample):
            one: Subsystem[Never] = subsystem(consumes=first)
            two: Subsystem[Never] = subsystem(consumes=second)

    assert facts(caught.value) == (
        "P",
        where,
        f"it consumes Urgent, a subclass of Fetch, which {other!r} consumes",
        "let one slot consume Urgent | Fetch, or use classes that are not related",
    )


def test_consumers_of_one_generic_class() -> None:
    with pytest.raises(DeclarationError) as caught:

        class P(Sample):
            one: Subsystem[Box[int]]
            two: Subsystem[Box[str]]

    assert facts(caught.value) == (
        "P",
        "two",
        "it consumes Box, which 'one' consumes",
        "let one slot consume it with all type arguments, which cannot be told apart at run time",
    )


def test_one_slot_may_consume_overlapping_types() -> None:
    class P(Sample):
        one: Subsystem[Fetch | Urgent | Box[int] | Box[str]]

    assert P.declaration.slots["one"].consumes == (Fetch, Urgent, Box)


@pytest.mark.parametrize(
    ("consumed", "out", "problem"),
    [
        (Fetch, Fetch, "it consumes Fetch, which outgoing= lets out"),
        (Fetch, Urgent, "it consumes Fetch, a base of Urgent, which outgoing= lets out"),
        (Urgent, Fetch, "it consumes Urgent, a subclass of Fetch, which outgoing= lets out"),
    ],
)
def test_an_outgoing_type_that_is_consumed_too(consumed: type, out: type, problem: str) -> None:
    with pytest.raises(DeclarationError) as caught:

        class P(Sample, outgoing=out):
            fetch: Subsystem[Never] = subsystem(consumes=consumed)

    remedy = f"take {out.__name__} out of outgoing=, or consume a class that is not related to it"
    assert facts(caught.value) == ("P", "fetch", problem, remedy)


EITHER = "let a type be either signal or message, and give the message a class that is not related to the signal"


@pytest.mark.parametrize(
    ("message", "relation"),
    [
        (Tick, "Tick as a message, which is a signal"),
        (LateTick, "LateTick as a message, which is a subclass of the signal Tick"),
        (object, "object as a message, which is a base of the signal Tick"),
    ],
)
def test_a_type_that_is_signal_and_message(message: type, relation: str) -> None:
    """Consumed, sent or let out, and related in whichever way."""
    with pytest.raises(DeclarationError) as caught:

        class P(Sample[Tick]):
            fetch: Subsystem[Never] = subsystem(consumes=message)

    assert facts(caught.value) == ("P", "fetch", f"it consumes {relation}", EITHER)
    with pytest.raises(DeclarationError) as caught:

        class Q(Sample[Tick]):
            fetch: Subsystem[Fetch] = subsystem(sends=message)

    assert facts(caught.value) == ("Q", "fetch", f"it sends {relation}", EITHER)
    with pytest.raises(DeclarationError) as caught:

        class R(Sample[Tick], outgoing=message): ...

    assert facts(caught.value) == ("R", None, f"it lets out {relation}", EITHER)


@pytest.mark.parametrize("heard", [Stop, object])
def test_a_signal_that_the_class_does_not_have(heard: type) -> None:
    """Nor may it be a base of one that it has: what the class does not have, nobody can broadcast."""
    with pytest.raises(DeclarationError) as caught:

        class P(Sample[Tick]):
            fetch: Subsystem[Fetch] = subsystem(signals=heard)

    name = heard.__name__
    assert facts(caught.value) == (
        "P",
        "fetch",
        f"it hears {name}, which is no signal of P",
        f"add {name} to the class's signals, Tick now, or leave it out here",
    )


def test_a_signal_where_the_class_has_none() -> None:
    with pytest.raises(DeclarationError) as caught:

        class P(Sample):
            fetch: Subsystem[Fetch, Never, Tick]

    assert caught.value.remedy == "add Tick to the class's signals, Never now, or leave it out here"


def test_a_sent_type_that_nobody_consumes() -> None:
    with pytest.raises(DeclarationError) as caught:

        class P(Sample):
            fetch: Subsystem[Fetch, Parse]

    assert facts(caught.value) == (
        "P",
        "fetch",
        "it sends Parse, which nobody consumes",
        'let a slot consume Parse, add it to outgoing=, or do not send it; unconsumed="allow" lets it be',
    )


def test_a_sent_type_of_which_only_subclasses_are_consumed() -> None:
    """A Fetch itself would reach nobody."""
    with pytest.raises(DeclarationError) as caught:

        class P(Sample):
            fetch: Subsystem[Urgent, Fetch]

    assert facts(caught.value)[2:] == (
        "it sends Fetch, which nobody consumes",
        'send only Urgent, the subclasses that somebody consumes; unconsumed="allow" lets it be',
    )


@pytest.mark.parametrize("outgoing", [Fetch, Urgent])
def test_what_goes_out_counts_as_consumed(outgoing: type) -> None:
    class P(Sample, outgoing=outgoing):
        fetch: Subsystem[Parse, Urgent]

    assert P.declaration.routes.from_slot("fetch", Urgent).kind == "outgoing"


def test_a_consumed_type_that_nobody_sends() -> None:
    class P(Sample):
        fetch: Subsystem[Fetch]

    with pytest.raises(DeclarationError) as caught:

        class Q(P, unsent="error"): ...

    assert facts(caught.value) == (
        "Q",
        "fetch",
        "it consumes Fetch, which nobody sends",
        'let a slot send Fetch, or do not consume it; unsent="allow" lets it be',
    )


def line_of_the_caller() -> int:
    frame = inspect.currentframe()
    assert frame is not None
    assert frame.f_back is not None
    return frame.f_back.f_lineno


def test_findings_as_warnings() -> None:
    """They point at the class statement, and the class is created."""
    with pytest.warns(UserWarning, match=r"^P\.fetch: ") as caught:  # noqa: PT031 - the line must be known
        line = line_of_the_caller() + 2

        class P(Sample, unconsumed="warn", unsent="warn"):
            fetch: Subsystem[Fetch, Parse]

    assert [(str(one.message).split(";")[0], one.filename) for one in caught] == [
        ("P.fetch: it sends Parse, which nobody consumes", __file__),
        ("P.fetch: it consumes Fetch, which nobody sends", __file__),
    ]
    assert {one.lineno for one in caught} == {line}
    assert P.declaration.routes.from_slot("fetch", Parse).kind == "unconsumed"


def test_findings_as_warnings_without_a_frame() -> None:
    """They are not lost where nobody knows the class statement."""

    class P:
        __annotations__ = {"fetch": Subsystem[Fetch, Parse]}

    with pytest.warns(UserWarning, match=r"^P\.fetch: it sends Parse, which nobody consumes; "):
        declare(
            P,
            base=Sample,
            slot_classes={Subsystem: False},
            reserved=(),
            parent=None,
            options={"unconsumed": "warn"},
            frame=None,
        )


def test_findings_that_are_allowed() -> None:
    class P(Sample, unconsumed="allow"):
        fetch: Subsystem[Fetch, Parse]

    assert P.declaration.routes.from_slot("fetch", Parse).kind == "unconsumed"


def test_ten_thousand_slots() -> None:
    """A chain of as many subsystems, each with a type of its own, is declared as any other class."""
    count = 10_000
    types = [type(f"T{number}", (), {}) for number in range(count)]
    annotations = {f"s{number}": Subsystem[types[number], types[number - 1]] for number in range(count)}  # type: ignore[misc, valid-type]
    made = type("Many", (Sample,), {"__annotations__": annotations})

    assert issubclass(made, Sample)
    assert made.declaration.graph.components == (tuple(annotations),)
