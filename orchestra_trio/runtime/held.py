"""What a run needs of the orchestra that it runs, and what follows from that before anything runs."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING, Any

import attrs

from orchestra_trio.runtime.life.restarts import RestartGroup

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from orchestra_trio.records import DeadLetter
    from orchestra_trio.runtime.life.live import LiveSubsystem
    from orchestra_trio.runtime.life.spawner import Spawner
    from orchestra_trio.wiring.declaration import Declaration
    from orchestra_trio.wiring.graph import WiringGraph
    from orchestra_trio.wiring.slots import Slot

__all__ = ["Held", "join_restart_groups", "shared_mailboxes"]


@attrs.frozen(kw_only=True)
class Held:
    """What a run needs of the orchestra that it runs."""

    declaration: Declaration
    graph: WiringGraph
    """Of the subsystems that are held."""
    slots: Mapping[str, Slot]
    """With the capacities that hold for this orchestra."""
    subsystems: dict[str, Callable[[Any], Any]]
    """Async functions of a `SubsystemContext`, sync ones of a `BlockingSubsystemContext`."""
    on_event: Callable[[Any, Any], Awaitable[object]]
    on_dead_letter: Callable[[DeadLetter], object]
    acquire: Callable[[], None]
    """Marks the orchestra as open; raises where it is already."""
    release: Callable[[], None]
    spawner: Spawner


def shared_mailboxes(held: Held) -> set[str]:
    """Return whose mailboxes threads take from or put into: blocking subsystems, and those that they send to."""
    blocking = {name for name, slot in held.slots.items() if slot.blocking}
    return blocking | {edge.consumer for edge in held.graph.edges if edge.sender in blocking}


def join_restart_groups(graph: WiringGraph, subsystems: Mapping[str, LiveSubsystem]) -> None:
    """Let the subsystems of each restart group begin anew together."""
    groups: dict[str, list[LiveSubsystem]] = {}
    for name in chain.from_iterable(graph.components):
        live = subsystems[name]
        if live.slot.restart_group is not None:
            groups.setdefault(live.slot.restart_group, []).append(live)
    for members in groups.values():
        group = RestartGroup(members)
        for live in members:
            live.group = group
