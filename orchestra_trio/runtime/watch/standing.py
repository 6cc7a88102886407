"""Where subsystems stand: which of their tasks count, and all of it as text, for people.

Some tasks wait for nothing but other tasks of the same subsystem, and move only when those do: one at the end of a
nursery, one whose thread waits in a call that another task carries out. What a subsystem does as a whole is what its
*leading* tasks do: all the others.
"""

from __future__ import annotations

import linecache
import textwrap
from typing import TYPE_CHECKING

import trio

from orchestra_trio.delivery.trio_internals import is_leaving_nursery
from orchestra_trio.records import Standing
from orchestra_trio.runtime.watch.stances import Stances, children_of, tasks_under

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from trio.lowlevel import Task

    from orchestra_trio.records import OrchestraStatistics
    from orchestra_trio.runtime.life.live import LiveSubsystem
    from orchestra_trio.runtime.watch.stances import Stance

__all__ = ["describe", "dump", "leading_tasks", "stand"]


def leading_tasks(live: LiveSubsystem, left_out: Collection[Task] = ()) -> Iterator[Task]:
    """Return the tasks of a subsystem that wait for something else than others of its tasks.

    Args:
        live: A subsystem that has begun.
        left_out: Tasks that do not count, with all below them.
    """
    tasks = [] if live.root is None else [live.root]
    while tasks:
        task = tasks.pop()
        children = [child for child in children_of(task) if child not in left_out]
        tasks.extend(children)
        if not (children and _waits_for_others(task, live)):
            yield task


def _waits_for_others(task: Task, live: LiveSubsystem) -> bool:
    """Return whether a task that has tasks below it waits for nothing else than those.

    At the end of a nursery without tasks that count it is about to move, and so counts itself.
    """
    hosted = live.hosts.get(task)
    if hosted is not None:
        return hosted.is_calling
    return bool(task.child_nurseries[-1].child_tasks) and is_leaving_nursery(task)


# --- As text -------------------------------------------------------------------------------------------------------

_SHOWN_JOBS = 3
"""How many jobs one line shows the places of."""

_LISTED_FROM = 6
"""From so many subsystems on, a list of them comes before what is told of each."""


def stand(live: LiveSubsystem) -> Standing:
    """Return where a subsystem stands. Changes nothing."""
    linecache.checkcache()
    stances = Stances(live)
    return Standing(live.statistics(), _place(live, stances), _stacks(live, stances))


def describe(standing: Standing) -> str:
    """Return where a subsystem stands, as text of several lines."""
    numbers = standing.statistics
    place = "" if numbers.has_ended else f", {standing.place}"
    counts = [
        f"epoch {numbers.epoch}" if numbers.epoch else "",
        _count(numbers.jobs, "job") if numbers.jobs else "",
        _count(numbers.restarts, "restart") if numbers.restarts else "",
    ]
    lines = [f"{numbers.name}: {numbers.state}{place}"]
    if any(counts):
        lines.append(f"  {', '.join(filter(None, counts))}")
    for name, lane in numbers.lanes.items():
        if lane.sent or lane.blocked:
            waited = f", senders waited {_count(lane.blocked, 'time')}" if lane.blocked else ""
            lines.append(
                f"  {name} lane: {lane.channel_len} now, {lane.peak_channel_len} at the most, "
                f"{lane.sent} sent, {lane.received} received{waited}"
            )
    if standing.stack:
        lines.append(textwrap.indent(standing.stack.rstrip(), "  "))
    return "\n".join(lines)


def dump(numbers: OrchestraStatistics, standings: Sequence[Standing]) -> str:
    """Return where all subsystems of an orchestra stand, as text; of many, with a list of them at the beginning."""
    letters = ", ".join(f"{count} {reason}" for reason, count in numbers.dead_letters.items()) or "none"
    parts = [f"{numbers.name}: up {numbers.uptime:.3f} s, epoch {numbers.epoch}, dead letters: {letters}"]
    if len(standings) >= _LISTED_FROM:
        parts.append(_list(standings))
    return "\n\n".join([*parts, *map(describe, standings)]) + "\n"


def _list(standings: Sequence[Standing]) -> str:
    """Return a line for each subsystem: its state, how much lies in its lanes, and where it stands."""
    rows = [("", "state", "in lanes", "place")]
    for one in standings:
        numbers = one.statistics
        lying = sum(lane.channel_len for _, lane in numbers.lanes.items())
        rows.append((numbers.name, numbers.state, str(lying), one.place))
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    return "\n".join(
        f"  {name:<{widths[0]}}  {state:<{widths[1]}}  {lying:>{widths[2]}}  {place}"
        for name, state, lying, place in rows
    )


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def _place(live: LiveSubsystem, stances: Stances) -> str:
    """Say in one line where the main task stands; where that has returned, where the jobs do."""
    if live.root is None:
        return "has not begun"
    if live.has_ended:
        return "has ended"
    if _waits_to_begin_anew(live):
        return "waits to begin anew"
    if not _has_returned(live.root, live):
        return stances.of(live.root).place
    jobs = children_of(live.root)
    shown = sorted(f"{task.name} {stances.of(task).place}" for task in jobs)[:_SHOWN_JOBS]
    more = ", ..." if len(jobs) > _SHOWN_JOBS else ""
    return f"has {len(jobs)} jobs running: {', '.join(shown)}{more}"


def _stacks(live: LiveSubsystem, stances: Stances) -> str:
    """Return what all tasks and threads do, with their stacks: the main task first, then by name, those alike once."""
    if live.root is None or live.has_ended:
        return ""
    carriers = {carrier for host in live.hosts for carrier in stances.carriers(host)}
    inside = [task for task in tasks_under(live.root) if task not in carriers]
    shown = sorted(inside[1:], key=lambda task: task.name)
    if not (_waits_to_begin_anew(live) or _has_returned(live.root, live)):
        shown.insert(0, live.root)
    known = {*inside, *carriers}
    groups: dict[tuple[str, str, str], list[Stance]] = {}
    for task in [*shown, *(task for task in live.waits if task not in known)]:
        stance = stances.of(task)
        kind = "thread of" if stance.in_thread else "task" if task in known else "outside task"
        groups.setdefault((f"{kind} {task.name}", _words(stance), stance.stack), []).append(stance)
    return "".join(
        f"{title}{f' ({len(alike)} alike)' if len(alike) > 1 else ''}:{words}{_duration(alike)}\n{stack}"
        for (title, words, stack), alike in groups.items()
    )


def _words(stance: Stance) -> str:
    """Return what to say of a task above its stack, which tells where."""
    if stance.frames and not stance.says_all and stance.what.startswith("stands"):
        return ""
    return f" {stance.what if stance.frames else stance.place}"


def _duration(alike: Sequence[Stance]) -> str:
    """Return for how long tasks that are alike have waited."""
    begun = [stance.since for stance in alike if stance.since is not None]
    if not begun:
        return ""
    seconds = f"{trio.current_time() - min(begun):.3f} s"
    return f", for {seconds}" if len(alike) == 1 else f", for up to {seconds}"


def _waits_to_begin_anew(live: LiveSubsystem) -> bool:
    return live.state == "restarting" and live.incarnation is None


def _has_returned(root: Task, live: LiveSubsystem) -> bool:
    """Return whether the main function of a subsystem has returned, and only its jobs run on."""
    is_open = root not in live.hosts and len(root.child_nurseries) == 1
    return is_open and bool(children_of(root)) and is_leaving_nursery(root)
