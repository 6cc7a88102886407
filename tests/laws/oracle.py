"""Who is stuck, by what every task of every subsystem waits for: the definition of a deadlock, and nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["stuck_among"]


def stuck_among(tasks: Mapping[str, Sequence[str | None]]) -> frozenset[str]:
    """Return the greatest set of subsystems of which every task waits for a member.

    Args:
        tasks: By subsystem: for each of its tasks the subsystem that it waits for, None where it may move by itself.
            Tasks that wait for nothing but tasks of their own subsystem are left out.
    """
    stuck = {name for name, targets in tasks.items() if targets}
    while True:
        free = {name for name in stuck if not stuck.issuperset(tasks[name])}
        if not free:
            return frozenset(stuck)
        stuck -= free
