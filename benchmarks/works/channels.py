"""Metered channels on their own.

A metered channel has nothing to route; it is measured beside the channel that it can take the place of.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import trio

from benchmarks.harness import Peer, Work
from benchmarks.peers import trio_channels
from benchmarks.workload import CAPACITY, MESSAGE, Message, Stopwatch
from orchestra_trio import open_metered_channel

if TYPE_CHECKING:
    from orchestra_trio import MeteredReceiver, MeteredSender

__all__ = ["WORKS", "metered_channel", "metered_channel_in_strides"]


def metered_channel(count: int, *, yield_every: int = 1) -> float:
    """One message at a time through a metered channel; by default every call is a full checkpoint, as trio's are."""
    watch = Stopwatch()

    async def send(sender: MeteredSender[Message]) -> None:
        watch.begin()
        for _ in range(count):
            await sender.send(MESSAGE)

    async def receive(receiver: MeteredReceiver[Message]) -> None:
        for _ in range(count):
            await receiver.receive()
        watch.end()

    async def main() -> None:
        sender, receiver = open_metered_channel[Message](CAPACITY, yield_every=yield_every)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(send, sender)
            nursery.start_soon(receive, receiver)

    trio.run(main)
    return watch.seconds


def metered_channel_in_strides(count: int) -> float:
    """The same with the `yield_every` that an orchestra has by default."""
    return metered_channel(count, yield_every=64)


_TRIO: Final = "trio.open_memory_channel"

WORKS: Final = (
    Work("metered channel, yield_every=1", metered_channel, [Peer(_TRIO, trio_channels.one_at_a_time)], count=20_000),
    Work(
        "metered channel, yield_every=64",
        metered_channel_in_strides,
        [Peer(_TRIO, trio_channels.one_at_a_time)],
        count=50_000,
    ),
)
"""In the order in which they are shown."""
