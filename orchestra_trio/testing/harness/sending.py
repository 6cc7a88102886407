"""What a test sends to the subject: messages, signals, requests, and answers to the subject's own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Concatenate, Generic, ParamSpec, TypeVar

import trio

from orchestra_trio.errors import OneshotCancelled, a_type
from orchestra_trio.records import Priority
from orchestra_trio.testing.harness.replies import reply_end_of
from orchestra_trio.testing.harness.side import Side
from orchestra_trio.testing.harness.threads import Limit, limited_once

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from orchestra_trio.delivery.oneshot import OneshotSender

__all__ = ["Sending"]

InT = TypeVar("InT")
SigT = TypeVar("SigT")
T = TypeVar("T")
P = ParamSpec("P")


class Sending(Side, Generic[InT, SigT]):
    """The calls of `Harness` that give the subject something."""

    async def send(self, message: InT, *, priority: Priority = Priority.NORMAL, within: float | None = None) -> None:
        """Send the subject a message, waiting while its lane is full.

        Args:
            message: Passed by reference, not copied.
            priority: HIGH uses the priority lane where the subject has one, else the bounded lane.
            within: Seconds to wait for room, above 0, on trio's clock; the harness's if None.

        Raises:
            ExpectationFailed: There was no room in time. Nothing was queued.
            UndeclaredMessage: The subject does not consume this type. Nothing was queued.
            SubsystemExited: The subject has ended, and its slot does not say `after_exit="dead_letter"`.
            trio.ClosedResourceError: The input is closed.

        Checkpoint:
            As `SubsystemContext.send`.

        Cancellation:
            All or nothing, as `SubsystemContext.send`.
        """
        self._session.check_open()
        sender = self._session.test.ctx
        seconds = self._seconds(within)
        if not await Limit(seconds).keeps(self._session.live, lambda: sender.send(message, priority=priority)):
            room = f"room for {a_type(type(message))} within {seconds:g} s"
            raise self._session.failed(room, "but its lane stayed full")

    def send_nowait(self, message: InT, *, priority: Priority = Priority.NORMAL) -> None:
        """Send the subject a message if its lane has room now. Arguments and errors as for `send`.

        Raises:
            trio.WouldBlock: The lane is full, or others wait for its room.
        """
        self._session.check_open()
        self._session.test.ctx.send_nowait(message, priority=priority)

    async def send_many(
        self, messages: Iterable[InT], *, priority: Priority = Priority.NORMAL, within: float | None = None
    ) -> None:
        """Send messages one after another, as `send` does; `within` is for each of them."""
        self._seconds(within)
        await trio.lowlevel.checkpoint()
        for message in messages:
            await self.send(message, priority=priority, within=within)

    def send_unbounded(self, message: InT) -> None:
        """Send the subject a message through its unbounded lane. Errors as for `send`."""
        self._session.check_open()
        self._session.test.ctx.send_unbounded(message)

    async def signal(self, signal: SigT) -> int:
        """Broadcast a signal, and wait until the subject's lane of signals is within its capacity.

        That wait has no `within`: how long it may take is the `signal_timeout` of the class.

        Returns:
            The epoch. The subject will receive the signal before any message; `wait_epoch` waits until it has.

        Raises:
            UndeclaredMessage: The subject subscribes to no such signal. Nothing was sent.
            SubsystemStalled: The lane stayed beyond its capacity. The signal stays delivered.
            trio.ClosedResourceError: The subject was terminated, or has failed.

        Checkpoint:
            Always one.

        Cancellation:
            Ends the waiting, never the delivery.
        """
        self._check_not_over()
        return await self.running.broadcast_signal(signal)

    async def request(
        self, make: Callable[Concatenate[OneshotSender[T], P], InT], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Send the subject a message that carries a reply end, and wait for the answer: `request(Lookup, key)`.

        It waits for the harness's `within`; no other can be given, since all arguments are passed on.

        Args:
            make: Called with the reply end first; returns the message.
            args: Passed on.
            kwargs: Passed on.

        Returns:
            What the subject sent on the reply end.

        Raises:
            ExpectationFailed: There was no answer in time. The request may have been sent.
            OneshotCancelled: No answer will come.
            UndeclaredMessage: The subject does not consume this type.
            SubsystemExited: The subject has ended before it had the message.
            trio.ClosedResourceError: The input is closed.

        Checkpoint:
            Always one.

        Cancellation:
            The request may have been sent, and may be handled.
        """
        session = self._session
        session.check_open()
        answers: list[T] = []

        async def ask() -> None:
            answers.append(await session.test.ctx.request(make, *args, **kwargs))

        try:
            is_answered = await limited_once(session.live, session.within, session.nursery, ask)
        except OneshotCancelled:
            await session.give_way()  # noqa: ASYNC120 - the error that cancels this is what has let go of the request
            raise
        if not is_answered:
            raise session.failed(f"an answer to {a_type(make)} within {session.within:g} s", "but none came")
        return answers[0]

    def reply(self, request: object, value: object) -> bool:
        """Answer a request that the subject has sent: find the reply end that the message carries, and use it.

        Args:
            request: A message; one of its attributes or fields is the reply end.
            value: The answer.

        Returns:
            Whether the subject still wants it, as `OneshotSender.send`.

        Raises:
            ValueError: The message carries no reply end, or several.
            trio.ClosedResourceError: The reply end was used or closed before.
        """
        return reply_end_of(request).send(value)
