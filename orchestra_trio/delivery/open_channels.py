"""Opening metered channels: trio's memory channels, and a meter on each end.

Semantics, errors, closing, cloning, cancellation and `statistics()` are those of `trio.open_memory_channel`, whose own
tests run on these channels too.
"""

from __future__ import annotations

import math
from typing import Any, final

from typing_extensions import TypeVar

from orchestra_trio.delivery.channels import Channel
from orchestra_trio.delivery.ends import MeteredReceiver, MeteredSender, UnboundedMeteredSender

__all__ = ["open_metered_channel", "open_unbounded_channel"]

T = TypeVar("T")


def _check_capacity(name: str, capacity: float, least: int) -> None:
    if capacity != math.inf and not isinstance(capacity, int):
        message = f"{name} must be an integer or math.inf"
        raise TypeError(message)
    if capacity < least:
        message = f"{name} must be >= {least}"
        raise ValueError(message)


@final
class open_metered_channel(tuple["MeteredSender[T]", "MeteredReceiver[T]"]):  # noqa: N801, SLOT001 - called like a function, and never made
    """Open a bounded channel with a meter on each end: `sender, receiver = open_metered_channel[int](1024)`.

    Called, subscripted and behaving as `trio.open_memory_channel`. A class, so that it can be subscripted.

    Args:
        max_buffer_size: How many messages the channel holds at the most; 0 makes every send wait for a receiver;
            `math.inf` for no bound.
        priority_capacity: With a number, at least 1, the channel has a priority lane that holds so many messages.
        yield_every: At the latest every so many calls on one end are a schedule point. 1, the default, makes every
            call a full checkpoint, as trio's channels do; a larger number is faster.
        tof_every: Every how many messages a time of flight is taken.

    Raises:
        TypeError: A capacity is neither an integer nor `math.inf`.
        ValueError: A number is too small.

    Source:
        `metered::channel` and `metered::channel_with_priority` in Rust orchestra. Unlike there, a receiver sees both
        lanes while it waits, and the closing of one lane does not end the other.
    """

    def __new__(  # type: ignore[misc]  # noqa: D102 - returns a pair, as trio's own does
        cls,
        max_buffer_size: float,
        *,
        priority_capacity: float | None = None,
        yield_every: int = 1,
        tof_every: int = 16,
    ) -> tuple[MeteredSender[T], MeteredReceiver[T]]:
        _check_capacity("max_buffer_size", max_buffer_size, 0)
        if priority_capacity is not None:
            _check_capacity("priority_capacity", priority_capacity, 1)
        _check_capacity("yield_every", yield_every, 1)
        _check_capacity("tof_every", tof_every, 1)
        channel = Channel[Any].make(
            max_buffer_size, priority_capacity=priority_capacity, yield_every=yield_every, tof_every=tof_every
        )
        return (MeteredSender(channel), MeteredReceiver(channel))

    def __init__(
        self,
        max_buffer_size: float,
        *,
        priority_capacity: float | None = None,
        yield_every: int = 1,
        tof_every: int = 16,
    ) -> None: ...


@final
class open_unbounded_channel(tuple["UnboundedMeteredSender[T]", "MeteredReceiver[T]"]):  # noqa: N801, SLOT001 - as above
    """Open an unbounded channel with a meter on each end: `sender, receiver = open_unbounded_channel[int]()`.

    Args:
        yield_every: At the latest every so many calls of `receive` are a schedule point; 1 makes every call one.
        tof_every: Every how many messages a time of flight is taken.

    Raises:
        TypeError: A number is no integer.
        ValueError: A number is too small.

    Source:
        `metered::unbounded` in Rust orchestra.
    """

    def __new__(  # type: ignore[misc]  # noqa: D102 - as above
        cls, *, yield_every: int = 1, tof_every: int = 16
    ) -> tuple[UnboundedMeteredSender[T], MeteredReceiver[T]]:
        _check_capacity("yield_every", yield_every, 1)
        _check_capacity("tof_every", tof_every, 1)
        channel = Channel[Any].make(0, yield_every=yield_every, tof_every=tof_every)
        channel.lane = channel.mailbox.unbounded
        return (UnboundedMeteredSender(channel), MeteredReceiver(channel))

    def __init__(self, *, yield_every: int = 1, tof_every: int = 16) -> None: ...
