"""Declaring at run time; and that no way to declare and to fill an orchestra drifts apart from the others."""

from __future__ import annotations

import linecache
from typing import TYPE_CHECKING, Any, ClassVar, Generic, Never, TypeVar

import attrs
import pytest
from hypothesis import given

from orchestra_trio import (
    BlockingSubsystem,
    DeadLetter,
    DeclarationError,
    Orchestra,
    RunningOrchestra,
    Subsystem,
    feature,
    make_orchestra,
    subsystem,
    subsystem_if,
)
from tests.runtime.plans import Plan, as_class, made, plans
from tests.runtime.rearranged import built, declared, fields_of, outcome
from tests.runtime.samples import Collect, Imported, Item, LateTick, Other, Tick, idle

if TYPE_CHECKING:
    from collections.abc import Callable

    from trio.testing import MockClock

T = TypeVar("T")
GENERIC: Any = Generic


@given(plans(plays=False))
def test_a_class_statement_and_make_orchestra_declare_the_same(plan: Plan) -> None:
    """Slots, baggage, options, routes and graph, whatever the form of the fields; or they refuse it in equal words."""
    assert declared(made, plan) == declared(as_class, plan)


@given(plans(plays=True))
def test_every_way_makes_an_orchestra_that_behaves_the_same(plan: Plan) -> None:
    """Constructor, builder and copy, of a class declared in either way, and capacities by class or by builder."""
    cls, other = as_class(plan), made(plan)
    roomy = as_class(attrs.evolve(plan, capacities=(1000, 1000)))
    slots = cls.__declaration__.slots

    def by_builder(subsystem_of: Callable[[str], Any]) -> Orchestra[Any, Any]:
        return built(plan, cls.builder(), fields_of(plan, cls, subsystem_of))

    def by_builder_with_capacities(subsystem_of: Callable[[str], Any]) -> Orchestra[Any, Any]:
        messages, signals = plan.capacities
        builder = roomy.builder().message_channel_capacity(messages).signal_channel_capacity(signals)
        return built(plan, builder, fields_of(plan, roomy, subsystem_of))

    def by_copy(subsystem_of: Callable[[str], Any]) -> Orchestra[Any, Any]:
        fields = fields_of(plan, cls, subsystem_of)
        return cls(**{**fields, **{name: print for name in slots if name in fields}}).replace(**fields)

    expected = outcome(lambda subsystem_of: cls(**fields_of(plan, cls, subsystem_of)), slots)
    assert outcome(lambda subsystem_of: other(**fields_of(plan, other, subsystem_of)), slots) == expected
    for way in (by_builder, by_builder_with_capacities, by_copy):
        assert outcome(way, slots) == expected


Tock = Tick  # what quoted names mean is looked up where `make_orchestra` is called, before the module


class Base(Orchestra[Tick], message_capacity=7):
    """To inherit from."""

    worker: Subsystem[Item, Never, Tick]
    path: str = "x"


class Noting:
    """A mixin: it keeps the dead letters."""

    kept: ClassVar[list[object]] = []

    def on_dead_letter(self, letter: DeadLetter) -> None:
        self.kept.append(letter.message)


def fails(wrong: Callable[[], object]) -> tuple[str, str | None]:
    with pytest.raises(DeclarationError) as caught:
        wrong()
    return str(caught.value), caught.value.slot


def test_the_class_is_one_of_the_module_that_made_it() -> None:
    """With the given name, which errors use."""
    made = make_orchestra("Pipeline", {"worker": Subsystem[Item]})
    assert (made.__name__, made.__qualname__, made.__module__) == ("Pipeline", "Pipeline", __name__)
    assert issubclass(made, Orchestra)
    assert made.__declaration__.name == "Pipeline"
    assert [name for name in vars(made) if name.startswith("_") and not name.startswith("__")] == []


def test_each_form_of_a_field() -> None:
    """An annotation, a specification, or both; for baggage a type, or a type and a default."""
    made: Any = make_orchestra(
        "P",
        {
            "plain": Subsystem[Item, Other],
            "both": (Subsystem[Other], subsystem(message_capacity=3)),
            "alone": subsystem(consumes=(int, str), sends=bytes, priority=True),
            "quoted": "BlockingSubsystem[bytes]",
            "only": (Subsystem[float],),
            "thread": (BlockingSubsystem[range], subsystem()),
            "maybe": subsystem_if(feature("x"), consumes="complex"),
            "later": (Subsystem[bytearray], subsystem(wip=True)),
            "db": int,
            "path": (str, "x"),
            "pair": (tuple[int, int], (1, 2)),
        },
    )
    slots = made.__declaration__.slots
    assert [(name, slot.consumes) for name, slot in slots.items()] == [
        ("plain", (Item,)),
        ("both", (Other,)),
        ("alone", (int, str)),
        ("quoted", (bytes,)),
        ("only", (float,)),
        ("thread", (range,)),
        ("maybe", (complex,)),
        ("later", (bytearray,)),
    ]
    assert [name for name, slot in slots.items() if slot.blocking] == ["quoted", "thread"]
    assert (slots["both"].message_capacity, slots["alone"].priority, slots["later"].wip) == (3, True, True)
    assert made.__declaration__.baggage == {"db": int, "path": str, "pair": tuple[int, int]}
    one = made(plain=idle, both=idle, alone=idle, quoted=print, only=idle, thread=print, db=3)
    assert (one.db, one.path, one.pair, one.maybe) == (3, "x", (1, 2), None)


def test_quoted_types_are_looked_up_where_it_is_called() -> None:
    """First among the locals of the calling function, as with a class statement; in options of slots too."""

    class Tock: ...

    class Local: ...

    made = make_orchestra(
        "P",
        {"one": "Subsystem[Local, Item, Tock]", "two": subsystem(consumes="Item", sends="Local | Other")},
        signals="Tock",
        outgoing="Other",
    )
    assert made.__declaration__.signal_types == (Tock,)
    assert made.message_types == (Local, Item, Other)


def test_a_quoted_type_that_is_not_defined() -> None:
    """What the functions that make the class have by that name does not count."""
    text, slot = fails(lambda: make_orchestra("P", {"one": "Subsystem[kwds]"}))
    assert text.startswith("P.one: the name 'kwds' in 'Subsystem[kwds]' is not defined at run time")
    assert slot == "one"


def test_findings_as_warnings_point_to_the_call() -> None:
    with pytest.warns(UserWarning, match=r"^P\.one: it sends Other, which nobody consumes") as caught:
        make_orchestra("P", {"one": Subsystem[Item, Other]}, unconsumed="warn")
    assert [(one.filename, linecache.getline(one.filename, one.lineno).split("(")[0].strip()) for one in caught] == [
        (__file__, "make_orchestra")
    ]


@pytest.mark.parametrize(
    ("signals", "types"),
    [
        (Never, ()),
        (Tick, (Tick,)),
        (Tick | Imported, (Tick, Imported)),
        ((Tick, "Imported"), (Tick, Imported)),
        ((), ()),
    ],
)
def test_signals_and_events(signals: object, types: tuple[type, ...]) -> None:
    """A type, a union, or a tuple of types, as for the options of a slot."""

    async def on_event(_: object, event: object, running: object) -> None: ...

    fields = {"worker": Subsystem[Item]}
    made = make_orchestra("P", fields, signals=signals)
    assert (made.__declaration__.signal_types, made.__declaration__.event_types) == (types, ())
    made = make_orchestra("P", fields, events=signals, namespace={"on_event": on_event})
    assert (made.__declaration__.signal_types, made.__declaration__.event_types) == ((), types)


def test_events_are_handled_by_the_namespace() -> None:
    text, _ = fails(lambda: make_orchestra("P", {"worker": Subsystem[Item]}, events=Imported))
    assert text.startswith("P: it declares events, Imported, and does not handle them; define `async def on_event`")


async def test_what_is_made_runs(autojump_clock: MockClock) -> None:
    """With methods of the namespace, and of classes that it inherits from."""

    async def on_event(_: object, event: Imported, running: RunningOrchestra[Any, Any]) -> None:
        await running.route_message(Item(event.number))
        await running.route_message(Other(event.number))

    made: Any = make_orchestra(
        "P",
        {"worker": Subsystem[Item], "later": (Subsystem[Other], subsystem(wip=True))},
        events=Imported,
        bases=(Noting,),
        namespace={"on_event": on_event},
    )
    worker = Collect()
    async with made(worker=worker).open() as running:
        await running.handle.send(Imported(3))
    assert worker.got == [Item(3)]
    assert Noting.kept == [Other(3)]


def test_it_inherits() -> None:
    """Signals, slots, baggage and options, and adds its own."""
    made: Any = make_orchestra("Child", {"more": Subsystem[Other], "depth": (int, 3)}, bases=(Base,), signal_capacity=5)
    said = made.__declaration__
    assert issubclass(made, Base)
    assert said.signal_types == (Tick,)
    assert {name: (slot.message_capacity, slot.signal_capacity) for name, slot in said.slots.items()} == {
        "worker": (7, 5),
        "more": (7, 5),
    }
    one = made(worker=idle, more=idle)
    assert (one.path, one.depth) == ("x", 3)


def test_what_it_inherits_may_be_generic() -> None:
    """With type arguments, or with signals of its own beside an orchestra, as in a class statement."""
    made: Any = make_orchestra("P", {"worker": Subsystem[Item], "db": T}, bases=(GENERIC[T],), signals=Tick)
    child: Any = make_orchestra("Q", {}, bases=(made[int],))
    assert child.__declaration__.signal_types == (Tick,)
    assert child(worker=idle, db=3).db == 3
    generic: Any = Orchestra
    loud = make_orchestra("R", {"two": Subsystem[Never, Never, LateTick]}, bases=(Base, generic[Tick | LateTick]))
    assert loud.__declaration__.signal_types == (Tick, LateTick)


def test_signals_that_are_inherited_already() -> None:
    assert fails(lambda: make_orchestra("P", {}, bases=(Base,), signals=Tick)) == (
        "P: it inherits its signals and events from an orchestra in bases=; leave out signals= and events=, or bases=",
        None,
    )


@pytest.mark.parametrize("name", ["two words", "a-b", "", "3", "class", "None"])
def test_a_field_is_named_by_an_identifier(name: str) -> None:
    """No constructor could take it otherwise."""
    assert fails(lambda: make_orchestra("P", {name: Subsystem[Item]})) == (
        f"P.{name}: {name!r} cannot name a field; write an identifier, which a constructor can take",
        name,
    )


def test_a_field_is_named_by_a_text() -> None:
    fields: Any = {3: Subsystem[Item]}
    text, _ = fails(lambda: make_orchestra("P", fields))
    assert text == "P.3: 3 cannot name a field; write an identifier, which a constructor can take"


@pytest.mark.parametrize("count", [0, 3])
def test_a_field_of_too_many_parts(count: int) -> None:
    """Nothing of what was given is left out silently."""
    text, slot = fails(lambda: make_orchestra("P", {"one": (Subsystem[Item], subsystem(), 3)[:count]}))
    remedy = "write (annotation, subsystem(...)), or (annotation, default) for baggage"
    assert (text, slot) == (f"P.one: a tuple of {count} declares no field; {remedy}", "one")


def test_all_checks_are_those_of_the_class_statement() -> None:
    """Here two of them, by options and by fields; the others are tested with random wirings above."""
    misspelt: Any = {"unconsumd": "allow"}
    text, _ = fails(lambda: make_orchestra("P", {"one": Subsystem[Item]}, **misspelt))
    assert text == "P: it has no option 'unconsumd'; write unconsumed"
    text, _ = fails(lambda: make_orchestra("P", {"run": Subsystem[Item]}))
    assert text == "P.run: the class needs this name itself; give the field another name"
    text, _ = fails(lambda: make_orchestra("P", {"one": (Subsystem[Item], 3)}))
    assert text.startswith("P.one: the slot has a default, of type int; write = subsystem(...) or nothing")
    text, _ = fails(lambda: make_orchestra("P", {"one": (int, subsystem())}))
    assert text.startswith("P.one: subsystem(...) stands on a field that is no slot; ")


def test_fields_may_be_none_at_all() -> None:
    """As in a class statement: nothing runs, nothing is refused."""
    assert make_orchestra("P", {}).__declaration__.slots == {}
