"""Relays: subsystems that pass packets on along the links of a topology."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

import attrs

from orchestra_trio.errors import OneshotCancelled
from orchestra_trio.records import Priority
from orchestra_trio.testing.wirings.packets import PACKETS, QUERIES, Packet, Pulse, Query

if TYPE_CHECKING:
    from orchestra_trio.runtime.contexts.blocking import BlockingSubsystemContext
    from orchestra_trio.runtime.contexts.context import SubsystemContext
    from orchestra_trio.testing.wirings.topology import Link, Topology

__all__ = ["BlockingRelay", "Relay", "relay_of"]


@attrs.define(eq=False)
class _Passing:
    """What both relays have in common."""

    topology: Topology
    """The wiring."""

    number: int
    """Which node it is."""

    received: list[Packet | Query | Pulse] = attrs.Factory(list[Packet | Query | Pulse])
    """All that it was given, in order."""

    def take_in(self, incoming: Any) -> Link | None:  # noqa: ANN401 - what the wiring lets in
        """Note what came, answer a query, and return the link along which it goes on; None where it ends here."""
        self.received.append(incoming)
        if isinstance(incoming, Pulse):
            return None
        if isinstance(incoming, Query):
            incoming.reply.send(incoming.number)
        links = self.topology.nodes[self.number].links
        return links[incoming.number % len(links)] if incoming.hops and links else None


class Relay(_Passing):
    """Passes each packet on along one of its node's links, chosen by its number, while the packet has hops left."""

    async def __call__(self, ctx: SubsystemContext[Any, Any, Any]) -> None:
        """Relay until the input ends."""
        async for incoming in ctx:
            link = self.take_in(incoming)
            if link is None:
                continue
            number, hops, is_high = incoming.number, incoming.hops - 1, incoming.is_high
            if link.kind == "request":
                with suppress(OneshotCancelled):  # nobody may be there to answer
                    await ctx.request(QUERIES[link.consumer], number, hops, is_high)
            elif link.kind == "unbounded":
                ctx.send_unbounded(PACKETS[link.consumer](number, hops, is_high))
            else:
                await ctx.send(PACKETS[link.consumer](number, hops, is_high), priority=_priority(is_high))


class BlockingRelay(_Passing):
    """The same in a thread."""

    def __call__(self, ctx: BlockingSubsystemContext[Any, Any, Any]) -> None:
        """Relay until the input ends."""
        for incoming in ctx:
            link = self.take_in(incoming)
            if link is None:
                continue
            number, hops, is_high = incoming.number, incoming.hops - 1, incoming.is_high
            if link.kind == "request":
                with suppress(OneshotCancelled):
                    ctx.request(QUERIES[link.consumer], number, hops, is_high)
            elif link.kind == "unbounded":
                ctx.send_unbounded(PACKETS[link.consumer](number, hops, is_high))
            else:
                ctx.send(PACKETS[link.consumer](number, hops, is_high), priority=_priority(is_high))


def relay_of(topology: Topology, number: int) -> Relay | BlockingRelay:
    """Return a relay for a node, in a thread where the node says so."""
    return (BlockingRelay if topology.nodes[number].blocking else Relay)(topology, number)


def _priority(is_high: bool) -> Priority:  # noqa: FBT001 - a field of a packet
    return Priority.HIGH if is_high else Priority.NORMAL
