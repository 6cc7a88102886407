"""Random episodes.

Hypothesis draws bytes, and a *tape* of them is read as choices: drawing each choice by itself would take five times as
long as playing the episode. Zeros, which hypothesis shrinks to, are the simplest choices, and so is the end of a tape.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, TypeAlias, TypeVar

import attrs
from hypothesis import strategies as st

from orchestra_trio import Biased, Weighted
from tests.laws.wirings import MOST_SLOTS, Edge, Ending, Episode, Script, SlotPlan, Step

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tests.laws.wirings import How

__all__ = ["CALM", "episodes"]

T = TypeVar("T")
Focus: TypeAlias = Literal["", "crowds", "cycles"]

CALM = ("leave", "close", "terminate")
"""The endings that cancel nobody, unless the grace is over."""

_HOWS: tuple[How, ...] = ("wait", "wait", "list", "nowait", "unbounded", "iterable", "wait")
_ORDERS = (
    Biased("priority", "unbounded", "bounded"),
    Biased("bounded", "unbounded", "priority"),
    Biased("unbounded", "priority", "bounded"),
)


@attrs.define
class _Tape:
    """Choices, read from bytes one after another."""

    left: list[int]

    @classmethod
    def of(cls, data: bytes) -> _Tape:
        return cls([*reversed(data)])

    def pick(self, options: Sequence[T]) -> T:
        """Choose one; the first is the simplest."""
        return options[self.left.pop() % len(options)] if self.left else options[0]

    def number(self, most: int) -> int:
        return self.pick(range(most + 1))

    def flag(self) -> bool:
        return self.pick((False, True))

    def several(self, most: int, make: Callable[[], T]) -> tuple[T, ...]:
        """Make up to so many."""
        return tuple(make() for _ in range(self.number(most)))


@attrs.frozen
class _Draw:
    """What kind of episodes are drawn; see `episodes`."""

    one_receiver: bool
    raises: bool
    cancelled: bool
    endings: Sequence[str]
    yields: Sequence[int]
    focus: Focus

    def episode(self, header: bytes, slots: list[bytes], load: bytes) -> Episode:
        tape = _Tape.of(header)
        size = tape.pick((1, 2, 3, 4, 5, MOST_SLOTS, 3, 2, 4))
        plans = tuple(self.slot(_Tape.of(data), number, size) for number, data in enumerate(slots[:size]))
        outside = _Tape.of(load)
        how = tape.pick(self.endings)
        return Episode(
            slots=plans,
            load=outside.several(3, lambda: outside.several(6, lambda: self.load_step(outside))),
            ending=Ending(how, tape.pick((0.0, 1.0, 3.0, 30.0)), tape.pick((None, 0, 1))),  # type: ignore[arg-type]  # one of them
            yield_every=tape.pick(self.yields),
            seed=sum(tape.number(255) << 8 * place for place in range(4)),
        )

    def slot(self, tape: _Tape, number: int, size: int) -> SlotPlan:
        """Read one slot: its options first, so that they stay while its script shrinks."""
        onward = range(number + 1, size)

        def edge() -> Edge:
            # Without cycles in focus, three of four edges lead on, where senders may wait without a limit.
            leads_on = onward and self.focus != "cycles" and tape.number(3)
            consumer = tape.pick(onward) if leads_on else tape.number(size - 1)
            return Edge(consumer, tape.pick((False, False, True)), tape.pick((False, False, True)))

        return SlotPlan(
            edges=tape.several(3, edge),
            # A broadcast, or a background job, may move a cycle at the very moment at which it was found at rest.
            signals=tape.pick(((),) if self.focus == "cycles" else ((), (0, 1), (0,), (1,))),
            capacity=tape.pick((1, 2) if self.focus == "crowds" else (2, 1, 1, 3, 4, 50)),
            signal_capacity=tape.pick((2, 1, 3, 20)),
            priority=tape.flag(),
            strategy=self.strategy(tape),
            on_exit=tape.pick(("continue",) * 7 + ("stop",)),
            after_exit=tape.pick(("raise", "dead_letter")),
            wip=tape.pick((False,) * 15 + (True,)),
            script=self.script(tape),
        )

    def strategy(self, tape: _Tape) -> Weighted | Biased | None:
        kind = tape.number(3)
        if kind == 1:
            return Weighted(1 + tape.number(3), 1 + tape.number(3), 1 + tape.number(3))
        return tape.pick(_ORDERS) if kind == 2 else None

    def script(self, tape: _Tape) -> Script:
        return Script(
            serve=tape.pick(("for", "one", "many", "for", "one", "many", "one", "no")),
            limit=1 + tape.number(2),
            prelude=tape.several(4, lambda: self.step(tape, receives=True, starts=True)),
            on_message=tape.several(3, lambda: self.step(tape, receives=True, starts=tape.flag())),
            on_signal=tape.several(1, lambda: self.inner_step(tape)),
            flush=tape.several(2, lambda: self.inner_step(tape)),
        )

    def inner_step(self, tape: _Tape) -> Step:
        """A step of a task that may not be the one that receives, and starts no tasks itself."""
        return self.step(tape, receives=not self.one_receiver, starts=False)

    def step(self, tape: _Tape, *, receives: bool, starts: bool) -> Step:
        """Read one step of a subsystem."""
        kinds = ["send", "sleep", "send", "send", "request", "broadcast"]
        kinds += ["send", "send", "sleep", "sleep"] if self.focus == "crowds" else []
        kinds += ["sleep", "sleep", "job"] if self.focus == "cycles" and starts else []
        kinds += ["receive", "receive", "receive_signal"] if receives else []
        kinds += ["job", "job", "nursery"] if starts else []
        kinds += ["cancel"] if self.cancelled else []
        kinds += ["raise", "bitter"] if self.raises else []
        kind = tape.pick(kinds)
        match kind:
            case "send":
                return Step(
                    "send", tape.pick(self.hows), tape.number(2), 1 + tape.number(2), tape.flag(), self.within(tape)
                )
            case "sleep":
                return Step("sleep", pause=tape.number(2))
            case "receive":
                how: How = tape.pick(("one", "many", "nowait"))
                return Step("receive", how, count=1 + tape.number(2), within=self.within(tape))
            case "receive_signal":
                return Step("receive", "signal", within=tape.number(2))
            case "job" | "nursery":
                how = tape.pick(("plain", "wait") if self.focus == "cycles" else ("plain", "wait", "nowait"))
                within = self.within(tape) if kind == "nursery" else None
                inner = tape.several(3, lambda: self.inner_step(tape))
                return Step(kind, how, count=1 + tape.number(1), within=within, steps=inner)
        return self.plain_step(tape, kind)

    def load_step(self, tape: _Tape) -> Step:
        """Read one step of the embedding program."""
        kinds = [
            "send",
            "sleep",
            "send",
            "send",
            "send",
            "request",
            "broadcast",
            "broadcast",
            "signal",
            "event",
            "epoch",
        ]
        kinds += ["cancel"] if self.cancelled else []
        kinds += ["raise"] if self.raises else []
        kind = tape.pick(kinds)
        how: How = tape.pick(("wait", "nowait"))
        if kind == "send":
            return Step("send", how, tape.number(5), 1 + tape.number(2), tape.flag(), self.within(tape))
        if kind == "epoch":
            return Step("epoch", count=1 + tape.number(4), within=tape.number(2))
        if kind == "sleep":
            return Step("sleep", pause=tape.number(2))
        return self.plain_step(tape, kind, how)

    def plain_step(self, tape: _Tape, kind: str, how: How = "") -> Step:
        limited = kind in {"request", "broadcast", "signal"}
        return Step(kind, how, tape.number(5), 1 + tape.number(2), within=self.within(tape) if limited else None)  # type: ignore[arg-type]  # one of them

    @property
    def hows(self) -> tuple[How, ...]:
        return ("wait", "iterable") if self.focus == "crowds" else _HOWS

    def within(self, tape: _Tape) -> float | None:
        return tape.pick((None, None, None, 1.0, 0.0, 2.0)) if self.cancelled else None


def _bytes(length: int) -> st.SearchStrategy[bytes]:
    return st.binary(min_size=length, max_size=length)


def episodes(
    *,
    one_receiver: bool = False,
    raises: bool = False,
    cancelled: bool = True,
    endings: Sequence[str] = ("leave", "close", "terminate", "cancel", "outer"),
    yields: Sequence[int] = (3, 1, 2, 4, 8),
    focus: Focus = "",
) -> st.SearchStrategy[Episode]:
    """Return a strategy of episodes.

    Args:
        one_receiver: In every subsystem one task alone receives, so that what is recorded has the mailbox's order.
        raises: Subsystems and load may raise.
        cancelled: Single steps may be cancelled.
        endings: The kinds of ending to choose from.
        yields: For `yield_every`.
        focus: What there shall be more of: senders that wait, or cycles, which nothing moves but their messages.
    """
    draw = _Draw(one_receiver, raises, cancelled, endings, yields, focus)
    slots = st.lists(_bytes(110), min_size=MOST_SLOTS, max_size=MOST_SLOTS)
    return st.builds(draw.episode, _bytes(8), slots, _bytes(120))
