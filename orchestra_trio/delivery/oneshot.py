"""Oneshots: one answer, from a reply end to the task that waits for it.

A oneshot is open until it ends, once and for good, in one of three ways:

* *answered*: the reply end sent its value while it could still be wanted;
* *cancelled*: either end was closed, or collected as garbage, before that;
* *timed out*: the hard timeout passed before that. It is counted from the first wait for the answer. If nobody waits
  when it passes, the next call of either end notices, and records it.

The two ends know only what they share, `OneshotState`, and it knows neither of them: so an end that is let go of is
collected, in whatever thread, and tells the other.
"""

from __future__ import annotations

import contextlib
import math
from typing import Any, Generic, Literal, Self, TypeAlias, final

import attrs
import trio
from trio.lowlevel import enable_ki_protection
from typing_extensions import TypeVar, override

from orchestra_trio.delivery.trio_internals import wake
from orchestra_trio.errors import OneshotCancelled, OneshotTimedOut
from orchestra_trio.logs import logger
from orchestra_trio.records import Measurements

__all__ = ["OneshotReceiver", "OneshotSender", "OneshotState", "open_oneshot"]

AnswerT = TypeVar("AnswerT")
AnswerT_contra = TypeVar("AnswerT_contra", contravariant=True)
AnswerT_co = TypeVar("AnswerT_co", covariant=True)

_Reason: TypeAlias = Literal["answered", "cancelled", "timed out"]


@final
@attrs.define(eq=False)
class OneshotState(Generic[AnswerT]):
    """What both ends of one oneshot share: who waits, how it ended, and the answer.

    Must be made in a trio run. `OneshotSender(state)` and `OneshotReceiver(state)` are its ends, one of each; keeping
    the state keeps neither of them alive. Timeouts are in seconds from the first wait, `math.inf` for none.
    """

    name: str
    _soft_timeout: float = math.inf
    _hard_timeout: float = math.inf
    reason: _Reason | None = attrs.field(default=None, init=False)
    """How it ended; None until that is recorded."""
    answer: tuple[AnswerT] | None = attrs.field(default=None, init=False)
    """The value, in a tuple of one, until it is taken."""
    receiving: bool = attrs.field(default=False, init=False)
    """Whether a task is in `receive`."""
    _waiter: trio.lowlevel.Task | None = attrs.field(default=None, init=False)
    _dropped: bool = attrs.field(default=False, init=False)
    _soft_deadline: float = attrs.field(default=math.inf, init=False)
    _hard_deadline: float = attrs.field(default=math.inf, init=False)
    _clock: trio.abc.Clock | None = attrs.field(default=None, init=False)
    token: trio.lowlevel.TrioToken = attrs.field(factory=trio.lowlevel.current_trio_token, init=False)
    """Of the run that it was made in."""
    _created_at: float = attrs.field(factory=trio.current_time, init=False)
    _first_wait_at: float | None = attrs.field(default=None, init=False)
    _ended_at: float = attrs.field(default=math.nan, init=False)

    @property
    def is_ended(self) -> bool:
        """Whether it has ended, recorded or not."""
        is_late = self._clock is not None and self._clock.current_time() >= self._hard_deadline
        return self.reason is not None or self._dropped or is_late

    @property
    def measurements(self) -> Measurements | None:
        """How long it took; None until its end is recorded."""
        # Built for those who ask alone: it would cost each request 0.6 µs.
        return None if self.reason is None else self._measure(self.reason)

    def _measure(self, reason: _Reason) -> Measurements:
        first = self._first_wait_at
        since_first_wait = None if first is None else self._ended_at - first
        return Measurements(self._ended_at - self._created_at, since_first_wait, reason)

    def failure(self) -> OneshotCancelled | OneshotTimedOut:
        """Return what a receiver raises, once an end without an answer is recorded."""
        if self.reason == "timed out":
            return OneshotTimedOut(self.name, self._hard_timeout, self._measure("timed out"))
        return OneshotCancelled(self.name, self._measure("cancelled"))

    @enable_ki_protection
    def end(self, reason: _Reason, answer: tuple[AnswerT] | None = None) -> None:
        """Record how it ended, if that is not known yet, and wake the task that waits.

        What ended it before, unnoticed, takes precedence over `reason`: the hard deadline, then a drop.
        """
        if self.reason is not None:
            return
        self._ended_at = now = trio.current_time()
        if now >= self._hard_deadline:
            self.reason = "timed out"
        elif self._dropped:
            self.reason = "cancelled"
        else:
            self.reason, self.answer = reason, answer
        if self._waiter is not None:
            wake(self._waiter)
            self._waiter = None

    @enable_ki_protection
    def cancel(self) -> None:
        """End it as if the reply end had been closed; does nothing once it has ended. From the trio thread only."""
        self.end("cancelled")

    def drop(self) -> None:
        """Note that an end was collected: in any thread, at any moment, even after the run."""
        # One store, so that it does not matter between which steps of the trio thread it comes: the collector may
        # have interrupted trio itself, or `end`. Answers are refused from here on; the rest is left to `cancel`.
        if self.reason is None:
            self._dropped = True
            # When the run is over, no task is left that could wait.
            with contextlib.suppress(trio.RunFinishedError):
                self.token.run_sync_soon(self.cancel)

    async def wait_end(self) -> None:
        """Wait until it has ended, which it had not when this was called; warn when the soft deadline has passed."""
        if self._first_wait_at is None:
            self._first_wait_at = now = trio.current_time()
            self._soft_deadline = now + self._soft_timeout
            self._hard_deadline = now + self._hard_timeout
            if self._hard_timeout < math.inf:
                self._clock = trio.lowlevel.current_clock()  # which other threads may ask, too
        while True:
            if (deadline := min(self._soft_deadline, self._hard_deadline)) < math.inf:
                with trio.CancelScope(deadline=deadline):
                    await self._park()
            else:
                await self._park()
            if self.is_ended:
                return
            self._soft_deadline = math.inf  # woken unended, by this deadline
            logger.warning(
                "no answer to %r within its soft timeout of %g s, still waiting; "
                "answer sooner, or open it with a larger soft_timeout",
                self.name,
                self._soft_timeout,
            )

    async def _park(self) -> None:
        self._waiter = trio.lowlevel.current_task()
        await trio.lowlevel.wait_task_rescheduled(self._abort)

    def _abort(self, _: trio.lowlevel.RaiseCancelT) -> trio.lowlevel.Abort:
        self._waiter = None
        return trio.lowlevel.Abort.SUCCEEDED


class _End:
    """What both ends have in common. An end is closed only once the oneshot has ended."""

    __slots__ = ("_closed", "_state")

    _closed: bool
    _state: OneshotState[Any]

    def __new__(cls, state: OneshotState[Any], /) -> Self:
        """Made by `open_oneshot`; not to be made otherwise."""
        # Not in `__init__`: an end without a state must not reach `__del__`. This refuses copies, too.
        self = super().__new__(cls)
        self._state = state
        self._closed = False
        return self

    @override
    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name!r}: {self._state.reason or 'open'}>"

    @property
    def name(self) -> str:
        """The oneshot's name."""
        return self._state.name

    @property
    def measurements(self) -> Measurements | None:
        """How long the oneshot took; None until its end is recorded."""
        return self._state.measurements

    @enable_ki_protection
    def close(self) -> None:
        """Close this end; closing it again, or after an answer, does nothing. Not a checkpoint.

        The reply end, if unused, gives the other `OneshotCancelled`. The receiver makes a later `send` return False,
        and a task that is in its `receive` gets `trio.ClosedResourceError`. From any thread.
        """
        if not self._closed and not trio.lowlevel.in_trio_run():
            trio.from_thread.run_sync(self.close, trio_token=self._state.token)
        elif not self._closed:
            self._state.cancel()
            self._closed = True

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __del__(self) -> None:
        self._state.drop()


@final
class OneshotSender(_End, Generic[AnswerT_contra]):
    """The reply end of a oneshot: sends one value, or none. Made by `open_oneshot`.

    Closed or collected unused, it tells the receiver that no answer will come. As a context manager it closes itself.
    """

    __slots__ = ()

    _state: OneshotState[AnswerT_contra]

    @property
    def is_wanted(self) -> bool:
        """Whether an answer is wanted: not once this end was used, or the receiver closed, dropped or timed out."""
        return not self._state.is_ended

    @enable_ki_protection
    def send(self, value: AnswerT_contra) -> bool:
        """Answer, and close this end. Not a checkpoint. From any thread; another one than trio's waits for that.

        That the requester has given up is no error of who answers, so that the result alone tells of it.

        Args:
            value: Passed by reference, not copied.

        Returns:
            True if the receiver is there to take the answer, which is no promise that it will; False if it was closed
            or dropped, has timed out, or the request was cancelled.

        Raises:
            trio.ClosedResourceError: This end was used or closed before.

        Source:
            Sending on Rust's oneshots, where a value that is not wanted is handed back. Here it is let go of.
        """
        state = self._state
        if not trio.lowlevel.in_trio_run():
            return trio.from_thread.run_sync(self.send, value, trio_token=state.token)
        if self._closed:
            message = f"the reply end of {state.name!r} was used or closed before; send one answer, before closing"
            raise trio.ClosedResourceError(message)
        state.end("answered", (value,))
        self._closed = True
        return state.reason == "answered"


@final
class OneshotReceiver(_End, trio.abc.AsyncResource, Generic[AnswerT_co]):
    """The end of a oneshot that waits for the answer. Made by `open_oneshot`.

    It is closed once it has handed out the answer or has timed out. Closed or collected before, it tells the reply
    end that no answer is wanted. As a context manager, sync or async, it closes itself.
    """

    __slots__ = ()

    _state: OneshotState[AnswerT_co]

    @enable_ki_protection
    async def receive(self) -> AnswerT_co:
        """Wait for the answer and take it.

        Returning means that the reply end has sent this value. It is handed out once, and then this end is closed.
        The first call that has to wait starts both timeouts; they run on if it is cancelled. When the soft one has
        passed, whoever waits, or waits next, logs one warning and goes on waiting.

        Returns:
            The value that was sent.

        Raises:
            trio.ClosedResourceError: This end was closed, before the call or while it waited.
            trio.BusyResourceError: Another task is in `receive` of this end.
            OneshotCancelled: The reply end was closed or dropped unused. Later calls raise it again.
            OneshotTimedOut: The hard timeout has passed without an answer. This end is closed now.

        Checkpoint:
            Always, both a check for cancellation and a schedule point; only `trio.BusyResourceError` comes without.

        Cancellation:
            All or nothing: after `trio.Cancelled` the answer can still be received, by another call.

        Source:
            Awaiting the receiver of the metered channels' `oneshot`. Here the hard timeout refuses later answers, even
            while nobody waits, but not the taking of one that came in time; the clock is trio's.
        """
        self._check_free()
        state = self._state
        state.receiving = True
        try:
            if state.is_ended:
                await trio.lowlevel.checkpoint()
            else:
                await trio.lowlevel.checkpoint_if_cancelled()
                await state.wait_end()
            return self._take()
        finally:
            state.receiving = False

    @enable_ki_protection
    def receive_nowait(self) -> AnswerT_co:
        """Take the answer if it is there. Starts no timeout and logs no warning; otherwise like `receive`.

        Raises:
            trio.WouldBlock: The oneshot has not ended yet.
        """
        self._check_free()
        if not self._state.is_ended:
            raise trio.WouldBlock
        return self._take()

    @enable_ki_protection
    @override
    async def aclose(self) -> None:
        """Close this end, even if cancelled, and then be a checkpoint. See `close`."""
        self.close()
        await trio.lowlevel.checkpoint()

    def _check_free(self) -> None:
        if self._state.receiving:
            raise trio.BusyResourceError(f"another task waits for the answer to {self.name!r}")

    def _take(self) -> AnswerT_co:
        """Take the answer, or raise why there is none: this end is closed, or the oneshot has ended."""
        state = self._state
        if self._closed:
            message = f"the receiver of {state.name!r} was closed, was answered or has timed out"
            raise trio.ClosedResourceError(message)
        state.end("timed out")  # records what nobody has noticed yet: this, or a drop
        self._closed = state.reason != "cancelled"
        if state.answer is None:
            raise state.failure()
        (value,) = state.answer
        state.answer = None
        return value


def _check_timeout(name: str, option: str, value: object) -> float:
    if value is None:
        return math.inf
    if isinstance(value, bool) or not isinstance(value, int | float):
        message = f"the {option} of {name!r} must be seconds or None, not {type(value).__qualname__}"
        raise TypeError(message)
    if not value > 0:  # nan too
        message = f"the {option} of {name!r} must be more than 0 s, not {value:g} s"
        raise ValueError(message)
    return value


# A class, so that one can write open_oneshot[int](), as with trio.open_memory_channel; hence also its name.
@final
class open_oneshot(tuple["OneshotSender[AnswerT]", "OneshotReceiver[AnswerT]"]):  # noqa: N801
    """Open a oneshot: `reply, answer = open_oneshot[int]("lookup", soft_timeout=1, hard_timeout=5)`.

    Both timeouts are counted from the first wait for the answer. Must be called in a trio run.

    Args:
        name: Stands in errors and warnings.
        soft_timeout: Seconds until a warning is logged, once, and the wait goes on; None for never.
        hard_timeout: Seconds until the wait ends with `OneshotTimedOut`, and answers are refused; None for never.

    Returns:
        The reply end, an `OneshotSender`, and the `OneshotReceiver`.

    Raises:
        TypeError: A timeout is no number.
        ValueError: A timeout is not more than 0 s, or the soft one not less than the hard one.
        RuntimeError: There is no trio run here.

    Source:
        `oneshot` of the metered channels. Here both ends tell the measurements, and Python cannot promise when a
        reply end that was let go of is collected: close it, or use it as a context manager.
    """

    __slots__ = ()

    def __new__(  # type: ignore[misc]  # "must return a subtype"
        cls,
        name: str = "oneshot",
        *,
        soft_timeout: float | None = None,
        hard_timeout: float | None = None,
    ) -> tuple[OneshotSender[AnswerT], OneshotReceiver[AnswerT]]:
        """Check the timeouts, and open it."""
        soft = _check_timeout(name, "soft_timeout", soft_timeout)
        hard = _check_timeout(name, "hard_timeout", hard_timeout)
        if hard <= soft < math.inf:
            message = f"the soft_timeout of {name!r}, {soft:g} s, must be less than its hard_timeout, {hard:g} s"
            raise ValueError(message)
        state: OneshotState[AnswerT] = OneshotState(name, soft, hard)
        return OneshotSender(state), OneshotReceiver(state)
