"""What the tasks of one subsystem do, each in a line and with its stack; for people.

Stacks show users' frames alone. Those of this library and of trio would only say again what a task waits for, which is
told in words. A thread that a task waits for is shown in place of the task.
"""

from __future__ import annotations

import sys
import threading
import traceback
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import attrs
import trio

from orchestra_trio.delivery.trio_internals import is_leaving_nursery
from orchestra_trio.delivery.waiting import Parked
from orchestra_trio.errors import a_type

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from types import FrameType

    from trio.lowlevel import Task

    from orchestra_trio.runtime.life.live import LiveSubsystem

__all__ = ["Stance", "Stances", "children_of", "tasks_under", "waits_for_thread"]

_Frames: TypeAlias = "list[tuple[FrameType, int]]"
"""Frames, and the lines that they are at; outermost first."""


def children_of(task: Task) -> list[Task]:
    """Return the tasks in the nurseries that a task has open."""
    return [child for nursery in task.child_nurseries for child in nursery.child_tasks]


def tasks_under(root: Task) -> Iterator[Task]:
    """Return a task and all tasks in nurseries below it, parents first."""
    tasks = [root]
    while tasks:
        task = tasks.pop()
        yield task
        tasks.extend(children_of(task))


@attrs.frozen(eq=False)
class Stance:
    """What one task does at a moment."""

    what: str
    """In a few words, without where."""
    frames: _Frames
    """Of users, in the task or in the thread that it waits for; outermost first."""
    since: float | None = None
    """Since when, on trio's clock, in seconds; None where that is not known."""
    says_all: bool = False
    """Whether the words need no line of users to be understood."""
    in_thread: bool = False
    """Whether the frames are those of a thread."""

    @property
    def place(self) -> str:
        """What it does and where, in one line."""
        if self.says_all or not self.frames:
            return self.what if self.what != "stands" else "stands inside the library"
        frame, line = self.frames[-1]
        comma = "" if self.what == "stands" else ","
        return f"{self.what}{comma} at {frame.f_code.co_filename}:{line}, in {frame.f_code.co_name}"

    @property
    def stack(self) -> str:
        """The frames, formatted as in tracebacks; empty where there are none."""
        return "".join(traceback.StackSummary.extract(iter(self.frames)).format())


class Stances:
    """Tells what the tasks of one subsystem do. Good for one moment: nothing must run between its calls."""

    def __init__(self, live: LiveSubsystem) -> None:
        """Look at the mailbox."""
        self._live = live
        self._receiving: dict[Task, tuple[str, float]] = {}
        mailbox = live.mailbox
        for queue, what in ((mailbox.receivers, ""), (mailbox.signal_receivers, " a signal")):
            for parked in list(queue):  # a thread may take one out meanwhile
                if isinstance(parked, Parked):
                    self._receiving[parked.task] = f"waits to receive{what}", parked.since

    def of(self, task: Task) -> Stance:
        """Return what a task does."""
        hosted = self._live.hosts.get(task)
        in_thread = hosted is not None
        if hosted is not None:
            frames = _frames_of_threads([hosted.ident])
        else:
            idents = [thread.ident for thread in _threads_of(task)]
            in_thread = bool(idents)
            frames = _frames_of_threads(idents) if in_thread else _users(_frames_of_task(task))
        is_calling = hosted is not None and hosted.is_calling
        known = self._wait_of(next(iter(self.carriers(task)), task) if is_calling else task)
        if known is not None:
            what, since = known
            return Stance(what, frames, since, says_all=True, in_thread=in_thread)
        if in_thread and frames:
            return Stance("stands in a thread", frames, in_thread=True)
        below = task.child_nurseries[-1].child_tasks if task.child_nurseries else ()
        if below and not in_thread and is_leaving_nursery(task):
            return Stance(f"waits for {len(below)} task{'' if len(below) == 1 else 's'} below it", frames)
        return Stance("stands", frames)

    def carriers(self, host: Task) -> list[Task]:
        """Return the tasks that carry out the calls of a thread: at most one."""
        hosts = self._live.hosts
        return [child for child in children_of(host) if child not in hosts]  # its jobs have threads of their own

    def _wait_of(self, task: Task) -> tuple[str, float] | None:
        """Return what a task waits for in a call of the library, and since when."""
        wait = self._live.waits.get(task)
        if wait is None:
            found = self._receiving.get(task)
            if found is None or task not in self._live.waiting_for_workers:
                return found
            signal = "a signal, or for " if self._live.slot.signals else ""
            return f"waits for {signal}one of its workers to end", found[1]
        lane = "" if wait.lane is None else f" ({wait.lane} lane)"
        verb = f"waits for room at {wait.subsystem!r}{lane}, to send"
        if wait.kind == "request":
            verb = f"waits for an answer from {wait.subsystem!r} to"
        return f"{verb} {a_type(wait.message_type)}", wait.since


_TO_THREAD: Final = trio.to_thread.run_sync.__code__


def waits_for_thread(task: Task) -> bool:
    """Return whether a task waits for a thread that `trio.to_thread.run_sync` has started, told by its frames."""
    return any(frame.f_code is _TO_THREAD for frame, _ in task.iter_await_frames())


def _threads_of(task: Task) -> list[threading.Thread]:
    """Return the threads that a task waits for: told by the names that those get that nobody names otherwise.

    A job that was started by `start_blocking_soon` gives its thread its own name; `trio.to_thread.run_sync` makes one
    that ends with it. Those of tasks of one name cannot be told apart.
    """
    if not waits_for_thread(task):
        return []
    ending = f" from {task.name}"
    return [one for one in threading.enumerate() if one.name == task.name or one.name.endswith(ending)]


def _frames_of_task(task: Task) -> _Frames:
    """Return the frames of a task; the current one, which awaits nothing, is asked by its calls."""
    if task is not trio.lowlevel.current_task():
        return [*task.iter_await_frames()]
    frames: _Frames = []
    for frame, line in traceback.walk_stack(sys._getframe()):  # noqa: SLF001 - documented
        frames.append((frame, line))
        if frame is task.coro.cr_frame:
            break
    return frames[::-1]


def _frames_of_threads(idents: Iterable[int | None]) -> _Frames:
    """Return users' frames of threads; none of those that do not run."""
    all_frames = sys._current_frames()  # noqa: SLF001 - documented, for just this
    innermost = [all_frames[ident] for ident in idents if ident in all_frames]
    return [pair for frame in innermost for pair in _users([*traceback.walk_stack(frame)][::-1])]


def _users(frames: Iterable[tuple[FrameType, int]]) -> _Frames:
    return [(frame, line) for frame, line in frames if _is_users(frame.f_globals)]


_PACKAGE: Final = __name__.partition(".")[0]
_ROOMS: Final = (f"{_PACKAGE}.runtime.", f"{_PACKAGE}.delivery.", f"{_PACKAGE}.testing.")
"""Whose frames are the library's. Its demo is a user of it as any other."""


def _is_users(frame_globals: dict[str, Any]) -> bool:
    """Return whether a frame belongs to neither trio nor this library nor what runs threads."""
    module = str(frame_globals.get("__name__", ""))
    machinery = {"trio", "outcome", "threading", "contextvars", "queue"}
    return module.partition(".")[0] not in machinery and not module.startswith(_ROOMS)
