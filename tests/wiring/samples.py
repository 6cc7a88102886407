"""What the tests of the wiring declare with: the smallest class that calls `declare`, and messages.

The real base class calls it in the same way; here nothing can be held or opened.
"""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any, ClassVar, Generic, Never, Protocol

from hypothesis import strategies as st
from typing_extensions import TypeVar

from orchestra_trio.wiring.annotations import Scope
from orchestra_trio.wiring.declaration import Declaration, declare
from orchestra_trio.wiring.options import OrchestraOptions
from orchestra_trio.wiring.slots import Slot, resolve_slot
from orchestra_trio.wiring.specifiers import SubsystemSpec

if TYPE_CHECKING:
    from orchestra_trio.errors import DeclarationError

In_contra = TypeVar("In_contra", contravariant=True)
Out_co = TypeVar("Out_co", covariant=True, default=Never)
Sig_contra = TypeVar("Sig_contra", contravariant=True, default=Never)
SignalT = TypeVar("SignalT", default=Never)
EventT = TypeVar("EventT", default=Never)


class Subsystem(Protocol[In_contra, Out_co, Sig_contra]):
    def __call__(self, incoming: In_contra | Sig_contra, /) -> Out_co: ...


class Sample(Generic[SignalT, EventT]):
    declaration: ClassVar[Declaration]

    def __init_subclass__(cls, **options: object) -> None:
        super().__init_subclass__()
        cls.declaration = declare(
            cls,
            base=Sample,
            slot_classes={Subsystem: False},
            reserved={"open", "run"},
            parent=getattr(cls, "declaration", None),
            options=options,
            frame=inspect.currentframe(),
        )


class Fetch: ...


class Parse: ...


class Store: ...


class Tick: ...


class Stop: ...


class LateTick(Tick): ...


class Imported: ...


def facts(error: DeclarationError) -> tuple[str, str | None, str, str]:
    """What an error of the declaration says: class, field, problem, remedy."""
    return error.orchestra, error.slot, error.problem, error.remedy


def scope(**names: object) -> Scope:
    return Scope("P", dict(names))


def make_slot(
    name: str,
    consumes: tuple[type, ...] = (),
    sends: tuple[type, ...] = (),
    signals: tuple[type, ...] = (),
    **spec: object,
) -> Slot:
    options: dict[str, Any] = {"unbounded": {}, **spec}
    return resolve_slot(
        name,
        (consumes, sends, signals),
        SubsystemSpec(**options),
        OrchestraOptions(),
        scope(),
    )


@st.composite
def hierarchies(draw: st.DrawFn, largest: int = 8) -> list[type]:
    """Classes that inherit from each other at random, with one base or two."""
    classes: list[type] = []
    for number in range(draw(st.integers(1, largest))):
        bases = draw(st.lists(st.sampled_from(classes), max_size=2, unique=True)) if classes else []
        try:
            made = type(f"C{number}", tuple(bases), {})
        except TypeError:  # no consistent method resolution order
            made = type(f"C{number}", tuple(bases[:1]), {})
        classes.append(made)
    return classes


@st.composite
def wirings(draw: st.DrawFn) -> tuple[list[type], dict[str, Slot], tuple[type, ...]]:
    """Classes, slots and outgoing types, sound or not; no slot consumes what another does already."""
    classes = draw(hierarchies())
    owners = draw(st.lists(st.sampled_from(["a", "b", "c", "out", ""]), min_size=len(classes), max_size=len(classes)))
    slots: dict[str, Slot] = {}
    for name in "abc":
        sends = tuple(draw(st.lists(st.sampled_from(classes), unique=True, max_size=3)))
        slots[name] = make_slot(
            name,
            tuple(one for one, owner in zip(classes, owners, strict=True) if owner == name),
            sends,
            wip=draw(st.booleans()),
            unbounded={one: "a test" for one in sends if draw(st.booleans())},
        )
    return classes, slots, tuple(one for one, owner in zip(classes, owners, strict=True) if owner == "out")


def related(one: type, other: type) -> bool:
    return issubclass(one, other) or issubclass(other, one)
