"""Live figures that a picture of a wiring can show: what has gone along its arrows, and what waits at its nodes."""

from __future__ import annotations

from collections import Counter
from typing import Literal, TypeAlias

import attrs

from orchestra_trio.records import LaneName, MessageLane

__all__ = ["Figures", "Queue", "Readings", "Traffic"]

Pair: TypeAlias = "tuple[str | None, str | None]"
ArrowLane: TypeAlias = Literal["bounded", "unbounded"]

LANES: tuple[LaneName, ...] = ("signals", "priority", "unbounded", "bounded")


@attrs.frozen
class Traffic:
    """How many messages one sender has sent to one consumer in one lane."""

    sender: str | None
    """The slot that sent; None for the embedding program, by `route_message` or `request`."""

    consumer: str | None
    """The slot that they were for; None for `running.outgoing`."""

    lane: MessageLane
    """The lane they took; those of the priority lane are shown with the bounded ones, and told apart."""

    messages: int
    """Messages so far."""


@attrs.frozen
class Queue:
    """How full one lane is."""

    consumer: str
    """The slot whose lane it is."""

    lane: LaneName
    """Which of its lanes."""

    length: int
    """Messages in it now."""

    capacity: int | None
    """Messages that fit in; None where it has no limit."""


@attrs.frozen
class Figures:
    """What is known about the traffic of a running orchestra, at one moment. What is not given is not shown."""

    traffic: tuple[Traffic, ...] = ()
    """Per sender, consumer and lane; several entries for one place are added up."""

    queues: tuple[Queue, ...] = ()
    """Per consumer and lane, one each. Empty lanes are not shown, but for the bounded one of a slot that consumes."""


class Readings:
    """Figures, looked up by place."""

    def __init__(self, figures: Figures | None) -> None:
        """Sort them by place; None has nothing to show."""
        self.is_live: bool = figures is not None
        self._sent: dict[Pair, Counter[MessageLane]] = {}
        self._queues: dict[str, dict[LaneName, Queue]] = {}
        if figures is not None:
            for one in figures.traffic:
                self._sent.setdefault((one.sender, one.consumer), Counter())[one.lane] += one.messages
            for queue in figures.queues:
                self._queues.setdefault(queue.consumer, {})[queue.lane] = queue

    def pairs(self) -> frozenset[Pair]:
        """Return the pairs between which something was sent."""
        return frozenset(pair for pair, lanes in self._sent.items() if lanes.total())

    def sent(self, sender: str | None, consumer: str | None, lane: ArrowLane | None) -> tuple[int | None, int]:
        """Return how many messages went along one arrow, None where nothing is known, and how many of them were urgent.

        Args:
            sender: As in `Traffic`.
            consumer: As there.
            lane: The lane of the arrow, of which bounded includes priority; None for all of them.
        """
        if not self.is_live:
            return None, 0
        lanes = self._sent.get((sender, consumer), Counter[MessageLane]())
        if lane == "unbounded":
            return lanes["unbounded"], 0
        return lanes.total() - (lanes["unbounded"] if lane == "bounded" else 0), lanes["priority"]

    def queues(self, consumer: str) -> tuple[Queue, ...]:
        """Return the lanes of one slot, in the order in which statistics show them."""
        lanes = self._queues.get(consumer, {})
        return tuple(lanes[one] for one in LANES if one in lanes)
