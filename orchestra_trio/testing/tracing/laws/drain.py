"""Law 10: end-of-input reaches a component only after all upstream of it have ended; members of a cycle, one by one."""

from __future__ import annotations

from collections import Counter, defaultdict, deque
from typing import TYPE_CHECKING, ClassVar

import attrs

from orchestra_trio.testing.tracing.laws.law import Law

if TYPE_CHECKING:
    from orchestra_trio.testing.tracing.trace import TraceEvent

__all__ = ["DrainOrder"]


@attrs.define(eq=False)
class DrainOrder(Law):
    """The wiring ends from its beginning to its end."""

    number: ClassVar[int] = 10
    name: ClassVar[str] = "drain order"
    # Components are told by their places in the wiring's order.
    _owner: dict[str | None, int] = attrs.field(init=False)
    """The component of each subsystem."""
    _upstream: defaultdict[int, set[int]] = attrs.field(init=False)
    """The components directly upstream of each."""
    _downstream: defaultdict[int, set[int]] = attrs.field(init=False)
    _loops: set[str | None] = attrs.field(init=False)
    """The subsystems that send to themselves, or to others of their component."""
    _alive: Counter[int] = attrs.field(init=False)
    """How many members of each component have not ended."""
    _before: Counter[int] = attrs.field(init=False)
    """How many components directly upstream of each are not over: they, or any upstream of them, have not ended."""

    def __attrs_post_init__(self) -> None:
        trace, ended = self.course.trace, self.course.ended
        self._owner = {name: place for place, names in enumerate(trace.components) for name in names}
        self._upstream, self._downstream = defaultdict(set), defaultdict(set)
        self._loops = set()
        for sender, consumer in trace.edges:
            above, below = self._owner.get(sender), self._owner.get(consumer)
            if above is not None and above == below:
                self._loops.update((sender, consumer))
            elif above is not None and below is not None:
                self._upstream[below].add(above)
                self._downstream[above].add(below)
        self._alive = Counter(place for name, place in self._owner.items() if name not in ended)
        self._before = Counter({place: len(above) for place, above in self._upstream.items()})
        places = range(len(trace.components))
        self._pass_on([place for place in places if not self._alive[place] and not self._before[place]])

    def look(self, event: TraceEvent) -> None:
        """See that all that comes before a subsystem has ended when it is told that its input has."""
        place = self._owner.get(event.subsystem)
        if place is None or event.lane is not None:
            return
        if event.kind == "exit" and event.subsystem not in self.course.ended:
            self._alive[place] -= 1
            if not self._alive[place] and not self._before[place]:
                self._pass_on([place])
        elif event.kind == "end of input":
            self._check(event, place)

    def _pass_on(self, over: list[int]) -> None:
        """Note that components are over, all upstream of them included."""
        for place in over:  # grows while it is walked
            for below in self._downstream[place]:
                self._before[below] -= 1
                if not self._before[below] and not self._alive[below]:
                    over.append(below)

    def _check(self, event: TraceEvent, place: int) -> None:
        name = event.subsystem
        if self._before[place]:
            late = ", ".join(self._living_upstream(place))
            self.report(f"{name} is told that its input has ended before {late}, upstream of it, has ended", event)
        elif name in self._loops:
            members = self.course.trace.components[place]
            living = [one for one in members if one not in self.course.ended]
            if living and living[0] != name and name in living:
                told = f"{name} is told that its input has ended before {living[0]} has ended"
                self.report(f"{told}, which is declared before it in the same cycle", event)

    def _living_upstream(self, place: int) -> list[str]:
        """Return who lives in the nearest components upstream of one that waits for some."""
        components, living = self.course.trace.components, list[str]()
        queue, reached = deque([place]), {place}
        while not living:
            above = self._upstream[queue.popleft()] - reached
            living = [name for one in above for name in components[one] if name not in self.course.ended]
            queue.extend(above)
            reached |= above
        return sorted(living)
