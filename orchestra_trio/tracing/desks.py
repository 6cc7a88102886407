"""Which desk belongs to which thread of a blocking subsystem, and which task is its carrier.

Where a thread is seen to begin (`start`, `job`), both inherit the desk from the task that starts them. A thread that
runs already sits down with the first thing that it is seen to do, which is to ask for a message, just before its
carrier asks for it; so the two are found to belong together.
"""

from __future__ import annotations

from threading import Lock
from typing import TYPE_CHECKING

import trio
from opentelemetry import context as contexts

from orchestra_trio.tracing.current import Desk, desk_in, run_in, sit_down, take_all

if TYPE_CHECKING:
    from opentelemetry.trace import Span
    from trio.lowlevel import Task

__all__ = ["Desks"]


class Desks:
    """The desks of all blocking subsystems of one running orchestra."""

    def __init__(self) -> None:
        """Begin with none."""
        self._of_carrier: dict[object, Desk] = {}
        self._of_host: dict[object, Desk] = {}
        """By the task that waits for the thread."""
        self._of_subsystem: dict[str, list[Desk]] = {}
        self._lock = Lock()
        """Threads come to their desks at once."""

    @property
    def is_empty(self) -> bool:
        """Whether there is none."""
        return not self._of_carrier and not self._of_host and not any(self._of_subsystem.values())

    def begin(self, subsystem: str) -> None:
        """Give a desk to the thread that the current task is about to start, and to its carrier."""
        host = trio.lowlevel.current_task()
        with self._lock:
            desk = self._of_host[host] = self._add(subsystem)
        desk.has_thread = desk.has_carrier = True  # both inherit it
        sit_down(desk)

    def here(self, subsystem: str) -> Desk:
        """Return the desk of this thread, which is one of the subsystem's."""
        desk = self._find_here(subsystem)
        if desk is None:
            with self._lock:
                desk = next((one for one in self._all(subsystem) if not one.has_thread), None) or self._add(subsystem)
                desk.has_thread = True
            sit_down(desk)
        return desk

    def carried_by(self, carrier: Task, subsystem: str) -> Desk:
        """Return the desk of the thread whose carrier this task is."""
        desk = self._of_carrier.get(carrier)
        if desk is None:
            desk = run_in(carrier, self._find_here, subsystem)
            with self._lock:
                if desk is None:
                    free = (one for one in self._all(subsystem) if not one.has_carrier)
                    desk = next(free, None) or self._add(subsystem)
                desk.has_carrier = True
            self._of_carrier[carrier] = desk
            host = None if carrier.parent_nursery is None else carrier.parent_nursery.parent_task
            self._of_host[host] = desk
        return desk

    def of_sender(self, task: Task | None, subsystem: str) -> Desk | None:
        """Return the desk of the thread that sends, itself or by this task; None if the task is nobody's carrier."""
        if task is None:
            return self.here(subsystem)
        desk = self._of_carrier.get(task)
        if desk is None and task.parent_nursery is not None:
            host = task.parent_nursery.parent_task
            if host in self._of_host or host.name == subsystem:
                return self.carried_by(task, subsystem)
        return desk

    def of_host(self, host: object, subsystem: str) -> Desk | None:
        """Return the desk of the thread for which this task has waited; None if nothing of it was ever seen."""
        found = self._of_host.get(host)
        return found or next((one for one in self._all(subsystem) if one not in self._of_host.values()), None)

    def clear(self, task: object) -> list[Span]:
        """Return what lies on the desk of the thread for which a task has waited, and take the desk away."""
        self._of_carrier.pop(task, None)
        desk = self._of_host.pop(task, None)
        if desk is None:
            return []
        with self._lock:
            for desks in self._of_subsystem.values():
                if desk in desks:
                    desks.remove(desk)
        return take_all(desk.spans)

    def clear_all(self, subsystem: str) -> list[Span]:
        """Return what lies on all desks of a subsystem, and take them away."""
        with self._lock:
            desks = self._of_subsystem.pop(subsystem, [])
        for known in (self._of_carrier, self._of_host):
            for task in [task for task, desk in known.items() if desk in desks]:
                del known[task]
        return [span for desk in desks for span in take_all(desk.spans)]

    def _add(self, subsystem: str) -> Desk:
        desk = Desk((self, subsystem))
        self._of_subsystem.setdefault(subsystem, []).append(desk)
        return desk

    def _all(self, subsystem: str) -> list[Desk]:
        return self._of_subsystem.get(subsystem, [])

    def _find_here(self, subsystem: str) -> Desk | None:
        desk = desk_in(contexts.get_current(), (self, subsystem))
        return desk if desk is not None and desk in self._all(subsystem) else None
