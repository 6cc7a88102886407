"""How much room a subsystem's lanes need, from what was seen. Pure.

The rule, which no other module may decide; the first that fits:

1. Fewer than `FEWEST` messages went through: too few to tell.
2. Senders waited, and the lane was full in at least half of the looks: keep it. More room would only be filled, too,
   and each message would fly for longer.
3. Senders waited, less often: double it, to the next power of two. These were bursts, and room evens them out.
4. At the peak, the lane held no more than a quarter of what fits: twice that peak, to the next power of two, at least
   `SMALLEST`; never more than there is.
5. Else keep it.

Waits and peaks count since the orchestra was opened, the warm-up included: so nothing is suggested that would have made
anybody wait who did not.
"""

from typing import Final, Literal, TypeAlias

import attrs

__all__ = ["FEWEST", "SMALLEST", "Suggestion", "Usage", "suggest"]

FEWEST: Final = 100
"""Messages that must have gone through while it was measured."""

SMALLEST: Final = 8
"""The smallest capacity that is suggested."""

_MOSTLY_FULL: Final = 0.5
_FAR_BELOW: Final = 4

Why: TypeAlias = Literal["too few", "always full", "bursts", "to spare", "fits"]


@attrs.frozen
class Usage:
    """How the lanes of one subsystem that share a capacity were used."""

    messages: int
    """Sent while it was measured."""
    blocked: int
    """How often a sender had to wait, since it was opened."""
    peak: int
    """The most that lay in one of them, since it was opened."""
    full: float
    """The share of looks in which the fuller one was full."""


@attrs.frozen
class Suggestion:
    """A capacity, and why."""

    capacity: int | None
    """None where nothing can be said."""
    why: Why
    """The rule, in two words."""


def suggest(capacity: int, usage: Usage) -> Suggestion:
    """Return what capacity to try instead of the declared one, or the same."""
    if usage.messages < FEWEST:
        return Suggestion(None, "too few")
    if usage.blocked:
        if usage.full >= _MOSTLY_FULL:
            return Suggestion(capacity, "always full")
        return Suggestion(_power_of_two(2 * capacity), "bursts")
    if _FAR_BELOW * usage.peak <= capacity:
        smaller = max(SMALLEST, _power_of_two(2 * usage.peak))
        if smaller < capacity:
            return Suggestion(smaller, "to spare")
    return Suggestion(capacity, "fits")


def _power_of_two(number: int) -> int:
    """Return the smallest power of two that is no less."""
    return 1 << max(0, number - 1).bit_length()
