"""Random wirings that are apt to deadlock, as plain data: small lanes, cycles, and subsystems that seldom receive.

Nothing in them ends a wait from outside its own task: no groups that begin anew together, no scopes that others cancel.
So what once deadlocks hangs for ever.
"""

from __future__ import annotations

import random
import types
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, cast

import attrs
from hypothesis import strategies as st

from orchestra_trio import Orchestra, Restart, Subsystem, subsystem
from tests.laws.drawing import _Tape
from tests.laws.wirings import MESSAGES, SIGNALS, SUBTYPES, name_of

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["EXPORT", "MOST_SLOTS", "Export", "Knot", "Step", "Tangle", "corpus", "make_class", "tangles"]

MOST_SLOTS = 5

EXPORT = -1
"""The consumer of an edge that leads to the embedding program, which never reads."""

Kind: TypeAlias = Literal[
    "send",
    "request",
    "receive",
    "echo",
    "hear",
    "sleep",
    "answer",
    "job",
    "start",
    "nursery",
    "workers",
    "lend",
    "raise",
]
"""`echo`: receive, then send. `hear`: receive a signal alone. `answer`: one of the requests that the subsystem holds.
`lend`: let a task outside of the orchestra send as this subsystem. `raise`: fail, and begin anew.
"""


@attrs.frozen(eq=False)
class Export:
    """What goes out to the embedding program."""

    number: int


@attrs.frozen
class Step:
    """One thing that a task does."""

    kind: Kind
    which: int = 0
    """Which edge, modulo how many there are."""
    count: int = 1
    """How often; for workers, how many there are at once."""
    within: float | None = None
    """A time limit around it, in seconds."""
    high: bool = False
    """With high priority; a job in the background."""
    body: tuple[Step, ...] = ()
    """What the task does in its nursery, or a job before it is started."""
    children: tuple[tuple[Step, ...], ...] = ()


@attrs.frozen
class Knot:
    """One slot, and its subsystem."""

    script: tuple[Step, ...] = ()
    edges: tuple[int, ...] = ()
    """The slots that it sends to."""
    capacity: int = 1
    hears: bool = False
    priority: bool = False
    requests: Literal["hold", "answer", "close", "forward"] = "hold"
    """What it does with the requests that it takes."""
    narrow: bool = False
    """Whether the messages that it sends are of subclasses of the declared types."""


@attrs.frozen
class Tangle:
    """A wiring, what its subsystems do, and what comes from outside."""

    knots: tuple[Knot, ...]
    signals_at: tuple[int, ...] = ()
    """When signals are broadcast, in seconds."""
    close_at: int | None = None
    """When the input is closed; None for never."""
    seed: int = 0
    """Of the schedule."""


def make_class(tangle: Tangle, on_deadlock: str) -> type[Orchestra[Any]]:
    """Declare the orchestra of a tangle."""
    annotations: dict[str, Any] = {}
    slot_class: Any = Subsystem
    body: dict[str, Any] = {"__annotations__": annotations, "__module__": __name__}
    for number, knot in enumerate(tangle.knots):
        sends = tuple(Export if one == EXPORT else MESSAGES[one] for one in dict.fromkeys(knot.edges))
        annotations[name_of(number)] = slot_class[MESSAGES[number]]
        body[name_of(number)] = subsystem(
            sends=sends,
            signals=SIGNALS[:1] if knot.hears else (),
            message_capacity=knot.capacity,
            priority=knot.priority,
            after_exit="dead_letter",
            restart=Restart(backoff=1, factor=1),
        )
    options = {"on_deadlock": on_deadlock, "outgoing": Export, "message_capacity": 1, "yield_every": 3}
    base: Any = Orchestra
    made = types.new_class("Tangled", (base[SIGNALS[0]],), options, lambda namespace: namespace.update(body))
    return cast("type[Orchestra[Any]]", made)


def message_type(knot: Knot, consumer: int) -> type:
    """Return the type of what a subsystem sends along an edge."""
    if consumer == EXPORT:
        return Export
    return (SUBTYPES if knot.narrow else MESSAGES)[consumer]


# --- Drawing -------------------------------------------------------------------------------------------------------

_SIMPLE: Sequence[Kind] = ("send", "echo", "request", "send", "receive", "sleep", "send", "hear", "answer", "request")
_COMPOSED: Sequence[Kind] = ("job", "nursery", "send", "job", "start", "workers", "nursery", "lend", "raise")


def _read_step(tape: _Tape, depth: int) -> Step:
    """Read one step; one of several tasks only where `depth` is left."""
    kind = tape.pick(_COMPOSED if depth and tape.flag() else _SIMPLE)
    which, count = tape.number(3), 1 + tape.number(2)
    within = tape.pick((None, None, None, None, None, None, 2.0, 0.0, 1.0, 3.0))
    if kind not in {"job", "start", "nursery", "workers"}:
        return Step(kind, which, count, within, high=tape.flag())
    body = () if kind == "job" else _read_steps(tape, 2, depth - 1)
    most = 2 if kind == "nursery" else 1
    children = tuple(_read_steps(tape, 3, depth - 1) for _ in range(1 + tape.number(most - 1)))
    return Step(kind, which, count, within, tape.flag(), body, children)


def _read_steps(tape: _Tape, most: int, depth: int) -> tuple[Step, ...]:
    return tape.several(most, lambda: _read_step(tape, depth))


def _read_workers(tape: _Tape) -> Step:
    """Read what serves a mailbox with workers, perhaps for a limited time."""
    count, within, high = 1 + tape.number(1), tape.pick((None, None, 3.0)), tape.flag()
    work = (Step(tape.pick(("send", "request", "sleep")), tape.number(3), 1 + tape.number(1)),)
    return Step("workers", 0, count, within, high, _read_steps(tape, 1, 0), (work,))


def _read_knot(tape: _Tape, number: int, size: int, *, lively: bool) -> Knot:
    """Read one slot; a lively one passes on what it gets, for long, behind a lane that is mostly full."""
    following = (number + 1) % size
    edges = [tape.pick((following, following, following, tape.number(size - 1)))]
    edges += [tape.pick((*range(size), EXPORT)) for _ in range(tape.number(2))]
    script: tuple[Step, ...] = (Step("send", count=1 + tape.number(1)), Step("echo", count=20)) if lively else ()
    script += _read_steps(tape, 4, 2)
    last: Kind | None = tape.pick(("send", "echo", "request", "workers", "echo", "receive", None))
    if last == "workers":
        script += (_read_workers(tape),)
    elif last is not None:
        script += (Step(last, tape.number(3), 99 if last == "receive" else 9),)
    return Knot(
        script=script,
        edges=tuple(edges),
        capacity=tape.pick((1, 1, 2)),
        hears=tape.flag(),
        priority=tape.flag(),
        requests=tape.pick(("hold", "answer", "close", "forward")),
        narrow=tape.flag(),
    )


def _read(header: bytes, knots: Sequence[bytes]) -> Tangle:
    tape = _Tape.of(header)
    size = tape.pick((2, 3, 2, 4, MOST_SLOTS))
    signals_at = tuple(sorted({1 + tape.number(5) for _ in range(tape.number(3))}))
    close_at = tape.pick((None, None, None, 0, 4))
    lively = tape.pick((False, False, True))
    seed = sum(tape.number(255) << 8 * place for place in range(4))
    return Tangle(
        tuple(_read_knot(_Tape.of(data), number, size, lively=lively) for number, data in enumerate(knots[:size])),
        signals_at,
        close_at,
        seed,
    )


def tangles() -> st.SearchStrategy[Tangle]:
    """Return a strategy of tangles."""
    knots = st.lists(st.binary(min_size=60, max_size=60), min_size=MOST_SLOTS, max_size=MOST_SLOTS)
    return st.builds(_read, st.binary(min_size=14, max_size=14), knots)


def corpus(count: int) -> list[Tangle]:
    """Return so many tangles, always the same."""
    chance = random.Random(1)
    return [_read(chance.randbytes(14), [chance.randbytes(60) for _ in range(MOST_SLOTS)]) for _ in range(count)]
