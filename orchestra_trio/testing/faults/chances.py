"""The faults that need no hooks: drop, delay, duplicate, reorder.

Each is a function of a subsystem that returns a subsystem, so they go around one another:
`drop(delay(pipeline.parser, seconds=3), Store, every=2)` receives through the drop first, then through the delay, and
sends through the delay first.
"""

from __future__ import annotations

import math
from functools import partial
from random import Random
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import attrs
from typing_extensions import TypeVar

from orchestra_trio.errors import type_name
from orchestra_trio.testing.faults.intercepted import Fault, Intercepted
from orchestra_trio.testing.faults.stages import Chance, Delay, Drop, Duplicate, Reorder, Stage

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Direction", "delay", "drop", "duplicate", "reorder"]

ContextT = TypeVar("ContextT")
ResultT = TypeVar("ResultT")

Direction: TypeAlias = Literal["both", "receive", "send"]
"""Which messages of a subsystem are meant: those that it receives, those that it sends, or both."""


def drop(
    subsystem: Callable[[ContextT], ResultT],
    *types: type,
    probability: float | None = None,
    every: int | None = None,
    seed: int = 0,
    on: Direction = "both",
) -> Intercepted[ContextT, ResultT]:
    """Drop messages: they leave their sender as if all were well, and never arrive.

    They are counted in `dropped`. The reply end of a dropped request is closed: the requester gets `OneshotCancelled`.

    Args:
        subsystem: Whose messages; async or blocking.
        types: Messages of these classes and their subclasses; without any, all.
        probability: Of each such message, from 0 to 1, told by `random.Random(seed)`: it is dropped if `random()` is
            less. Without it and `every`, all are.
        every: Instead: every so manieth such message is dropped, at least 1.
        seed: The same seed and the same messages give the same faults. Each call of the subsystem begins anew, and
            what it receives and what it sends draw from two generators.
        on: Messages that it receives, those that it sends, or both.

    Returns:
        A subsystem for the same slot.

    Raises:
        TypeError: An argument is of the wrong type, or both `probability` and `every` are given.
        ValueError: One is out of its bounds.
        DeclarationError: From the subsystem, when it runs: its slot has no such messages.
    """
    made = _Chances("drop", types, probability, every, seed)
    return Intercepted(subsystem, made.fault(Drop, on))


def duplicate(
    subsystem: Callable[[ContextT], ResultT],
    *types: type,
    probability: float | None = None,
    every: int | None = None,
    seed: int = 0,
    on: Direction = "both",
) -> Intercepted[ContextT, ResultT]:
    """Duplicate messages: the same object arrives twice, one after the other, through the same lane.

    Requests come once: a reply end cannot be used twice. `send_nowait` and a lane without room for both send one, and
    the copy counts as dropped. A `send` that is cancelled while the copy waits for room has sent the message itself.

    Args:
        subsystem: As for `drop`.
        types: As for `drop`.
        probability: As for `drop`.
        every: As for `drop`.
        seed: As for `drop`.
        on: As for `drop`.

    Returns:
        A subsystem for the same slot.

    Raises:
        TypeError: As for `drop`.
        ValueError: As for `drop`.
        DeclarationError: As for `drop`.
    """
    made = _Chances("duplicate", types, probability, every, seed)
    return Intercepted(subsystem, made.fault(Duplicate, on))


def delay(
    subsystem: Callable[[ContextT], ResultT],
    *types: type,
    seconds: float | tuple[float, float],
    probability: float | None = None,
    every: int | None = None,
    seed: int = 0,
    on: Direction = "both",
) -> Intercepted[ContextT, ResultT]:
    """Let messages take longer, in their order: as a slow subsystem would, so that all laws hold around it.

    A message that the subsystem receives is handed out later, and those behind it wait for it; signals do not. A
    `send` or a `request` takes longer, and one that is cancelled meanwhile has sent nothing. `send_unbounded` does not
    wait: what it sends goes on later, and so does all that is sent unbounded after it. `send_nowait` is not delayed,
    since it cannot wait. To have messages overtake each other, `reorder` them.

    Args:
        subsystem: As for `drop`.
        types: As for `drop`.
        seconds: On trio's clock, at least 0; or the lowest and the highest of a range, for each message
            `uniform(low, high)`.
        probability: As for `drop`: it is drawn first.
        every: As for `drop`.
        seed: As for `drop`.
        on: As for `drop`.

    Returns:
        A subsystem for the same slot.

    Raises:
        TypeError: As for `drop`.
        ValueError: As for `drop`.
        DeclarationError: As for `drop`.
    """
    bounds: tuple[float, ...] = seconds if isinstance(seconds, tuple) else (seconds, seconds)
    if len(bounds) != 2:  # noqa: PLR2004 - the lowest and the highest
        raise TypeError(f"delay: seconds must be a number or a pair (lowest, highest), not {seconds!r}")
    low, high = bounds
    for one in (low, high):
        _check_number("delay", "seconds", one)
    if not 0 <= low <= high < math.inf:
        raise ValueError(f"delay: seconds must be finite and at least 0, the lowest first, not {seconds!r}")
    made = _Chances("delay", types, probability, every, seed, f", seconds={seconds!r}")
    return Intercepted(subsystem, made.fault(partial(Delay, low=low, high=high), on))


def reorder(
    subsystem: Callable[[ContextT], ResultT],
    *types: type,
    window: int = 3,
    seed: int = 0,
    on: Direction = "both",
) -> Intercepted[ContextT, ResultT]:
    """Let messages that are under way at the same time change places, within one lane.

    What the subsystem receives: of the next `window` messages that are there, without waiting for more, one is handed
    out that came through the same lane as the first; the first gets its place. Signals come before all of them.

    What it sends: of each lane, up to `window - 1` messages are held back, until another one is sent or nothing in the
    program can move otherwise, before the clock of a test jumps. A full lane makes the sender wait, as always. Requests
    go at once: whoever sends one waits for its answer.

    Args:
        subsystem: As for `drop`.
        types: Only messages of these classes change places; all others keep theirs. Without any, all change.
        window: Among how many messages, at least 2.
        seed: As for `drop`; one `randrange` over the messages that may come next for each that does. What is sent
            through several lanes draws from a generator for each.
        on: As for `drop`.

    Returns:
        A subsystem for the same slot.

    Raises:
        TypeError: As for `drop`.
        ValueError: As for `drop`.
        DeclarationError: As for `drop`.
    """
    _check_count("reorder", "window", window, least=2)
    made = _Chances("reorder", types, None, None, seed, f", window={window}")
    return Intercepted(subsystem, made.fault(partial(Reorder, window=window), on))


@attrs.frozen
class _Chances:
    """What the faults have in common."""

    title: str
    types: tuple[type, ...]
    probability: float | None
    every: int | None
    seed: int
    more: str = ""

    def __attrs_post_init__(self) -> None:
        for one in self.types:
            given: object = one
            if not isinstance(given, type):
                raise TypeError(f"{self.title}: {given!r} is no class: name classes of messages, one after another")
        if self.probability is not None:
            _check_number(self.title, "probability", self.probability)
            if self.every is not None:
                raise TypeError(f"{self.title}: give probability= or every=, not both")
            if not 0 <= self.probability <= 1:
                raise ValueError(f"{self.title}: probability must be from 0 to 1, not {self.probability!r}")
        if self.every is not None:
            _check_count(self.title, "every", self.every, least=1)
        _check_count(self.title, "seed", self.seed, least=None)

    def fault(self, make: Callable[[Chance], Stage], on: Direction) -> Fault:
        """Return the fault, made by `make` where it is wanted."""
        if on not in ("both", "receive", "send"):
            raise ValueError(f'{self.title}: on={on!r} is unknown; write "receive", "send" or "both"')
        directions = frozenset({"receive", "send"} if on == "both" else {on})

        def make_stage() -> Stage:
            probability = 1 if self.probability is None else self.probability
            return make(Chance(self.types, probability, self.every, Random(self.seed)))  # noqa: S311 - it keeps no secret

        return Fault(
            self.title,
            self._given(on),
            self.types,
            make_stage if "receive" in directions else Stage,
            make_stage if "send" in directions else Stage,
            directions,
        )

    def _given(self, on: Direction) -> str:
        named = "".join(f", {type_name(one)}" for one in self.types) + self.more
        options: dict[str, Any] = {"probability": self.probability, "every": self.every, "seed": self.seed or None}
        options["on"] = None if on == "both" else on
        return named + "".join(f", {name}={value!r}" for name, value in options.items() if value is not None)


def _check_number(title: str, name: str, value: object) -> None:
    if not isinstance(value, int | float) or isinstance(value, bool):
        raise TypeError(f"{title}: {name} must be a number, not {value!r}")


def _check_count(title: str, name: str, value: object, *, least: int | None) -> None:
    if not isinstance(value, int) or isinstance(value, bool):
        raise TypeError(f"{title}: {name} must be an integer, not {value!r}")
    if least is not None and value < least:
        raise ValueError(f"{title}: {name} must be at least {least}, not {value}")
