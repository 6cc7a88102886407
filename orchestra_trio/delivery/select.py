"""Receiving from several channels as from one.

A selection asks its receivers in some order, takes from the first that has something, and waits at all of them when
none has. It holds no items of its own: what it has not returned still lies in the channels. So it may be cancelled, and
gone on with or thrown away, at any time.
"""
# ruff: noqa: SLF001  # a name with an underscore is private to its room, and this is the room of the channels

from __future__ import annotations

from abc import abstractmethod
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any, Generic, final, overload

import trio
from trio.lowlevel import enable_ki_protection
from typing_extensions import TypeVar, override

from orchestra_trio.delivery.ends import MeteredReceiver
from orchestra_trio.delivery.mailbox import Empty
from orchestra_trio.delivery.trio_internals import LatePace
from orchestra_trio.delivery.waiting import ParkedAtSeveral
from orchestra_trio.records import PollNext

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = ["select", "select_with_strategy"]

T = TypeVar("T")
StateT = TypeVar("StateT")
AT = TypeVar("AT")
BT = TypeVar("BT")
CT = TypeVar("CT")
DT = TypeVar("DT")
ET = TypeVar("ET")


def _check_is_receiver(receiver: object) -> None:
    if not isinstance(receiver, MeteredReceiver):
        message = f"only a MeteredReceiver can be selected from, not {type(receiver).__qualname__}"
        raise TypeError(message)


def _check_is_answer(answer: object) -> None:
    if not isinstance(answer, PollNext):
        message = f"a strategy of select_with_strategy must return a PollNext, not {type(answer).__qualname__}"
        raise TypeError(message)


class _Selection(AsyncIterator[T]):
    """Several receivers, iterated as one. Tasks may share it, as they may share a receiver."""

    def __init__(self, receivers: tuple[MeteredReceiver[T], ...]) -> None:
        for receiver in receivers:
            _check_is_receiver(receiver)
        self._receivers: list[MeteredReceiver[T]] = list(receivers)
        """Those that were not found to have ended."""
        self._pace = LatePace(min((receiver._channel.yield_every for receiver in receivers), default=1))

    @override
    @enable_ki_protection
    async def __anext__(self) -> T:
        await self._pace.keep()
        self._forget_ended()
        if not self._receivers:
            raise StopAsyncIteration
        for receiver in self._in_order():
            item = receiver._take()
            if not isinstance(item, Empty):
                self._note_served(receiver)
                return item
        try:
            return await self._wait()
        finally:
            self._pace.renew()

    def _forget_ended(self) -> None:
        for receiver in self._receivers:
            receiver._check_open()
        self._receivers = [one for one in self._receivers if not one._channel.mailbox.is_exhausted]

    @abstractmethod
    def _in_order(self) -> Sequence[MeteredReceiver[T]]:
        """Return whom to ask first, and whom then; called once before each item."""

    def _note_served(self, receiver: MeteredReceiver[T]) -> None:
        """Called after each item, with the receiver it came from."""

    async def _wait(self) -> T:
        """Wait at all receivers; the first that has something is the only one it is taken from."""
        receivers = self._receivers.copy()
        queues = [receiver._channel.mailbox.receivers for receiver in receivers]
        parked: ParkedAtSeveral[T] = ParkedAtSeveral(queues)
        for receiver in receivers:
            receiver._parked[parked] = receiver._channel.mailbox.leave
        try:
            item = await parked.wait()
        except trio.EndOfChannel:
            raise StopAsyncIteration from None
        finally:
            for receiver in receivers:
                receiver._parked.pop(parked, None)  # one that is selected twice is met twice
        self._note_served(receivers[parked.place])
        return item


@final
class _RoundRobin(_Selection[T]):
    """Asks first the one behind the one that was served last."""

    @override
    def _in_order(self) -> Sequence[MeteredReceiver[T]]:
        return self._receivers

    @override
    def _note_served(self, receiver: MeteredReceiver[T]) -> None:
        if receiver in self._receivers:  # another task may have found it to have ended
            behind = self._receivers.index(receiver) + 1
            self._receivers = self._receivers[behind:] + self._receivers[:behind]


@final
class _ByStrategy(_Selection[T], Generic[T, StateT]):
    """Asks first the one that the user's own function prefers."""

    def __init__(
        self,
        receivers: tuple[MeteredReceiver[T], MeteredReceiver[T]],
        strategy: Callable[[StateT], PollNext],
        state: StateT,
    ) -> None:
        super().__init__(receivers)
        self._strategy = strategy
        self._state = state

    @override
    def _in_order(self) -> Sequence[MeteredReceiver[T]]:
        if len(self._receivers) == 1:
            return self._receivers
        answer = self._strategy(self._state)
        _check_is_answer(answer)
        return self._receivers if answer is PollNext.LEFT else self._receivers[::-1]


@overload
def select(a: MeteredReceiver[AT], b: MeteredReceiver[BT], /) -> AsyncIterator[AT | BT]: ...
@overload
def select(
    a: MeteredReceiver[AT], b: MeteredReceiver[BT], c: MeteredReceiver[CT], /
) -> AsyncIterator[AT | BT | CT]: ...
@overload
def select(
    a: MeteredReceiver[AT], b: MeteredReceiver[BT], c: MeteredReceiver[CT], d: MeteredReceiver[DT], /
) -> AsyncIterator[AT | BT | CT | DT]: ...
@overload
def select(
    a: MeteredReceiver[AT],
    b: MeteredReceiver[BT],
    c: MeteredReceiver[CT],
    d: MeteredReceiver[DT],
    e: MeteredReceiver[ET],
    /,
) -> AsyncIterator[AT | BT | CT | DT | ET]: ...
@overload
def select(*receivers: MeteredReceiver[T]) -> AsyncIterator[T]: ...
def select(*receivers: MeteredReceiver[Any]) -> AsyncIterator[Any]:
    """Iterate over the messages of several channels as over those of one.

    Round robin: of the channels that have something, the next one behind the one that was served last is served. Each
    channel's own order is kept. The iteration goes on without a channel that has ended, and ends when all have; of
    nothing, it ends at once. It may be broken off and gone on with, and the receivers may be used besides.

    Args:
        receivers: Any number of receivers of metered channels, bounded or not, clones included. They stay the
            caller's, who closes them.

    Returns:
        An async iterator, which waits while no channel has a message.

    Raises:
        TypeError: One of them is no `MeteredReceiver`.
        trio.ClosedResourceError: From the iteration: a receiver that had not been found to have ended was closed,
            before the call or while it waited.

    Checkpoint:
        Each step checks for cancellation. It is a schedule point at the latest every `yield_every` steps, by the
        smallest `yield_every` of the channels.

    Cancellation:
        All or nothing: after `trio.Cancelled` every message is still in its channel, in its place, and the iteration
        may be gone on with.

    Source:
        `select` over metered streams in Rust orchestra. Unlike there, any number of them.
    """
    return _RoundRobin(receivers)


def select_with_strategy(
    left: MeteredReceiver[AT],
    right: MeteredReceiver[BT],
    strategy: Callable[[StateT], PollNext],
    state: StateT,
) -> AsyncIterator[AT | BT]:
    """Iterate over the messages of two channels, asking first the one that the strategy prefers.

    If the preferred channel is empty, the other one is asked; if both are, whichever has something first is served.
    Each channel's own order is kept. The iteration goes on without a channel that has ended, and ends when both have.

    Args:
        left: A receiver of a metered channel, bounded or not.
        right: The other one. Both stay the caller's, who closes them.
        strategy: Called with `state` once before each message, as long as neither channel has ended: which one to ask
            first. It may change the state. If it raises, nothing was taken, and the iteration raises that.
        state: Whatever the strategy needs.

    Returns:
        An async iterator, which waits while neither channel has a message.

    Raises:
        TypeError: One of the two is no `MeteredReceiver`; or, from the iteration, the strategy returned no `PollNext`.
        trio.ClosedResourceError: From the iteration: a receiver that had not been found to have ended was closed,
            before the call or while it waited.

    Checkpoint:
        Each step checks for cancellation. It is a schedule point at the latest every `yield_every` steps, by the
        smaller `yield_every` of the two.

    Cancellation:
        All or nothing: after `trio.Cancelled` every message is still in its channel, in its place, and the iteration
        may be gone on with. The strategy was asked if the step had begun to wait, and is asked again by the next.

    Source:
        `select_with_strategy` over metered streams in Rust orchestra. There the strategy is asked again each time
        that the task is polled.
    """
    receivers: tuple[MeteredReceiver[AT | BT], MeteredReceiver[AT | BT]] = (left, right)
    return _ByStrategy(receivers, strategy, state)
