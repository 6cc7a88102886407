"""What is printed and written: the machine, the table, and the same as data.

The data is one JSON object:

* `schema`: 1, the version of this description;
* `quick`: whether it was a quick run, whose figures mean nothing;
* `machine`: `cpu`, `cores`, `system`, `python`, and `packages`, the version of each that is installed, by name;
* `processes`, `rounds`: how many processes measured, and how many rounds each;
* `private_in_use`: whether the library uses what is private to trio (but for the work that is about not using it);
* `missing`: packages of peers that are not installed, so that there is no row for those;
* `rows`: a list of objects with

  * `work`, `peer`: their names; `unit`: what `ours_us` and `peer_us` count;
  * `ours_us`, `peer_us`: microseconds per unit, each in its best round;
  * `ratio`: how many times the peer's throughput ours is: `peer_us / ours_us`;
  * `lowest`, `highest`: of the ratios within one round;
  * `at_least`: the goal for the ratio, or null; `is_reached`: whether the ratio is at it, or null.
"""

from __future__ import annotations

import os
import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.harness import Row

__all__ = ["Machine", "Report", "describe_machine"]

_PACKAGES = ("orchestra-trio", "trio", "anyio", "pykka")


@attrs.frozen
class Machine:
    """What the figures were measured on."""

    cpu: str
    cores: int
    system: str
    python: str
    packages: dict[str, str]

    def __str__(self) -> str:
        """One line; asyncio is as old as the Python that it comes with."""
        packages = ", ".join(f"{name} {number}" for name, number in self.packages.items())
        return f"{self.cpu}, {self.cores} cores, {self.system}; {self.python} (and its asyncio); {packages}"


@attrs.frozen
class Report:
    """One run of the benchmarks."""

    machine: Machine
    quick: bool
    processes: int
    rounds: int
    private_in_use: bool
    missing: Sequence[str]
    rows: Sequence[Row]

    def as_data(self) -> dict[str, Any]:
        """Return what is written as JSON; see the module's head."""
        rows = [{**attrs.asdict(row), "is_reached": row.is_reached} for row in self.rows]
        return {"schema": 1, **attrs.asdict(self, filter=lambda field, _: field.name != "rows"), "rows": rows}

    def as_text(self) -> str:
        """Return what is printed, without an end of line."""
        lines = [*_table(self.rows), ""]
        lines += [f"no comparison with {package}: it is not installed" for package in self.missing]
        if not self.private_in_use:
            lines.append("all figures are those of trio's public interface alone: what is private to trio was not used")
        lines.append(
            f"ratio: our throughput to the peer's, by the best of {self.processes} x {self.rounds} rounds; "
            "spread: within one round"
        )
        if self.quick:
            lines.append("a quick run: its figures only show that the benchmarks work, and are not to be quoted")
        return "\n".join(lines)


def describe_machine() -> Machine:
    """Say what this machine is, as far as it tells."""
    return Machine(
        cpu=_cpu_model(),
        cores=os.cpu_count() or 1,
        system=f"{platform.system()} {platform.machine()}",
        python=f"{platform.python_implementation()} {platform.python_version()}",
        packages={name: found for name in _PACKAGES if (found := _version(name)) is not None},
    )


def _cpu_model() -> str:
    """Return the model where Linux tells it, else what Python knows."""
    try:
        lines = Path("/proc/cpuinfo").read_text("utf-8").splitlines()
    except OSError:
        lines = []
    models = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(models, "") or platform.processor() or platform.machine() or "unknown processor"


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _table(rows: Sequence[Row]) -> list[str]:
    """Return the lines of a table that reads well as it is, and is Markdown."""
    head = ("work", "peer", "ours, us", "peer, us", "per", "ratio", "spread", "at least", "reached")
    cells = [head, *map(_cells, rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    lines = [
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) + " |" for line in cells
    ]
    lines.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
    return lines


def _cells(row: Row) -> tuple[str, ...]:
    return (
        row.work,
        row.peer,
        f"{row.ours_us:.2f}",
        f"{row.peer_us:.2f}",
        row.unit,
        f"{row.ratio:.2f}",
        f"{row.lowest:.2f} to {row.highest:.2f}",
        "" if row.at_least is None else f"{row.at_least:g}",
        {None: "", True: "yes", False: "no"}[row.is_reached],
    )
