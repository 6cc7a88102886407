"""Events: what comes from outside into the orchestra, through a handle."""

from __future__ import annotations

from typing import Generic

import trio
from typing_extensions import TypeVar

from orchestra_trio.delivery.channels import Channel
from orchestra_trio.delivery.ends import MeteredReceiver, MeteredSender

__all__ = ["Connector"]

EventT = TypeVar("EventT")

YIELD_EVERY = 64
"""As in a context: events are rare, but a burst of them must let others run."""


class Connector(Generic[EventT]):
    """A handle to an orchestra that may not be open yet: what it is sent waits until then.

    `Connector[Event](capacity)`, and then `pipeline.open(connector=connector)`; each connector for one opening.

    Attributes:
        handle: Sends events; can be cloned.

    Source:
        `OrchestraConnector` of Rust orchestra.
    """

    def __init__(self, capacity: int = 64) -> None:
        """Make a connector; `capacity` is how many events wait at the most before a sender must wait too."""
        if capacity < 1:
            message = f"capacity must be at least 1, not {capacity}"
            raise ValueError(message)
        self._channel: Channel[EventT] = Channel.make(capacity, yield_every=YIELD_EVERY)
        self._is_used = False
        self.handle: MeteredSender[EventT] = MeteredSender(self._channel)

    def _connect(self) -> tuple[Channel[EventT], MeteredReceiver[EventT]]:
        """Give the orchestra its end."""
        if self._is_used:
            message = "this Connector was used already: make one for each opening"
            raise trio.BusyResourceError(message)
        self._is_used = True
        return self._channel, MeteredReceiver(self._channel)
