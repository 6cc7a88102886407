"""Wirings of any size, and how much work something makes: counted in calls, never in seconds.

What the interpreter does without a call counts for nothing, such as looking through a tuple. So the names and the
message types here compare themselves by functions of ours, which are calls: who looks through all of them is found out.
"""

from __future__ import annotations

import sys
from contextlib import contextmanager
from itertools import zip_longest
from typing import TYPE_CHECKING, Any

import attrs
from typing_extensions import override

from orchestra_trio import make_orchestra, subsystem
from tests.runtime.samples import Tick

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from types import FrameType

    from orchestra_trio import Orchestra

__all__ = [
    "LARGE",
    "SHAPES",
    "SMALL",
    "Work",
    "counted",
    "declared",
    "fields_of",
    "grow_alike",
    "held",
    "messages",
    "names",
]

SMALL, LARGE = 20, 200
"""How many subsystems are compared."""


class _Name(str):
    """A name that takes a call to be compared with another object."""

    __slots__ = ()

    @override
    def __eq__(self, other: object) -> bool:
        return str.__eq__(self, other) if isinstance(other, str) else NotImplemented

    @override
    def __hash__(self) -> int:
        return str.__hash__(self)


class _Kind(type):
    """A message type that takes a call to be compared with another object."""

    @override
    def __eq__(cls, other: object) -> bool:
        return cls is other

    @override
    def __hash__(cls) -> int:
        return type.__hash__(cls)


def names(size: int) -> list[str]:
    """Return so many names of slots."""
    return [_Name(f"slot_{number}") for number in range(size)]


def messages(size: int) -> list[type]:
    """Return so many types of messages."""
    return [_Kind(f"Message{number}", (), {"__slots__": ()}) for number in range(size)]


def _unconnected(types: list[type]) -> list[object]:
    return [_slot(one) for one in types]


def _chain(types: list[type]) -> list[object]:
    return [_slot(one, *after) for one, *after in zip_longest(types, types[1:])]


def _ring(types: list[type]) -> list[object]:
    return [_slot(one, after) for one, after in zip(types, [*types[1:], types[0]], strict=True)]


def _ring_backwards(types: list[type]) -> list[object]:
    return [_slot(one, before) for one, before in zip(types, [types[-1], *types[:-1]], strict=True)]


def _star(types: list[type]) -> list[object]:
    """A hub that sends to all others, which send to it."""
    hub, *others = types
    return [_slot(hub, *others), *(_slot(one, hub) for one in others)]


def _slot(consumes: type, *sends: type | None) -> object:
    return subsystem(consumes=consumes, sends=tuple(filter(None, sends)), signals=Tick)


SHAPES: Mapping[str, Callable[[list[type]], list[object]]] = {
    "unconnected": _unconnected,
    "chain": _chain,
    "ring": _ring,
    "ring backwards": _ring_backwards,
    "star": _star,
}
"""How subsystems are wired, each of which consumes one type; for each type, the field that consumes it."""


def fields_of(shape: str, size: int) -> tuple[dict[str, object], list[type]]:
    """Return the fields of an orchestra of some shape, and the type that each of its slots consumes."""
    types = messages(size)
    return dict(zip(names(size), SHAPES[shape](types), strict=True)), types


def declared(shape: str, size: int, **options: Any) -> tuple[type[Orchestra[Any, Any]], list[type]]:  # noqa: ANN401 - of the class
    """Return an orchestra's class of some shape, and the type that each of its slots consumes."""
    fields, types = fields_of(shape, size)
    return make_orchestra("Grown", fields, signals=Tick, **options), types


def held(cls: type[Orchestra[Any, Any]], mains: Iterable[object]) -> Orchestra[Any, Any]:
    """Return an orchestra that holds these subsystems in the slots with the first names."""
    mains = list(mains)
    fields: dict[str, Any] = dict(zip(names(len(mains)), mains, strict=True))
    return cls(**fields)


@attrs.define
class Work:
    """How many calls were made."""

    calls: int = 0


def grow_alike(small: Work, large: Work, *, room: float = 1.1) -> bool:
    """Return whether work grows no faster than its size, from `SMALL` to `LARGE`.

    Args:
        small: The work at the one size.
        large: That at the other.
        room: How much faster it may grow, for what grows by a step or two with the logarithm, or depends on which task
            trio runs next. What grew with the square would grow nearly ten times as fast.
    """
    return 0 < small.calls <= large.calls <= room * LARGE / SMALL * small.calls


@contextmanager
def counted() -> Iterator[Work]:
    """Count the calls in the block, those of functions in C among them; a task must not be switched in it halfway."""
    work = Work()

    def note(_frame: FrameType, event: str, _argument: object) -> None:
        if event in {"call", "c_call"}:
            work.calls += 1

    before = sys.getprofile()
    sys.setprofile(note)
    try:
        yield work
    finally:
        sys.setprofile(before)
