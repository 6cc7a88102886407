"""Deadlocks: subsystems of which every task waits, for ever, for another one of them.

A subsystem is *stuck* if each of its leading tasks (`standing`) waits without a deadline to send into the full lane of
a stuck subsystem, or for the answer to a request that still lies in the lane of one. The stuck subsystems are the
greatest set for which that holds, not a cycle: one task of a member that could still move may receive, and free all.
Once a request was taken, anybody may answer it, so that such a wait makes nobody stuck. Sound before complete: what
the library cannot see through (a timer, a socket, an outside task, a signal that may come) counts as able to move.

When does a set become stuck? When a task of it begins to wait for a subsystem, or stops to count: it has ended, or
waits for nothing but tasks below it. Of the beginning of waits the watch is always told, but of the rest only for
tasks that are *heard*: main tasks and jobs without nurseries of their own. Nobody tells that a task which users
started in a nursery of theirs has ended, or that one has come to the end of such a nursery. So a subsystem is *free*,
and need not be looked at before the watch is told of it again, if a heard task of it may move, or waits for a free
one. Each moment that is told looks along the waits from one subsystem, until that is known to be free; among slots
that no cycle of the wiring connects nobody looks at all. One that is not free is a *suspect*: it is examined, task by
task, before the next wait of trio's loop, and again when a task of those that it depends on has run, until it is either
free or stuck.

The instrument only looks, as `rest` does, and asks trio to call back: the call makes sure that it still holds. Tasks
that were woken may not have run by then, and are on record as waiting. Whether one really waits is told by the lane,
which whoever woke it has changed in the same step.

With trio's public interface alone, a deadline is seen only if it is nearer than that of the orchestra's surroundings.
So a task whose own time limit would pass only after those have ended everything counts as one that waits for ever.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import attrs
import trio

from orchestra_trio.delivery.trio_internals import has_deadline_within
from orchestra_trio.delivery.waiting import Parked
from orchestra_trio.errors import DeadlockDetected
from orchestra_trio.runtime.watch.standing import leading_tasks, stand

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from trio.lowlevel import Task

    from orchestra_trio.delivery.lanes import Lane
    from orchestra_trio.runtime.life.live import LiveSubsystem, Waiting
    from orchestra_trio.wiring.graph import WiringGraph

__all__ = ["DeadlockWatch"]


class _Tie(NamedTuple):
    """What keeps one task of a subsystem."""

    wait: Waiting | None
    """Its wait for a subsystem, without a deadline; None where it may move."""
    is_heard: bool
    """Whether the watch is told when it stops to count."""


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
    found: list[DeadlockDetected] = attrs.Factory(list[DeadlockDetected])
    """All that were reported."""
    _suspects: dict[str, None] = attrs.Factory(dict[str, None])
    _reported: set[Waiting] = attrs.Factory(set["Waiting"])
    """The waits of the deadlocks that were reported: one is another one if it has a further wait."""
    _roots: set[Task] = attrs.Factory(set["Task"])
    """Of the subsystems that suspects depend on, as they were last examined: the root tasks."""
    _has_moved: bool = False
    """Whether a task below those has run since, or there is another suspect."""
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
        self._let_go(list(self._suspects))

    def before_io_wait(self, timeout: float) -> None:
        """Examine the suspects. Called by trio."""
        del timeout  # there may be other work in the program: what counts is whether these tasks can move
        if self._has_moved and not self._is_called and self._examine():
            self._is_called = True
            self._token.run_sync_soon(self._call)

    def before_task_step(self, task: Task) -> None:
        """Note that a subsystem that suspects depend on moves. Called by trio."""
        ancestor: Task | None = None if self._has_moved else task
        while ancestor is not None:
            if ancestor in self._roots:
                self._has_moved = True
                return
            nursery = ancestor.parent_nursery
            ancestor = None if nursery is None else nursery.parent_task

    def _suspect(self, live: LiveSubsystem) -> None:
        for task, wait in live.waits.items():  # nearly always enough, at a third of the cost of what follows
            target = self.subsystems.get(wait.subsystem)
            if (target is None or not target.waits) and _is_heard(task, live):
                return
        if _explore(live.name, self._ties_on_record) is None:
            return
        if not self._suspects:
            trio.lowlevel.add_instrument(self)
        self._suspects[live.name] = None
        self._has_moved = True

    def _let_go(self, names: Iterable[str]) -> None:
        """Suspect some subsystems no longer."""
        if self._suspects:
            for name in names:
                self._suspects.pop(name, None)
            if not self._suspects:
                trio.lowlevel.remove_instrument(self)

    def _call(self) -> None:
        self._is_called = False
        stuck = self._examine()
        if not stuck:
            return
        cycle = self._cycle(stuck)
        members = _closure(cycle, stuck)
        waits = {tie.wait for ties in members.values() for tie in ties if tie.wait is not None}
        if not waits <= self._reported:
            on_record = {wait for live in self.subsystems.values() for wait in live.waits.values()}
            self._reported = waits | (self._reported & on_record)
            links = [(name, wait.lane or wait.kind, wait.message_type) for name, wait in cycle.items()]
            standings = [stand(live) for name, live in self.subsystems.items() if name in members]
            self.found.append(DeadlockDetected(self.orchestra, links, standings))
            self.report(self.found[-1])
        self._let_go([next(iter(stuck)), *members])  # the suspect may only wait for the deadlock

    def _examine(self) -> dict[str, list[_Tie]]:
        """Return a stuck suspect with all that it waits for, if there is one; let go of suspects that are free."""
        offering: dict[Lane[Any], set[Task]] = {}
        self._roots.clear()
        self._has_moved = False
        free: list[str] = []
        for name in self._suspects:
            ties = _explore(name, lambda one: self._ties(self.subsystems[one], offering))
            if ties is None:
                free.append(name)
                continue
            stuck = _closure([name], ties)
            if stuck:
                self._has_moved = True  # whatever comes of it, the other suspects are still to be examined
                return stuck
            self._roots.update(root for one in ties if (root := self.subsystems[one].root) is not None)
        self._let_go(free)
        return {}

    def _ties_on_record(self, name: str) -> Iterator[_Tie]:
        """Return what the tasks of a subsystem are on record to wait for: cheap, and those that may move are missing.

        One of which nothing is on record is not stuck, and cannot be before the watch is told of its first wait.
        """
        live = self.subsystems[name]
        for task, wait in live.waits.items():
            yield _Tie(wait if wait.subsystem in self.subsystems else None, _is_heard(task, live))

    def _ties(self, live: LiveSubsystem, offering: dict[Lane[Any], set[Task]]) -> Iterator[_Tie]:
        """Return what keeps each leading task of a subsystem.

        Args:
            live: The subsystem.
            offering: Who waits to send into each lane, as far as it was looked at.
        """
        for task in leading_tasks(live):
            wait = live.waits.get(task)
            for_ever = not self._has_deadline(task, live)
            if wait is not None and for_ever and self._is_kept(task, wait, offering):
                yield _Tie(wait, _is_heard(task, live))
            elif not (for_ever and task in live.waiting_for_workers and not live.slot.signals):
                yield _Tie(None, _is_heard(task, live))

    def _has_deadline(self, task: Task, live: LiveSubsystem) -> bool:
        nearer = self.outer_deadline - live.noted_deadlines.get(task, self.outer_deadline)
        return has_deadline_within(task, self.scope, nearer)

    def _is_kept(self, task: Task, wait: Waiting, offering: dict[Lane[Any], set[Task]]) -> bool:
        """Return whether nothing but its consumer's receiving can end a wait that is on record."""
        target = self.subsystems.get(wait.subsystem)
        if target is None:
            return False  # it waits for the embedding program
        lanes = target.mailbox.message_lanes
        if wait.reply is not None:
            return any(lane.holds(wait.reply) for lane in lanes)
        for lane in lanes:
            if lane not in offering:
                # A thread may take one out meanwhile: hence the copy.
                offering[lane] = {one.task for one in list(lane.offers) if isinstance(one, Parked)}
        return any(task in offering[lane] for lane in lanes)

    def _cycle(self, stuck: Mapping[str, list[_Tie]]) -> dict[str, Waiting]:
        """Return a cycle among stuck subsystems: who waits in it, in this order, and for what."""
        path: dict[str, Waiting] = {}
        name = next(iter(stuck))
        while name not in path:
            path[name] = next(tie.wait for tie in stuck[name] if tie.wait is not None)
            name = path[name].subsystem
        names = list(path)[list(path).index(name) :]
        begin = names.index(min(names, key=list(self.subsystems).index))
        # The same cycle is told in one way, whoever closed it.
        return {one: path[one] for one in [*names[begin:], *names[:begin]]}


def _is_heard(task: Task, live: LiveSubsystem) -> bool:
    """Return whether the watch is told when a task stops to count."""
    if task is live.root:
        return len(task.child_nurseries) <= 1 or task in live.hosts
    nursery = task.parent_nursery
    if task in live.hosts or (nursery is not None and nursery.parent_task in live.hosts):
        return True
    is_job = live.root is not None and nursery in live.root.child_nurseries[:1]
    return is_job and not task.child_nurseries


def _explore(start: str, look: Callable[[str], Iterable[_Tie]]) -> dict[str, list[_Tie]] | None:
    """Follow the ties from one subsystem on.

    Args:
        start: The subsystem.
        look: Returns the ties of one.

    Returns:
        The ties of all that are reached and are not free; None if `start` is free.
    """
    reached: dict[str, list[_Tie]] = {start: []}
    free: set[str] = set()
    followers: dict[str, list[str]] = {}
    path = [(start, iter(look(start)))]
    while path:  # depth first: to know that one is free, one path to another one that is suffices
        name, rest = path[-1]
        onward = None if name in free else _follow(name, rest, reached, free, followers)
        if onward is not None:
            reached[onward] = []
            path.append((onward, iter(look(onward))))
            continue
        path.pop()
        if not reached[name]:
            _set_free(name, free, followers)
        if start in free:
            return None
    return {name: ties for name, ties in reached.items() if name not in free}


def _follow(
    name: str,
    rest: Iterator[_Tie],
    reached: dict[str, list[_Tie]],
    free: set[str],
    followers: dict[str, list[str]],
) -> str | None:
    """Look at the ties of a subsystem that were not looked at yet.

    Returns:
        One that it is tied to and that was not reached before; None if there are no more, or it has turned out to be
        free, and then it has no ties.
    """
    for tie in rest:
        reached[name].append(tie)
        target = None if tie.wait is None else tie.wait.subsystem
        if target is not None and target not in free:
            if tie.is_heard:
                followers.setdefault(target, []).append(name)
            if target not in reached:
                return target
        elif tie.is_heard:
            reached[name].clear()
            break
    return None


def _set_free(name: str, free: set[str], followers: Mapping[str, list[str]]) -> None:
    """Add a subsystem to those that are free, and those that follow it: it is free if one that it waits for is."""
    freed = [name]
    for one in freed:  # grows while it is walked
        if one not in free:
            free.add(one)
            freed += followers.get(one, ())


def _closure(names: Iterable[str], ties: Mapping[str, list[_Tie]]) -> dict[str, list[_Tie]]:
    """Return the ties of all subsystems that some of them are tied to; nothing if a task of theirs may move.

    Args:
        names: These subsystems.
        ties: Of all that are not free.
    """
    found = {name: ties[name] for name in names}
    walked = list(found)
    for name in walked:  # grows while it is walked
        for tie in ties[name]:
            if tie.wait is None or tie.wait.subsystem not in ties:
                return {}
            if tie.wait.subsystem not in found:
                found[tie.wait.subsystem] = ties[tie.wait.subsystem]
                walked.append(tie.wait.subsystem)
    return found
