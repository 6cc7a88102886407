"""How fast a counter grows between two looks. Pure."""

from __future__ import annotations

__all__ = ["rate"]


def rate(before: int, now: int, seconds: float) -> float:
    """Return by how much a counter has grown per second.

    Args:
        before: What it was.
        now: What it is.
        seconds: Between the two; nothing can be said where that is nought, and then it is nought.
    """
    return (now - before) / seconds if seconds > 0 else 0.0
