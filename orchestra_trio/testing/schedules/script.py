"""What a schedule does otherwise than trio's plain order, as data and as a line of text."""

from __future__ import annotations

import re

import attrs

__all__ = ["Script"]

_TOKEN = re.compile(r"(?P<narrow>capacity=1)|(?P<step>[1-9][0-9]*):(?:cancel(?P<scope>[0-9]*)|(?P<choice>[1-9][0-9]*))")


@attrs.frozen
class Script:
    """What a schedule does otherwise than trio's plain order. `str()` and `parse` are inverse to each other."""

    deviations: tuple[tuple[int, int], ...] = ()
    """Steps, and which of the ready tasks runs there instead of the first, in the order of the steps."""

    cancel: tuple[int, int] | None = None
    """The step before which something is cancelled, and which of the open scopes that is."""

    narrow: bool = False
    """Whether the lanes of all orchestras hold one item at most."""

    def __str__(self) -> str:
        words: list[tuple[float, str]] = [(step, f"{step}:{choice}") for step, choice in self.deviations]
        if self.cancel is not None:
            step, scope = self.cancel
            words.append((step - 0.5, f"{step}:cancel{scope or ''}"))  # it comes before the choice of its step
        words.sort()
        return " ".join(["capacity=1"] * self.narrow + [word for _, word in words])

    @classmethod
    def parse(cls, text: str) -> Script:
        """Read a script.

        Raises:
            ValueError: It is none.
        """
        deviations: dict[int, int] = {}
        cancel: tuple[int, int] | None = None
        narrow = False
        for word in text.split():
            token = _TOKEN.fullmatch(word)
            if token is None:
                raise ValueError(f"a schedule is written as in '14:1 17:2', and {word!r} is no part of one")
            if token["narrow"]:
                narrow = True
            elif token["choice"]:
                deviations[int(token["step"])] = int(token["choice"])
            else:
                cancel = int(token["step"]), int(token["scope"] or 0)
        return cls(tuple(sorted(deviations.items())), cancel, narrow)

    @property
    def size(self) -> tuple[int, int, int]:
        """How far it is from the plain order, to be compared: `explore` makes it as small as it can."""
        count = len(self.deviations) + (self.cancel is not None) + self.narrow
        choices = sum(choice for _, choice in self.deviations) + (self.cancel[1] if self.cancel else 0)
        return count, choices, sum(step for step, _ in self.deviations)
