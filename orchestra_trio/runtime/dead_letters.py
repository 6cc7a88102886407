"""Accepted messages that no subsystem received: none of them disappears silently."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

import attrs

if TYPE_CHECKING:
    from collections.abc import Callable

    from orchestra_trio.records import DeadLetter, DeadLetterReason

__all__ = ["KEPT", "DeadLetters"]

KEPT = 1000
"""How many dead letters are kept; all are counted."""


@attrs.define
class DeadLetters:
    """The dead letters of one running orchestra."""

    hook: Callable[[DeadLetter], object]
    """The class's `on_dead_letter`."""
    fail: Callable[[BaseException, DeadLetter], object]
    """Takes what the hook raises."""
    kept: deque[DeadLetter] = attrs.Factory(lambda: deque(maxlen=KEPT))
    counts: dict[DeadLetterReason, int] = attrs.Factory(dict["DeadLetterReason", int])
    observe: Callable[[DeadLetter], object] | None = None
    """Tells the observers; None while there are none."""

    def add(self, letter: DeadLetter) -> None:
        """Keep and count a dead letter, and tell the hook; what the hook raises is a first error."""
        self.kept.append(letter)
        self.counts[letter.reason] = self.counts.get(letter.reason, 0) + 1
        if self.observe is not None:
            self.observe(letter)
        try:
            self.hook(letter)
        except BaseException as error:  # noqa: ASYNC103, BLE001 - recorded, and raised again by `open()`
            self.fail(error, letter)
