"""The error of a test's expectation that was not met, and its wording."""

from __future__ import annotations

import reprlib
import textwrap
from typing import TYPE_CHECKING

import attrs

from orchestra_trio.errors import a_type
from orchestra_trio.runtime.watch.standing import describe

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from orchestra_trio.records import LaneName, Standing, Wait

__all__ = ["Arrival", "ExpectationFailed", "Scene"]

_SHOWN = 10
"""How many messages are shown."""

_short = reprlib.Repr()
_short.maxother = 200
"""How many characters of each."""


@attrs.frozen(eq=False)
class Arrival:
    """A message that the subject sent, and that the harness has taken."""

    message: object
    """The message itself."""

    lane: LaneName
    """The lane of the peer that it came through."""

    def __str__(self) -> str:
        """Show it in one line, bounded."""
        return f"{' '.join(_short.repr(self.message).split())}  ({self.lane} lane)"


@attrs.frozen
class Scene:
    """How things stood when an expectation was not met."""

    standing: Standing
    """Where the subject stood."""
    lying: int = 0
    """How many messages of the subject lie in the lanes of the peer, not taken."""
    epoch: int = 0
    """The number of the last broadcast."""
    test_waits: tuple[Wait, ...] = ()
    """What tasks of the test wait for at the subject."""

    def __str__(self) -> str:
        """Say who waits for what."""
        numbers = self.standing.statistics
        lines: list[str] = []
        if self.lying:
            lie = "lies" if self.lying == 1 else "lie"
            lines.append(f"{_count(self.lying, 'message')} {lie} in the lanes of the peer, not taken yet")
        if self.epoch > numbers.epoch:
            lines.append(f"the last broadcast is epoch {self.epoch}, and the subject is at epoch {numbers.epoch}")
        lines += [_wait(one) for one in self.test_waits]
        return "\n".join([*lines, describe(self.standing)])


class ExpectationFailed(AssertionError):
    """The subject did not do what the test expected: what came instead, and where the subject stands.

    Messages that came instead were not used up: the next `expect` begins with them.

    Attributes:
        expected: What was expected, in words.
        arrived: The messages that were looked at for it, as text, in the order in which they came; the last one is
            the one that did not fit, where there was one.
        standing: Where the subject stood.
    """

    def __init__(self, expected: str, outcome: str, arrived: Iterable[Arrival], scene: Scene) -> None:
        """Made by the harness, of facts.

        Args:
            expected: What was expected.
            outcome: What happened instead, in words that go on from there.
            arrived: The messages that were looked at.
            scene: How things stood.
        """
        self.expected = expected
        self.arrived: tuple[str, ...] = tuple(map(str, arrived))  # an error that held messages would hold reply ends
        self.standing: Standing = scene.standing
        shown = _listed(self.arrived)
        head = f"expected {expected}, {outcome}{':' if shown else ''}"
        super().__init__("\n".join(part for part in (head, shown, str(scene)) if part))


def _listed(arrived: Sequence[str]) -> str:
    lines = list(arrived[:_SHOWN])
    if len(arrived) > 1:
        width = len(str(len(lines)))
        lines = [f"{number:>{width}}. {line}" for number, line in enumerate(lines, 1)]
    if len(arrived) > _SHOWN:
        lines.append(f"and {len(arrived) - _SHOWN} more")
    return textwrap.indent("\n".join(lines), "    ")


def _wait(wait: Wait) -> str:
    lane = "" if wait.lane is None else f" ({wait.lane} lane)"
    what = (
        f"an answer from {wait.subsystem!r} to" if wait.kind == "request" else f"room at {wait.subsystem!r}{lane} for"
    )
    return f"the test's task {wait.task} waits for {what} {a_type(wait.message_type)}"


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"
