"""The decisions of one run, for people."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import attrs

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = ["Cancellation", "Decision", "describe"]

MOST_PASSED: Final = 8
"""How many of the tasks that were passed over a decision names."""


@attrs.frozen
class Decision:
    """Which of several ready tasks ran in a step."""

    step: int
    """The number of the step; the first of a run is 1."""

    choice: int
    """Which of the ready tasks ran, in trio's plain order; 0 is the first of them."""

    offered: int
    """How many there were to choose from."""

    chosen: str
    """The name of the task that ran; with a number where several tasks have that name."""

    passed: tuple[str, ...]
    """The names of those that trio would have run first; of many, the first 8."""


@attrs.frozen
class Cancellation:
    """What was cancelled, as if from outside."""

    step: int
    """The step before which it was."""

    scope: int
    """Which of the open scopes that were marked with `cancellable`."""

    task: str | None
    """The name of the task that opened the scope; None where all of the function was cancelled."""


_MOST_LINES: Final = 20


def describe(deviations: Sequence[Decision], cancellation: Cancellation | None, *, narrow: bool) -> list[str]:
    """Return what a run did otherwise than in trio's plain order, in lines; long ones folded, and not too many."""
    lines = ["no lane holds more than one item"] if narrow else []
    told = [(one[0].step, 1, _tell(one)) for one in _runs(deviations)]
    if cancellation is not None:
        what = "the run" if cancellation.task is None else repr(cancellation.task)
        told.append((cancellation.step, 0, f"step {cancellation.step}: cancelled {what}"))  # before the step's choice
    lines += [line for _, _, line in sorted(told)]
    if len(lines) > _MOST_LINES:
        lines[_MOST_LINES:] = [f"and {len(lines) - _MOST_LINES} more"]
    return lines or ["trio's plain order"]


def _runs(deviations: Sequence[Decision]) -> Iterator[list[Decision]]:
    """Return deviations that follow each other and keep the same task from running, together."""
    run: list[Decision] = []
    for one in deviations:
        if run and (one.step != run[-1].step + 1 or one.passed[0] != run[-1].passed[0]):
            yield run
            run = []
        run.append(one)
    if run:
        yield run


def _tell(run: Sequence[Decision]) -> str:
    first, last = run[0].step, run[-1].step
    steps = f"step {first}" if first == last else f"steps {first} to {last}"
    passed = list(dict.fromkeys(name for one in run for name in one.passed))
    ran = [name for name in dict.fromkeys(one.chosen for one in run) if name not in passed]
    ran = ran or list(dict.fromkeys(one.chosen for one in run))
    return f"{steps}: ran {_listed(ran)} before {_listed(passed)}"


def _listed(names: Sequence[str]) -> str:
    shown = [repr(name) for name in names[:3]]
    if len(names) > len(shown):
        return f"{', '.join(shown)} and {len(names) - len(shown)} more"
    return " and ".join(filter(None, [", ".join(shown[:-1]), shown[-1]]))
