"""What is measured: the library's own works, and for each the peers and the goals of section 10 of the design.

A module for what flows each, with its own `WORKS`, `GROWTHS` and `QUANTITIES`, those that it has; here they are all.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from benchmarks.harness import Suite
from benchmarks.works import blocking, channels, messages, node, shapes, sizes, talks

if TYPE_CHECKING:
    from benchmarks.harness import Growth, Quantity, Work

__all__ = ["GROWTHS", "QUANTITIES", "SUITE", "WORKS"]

WORKS: Final[tuple[Work, ...]] = (
    *messages.WORKS,
    *shapes.WORKS,
    *talks.WORKS,
    *blocking.WORKS,
    *node.WORKS,
    *channels.WORKS,
)
"""Throughput, in the order in which it is shown."""

GROWTHS: Final[tuple[Growth, ...]] = sizes.GROWTHS
"""What should cost the same at any size."""

QUANTITIES: Final[tuple[Quantity, ...]] = (*talks.QUANTITIES, *sizes.QUANTITIES)
"""What is neither."""

SUITE: Final = Suite(WORKS, GROWTHS, QUANTITIES)
"""All of it."""
