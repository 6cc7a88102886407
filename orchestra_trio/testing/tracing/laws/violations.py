"""What the checker finds: one violation of one law, and the error that lists them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import attrs

if TYPE_CHECKING:
    from collections.abc import Sequence

    from orchestra_trio.testing.tracing.trace import TraceEvent

__all__ = ["LawsViolated", "Violation"]

_SHOWN: Final = 5
"""How many violations the error lists; one cause often breaks many laws many times."""


@attrs.frozen
class Violation:
    """One way in which a trace breaks one law."""

    law: int
    """The number of the law, as the contract counts them."""

    name: str
    """What that law is called."""

    message: str
    """What is wrong, in one sentence."""

    events: tuple[TraceEvent, ...]
    """The few events that show it, in the order in which they happened."""

    def __str__(self) -> str:
        """Return it as text: the sentence, and below it a line for each event."""
        return "\n".join((f"law {self.law}, {self.name}: {self.message}", *(f"  {event}" for event in self.events)))


class LawsViolated(AssertionError):
    """A trace breaks laws.

    Attributes:
        violations: All that were found, in the order in which the events show them.
    """

    def __init__(self, orchestra: str, violations: Sequence[Violation]) -> None:
        """Say what is wrong with an orchestra's trace, the first few violations in full."""
        self.violations: tuple[Violation, ...] = tuple(violations)
        hidden = len(self.violations) - _SHOWN
        blocks = [str(one) for one in self.violations[:_SHOWN]]
        if hidden > 0:
            blocks.append(f"... and {hidden} more")
        super().__init__("\n".join((f"what happened in {orchestra} breaks the laws:", *blocks)))
