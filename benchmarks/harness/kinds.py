"""The three kinds of figures: a work against its peers, one thing at several sizes, and what is neither."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from importlib.util import find_spec
from typing import Final, TypeAlias

import attrs

__all__ = ["OURS", "Growth", "Measuring", "Peer", "Quantity", "QuantityPeer", "Timed", "Work"]

Timed: TypeAlias = Callable[[int], float]
"""Does something as many times, or of such a size, as it is told, and returns the seconds: a `Work` those in all, a
`Growth` those per unit."""

Measuring: TypeAlias = Callable[[int], Mapping[str, float]]
"""Does a work as many times as it is told, and returns figures by label; the labels are always the same."""

OURS: Final = "ours"
"""The contender that is measured against the others."""


@attrs.frozen
class Peer:
    """Somebody else who does the same work."""

    name: str
    timed: Timed
    at_least: float | None = None
    """The goal: how many times the peer's throughput ours should be; None where it is only compared."""
    package: str | None = None
    """What must be installed for it; None if nothing more than for ours."""

    @property
    def is_missing(self) -> bool:
        """Whether it cannot run, since its package is not installed."""
        return _is_missing(self.package)


@attrs.frozen
class Work:
    """Throughput: ours, and the peers that it is measured against, all with the same count."""

    name: str
    timed: Timed
    peers: Sequence[Peer]
    count: int
    """How many units make one measurement; a multiple of 1,000. Enough for 50 ms of ours."""
    unit: str = "message"
    public_only: bool = False
    """Whether the library uses trio's public interface alone. That is settled when it is imported."""


@attrs.frozen
class Growth:
    """One thing done at several sizes: per unit it should cost the same at each."""

    name: str
    timed: Timed
    """Given a size, returns the seconds per unit. What takes less than some milliseconds it does repeatedly."""
    sizes: Sequence[int]
    """Ascending."""
    unit: str
    """What a size counts, and a figure is per: "subsystem"."""
    between: tuple[int, int] | None = None
    """The sizes that the goal compares, small and large; None for the smallest and the largest."""
    at_most: float | None = None
    """The goal: how many times the figure at the small size that at the large one may be."""


@attrs.frozen
class QuantityPeer:
    """Somebody else of whom the same is measured."""

    name: str
    measured: Measuring
    package: str | None = None
    """As of a `Peer`."""

    @property
    def is_missing(self) -> bool:
        """Whether it cannot run, since its package is not installed."""
        return _is_missing(self.package)


@attrs.frozen
class Quantity:
    """What is neither: percentiles of waiting times, bytes. The lower a figure is, the better."""

    name: str
    measured: Measuring
    """Given a count, returns the figures: `{"p50": 12.1, "p99": 40.0}`."""
    unit: str
    """Of the figures: "us", "bytes"."""
    count: int
    """How many times the thing is done in one measurement; a multiple of 1,000."""
    peers: Sequence[QuantityPeer] = ()


def _is_missing(package: str | None) -> bool:
    return package is not None and find_spec(package) is None
