"""How much has gone along the edges of a wiring, and how much waits at its nodes."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from orchestra_trio.wiring.drawing.figures import Figures, Queue, Traffic

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from orchestra_trio.delivery.mailbox import Mailbox
    from orchestra_trio.runtime.life.live import LiveSubsystem

__all__ = ["read_figures"]


def read_figures(subsystems: Iterable[LiveSubsystem], outgoing: Mailbox[Any, Any]) -> Figures:
    """Read the meters of all subsystems, and of what goes out. Changes nothing."""
    lives = list(subsystems)
    traffic = [one for live in lives for one in _traffic(live.mailbox, live.name)]
    queues = [one for live in lives for one in _queues(live.mailbox, live.name)]
    return Figures((*traffic, *_traffic(outgoing, None)), tuple(queues))


def _traffic(mailbox: Mailbox[Any, Any], consumer: str | None) -> Iterator[Traffic]:
    for lane in mailbox.message_lanes:
        name = lane.name
        if name != "signals":
            yield from (Traffic(sender, consumer, name, count) for sender, count in lane.sent_by().items())


def _queues(mailbox: Mailbox[Any, Any], consumer: str) -> Iterator[Queue]:
    for lane in (mailbox.signals, *mailbox.message_lanes):
        yield Queue(consumer, lane.name, len(lane), None if math.isinf(lane.capacity) else int(lane.capacity))
