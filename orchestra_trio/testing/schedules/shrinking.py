"""Shrinking a script to the few decisions that matter: delta debugging."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import attrs

if TYPE_CHECKING:
    from collections.abc import Callable

    from orchestra_trio.testing.schedules.script import Script

__all__ = ["Shrinking", "Trial"]

_FEW: Final = 6


@attrs.frozen
class Trial:
    """A run that failed."""

    script: Script
    """What it did."""

    choice_steps: tuple[int, ...]
    """The steps in which it had a choice."""


@attrs.define
class Shrinking:
    """The shrinking of one script.

    What goes wrong from outside is left out first, then chunks of the deviations, ever smaller ones; then the choices
    are lowered, and two deviations are replaced by one at another step. And so again until nothing helps.

    Source:
        Zeller, Hildebrandt: Simplifying and Isolating Failure-Inducing Input, IEEE TSE 28(2), 2002.
    """

    best: Trial
    """The run with the smallest script so far."""

    fails: Callable[[Script], Trial | None]
    """Runs a script; returns None where it does not fail."""

    most_runs: int
    """How often that may be called."""

    runs: int = 0
    """How often it was."""

    def shrink(self) -> None:
        """Make the script as small as can be."""
        size = None
        while size != self._script.size and self.runs < self.most_runs:
            size = self._script.size
            self._leave_out_faults()
            self._leave_out_deviations()
            self._lower_choices()
            self._join_neighbours()

    @property
    def _script(self) -> Script:
        return self.best.script

    def _try(self, script: Script) -> bool:
        """Run a script, and keep it if it fails and is smaller."""
        if self.runs >= self.most_runs or script.size >= self._script.size:
            return False
        self.runs += 1
        done = self.fails(script)
        if done is None or done.script.size >= self._script.size:
            return False
        self.best = done
        return True

    def _leave_out_faults(self) -> None:
        if self._script.narrow:
            self._try(attrs.evolve(self._script, narrow=False))
        if self._script.cancel is not None:
            self._try(attrs.evolve(self._script, cancel=None))

    def _leave_out_deviations(self) -> None:
        """Leave out chunks, from the end: what comes later follows from what came before."""
        size = len(self._script.deviations)
        while size:
            end = len(self._script.deviations)
            while end > 0:
                deviations = self._script.deviations
                begin = max(0, end - size)
                self._try(attrs.evolve(self._script, deviations=deviations[:begin] + deviations[end:]))
                end = min(begin, len(self._script.deviations))
            size //= 2

    def _lower_choices(self) -> None:
        place = 0
        while place < len(self._script.deviations):
            deviations = self._script.deviations
            step, choice = deviations[place]
            for lower in sorted({1, choice // 2, choice - 1} - {0, choice}):
                lowered = (*deviations[:place], (step, lower), *deviations[place + 1 :])
                if self._try(attrs.evolve(self._script, deviations=lowered)):
                    break
            place += 1

    def _join_neighbours(self) -> None:
        """Put one deviation in the place of two, at some later step; not where there are many: it would take long."""
        place = 0
        while place + 1 < len(self._script.deviations) <= _FEW:
            deviations = self._script.deviations
            others = deviations[:place] + deviations[place + 2 :]
            taken = {step for step, _ in others}
            for step in self.best.choice_steps:
                if step >= deviations[place][0] and step not in taken:
                    joined = tuple(sorted((*others, (step, 1))))
                    if self._try(attrs.evolve(self._script, deviations=joined)):
                        break
            place += 1
