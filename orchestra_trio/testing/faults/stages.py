"""What faults do to messages. Pure: a stage decides, and knows neither tasks nor lanes; others carry it out.

A stage is made anew for each direction and each call of the subsystem's main function, with a `random.Random(seed)` of
its own. It draws once for each message that its types and direction choose, in the order in which they come: so the
same messages and the same seed give the same faults.
"""

from __future__ import annotations

from inspect import iscoroutine
from typing import TYPE_CHECKING, Any, Generic, Never, cast, final

import attrs
from typing_extensions import TypeVar, override

from orchestra_trio.testing.faults.replies import reply_ends

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from random import Random

__all__ = ["Chance", "Delay", "Drop", "Duplicate", "Hooked", "Instead", "Parcel", "Reorder", "Stage", "draw"]

MessageT_co = TypeVar("MessageT_co", covariant=True, default=Never)


@final
class Instead(Generic[MessageT_co]):
    """What a hook returns to have other messages go on in the place of one: none, one or several.

    `Instead()` drops it, `Instead(message, message)` duplicates it. A class of its own, since a message may itself be a
    tuple or a list.

    Attributes:
        messages: They go on in this order.
    """

    __slots__ = ("messages",)

    def __init__(self, *messages: MessageT_co) -> None:
        self.messages: tuple[MessageT_co, ...] = messages

    @override
    def __repr__(self) -> str:
        return f"Instead({', '.join(map(repr, self.messages))})"


@attrs.frozen(eq=False)
class Parcel:
    """A message on its way."""

    message: Any
    lane: object
    """Which lane it goes through: parcels of one lane have equal ones. None where that is not known."""


class Stage:
    """What is done to messages in one direction: by itself, nothing."""

    window: int = 1
    """Among how many messages the next one to go on is chosen."""

    def results(self, message: object, *, is_request: bool) -> tuple[object, ...]:
        """Return what goes on in the place of a message; of a request, one message or none."""
        del is_request
        return (message,)

    def seconds(self, message: object) -> float:
        """Return for how long a message is kept waiting."""
        del message
        return 0

    def matches(self, message: object) -> bool:
        """Return whether a message may change places with others."""
        del message
        return False

    def pick(self, parcels: Sequence[Parcel]) -> int:
        """Return the place of the parcel that goes on next, of those that are there, in the order they came."""
        del parcels
        return 0


def draw(stage: Stage, parcels: list[Parcel]) -> Parcel:
    """Take the parcel that goes on next; the first one gets its place, so that all others keep theirs."""
    place = stage.pick(parcels)
    chosen, parcels[place] = parcels[place], parcels[0]
    del parcels[0]
    return chosen


@attrs.define(eq=False)
class Chance:
    """Which messages are struck: those of some types, and of those each with a probability, or every so many."""

    types: tuple[type, ...]
    """Without any, all messages."""
    probability: float
    every: int | None
    random: Random
    _matched: int = 0

    def matches(self, message: object) -> bool:
        """Return whether a message is of these types."""
        return not self.types or isinstance(message, self.types)

    def strikes(self, message: object) -> bool:
        """Return whether this message is struck, and count it."""
        if not self.matches(message):
            return False
        if self.every is None:
            return self.random.random() < self.probability
        self._matched += 1
        return self._matched % self.every == 0


@attrs.define(eq=False, slots=False)
class Drop(Stage):
    """Drops messages."""

    chance: Chance

    @override
    def results(self, message: object, *, is_request: bool) -> tuple[object, ...]:
        return () if self.chance.strikes(message) else (message,)


@attrs.define(eq=False, slots=False)
class Duplicate(Stage):
    """Sends messages twice, but those that can be answered only once."""

    chance: Chance

    @override
    def results(self, message: object, *, is_request: bool) -> tuple[object, ...]:
        is_struck = self.chance.strikes(message)
        return (message, message) if is_struck and not is_request and not reply_ends(message) else (message,)


@attrs.define(eq=False, slots=False)
class Delay(Stage):
    """Keeps messages waiting."""

    chance: Chance
    low: float
    high: float

    @override
    def seconds(self, message: object) -> float:
        if not self.chance.strikes(message):
            return 0
        return self.low if self.low == self.high else self.chance.random.uniform(self.low, self.high)


@attrs.define(eq=False, slots=False)
class Reorder(Stage):
    """Changes the order among messages of one lane that are there at the same time."""

    chance: Chance
    window: int

    @override
    def matches(self, message: object) -> bool:
        return self.chance.matches(message)

    @override
    def pick(self, parcels: Sequence[Parcel]) -> int:
        first = parcels[0]
        if first.lane is None or not self.matches(first.message):
            return 0
        places = [
            place
            for place, one in enumerate(parcels[: self.window])
            if one.lane == first.lane and self.matches(one.message)
        ]
        return places[self.chance.random.randrange(len(places))]


@attrs.define(eq=False, slots=False)
class Hooked(Stage):
    """Asks a hook of users."""

    hook: Callable[[Any], object]

    @override
    def results(self, message: object, *, is_request: bool) -> tuple[object, ...]:
        answer: object = self.hook(message)
        if answer is None:
            return (message,)
        if iscoroutine(answer):
            answer.close()  # else Python would warn of it, too
            raise TypeError("a hook must not be async: it is called in the step in which a message moves")
        messages = cast("Instead[object]", answer).messages if isinstance(answer, Instead) else (answer,)
        if is_request and len(messages) > 1:
            raise TypeError(f"{len(messages)} messages in the place of a request: it can be answered only once")
        return messages
