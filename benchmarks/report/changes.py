"""What has changed from one run to another.

A *change* above 1 is for the better, below 1 for the worse, by that factor: 1.10 says that ours takes 1.10 times less,
or that its lead over a peer is 1.10 times as large. Ours alone follows the machine, which may have been slower that
day; the ratio to a peer, which took turns with ours, does so far less.

A change is *beyond the spread* where the best round of every process of one run is better than that of every process
of the other. Two runs of the same with five processes each look like that once in 126 times, for each figure; with
fewer than four processes it happens too often to mean anything, and nothing is said.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal, TypeAlias

import attrs

from benchmarks.harness import OURS
from benchmarks.report.machine import OWN_PACKAGE
from benchmarks.report.tables import number, table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.report.stored import Report

__all__ = ["Change", "changes", "changes_as_text", "differences"]

ENOUGH_PROCESSES: Final = 4

Verdict: TypeAlias = Literal["better", "worse", ""]


@attrs.frozen
class _Figure:
    """One figure of one run."""

    unit: str
    value: float
    by_process: list[float]
    is_ratio: bool = False
    """Whether more of it is better; of others, less is."""


@attrs.frozen
class Change:
    """How one figure has changed."""

    name: str
    of: str
    """Which figure of that name."""
    unit: str
    before: float
    after: float
    change: float | None
    """Above 1 for the better; None where a figure is not above 0."""
    beyond: Verdict
    """How the change is beyond the spread; empty if it is not."""

    def __str__(self) -> str:
        """One line."""
        change = "?" if self.change is None else f"{self.change:.2f}"
        return f"{self.name}, {self.of}: {change}, {self.beyond or 'within the spread'}"


def changes(before: Report, after: Report) -> list[Change]:
    """Return the changes of all figures that are in both runs."""
    old, new = _figures(before), _figures(after)
    return [_change(key, old[key], new[key]) for key in old if key in new]


def differences(before: Report, after: Report) -> list[str]:
    """Return in what the runs differ that makes figures hard to compare; the library's own version is not that."""
    old, new = before.machine, after.machine
    names = dict.fromkeys([*old.packages, *new.packages])
    pairs = [
        ("", old.cpu, new.cpu),
        ("", f"{old.cores} cores", f"{new.cores} cores"),
        ("", old.system, new.system),
        ("", old.python, new.python),
        *((f"{name} ", old.packages.get(name, "none"), new.packages.get(name, "none")) for name in names),
        ("", _use(before), _use(after)),
        ("", _kind(before), _kind(after)),
    ]
    return [f"{what}{one} and {other}" for what, one, other in pairs if one != other and what != f"{OWN_PACKAGE} "]


def changes_as_text(before: Report, after: Report) -> str:
    """Return what is printed, without an end of line."""
    found = changes(before, after)
    lines: list[str] = []
    if differing := differences(before, after):
        lines += [f"warning: the runs differ in more than the library: {'; '.join(differing)}", ""]
    lines += [
        *table(("figure", "of", "unit", "before", "after", "change", "beyond the spread"), [*map(_cells, found)]),
        "",
        "change: above 1 for the better, below 1 for the worse; ours alone also follows the machine",
        *_verdict(before, after, found),
    ]
    old, new = _figures(before), _figures(after)
    lines += [f"only before: {one}" for one in _absent(old, new)]
    lines += [f"only after: {one}" for one in _absent(new, old)]
    return "\n".join(lines)


def _cells(one: Change) -> tuple[str, ...]:
    change = "" if one.change is None else f"{one.change:.2f}"
    return (one.name, one.of, one.unit, number(one.before), number(one.after), change, one.beyond)


def _verdict(before: Report, after: Report, found: Sequence[Change]) -> list[str]:
    if min(before.processes, after.processes) < ENOUGH_PROCESSES:
        return [f"what is noise cannot be told: that takes at least {ENOUGH_PROCESSES} processes in either run"]
    beyond = [f"* {one}" for one in found if one.beyond]
    if not beyond:
        return ["no change is beyond the spread between processes"]
    return [f"beyond the spread between processes are {len(beyond)} of {len(found)} changes:", *beyond]


def _absent(here: dict[tuple[str, str], _Figure], there: dict[tuple[str, str], _Figure]) -> list[str]:
    """Return what is not there: a name alone where nothing of that name is."""
    names = {name for name, _ in there}
    absent = [(name, of) for name, of in here if (name, of) not in there]
    return list(dict.fromkeys(f"{name}, {of}" if name in names else name for name, of in absent))


def _change(key: tuple[str, str], before: _Figure, after: _Figure) -> Change:
    better, worse = (after, before) if before.is_ratio else (before, after)
    comparable = before.value > 0 and after.value > 0
    return Change(
        name=key[0],
        of=key[1],
        unit=after.unit,
        before=before.value,
        after=after.value,
        change=better.value / worse.value if comparable else None,
        beyond=_beyond(better.by_process, worse.by_process),
    )


def _beyond(high: Sequence[float], low: Sequence[float]) -> Verdict:
    """Say on which side of the others all of the figures are that are higher if the change is for the better."""
    if min(len(high), len(low)) < ENOUGH_PROCESSES:
        return ""
    if min(high) > max(low):
        return "better"
    return "worse" if max(high) < min(low) else ""


def _figures(report: Report) -> dict[tuple[str, str], _Figure]:
    """Return all figures, each by its name and what it is of."""
    figures: dict[tuple[str, str], _Figure] = {}
    for row in report.rows:
        figures[row.work, OURS] = _Figure(f"us per {row.unit}", row.ours_us, row.ours_by_process)
        ratios = _divide(row.peer_by_process, row.ours_by_process)
        figures[row.work, f"ratio to {row.peer}"] = _Figure("times", row.ratio, ratios, is_ratio=True)
    for growth in report.growths:
        at = {figure.size: figure for figure in growth.sizes}
        for size, figure in at.items():
            figures[growth.growth, f"at {size:,}"] = _Figure(f"us per {growth.unit}", figure.us, figure.by_process)
        if growth.times is not None:
            times = _divide(at[growth.large].by_process, at[growth.small].by_process)
            figures[growth.growth, f"{growth.large:,} to {growth.small:,}"] = _Figure("times", growth.times, times)
    ours = {(one.quantity, one.label): one.by_process for one in report.quantities if one.whose == OURS}
    for one in report.quantities:
        if one.whose == OURS:
            figures[one.quantity, f"{one.label}, ours"] = _Figure(one.unit, one.figure, one.by_process)
        elif one.ratio is not None:
            ratios = _divide(one.by_process, ours[one.quantity, one.label])
            name = f"{one.label}, ratio to {one.whose}"
            figures[one.quantity, name] = _Figure("times", one.ratio, ratios, is_ratio=True)
    return figures


def _divide(these: Sequence[float], those: Sequence[float]) -> list[float]:
    return [this / that for this, that in zip(these, those, strict=False) if that]


def _use(report: Report) -> str:
    return "trio's private parts in use" if report.private_in_use else "trio's public interface alone"


def _kind(report: Report) -> str:
    return "a quick run" if report.quick else "a full run"
