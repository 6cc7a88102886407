"""Shrinking a script to the few decisions that matter: delta debugging."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

if TYPE_CHECKING:
    from collections.abc import Callable

    from orchestra_trio.testing.schedules.script import Script

__all__ = ["Shrinking"]


@attrs.define
class Shrinking:
    """The shrinking of one script.

    What goes wrong from outside is left out first, then chunks of the deviations, ever smaller ones, then the choices
    are lowered; and so again until nothing helps.

    Source:
        Zeller, Hildebrandt: Simplifying and Isolating Failure-Inducing Input, IEEE TSE 28(2), 2002.
    """

    best: Script
    """The smallest script so far that fails."""

    fails: Callable[[Script], Script | None]
    """Runs a script; returns what the run really did where it fails, else None."""

    most_runs: int
    """How often that may be called."""

    runs: int = 0
    """How often it was."""

    def shrink(self) -> None:
        """Make the script as small as can be."""
        size = None
        while size != self.best.size and self.runs < self.most_runs:
            size = self.best.size
            self._leave_out_faults()
            self._leave_out_deviations()
            self._lower_choices()

    def _try(self, script: Script) -> bool:
        """Run a script, and keep it if it fails and is smaller."""
        if self.runs >= self.most_runs or script.size >= self.best.size:
            return False
        self.runs += 1
        done = self.fails(script)
        if done is None or done.size >= self.best.size:
            return False
        self.best = done
        return True

    def _leave_out_faults(self) -> None:
        if self.best.narrow:
            self._try(attrs.evolve(self.best, narrow=False))
        if self.best.cancel is not None:
            self._try(attrs.evolve(self.best, cancel=None))

    def _leave_out_deviations(self) -> None:
        """Leave out chunks, from the end: what comes later follows from what came before."""
        size = len(self.best.deviations)
        while size:
            end = len(self.best.deviations)
            while end > 0:
                deviations = self.best.deviations
                begin = max(0, end - size)
                self._try(attrs.evolve(self.best, deviations=deviations[:begin] + deviations[end:]))
                end = min(begin, len(self.best.deviations))
            size //= 2

    def _lower_choices(self) -> None:
        place = 0
        while place < len(self.best.deviations):
            deviations = self.best.deviations
            step, choice = deviations[place]
            for lower in sorted({1, choice // 2, choice - 1} - {0, choice}):
                lowered = (*deviations[:place], (step, lower), *deviations[place + 1 :])
                if self._try(attrs.evolve(self.best, deviations=lowered)):
                    break
            place += 1
