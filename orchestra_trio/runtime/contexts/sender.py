"""Sending as a subsystem does: what contexts inherit, and what can be handed to others.

The calls that move one message are written for speed. Each counts itself. On credit (`delivery.credit`) they make the
step themselves, as soon as no cancellation is in the way; else they find out whether anything else is due, without a
call where nothing is, and then make one change to a lane. That is why they look at trio's own record of the task, by
way of their pace (`delivery.trio_internals`). Credit that was there before `checkpoint_if_cancelled` is there after it:
that does nothing, or lets others run and raises. All that can go otherwise is in `outlet`. Every checkpoint lies before
the change, so a cancelled call has changed nothing (law 9).
"""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, Concatenate, Final, Generic, Never, ParamSpec

import trio
from trio.lowlevel import checkpoint_if_cancelled, enable_ki_protection
from typing_extensions import TypeVar

from orchestra_trio.delivery.oneshot import OneshotReceiver, OneshotSender, OneshotState
from orchestra_trio.errors import type_name
from orchestra_trio.records import Priority

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from orchestra_trio.runtime.contexts.outlet import Outlet

__all__ = ["SubsystemSender"]

T = TypeVar("T")
P = ParamSpec("P")
Out_contra = TypeVar("Out_contra", contravariant=True, default=Never)

_NORMAL: Final = Priority.NORMAL
"""A name of this module: members of an enum are looked up through a descriptor (0.07 of 1.2 µs for each message)."""


class SubsystemSender(Generic[Out_contra]):
    """Sends as one subsystem does; can be handed to others.

    Its calls count towards the subsystem's `yield_every`, wherever they are made. Tasks outside of the subsystem that
    use it are outside input: nobody waits for them when the orchestra drains, and what they send afterwards becomes a
    dead letter.

    Source:
        `SubsystemSender` of Rust orchestra.
    """

    def __init__(self, outlet: Outlet) -> None:
        """Made by the library; not to be made otherwise."""
        self._outlet = outlet
        self._ports = outlet.ports
        self._found = outlet.ports.found
        self._pace = outlet.pace
        self._origin = outlet.sender

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {self._origin or 'the embedding program'!r} in {self._outlet.run.orchestra}>"

    @enable_ki_protection
    async def send(self, message: Out_contra, *, priority: Priority = Priority.NORMAL) -> None:  # noqa: ASYNC910 - the pace has checked for cancellation
        """Send one message to the subsystem that consumes its type, waiting while that one's lane is full.

        Returning means that the lane holds the message, or its consumer has taken it, or it became a dead letter; not
        that it was handled. Messages of one task in one lane arrive in the order in which they were sent.

        Args:
            message: Passed by reference, not copied.
            priority: HIGH uses the priority lane where the consumer's slot has one, else the bounded lane.

        Raises:
            UndeclaredMessage: The slot does not declare that it sends this type. Nothing was queued.
            SubsystemExited: The consumer has ended, before the call or while it waited, and neither its slot nor the
                state of sender and orchestra make the message a dead letter.

        Checkpoint:
            Checks for cancellation on every call; a schedule point at the latest every `yield_every` calls of the
            context, on the system clock also soon after 1 ms without one, and always if it waited.

        Cancellation:
            All or nothing: after `trio.Cancelled` the message is in no lane, and no meter has counted it.

        Source:
            `send_message` and `send_message_with_priority` of Rust orchestra. Unlike them it raises what went wrong.
        """
        try:
            port = self._found[type(message)]
        except KeyError:
            port = None
        if port is None:  # not amid the exception: what is raised instead has nothing to do with it
            port = self._ports[type(message)]
        credit, pace = port.credit, self._pace
        pace.calls = calls = pace.calls + 1
        if calls <= credit.until and priority is _NORMAL:
            if pace.running["task"]._cancel_status.effectively_cancelled:  # noqa: SLF001 - see the module's head
                await checkpoint_if_cancelled()
            credit.items.append(message)
            return  # noqa: ASYNC910 - it has just checked for cancellation
        if (calls >= pace.look and pace.is_time()) or pace.running["task"]._cancel_status.effectively_cancelled:  # noqa: SLF001 - as above
            await pace.keep()
        if credit.until and priority is _NORMAL and port.bounded.post_in_run(message, credit):
            return  # noqa: ASYNC910 - the pace has checked for cancellation
        lane = port.bounded if priority is _NORMAL else port.priority
        if not lane.post(message, self._origin):
            await self._outlet.wait_for_room(port, lane, message)
        elif lane is credit.lane and lane.items:
            lane.lend_posts(credit)

    @enable_ki_protection
    def send_nowait(self, message: Out_contra, *, priority: Priority = Priority.NORMAL) -> None:
        """Send one message if its consumer's lane has room now. Arguments and errors as for `send`.

        Raises:
            trio.WouldBlock: The lane is full, or others wait for its room.
            UndeclaredMessage: The slot does not declare that it sends this type.
            SubsystemExited: The consumer has ended, and nothing makes the message a dead letter.
        """
        port = self._ports[type(message)]
        lane = port.bounded if priority is _NORMAL else port.priority
        if not lane.post(message, self._origin) and not self._outlet.deal_with_refusal(port, lane, message, None):
            raise trio.WouldBlock

    @enable_ki_protection
    async def send_many(self, messages: Iterable[Out_contra], *, priority: Priority = Priority.NORMAL) -> None:  # noqa: ASYNC910 - the pace has checked for cancellation
        """Send messages one after another, as `send` does, at a fraction of its cost for each.

        Of a list or tuple, the types are checked before anything is sent. Other iterables are read item by item, each
        item once there was room for the one before.

        Args:
            messages: Sent in this order.
            priority: As for `send`, for all of them.

        Raises:
            UndeclaredMessage: The slot does not declare that it sends one of the types.
            SubsystemExited: A consumer has ended; the messages before that one were sent.

        Checkpoint:
            As for `send`; a list or tuple counts as one call.

        Cancellation:
            A cancelled call has sent all the items that it took but the last one, if that found no room.

        Source:
            `send_messages` of Rust orchestra.
        """
        if not isinstance(messages, list | tuple):
            if self._pace.is_due():
                await self._pace.keep()  # also for an iterable without items
            for message in messages:
                await self.send(message, priority=priority)
            return  # noqa: ASYNC910 - the pace has checked for cancellation
        types = set(map(type, messages))
        for message_type in types:
            self._ports[message_type]  # refuses what is not declared before anything is sent
        if self._pace.is_due():
            await self._pace.keep()
        runs = [(types.pop(), messages)] if len(types) == 1 else groupby(messages, type)
        for message_type, run in runs:
            port = self._ports[message_type]
            lane = port.bounded if priority is _NORMAL else port.priority
            items = run if isinstance(run, list | tuple) else list(run)
            sent = lane.post_many(items, 0, self._origin)
            while sent < len(items):
                await self._outlet.wait_for_room(port, lane, items[sent])
                sent += 1
                sent += lane.post_many(items, sent, self._origin)

    @enable_ki_protection
    def send_unbounded(self, message: Out_contra) -> None:
        """Send one message through the unbounded lane: never waits, never refuses for want of room.

        Raises:
            UndeclaredMessage: The slot does not declare the type as `unbounded`, with what bounds it elsewhere.
            SubsystemExited: The consumer has ended, and nothing makes the message a dead letter.

        Source:
            `send_unbounded_message` of Rust orchestra. Unlike there, what bounds it must be declared.
        """
        port, lane = self._outlet.unbounded_lane(type(message))
        if not lane.post(message, self._origin):
            self._outlet.deal_with_refusal(port, lane, message, None)

    @enable_ki_protection
    async def request(
        self,
        make: Callable[Concatenate[OneshotSender[T], P], Out_contra],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> T:
        """Send a message that carries a reply end, and wait for the answer: `await ctx.request(Lookup, key)`.

        Returning means that the consumer has answered.

        Time limits are trio's: `with trio.fail_after(5): await ctx.request(...)`.

        Args:
            make: Called with the reply end first, `make(reply, *args, **kwargs)`; returns the message.
            args: Passed on.
            kwargs: Passed on.

        Returns:
            What the consumer sent on the reply end.

        Raises:
            UndeclaredMessage: The slot does not declare that it sends this type.
            SubsystemExited: The consumer has ended before it had the message.
            OneshotCancelled: No answer will come: the consumer let go of the reply end, or ended before it took the
                message, or the message became a dead letter. A variable that still holds the message or its reply
                end keeps it: a consumer that will not answer does best to close the reply end (`with reply:`).

        Checkpoint:
            Always one.

        Cancellation:
            The request may have been sent, and may be handled; the consumer sees that nobody wants the answer.

        Source:
            Response channels in messages, as users of Rust orchestra build them by hand.
        """
        state: OneshotState[T] = OneshotState(type_name(make))
        answer: OneshotReceiver[T] = OneshotReceiver(state)
        with answer:
            message = make(OneshotSender(state), *args, **kwargs)
            message_type = type(message)
            port = self._ports[message_type]
            if self._pace.is_due():
                await self._pace.keep()
                if self._origin is None:
                    self._outlet.run.check_input_open()  # it may have been closed meanwhile
            if not port.bounded.post(message, self._origin, state):
                await self._outlet.wait_for_room(port, port.bounded, message, state)
            del message  # the consumer's is now the only one: when it lets go of the reply end, that is noticed
            return await self._outlet.wait_for_answer(port, message_type, answer, state)
