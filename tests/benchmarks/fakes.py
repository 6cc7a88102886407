"""A small suite for the command line, and children that only say that they measured it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from benchmarks.child import Measured
from benchmarks.harness import OURS, Growth, Peer, Quantity, QuantityPeer, Suite, Work

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["SUITE", "Children"]


def never(count: int) -> float:
    raise AssertionError(f"this is not to be measured, {count} times or at all")


def never_either(count: int) -> dict[str, float]:
    raise AssertionError(f"this is not to be measured, {count} times or at all")


SUITE = Suite(
    [
        Work("one at a time", never, [Peer("slow", never, at_least=2), Peer("fast", never, at_least=3)], 1000),
        Work("ping-pong", never, [Peer("slow", never)], 1000, unit="round trip"),
        Work("one at a time, public", never, [Peer("slow", never)], 1000, public_only=True),
    ],
    [Growth("startup", never, [10, 1000], "subsystem", at_most=2)],
    [Quantity("waiting", never_either, "us", 1000, [QuantityPeer("slow", never_either)])],
)


@attrs.define
class Children:
    """Each notes what it was asked for, and reports figures in which a peer is twice as slow as ours."""

    asked: list[tuple[bool, int, float]] = attrs.Factory(list[tuple[bool, int, float]])
    names: list[str] = attrs.Factory(list[str])

    def measure_in_child(self, names: Sequence[str], *, public_only: bool, rounds: int, scale: float) -> Measured:
        self.asked.append((public_only, rounds, scale))
        self.names += names
        suite = SUITE.named(names)
        assert suite.names == suite.meant_for(public_only=public_only).names
        return Measured(
            not public_only,
            {
                work.name: {OURS: [1e-6] * rounds, **{peer.name: [2e-6] * rounds for peer in work.peers}}
                for work in suite.works
            },
            {growth.name: {str(size): [1e-6] * rounds for size in growth.sizes} for growth in suite.growths},
            {
                one.name: {
                    OURS: [{"p99": 1.0}] * rounds,
                    **{peer.name: [{"p99": 2.0}] * rounds for peer in one.peers},
                }
                for one in suite.quantities
            },
        )
