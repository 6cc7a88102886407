"""What is printed of a run: tables that read well as they are, and are Markdown."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.harness import GrowthRow, QuantityRow, Row
    from benchmarks.report.stored import Report

__all__ = ["as_text", "number", "table"]

_REACHED: Final = {None: "", True: "yes", False: "no"}


def as_text(report: Report) -> str:
    """Return what is printed, without an end of line."""
    best = f"the best of {report.processes} x {report.rounds} rounds"
    lines: list[str] = []
    if report.rows:
        note = f"ratio: our throughput to the peer's, by {best}; spread: within one round"
        lines += [*_work_table(report.rows), "", note, ""]
    if report.growths:
        note = (
            f"us: per unit, in {best}; times: the second of the compared sizes to the first; spread: within one round"
        )
        lines += [*_growth_table(report.growths), "", note, ""]
    if report.quantities:
        note = f"best, worst: of {report.processes} x {report.rounds} rounds; ratio: the peer's best to ours"
        lines += [*_quantity_table(report.quantities), "", note, ""]
    return "\n".join([*lines, *_remarks(report)]).rstrip("\n")


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """Return the lines of a table with aligned columns."""
    cells = [head, *rows]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    lines = [
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) + " |" for line in cells
    ]
    lines.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
    return lines


def number(figure: float) -> str:
    """Return a figure with two decimals, or none where it is large."""
    return f"{figure:.2f}" if abs(figure) < 1000 else f"{figure:,.0f}"  # noqa: PLR2004 - four digits say enough


def _remarks(report: Report) -> list[str]:
    """Return what limits the figures."""
    lines = [f"no comparison with {package}: it is not installed" for package in report.missing]
    if not report.private_in_use:
        lines.append("all figures are those of trio's public interface alone: what is private to trio was not used")
    if report.quick:
        lines.append("a quick run: its figures only show that the benchmarks work, and are not to be quoted")
    return lines


def _work_table(rows: Sequence[Row]) -> list[str]:
    return table(
        ("work", "peer", "ours, us", "peer, us", "per", "ratio", "spread", "at least", "reached"),
        [
            (
                row.work,
                row.peer,
                number(row.ours_us),
                number(row.peer_us),
                row.unit,
                f"{row.ratio:.2f}",
                _spread(row.lowest, row.highest),
                "" if row.at_least is None else f"{row.at_least:g}",
                _REACHED[row.is_reached],
            )
            for row in rows
        ],
    )


def _growth_table(rows: Sequence[GrowthRow]) -> list[str]:
    sizes = sorted({one.size for row in rows for one in row.sizes})
    columns = [f"us at {size:,}" for size in sizes]
    lines = []
    for row in rows:
        figures = {one.size: number(one.us) for one in row.sizes}
        lines.append(
            (
                row.growth,
                row.unit,
                *(figures.get(size, "") for size in sizes),
                f"{row.small:,} and {row.large:,}",
                "" if row.times is None else f"{row.times:.2f}",
                _spread(row.lowest, row.highest),
                "" if row.at_most is None else f"{row.at_most:g}",
                _REACHED[row.is_reached],
            )
        )
    return table(("growth", "per", *columns, "compared", "times", "spread", "at most", "reached"), lines)


def _quantity_table(rows: Sequence[QuantityRow]) -> list[str]:
    return table(
        ("quantity", "figure", "whose", "best", "worst", "unit", "ratio"),
        [
            (
                row.quantity,
                row.label,
                row.whose,
                number(row.figure),
                number(row.highest),
                row.unit,
                "" if row.ratio is None else f"{row.ratio:.2f}",
            )
            for row in rows
        ],
    )


def _spread(lowest: float | None, highest: float | None) -> str:
    return "" if lowest is None or highest is None else f"{lowest:.2f} to {highest:.2f}"
