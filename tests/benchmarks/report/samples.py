"""A run with figures of all kinds."""

from __future__ import annotations

from benchmarks.harness import OURS, GrowthRow, QuantityRow, Row, SizeFigure
from benchmarks.report.machine import Machine
from benchmarks.report.stored import Report

__all__ = ["GROWTH", "MACHINE", "QUANTITIES", "REPORT", "ROW"]

ROW = Row("one by one", "message", "peer", 0.8, 7.2, 9.0, 8.5, 9.25, 9, [0.8, 0.9], [7.2, 7.5])
GROWTH = GrowthRow(
    "startup",
    "subsystem",
    [SizeFigure(10, 40.0, [40.0, 41.0]), SizeFigure(100, 50.0, [50.0]), SizeFigure(10_000, 60.0, [60.0])],
    100,
    10_000,
    1.2,
    1.1,
    1.5,
    2,
)
QUANTITIES = [
    QuantityRow("high lane", "us", "p99", OURS, 20.0, 1500.0, [20.0, 22.0], None),
    QuantityRow("high lane", "us", "p99", "peer", 50.0, 55.0, [50.0, 51.0], 2.5),
]
MACHINE = Machine("Abacus", 2, "Linux x86_64", "CPython 3.11.0", {"trio": "0.35.0"})
REPORT = Report(
    MACHINE,
    quick=False,
    processes=5,
    rounds=6,
    private_in_use=True,
    missing=[],
    rows=[ROW],
    growths=[GROWTH],
    quantities=QUANTITIES,
)
