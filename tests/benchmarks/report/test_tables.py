"""What is printed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs
import pytest

from benchmarks.report.tables import as_text, number
from tests.benchmarks.report.samples import GROWTH, REPORT, ROW

if TYPE_CHECKING:
    from benchmarks.report.stored import Report

WORKS_ONLY = attrs.evolve(REPORT, growths=[], quantities=[])


def test_the_table_has_aligned_columns_and_is_markdown() -> None:
    below = attrs.evolve(ROW, work="another", unit="round trip", at_least=None)
    assert as_text(attrs.evolve(REPORT, rows=[ROW, below])).splitlines()[:4] == [
        "| work       | peer | ours, us | peer, us | per        | ratio | spread       | at least | reached |",
        "|------------|------|----------|----------|------------|-------|--------------|----------|---------|",
        "| one by one | peer | 0.80     | 7.20     | message    | 9.00  | 8.50 to 9.25 | 9        | yes     |",
        "| another    | peer | 0.80     | 7.20     | round trip | 9.00  | 8.50 to 9.25 |          |         |",
    ]


def test_a_goal_that_is_not_reached_is_said_to_be_so() -> None:
    text = as_text(attrs.evolve(REPORT, rows=[attrs.evolve(ROW, at_least=10)]))
    assert "| 10       | no      |" in text


def test_growths_have_a_column_for_each_size_of_any() -> None:
    """What was not measured at a size has nothing there; sizes that are compared need not have been measured."""
    other = attrs.evolve(
        GROWTH, growth="stop", sizes=GROWTH.sizes[:1], times=None, lowest=None, highest=None, at_most=None
    )
    lines = as_text(attrs.evolve(REPORT, rows=[], quantities=[], growths=[GROWTH, other])).splitlines()[:4]
    half = lines[0].index("| compared")
    assert [line[:half] for line in lines] == [
        "| growth  | per       | us at 10 | us at 100 | us at 10,000 ",
        "|---------|-----------|----------|-----------|--------------",
        "| startup | subsystem | 40.00    | 50.00     | 60.00        ",
        "| stop    | subsystem | 40.00    |           |              ",
    ]
    assert [line[half:] for line in lines] == [
        "| compared       | times | spread       | at most | reached |",
        "|----------------|-------|--------------|---------|---------|",
        "| 100 and 10,000 | 1.20  | 1.10 to 1.50 | 2       | yes     |",
        "| 100 and 10,000 |       |              |         |         |",
    ]


def test_quantities_have_a_line_for_each_figure() -> None:
    assert as_text(attrs.evolve(REPORT, rows=[], growths=[])).splitlines()[:4] == [
        "| quantity  | figure | whose | best  | worst | unit | ratio |",
        "|-----------|--------|-------|-------|-------|------|-------|",
        "| high lane | p99    | ours  | 20.00 | 1,500 | us   |       |",
        "| high lane | p99    | peer  | 50.00 | 55.00 | us   | 2.50  |",
    ]


def test_each_kind_has_its_table_and_only_where_there_is_something_in_it() -> None:
    heads = ["| work ", "| growth ", "| quantity "]
    text = as_text(REPORT)
    assert [text.count(head) for head in heads] == [1, 1, 1]
    assert text.index(heads[0]) < text.index(heads[1]) < text.index(heads[2])
    assert [as_text(WORKS_ONLY).count(head) for head in heads] == [1, 0, 0]


@pytest.mark.parametrize(
    ("limited", "line"),
    [
        (attrs.evolve(REPORT, quick=True), "not to be quoted"),
        (attrs.evolve(REPORT, missing=["pykka"]), "no comparison with pykka: it is not installed"),
        (attrs.evolve(REPORT, private_in_use=False), "trio's public interface alone"),
    ],
    ids=["quick", "missing", "public only"],
)
def test_what_limits_the_figures_is_said_only_where_it_does(limited: Report, line: str) -> None:
    assert line in as_text(limited)
    assert line not in as_text(REPORT)


@pytest.mark.parametrize(
    ("figure", "text"), [(0.0, "0.00"), (0.125, "0.12"), (999.994, "999.99"), (1000, "1,000"), (-12345.6, "-12,346")]
)
def test_large_figures_have_no_decimals(figure: float, text: str) -> None:
    assert number(figure) == text
