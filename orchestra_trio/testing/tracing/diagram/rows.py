"""What a sequence diagram is made of: rows, which are arrows and notes, and loops, which stand for many of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal, TypeAlias

import attrs

if TYPE_CHECKING:
    from collections.abc import Hashable

__all__ = ["MOMENT", "NOBODY", "Arrow", "Loop", "Node", "Place", "Row", "Tone", "overlay"]

Place: TypeAlias = str | None
"""A subsystem, `"on_event"`, or None for the embedding program."""

NOBODY: Final = "(nobody)"
"""Where messages go that the wiring has no consumer for; no slot can have this name."""

MOMENT: Final = 0.001
"""Less time than this, in seconds, is no time to those who look at the diagram."""

Arrow: TypeAlias = Literal["->>", "-)", "-x", "-->>", "--x", ""]
"""How a row is drawn. `->>`: received at once. `-)`: put into a lane. `-x`: lost. `-->>`: an answer. `--x`: none.
Nothing: it is a note."""

Tone: TypeAlias = Literal["plain", "error", "shown"]
"""Whether a row has a background: `error` where something failed, `shown` where the caller asked for the event."""

_RANGE: Final = " ... "


@attrs.frozen(kw_only=True)
class Row:
    """An arrow or a note, or several of the same shape."""

    arrow: Arrow
    ends: tuple[Place, ...]
    """From where to where an arrow goes; whom a note is about."""

    before: str = ""
    first: str = ""
    """What differs from row to row of the same shape: the message itself."""

    last: str = ""
    after: str = ""
    overtakes: str = ""
    """Which messages it overtook."""

    type: str | None = None
    tone: Tone = "plain"
    began: float
    ended: float
    fewest: int = 1
    """How often it came: in each turn of the loop that it is in, else at all."""

    most: int = 1
    events: int = 1
    """How many events of the trace it stands for."""

    @property
    def is_block(self) -> bool:
        """Whether it stands for several."""
        return self.most > 1

    @property
    def height(self) -> int:
        """How many lines it takes."""
        return 1 if self.tone == "plain" else 3

    def shape(self, *, with_type: bool) -> Hashable:
        """Return what is the same in rows that can be folded into one."""
        kind = (self.arrow, self.ends, self.before, self.after, bool(self.overtakes), self.tone)
        return (*kind, self.type) if with_type else kind

    @property
    def text(self) -> str:
        """All that it says, but how often."""
        what = self.first if self.first == self.last else f"{self.first}{_RANGE}{self.last}"
        return f"{self.before}{what}{self.after}{self.overtakes}"


@attrs.frozen(kw_only=True)
class Loop:
    """Several rows or loops that came again and again, in the same order."""

    body: tuple[Node, ...]
    fewest: int = 1
    """How often they came: in each turn of the loop that it is in, else at all."""

    most: int = 1
    is_mixed: bool = False
    """Whether they came in no regular order, each as often as it says."""

    @property
    def is_block(self) -> bool:
        """Whether it is more than its body."""
        return self.is_mixed or self.most > 1

    @property
    def began(self) -> float:
        """When the first of them came."""
        return self.body[0].began

    @property
    def ended(self) -> float:
        """When the last of them came."""
        return max(one.ended for one in self.body)

    @property
    def events(self) -> int:
        """How many events of the trace it stands for."""
        return sum(one.events for one in self.body)

    @property
    def height(self) -> int:
        """How many lines it takes."""
        return sum(one.height for one in self.body) + 2 * self.is_block


Node: TypeAlias = Row | Loop


def overlay(first: Node, last: Node, *, is_next: bool) -> Node:
    """Return one node for two of the same shape, the second of which came later.

    Args:
        first: One.
        last: The other.
        is_next: Whether nothing came between them, so that their numbers add up; else they are in two turns of a loop.
    """
    if is_next:
        counts = (first.fewest + last.fewest, first.most + last.most)
    else:
        counts = (min(first.fewest, last.fewest), max(first.most, last.most))
    if isinstance(first, Row) and isinstance(last, Row):
        return attrs.evolve(
            first,
            last=last.last,
            overtakes=first.overtakes if first.overtakes == last.overtakes else ", overtakes others",
            ended=last.ended,
            fewest=counts[0],
            most=counts[1],
            events=first.events + last.events,
        )
    if isinstance(first, Loop) and isinstance(last, Loop):
        turns = zip(first.body, last.body, strict=True)
        body = tuple(overlay(one, other, is_next=False) for one, other in turns)
        return Loop(body=body, fewest=counts[0], most=counts[1])
    raise TypeError(f"{first} and {last} are not of the same shape")
