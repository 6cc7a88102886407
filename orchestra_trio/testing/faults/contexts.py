"""The contexts that intercepted subsystems get: faithful in all but what the fault does."""

from __future__ import annotations

from contextlib import nullcontext
from typing import TYPE_CHECKING, Any, Concatenate, Generic, Never, ParamSpec, cast

import trio
from trio.lowlevel import enable_ki_protection
from typing_extensions import TypeVar, override

from orchestra_trio.delivery.mailbox import EMPTY, Empty
from orchestra_trio.delivery.oneshot import OneshotReceiver, OneshotSender, OneshotState
from orchestra_trio.delivery.trio_internals import PRIVATE_IN_USE
from orchestra_trio.errors import type_name
from orchestra_trio.records import Priority
from orchestra_trio.runtime.contexts.blocking import BlockingSubsystemContext
from orchestra_trio.runtime.contexts.context import SubsystemContext
from orchestra_trio.runtime.contexts.sender import SubsystemSender
from orchestra_trio.runtime.contexts.workers import LOOK_AGAIN
from orchestra_trio.testing.faults.outflow import Way

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from orchestra_trio.runtime.contexts.outlet import Outlet, Port
    from orchestra_trio.runtime.contexts.workers import Workers
    from orchestra_trio.testing.faults.intake import Intake
    from orchestra_trio.testing.faults.outflow import Outflow

__all__ = ["InterceptedBlockingContext", "InterceptedContext", "InterceptedSender", "check_sent"]

T = TypeVar("T")
P = ParamSpec("P")
In_co = TypeVar("In_co", covariant=True)
Out_contra = TypeVar("Out_contra", contravariant=True, default=Never)
Sig = TypeVar("Sig", default=Never)


def check_sent(outlet: Outlet, message_type: type, *, unbounded: bool) -> None:
    """Refuse types that the slot does not declare.

    Raises:
        UndeclaredMessage: It does not declare that it sends this one, or not unbounded.
    """
    if unbounded:
        outlet.unbounded_lane(message_type)
    else:
        outlet.ports[message_type]


class InterceptedSender(SubsystemSender[Out_contra]):
    """A sender whose messages pass a fault."""

    def __init__(self, beneath: SubsystemSender[Out_contra], outflow: Outflow) -> None:
        super().__init__(beneath._outlet)  # noqa: SLF001 - the same subsystem's
        self._beneath = beneath
        self.outflow = outflow

    @override
    @enable_ki_protection
    async def send(self, message: Out_contra, *, priority: Priority = Priority.NORMAL) -> None:  # noqa: ASYNC910 - the pace has checked for cancellation
        way = self._way(message, priority)
        if self._pace.is_due():
            await self._pace.keep()
        await self.outflow.send(message, way)

    @override
    @enable_ki_protection
    def send_nowait(self, message: Out_contra, *, priority: Priority = Priority.NORMAL) -> None:
        self.outflow.send_nowait(message, self._way(message, priority))

    @override
    @enable_ki_protection
    async def send_many(self, messages: Iterable[Out_contra], *, priority: Priority = Priority.NORMAL) -> None:  # noqa: ASYNC910 - as above
        if isinstance(messages, list | tuple):
            for message_type in set(map(type, messages)):
                check_sent(self._outlet, message_type, unbounded=False)  # before anything is sent
        if self._pace.is_due():
            await self._pace.keep()
        for message in messages:
            await self.send(message, priority=priority)

    @override
    @enable_ki_protection
    def send_unbounded(self, message: Out_contra) -> None:
        _, lane = self._outlet.unbounded_lane(type(message))
        self.outflow.send_nowait(message, Way(self._beneath, None, lane))

    @override
    @enable_ki_protection
    async def request(
        self,
        make: Callable[Concatenate[OneshotSender[T], P], Out_contra],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> T:
        state: OneshotState[T] = OneshotState(type_name(make))
        answer: OneshotReceiver[T] = OneshotReceiver(state)
        with answer:
            message = make(OneshotSender(state), *args, **kwargs)
            message_type = type(message)
            port = await self._send_request(message, state)
            del message  # as in the original
            if port is None:
                state.cancel()
                return await answer.receive()
            return await self._outlet.wait_for_answer(port, message_type, answer, state)

    async def _send_request(self, message: Out_contra, state: OneshotState[Any]) -> Port | None:  # noqa: ASYNC910 - as above
        """Send a request through this fault and all around it; return None if it was dropped."""
        check_sent(self._outlet, type(message), unbounded=False)
        if self._pace.is_due():
            await self._pace.keep()

        async def send(one: Out_contra) -> Port | None:  # noqa: ASYNC910 - as above
            if isinstance(self._beneath, InterceptedSender):
                return await self._beneath._send_request(one, state)  # noqa: SLF001 - of the same class
            port = self._ports[type(one)]
            if not port.bounded.post(one, self._origin, state):
                await self._outlet.wait_for_room(port, port.bounded, one, state)
            return port  # noqa: ASYNC910 - as above

        return await self.outflow.request(message, send)

    def _way(self, message: Out_contra, priority: Priority) -> Way:
        port = self._ports[type(message)]
        return Way(self._beneath, priority, port.bounded if priority is Priority.NORMAL else port.priority)


class InterceptedContext(
    InterceptedSender[Out_contra], SubsystemContext[In_co, Out_contra, Sig], Generic[In_co, Out_contra, Sig]
):
    """The context of an intercepted subsystem: all calls of the original, with a fault between.

    It receives by the original's own code, from an `Intake` in place of the mailbox.
    """

    _beneath: SubsystemContext[In_co, Out_contra, Sig]

    def __init__(self, beneath: SubsystemContext[In_co, Out_contra, Sig], outflow: Outflow, intake: Intake) -> None:
        super(InterceptedSender, self).__init__(beneath._outlet, beneath._live)  # noqa: SLF001 - the same subsystem's
        self._beneath = beneath
        self.outflow = outflow
        self._mailbox = cast("Any", intake)
        self._seat = None

    @property
    def intake(self) -> Intake:
        """What it receives from."""
        return cast("Intake", self._mailbox)

    @property
    @override
    def sender(self) -> SubsystemSender[Out_contra]:
        return InterceptedSender(self._beneath.sender, self.outflow)

    @override
    def open_workers(self, max_in_flight: int) -> Workers[In_co, Sig]:
        view: _ViewOfWorkers[In_co, Out_contra, Sig] = _ViewOfWorkers(self._beneath, self.outflow, self.intake)
        return view.open_original_workers(max_in_flight)

    @override
    async def _wait_to_receive(self, *, signals_only: bool = False) -> Any:
        while True:
            is_handed = await self._park(signals_only=signals_only)
            take = self.intake.take_signal if signals_only else self.intake.take
            item = self.intake.take_handed() if is_handed else take()
            if not isinstance(item, Empty):
                return item

    async def _park(self, *, signals_only: bool) -> bool:  # noqa: ASYNC910 - without a checkpoint only where it was handed something
        """Wait at the mailbox until there may be something to take; it may turn out that there is nothing.

        Returns:
            Whether it was handed a message.

        Raises:
            trio.EndOfChannel: Nothing will come any more.
        """
        self._check_input()
        arrivals, due, is_handed = self.intake.arrivals, self.intake.due, False
        is_held_up = due < float("inf")
        task = trio.lowlevel.current_task()
        arrivals.waiting.add(task)
        try:
            # What waits for its delay is not overtaken: until then, signals alone are waited for.
            with trio.CancelScope(deadline=float("inf") if signals_only else due):
                with nullcontext() if PRIVATE_IN_USE else self._live.noted_deadline():
                    item = await arrivals.park(signals_only=signals_only or is_held_up)
                is_handed = arrivals.feed(item)
        except trio.EndOfChannel:
            pass  # of the mailbox: something may still be held
        finally:
            arrivals.waiting.discard(task)
        self._pace.renew()
        return is_handed  # noqa: ASYNC910 - as above


class _ViewOfWorkers(InterceptedContext[In_co, Out_contra, Sig], Generic[In_co, Out_contra, Sig]):
    """The same, for workers, which look again whether one of them is free whenever they have waited."""

    def open_original_workers(self, max_in_flight: int) -> Workers[In_co, Sig]:
        """Open workers that receive from this view."""
        return super(InterceptedContext, self).open_workers(max_in_flight)

    @override
    async def _wait_to_receive(self, *, signals_only: bool = False) -> Any:
        is_handed = await self._park(signals_only=signals_only)
        item = self.intake.take_handed() if is_handed else EMPTY
        return LOOK_AGAIN if isinstance(item, Empty) else item


class InterceptedBlockingContext(BlockingSubsystemContext[In_co, Out_contra, Sig], Generic[In_co, Out_contra, Sig]):
    """The context of an intercepted blocking subsystem: each call is that of an intercepted async one.

    So faults decide in trio's thread alone, in one order, and hooks are called there.
    """

    def __init__(
        self,
        original: BlockingSubsystemContext[In_co, Out_contra, Sig],
        ctx: InterceptedContext[In_co, Out_contra, Sig],
    ) -> None:
        super().__init__(ctx, original._limiter)  # noqa: SLF001 - the same subsystem's
        self._bridges = original._bridges  # noqa: SLF001 - as above

    @override
    def receive(self) -> In_co | Sig:
        received: In_co | Sig = self._bridge().wait_for(self._ctx.receive)
        return received

    @override
    def receive_nowait(self) -> In_co | Sig:
        received: In_co | Sig = self._bridge().do(self._ctx.receive_nowait)
        return received

    @override
    def receive_many(self, limit: int) -> Sequence[In_co | Sig]:
        batch: Sequence[In_co | Sig] = self._bridge().wait_for(self._ctx.receive_many, limit)
        return batch

    @override
    def send(self, message: Out_contra, *, priority: Priority = Priority.NORMAL) -> None:
        self._bridge().wait_for(self._ctx.send, message, priority=priority)

    @override
    def send_nowait(self, message: Out_contra, *, priority: Priority = Priority.NORMAL) -> None:
        self._bridge().do(self._ctx.send_nowait, message, priority=priority)

    @override
    def send_unbounded(self, message: Out_contra) -> None:
        self._bridge().do(self._ctx.send_unbounded, message)
