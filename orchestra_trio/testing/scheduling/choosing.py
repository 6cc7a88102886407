"""The one module that uses what is private to trio so as to decide which task runs next.

In each pass of its loop trio takes all tasks that are ready out of `runner.runq`, shuffles them, and runs each for one
step. Here `runq` is a queue that yields one task each time it is read: the one that was chosen. So each pass is one
step, and each step is a choice. trio's other code only adds to the queue and asks whether it is empty.

That `runq` is read so is checked once per process, by running a few tasks in an order in which trio would never run
them; where that does not succeed, `SchedulesUnavailable` says so.
"""

from __future__ import annotations

from bisect import bisect_right, insort
from functools import cache
from typing import TYPE_CHECKING, Any, Final, Protocol, TypeAlias

import trio

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = [
    "Choosing",
    "Pilot",
    "ReadyTask",
    "ReadyTasks",
    "SchedulesUnavailable",
    "check_available",
    "probe",
]

ReadyTask: TypeAlias = "tuple[int, int, trio.lowlevel.Task]"
"""The round in which a task became ready, its number, and the task. Tasks are numbered as they are started."""

STEPS_OF_TRIO: Final = 3
"""The first steps of a run: trio's own two tasks begin, and the main task. Their order matters to nobody."""


class SchedulesUnavailable(RuntimeError):
    """This version of trio chooses its next task in a way that is not known here."""

    def __init__(self, reason: str) -> None:
        """Say what is not as expected, and what to do."""
        super().__init__(
            f"schedules cannot be explored with trio {trio.__version__}: {reason}. They work with trio 0.34 and 0.35; "
            "install one of those to run these tests, or skip them"
        )


class Pilot(Protocol):
    """Decides the steps of one run."""

    lag: int | None
    """By how many rounds a ready task may be passed over; None for any number."""

    attention_at: int
    """The step before which `attend` is called, and before all that follow until this is changed; 0 for none."""

    def attend(self, step: int) -> None:
        """Do something before a step, other than choosing its task."""

    def choose(self, step: int, ready: list[ReadyTask], count: int) -> int:
        """Return which of the first `count` ready tasks, of which there are at least two, runs in this step."""
        ...


class ReadyTasks:
    """The tasks that are ready, oldest round first, and by number within a round. Takes the place of trio's queue.

    A task that becomes ready in a step is of the round after that of the task that runs in it. trio wakes tasks out
    of sets, in no certain order; what it wakes in one step is of one round, and so in the order of the numbers.
    """

    __slots__ = ("_chosen", "_count", "_numbers", "_pilot", "_ready", "_round", "digest", "doom", "step")

    def __init__(self, pilot: Pilot) -> None:
        """Make an empty queue, for one run."""
        self._pilot = pilot
        self._ready: list[ReadyTask] = []
        self._numbers: dict[trio.lowlevel.Task, int] = {}
        self._count = 0
        self._round = 0
        self._chosen = -1
        self.step: int = 0
        """The number of the step that runs, or has run last; the first is 1."""
        self.digest: int = 0
        """Stands for the order of all steps so far."""
        self.doom: BaseException | None = None
        """If set, it is raised in trio's loop, which crashes: the last resort against what cannot be cancelled."""

    def __len__(self) -> int:
        return len(self._ready)

    def append(self, task: trio.lowlevel.Task) -> None:
        """Note that a task is ready."""
        number = self._numbers.get(task)
        if number is None:
            number = self._numbers[task] = self._count
            self._count += 1
        insort(self._ready, (self._round + 1, number, task))

    def __iter__(self) -> Iterator[trio.lowlevel.Task]:
        """Choose the task of the next step, and yield it alone."""
        if self.doom is not None:
            raise self.doom
        ready, pilot = self._ready, self._pilot
        if not ready:
            return
        self.step = step = self.step + 1
        if 0 < pilot.attention_at <= step:
            pilot.attend(step)
        self._chosen = 0
        if len(ready) > 1 and step > STEPS_OF_TRIO:
            count = len(ready)
            if pilot.lag is not None and ready[-1][0] > (latest := ready[0][0] + pilot.lag):
                count = bisect_right(ready, latest, key=_round_of)
            if count > 1:
                self._chosen = pilot.choose(step, ready, count)
        since, number, task = ready[self._chosen]
        self._round = max(self._round, since)
        self.digest = hash((self.digest, number))
        yield task

    def clear(self) -> None:
        """Forget what the queue has yielded: that task runs now."""
        if self._chosen >= 0:
            del self._ready[self._chosen]
            self._chosen = -1

    def forget(self, task: trio.lowlevel.Task) -> None:
        """Forget the number of a task that has ended."""
        self._numbers.pop(task, None)


def _round_of(ready: ReadyTask) -> int:
    return ready[0]


def _install(queue: ReadyTasks) -> None:
    """Put the queue in the place of that of the run that begins.

    Raises:
        AttributeError, ImportError: trio is not what we know.
    """
    from trio._core import _run  # noqa: PLC0415 - the one place where private parts are looked up

    internals: Any = _run
    runner = internals.GLOBAL_RUN_CONTEXT.runner
    if len(runner.runq):
        raise AttributeError("tasks are ready before the run begins")
    runner.runq = queue


class Choosing(trio.abc.Instrument):
    """Lets a pilot decide all steps of the run that has this as an instrument."""

    def __init__(self, pilot: Pilot, install: Callable[[ReadyTasks], None] = _install) -> None:
        """For one run.

        Args:
            pilot: Decides.
            install: Puts the queue in its place; another one in tests only.
        """
        self.ready: ReadyTasks = ReadyTasks(pilot)
        self._install = install

    def before_run(self) -> None:
        """Take the place of trio's queue."""
        self._install(self.ready)

    def task_exited(self, task: trio.lowlevel.Task) -> None:
        """Let go of the task."""
        self.ready.forget(task)


# --- Whether it works ------------------------------------------------------------------------------------------------


@cache
def _reason_against() -> str | None:
    return probe()


def check_available() -> None:
    """See that this trio lets us choose; finds out at the first call.

    Raises:
        SchedulesUnavailable: It does not.
        RuntimeError: Called inside of a run, where trio cannot begin another one to find out.
    """
    reason = _reason_against()
    if reason is not None:
        raise SchedulesUnavailable(reason)


class _LastFirst:
    """Lets the youngest of the ready tasks run until it ends: trio by itself would let all of them run in turns."""

    lag: int | None = None
    attention_at: int = 0

    def attend(self, step: int) -> None:
        """Never called."""

    def choose(self, step: int, ready: list[ReadyTask], count: int) -> int:
        """Return the task with the highest number."""
        del step
        return max(range(count), key=lambda index: ready[index][1])


def probe(install: Callable[[ReadyTasks], None] = _install) -> str | None:
    """Run a few tasks under choices, and return what is wrong with the order in which they ran, or None.

    Raises:
        RuntimeError: Called inside of a run.
    """
    log: list[int] = []
    failures: list[Exception] = []

    def try_to_install(queue: ReadyTasks) -> None:
        try:
            install(queue)
        except (ImportError, AttributeError, TypeError) as error:
            failures.append(error)

    try:
        trio.run(_note_steps, log, instruments=[Choosing(_LastFirst(), try_to_install)])
    except trio.TrioInternalError as error:
        return f"its loop does not take our queue ({error.__cause__!r})"
    if failures:
        return f"its queue of ready tasks is not where it was ({failures[0]})"
    if log != [2, 2, 2, 1, 1, 1, 0, 0, 0]:
        return f"its loop does not follow our choices (three tasks ran in the order {log})"
    return None


async def _note_steps(log: list[int]) -> None:
    async def note(number: int) -> None:
        for _ in range(3):
            await trio.lowlevel.checkpoint()
            log.append(number)

    async with trio.open_nursery() as nursery:
        for number in range(3):
            nursery.start_soon(note, number)
