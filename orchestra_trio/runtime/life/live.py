"""One subsystem while it runs: its state, its incarnations, and what each of its tasks waits for.

States of a subsystem (`SubsystemState`)::

    starting -> running -> ending -> finished | failed | cancelled
        |       ^  |  ^       ^
        |       |  v  |       |
        |    restarting       |   it failed, and its slot lets it begin anew
        +---------------------+   until it has begun; where its slot declares readiness, until `started()`

It is `ending` once it was given end-of-input; one that ends may fail, and begin anew, too. It has ended when its last
incarnation has; only then does its mailbox shut.
"""

from __future__ import annotations

import math
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Protocol

import attrs
import trio
from trio.lowlevel import Task, enable_ki_protection

from orchestra_trio.delivery.trio_internals import PRIVATE_IN_USE
from orchestra_trio.delivery.waiting import Parked
from orchestra_trio.errors import type_name
from orchestra_trio.logs import Origin, origin_of_task
from orchestra_trio.records import HappeningKind, Readout, SubsystemState, SubsystemStatistics, Wait, WaitKind
from orchestra_trio.runtime.life.incarnation import Incarnation
from orchestra_trio.runtime.life.restarts import RestartGroup

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator

    from orchestra_trio.delivery.lanes import Reply
    from orchestra_trio.delivery.mailbox import Mailbox
    from orchestra_trio.records import LaneName
    from orchestra_trio.runtime.life.incarnation import AsyncFn
    from orchestra_trio.runtime.life.restarts import Failure
    from orchestra_trio.runtime.life.spawner import Spawner
    from orchestra_trio.wiring.slots import Slot

__all__ = ["Hosting", "LiveSubsystem", "ReportError", "Waiting", "Watcher"]


class ReportError(Protocol):
    """Takes an exception that left a task of a subsystem."""

    def __call__(self, error: BaseException, live: LiveSubsystem, *, job: str | None) -> bool:
        """Record it and stop everything; return False if it is no failure, because the subsystem was stopping."""
        ...


class Watcher(Protocol):
    """Waits until subsystems have taken signals."""

    def look_again(self, live: LiveSubsystem, /) -> None:
        """Look at a subsystem that has taken a signal, or has ended."""


class Hosting(Protocol):
    """A thread that a task waits for."""

    ident: int | None
    """The thread's identifier; None before it runs."""
    is_calling: bool
    """Whether it waits in a call of its context, which another task carries out."""


@attrs.frozen(eq=False)
class Waiting:
    """What a task waits for in a call that sends or requests."""

    kind: WaitKind
    subsystem: str
    lane: LaneName | None
    message_type: type
    since: float
    reply: Reply | None
    """Of a request."""


def _ignore(_: object) -> None:
    """Do nothing: the default for a hook."""


@attrs.define(eq=False)
class LiveSubsystem:
    """One slot of a running orchestra."""

    slot: Slot
    orchestra: str
    mailbox: Mailbox[Any, Any]
    report: ReportError
    spawner: Spawner
    """Starts its jobs."""
    scope: trio.CancelScope = attrs.Factory(trio.CancelScope)
    """Ends this subsystem alone."""
    root: Task | None = None
    """The task that holds the nursery and runs the main function."""
    in_hand: type | None = None
    """The type of the last message that its context handed out; not itself: a reply end must not outlive its use."""
    jobs: int = 0
    """Jobs that run now."""
    waits: dict[Task, Waiting] = attrs.Factory(dict[Task, Waiting])
    """What its tasks wait for in sends and requests; who waits to receive stands in the mailbox."""
    waiting_for_workers: dict[Task, None] = attrs.Factory(dict[Task, None])
    """Tasks that take no message, because all of their workers are at work."""
    hosts: dict[Task, Hosting] = attrs.Factory(dict[Task, "Hosting"])
    """Tasks that wait for a thread of this subsystem."""
    noted_deadlines: dict[Task, float] = attrs.Factory(dict[Task, float])
    """The effective deadline of each task when it began to wait; only with trio's public interface alone."""
    watchers: dict[Watcher, None] = attrs.Factory(dict[Watcher, None])
    """Who waits until this subsystem has taken signals."""
    on_wait: Callable[[LiveSubsystem], None] | None = None
    """Called when a task of it begins to wait for another subsystem, or ends; None where nobody needs to know."""
    on_end: Callable[[LiveSubsystem], None] = _ignore
    """Called when it has ended, in the same step."""
    tell: Callable[..., object] | None = None
    """Tells the observers what happens to it; None while there are none."""
    grace: float = 10
    """Seconds after which a thread that goes on although it was cancelled is named in the log."""
    ready: trio.Event = attrs.Factory(trio.Event)
    was_told_to_end: bool = False
    """Whether it ended after it was told that no more input would come."""
    left: int = 0
    """Messages that lay in its lanes when it ended."""
    restarts: int = 0
    """How often it has begun anew."""
    end: SubsystemState | None = None
    """How it ended; None while it lives."""
    incarnation: Incarnation | None = None
    """None before the first one, and between two."""
    group: RestartGroup = attrs.Factory(lambda self: RestartGroup([self]), takes_self=True)
    """Those that begin anew together."""
    origin: Origin = attrs.Factory(
        lambda self: Origin(self.orchestra, self.slot.name, lambda: self.mailbox.epoch), takes_self=True
    )
    """For log records."""
    _failed: bool = False
    _cancelled: bool = False
    _was_given_end: bool = False
    _survived: list[Failure] = attrs.Factory(list["Failure"])
    """The errors after which it is to begin anew."""

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
    def is_being_stopped(self) -> bool:
        """Whether it is cancelled for good, alone or with all others."""
        nursery = None if self.root is None else self.root.parent_nursery
        return self.scope.cancel_called or (nursery is not None and nursery.cancel_scope.cancel_called)

    @property
    def state(self) -> SubsystemState:
        """Where it is in its life."""
        if self.end is not None:
            return self.end
        if self.group.is_restarting(self):
            return "restarting"
        if self.is_stopping:
            return "ending"
        return "running" if self.ready.is_set() else "starting"

    @enable_ki_protection
    async def run(self, main: AsyncFn, *args: object) -> None:
        """Run the main function and all jobs to their end, anew where they fail and the slot allows that.

        Raises nothing but `trio.Cancelled`.
        """
        self.root = trio.lowlevel.current_task()
        origin_of_task.set(self.origin)
        try:
            with self.scope:
                while True:
                    self.incarnation = incarnation = Incarnation(self)
                    if not self.slot.readiness:
                        self.ready.set()
                    self.note("start")
                    await incarnation.run(main, *args)
                    if not self.group.is_restarting(self):
                        break
                    await self._wait_to_begin_anew()
        finally:
            try:
                self._note_end()
            finally:
                self.on_end(self)

    def note_end_of_input(self) -> None:
        """Note that one of its tasks was told that its input has ended; it is not taken back by what comes later."""
        self._was_given_end = True

    def note(self, kind: HappeningKind, detail: str | None = None, payload: object = None) -> None:
        """Tell those who observe the orchestra, if anybody does."""
        if self.tell is not None:
            self.tell(kind, self.name, detail=detail, payload=payload)

    def close_input(self) -> None:
        """Tell it that nothing more will come."""
        self.note("end of input")
        self.mailbox.close_input()

    def cancel(self) -> None:
        """Cancel its main task and its jobs."""
        self.scope.cancel()

    def look_again(self) -> None:
        """Let those look at it who wait until it has taken signals."""
        for watcher in list(self.watchers):
            watcher.look_again(self)

    def note_moved(self) -> None:
        """Look whether those that wait do so for ever, now that one of its tasks waits or has ended."""
        if self.on_wait is not None and self.waits:
            self.on_wait(self)

    def take_error(self, error: BaseException, job: str | None) -> None:
        """Deal with what left a task: let the subsystem begin anew, or record it and stop everything."""
        self.note("error", job, error)
        if self.report(error, self, job=job):
            self._failed = True

    def survive(self, failure: Failure) -> None:
        """Keep an error after which it begins anew."""
        self._survived.append(failure)

    def start_soon(self, async_fn: AsyncFn, *args: object, name: object, background: bool) -> None:
        """Start a job in this subsystem's nursery."""
        self._current().start_soon(async_fn, *args, name=name, background=background)

    async def start(self, async_fn: AsyncFn, *args: object, name: object) -> object:
        """Start a job, and wait until it says that it is started. See `trio.Nursery.start`."""
        return await self._current().start(async_fn, *args, name=name)

    def statistics(self) -> SubsystemStatistics:
        """Return how it stands now."""
        mailbox = self.mailbox
        return SubsystemStatistics(
            name=self.name,
            state=self.state,
            signals=mailbox.signals.read(),
            priority=_EMPTY if mailbox.priority is None else mailbox.priority.read(),
            unbounded=mailbox.unbounded.read(),
            bounded=mailbox.bounded.read(),
            epoch=mailbox.epoch,
            jobs=self.jobs,
            restarts=self.restarts,
            waits=tuple(sorted(self._all_waits(), key=lambda wait: wait.since)),
        )

    @contextmanager
    def waiting(
        self, kind: WaitKind, subsystem: str, lane: LaneName | None, message_type: type, reply: Reply | None = None
    ) -> Generator[None]:
        """Have it on record what the current task waits for."""
        task = trio.lowlevel.current_task()
        self.waits[task] = Waiting(kind, subsystem, lane, message_type, trio.current_time(), reply)
        try:
            if PRIVATE_IN_USE:
                self.note_moved()
                yield
            else:
                with self.noted_deadline():
                    self.note_moved()
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

    def receiving_tasks(self) -> set[Task]:
        """Return the tasks that wait at its mailbox."""
        return {parked.task for parked in self._receivers()}

    def _current(self) -> Incarnation:
        if self.incarnation is None:
            state = "begins anew" if self.state == "restarting" else "has ended"
            message = f"subsystem {self.name!r} of {self.orchestra} {state}: it can start no jobs now"
            raise RuntimeError(message)
        return self.incarnation

    async def _wait_to_begin_anew(self) -> None:  # noqa: ASYNC910 - a task of the library, not a call of users
        """Wait until all that begin anew with it have ended, and for the backoff."""
        self.incarnation = None
        await self.group.wait(self, self._survived)
        self._survived = []  # where it is cancelled instead, it did not survive them
        self.restarts += 1
        self.in_hand = None

    def _note_end(self) -> None:
        """Say how it ended; what it did not come to survive is an error after all."""
        self._cancelled = self.incarnation is None or self.incarnation.was_cancelled
        self.incarnation = None
        self.group.leave(self)
        for failure in self._survived:
            self.take_error(failure.error, failure.job)
        stopped = self._failed or self.was_cancelled or trio.current_effective_deadline() == -math.inf
        if self.slot.readiness and not self.ready.is_set() and not stopped:
            self.take_error(RuntimeError(f"subsystem {self.name!r} ended without calling ctx.started()"), None)
        self.end = "failed" if self._failed else "cancelled" if self._cancelled else "finished"
        self.ready.set()  # nobody needs to wait any more

    def _receivers(self) -> Iterator[Parked[Any]]:
        for queue in (self.mailbox.receivers, self.mailbox.signal_receivers):
            for parked in list(queue):  # a thread may take one out meanwhile
                if isinstance(parked, Parked):
                    yield parked

    def _all_waits(self) -> Iterator[Wait]:
        for parked in self._receivers():
            yield Wait(parked.task.name, "receive", self.name, None, None, parked.since)
        for task, wait in self.waits.items():
            yield Wait(task.name, wait.kind, wait.subsystem, wait.lane, type_name(wait.message_type), wait.since)


_EMPTY = Readout(sent=0, received=0, channel_len=0, peak_channel_len=0, blocked=0)
