"""The steering of one run: asks for each choice, cancels what is to be cancelled, and keeps a record of both."""

from __future__ import annotations

from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, TypeAlias

import attrs
import trio

from orchestra_trio.testing.scheduling.decisions import MOST_PASSED, Cancellation, Decision
from orchestra_trio.testing.scheduling.script import LAG, Script

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Sequence

    from trio.lowlevel import Task

    from orchestra_trio.testing.scheduling.choosing import ReadyTask
    from orchestra_trio.testing.scheduling.strategies import Chooser

__all__ = ["Course", "Steering", "cancellable", "steering_of_run"]


_Choice: TypeAlias = "tuple[int, int, int, int, tuple[int, ...]]"
"""The step, which task ran, of how many, its number, and the numbers of those that were passed over."""


@attrs.frozen(eq=False)
class Course:
    """What one run is to do: how it chooses, and what goes wrong in it."""

    choose: Chooser
    """Chooses the task of each step."""

    lag: int | None = LAG
    """By how many rounds a ready task may be passed over; None for any number."""

    cancel_at: int = 0
    """The step before which something is cancelled; 0 for none."""

    pick_scope: Callable[[int], int] = attrs.field(default=lambda _: 0)
    """Called with the number of open scopes, returns which one is cancelled."""

    narrow: bool = False
    """Whether the lanes of all orchestras hold one item at most."""


@attrs.define(eq=False)
class Steering:
    """The pilot of one run; see `choosing.Pilot`."""

    course: Course
    whole: trio.CancelScope = attrs.Factory(trio.CancelScope)
    """Around the whole function."""
    attention_at: int = 0
    lag: int | None = None
    error: BaseException | None = None
    """What the source of the choices raised. The run is cancelled then, and this is raised once it has ended."""
    steps: int = 0
    """How many steps the run took."""
    interleaving: int = 0
    """Stands for the order of all its steps."""
    cancellation: Cancellation | None = None
    """What was cancelled."""
    _scopes: list[tuple[trio.CancelScope, str]] = attrs.Factory(list[tuple[trio.CancelScope, str]])
    _has_marked: bool = False
    _names: dict[int, str] = attrs.Factory(dict[int, str])
    _decisions: list[_Choice] = attrs.Factory(list["_Choice"])

    def __attrs_post_init__(self) -> None:
        self.attention_at = self.course.cancel_at
        self.lag = self.course.lag

    def choose(self, step: int, ready: Sequence[ReadyTask], count: int) -> int:
        """Choose, and take note; see `choosing.Pilot`."""
        if self.error is not None:
            return 0
        try:
            choice = self.course.choose(step, [ready[index][1] for index in range(count)])
        except BaseException as error:  # noqa: ASYNC103, BLE001 - raised when the run has ended: here it would crash trio
            self._give_up(error)
            return 0  # noqa: ASYNC104 - as above
        passed = ready[: min(choice, MOST_PASSED)]
        _, number, task = ready[choice]
        self._note_name(number, task)
        for _, one, other in passed:
            self._note_name(one, other)
        self._decisions.append((step, choice, count, number, tuple(one for _, one, _ in passed)))
        return choice

    def attend(self, step: int) -> None:
        """Cancel what is to be cancelled; see `choosing.Pilot`."""
        if self._has_marked and not self._scopes:
            return  # the next one that is opened
        self.attention_at = 0
        if not self._scopes:
            self.cancellation = Cancellation(step, 0, None)
            self.whole.cancel()
            return
        try:
            index = self.course.pick_scope(len(self._scopes))
        except BaseException as error:  # noqa: ASYNC103, BLE001 - as above
            self._give_up(error)
            return  # noqa: ASYNC104 - as above
        scope, task = self._scopes[index]
        self.cancellation = Cancellation(step, index, task)
        scope.cancel()

    def _give_up(self, error: BaseException) -> None:
        self.error = error
        self.attention_at = 0
        self.whole.cancel()

    def _note_name(self, number: int, task: Task) -> None:
        if number not in self._names:
            self._names[number] = _short(task.name)

    def open(self, scope: trio.CancelScope) -> None:
        """Note that the current task has opened a scope that may be cancelled."""
        self._has_marked = True
        self._scopes.append((scope, _short(trio.lowlevel.current_task().name)))

    def close(self, scope: trio.CancelScope) -> None:
        """Note that the scope is closed."""
        self._scopes = [pair for pair in self._scopes if pair[0] is not scope]

    # --- What came of it ---------------------------------------------------------------------------------------------

    @property
    def decisions(self) -> tuple[Decision, ...]:
        """All choices, in their order."""
        return self._named(self._decisions)

    @property
    def deviations(self) -> tuple[Decision, ...]:
        """The choices that differ from trio's plain order."""
        return self._named([one for one in self._decisions if one[1]])

    @property
    def script(self) -> Script:
        """What gives the same run again."""
        deviations = tuple((step, choice) for step, choice, *_ in self._decisions if choice)
        cancelled = self.cancellation
        cancel = None if cancelled is None else (cancelled.step, cancelled.scope)
        return Script(deviations, cancel, self.course.narrow, self.course.lag)

    def _named(self, choices: Sequence[_Choice]) -> tuple[Decision, ...]:
        alike: dict[str, list[int]] = {}
        for number, name in sorted(self._names.items()):
            alike.setdefault(name, []).append(number)
        names = dict(self._names)
        for name, numbers in alike.items():
            if len(numbers) > 1:
                names.update({number: f"{name} #{place}" for place, number in enumerate(numbers, 1)})
        return tuple(
            Decision(step, choice, offered, names[number], tuple(names[one] for one in passed))
            for step, choice, offered, number, passed in choices
        )


def _short(name: str) -> str:
    """Return the last part of a name that trio has made of a function's; not of what trio itself calls a task."""
    return name if name.startswith("<") else name.rpartition(".")[2] or name


steering_of_run: ContextVar[Steering | None] = ContextVar("steering_of_run", default=None)
"""For `cancellable`."""


@contextmanager
def cancellable() -> Generator[trio.CancelScope]:
    """Return a context manager that opens a cancel scope which a schedule with `cancel=True` may cancel.

    Such a schedule cancels one of the scopes that are open at some step, as if from outside. Outside of a schedule
    this is an ordinary scope.
    """
    steering = steering_of_run.get()
    with trio.CancelScope() as scope:
        if steering is None:
            yield scope
            return
        steering.open(scope)
        try:
            yield scope
        finally:
            steering.close(scope)
