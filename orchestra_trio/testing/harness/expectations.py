"""What a test expects of messages: types and predicates, how they are told in words, and who of several meets whom.

Pure: it knows neither trio nor the harness.
"""

from __future__ import annotations

import linecache
from types import UnionType
from typing import TYPE_CHECKING, Any, Union, get_args, get_origin

import attrs
from typing_extensions import override

from orchestra_trio.errors import a_type, type_name

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = ["Expectation", "Matching"]

_LONGEST_LINE = 100
"""How many characters of a predicate's source are shown."""


@attrs.frozen(eq=False)
class Expectation:
    """What one message is expected to be."""

    types: tuple[type, ...]
    """It is an instance of one of them; of anything where there are none."""
    predicate: Callable[[Any], object] | None = None
    """What it returns for the message is true; None for no predicate."""

    @classmethod
    def of(cls, expected: object, predicate: object = None) -> Expectation:
        """Return the expectation that a caller has written.

        Args:
            expected: A type, a union of types, or a predicate.
            predicate: One more condition, where `expected` is a type; else None.

        Raises:
            TypeError: It is something else.
        """
        types = _types_of(expected)
        if types is None and callable(expected) and predicate is None:
            return cls((), expected)
        if types is None:
            what = "two predicates" if callable(expected) else a_type(type(expected))
            message = (
                f"{what} cannot be expected: write a type, a predicate, or a type and a predicate, "
                f"such as expect(Store, lambda message: message.key == 'a')"
            )
            raise TypeError(message)
        if predicate is not None and not callable(predicate):
            message = f"a predicate is a function of the message, not {a_type(type(predicate))}"
            raise TypeError(message)
        return cls(types, predicate)

    def is_met_by(self, message: object) -> bool:
        """Return whether a message is what is expected; the predicate is asked only about the right types."""
        if self.types and not isinstance(message, self.types):
            return False
        return self.predicate is None or bool(self.predicate(message))

    @override
    def __str__(self) -> str:
        what = " or ".join(a_type(one) for one in self.types) or "a message"
        return what if self.predicate is None else f"{what} for which {_described(self.predicate)} holds"


def _types_of(expected: object) -> tuple[type, ...] | None:
    """Return the types that an expression means, or None where it is no type."""
    origin = get_origin(expected)
    if origin in (Union, UnionType):
        members = [_types_of(one) for one in get_args(expected)]
        return None if None in members else tuple(one for inside in members for one in inside or ())
    told: object = origin if isinstance(origin, type) else expected  # of Msg[int], what can be told: Msg
    return (told,) if isinstance(told, type) else None


def _described(predicate: Callable[[Any], object]) -> str:
    """Say which predicate it is: by its source for those without a name."""
    name = type_name(predicate) if hasattr(predicate, "__qualname__") else repr(predicate)
    code = getattr(predicate, "__code__", None)
    if code is None:
        return name
    place = f"{code.co_filename}:{code.co_firstlineno}"
    if code.co_name != "<lambda>":
        return f"{name}, at {place},"
    source = linecache.getline(code.co_filename, code.co_firstlineno).strip()
    shown = source if len(source) <= _LONGEST_LINE else f"{source[:_LONGEST_LINE]}..."
    return f"the predicate at {place} ({shown})" if shown else f"the predicate at {place}"


@attrs.define(eq=False)
class Matching:
    """Which of several expectations each message meets, one message for each.

    A message that finds all that it meets taken takes the place of an earlier one, if that one meets another
    expectation, and so on: as long as there is any way to meet all of them, it is found.
    """

    expectations: Sequence[Expectation]
    _options: list[list[int]] = attrs.Factory(list[list[int]])
    """For each message, the expectations that it meets."""
    _met_by: dict[int, int] = attrs.Factory(dict[int, int])
    """The message that stands for each expectation that is met."""

    @property
    def open(self) -> list[Expectation]:
        """Those that are not met."""
        return [one for place, one in enumerate(self.expectations) if place not in self._met_by]

    @property
    def order(self) -> list[int]:
        """For each expectation, the message that meets it; once all are met."""
        return [self._met_by[place] for place in range(len(self.expectations))]

    def add(self, message: object) -> bool:
        """Add the next message; return whether it and all those before can each meet an expectation."""
        self._options.append([place for place, one in enumerate(self.expectations) if one.is_met_by(message)])
        return self._place(len(self._options) - 1, set())

    def _place(self, message: int, tried: set[int]) -> bool:
        free = [place for place in self._options[message] if place not in self._met_by]
        if free:
            self._met_by[free[0]] = message
            return True
        for place in self._options[message]:
            if place not in tried:
                tried.add(place)
                if self._place(self._met_by[place], tried):
                    self._met_by[place] = message
                    return True
        return False
