"""The way out: what a fault does with the messages that a subsystem sends.

Invariants:

* A message goes on by the call that it was sent with: bounded, with its priority, or unbounded. What goes on in its
  place does so too.
* A call that can wait does so itself: for a delay, and for room. So back-pressure and deadlock detection see what they
  would see of a slow subsystem, and a call that is cancelled has sent nothing; only where several messages go on in the
  place of one, those before the cancellation have gone.
* Held back is only what the subsystem believes to be sent: unbounded messages, until their delay is over, in the order
  in which they were sent; and of each lane at most `window - 1` messages, which change places. Those go on as soon as
  nothing in the program can move otherwise, before the clock of a test jumps: so nobody waits for ever for a message
  that is held back. Jobs of the subsystem carry them, and keep it alive until they are gone.
* A job that is cancelled loses what it carries: it is counted, its requests are cancelled, and the log tells of it.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any

import attrs
import trio
from trio.lowlevel import enable_ki_protection
from trio.testing import wait_all_tasks_blocked

from orchestra_trio.errors import SubsystemExited, UndeclaredMessage, a_type
from orchestra_trio.testing.faults.losing import lose
from orchestra_trio.testing.faults.replies import close_replies
from orchestra_trio.testing.faults.stages import Parcel, draw

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from orchestra_trio.delivery.lanes import Lane
    from orchestra_trio.records import Priority
    from orchestra_trio.runtime.contexts.outlet import Port
    from orchestra_trio.runtime.contexts.sender import SubsystemSender
    from orchestra_trio.runtime.life.live import LiveSubsystem
    from orchestra_trio.testing.faults.stages import Stage
    from orchestra_trio.testing.faults.tally import Tally

__all__ = ["Outflow", "Way"]


@attrs.frozen
class Way:
    """The call that a message was sent with, and whose turn it is next."""

    beneath: SubsystemSender[Any]
    priority: Priority | None
    """None for the unbounded lane."""
    lane: Lane[Any]
    """Where the message goes."""

    async def send(self, message: object) -> None:
        """Send a message this way, waiting for room."""
        if self.priority is None:
            await trio.lowlevel.checkpoint_if_cancelled()
            self.beneath.send_unbounded(message)
        else:
            await self.beneath.send(message, priority=self.priority)

    def send_nowait(self, message: object) -> None:
        """Send a message this way if there is room now.

        Raises:
            trio.WouldBlock: There is none.
        """
        if self.priority is None:
            self.beneath.send_unbounded(message)
        else:
            self.beneath.send_nowait(message, priority=self.priority)


@attrs.frozen(eq=False)
class _Late:
    """An unbounded message under way."""

    message: object
    due: float
    way: Way


@attrs.frozen(eq=False)
class _Kept(Parcel):
    """A message that may change places with others of its lane."""

    way: Way


@attrs.define(eq=False)
class Outflow:
    """What one fault does with what one incarnation of a subsystem sends."""

    make_stage: Callable[[], Stage]
    live: LiveSubsystem
    tally: Tally
    check: Callable[[type, bool], object]
    """Raises where messages of a type may not be sent, unbounded or otherwise."""
    beneath: Outflow | None
    """Of the fault around this one, if there is one."""
    layers: int = 0
    """How many faults lie within this one, one in another."""
    stage: Stage = attrs.Factory(lambda self: self.make_stage(), takes_self=True)
    _stages: dict[Lane[Any], Stage] = attrs.Factory(dict["Lane[Any]", "Stage"])
    """Of each lane whose messages change places, so that what goes through another one makes no difference."""
    _late: deque[_Late] = attrs.Factory(deque[_Late])
    _kept: dict[Lane[Any], list[Parcel]] = attrs.Factory(dict["Lane[Any]", "list[Parcel]"])
    """Of each lane for which a job runs."""

    def __attrs_post_init__(self) -> None:
        """Let those around it know."""
        layers, around = 1, self.beneath
        while around is not None:
            around.layers = max(around.layers, layers)
            layers, around = layers + 1, around.beneath

    async def send(self, message: object, way: Way) -> None:  # noqa: ASYNC910 - the caller has checked for cancellation
        """Send what goes on in the place of a message, waiting for delays and for room."""
        if self.stage.window > 1:
            await self._send_reordered(message, way)
            return  # noqa: ASYNC910 - as above
        results = self._results(message, is_request=False, unbounded=way.priority is None)
        for place, one in enumerate(results):
            seconds = self.stage.seconds(one)
            if seconds:
                await trio.sleep(seconds)
            await way.send(one)
            self._count(place)
        self._conclude(message, results)

    def send_nowait(self, message: object, way: Way) -> None:
        """Send what goes on in the place of a message, of several the first for which there is room; bounded at once.

        Raises:
            trio.WouldBlock: There is no room, and nothing was sent.
        """
        if self.stage.window > 1:
            self._send_reordered_nowait(message, way)
            return
        results = self._results(message, is_request=False, unbounded=way.priority is None)
        for place, one in enumerate(results):
            try:
                if not self._send_later(one, way, is_first=not place):
                    way.send_nowait(one)
                    self._count(place)
            except trio.WouldBlock:
                if not place:
                    raise
                self.tally.added += 1
                self.tally.dropped += 1
                close_replies(one)
        self._conclude(message, results)

    async def request(self, message: object, send: Callable[[Any], Awaitable[Port | None]]) -> Port | None:  # noqa: ASYNC910 - as above
        """Send what goes on in the place of a request, at once but for its delay.

        Args:
            message: The request.
            send: Sends it on.

        Returns:
            The port of the consumer, as `send` returns it; None if the request was dropped.
        """
        results = self._results(message, is_request=True, unbounded=False)
        port: Port | None = None
        for one in results:
            seconds = self.stage.seconds(one)
            if seconds:
                await trio.sleep(seconds)
            port = await send(one)
            self._count(0)
        self._conclude(message, results)
        return port  # noqa: ASYNC910 - as above

    def _results(self, message: object, *, is_request: bool, unbounded: bool) -> tuple[object, ...]:
        """Return what goes on in the place of a message, checked before any of it is sent.

        Raises:
            TypeError: A hook returned what the subsystem does not send.
        """
        results = self.stage.results(message, is_request=is_request)
        for one in results:
            if one is message:
                continue
            try:
                self.check(type(one), unbounded)
            except UndeclaredMessage as error:
                raise TypeError(
                    f"a hook returned {a_type(type(one))} in the place of {a_type(type(message))}, which "
                    f"{self.live.name!r} does not send{' unbounded' if unbounded else ''}: "
                    f"return None, a message, or Instead(...)"
                ) from error
        return results

    def _count(self, place: int) -> None:
        """Count a message that went on, the first in the place of one or a further one."""
        self.tally.passed += 1
        if place:
            self.tally.added += 1
        else:
            self.tally.seen += 1

    def _conclude(self, message: object, results: tuple[object, ...]) -> None:
        if not results:
            self.tally.seen += 1
            self.tally.dropped += 1
        close_replies(message, results)

    # Unbounded messages that are late.

    def _send_later(self, message: object, way: Way, *, is_first: bool) -> bool:
        """Let an unbounded message go on after its delay, and behind those before it; return False if it goes now."""
        if way.priority is not None:
            return False
        seconds = self.stage.seconds(message)
        if not (seconds or self._late):
            return False
        if not (self._late or self._has_started(self._carry_late, "late messages")):
            return False
        self._late.append(_Late(message, trio.current_time() + seconds, way))
        self.tally.seen += is_first
        self.tally.added += not is_first
        return True

    @enable_ki_protection
    async def _carry_late(self) -> None:  # noqa: ASYNC910 - a job, not a call of users
        try:
            while self._late:
                await trio.sleep_until(self._late[0].due)
                late = self._late[0]
                try:
                    late.way.send_nowait(late.message)
                except SubsystemExited:
                    lose([late.message], self.live, self.tally)
                else:
                    self.tally.passed += 1
                self._late.popleft()
        finally:
            lost = [late.message for late in self._late]
            self._late.clear()
            lose(lost, self.live, self.tally)

    # Messages that change places.

    async def _send_reordered(self, message: object, way: Way) -> None:  # noqa: ASYNC910 - the caller has checked for cancellation
        this = _Kept(message, way.lane, way)
        chosen = self._choose(this)
        if chosen is None:
            return  # noqa: ASYNC910 - as above
        try:
            await chosen.way.send(chosen.message)
        except BaseException as error:
            self._put_back(chosen, this, error)
            raise
        self._note_sent(chosen, this)

    def _send_reordered_nowait(self, message: object, way: Way) -> None:
        this = _Kept(message, way.lane, way)
        chosen = self._choose(this)
        if chosen is None:
            return
        try:
            chosen.way.send_nowait(chosen.message)
        except BaseException as error:
            self._put_back(chosen, this, error)
            raise
        self._note_sent(chosen, this)

    def _choose(self, this: _Kept) -> _Kept | None:
        """Return which message goes on now, of those kept and this one; None if this one is kept, and none goes on.

        Until the chosen one has gone, this one is kept nowhere: its call may still be cancelled.
        """
        kept = self._kept.get(this.way.lane)
        stage = self._stages.setdefault(this.way.lane, self.make_stage())
        if kept is None and not stage.matches(this.message):
            return this
        if kept is None or len(kept) + 1 < stage.window:
            if not self._keep(this):
                return this
            self.tally.seen += 1
            return None
        candidates: list[Parcel] = [*kept, this]
        chosen: Any = draw(stage, candidates)
        kept[:] = [one for one in candidates if one is not this]
        return chosen  # type: ignore[no-any-return]  # only such are kept

    def _keep(self, this: _Kept) -> bool:
        """Keep a message, and have a job send it when nothing else can move; return False where no job can start."""
        kept = self._kept.get(this.way.lane)
        if kept is None:
            if not self._has_started(self._carry_kept, "messages that change places", this.way.lane):
                return False
            kept = self._kept[this.way.lane] = []
        kept.append(this)
        return True

    def _put_back(self, chosen: _Kept, this: _Kept, error: BaseException) -> None:
        """Keep the chosen message again, since it could not be sent; the one that was to be kept is its sender's."""
        if chosen is this:
            return
        kept = self._kept.get(chosen.way.lane)
        if kept is None or isinstance(error, SubsystemExited):
            lose([chosen.message], self.live, self.tally)
        else:
            kept.insert(0, chosen)

    def _note_sent(self, chosen: _Kept, this: _Kept) -> None:
        self.tally.seen += 1
        self.tally.passed += 1
        if chosen is not this and not self._keep(this):
            lose([this.message], self.live, self.tally)

    @enable_ki_protection
    async def _carry_kept(self, lane: Lane[Any]) -> None:  # noqa: ASYNC910 - as above
        kept = self._kept[lane]
        try:
            for _ in range(1 + self.layers):  # those within come first: what they keep is still to come through here
                await wait_all_tasks_blocked()
            while kept:
                chosen: Any = draw(self._stages[lane], kept)
                try:
                    await chosen.way.send(chosen.message)
                except SubsystemExited:
                    lose([chosen.message], self.live, self.tally)
                except BaseException:
                    kept.insert(0, chosen)
                    raise
                else:
                    self.tally.passed += 1
        finally:
            del self._kept[lane]
            lose([one.message for one in kept], self.live, self.tally)

    def _has_started(self, async_fn: Callable[..., Awaitable[object]], title: str, *args: object) -> bool:
        """Start a job; return False where the subsystem can start none, since it has ended or begins anew."""
        try:
            self.live.start_soon(async_fn, *args, name=f"{self.live.name} ({title})", background=False)
        except RuntimeError:
            return False
        return True
