"""What a schedule does otherwise than trio's plain order, as data and as a line of text."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

import attrs

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["LAG", "Script"]

LAG: Final = 20
"""How many rounds a ready task may be passed over, unless one says otherwise."""

_TOKEN = re.compile(
    r"lag=(?P<lag>none|[0-9]+)"
    r"|(?P<narrow>capacity=1)"
    r"|(?P<step>[1-9][0-9]*):cancel(?P<scope>[0-9]*)"
    r"|(?P<first>[1-9][0-9]*)(-(?P<last>[1-9][0-9]*))?:(?P<choice>[1-9][0-9]*)"
)


@attrs.frozen
class Script:
    """What a schedule does otherwise than trio's plain order. `str()` and `parse` are inverse to each other."""

    deviations: tuple[tuple[int, int], ...] = ()
    """Steps, and which of the ready tasks runs there instead of the first, in the order of the steps."""

    cancel: tuple[int, int] | None = None
    """The step before which something is cancelled, and which of the open scopes that is."""

    narrow: bool = False
    """Whether the lanes of all orchestras hold one item at most."""

    lag: int | None = LAG
    """How many rounds a ready task may be passed over; None for any number. It limits what there is to choose from."""

    def __str__(self) -> str:
        settings = [] if self.lag == LAG else [f"lag={'none' if self.lag is None else self.lag}"]
        settings += ["capacity=1"] * self.narrow
        words: list[tuple[float, str]] = [*self._ranges()]
        if self.cancel is not None:
            step, scope = self.cancel
            words.append((step - 0.5, f"{step}:cancel{scope or ''}"))  # it comes before the choice of its step
        return " ".join(settings + [word for _, word in sorted(words)])

    def _ranges(self) -> Iterator[tuple[int, str]]:
        """Return the deviations as words, each with its step; those that are alike, in steps that follow, in one."""
        first, last, choice = 0, 0, 0
        for step, its in (*self.deviations, (0, 0)):
            if first and (step, its) == (last + 1, choice):
                last = step
                continue
            if first:
                yield first, f"{first}:{choice}" if first == last else f"{first}-{last}:{choice}"
            first, last, choice = step, step, its

    @classmethod
    def parse(cls, text: str) -> Script:
        """Read a script.

        Raises:
            ValueError: It is none.
        """
        deviations: dict[int, int] = {}
        cancel: tuple[int, int] | None = None
        narrow = False
        lag: int | None = LAG
        for word in text.split():
            token = _TOKEN.fullmatch(word)
            if token is None:
                hint = "; a seed is written without quotes" if word.isdigit() else ""
                raise ValueError(f"a schedule is written as in '14:1 17-19:2', and {word!r} is no part of one{hint}")
            if token["lag"]:
                lag = None if token["lag"] == "none" else int(token["lag"])
            elif token["narrow"]:
                narrow = True
            elif token["choice"]:
                first, last = int(token["first"]), int(token["last"] or token["first"])
                if last < first:
                    raise ValueError(f"{word!r} ends before it begins: write '{last}-{first}:{token['choice']}'")
                deviations.update(dict.fromkeys(range(first, last + 1), int(token["choice"])))
            elif cancel is not None:
                raise ValueError(f"{word!r} is a second cancellation: a schedule has one at the most")
            else:
                cancel = int(token["step"]), int(token["scope"] or 0)
        return cls(tuple(sorted(deviations.items())), cancel, narrow, lag)

    @property
    def size(self) -> tuple[int, int, int]:
        """How far it is from the plain order, to be compared: `explore` makes it as small as it can."""
        count = len(self.deviations) + (self.cancel is not None) + self.narrow
        choices = sum(choice for _, choice in self.deviations) + (self.cancel[1] if self.cancel else 0)
        return count, choices, sum(step for step, _ in self.deviations)
