"""A schedule: runs an async function with every choice of the next task decided and recorded."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from orchestra_trio.testing.hangs import MOST_STEPS
from orchestra_trio.testing.scheduling.arguments import check_runnable
from orchestra_trio.testing.scheduling.courses import follow
from orchestra_trio.testing.scheduling.decisions import describe
from orchestra_trio.testing.scheduling.failures import is_failure
from orchestra_trio.testing.scheduling.playing import play
from orchestra_trio.testing.scheduling.script import Script
from orchestra_trio.testing.scheduling.steering import Steering

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    import trio

    from orchestra_trio.testing.scheduling.decisions import Cancellation, Decision
    from orchestra_trio.testing.scheduling.steering import Course

__all__ = ["Schedule", "describe_run", "name_of"]

T = TypeVar("T")


class Schedule:
    """Decides which of the tasks that are ready runs next, in each step of a run.

    `Schedule("14:1 17:2").run(main)` does what trio would do if it took tasks in the plain order of their becoming
    ready, except that in step 14 the second of the ready tasks runs, and in step 17 the third. `Schedule()` is that
    plain order. Such texts come from `str(schedule)`, and from what `explore` and `schedules()` find.

    The order of tasks is all that is decided. Threads, input and output come when they come, and what a set of the
    program's own yields depends on Python's hash seed.
    """

    def __init__(self, text: str = "", *, most_steps: int = MOST_STEPS) -> None:
        """Make a schedule that follows a text.

        Args:
            text: Parted by blanks: `14:1` for a choice in a step, `14-20:1` for the same one in several; `9:cancel` for
                a cancellation before a step, of the first open scope that is marked with `cancellable` (`9:cancel1`: of
                the second), or, as long as none has been marked, of the whole function; `capacity=1` for lanes of one
                item; `lag=5` (or `none`) for the rounds that a ready task may be passed over, which are 20 otherwise.
            most_steps: How many steps a run may take.

        Raises:
            ValueError: The text is no schedule.
        """
        script = Script.parse(text)
        self._begin: Callable[[], Course] = lambda: follow(script)
        self._is_text = True
        self._most_steps = most_steps
        self._steering: Steering | None = None
        self._text = text
        self._report: Callable[[str], object] | None = None

    @classmethod
    def of(
        cls,
        begin: Callable[[], Course],
        *,
        most_steps: int = MOST_STEPS,
        report: Callable[[str], object] | None = None,
    ) -> Schedule:
        """Make a schedule out of what makes a course for each run; for `replay` and `schedules`.

        Args:
            begin: Makes the course of one run.
            most_steps: How many steps a run may take.
            report: Called after each run that raises nothing, with what an exception would have as its note.
        """
        schedule = cls(most_steps=most_steps)
        schedule._begin = begin
        schedule._is_text = False
        schedule._report = report
        return schedule

    def __str__(self) -> str:
        return self._text if self._steering is None else str(self._steering.script)

    def __repr__(self) -> str:
        return (
            "<Schedule, drawn as it runs>"
            if self._steering is None and not self._is_text
            else f"<Schedule {str(self)!r}>"
        )

    def run(
        self, async_fn: Callable[..., Awaitable[T]], *args: object, clock: trio.abc.Clock | None = None
    ) -> T | None:
        """Run an async function under this schedule, as `trio.run` does.

        A schedule may be run several times. One that follows a text or a seed begins anew each time. One that
        hypothesis draws draws new choices: it is then the sequence of runs that shrinks.

        The `random` module begins with the same state in each run, and gets its own back afterwards.

        Args:
            async_fn: To be called with `args`.
            args: Passed on.
            clock: By default a `trio.testing.MockClock` that jumps when all tasks wait.

        Returns:
            What the function returns; None where the schedule cancelled it as a whole.

        Raises:
            SchedulesUnavailable: This trio does not let us choose.
            RuntimeError: Called within a run of trio.
            TypeError: `async_fn` is no function.
            Hang: All tasks waited, and nothing would have woken one.
            NeverEnds: The run took more than `most_steps`.
            BaseException: What the function raises, with a note that says which choices it took, and how to replay it.
        """
        check_runnable(async_fn, "Schedule.run()")
        steering = self._steering = Steering(self._begin())
        try:
            result = play(steering, async_fn, *args, clock=clock, most_steps=self._most_steps)
        except BaseException as error:
            if error is not steering.error and is_failure(error):
                error.add_note(_note(steering, async_fn, args))
            raise
        if self._report is not None:
            self._report(_note(steering, async_fn, args))
        return result

    @property
    def steps(self) -> int:
        """How many steps the last run took, of all tasks together."""
        return 0 if self._steering is None else self._steering.steps

    @property
    def decisions(self) -> Sequence[Decision]:
        """The choices of the last run, in their order: one for each step in which several tasks were ready."""
        return () if self._steering is None else self._steering.decisions

    @property
    def deviations(self) -> Sequence[Decision]:
        """Those choices of the last run that differ from trio's plain order."""
        return () if self._steering is None else self._steering.deviations

    @property
    def cancellation(self) -> Cancellation | None:
        """What was cancelled in the last run, if anything."""
        return None if self._steering is None else self._steering.cancellation

    def describe(self) -> str:
        """Return what the last run did otherwise than in trio's plain order, for people, as lines."""
        return "not run yet" if self._steering is None else describe_run(self._steering, indent="")


def _note(steering: Steering, async_fn: Callable[..., object], args: tuple[object, ...]) -> str:
    name, script = name_of(async_fn), steering.script
    again = f'Schedule("{script}").run({name}, ...)' if args else f'replay({name}, "{script}")'
    return f"orchestra_trio: {name} ran under the schedule\n{describe_run(steering)}\nto run it again: {again}"


def describe_run(steering: Steering, indent: str = "  ") -> str:
    """Return what a run did otherwise than in trio's plain order."""
    lines = describe(steering.deviations, steering.cancellation, narrow=steering.course.narrow)
    return "\n".join(f"{indent}{line}" for line in lines)


def name_of(async_fn: Callable[..., object]) -> str:
    """Return what stands for a function in a line that people copy; dots where it has no name to copy."""
    name = str(getattr(async_fn, "__name__", "..."))
    return name if name.isidentifier() else "..."
