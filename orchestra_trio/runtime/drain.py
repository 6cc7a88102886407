"""Drain: ending by running out of work, component by component of the wiring graph, upstream first (law 10).

States of a component::

    waiting for upstream -> (no inner cycle) told to end: it gets end-of-input once its lanes are empty
                         -> (cyclic) watched for rest -> one member told to end -> at rest without it -> the next ...

Drain begins when the input was closed and the events that had come were handled.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

if TYPE_CHECKING:
    from collections.abc import Iterator

    from orchestra_trio.runtime.life.live import LiveSubsystem
    from orchestra_trio.runtime.watch.rest import RestWatch
    from orchestra_trio.wiring.graph import Component, WiringGraph

__all__ = ["Drain"]


@attrs.define(eq=False)
class Drain:
    """How far one running orchestra has drained."""

    graph: WiringGraph
    subsystems: dict[str, LiveSubsystem]
    watch: RestWatch
    has_begun: bool = False
    # Components are told by their places in the graph's order: a component of thousands is slow to hash.
    _owner: dict[str, int] = attrs.Factory(dict[str, int])
    """The component of each subsystem."""
    _alive: list[int] = attrs.Factory(list[int])
    """How many members of each component have not ended."""
    _before: list[int] = attrs.Factory(list[int])
    """How many components directly upstream of each are not over."""
    _after: list[list[int]] = attrs.Factory(list[list[int]])
    """The components directly downstream of each."""

    def begin(self) -> None:
        """Begin, once no input will come from outside."""
        self.has_begun = True
        components = self.graph.components
        self._owner.update((name, place) for place, component in enumerate(components) for name in component)
        self._after.extend([] for _ in components)
        for place, component in enumerate(components):
            self._alive.append(sum(not self.subsystems[name].has_ended for name in component))
            before = {self._owner[name]: None for name in self.graph.upstream(component)}
            self._before.append(len(before))
            for one in before:
                self._after[one].append(place)
        self._reach([place for place, count in enumerate(self._before) if not count])

    def note_end(self, live: LiveSubsystem) -> None:
        """Go on after a subsystem has ended."""
        if not self.has_begun:
            return
        place = self._owner[live.name]
        self._alive[place] -= 1
        if not self._alive[place] and not self._before[place]:
            self._reach(self._pass_on(place))

    def _reach(self, reached: list[int]) -> None:
        """Give end-of-input to components, all upstream of them being over."""
        for place in reached:  # grows while it is walked: one whose members have all ended is over at once
            if self._alive[place]:
                self._end(self.graph.components[place])
            else:
                reached += self._pass_on(place)

    def _pass_on(self, place: int) -> list[int]:
        """Note that a component is over, and all upstream of it; return those that waited for it last."""
        downstream = self._after[place]
        for one in downstream:
            self._before[one] -= 1
        return [one for one in downstream if not self._before[one]]

    def _end(self, component: Component) -> None:
        """Give a component end-of-input."""
        alive = [live for live in map(self.subsystems.__getitem__, component) if not live.has_ended]
        if self.graph.is_cyclic(component):
            waiting = iter(alive)
            self.watch.watch(alive, lambda: self._end_next(waiting))
        else:
            alive[0].close_input()

    def _end_next(self, waiting: Iterator[LiveSubsystem]) -> bool:
        """Tell the next member of a cyclic component at rest to end, in declaration order; False if none lives."""
        for live in waiting:
            if not live.has_ended:
                live.close_input()
                return True
        return False
