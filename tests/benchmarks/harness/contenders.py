"""Contenders that do nothing, and works of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from benchmarks.harness import Work

if TYPE_CHECKING:
    from benchmarks.harness import Measuring, Peer, Timed

__all__ = ["Notes", "never", "work"]


@attrs.define
class Notes:
    """Contenders that only note that they were called, and say that they took a second for each unit."""

    calls: list[tuple[str, int]] = attrs.Factory(list[tuple[str, int]])

    def contender(self, name: str) -> Timed:
        def timed(count: int) -> float:
            self.calls.append((name, count))
            return float(count)

        return timed

    def measuring(self, name: str) -> Measuring:
        def measured(count: int) -> dict[str, float]:
            self.calls.append((name, count))
            return {"p50": 1.0, "count": float(count)}

        return measured


def never(count: int) -> float:
    raise AssertionError(f"this is not to be measured, {count} times or at all")


def work(*peers: Peer, name: str = "work", count: int = 1000, public_only: bool = False) -> Work:
    return Work(name, never, peers, count, public_only=public_only)
