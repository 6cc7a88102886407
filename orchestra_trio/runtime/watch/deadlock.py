"""Deadlocks: subsystems of which every task waits, for ever, for another one of them.

A subsystem is *stuck* if each of its leading tasks (`standing`) waits without a deadline to send into the full lane of
a stuck subsystem, or for the answer to a request that still lies in the lane of one. The stuck subsystems are the
greatest set for which that holds, not a cycle: one task of a member that could still move may receive, and free all.
Once a request was taken, anybody may answer it, so that such a wait makes nobody stuck. Sound before complete: what
the library cannot see through (a timer, a socket, an outside task, a signal that may come) counts as able to move.

When does a set become stuck? When a task of it begins to wait for a subsystem, or stops to count: it has ended, or
waits for nothing but tasks below it. Of the beginning of waits the watch is always told, but of the rest only for
tasks that are *heard*: main tasks and jobs without nurseries of their own. Nobody tells that a task which users
started in a nursery of theirs has ended, or that one has come to the end of such a nursery.

To look along all waits at each of these moments would take, for a message that passes N subsystems of which all wait
for the last one, time in proportion to N squared. So each subsystem has a *rank*, and one that waits *leans* on a task
of its own that may move, or on a subsystem that it waits for and that has a higher rank. Whoever leans is not stuck: by
the ranks, those who lean on each other come to an end at one that may move. One of whom no wait is on record may move,
and is told of before it waits: it gets the highest rank when it is to be leaned on.

Invariant, before each wait of trio's loop: each subsystem on a cycle of the wiring that waits leans, but for those that
are in deadlocks that were found. One that leans on a heard task need not be looked at before the watch is told of it
again. Any other is a *suspect*: one that leans on nothing yet, or on a task that is not heard. A suspect is examined
when a task of it has run. If it leans on nothing by what is on record, that goes task by task, and along all waits to
one that may move; those on the way then get higher ranks than all others. Where there is no such way, it is stuck.
Among slots that no cycle of the wiring connects nobody looks at all.

The instrument only looks, as `rest` does, and asks trio to call back: the call makes sure that it still holds. Tasks
that were woken may not have run by then, and are on record as waiting. Whether one really waits is told by the lane,
which whoever woke it has changed in the same step.

With trio's public interface alone, a deadline is seen only if it is nearer than that of the orchestra's surroundings.
So a task whose own time limit would pass only after those have ended everything counts as one that waits for ever.
"""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import attrs
import trio

from orchestra_trio.delivery.trio_internals import has_deadline_within
from orchestra_trio.delivery.waiting import Parked
from orchestra_trio.errors import DeadlockDetected
from orchestra_trio.runtime.watch.standing import leading_tasks, stand

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

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
    _ranks: dict[str, int] = attrs.Factory(dict[str, int])
    """Of all subsystems on cycles of the wiring."""
    _highest: int = 0
    _suspects: dict[str, Task | None] = attrs.Factory(dict[str, "Task | None"])
    """With their root tasks; None before they have begun, when only outside tasks wait in their name."""
    _roots: dict[Task, str] = attrs.Factory(dict["Task", str])
    """The suspects by their root tasks."""
    _restless: dict[str, None] = attrs.Factory(dict[str, None])
    """Suspects that are to be examined: new ones, and those of which a task has run since."""
    _stuck: set[str] = attrs.Factory(set[str])
    """All that were found stuck, and of which no task has run since."""
    _reported: set[Waiting] = attrs.Factory(set["Waiting"])
    """The waits of the deadlocks that were reported: one is another one if it has a further wait."""
    _is_called: bool = False
    """Whether trio was asked to call back."""
    _token: trio.lowlevel.TrioToken = attrs.Factory(trio.lowlevel.current_trio_token)

    def watch(self, graph: WiringGraph) -> None:
        """Look at each subsystem that lies on a cycle of the wiring, whenever a task of it begins to wait or ends."""
        for component in graph.components:
            if graph.is_cyclic(component):
                for name in component:
                    self.subsystems[name].on_wait = self._look
                    self._ranks[name] = 0

    def close(self) -> None:
        """Look no more."""
        for live in self.subsystems.values():
            live.on_wait = None
        for name in list(self._suspects):
            self._let_go(name)

    def before_io_wait(self, timeout: float) -> None:
        """Examine the suspects. Called by trio."""
        del timeout  # there may be other work in the program: what counts is whether these tasks can move
        if self._restless and not self._is_called and self._examine():
            self._is_called = True
            self._token.run_sync_soon(self._call)

    def before_task_step(self, task: Task) -> None:
        """Note that a suspect moves. Called by trio."""
        ancestor: Task | None = task
        while ancestor is not None:
            name = self._roots.get(ancestor)
            if name is not None:
                self._restless[name] = None
                return
            nursery = ancestor.parent_nursery
            ancestor = None if nursery is None else nursery.parent_task

    def _look(self, live: LiveSubsystem) -> None:
        """Look at a subsystem of which a task has begun to wait or has ended."""
        task = self._leaning_task(live)
        if task is None or not _is_heard(task, live):
            self._suspect(live)
            self._restless[live.name] = None
        elif self._stuck:
            self._stuck.discard(live.name)

    def _suspect(self, live: LiveSubsystem) -> None:
        if not self._suspects:
            trio.lowlevel.add_instrument(self)
        root = self._suspects[live.name] = live.root
        if root is not None:
            self._roots[root] = live.name

    def _let_go(self, name: str) -> None:
        """Suspect a subsystem no longer."""
        if name in self._suspects:
            root = self._suspects.pop(name)
            if root is not None:
                del self._roots[root]
            self._restless.pop(name, None)
            if not self._suspects:
                trio.lowlevel.remove_instrument(self)

    def _call(self) -> None:
        self._is_called = False
        stuck = self._examine()
        if not stuck:
            return
        self._note_stuck(stuck)
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

    def _note_stuck(self, stuck: Iterable[str]) -> None:
        """Note who is stuck; who has leaned on them is to be examined."""
        before = len(self._stuck)
        self._stuck.update(stuck)
        for name in stuck:
            self._restless.pop(name, None)
        if len(self._stuck) > before:
            for name in self._ranks:
                if self.subsystems[name].waits and name not in self._stuck:
                    self._suspect(self.subsystems[name])
                    self._restless[name] = None

    def _examine(self) -> dict[str, list[_Tie]]:
        """Examine the restless suspects until one is stuck; return all that it depends on, with their ties."""
        offering: dict[Lane[Any], set[Task]] = {}
        for live in [self.subsystems[name] for name in self._restless]:
            task = self._leaning_task(live)
            is_heard = not live.waits or (task is not None and _is_heard(task, live))
            if live.waits and task is None:
                way, reached = _find_way(live.name, lambda name: self._sorted_ties(name, offering))
                if not way:
                    return reached
                is_heard = way[0].is_heard
                self._lean(way)
            self._stuck.discard(live.name)
            self._restless.pop(live.name, None)
            if is_heard:
                self._let_go(live.name)
        return {}

    def _leaning_task(self, live: LiveSubsystem) -> Task | None:
        """Return a task of a subsystem that leans on another one, by what is on record; if possible, one that is heard.

        It may have been woken already, or may have a deadline: then it may move, which is as good.
        """
        found: Task | None = None
        for task, wait in islice(live.waits.items(), _LOOKED_AT):
            if self._can_be_leaned_on(wait.subsystem, live.name):
                if _is_heard(task, live):
                    return task
                if found is None and _is_inside(task, live):
                    found = task
        return found

    def _can_be_leaned_on(self, name: str, follower: str) -> bool:
        """Return whether a subsystem has a higher rank than one that waits for it, or may get one."""
        rank = self._ranks.get(name)
        if rank is None:
            return not self._stuck  # it lies on no cycle; what it waits for may
        if rank > self._ranks[follower]:
            return name not in self._stuck
        if self.subsystems[name].waits:
            return False
        self._raise((name,))
        return True

    def _lean(self, way: Sequence[_Step]) -> None:
        """Let each subsystem on a way lean on the next one, and the last on a task of its own."""
        self._raise(step.name for step in way)
        for step in way:
            self._stuck.discard(step.name)
            live = self.subsystems[step.name]
            if step.name in self._ranks and live.waits and not step.is_heard:
                self._suspect(live)

    def _raise(self, names: Iterable[str]) -> None:
        """Let subsystems have higher ranks than all others, the last the highest."""
        for name in names:
            if name in self._ranks:
                self._highest += 1
                self._ranks[name] = self._highest

    def _sorted_ties(self, name: str, offering: dict[Lane[Any], set[Task]]) -> list[_Tie]:
        """Return the ties of a subsystem, those of heard tasks first; one without any has not begun, and may move."""
        ties = list(self._ties(self.subsystems[name], offering))
        return sorted(ties, key=lambda tie: not tie.is_heard) or [_Tie(None, is_heard=False)]

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
        places = {one: place for place, one in enumerate(self.subsystems)}
        begin = names.index(min(names, key=places.__getitem__))
        # The same cycle is told in one way, whoever closed it.
        return {one: path[one] for one in [*names[begin:], *names[:begin]]}


_LOOKED_AT: Final = 8
"""How many of the waits of one subsystem are looked at before all of its tasks are: it may have thousands."""


def _is_heard(task: Task, live: LiveSubsystem) -> bool:
    """Return whether the watch is told when a task stops to count."""
    if task is live.root:
        return len(task.child_nurseries) <= 1 or task in live.hosts
    nursery = task.parent_nursery
    if task in live.hosts or (nursery is not None and nursery.parent_task in live.hosts):
        return True
    is_job = live.root is not None and nursery in live.root.child_nurseries[:1]
    return is_job and not task.child_nurseries


def _is_inside(task: Task, live: LiveSubsystem) -> bool:
    """Return whether a task is one of a subsystem's own, and not an outside one that uses its context."""
    ancestor: Task | None = task
    while ancestor is not None and ancestor is not live.root:
        nursery = ancestor.parent_nursery
        ancestor = None if nursery is None else nursery.parent_task
    return ancestor is not None


@attrs.define
class _Step:
    """One subsystem on a way along the waits."""

    name: str
    rest: Iterator[_Tie]
    """Its ties that were not followed yet."""
    is_heard: bool = False
    """Whether the task is heard by whose tie the way goes on."""


def _find_way(start: str, look: Callable[[str], list[_Tie]]) -> tuple[list[_Step], dict[str, list[_Tie]]]:
    """Follow the ties from one subsystem on, until one is found that may move.

    Args:
        start: The subsystem.
        look: Returns the ties of one.

    Returns:
        The way there, empty if there is none; and all that were reached, with their ties: without a way, all of these
        are stuck.
    """
    reached = {start: look(start)}
    way = [_Step(start, iter(reached[start]))]
    while way:
        step = way[-1]
        tie = next(step.rest, None)
        if tie is None:
            way.pop()
            continue
        step.is_heard = tie.is_heard
        if tie.wait is None:
            break
        onward = tie.wait.subsystem
        if onward not in reached:
            reached[onward] = look(onward)
            way.append(_Step(onward, iter(reached[onward])))
    return way, reached


def _closure(names: Iterable[str], ties: Mapping[str, list[_Tie]]) -> dict[str, list[_Tie]]:
    """Return the ties of all that some stuck subsystems depend on.

    Args:
        names: These subsystems.
        ties: Of all that are stuck.
    """
    found = {name: ties[name] for name in names}
    walked = list(found)
    for name in walked:  # grows while it is walked
        for tie in ties[name]:
            if tie.wait is not None and tie.wait.subsystem not in found:
                found[tie.wait.subsystem] = ties[tie.wait.subsystem]
                walked.append(tie.wait.subsystem)
    return found
