"""Copies with other fields; and fields of every kind, generic ones too."""

from __future__ import annotations

import copy
import sys
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import pytest
import trio

from orchestra_trio import (
    BlockingSubsystem,
    DeclarationError,
    Orchestra,
    Subsystem,
    SubsystemContext,
    feature,
    make_orchestra,
    subsystem,
    subsystem_if,
)
from tests.runtime.samples import Collect, Duo, Item, Sends, Solo, Tick, done, forever, idle

if TYPE_CHECKING:
    from collections.abc import Callable

    from trio.testing import MockClock

T = TypeVar("T")


class Line(Orchestra[Tick]):
    """Slots of every kind, and baggage with and without a default."""

    source: Subsystem[bytes, Item]
    sink: Subsystem[Item]
    table: BlockingSubsystem[float] = subsystem_if(feature("table"))
    later: Subsystem[str] = subsystem(wip=True)
    path: str
    depth: int = 3


def table(_: object) -> None: ...


def line() -> Line:
    return Line(source=idle, sink=idle, path="x")


def by_method(one: Line, **changes: object) -> Any:  # noqa: ANN401 - as the method has it
    return one.replace(**changes)


def by_protocol(one: Line, **changes: object) -> Any:  # noqa: ANN401 - as above
    return one.__replace__(**changes)


COPYING: list[Callable[..., Any]] = [by_method, by_protocol]
if sys.version_info >= (3, 13):
    COPYING.append(copy.replace)


@pytest.mark.parametrize("replace", COPYING)
def test_a_copy_has_the_other_fields_of_the_original(replace: Callable[..., Any]) -> None:
    """It is of the same class, and the original stays as it is."""
    original = Line(source=idle, sink=idle, table=table, features=["table"], path="x", depth=5)
    changed = replace(original, sink=forever, path="y")
    assert type(changed) is Line
    assert (changed.source, changed.sink, changed.table) == (idle, forever, table)
    assert (changed.features, changed.path, changed.depth) == ({"table"}, "y", 5)
    fields: list[object] = [original.sink, original.path]
    assert fields == [idle, "x"]


@pytest.mark.parametrize("replace", COPYING)
def test_a_copy_without_changes_is_another_orchestra(replace: Callable[..., Any]) -> None:
    """They are told apart by identity, as all orchestras are."""
    original = line()
    changed = replace(original)
    assert changed is not original
    assert changed != original
    assert repr(changed) == repr(original)


@pytest.mark.parametrize(
    ("name", "remedy"),
    [
        ("snk", "write sink"),
        ("features_", "write features"),
        ("_built", "it has features, path, depth, source, sink, table"),
    ],
)
def test_a_field_that_it_does_not_have(name: str, remedy: str) -> None:
    """The error names the nearest ones, or else all."""
    with pytest.raises(TypeError) as caught:
        line().replace(**{name: idle})
    assert str(caught.value) == f"Line has no field {name!r}; {remedy}"


def test_a_slot_that_is_not_built_yet_cannot_be_replaced() -> None:
    with pytest.raises(TypeError) as caught:
        line().replace(later=idle)
    assert str(caught.value) == "Line.later is declared with wip=True, so that nothing can be held in it"


def test_changes_are_checked_as_by_the_constructor() -> None:
    """Whatever cannot be held in a slot."""
    with pytest.raises(DeclarationError, match=r"^Line\.sink: an int is no subsystem; set it to an async callable "):
        line().replace(sink=3)
    with pytest.raises(DeclarationError, match=r"^Line\.table: an async function is no blocking subsystem; "):
        line().replace(table=idle)
    with pytest.raises(DeclarationError, match=r"^Line: no slot asks for a feature 'tabel'; write table$"):
        line().replace(features={"tabel"})
    with pytest.raises(TypeError, match=r"^features are a set of names, not one text: write \{'table'\}$"):
        line().replace(features="table")


def test_features_are_kept_or_replaced() -> None:
    """With what they need; what they do not need may stay."""
    with pytest.raises(DeclarationError) as caught:
        line().replace(features={"table"})
    assert str(caught.value) == "Line: it needs table, since feature('table') holds; set table= too"
    full = line().replace(features={"table"}, table=table)
    assert full.replace(depth=1).features == {"table"}
    assert full.replace(features=()).table is table
    with pytest.raises(DeclarationError, match="it needs table"):
        full.replace(table=None)
    emptied: Any = full.replace(table=None, features=())
    assert emptied.table is None


async def test_a_spy_in_the_place_of_a_subsystem(autojump_clock: MockClock) -> None:
    """It is called with the same context, and may call the original."""
    seen: list[str] = []

    class Spy:
        def __init__(self, original: Subsystem[Item]) -> None:
            self.original = original

        async def __call__(self, ctx: SubsystemContext[Item]) -> None:
            seen.append(f"begin {ctx.name}")
            await self.original(ctx)
            seen.append(f"end {ctx.name}")

    sink = Collect()
    original = Duo(source=Sends(Item(1)), sink=sink)
    await original.replace(sink=Spy(original.sink)).run()
    assert seen == ["begin sink", "end sink"]
    await original.run()
    assert sink.numbers == [1, 1]
    assert len(seen) == 2


async def test_a_copy_may_be_open_beside_its_original(autojump_clock: MockClock) -> None:
    """Also one that was made while that was open."""
    original = Solo(worker=idle)
    async with original.open() as one:
        changed = original.replace(worker=forever)
        async with changed.open() as other:
            await one.route_message(Item(1))
            other.cancel()
        with pytest.raises(trio.BusyResourceError, match="this Solo is open already"):
            await original.run()
        await copy.copy(original).run()


def test_a_subclass_makes_copies_of_its_own_class() -> None:
    """With its own fields among the inherited ones."""

    class Child(Line):
        extra: int = 1

    changed = Child(source=idle, sink=idle, path="x").replace(extra=2, path="y")
    assert type(changed) is Child
    assert (changed.extra, changed.path, changed.depth) == (2, "y", 3)


def test_a_default_is_what_the_class_or_a_base_sets() -> None:
    """A subclass may set another; what every class has from its metaclass, such as `mro`, is none."""

    class Child(Line):
        depth = 8

    make: Any = Child
    assert make(source=idle, sink=idle, path="x").depth == 8

    make = make_orchestra("P", {"worker": Subsystem[Item], "mro": int})
    with pytest.raises(TypeError, match="mro"):
        make(worker=idle)
    assert make(worker=idle, mro=3).mro == 3


def test_a_class_may_look_at_its_fields_when_it_is_made() -> None:
    """With a hook of attrs, by which no check of the library is lost."""

    class P(Orchestra):
        worker: Subsystem[Item] = subsystem_if(feature("work"))
        low: int
        high: int

        def __attrs_post_init__(self) -> None:
            if self.low > self.high:
                message = "low is above high"
                raise ValueError(message)

    with pytest.raises(ValueError, match="low is above high"):
        P(low=2, high=1)
    with pytest.raises(DeclarationError, match="no slot asks for a feature 'play'"):
        P(low=1, high=2, features={"play"})
    with pytest.raises(DeclarationError, match="it needs worker"):
        P(low=1, high=2, features={"work"})


class Keeping(Orchestra[Tick], Generic[T]):
    """Generic in its baggage."""

    worker: Subsystem[Item]
    db: T
    past: tuple[T, ...] = ()


class Counting(Keeping[int]):
    """Of one kind of baggage, with more."""

    depth: int = 3


class Pairing(Keeping[tuple[T, str]], Generic[T]):
    """Generic in part of it."""

    other: T


def test_generic_baggage() -> None:
    """Type arguments are for type checkers; they change neither fields nor wiring."""
    one = Keeping[int](worker=idle, db=3)
    assert type(one) is Keeping
    assert (one.db, one.past) == (3, ())
    assert one.replace(db=4, past=(3,)).past == (3,)
    assert Keeping[int].graph() == Keeping[str].graph() == Keeping.graph()
    assert Keeping[int].builder().worker(idle).db(3).build().db == 3


async def test_subclasses_of_generic_orchestras(autojump_clock: MockClock) -> None:
    """They inherit signals, slots and baggage, with whatever arguments."""
    for made in (Counting(worker=idle, db=3), Pairing[int](worker=idle, db=(1, "x"), other=2)):
        assert made.__declaration__.signal_types == (Tick,)
        assert list(made.__declaration__.slots) == ["worker"]
        async with made.open() as running:
            await running.broadcast_signal(Tick(1))
    assert Counting(worker=idle, db=3).depth == 3
    assert Pairing(worker=idle, db=(1, "x"), other=2).other == 2


def test_generic_slots_are_refused() -> None:
    """Routing goes by class, which a type variable is not, whatever will be put in its place."""
    with pytest.raises(DeclarationError) as caught:

        class P(Orchestra[Tick], Generic[T]):
            worker: Subsystem[T]

    assert str(caught.value) == (
        "P.worker: its consumed type ~T cannot be told apart at run time; "
        "write the class that the type variable stands for"
    )


def test_several_slots_that_are_missing_are_named_at_once() -> None:
    """Each condition is told once."""

    class P(Orchestra):
        one: Subsystem[Item] = subsystem_if(feature("x"))
        two: Subsystem[str] = subsystem_if(feature("x"))
        three: Subsystem[bytes] = subsystem_if(~feature("y"))
        four: Subsystem[float] = subsystem_if(feature("y"))

    with pytest.raises(DeclarationError) as caught:
        P(features={"x"})
    assert str(caught.value) == (
        "P: it needs one, two, three, since feature('x'), ~feature('y') hold; set one=, two=, three= too"
    )
    with pytest.raises(DeclarationError, match=r"^P: it needs three, since ~feature\('y'\) holds; set three= too$"):
        P()
    assert P(three=done).three is done
