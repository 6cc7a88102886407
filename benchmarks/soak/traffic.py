"""What all members of one round share: the ledger, and chance."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

import attrs
import trio

from benchmarks.soak.messages import Fatal, Hiccup, Poison

if TYPE_CHECKING:
    import random
    from collections.abc import Generator, Sequence

    from benchmarks.soak.ledger import Ledger

__all__ = ["Traffic"]

_SHORT: Final = 0.001
"""Seconds: the longest pause, and the longest time limit of a step."""


@attrs.frozen(eq=False)
class Traffic:
    """The traffic of one round."""

    ledger: Ledger
    chance: random.Random
    hiccups: float
    """The probability that handling a message fails."""
    cuts: float
    """The probability that a step has a time limit, where it need not have one."""

    naps: float
    """The probability that handling a message takes a while."""
    burst: int
    """How many messages are sent at once, at the most."""

    def happens(self, probability: float) -> bool:
        """Return whether something is to happen now."""
        return self.chance.random() < probability

    def pick(self, *weights: int) -> int:
        """Return the place of one of the weights, each as probable as it weighs."""
        return self.chance.choices(range(len(weights)), weights)[0]

    def size(self) -> int:
        """Return how many messages to send at once."""
        return self.chance.randint(0, self.burst)

    def pause(self) -> float:
        """Return some seconds, few."""
        return self.chance.uniform(0, _SHORT)

    @contextmanager
    def limit(self, *, always: bool = False) -> Generator[None]:
        """Give one step a time limit, by chance or always; count it if its time was over."""
        if always or self.happens(self.cuts):
            with trio.move_on_after(self.pause()) as scope:
                yield
            if scope.cancelled_caught:
                self.ledger.note("steps cut")
        else:
            yield

    def accept_all(self, name: str, items: Sequence[object], epoch: int, *, alone: bool) -> list[object]:
        """Note all that was received at once, and return it.

        Raises:
            Fatal: Poison was among it.
        """
        for item in items:
            self.ledger.receive(name, item, epoch, alone=alone)
        if any(isinstance(item, Poison) for item in items):
            raise Fatal(name)
        return list(items)

    def maybe_hiccup(self, name: str) -> None:
        """Fail, by chance.

        Raises:
            Hiccup: By chance.
        """
        if self.happens(self.hiccups):
            self.ledger.note("hiccups")
            raise Hiccup(name)
