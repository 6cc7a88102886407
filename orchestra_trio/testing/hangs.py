"""Programs that hang, and programs that never end: found at once, and told with who waits for what."""

from __future__ import annotations

import math
from collections import Counter
from contextlib import asynccontextmanager, contextmanager
from typing import TYPE_CHECKING, Any, Final

import trio

from orchestra_trio.runtime.life.failures import without_cancelled
from orchestra_trio.runtime.surroundings import on_opening
from orchestra_trio.runtime.watch.stances import children_of, tasks_under, waits_for_thread

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Generator, Iterable
    from types import FrameType

    from trio.lowlevel import Task

    from orchestra_trio.runtime.running import RunningOrchestra

__all__ = ["MOST_STEPS", "Hang", "NeverEnds", "Watch", "fail_on_hang", "watching"]

MOST_STEPS: Final = 100_000
"""How many steps a program may take, unless one says otherwise."""


class Hang(Exception):
    """All tasks wait, and nothing will ever wake one of them. Says who waits for what."""


class NeverEnds(Exception):
    """A program has taken more steps than it may. Says which tasks ran last."""


@asynccontextmanager
async def fail_on_hang(most_steps: int = MOST_STEPS) -> AsyncGenerator[None]:
    """Return a context manager that cancels its block and raises `Hang` when nothing can wake any task of the run.

    That is so when every task waits and no deadline is set. On a clock that jumps by itself (pytest-trio's
    `autojump_clock`) it is found at once, and so on trio's own clock.

    What waits for input or output, or for a thread that runs, does not hang: neither does what a server waits for. What
    cannot be seen is taken for a hang: a signal of the operating system that is still to come, and a thread that was
    not started by `trio.to_thread` and is to call back. Where all of a program hangs although it was cancelled, its
    shields against cancellation are taken away.

    Args:
        most_steps: How many steps all tasks of the run together may take within the block.

    Raises:
        Hang: Nothing would have happened any more.
        NeverEnds: More steps than that were taken.

    Checkpoint:
        None of its own.

    Cancellation:
        As that of a cancel scope around the block.
    """
    scope = trio.CancelScope()
    with watching(scope, most_steps), scope:
        yield


@contextmanager
def watching(
    scope: trio.CancelScope, most_steps: int, give_up: Callable[[BaseException], object] = lambda _: None
) -> Generator[None]:
    """Watch the run while the block runs; what is found cancels the scope, and is raised after it.

    Args:
        scope: Is open within the block.
        most_steps: How many steps may be taken.
        give_up: Called with what was found, where the program goes on although it was cancelled.
    """
    watch = Watch(scope, most_steps, give_up)
    trio.lowlevel.add_instrument(watch)
    try:
        with on_opening(watch.orchestras.append):
            yield
    except BaseException as error:  # noqa: ASYNC103 - what was found has cancelled the block
        if watch.found is None or isinstance(error, (KeyboardInterrupt, SystemExit)):
            raise
        raise watch.found from without_cancelled(error)  # noqa: ASYNC104 - as above
    finally:
        trio.lowlevel.remove_instrument(watch)
    if watch.found is not None:
        raise watch.found from None


_LAST: Final = 12
"""How many of the tasks that ran last are named."""

_LONG: Final = 3600.0
"""Seconds; nothing that trio waits for so long is a cushion against false alarms."""


class Watch(trio.abc.Instrument):
    """Sees that something happens in a run, but not for ever."""

    def __init__(self, scope: trio.CancelScope, most_steps: int, give_up: Callable[[BaseException], object]) -> None:
        """See `watching`."""
        self.found: Exception | None = None
        self.orchestras: list[RunningOrchestra[Any, Any]] = []
        self._scope = scope
        self._most_steps = most_steps
        self._give_up = give_up
        self._steps = 0
        self._idle = 0
        self._is_bared = False
        self._last: list[str] = []
        self._token = trio.lowlevel.current_trio_token()

    def before_task_step(self, task: Task) -> None:
        """Count."""
        self._idle = 0
        self._steps += 1
        if self._steps > self._most_steps - _LAST:
            self._note_late_step(task)

    def before_io_wait(self, timeout: float) -> None:
        """Look whether nothing happens any more.

        Tasks in `trio.testing.wait_all_tasks_blocked` are woken when trio has found nothing to do for a moment; so the
        first time that it finds nothing does not count, unless it would wait for long.
        """
        self._idle += 1
        if (self._idle > 1 or timeout > _LONG) and _is_at_rest(1):
            self._token.run_sync_soon(self._check)

    def _check(self) -> None:
        tasks = _waiting_tasks()
        if not _is_at_rest(0) or _are_threads_running(tasks, self.orchestras):
            return
        if self.found is None:
            self.found = Hang(_describe(tasks, self.orchestras))
            self._scope.cancel()
        elif not self._is_bared:
            self._is_bared = True
            _take_shields(tasks, self._scope)
        else:
            self._give_up(self.found)

    def _note_late_step(self, task: Task) -> None:
        if self.found is None:
            self._last.append(task.name)
        if self._steps == self._most_steps:
            names = ", ".join(dict.fromkeys(self._last))
            self.found = self.found or NeverEnds(f"{self._steps:,} steps were taken; in the last of them ran: {names}")
            self._token.run_sync_soon(self._scope.cancel)
        elif self._steps == 2 * self._most_steps and self.found is not None:
            self._give_up(self.found)


def _is_at_rest(readers: int) -> bool:
    """Return whether no task is ready, no deadline is set, and no input or output is awaited.

    Args:
        readers: How many tasks of trio's own wait to read.
    """
    numbers = trio.lowlevel.current_statistics()
    if numbers.tasks_runnable or numbers.run_sync_soon_queue_size or numbers.seconds_to_next_deadline < math.inf:
        return False
    waiting = numbers.io_statistics
    counts: list[int] = [getattr(waiting, name) for name in dir(waiting) if name.startswith("tasks_waiting")]
    return sum(counts) <= readers


def _waiting_tasks() -> list[Task]:
    """Return all tasks but trio's own; called in one of those."""
    root = trio.lowlevel.current_root_task()
    tasks = [] if root is None else [*tasks_under(root)]
    return [task for task in tasks if task not in {root, trio.lowlevel.current_task()}]


def _are_threads_running(tasks: Iterable[Task], orchestras: Iterable[RunningOrchestra[Any, Any]]) -> bool:
    """Return whether some task waits for a thread that does not itself wait in a call of an orchestra's context.

    For each thread of a blocking subsystem another task carries out its calls, and has its wait on record.
    """
    waits = Counter(
        wait.task for running in orchestras for one in running.statistics().subsystems.values() for wait in one.waits
    )
    for task in tasks:
        if waits_for_thread(task):
            carrier = next((child.name for child in children_of(task) if waits[child.name]), None)
            if carrier is None:
                return True
            waits[carrier] -= 1
    return False


def _take_shields(tasks: Iterable[Task], within: trio.CancelScope) -> None:
    """Let a cancellation of a scope reach the tasks in it, whatever shields stand in between.

    trio tells the scopes around a task nobody: where its private record of them is not as it was, shields stay.
    """
    for task in tasks:
        scopes: list[trio.CancelScope] = []
        status: Any = getattr(task, "_cancel_status", None)
        while status is not None and getattr(status, "_scope", within) is not within:
            scopes.append(status._scope)  # noqa: SLF001 - see above
            status = getattr(status, "_parent", None)
        if status is not None:
            for scope in scopes:
                scope.shield = False


# --- In words --------------------------------------------------------------------------------------------------------

_MOST_TASKS: Final = 40


def _describe(tasks: list[Task], orchestras: Iterable[RunningOrchestra[Any, Any]]) -> str:
    """Say who waits for what."""
    lines = ["all tasks wait, and nothing will wake any of them", "tasks:"]
    lines += [f"  {task.name}: {_place(task)}" for task in tasks[:_MOST_TASKS]]
    if len(tasks) > _MOST_TASKS:
        lines.append(f"  and {len(tasks) - _MOST_TASKS} more")
    for running in orchestras:
        heads = [line for line in running.dump().splitlines() if line and not line.startswith(" ")]
        lines += [heads[0], *(f"  {line}" for line in heads[1:])]
    return "\n".join(lines)


def _place(task: Task) -> str:
    """Return the innermost line of a user's that a task stands at."""
    frames = [*task.iter_await_frames()]
    if not frames:
        return "has not begun"
    frame, line = next((one for one in reversed(frames) if _is_users(one[0])), frames[0])
    return f"{frame.f_code.co_filename}:{line} in {frame.f_code.co_name}"


def _is_users(frame: FrameType) -> bool:
    return str(frame.f_globals.get("__name__", "")).partition(".")[0] not in {"trio", "outcome", "orchestra_trio"}
