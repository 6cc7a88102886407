"""What a soak comes to: totals, and what was wrong."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Final

import attrs

if TYPE_CHECKING:
    from collections.abc import Mapping

    from benchmarks.soak.growth import Growth
    from benchmarks.soak.rounds import Round

__all__ = ["Outcome"]

_SHOWN: Final = 20
"""How many sentences about one round are shown."""

_STATUS: Final = Path("/proc/self/status")


@attrs.define
class Outcome:
    """One soak."""

    seed: int
    growth: Growth
    seconds: float = 0
    rounds: int = 0
    """Those that were begun."""
    messages: int = 0
    restarts: int = 0
    broadcasts: int = 0
    notes: Counter[str] = attrs.Factory(Counter[str])
    dead: Counter[str] = attrs.Factory(Counter[str])
    """Dead letters by reason."""
    records: Counter[str] = attrs.Factory(Counter[str])
    """Log records by level."""
    faults: list[str] = attrs.Factory(list[str])
    """What was wrong in the last round, or with all of them."""

    @property
    def status(self) -> int:
        """The exit status."""
        return 1 if self.faults else 0

    def add(self, played: Round) -> None:
        """Count a round."""
        ledger = played.ledger
        self.messages += len(ledger.accepted)
        self.broadcasts += ledger.epoch
        self.notes += ledger.count_notes()
        self.dead += Counter(dead.reason for dead in ledger.dead)
        if played.running is not None:
            self.restarts += sum(played.running.map_subsystems(lambda one: one.restarts))

    def as_text(self) -> str:
        """Return the report, without an end of line."""
        notes, rate = self.notes, self.messages / self.seconds if self.seconds else 0
        lines = [
            f"seed {self.seed}: {self.seconds:,.1f} s, {self.rounds:,} rounds",
            f"messages:      {self.messages:,} ({rate:,.0f}/s), and {self.broadcasts:,} broadcasts",
            f"requests:      {notes['requests']:,}, of which {notes['requests unanswered']:,} got no answer",
            f"restarts:      {self.restarts:,}, after {notes['hiccups']:,} failures",
            f"cancellations: {notes['steps cut']:,} steps, {notes['runs cancelled']:,} runs",
            f"terminations:  {notes['terminations']:,}",
            f"threads:       {notes['threads']:,}",
            f"dead letters:  {_listed(self.dead)}",
            f"log records:   {_listed(self.records)}",
            f"peak memory:   {_peak_memory()}",
            f"growth:        {self.growth.describe()}",
        ]
        if not self.faults:
            return "\n".join([*lines, "no violation"])
        hidden = len(self.faults) - _SHOWN
        return "\n".join(
            [
                *lines,
                f"VIOLATION in round {self.rounds:,} of seed {self.seed}:",
                *(f"* {fault}" for fault in self.faults[:_SHOWN]),
                *([f"* and {hidden} more"] if hidden > 0 else []),
                f"to play it again: python -m benchmarks soak --seed {self.seed} --rounds {self.rounds}",
            ]
        )


def _listed(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{counts[name]:,} {name}" for name in sorted(counts)) or "none"


def _peak_memory() -> str:
    """Return the most memory that was resident at once, where the system tells it."""
    lines = _STATUS.read_text("ascii").splitlines() if _STATUS.exists() else []
    return next((f"{int(line.split()[1]):,} kB" for line in lines if line.startswith("VmHWM:")), "unknown")
