"""What a share of times of flight stays within. Pure."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, TypedDict

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Flight", "describe_flights", "percentile"]

_MOST = 4000
"""So many samples are sorted at the most: of more, every so-manieth."""


class Flight(TypedDict):
    """Times of flight in seconds."""

    p50: float
    p90: float
    p99: float
    samples: int


def percentile(ordered: Sequence[float], share: float) -> float:
    """Return the least of these values that at least this share of them does not exceed ("nearest rank").

    Args:
        ordered: At least one, ascending.
        share: Above 0, at most 1.
    """
    rank = math.ceil(share * len(ordered) - 1e-9)
    return ordered[max(rank, 1) - 1]


def describe_flights(times: Sequence[float]) -> Flight | None:
    """Return the percentiles of sampled times of flight; None where there are no samples."""
    if not times:
        return None
    ordered = sorted(times[:: -(-len(times) // _MOST)])
    return Flight(
        p50=percentile(ordered, 0.5),
        p90=percentile(ordered, 0.9),
        p99=percentile(ordered, 0.99),
        samples=len(times),
    )
