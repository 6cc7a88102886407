"""Strategies of choice: which of the ready tasks runs, out of a source of integers.

The same strategies are driven by a random generator and by hypothesis. A source that gives nothing but 0 makes each of
them choose trio's plain order, so what hypothesis shrinks comes ever closer to that.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final, Protocol, TypeAlias

import attrs

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Chooser", "Delays", "Mixed", "Priorities", "Source", "Strategy", "Uniform", "some_time"]

Source: TypeAlias = Callable[[int], int]
"""`source(n)` returns one of 0 ... n - 1."""


class Chooser(Protocol):
    """Chooses in one run."""

    def __call__(self, step: int, ready: Sequence[int], /) -> int:
        """Return which one runs.

        Args:
            step: The number of the step.
            ready: The numbers of at least two tasks, in trio's plain order.

        Returns:
            An index of `ready`.
        """
        ...


class Strategy(Protocol):
    """A way to choose."""

    def begin(self, source: Source, steps: int | None) -> Chooser:
        """Begin a run.

        Args:
            source: Where all decisions come from.
            steps: About how many steps the run will take; None where that is not known.
        """
        ...


_DOUBLINGS: Final = 10
"""Where the length of a run is not known, what is to happen does so before the 2 ** _DOUBLINGS-th choice."""


def some_time(source: Source, length: int | None, doublings: int = _DOUBLINGS) -> int:
    """Return a moment of a run, beginning with 1; or 0 for never.

    Args:
        source: Where it comes from.
        length: The length of the run. Each moment is equally likely then; where it is not known (None), early ones
            are likelier.
        doublings: Where the length is not known, the moment is below two to the power of this.
    """
    if length is not None:
        return source(length + 1)
    place = source(doublings + 1)
    return 0 if place == 0 else 2 ** (place - 1) + source(2 ** (place - 1))


@attrs.frozen
class Uniform:
    """Each of the ready tasks is equally likely to run."""

    def begin(self, source: Source, steps: int | None) -> Chooser:
        """Begin a run; see `Strategy`."""
        del steps

        def choose(step: int, ready: Sequence[int]) -> int:
            del step
            return source(len(ready))

        return choose


_LEVELS: Final = 1000
"""How many random priorities there are; 0 is the highest."""


@attrs.frozen
class Priorities:
    """Every task gets a random priority, and of the ready tasks the one with the highest runs.

    At a few random choices the task that would run falls below all others first. A bug that needs `d` orderings among
    the steps of tasks is found with `changes=d - 1`, more often than by choosing every step at random: that has to
    guess right at each of them.

    Tasks of the same priority run in trio's plain order.

    Source:
        Burckhardt, Kothari, Musuvathi, Nagarakatte: A Randomized Scheduler with Probabilistic Guarantees of Finding
        Bugs, ASPLOS 2010. Unlike there a ready task cannot be passed over for ever: a schedule's `lag` limits it.
    """

    changes: int = attrs.field(default=3, validator=attrs.validators.ge(0))
    """How many times a task falls below the others."""

    def begin(self, source: Source, steps: int | None) -> Chooser:
        """Begin a run; see `Strategy`."""
        changes = sorted({some_time(source, steps) for _ in range(self.changes)} - {0}, reverse=True)
        levels: dict[int, int] = {}
        count = 0

        def choose(step: int, ready: Sequence[int]) -> int:
            nonlocal count
            del step
            count += 1
            for number in ready:
                if number not in levels:
                    levels[number] = source(_LEVELS)
            index = min(range(len(ready)), key=lambda one: levels[ready[one]])
            if changes and changes[-1] <= count:
                changes.pop()
                levels[ready[index]] = _LEVELS + count
                index = min(range(len(ready)), key=lambda one: levels[ready[one]])
            return index

        return choose


_SPANS: Final = 5
"""A delay lasts for fewer than 2 ** _SPANS choices."""

_NEXT: Final = 3
"""How many tasks behind the first one may take its place."""


@attrs.frozen
class Delays:
    """Trio's plain order, but for a few random delays: for some choices, others run before the task that comes first.

    It needs few decisions however long a run is: hypothesis shrinks those quickly.

    Source:
        Emmi, Qadeer, Rakamarić: Delay-Bounded Scheduling, POPL 2011. Unlike there a delay may last for several choices.
    """

    most: int = attrs.field(default=6, validator=attrs.validators.ge(0))
    """How many delays there are, at the most."""

    def begin(self, source: Source, steps: int | None) -> Chooser:
        """Begin a run; see `Strategy`."""
        instead: dict[int, int] = {}
        for _ in range(self.most):
            span = some_time(source, None, _SPANS)
            if span == 0:
                break
            begin = some_time(source, steps)
            instead.update(dict.fromkeys(range(begin, begin + span), 1 + source(_NEXT)))
        count = 0

        def choose(step: int, ready: Sequence[int]) -> int:
            nonlocal count
            del step
            count += 1
            return min(instead.get(count, 0), len(ready) - 1)

        return choose


@attrs.frozen
class Mixed:
    """One of several strategies for each run."""

    strategies: tuple[Strategy, ...] = (Delays(), Priorities())

    def begin(self, source: Source, steps: int | None) -> Chooser:
        """Begin a run; see `Strategy`."""
        return self.strategies[source(len(self.strategies))].begin(source, steps)
