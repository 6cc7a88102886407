"""One incarnation of a subsystem: a call of its main function, and the jobs that it started, in one nursery.

It has ended when its main task and all its jobs have. Background jobs do not keep it alive: they are cancelled when
nothing else of it runs. Its tasks let nothing but `trio.Cancelled` pass: errors are handed over where they are raised.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias, final

import attrs
import trio
from trio.lowlevel import Task, disable_ki_protection, enable_ki_protection

from orchestra_trio.errors import a_type
from orchestra_trio.logs import origin_of_task
from orchestra_trio.runtime.life.failures import members, without_cancelled

if TYPE_CHECKING:
    from orchestra_trio.logs import Origin
    from orchestra_trio.records import HappeningKind
    from orchestra_trio.runtime.life.spawner import Spawner

__all__ = ["AsyncFn", "Incarnation", "Owner", "call_users", "title_of"]

AsyncFn: TypeAlias = Callable[..., Awaitable[object]]


@disable_ki_protection
async def call_users(async_fn: AsyncFn, *args: object, **kwargs: object) -> object:
    """Call user code from a protected task of the library: there Ctrl-C may come at any point, as in tasks of theirs.

    Raises:
        TypeError: It did not return what can be awaited.
    """
    result: object = async_fn(*args, **kwargs)
    if not isinstance(result, Awaitable):
        message = (
            f"{title_of(async_fn, None)} was called and returned {a_type(type(result))}: make it an async function"
        )
        raise TypeError(message)
    return await result


def title_of(function: object, name: object) -> str:
    """Return the name of a task that calls a function, as trio would choose it."""
    if name is None:
        name = getattr(function, "func", function)  # a functools.partial has no name of its own
    return name if isinstance(name, str) else getattr(name, "__qualname__", None) or repr(name)


class Owner(Protocol):
    """What an incarnation asks the subsystem that it is one of."""

    jobs: int
    """Jobs that run now."""

    @property
    def name(self) -> str:
        """The name of its slot."""
        ...

    @property
    def spawner(self) -> Spawner:
        """Starts the jobs."""
        ...

    def take_error(self, error: BaseException, job: str | None) -> None:
        """Deal with what left a task."""
        ...

    @property
    def origin(self) -> Origin:
        """For log records."""
        ...

    def note(self, kind: HappeningKind, detail: str | None = None) -> None:
        """Tell those who observe the orchestra."""
        ...

    def note_moved(self) -> None:
        """Look whether those that are left wait for ever; called when a task ends."""
        ...


@final
class _TaskStatus:
    """Notes that a job was started, for `Incarnation.start`: an error before that is the caller's."""

    def __init__(self, inner: trio.TaskStatus[Any]) -> None:
        self._inner = inner
        self.is_started = False

    def started(self, value: object = None) -> None:
        self._inner.started(value)
        self.is_started = True


@attrs.frozen
class _Alive:
    """Around the main function or a job, which keeps the incarnation alive: only `trio.Cancelled` leaves it.

    Not a coroutine: it would be a frame more to go through each time the task goes on.
    """

    incarnation: Incarnation
    title: str | None

    def __enter__(self) -> None:
        origin_of_task.set(self.incarnation.owner.origin)  # whoever started it

    def __exit__(self, _type: object, error: BaseException | None, _traceback: object) -> bool:
        try:
            return error is not None and self.incarnation.end(error, self.title)
        finally:
            self.incarnation.leave()


@attrs.define(eq=False)
class Incarnation:
    """One call of a subsystem's main function, and its jobs."""

    owner: Owner
    scope: trio.CancelScope = attrs.Factory(trio.CancelScope)
    """Ends this incarnation alone."""
    background: dict[trio.CancelScope, Task] = attrs.Factory(dict[trio.CancelScope, Task])
    """Background jobs, each with the scope that ends it."""
    was_cancelled: bool = False
    """Whether a task that keeps it alive was cancelled, rather than ending by itself."""
    _nursery: trio.Nursery | None = None
    """None before the main task has begun, and after all has ended."""
    _live: int = 1
    """The main task and the jobs that keep it alive."""

    @property
    def is_over(self) -> bool:
        """Whether the main task and all jobs have ended, but for those in the background."""
        return self._live <= 0

    async def run(self, main: AsyncFn, *args: object) -> None:  # noqa: ASYNC910 - a task of the library, not a call of users
        """Run the main function and all jobs to their end. Raises nothing but `trio.Cancelled` from around it.

        All in one frame: each time the main function goes on after a wait, so does every frame around it.
        """
        try:
            with self.scope:
                async with trio.open_nursery(strict_exception_groups=True) as nursery:
                    self._nursery = nursery
                    with _Alive(self, None):
                        await call_users(main, *args)
        except BaseException as reported:  # noqa: ASYNC103 - recorded, and raised again by `open()`
            # Tasks hand over their errors themselves; the nursery can add an interrupt, or a report of its misuse.
            failure = without_cancelled(reported)
            if failure is None:
                raise
            for error in members(failure):
                self.owner.take_error(error, None)
        finally:
            self._nursery = None

    @enable_ki_protection
    def start_soon(self, async_fn: AsyncFn, *args: object, name: object, background: bool) -> None:
        """Start a job."""
        nursery = self._open_nursery()
        title = title_of(async_fn, name)
        run = self._run_background if background else self._run_job
        spawner, subsystem = self.owner.spawner, self.owner.name
        self._enter(background=background)
        was_refused = [False]
        try:
            spawner.start_soon(nursery, run, was_refused, title, async_fn, args, name=title, subsystem=subsystem)
        except BaseException:
            was_refused[0] = True  # it may have been started for all that
            self.owner.jobs -= 1
            if not background:
                self.leave()
            raise

    async def start(self, async_fn: AsyncFn, *args: object, name: object) -> object:
        """Start a job, and wait until it says that it is started. See `trio.Nursery.start`."""
        title = title_of(async_fn, name)
        nursery = self._open_nursery()
        self._enter(background=False)
        began = [False]
        spawner, subsystem = self.owner.spawner, self.owner.name
        try:
            value: object = await spawner.start(
                nursery, self._run_started, title, async_fn, args, began, name=title, subsystem=subsystem
            )
        finally:
            if not began[0]:  # the spawner did not come to start it
                self.owner.jobs -= 1
                self.leave()
        return value

    def _open_nursery(self) -> trio.Nursery:
        if self._nursery is None:
            message = f"subsystem {self.owner.name!r} has not begun yet: it can start no jobs now"
            raise RuntimeError(message)
        return self._nursery

    @enable_ki_protection
    async def _run_job(self, was_refused: list[bool], title: str, async_fn: AsyncFn, args: tuple[object, ...]) -> None:
        if was_refused[0]:
            self._enter(background=False)
        self.owner.note("job", title)
        try:
            with _Alive(self, title):
                await call_users(async_fn, *args)
        finally:
            self.owner.jobs -= 1
            self.owner.note("job end", title)

    @enable_ki_protection
    async def _run_started(  # noqa: ASYNC114, ASYNC128, ASYNC910 - a task of the library, not a call of users
        self,
        title: str,
        async_fn: AsyncFn,
        args: tuple[object, ...],
        began: list[bool],
        *,
        task_status: trio.TaskStatus[Any],
    ) -> None:
        began[0] = True
        origin_of_task.set(self.owner.origin)
        status = _TaskStatus(task_status)
        self.owner.note("job", title)
        try:
            await call_users(async_fn, *args, task_status=status)
        except BaseException as error:  # noqa: ASYNC103 - recorded, and raised again by `open()`
            failure = without_cancelled(error)
            if failure is None and status.is_started:
                self.was_cancelled = True
            if failure is None or not status.is_started:
                raise  # before it was started, its error is the caller's
            self.owner.take_error(failure, title)
        finally:
            self.owner.jobs -= 1
            self.leave()
            self.owner.note("job end", title)

    @enable_ki_protection
    async def _run_background(  # noqa: ASYNC910 - a task of the library, not a call of users
        self, was_refused: list[bool], title: str, async_fn: AsyncFn, args: tuple[object, ...]
    ) -> None:
        if was_refused[0]:
            self._enter(background=True)
        origin_of_task.set(self.owner.origin)
        scope = trio.CancelScope()
        self.owner.note("job", title)
        try:
            with scope:
                self.background[scope] = trio.lowlevel.current_task()
                if self.is_over:
                    scope.cancel()
                try:
                    await call_users(async_fn, *args)
                except BaseException as error:  # noqa: ASYNC103 - recorded, and raised again by `open()`
                    failure = without_cancelled(error)
                    if failure is None:
                        raise
                    self.owner.take_error(failure, title)
        finally:
            del self.background[scope]
            self.owner.jobs -= 1
            self.owner.note_moved()
            self.owner.note("job end", title)

    def end(self, error: BaseException, title: str | None) -> bool:
        """Take over what went wrong in the main function or a job; return False for a cancellation, which goes on."""
        failure = without_cancelled(error)
        if failure is None:
            self.was_cancelled = True
            return False
        self.owner.take_error(failure, title)
        return True

    def _enter(self, *, background: bool) -> None:
        """Count in a job; one that is not in the background keeps the incarnation alive."""
        self.owner.jobs += 1
        self._live += not background

    def leave(self) -> None:
        """Count out the main task or a job; the last one takes the background jobs with it."""
        self._live -= 1
        if self.is_over:
            for scope in self.background:
                scope.cancel()
        self.owner.note_moved()
