"""Wirings of any size, made once for each shape and size: making them is a figure of its own."""

from __future__ import annotations

import logging
from contextlib import contextmanager
from functools import cache
from itertools import zip_longest
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import attrs

from orchestra_trio import make_orchestra, subsystem

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

    from orchestra_trio import Orchestra

__all__ = ["Main", "Shape", "Tick", "Wide", "declare", "fields_of", "quiet"]

Shape: TypeAlias = Literal["chain", "star", "ring"]
"""`chain`: each sends to the next one. `star`: the first one sends to all others, and they to it. `ring`: a closed
chain."""

Main: TypeAlias = "Callable[[Any], Awaitable[None]]"


@attrs.frozen
class Tick:
    """A signal, which all hear."""


@attrs.frozen
class Wide:
    """An orchestra's class of some size."""

    cls: type[Orchestra[Any, Any]]
    messages: list[type]
    """What each slot consumes."""

    def hold(self, mains: list[Main]) -> Orchestra[Any, Any]:
        """Return an orchestra that holds these subsystems."""
        return self.cls(**dict(zip(self.cls.__declaration__.slots, mains, strict=True)))  # type: ignore[arg-type]  # they are slots


def fields_of(shape: Shape, size: int) -> tuple[dict[str, object], list[type]]:
    """Return the fields of a class, each a slot, and the types that they consume."""
    messages = [type(f"Message{number}", (), {"__slots__": ()}) for number in range(size)]
    hub, *others = messages
    if shape == "star":
        sends = [others, *([hub] for _ in others)]
    else:
        sends = [[after] for after in (*others, hub)]
        if shape == "chain":
            sends[-1] = []
    fields = {
        f"slot_{number}": subsystem(consumes=one, sends=tuple(sent), signals=Tick)
        for number, (one, sent) in enumerate(zip_longest(messages, sends))
    }
    return fields, messages


@cache
def declare(shape: Shape, size: int, *, message_capacity: int = 1024) -> Wide:
    """Return an orchestra's class."""
    fields, messages = fields_of(shape, size)
    return Wide(make_orchestra("Many", fields, signals=Tick, message_capacity=message_capacity), messages)


@contextmanager
def quiet() -> Iterator[None]:
    """Let the library not warn of messages that are left over: here they are meant to be."""
    logger = logging.getLogger("orchestra_trio")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(level)
