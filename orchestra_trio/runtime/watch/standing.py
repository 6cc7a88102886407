"""Where the tasks of a subsystem stand: which of them count, in one line and as stacks.

Some tasks wait for nothing but other tasks of the same subsystem, and move only when those do: one at the end of a
nursery, one whose thread waits in a call that another task carries out, one whose workers are all at work and that no
signal can wake. What a subsystem does as a whole is what its *leading* tasks do: all the others.
"""

from __future__ import annotations

import linecache
import sys
import traceback
from typing import TYPE_CHECKING, Any

import trio

from orchestra_trio.delivery.trio_internals import is_leaving_nursery
from orchestra_trio.errors import a_type
from orchestra_trio.records import Standing

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator
    from types import FrameType

    from trio.lowlevel import Task

    from orchestra_trio.runtime.life.live import LiveSubsystem

__all__ = ["describe", "leading_tasks", "place_of", "stand", "tasks_under"]


def tasks_under(root: Task) -> Iterator[Task]:
    """Return a task and all tasks in nurseries below it, parents first."""
    tasks = [root]
    while tasks:
        task = tasks.pop()
        yield task
        tasks.extend(_children(task))


def leading_tasks(live: LiveSubsystem, left_out: Collection[Task] = ()) -> Iterator[Task]:
    """Return the tasks of a subsystem that wait for something else than others of its tasks.

    Args:
        live: A subsystem that has begun.
        left_out: Tasks that do not count, with all below them.
    """
    tasks = [] if live.root is None else [live.root]
    while tasks:
        task = tasks.pop()
        children = [child for child in _children(task) if child not in left_out]
        tasks.extend(children)
        if not (children and _waits_for_others(task, live)):
            yield task


def _children(task: Task) -> list[Task]:
    return [child for nursery in task.child_nurseries for child in nursery.child_tasks]


def _waits_for_others(task: Task, live: LiveSubsystem) -> bool:
    """Return whether a task that has tasks below it waits for nothing else than those.

    At the end of a nursery without tasks that count it is about to move, and so counts itself.
    """
    hosted = live.hosts.get(task)
    if hosted is not None:
        return hosted.is_calling
    return bool(task.child_nurseries[-1].child_tasks) and is_leaving_nursery(task)


def place_of(live: LiveSubsystem) -> str:
    """Say in one line where the main task stands; where that has returned, where the jobs do."""
    if live.root is None:
        return "has not begun"
    if live.has_ended:
        return "has ended"
    if live.state == "restarting" and live.incarnation is None:
        return "waits to begin anew"
    jobs = _children(live.root)
    if live.root in live.hosts or not jobs or not is_leaving_nursery(live.root):
        return _place_of_task(live.root, live)
    shown = sorted(f"{task.name} {_place_of_task(task, live)}" for task in jobs)[:_SHOWN_JOBS]
    return f"has {len(jobs)} jobs running: {', '.join(shown)}"


def _place_of_task(task: Task, live: LiveSubsystem) -> str:
    wait = live.waits.get(task)
    if wait is not None:
        lane = "" if wait.lane is None else f" ({wait.lane} lane)"
        verb = f"waits for room at {wait.subsystem!r}{lane}, to send"
        if wait.kind == "request":
            verb = f"waits for an answer from {wait.subsystem!r} to"
        return f"{verb} {a_type(wait.message_type)}"
    hosted = live.hosts.get(task)
    if hosted is not None:
        if hosted.is_calling:
            carrier = next(iter(_children(task)), None)
            return "waits in a thread" if carrier is None else _place_of_task(carrier, live)
        frames = [(frame, line) for frame, line in _thread_frames(hosted.ident) if _is_users(frame.f_globals)]
        where = "stands in a thread, at"
    else:
        frames = [(frame, line) for frame, line in task.iter_await_frames() if _is_users(frame.f_globals)]
        where = "stands at"
    if task in live.waiting_for_workers:
        return "waits for a signal, or for one of its workers to end"
    if task in live.receiving_tasks():
        return "waits to receive"
    if not frames:
        return "stands inside the library"
    frame, line = frames[-1]
    return f"{where} {frame.f_code.co_filename}:{line}, in {frame.f_code.co_name}"


def stand(live: LiveSubsystem) -> Standing:
    """Return where a subsystem stands. Changes nothing."""
    return Standing(live.statistics(), place_of(live), _stacks(live))


def describe(standing: Standing) -> str:
    """Return where a subsystem stands, as text of several lines."""
    numbers = standing.statistics
    lines = [
        f"{numbers.name}: {numbers.state}, {standing.place}",
        f"  epoch {numbers.epoch}, jobs {numbers.jobs}, restarts {numbers.restarts}",
    ]
    for name in ("signals", "priority", "unbounded", "bounded"):
        lane = getattr(numbers, name)
        if lane.sent or lane.blocked:
            lines.append(
                f"  {name} lane: {lane.channel_len} now, {lane.peak_channel_len} at the most, {lane.sent} sent, "
                f"{lane.received} received, {lane.blocked} blocked"
            )
    for wait in numbers.waits:
        what = "" if wait.message_type is None else f" {wait.message_type}"
        lane = "" if wait.lane is None else f" ({wait.lane} lane)"
        seconds = trio.current_time() - wait.since
        lines.append(f"  {wait.task} waits for {seconds:.3f} s: {wait.kind}{what} at {wait.subsystem}{lane}")
    stack = "".join(f"  {line}" for line in standing.stack.splitlines(keepends=True))
    return "\n".join([*lines, stack.rstrip()] if stack else lines)


def _stacks(live: LiveSubsystem) -> str:
    """Return the stacks of all tasks and threads as text; the deeper a task stands in nurseries, the later it comes."""
    if live.root is None or live.has_ended:
        return ""
    linecache.checkcache()
    parts: list[str] = []
    carriers = {child for host in live.hosts for child in _children(host)}
    for task in tasks_under(live.root):
        hosted = live.hosts.get(task)
        if hosted is not None:
            parts += [f"thread of {task.name}:\n", *_formatted(_thread_frames(hosted.ident))]
        elif task not in carriers:
            parts += [f"task {task.name}:\n", *_formatted(task.iter_await_frames())]
    return "".join(parts)


def _formatted(frames: Iterable[tuple[FrameType, int]]) -> list[str]:
    """Return users' frames as text, and after each run of them the call that they made; the rest says nothing new."""
    kept: list[tuple[FrameType, int]] = []
    follows_users = False
    for frame, line in frames:
        is_users = _is_users(frame.f_globals)
        if is_users or follows_users:
            kept.append((frame, line))
        follows_users = is_users
    return traceback.StackSummary.extract(iter(kept)).format() or ["  inside the library\n"]


def _thread_frames(ident: int | None) -> list[tuple[FrameType, int]]:
    """Return the frames of a thread and their lines, outermost first; none where it does not run."""
    frame = None if ident is None else sys._current_frames().get(ident)  # noqa: SLF001 - documented, for just this
    return [] if frame is None else [*traceback.walk_stack(frame)][::-1]


_SHOWN_JOBS = 3
"""How many jobs an error shows the places of."""


def _is_users(frame_globals: dict[str, Any]) -> bool:
    """Return whether a frame belongs to neither trio nor this library nor what runs threads."""
    module = str(frame_globals.get("__name__", ""))
    if module.startswith("orchestra_trio.cli."):
        return True  # the demo is a user as any other
    package = module.partition(".")[0]
    return package not in {"trio", "outcome", "threading", "contextvars", "queue", __name__.partition(".")[0]}
