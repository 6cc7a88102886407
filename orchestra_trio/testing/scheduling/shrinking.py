"""Shrinking a script to the few decisions that matter: delta debugging."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import attrs

if TYPE_CHECKING:
    from collections.abc import Callable

    from orchestra_trio.testing.scheduling.script import Script

__all__ = ["Shrinking", "Trial"]

_FEW: Final = 6
"""How many deviations are few."""

_NEAR: Final = 100
"""How many steps later another deviation may do as well."""


@attrs.frozen
class Trial:
    """A run that failed."""

    script: Script
    """What it did."""

    steps: int
    """How many steps it took."""


@attrs.define
class Shrinking:
    """The shrinking of one script.

    What goes wrong from outside is left out first, then chunks of the deviations, ever smaller ones; then the choices
    are lowered, one or two deviations are replaced by one at a later step, and what is cancelled is so at another one.
    And so again until nothing helps.

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
            self._put_one_for_several()
            self._move_cancellation()

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

    def _put_one_for_several(self) -> None:
        """Put one deviation in the place of one or two, later on; not where there are many: it would take long."""
        place = 0
        while place < len(self._script.deviations) <= _FEW:
            for count in (1, 2):
                self._put_one_at(place, count)
            place += 1

    def _put_one_at(self, place: int, count: int) -> None:
        deviations = self._script.deviations
        if place + count > len(deviations):
            return
        first = deviations[place][0]
        others = deviations[:place] + deviations[place + count :]
        taken = {step for step, _ in others}
        for step in range(first, min(first + _NEAR, self.best.steps + 1)):
            one_for_them = tuple(sorted((*others, (step, 1))))
            if step not in taken and self._try(attrs.evolve(self._script, deviations=one_for_them)):
                return

    def _move_cancellation(self) -> None:
        """Cancel at another step, in the plain order."""
        cancel = self._script.cancel
        if cancel is None or not self._script.deviations:
            return
        step, scope = cancel
        for other in range(max(1, step - _NEAR // 2), min(step + _NEAR // 2, self.best.steps + 1)):
            for its in range(scope + 2):
                if self._try(attrs.evolve(self._script, deviations=(), cancel=(other, its))):
                    return
