"""What becomes of messages that were held back when a subsystem ended: nothing disappears silently."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from orchestra_trio.errors import type_name
from orchestra_trio.logs import logger
from orchestra_trio.testing.faults.replies import close_replies

if TYPE_CHECKING:
    from collections.abc import Sequence

    from orchestra_trio.runtime.life.live import LiveSubsystem
    from orchestra_trio.testing.faults.tally import Tally

__all__ = ["lose"]


def lose(messages: Sequence[object], live: LiveSubsystem, tally: Tally) -> None:
    """Count messages as lost, tell the requesters among their senders, and write it to the log."""
    if not messages:
        return
    tally.lost += len(messages)
    for message in messages:
        close_replies(message)
    counts = Counter(type_name(type(message)) for message in messages)
    logger.warning(
        "faults around subsystem %r of %s lost messages that they held back: %s",
        live.name,
        live.orchestra,
        ", ".join(f"{count} {name}" for name, count in counts.items()),
        extra=live.origin.extra,
    )
