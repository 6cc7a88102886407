"""One subsystem while it runs: its state, its tasks, and what each of them waits for.

States of a subsystem (`SubsystemState`)::

    starting -> running -> ending -> finished | failed | cancelled
        |          |          ^
        |          +----------+   it was given end-of-input
        +---------------------+   until it has begun; where its slot declares readiness, until `started()`

It has ended when its main task and all its jobs have; only then does its mailbox shut. Background jobs do not keep it
alive: they are cancelled when nothing else of it runs.
"""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias, final

import attrs
import trio
from trio.lowlevel import Task, disable_ki_protection, enable_ki_protection

from orchestra_trio.delivery.trio_internals import is_leaving_nursery
from orchestra_trio.delivery.waiting import Parked
from orchestra_trio.errors import a_type, type_name
from orchestra_trio.records import Readout, SubsystemState, SubsystemStatistics, Wait, WaitKind
from orchestra_trio.runtime.life.failures import members, without_cancelled

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

    from orchestra_trio.delivery.mailbox import Mailbox
    from orchestra_trio.records import LaneName
    from orchestra_trio.wiring.slots import Slot

__all__ = ["LiveSubsystem", "ReportError", "Waiting", "Watcher", "call_users"]


AsyncFn: TypeAlias = Callable[..., Awaitable[object]]


@disable_ki_protection
async def call_users(async_fn: AsyncFn, *args: object, **kwargs: object) -> object:
    """Call user code from a protected task of the library: there Ctrl-C may come at any point, as in tasks of theirs.

    Raises:
        TypeError: It did not return what can be awaited.
    """
    result: object = async_fn(*args, **kwargs)
    if not isinstance(result, Awaitable):
        message = f"{_title(async_fn, None)} was called and returned {a_type(type(result))}: make it an async function"
        raise TypeError(message)
    return await result


class ReportError(Protocol):
    """Takes an exception that left a task of a subsystem."""

    def __call__(self, error: BaseException, live: LiveSubsystem, *, job: str | None) -> bool:
        """Record it and stop everything; return False if it is no failure, because the subsystem was stopping."""
        ...


class Watcher(Protocol):
    """Waits until subsystems have taken signals."""

    def look_again(self, live: LiveSubsystem, /) -> None:
        """Look at a subsystem that has taken a signal, or has ended."""


@attrs.frozen
class Waiting:
    """What a task waits for in a call that sends or requests."""

    kind: WaitKind
    subsystem: str
    lane: LaneName | None
    message_type: type
    since: float


@final
class _TaskStatus:
    """Notes that a job was started, for `LiveSubsystem.start`: an error before that is the caller's."""

    def __init__(self, inner: trio.TaskStatus[Any]) -> None:
        self._inner = inner
        self.is_started = False

    def started(self, value: object = None) -> None:
        self._inner.started(value)
        self.is_started = True


@attrs.define(eq=False)
class LiveSubsystem:
    """One slot of a running orchestra."""

    slot: Slot
    orchestra: str
    mailbox: Mailbox[Any, Any]
    report: ReportError
    scope: trio.CancelScope = attrs.Factory(trio.CancelScope)
    """Ends this subsystem alone."""
    nursery: trio.Nursery | None = None
    """Where its jobs run; None before its main task began."""
    root: Task | None = None
    """The task that holds the nursery and runs the main function."""
    in_hand: type | None = None
    """The type of the last message that its context handed out; not itself: a reply end must not outlive its use."""
    jobs: int = 0
    """Jobs that run now."""
    background: dict[trio.CancelScope, Task] = attrs.Factory(dict[trio.CancelScope, Task])
    """Background jobs, each with the scope that ends it."""
    waits: dict[Task, Waiting] = attrs.Factory(dict[Task, Waiting])
    """What its tasks wait for in sends and requests; who waits to receive stands in the mailbox."""
    noted_deadlines: dict[Task, float] = attrs.Factory(dict[Task, float])
    """The effective deadline of each task when it began to wait; only with trio's public interface alone."""
    watchers: dict[Watcher, None] = attrs.Factory(dict[Watcher, None])
    """Who waits until this subsystem has taken signals."""
    ready: trio.Event = attrs.Factory(trio.Event)
    was_told_to_end: bool = False
    """Whether it ended after it was told that no more input would come."""
    left: int = 0
    """Messages that lay in its lanes when it ended."""
    end: SubsystemState | None = None
    """How it ended; None while it lives."""
    _live: int = 0
    """The main task and the jobs that keep it alive."""
    _failed: bool = False
    _cancelled: bool = False
    _was_given_end: bool = False
    _put_down: type | None = None
    """The type of the message that was in hand last, where it is no more."""

    @property
    def name(self) -> str:
        """The name of its slot."""
        return self.slot.name

    @property
    def has_ended(self) -> bool:
        """Whether nothing of it runs any more."""
        return self.end is not None

    @property
    def is_stopping(self) -> bool:
        """Whether it was given end-of-input."""
        return self._was_given_end or self.mailbox.is_exhausted

    @property
    def was_cancelled(self) -> bool:
        """Whether it was cancelled, rather than ending by itself."""
        return self._cancelled or self.scope.cancel_called

    @property
    def state(self) -> SubsystemState:
        """Where it is in its life."""
        if self.end is not None:
            return self.end
        if self.is_stopping:
            return "ending"
        return "running" if self.ready.is_set() else "starting"

    @enable_ki_protection
    async def run(self, main: Callable[..., Awaitable[object]], *args: object) -> None:
        """Run the main function and all jobs to their end. Raises nothing but `trio.Cancelled`."""
        self.root = trio.lowlevel.current_task()
        self._live = 1
        try:
            with self.scope:
                await self._run_in_nursery(main, args)
        finally:
            self.nursery = None
            stopped = self._failed or self.was_cancelled or trio.current_effective_deadline() == -math.inf
            if self.slot.readiness and not self.ready.is_set() and not stopped:
                self._record(RuntimeError(f"subsystem {self.name!r} ended without calling ctx.started()"), None)
            self.end = "failed" if self._failed else "cancelled" if self._cancelled else "finished"
            self.ready.set()  # nobody needs to wait any more

    def note_end_of_input(self) -> None:
        """Note that one of its tasks was told that its input has ended; it is not taken back by what comes later."""
        self._was_given_end = True

    def cancel(self) -> None:
        """Cancel its main task and its jobs."""
        self.scope.cancel()

    def look_again(self) -> None:
        """Let those look at it who wait until it has taken signals."""
        for watcher in list(self.watchers):
            watcher.look_again(self)

    @enable_ki_protection
    def start_soon(
        self, async_fn: Callable[..., Awaitable[object]], *args: object, name: object, background: bool
    ) -> None:
        """Start a job in this subsystem's nursery."""
        nursery = self._open_nursery()
        title = _title(async_fn, name)
        if background:
            nursery.start_soon(self._run_background, title, async_fn, args, name=title)
            self.jobs += 1
        else:
            nursery.start_soon(self._run_job, title, async_fn, args, name=title)
            self._enter()

    async def start(self, async_fn: Callable[..., Awaitable[object]], *args: object, name: object) -> object:
        """Start a job, and wait until it says that it is started. See `trio.Nursery.start`."""
        title = _title(async_fn, name)
        nursery = self._open_nursery()
        self._enter()
        value: object = await nursery.start(self._run_started, title, async_fn, args, name=title)
        return value

    def statistics(self) -> SubsystemStatistics:
        """Return how it stands now."""
        mailbox = self.mailbox
        bounded = mailbox.bounded.read()
        return SubsystemStatistics(
            name=self.name,
            state=self.state,
            signals=mailbox.signals.read(),
            priority=_EMPTY if mailbox.priority is None else mailbox.priority.read(),
            unbounded=mailbox.unbounded.read(),
            bounded=bounded,
            epoch=mailbox.epoch,
            jobs=self.jobs,
            restarts=0,
            waits=tuple(sorted(self._all_waits(), key=lambda wait: wait.since)),
        )

    @contextmanager
    def waiting(self, kind: WaitKind, subsystem: str, lane: LaneName | None, message_type: type) -> Generator[None]:
        """Have it on record what the current task waits for."""
        task = trio.lowlevel.current_task()
        self.waits[task] = Waiting(kind, subsystem, lane, message_type, trio.current_time())
        try:
            yield
        finally:
            del self.waits[task]

    @contextmanager
    def noted_deadline(self) -> Generator[None]:
        """Have the current task's deadline noted while it waits: with the public interface alone, only it sees it."""
        task = trio.lowlevel.current_task()
        self.noted_deadlines[task] = trio.current_effective_deadline()
        try:
            yield
        finally:
            del self.noted_deadlines[task]

    def place(self) -> str:
        """Say where its main task stands, for errors; where that has returned, where its jobs do."""
        if self.root is None:
            return "has not begun"
        jobs = [task for nursery in self.root.child_nurseries for task in nursery.child_tasks]
        if not jobs or not is_leaving_nursery(self.root):
            return self._place_of(self.root)
        shown = sorted(f"{task.name} {self._place_of(task)}" for task in jobs)[:_SHOWN_JOBS]
        return f"has {len(jobs)} jobs running: {', '.join(shown)}"

    def _place_of(self, task: Task) -> str:
        wait = self.waits.get(task)
        if wait is not None:
            lane = "" if wait.lane is None else f" ({wait.lane} lane)"
            verb = f"waits for room at {wait.subsystem!r}{lane}, to send"
            if wait.kind == "request":
                verb = f"waits for an answer from {wait.subsystem!r} to"
            return f"{verb} {a_type(wait.message_type)}"
        frames = [(frame, line) for frame, line in task.iter_await_frames() if _is_users(frame.f_globals)]
        if not frames:
            return "stands inside the library"
        frame, line = frames[-1]
        return f"stands at {frame.f_code.co_filename}:{line}, in {frame.f_code.co_name}"

    def _open_nursery(self) -> trio.Nursery:
        if self.nursery is None:
            message = f"subsystem {self.name!r} of {self.orchestra} has ended: it can start no jobs"
            raise RuntimeError(message)
        return self.nursery

    async def _run_in_nursery(self, main: AsyncFn, args: tuple[object, ...]) -> None:  # noqa: ASYNC910 - a task of the library, not a call of users
        try:
            async with trio.open_nursery() as nursery:
                self.nursery = nursery
                if not self.slot.readiness:
                    self.ready.set()
                await self._keep_alive(None, main, args)
        except BaseException as reported:  # noqa: ASYNC103 - recorded, and raised again by `open()`
            # Tasks record their errors themselves; the nursery can add an interrupt, or a report of its misuse.
            failure = without_cancelled(reported)
            if failure is None:
                raise
            for error in members(failure):
                self._record(error, None)

    async def _keep_alive(self, title: str | None, async_fn: AsyncFn, args: tuple[object, ...]) -> None:  # noqa: ASYNC910 - a task of the library, not a call of users
        """Run the main function or one job, and record what goes wrong: only `trio.Cancelled` goes on."""
        try:
            await call_users(async_fn, *args)
        except BaseException as error:  # noqa: ASYNC103 - recorded, and raised again by `open()`
            failure = without_cancelled(error)
            if failure is None:
                self._cancelled = True
                raise
            self._record(failure, title)
        finally:
            self._leave()

    @enable_ki_protection
    async def _run_job(self, title: str, async_fn: AsyncFn, args: tuple[object, ...]) -> None:
        try:
            await self._keep_alive(title, async_fn, args)
        finally:
            self.jobs -= 1

    @enable_ki_protection
    async def _run_started(  # noqa: ASYNC114, ASYNC128, ASYNC910 - a task of the library, not a call of users
        self, title: str, async_fn: AsyncFn, args: tuple[object, ...], *, task_status: trio.TaskStatus[Any]
    ) -> None:
        status = _TaskStatus(task_status)
        try:
            await call_users(async_fn, *args, task_status=status)
        except BaseException as error:  # noqa: ASYNC103 - recorded, and raised again by `open()`
            failure = without_cancelled(error)
            if failure is None and status.is_started:
                self._cancelled = True
            if failure is None or not status.is_started:
                raise  # before it was started, its error is the caller's
            self._record(failure, title)
        finally:
            self.jobs -= 1
            self._leave()

    @enable_ki_protection
    async def _run_background(self, title: str, async_fn: AsyncFn, args: tuple[object, ...]) -> None:  # noqa: ASYNC910 - a task of the library, not a call of users
        scope = trio.CancelScope()
        try:
            with scope:
                self.background[scope] = trio.lowlevel.current_task()
                if self._live <= 0:
                    scope.cancel()
                try:
                    await call_users(async_fn, *args)
                except BaseException as error:  # noqa: ASYNC103 - recorded, and raised again by `open()`
                    failure = without_cancelled(error)
                    if failure is None:
                        raise
                    self._record(failure, title)
        finally:
            del self.background[scope]
            self.jobs -= 1

    def _record(self, error: BaseException, job: str | None) -> None:
        if self.report(error, self, job=job):
            self._failed = True

    def _enter(self) -> None:
        """Count in a job that keeps the subsystem alive."""
        self._live += 1
        self.jobs += 1

    def _leave(self) -> None:
        """Count out the main task or a job; the last one takes the background jobs with it."""
        self._live -= 1
        if self._live <= 0:
            for scope in self.background:
                scope.cancel()

    def _all_waits(self) -> Iterator[Wait]:
        for queue in (self.mailbox.receivers, self.mailbox.signal_receivers):
            for parked in queue:
                if isinstance(parked, Parked):
                    yield Wait(parked.task.name, "receive", self.name, None, None, parked.since)
        for task, wait in self.waits.items():
            yield Wait(task.name, wait.kind, wait.subsystem, wait.lane, type_name(wait.message_type), wait.since)


_SHOWN_JOBS = 3
"""How many jobs an error shows the places of."""

_EMPTY = Readout(sent=0, received=0, channel_len=0, peak_channel_len=0, blocked=0)


def _title(async_fn: object, name: object) -> str:
    """Return the name of a job's task, as trio would choose it."""
    if name is None:
        name = getattr(async_fn, "func", async_fn)  # a functools.partial has no name of its own
    return name if isinstance(name, str) else getattr(name, "__qualname__", None) or repr(name)


def _is_users(frame_globals: dict[str, Any]) -> bool:
    """Return whether a frame belongs to neither trio nor this library."""
    package = str(frame_globals.get("__name__", "")).partition(".")[0]
    return package not in {"trio", "outcome", __name__.partition(".")[0]}
