"""What the tasks of a tangle write down about themselves, and what that says: who is stuck, and when."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import attrs
import trio

from tests.laws.oracle import stuck_among
from tests.laws.tangles import EXPORT, message_type
from tests.laws.wirings import name_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from orchestra_trio import SubsystemContext
    from tests.laws.tangles import Knot

__all__ = ["HORIZON", "Crew", "Ctx", "Ledger", "Outcome", "Part", "Wait"]

HORIZON = 1000
"""Seconds on the mock clock after which nothing moves any more that ever will."""

Doing: TypeAlias = Literal["something", "sending", "requesting", "joining", "idling"]
"""`joining`: waits for nothing but tasks of its own subsystem. `idling`: waits while its workers are at work."""

Ctx: TypeAlias = "SubsystemContext[Any, Any, Any]"


@attrs.frozen
class Wait:
    """What a task waits for, as it knows itself."""

    who: str
    target: str
    how: str
    type_name: str


@attrs.define
class Crew:
    """The workers of one task."""

    most: int
    at_work: int = 0


@attrs.define(eq=False)
class Part:
    """One task of a subsystem, and what it does."""

    name: str
    """The subsystem."""
    knot: Knot
    ctx: Ctx
    limits: int = 0
    """How many time limits lie around what it does now."""
    doing: Doing = "something"
    target: int = EXPORT
    """The slot that it sends to."""
    number: int = 0
    """Of the message that it sends."""
    how: str = ""
    type_name: str = ""
    crew: Crew | None = None

    def child(self, limits: int) -> Part:
        return Part(self.name, self.knot, self.ctx, limits)

    def aims_at(self, target: int, number: int, how: str) -> None:
        """Write down what is about to be sent."""
        self.target, self.number, self.how = target, number, how
        self.type_name = message_type(self.knot, target).__name__


@attrs.define(eq=False)
class Outcome:
    """What came of a tangle."""

    errors: tuple[BaseException, ...] = ()
    stopped_at: float = HORIZON
    stuck_at: float | None = None
    """When the oracle first found subsystems that are stuck."""
    stuck: frozenset[str] = frozenset()
    """Those."""
    waits: frozenset[Wait] = frozenset()
    """What their tasks waited for then."""
    doings: frozenset[str] = frozenset()
    """What else they did then."""
    stuck_at_last: frozenset[str] = frozenset()
    """Who is stuck when nothing moves any more."""
    waits_at_last: bool = False
    """Whether anybody still waits for a subsystem then."""
    moved: dict[str, float] = attrs.Factory(dict)
    """When a task of each subsystem last did anything."""


@attrs.define(eq=False)
class Ledger(trio.abc.Instrument):
    """What is written down while a tangle is played once."""

    parts: dict[Part, None] = attrs.Factory(dict)
    """The tasks that live."""
    taken: set[int] = attrs.Factory(set)
    """The numbers of the requests that were received."""
    outcome: Outcome = attrs.Factory(Outcome)
    is_over: bool = False

    @contextmanager
    def living(self, part: Part) -> Iterator[None]:
        """Around a whole task."""
        self.parts[part] = None
        try:
            yield
        finally:
            del self.parts[part]
            self.note(part)

    @contextmanager
    def doing(self, part: Part, what: Doing) -> Iterator[None]:
        part.doing = what
        try:
            yield
        finally:
            part.doing = "something"
            self.note(part)

    @contextmanager
    def limit(self, part: Part, within: float | None) -> Iterator[None]:
        if within is None:
            yield
            return
        part.limits += 1
        try:
            with trio.move_on_after(within):
                yield
        finally:
            part.limits -= 1

    def note(self, part: Part) -> None:
        if not self.is_over:
            self.outcome.moved[part.name] = trio.current_time()

    def before_io_wait(self, timeout: float) -> None:
        """Ask the oracle, whenever no task is about to run. Called by trio."""
        if self.outcome.stuck or trio.lowlevel.current_statistics().tasks_runnable:
            return
        stuck = self.ask()
        if stuck:
            members = [part for part in self.parts if part.name in stuck]
            self.outcome.stuck_at = trio.current_time()
            self.outcome.stuck = stuck
            self.outcome.doings = frozenset(part.doing for part in members)
            self.outcome.waits = frozenset(
                Wait(part.name, name_of(part.target), part.how, part.type_name)
                for part in members
                if part.doing in {"sending", "requesting"}
            )

    def ask(self) -> frozenset[str]:
        """Ask the oracle who is stuck."""
        tasks: dict[str, list[str | None]] = {}
        for part in self.parts:
            if part.doing != "joining" and not self.waits_for_workers(part):
                tasks.setdefault(part.name, []).append(name_of(part.target) if self.is_kept(part) else None)
        return stuck_among(tasks)

    def waits_for_workers(self, part: Part) -> bool:
        """Whether it receives nothing before a worker of its own has ended."""
        crew = part.crew
        is_busy = part.doing == "idling" and crew is not None and crew.at_work == crew.most
        return is_busy and not part.knot.hears and not part.limits

    def is_kept(self, part: Part) -> bool:
        """Whether it waits for a subsystem, without a time limit."""
        if part.limits or part.target == EXPORT:
            return False
        return part.doing == "sending" or (part.doing == "requesting" and part.number not in self.taken)

    def end(self) -> None:
        """Write down who is stuck when nothing moves any more."""
        self.is_over = True
        self.outcome.stuck_at_last = self.ask()
        self.outcome.waits_at_last = any(self.is_kept(part) for part in self.parts)
