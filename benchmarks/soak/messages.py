"""What the subsystems of the soak send each other. Every message has a number of its own within a round."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

if TYPE_CHECKING:
    from orchestra_trio import OneshotSender

__all__ = [
    "Chore",
    "Draft",
    "Echo",
    "Fatal",
    "Hiccup",
    "Imported",
    "Left",
    "Lookup",
    "Moment",
    "Note",
    "Nudge",
    "Parcel",
    "Poison",
    "Put",
    "Query",
    "Question",
    "Report",
    "Right",
    "Tick",
    "Work",
]


@attrs.frozen
class Parcel:
    """A message; each type below goes to another subsystem."""

    number: int
    hops: int
    """How many more messages may follow from this one, one after another: so traffic comes to an end."""


@attrs.frozen
class Work(Parcel):
    """To `relay`."""


@attrs.frozen
class Left(Parcel):
    """To `left`."""


@attrs.frozen
class Right(Parcel):
    """To `right`."""


@attrs.frozen
class Put(Parcel):
    """To `store`."""


@attrs.frozen
class Chore(Parcel):
    """To `pool`."""


@attrs.frozen
class Echo(Parcel):
    """To `ears`."""


@attrs.frozen
class Note(Parcel):
    """To `scribe`."""


@attrs.frozen
class Moment(Parcel):
    """To `mayfly`, which does not live long."""


@attrs.frozen
class Draft(Parcel):
    """To `later`, which is not built yet."""


@attrs.frozen
class Report(Parcel):
    """To the embedding program."""


@attrs.frozen
class Question:
    """A message that carries a reply end."""

    reply: OneshotSender[int]
    number: int

    @property
    def answer(self) -> int:
        """The only right answer."""
        return 2 * self.number + 1


@attrs.frozen
class Lookup(Question):
    """To `store`."""


@attrs.frozen
class Query(Question):
    """To `ears`."""


@attrs.frozen
class Tick:
    """A signal; its number is its epoch."""

    number: int


@attrs.frozen
class Nudge:
    """A signal to one subsystem: it has no epoch."""


@attrs.frozen
class Poison:
    """A signal to one subsystem: to fail for good."""


@attrs.frozen
class Imported:
    """An event."""

    hops: int


class Hiccup(Exception):
    """A failure that subsystems survive."""


class Fatal(Exception):
    """A failure that ends the round, on purpose."""
