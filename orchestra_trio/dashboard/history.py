"""The last minute, as numbers per look. Pure."""

from __future__ import annotations

import math
from collections import deque
from typing import TYPE_CHECKING, Any

import attrs

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["History", "Moment"]

MINUTE = 60.0
"""How far back it goes, in seconds."""

FINEST = 1.0
"""Seconds between two moments at the least: of 1,000 subsystems, each moment takes 0.1 MB."""

_EARLY = 0.05
"""By what share of the time between two moments one may come too early."""


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
    """The moments of the last minute: of all looks, or of one each second where there are more."""

    def __init__(self, interval: float) -> None:
        """Begin with none; the interval is that of the looks, in seconds."""
        self.interval: float = max(interval, FINEST)
        self._added_at = -math.inf
        self._moments: deque[Moment] = deque(maxlen=max(2, round(MINUTE / self.interval)))

    def add(self, moment: Moment, now: float) -> None:
        """Add the latest moment, unless there is one that is hardly older; the oldest one goes after a minute.

        Args:
            moment: What was found.
            now: When, in seconds on a clock that nobody sets.
        """
        if now - self._added_at >= (1 - _EARLY) * self.interval:
            self._added_at = now
            self._moments.append(moment)

    def series(self, entries: Mapping[str, tuple[str, ...]]) -> dict[str, Any]:
        """Return plain data: the interval; one number per moment, oldest first, for the whole and for each entry.

        Args:
            entries: For each name that is shown, the subsystems whose numbers are added up.
        """
        moments = list(self._moments)
        return {
            "interval": self.interval,
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
