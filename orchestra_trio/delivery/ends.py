"""The ends of metered channels: what senders and receivers hold.

A channel is a mailbox without signals: a bounded lane, and where asked for a priority lane or an unbounded one in its
place. Its ends add what trio's channels have: they are cloned and closed, each for itself, and whoever waits on an end
that is closed is told.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, Generic, Self, final

import trio
from trio.lowlevel import enable_ki_protection
from typing_extensions import TypeVar

from orchestra_trio.delivery.channels import Channel, Meter
from orchestra_trio.delivery.mailbox import EMPTY, Empty
from orchestra_trio.delivery.trio_internals import LatePace
from orchestra_trio.delivery.waiting import Parked
from orchestra_trio.records import Priority

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    from orchestra_trio.delivery.lanes import Lane

__all__ = ["MeteredReceiver", "MeteredSender", "UnboundedMeteredSender"]

T = TypeVar("T")
SendT_contra = TypeVar("SendT_contra", contravariant=True)
ReceiveT_co = TypeVar("ReceiveT_co", covariant=True)


class _End(ABC):
    """What sending and receiving ends have in common."""

    def __init__(self, channel: Channel[Any]) -> None:
        self._channel = channel
        self._closed = False
        self._parked: dict[Parked[Any], Callable[[Parked[Any]], bool]] = {}
        """The tasks that wait on this end, each with what takes it out of its queue and says whether it stood there."""
        self._pace = LatePace(channel.yield_every)
        self.meter: Meter = Meter(channel)
        """Reads the channel's counters."""

    def statistics(self) -> trio.MemoryChannelStatistics:
        """Return what `trio.MemorySendChannel.statistics` does; the buffer is the ordinary lane."""
        return self._channel.statistics()

    def _check_open(self) -> None:
        if self._closed:
            message = "this end of the channel was closed"
            raise trio.ClosedResourceError(message)

    async def _park(self, parked: Parked[T], leave: Callable[[Parked[Any]], bool]) -> T:
        self._parked[parked] = leave
        try:
            return await parked.wait()
        finally:
            del self._parked[parked]
            self._pace.renew()

    def _fail_parked(self) -> None:
        """Wake the tasks that wait on this end; one that was woken already, and has not run yet, has its due."""
        for parked, leave in self._parked.items():
            if leave(parked):
                parked.refuse(trio.ClosedResourceError())

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    @abstractmethod
    def close(self) -> None:
        """Close this end; closing it again does nothing. Not a checkpoint."""


class _SendingEnd(_End):
    """What both kinds of senders have in common."""

    def __init__(self, channel: Channel[Any]) -> None:
        super().__init__(channel)
        channel.open_senders += 1

    def _post(self, value: object, lane: Lane[Any]) -> bool:
        self._check_open()
        if self._channel.is_broken:
            message = "this channel takes nothing more: its receivers are closed, or the orchestra's input is"
            raise trio.BrokenResourceError(message)
        return lane.post(value, None)

    @enable_ki_protection
    def clone(self) -> Self:
        """Return another sender of the same channel; receivers get end-of-input when all of them are closed.

        Raises:
            trio.ClosedResourceError: This sender is closed.
        """
        self._check_open()
        return type(self)(self._channel)

    @enable_ki_protection
    def close(self) -> None:
        """Close this sender; closing it again does nothing. Not a checkpoint.

        Tasks that wait to send on it get `trio.ClosedResourceError`. After the last sender, receivers take what is
        left and then get `trio.EndOfChannel`.
        """
        if self._closed:
            return
        self._closed = True
        self._fail_parked()
        self._channel.open_senders -= 1
        if not self._channel.open_senders:
            self._channel.mailbox.close_input()


@final
class MeteredSender(_SendingEnd, trio.abc.SendChannel[SendT_contra]):
    """The sending end of a metered channel. Made by `open_metered_channel`."""

    @enable_ki_protection
    async def send(self, value: SendT_contra, *, priority: Priority = Priority.NORMAL) -> None:
        """Put one message in the channel, waiting while it is full.

        Returning means that the channel holds the message or a receiver has taken it, not that it was handled.
        Senders that wait are served in the order in which they came.

        Args:
            value: The message; passed by reference, not copied.
            priority: HIGH uses the priority lane where the channel has one, else the ordinary lane.

        Raises:
            trio.ClosedResourceError: This sender was closed, before the call or while it waited.
            trio.BrokenResourceError: Every receiver is closed.

        Checkpoint:
            Checks for cancellation on every call; a schedule point at the latest every `yield_every` calls.

        Cancellation:
            All or nothing: after `trio.Cancelled` the message is not in the channel and the meter has not counted it.

        Source:
            `MeteredSender::send` of Rust orchestra. Unlike it, `sent` counts a message only once the channel holds it.
        """
        await self._pace.keep()
        lane = self._channel.lane_for(priority)
        if not self._post(value, lane):
            parked: Parked[Any] = Parked(lane.withdraw)
            lane.offer(parked, value, None, None)
            await self._park(parked, lane.withdraw)

    @enable_ki_protection
    def send_nowait(self, value: SendT_contra, *, priority: Priority = Priority.NORMAL) -> None:
        """Put one message in the channel if it has room now.

        Raises:
            trio.WouldBlock: The lane is full, or others wait for its room.
            trio.ClosedResourceError: This sender is closed.
            trio.BrokenResourceError: Every receiver is closed.
        """
        if not self._post(value, self._channel.lane_for(priority)):
            raise trio.WouldBlock

    @enable_ki_protection
    async def aclose(self) -> None:
        """Close this sender, and then be a checkpoint. See `close`."""
        self.close()
        await trio.lowlevel.checkpoint()


@final
class UnboundedMeteredSender(_SendingEnd, Generic[SendT_contra]):
    """The sending end of an unbounded channel: it never waits. Made by `open_unbounded_channel`."""

    @enable_ki_protection
    def send_nowait(self, value: SendT_contra) -> None:
        """Put one message in the channel. What bounds their number is the caller's care.

        Raises:
            trio.ClosedResourceError: This sender is closed.
            trio.BrokenResourceError: Every receiver is closed.
        """
        self._post(value, self._channel.lane)


@final
class MeteredReceiver(_End, trio.abc.ReceiveChannel[ReceiveT_co]):
    """The receiving end of a metered channel, bounded or not."""

    def __init__(self, channel: Channel[ReceiveT_co]) -> None:
        """Made by `open_metered_channel` and `open_unbounded_channel`; not to be made otherwise."""
        super().__init__(channel)
        channel.open_receivers += 1

    @enable_ki_protection
    async def receive(self) -> ReceiveT_co:
        """Take the next message, waiting while there is none.

        Receivers that wait are served in the order in which they came. With a priority lane, the channel chooses as a
        mailbox does by default: see `Weighted`.

        Returns:
            The message itself.

        Raises:
            trio.EndOfChannel: All senders are closed, and nothing is left.
            trio.ClosedResourceError: This receiver was closed, before the call or while it waited.

        Checkpoint:
            Checks for cancellation on every call; a schedule point at the latest every `yield_every` calls.

        Cancellation:
            All or nothing: after `trio.Cancelled` the message is still in the channel.

        Source:
            `MeteredReceiver` of Rust orchestra.
        """
        await self._pace.keep()
        item = self._take()
        if not isinstance(item, Empty):
            return item
        mailbox = self._channel.mailbox
        parked: Parked[ReceiveT_co] = Parked(mailbox.leave)
        mailbox.receivers[parked] = None
        received: ReceiveT_co = await self._park(parked, mailbox.leave)
        return received

    @enable_ki_protection
    def receive_nowait(self) -> ReceiveT_co:
        """Take the next message if there is one now.

        Raises:
            trio.WouldBlock: There is none.
            trio.EndOfChannel: All senders are closed, and nothing is left.
            trio.ClosedResourceError: This receiver is closed.
        """
        item = self._take()
        if isinstance(item, Empty):
            raise trio.WouldBlock
        return item

    def _take(self) -> ReceiveT_co | Empty:
        self._check_open()
        mailbox = self._channel.mailbox
        item = mailbox.take()
        if item is EMPTY and mailbox.input_closed:
            raise trio.EndOfChannel
        return item

    @enable_ki_protection
    def clone(self) -> Self:
        """Return another receiver of the same channel: each message goes to one of them.

        Raises:
            trio.ClosedResourceError: This receiver is closed.
        """
        self._check_open()
        return type(self)(self._channel)

    @enable_ki_protection
    def close(self) -> None:
        """Close this receiver; closing it again does nothing. Not a checkpoint.

        Tasks that wait on it get `trio.ClosedResourceError`. With the last receiver the channel is broken: what lies
        in it is dropped, and who waits to send gets `trio.BrokenResourceError`.
        """
        if self._closed:
            return
        self._closed = True
        self._fail_parked()
        self._channel.open_receivers -= 1
        if not self._channel.open_receivers:
            self._channel.break_off()

    @enable_ki_protection
    async def aclose(self) -> None:
        """Close this receiver, and then be a checkpoint. See `close`."""
        self.close()
        await trio.lowlevel.checkpoint()
