"""Deadlocks: subsystems of which every task waits, for ever, for another one of them.

A subsystem is *stuck* if each of its leading tasks (`standing`) waits without a deadline to send into the full lane of
a stuck subsystem, or for the answer to a request that still lies in the lane of one. The stuck subsystems are the
greatest set for which that holds, not a cycle: one task of a member that could still move may receive, and free all.
Once a request was taken, anybody may answer it, so that such a wait makes nobody stuck. Sound before complete: what
the library cannot see through (a timer, a socket, an outside task, a signal that may come) counts as able to move.

When does a set become stuck? Only when one of its tasks begins to wait, or ends: all others were waiting before. And
then whatever this one waits for, directly or through others, must be in the set too. So each such moment looks along
the waits of one subsystem, and ends at the first subsystem that has a task which may move; among slots that no cycle of
the wiring connects nobody looks at all. What passes this first look is a *suspect*. It is examined before the next wait
of trio's loop, when a task that has just ended is gone and one at the end of its nursery has arrived there; and again
before each further one for as long as only a nursery of its own keeps a task from being stuck, since nobody tells when
it reaches the end of that.

The instrument only looks, as `rest` does, and asks trio to call back: the call makes sure that it still holds.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, TypeAlias

import attrs
import trio

from orchestra_trio.delivery.trio_internals import has_deadline_within
from orchestra_trio.errors import DeadlockDetected
from orchestra_trio.runtime.watch.standing import leading_tasks

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from trio.lowlevel import Task

    from orchestra_trio.runtime.life.live import LiveSubsystem, Waiting
    from orchestra_trio.wiring.graph import WiringGraph

__all__ = ["DeadlockWatch"]

_Finding: TypeAlias = Literal["free", "unsure", "stuck"]


@attrs.define(eq=False)
class DeadlockWatch(trio.abc.Instrument):
    """Looks for deadlocks in one running orchestra."""

    orchestra: str
    subsystems: Mapping[str, LiveSubsystem]
    scope: trio.CancelScope
    """Of the orchestra's nursery: deadlines outside of it are none of its subsystems'."""
    outer_deadline: float
    report: Callable[[DeadlockDetected], object]
    """Called once for each deadlock."""
    _suspects: dict[str, LiveSubsystem] = attrs.Factory(dict[str, "LiveSubsystem"])
    _named: list[Waiting] = attrs.Factory(list["Waiting"])
    """The waits of the deadlocks that were reported."""
    _is_called: bool = False
    """Whether trio was asked to call back."""
    _token: trio.lowlevel.TrioToken = attrs.Factory(trio.lowlevel.current_trio_token)

    def watch(self, graph: WiringGraph) -> None:
        """Look at each subsystem that lies on a cycle of the wiring, whenever a task of it begins to wait or ends."""
        for component in graph.components:
            if graph.is_cyclic(component):
                for name in component:
                    self.subsystems[name].on_wait = self._suspect

    def close(self) -> None:
        """Look no more."""
        for live in self.subsystems.values():
            live.on_wait = None
        if self._suspects:
            self._suspects.clear()
            trio.lowlevel.remove_instrument(self)

    def before_io_wait(self, timeout: float) -> None:
        """Examine the suspects. Called by trio."""
        del timeout  # there may be other work in the program: what counts is whether these tasks can move
        if not self._is_called and self._examine():
            self._is_called = True
            self._token.run_sync_soon(self._call)

    def _suspect(self, live: LiveSubsystem) -> None:
        if self._reached(live) is None:
            return
        if not self._suspects:
            trio.lowlevel.add_instrument(self)
        self._suspects[live.name] = live

    def _call(self) -> None:
        self._is_called = False
        found = self._examine() if self._suspects else {}
        if found:
            cycle, waits = self._cycle(found)
            if not any(wait in self._named for wait in waits):
                self._named = [*(one for one in self._named if self._is_waited(one)), *waits]
                self.report(DeadlockDetected(self.orchestra, cycle, sorted(found, key=self._place)))
            for name in found:
                self._suspects.pop(name, None)
            if not self._suspects:
                trio.lowlevel.remove_instrument(self)

    def _reached(self, live: LiveSubsystem) -> dict[str, LiveSubsystem] | None:
        """Return the subsystems that one waits for, directly or through others; None if some wait for none."""
        reached = {live.name: live}
        for one in (found := [live]):  # grows while it is walked
            if one.has_ended or not one.waits:
                return None
            for wait in one.waits.values():
                target = self.subsystems.get(wait.subsystem)
                if target is None:
                    return None  # the embedding program may move
                if target.name not in reached:
                    reached[target.name] = target
                    found.append(target)
        return reached

    def _examine(self) -> dict[str, LiveSubsystem]:
        """Return the members of a deadlock, if there is one; free those suspects that nothing keeps suspicious."""
        for name, live in list(self._suspects.items()):
            reached = self._reached(live)
            finding = "free" if reached is None else self._judge(reached)
            if finding == "stuck" and reached is not None:
                return reached
            if finding == "free":
                del self._suspects[name]
        if not self._suspects:
            trio.lowlevel.remove_instrument(self)
        return {}

    def _judge(self, members: Mapping[str, LiveSubsystem]) -> _Finding:
        """Return whether all tasks of all members wait for ever for members."""
        findings = {self._judge_task(task, live, members) for live in members.values() for task in leading_tasks(live)}
        return "free" if "free" in findings else "unsure" if "unsure" in findings else "stuck"

    def _judge_task(self, task: Task, live: LiveSubsystem, members: Mapping[str, LiveSubsystem]) -> _Finding:
        wait = live.waits.get(task)
        if wait is None:
            return "unsure" if _is_unheard(task, live) else "free"
        if wait.subsystem not in members:
            return "free"
        nearer = self.outer_deadline - live.noted_deadlines.get(task, self.outer_deadline)
        if has_deadline_within(task, self.scope, nearer):
            return "free"
        if wait.reply is not None:
            lanes = self.subsystems[wait.subsystem].mailbox.message_lanes
            return "stuck" if any(lane.holds(wait.reply) for lane in lanes) else "free"
        return "stuck"

    def _cycle(self, members: Mapping[str, LiveSubsystem]) -> tuple[list[tuple[str, str, type]], list[Waiting]]:
        """Return a cycle among the members: who waits, how and with which type; and these waits."""
        path: dict[str, Waiting] = {}
        name = next(iter(members))
        while name not in path:
            live = members[name]
            wait = next(live.waits[task] for task in leading_tasks(live) if task in live.waits)
            path[name] = wait
            name = wait.subsystem
        names = list(path)[list(path).index(name) :]
        first = min(names, key=self._place)  # the same cycle is told in one way, whoever closed it
        begin = names.index(first)
        ordered = [*names[begin:], *names[:begin]]
        links: list[tuple[str, str, type]] = [
            (one, path[one].lane or path[one].kind, path[one].message_type) for one in ordered
        ]
        return links, [path[one] for one in ordered]

    def _place(self, name: str) -> int:
        return list(self.subsystems).index(name)

    def _is_waited(self, wait: Waiting) -> bool:
        return any(wait in live.waits.values() for live in self.subsystems.values())


def _is_unheard(task: Task, live: LiveSubsystem) -> bool:
    """Return whether nobody will tell when a task that may move cannot do so any more.

    That it waits for another subsystem is always told, as is the end of main tasks and jobs; but not that a task comes
    to the end of a nursery that users opened, or that one in such a nursery ends.
    """
    parent = None if task.parent_nursery is None else task.parent_nursery.parent_task
    if task in live.hosts or parent in live.hosts or task in live.receiving_tasks():
        return False
    if task is live.root:
        return len(task.child_nurseries) > 1
    return bool(task.child_nurseries) or parent is not live.root
