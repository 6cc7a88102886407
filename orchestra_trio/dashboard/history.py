"""The last minute, as numbers per look. Pure."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any

import attrs

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["History", "Moment"]

LENGTH = 60


@attrs.frozen
class Moment:
    """What one look has found, of the whole and of each subsystem."""

    time: float
    """In seconds since 1970."""

    blocked_rate: float
    """How often senders had to wait, per second, all lanes together."""

    figures: Mapping[str, tuple[float, int]]
    """For each subsystem, messages received per second, and how many lie in its lanes."""


class History:
    """The last 60 moments."""

    def __init__(self, length: int = LENGTH) -> None:
        """Begin with none."""
        self._moments: deque[Moment] = deque(maxlen=length)

    def add(self, moment: Moment) -> None:
        """Add the latest moment; the oldest one is forgotten where there are too many."""
        self._moments.append(moment)

    def series(self, entries: Mapping[str, tuple[str, ...]]) -> dict[str, Any]:
        """Return plain data: one number per moment, oldest first, for the whole and for each entry.

        Args:
            entries: For each name that is shown, the subsystems whose numbers are added up.
        """
        moments = list(self._moments)
        return {
            "times": [round(one.time, 3) for one in moments],
            "totals": {
                "received_rate": [_rate_of(one, one.figures) for one in moments],
                "lying": [_lying_in(one, one.figures) for one in moments],
                "blocked_rate": [round(one.blocked_rate, 3) for one in moments],
            },
            "subsystems": {
                entry: {
                    "received_rate": [_rate_of(one, members) for one in moments],
                    "lying": [_lying_in(one, members) for one in moments],
                }
                for entry, members in entries.items()
            },
        }


def _rate_of(moment: Moment, members: Mapping[str, object] | tuple[str, ...]) -> float:
    return round(sum(moment.figures[name][0] for name in members), 3)


def _lying_in(moment: Moment, members: Mapping[str, object] | tuple[str, ...]) -> int:
    return sum(moment.figures[name][1] for name in members)
