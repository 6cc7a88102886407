"""Loads: what comes into a running orchestra from outside, as plain data that can be played."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

import attrs
import trio

from orchestra_trio.errors import SubsystemExited, SubsystemStalled
from orchestra_trio.records import Priority

if TYPE_CHECKING:
    from orchestra_trio.runtime.running import RunningOrchestra

__all__ = ["Action", "Broadcast", "Load", "Pause", "Route", "SendEvent"]


@attrs.frozen
class Route:
    """A message that is routed into the orchestra."""

    message: object
    """Any message that a subsystem consumes."""

    priority: Priority = Priority.NORMAL
    """As for `route_message`."""

    async def play(self, running: RunningOrchestra[Any, Any]) -> None:
        """Route it.

        Checkpoint:
            As for `route_message`.

        Cancellation:
            As for `route_message`.
        """
        await running.route_message(self.message, priority=self.priority)


@attrs.frozen
class Broadcast:
    """A signal that is broadcast."""

    signal: object
    """Of a type that the orchestra declares."""

    async def play(self, running: RunningOrchestra[Any, Any]) -> None:
        """Broadcast it.

        Checkpoint:
            Always one.

        Cancellation:
            As for `broadcast_signal`.
        """
        await running.broadcast_signal(self.signal)


@attrs.frozen
class SendEvent:
    """An event that is sent through the handle."""

    event: object
    """Of a type that the orchestra declares."""

    async def play(self, running: RunningOrchestra[Any, Any]) -> None:
        """Send it.

        Checkpoint:
            As for `MeteredSender.send`.

        Cancellation:
            Nothing was sent.
        """
        await running.handle.send(self.event)


@attrs.frozen
class Pause:
    """A pause."""

    seconds: float = 0
    """How long, on trio's clock; 0 only lets others run."""

    async def play(self, _: RunningOrchestra[Any, Any]) -> None:
        """Wait.

        Checkpoint:
            Always one.

        Cancellation:
            As for `trio.sleep`.
        """
        await trio.sleep(self.seconds)


Action: TypeAlias = Route | Broadcast | SendEvent | Pause
"""One thing that comes in."""


@attrs.frozen
class Load:
    """What comes in, one thing after another."""

    actions: tuple[Action, ...] = ()
    """In this order."""

    async def play(self, running: RunningOrchestra[Any, Any]) -> int:
        """Let all of it come in, by one task.

        What the orchestra refuses since a consumer has ended, or its lane stays full, is left out: it is for the test
        to say whether that may be.

        Args:
            running: The orchestra.

        Returns:
            How many actions were refused.

        Raises:
            trio.ClosedResourceError: The input is closed.

        Checkpoint:
            Always one, unless there is nothing to do.

        Cancellation:
            What came in before stays.
        """
        refused = 0
        for action in self.actions:
            try:
                await action.play(running)
            except (SubsystemExited, SubsystemStalled):
                refused += 1
        await trio.lowlevel.checkpoint()
        return refused
