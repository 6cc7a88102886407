"""What is measured at several sizes, from ten to a million; and what is kept in memory.

The first come first because what works at sizes of 10,000 leaves classes of 10,000 slots behind, which each later pass
of the collector walks through.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from benchmarks.works import lives, memory, queues

if TYPE_CHECKING:
    from benchmarks.harness import Growth, Quantity

__all__ = ["GROWTHS", "QUANTITIES"]

GROWTHS: Final[tuple[Growth, ...]] = (*queues.GROWTHS, *lives.GROWTHS)
"""In the order in which they are shown."""

QUANTITIES: Final[tuple[Quantity, ...]] = memory.QUANTITIES
"""In the order in which they are shown."""
