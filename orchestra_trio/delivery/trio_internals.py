"""The one module that uses what is private to trio, and what takes its place where that is gone.

Five private things are used, each because the public interface has no equal as cheap, or none:

* whether the current task is cancelled, told without awaiting (`Pace`): 0.3 µs less for each message;
* the class of trio's system clock (`Pace`): only under it does a call look at the time, which is `perf_counter`'s;
* that a resumed task asks what it was resumed with for nothing but `unwrap()` (`wake`): 0.5 µs less for each wake-up;
* what a task gives to trio's loop to wait (`make_waiting`): made once, and not for each wait, 0.9 µs less;
* the cancel scopes around *another* task (`has_deadline_within`): drain must know whether a task waits for ever.

The first is read in some more places, in `contexts`: where a message moves, in the caller's own frame, since a call
here would take a twentieth of what the message takes. They ask `Pace.running`, which says where
the public interface alone is to be used that nothing is known.

They are checked when this module is imported. Where one is not what it should be, or when the environment variable
`ORCHESTRA_TRIO_PUBLIC_ONLY` is set and not empty, the public interface does the work: slower, and drain then takes a
task for one that may still move if its deadline was nearer than the orchestra's own when it began to wait.
"""

from __future__ import annotations

import math
import os
from time import perf_counter
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import attrs
import trio
from attrs.exceptions import NotAnAttrsClassError
from trio.testing import MockClock

if TYPE_CHECKING:
    from collections.abc import Callable

    from trio.lowlevel import RaiseCancelT, Task

    Abort: TypeAlias = Callable[[RaiseCancelT], trio.lowlevel.Abort]

__all__ = [
    "PRIVATE_IN_USE",
    "WOKEN",
    "LatePace",
    "Pace",
    "Waiting",
    "flight_clock",
    "has_deadline_within",
    "is_leaving_nursery",
    "make_pace",
    "make_waiting",
    "wake",
]

SLICE: Final = 0.001
"""For how long a context's calls go on without a schedule point, in seconds on the system clock."""

_QUICK: Final = SLICE / 16
"""For how long who makes a run of calls on credit (`credit`) may have been away, in seconds on the system clock.

They do not look at the time, 0.04 µs for each, and there are up to 15 of them: who is slower gets none, so that the
calls go on for one more slice at the most where they take their time evenly.
"""

_UNSEEN: Final = 4
"""With at least one in so many of the calls that are not on credit, they look at the time."""


@attrs.frozen
class _Private:
    """The private parts of trio, as found."""

    run_context: Any
    system_clock: type[trio.abc.Clock]
    trap: Callable[[Abort], Any]


def _find_private() -> _Private | None:
    """Return the private parts, or None where any is not as expected or is not to be used."""
    if os.environ.get("ORCHESTRA_TRIO_PUBLIC_ONLY"):
        return None
    try:
        from trio._core import _run  # noqa: PLC0415  # the one place where private parts may be imported

        loop: Any = _run  # what it imports in turn is not declared as its own
        expected = {
            _run.Task: {"_cancel_status", "_runner"},
            loop.WaitTaskRescheduled: {"abort_func"},
            _run.CancelStatus: {"effectively_cancelled", "_parent", "_scope"},
        }
        if all(names <= {field.name for field in attrs.fields(owner)} for owner, names in expected.items()):
            return _Private(_run.GLOBAL_RUN_CONTEXT, _run.SystemClock, loop.WaitTaskRescheduled)
    except (ImportError, AttributeError, TypeError, NotAnAttrsClassError):
        pass  # another trio than we know: the public interface does it
    return None


_PRIVATE: Final = _find_private()
PRIVATE_IN_USE: Final = _PRIVATE is not None
"""Whether the private parts are in use, rather than the public interface alone."""

_RUN_CONTEXT: Final[Any] = None if _PRIVATE is None else _PRIVATE.run_context


def _runs_on_system_clock() -> bool:
    clock = trio.lowlevel.current_clock()
    if _PRIVATE is not None:
        return type(clock) is _PRIVATE.system_clock
    return not isinstance(clock, MockClock)


def flight_clock() -> Callable[[], float]:
    """Return what times of flight are taken with in this run: `trio.current_time`, or what is as good and cheaper."""
    return perf_counter if _runs_on_system_clock() else trio.lowlevel.current_clock().current_time


class _Unknown:
    """In place of a task and its status where trio's are not to be used: says that it may be cancelled."""

    effectively_cancelled = True

    def __init__(self) -> None:
        self._cancel_status = self  # no property: looking there would take 0.05 µs


class Pace:
    """When the calls of one context must let others run; this class uses trio's public interface alone.

    Every call checks for cancellation. Every `yield_every`-th, and on the system clock the first after `SLICE`
    seconds without a schedule point, is a schedule point. Checks come before a call changes anything, so that a
    cancelled call has changed nothing (law 9).
    """

    __slots__ = ("_quick", "_seen", "_slice", "_stride", "_yield_every", "calls", "due", "limit", "look", "running")

    def __init__(self, yield_every: int) -> None:
        """Make a pace with a whole budget; `yield_every` counts calls. Must be called in a trio run."""
        self._yield_every = yield_every
        self._slice, self._quick = (SLICE, _QUICK) if _runs_on_system_clock() else (math.inf, math.inf)
        self.running: dict[str, Any] = {"task": _Unknown()}
        """Says whether the running task may be cancelled, by `running["task"]._cancel_status.effectively_cancelled`:
        for steps on credit (`credit`), which are made in the caller's own frame."""
        self.calls: int = 0
        """How many calls there were."""
        self.due: int = yield_every
        """The number of the call that is to be a schedule point."""
        self._seen = perf_counter()  # the time when it was last looked at
        self.limit: float = self._seen + self._slice
        """The time on `perf_counter` after which the next call is to be one."""
        self._stride = min(yield_every, _UNSEEN)
        self.look: int = self._stride
        """The number of the next call that looks at the time, or is due."""

    def is_due(self) -> bool:
        """Count one call, and return whether it must `await keep()` before it changes anything.

        Where a call more would matter, callers count `calls` themselves, and must where `calls >= look and is_time()`,
        or where the task may be cancelled (`running`).
        """
        self.calls += 1
        return True

    def is_time(self) -> bool:
        """Look at the time, and return whether the call that has just been counted is to be a schedule point."""
        self._seen = now = perf_counter()
        if self.calls >= self.due or now > self.limit:
            return True
        self.look = min(self.calls + self._stride, self.due)
        return False

    async def keep(self) -> None:
        """Check for cancellation, and let others run if it is time."""
        if self.calls >= self.due or perf_counter() > self.limit:
            try:
                await trio.lowlevel.checkpoint()
            finally:
                self.renew()
        else:
            await trio.lowlevel.checkpoint_if_cancelled()

    def renew(self) -> None:
        """Begin a new budget: the caller has just waited."""
        calls = self.calls
        self.look = calls + self._stride
        self.due = calls + self._yield_every
        self._seen = now = perf_counter()
        self.limit = now + self._slice

    def lend(self, steps: int) -> int:
        """Return the number of the call until which so many may be made with no look at the time, or fewer.

        0 for none, where the time is up or would be too soon.
        """
        before, self._seen = self._seen, perf_counter()
        if self._seen - before > self._quick or self._seen > self.limit:
            return 0
        until, bound = self.calls + steps, self.due - 1
        return until if until < bound else bound  # noqa: FURB136 - `min` takes longer


class _PrivatePace(Pace):
    """The same, asking trio's own record of the task's cancellation: nothing is awaited for most calls."""

    __slots__ = ()

    def __init__(self, yield_every: int) -> None:
        super().__init__(yield_every)
        # This thread's part of a `threading.local`: looking there directly saves 0.08 of 1.3 µs for each message.
        self.running = vars(_RUN_CONTEXT)

    def is_due(self) -> bool:
        self.calls = calls = self.calls + 1
        if calls >= self.look and (calls >= self.due or self.is_time()):
            return True
        is_cancelled: bool = self.running["task"]._cancel_status.effectively_cancelled  # noqa: SLF001  # see above
        return is_cancelled


class _RoamingPrivatePace(_PrivatePace):
    """The same, for what may outlive a run and be used in another one, of another thread."""

    __slots__ = ()

    def is_due(self) -> bool:
        self.running = vars(_RUN_CONTEXT)
        return super().is_due()


def make_pace(yield_every: int, *, roams: bool = False) -> Pace:
    """Make a pace with a whole budget, as cheap as this trio allows; one that roams may be used in any run."""
    if not PRIVATE_IN_USE:
        return Pace(yield_every)
    return _RoamingPrivatePace(yield_every) if roams else _PrivatePace(yield_every)


class LatePace:
    """A pace that is made at the first call, for what may be made outside of a run and used in several."""

    __slots__ = ("_pace", "_yield_every")

    def __init__(self, yield_every: int) -> None:
        """Make none yet; `yield_every` counts calls."""
        self._yield_every = yield_every
        self._pace: Pace | None = None

    async def keep(self) -> None:  # noqa: ASYNC910 - see its last line
        """Count one call, check for cancellation, and let others run if it is time."""
        if self._pace is None:
            self._pace = make_pace(self._yield_every, roams=True)
        if self._pace.is_due():
            await self._pace.keep()  # where it is not due, it has checked for cancellation

    def renew(self) -> None:
        """Begin a new budget: the caller, who has called `keep`, has just waited."""
        if self._pace is not None:
            self._pace.renew()


class _Woken:
    """The type of `WOKEN`."""

    __slots__ = ()

    def unwrap(self) -> None:
        """Resume normally."""


WOKEN: Final[Any] = _Woken()
"""What a woken task is resumed with, once for all: trio would make an outcome for each wake-up."""


def _wake(task: Task) -> None:
    runner: Any = task._runner  # noqa: SLF001  # what `trio.lowlevel.reschedule` finds after 0.2 µs
    runner.reschedule(task, WOKEN)


wake: Final[Callable[[Task], None]] = _wake if PRIVATE_IN_USE else trio.lowlevel.reschedule
"""Resume a task that waits in `trio.lowlevel.wait_task_rescheduled`."""


@attrs.frozen
class Waiting:
    """How a task of the current run waits without anything being made for it, if trio's private parts are in use."""

    trap: Callable[[Abort], Any]
    """Prepare waits that are all aborted by the same function: return what a generator-based coroutine yields to wait.

    What it is resumed with is `WOKEN`, or else raises when unwrapped.
    """
    resume: Callable[[Task, Any], None]
    """Resume a task that waits so, with `WOKEN`."""


def make_waiting() -> Waiting | None:
    """Return how tasks of the current run wait; None with the public interface alone. Must be called in a trio run."""
    if _PRIVATE is None:
        return None
    runner: Any = trio.lowlevel.current_task()._runner  # noqa: SLF001  # as in `_wake`
    return Waiting(_PRIVATE.trap, runner.reschedule)


def has_deadline_within(task: Task, scope: trio.CancelScope, noted: float) -> bool:
    """Return whether a cancel scope between the task and `scope` (which does not count) will end the task's wait.

    Args:
        task: A task that waits.
        scope: The cancel scope of the nursery that all tasks of an orchestra run in.
        noted: With the public interface alone, how much nearer the task's effective deadline was than that of
            `scope` when it began to wait, in seconds; else ignored.
    """
    if _PRIVATE is None:
        return noted > 0
    status: Any = task._cancel_status  # noqa: SLF001  # see the module's head
    while status is not None and status._scope is not scope:  # noqa: SLF001
        if status._scope.deadline < math.inf or status.effectively_cancelled:  # noqa: SLF001
            return True
        status = None if status._scope.shield else status._parent  # noqa: SLF001
    return False


_LEAVE_NURSERY: Final = type(trio.open_nursery(strict_exception_groups=True)).__aexit__.__code__


def is_leaving_nursery(task: Task) -> bool:
    """Return whether a task waits at the end of a nursery, for the tasks in it.

    Such a task is at rest when those are. Told by the frames that it waits in, which is slow but public.
    """
    return any(frame.f_code is _LEAVE_NURSERY for frame, _ in task.iter_await_frames())
