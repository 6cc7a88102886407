"""Orchestras as plain data: slots, what their subsystems do step by step, and what comes in from outside.

Slot number n consumes `MESSAGES[n]`. The data makes no orchestra hang by itself: whatever could wait for ever along an
edge that leads back is done without waiting, or with a time limit (see `scripts`).
"""

from __future__ import annotations

import functools
import operator
import types
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, cast

import attrs

from orchestra_trio import Biased, OneshotSender, Orchestra, Subsystem, Weighted, subsystem
from orchestra_trio.delivery.trio_internals import PRIVATE_IN_USE

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from orchestra_trio import DeadLetter, RunningOrchestra

__all__ = [
    "MESSAGES",
    "MOST_SLOTS",
    "SIGNALS",
    "SUBTYPES",
    "Edge",
    "Ending",
    "Episode",
    "Event",
    "Hooks",
    "Message",
    "Script",
    "Signal",
    "SlotPlan",
    "Step",
    "make_class",
    "name_of",
]


@attrs.frozen(eq=False)
class Message:
    """The base of all messages; not declared anywhere."""

    number: int
    hops: int = 0
    reply: OneshotSender[int] | None = None


@attrs.frozen(eq=False)
class Signal:
    """The base of both signals."""

    number: int


@attrs.frozen(eq=False)
class Event:
    """What comes in through the handle."""

    consumer: int


def _subclasses(names: Sequence[str], bases: Sequence[type]) -> tuple[Any, ...]:
    return tuple(types.new_class(name, (base,)) for name, base in zip(names, bases, strict=True))


MOST_SLOTS = 6
MESSAGES: tuple[type[Message], ...] = _subclasses([f"M{n}" for n in range(MOST_SLOTS)], [Message] * MOST_SLOTS)
SUBTYPES: tuple[type[Message], ...] = _subclasses([f"N{n}" for n in range(MOST_SLOTS)], MESSAGES)
SIGNALS: tuple[type[Signal], ...] = _subclasses(["Tick", "Tock"], [Signal, Signal])

StepKind: TypeAlias = Literal[
    "send",
    "receive",
    "sleep",
    "job",
    "nursery",
    "request",
    "broadcast",
    "signal",
    "event",
    "epoch",
    "cancel",
    "raise",
    "bitter",
]
How: TypeAlias = Literal["wait", "nowait", "unbounded", "list", "iterable", "one", "many", "signal", "plain", ""]


@attrs.frozen
class Step:
    """One thing that a task does. What a field means depends on the kind."""

    kind: StepKind
    how: How = ""
    which: int = 0
    """Which edge, signal type, slot or scope, modulo how many there are."""
    count: int = 1
    high: bool = False
    within: float | None = None
    """Cancelled after so many seconds; 0 cancels before it begins."""
    pause: float = 0
    steps: tuple[Step, ...] = ()


@attrs.frozen
class Edge:
    """Messages from one slot to another."""

    consumer: int
    unbounded: bool = False
    narrow: bool = False
    """Declared as the subclass of what the consumer consumes."""

    @property
    def message_type(self) -> type[Message]:
        return (SUBTYPES if self.narrow else MESSAGES)[self.consumer]


@attrs.frozen
class Script:
    """What a subsystem does: first its steps, then it serves its mailbox to the end, then it flushes."""

    prelude: tuple[Step, ...] = ()
    serve: Literal["no", "one", "many", "for"] = "for"
    limit: int = 2
    on_message: tuple[Step, ...] = ()
    on_signal: tuple[Step, ...] = ()
    flush: tuple[Step, ...] = ()


@attrs.frozen
class SlotPlan:
    """One slot, and its subsystem."""

    script: Script = Script()
    edges: tuple[Edge, ...] = ()
    signals: tuple[int, ...] = ()
    capacity: int = 2
    signal_capacity: int = 2
    priority: bool = False
    strategy: Weighted | Biased | None = None
    on_exit: Literal["continue", "stop"] = "continue"
    after_exit: Literal["raise", "dead_letter"] = "raise"
    wip: bool = False


@attrs.frozen
class Ending:
    """How the running orchestra ends: after a pause, while the load may still come in."""

    how: Literal["leave", "close", "terminate", "cancel", "outer"] = "leave"
    pause: float = 0
    signal: int | None = None


@attrs.frozen
class Episode:
    """A wiring, what its subsystems do, what comes from outside, how it ends, and the seed of the schedule."""

    slots: tuple[SlotPlan, ...]
    load: tuple[tuple[Step, ...], ...] = ()
    ending: Ending = Ending()
    yield_every: int = 3
    seed: int = 0


# With the public interface alone, a time limit that would pass only after a deadline around the orchestra is not seen:
# where that deadline ends everything before, who waits is told to wait for ever, and an episode's steps do so.
_ON_DEADLOCK = "error" if PRIVATE_IN_USE else "ignore"


def name_of(slot: int) -> str:
    return f"s{slot}"


class Hooks:
    """What the orchestra's own methods call."""

    on_event: Callable[[Event, RunningOrchestra[Any, Any]], Any]
    on_dead_letter: Callable[[DeadLetter], None]


def _union(of: Sequence[type]) -> Any:  # noqa: ANN401 - an annotation, made at run time
    return functools.reduce(operator.or_, cast("Sequence[Any]", of))


def make_class(episode: Episode, hooks: Hooks) -> type[Orchestra[Signal, Event]]:
    """Declare the orchestra of an episode."""
    annotations: dict[str, Any] = {}
    slot_class: Any = Subsystem
    body: dict[str, Any] = {"__annotations__": annotations, "__module__": __name__}
    for number, plan in enumerate(episode.slots):
        name = name_of(number)
        annotations[name] = slot_class[MESSAGES[number]]
        body[name] = subsystem(
            sends=tuple(edge.message_type for edge in plan.edges),
            signals=tuple(SIGNALS[one] for one in plan.signals),
            message_capacity=plan.capacity,
            signal_capacity=plan.signal_capacity,
            priority=plan.priority,
            unbounded={edge.message_type: "the episode" for edge in plan.edges if edge.unbounded},
            select=plan.strategy,
            on_exit=plan.on_exit,
            after_exit=plan.after_exit,
            wip=cast("Any", plan.wip),
        )

    async def on_event(_: object, event: Event, running: RunningOrchestra[Any, Any]) -> None:
        await hooks.on_event(event, running)

    def on_dead_letter(_: object, letter: DeadLetter) -> None:
        hooks.on_dead_letter(letter)

    body |= {"on_event": on_event, "on_dead_letter": on_dead_letter}
    base: Any = Orchestra
    return cast(
        "type[Orchestra[Signal, Event]]",
        types.new_class(
            "Drawn",
            (base[_union(SIGNALS), Event],),
            {"yield_every": episode.yield_every, "event_capacity": 3, "on_deadlock": _ON_DEADLOCK},
            lambda namespace: namespace.update(body),
        ),
    )
