"""The arithmetic, and what is compared with what."""

from __future__ import annotations

import math

import attrs
import pytest

from benchmarks.counts.comparing import LIMIT_BETWEEN_BUILDS, Row, compare, shifts
from benchmarks.counts.counters import BYTECODES, C_CALLS, CALLS, INSTRUCTIONS, Figure
from benchmarks.counts.figures import Counted, Versions

HERE = Versions("3.11", "3.11.7 (here)", "0.35.0")


def counted(total: float = 100.0, versions: Versions = HERE, **others: float) -> Counted:
    return Counted(versions, {name: Figure(number) for name, number in {"channel": total, **others}.items()})


@pytest.mark.parametrize(
    ("now", "verdict"),
    [(100.0, ""), (105.0, ""), (105.01, "worse"), (95.0, ""), (94.99, "better"), (0.0, "better")],
)
def test_past_the_limit_is_worse_or_better_and_at_it_neither(now: float, verdict: str) -> None:
    row = Row("channel", CALLS, 100.0, now)
    assert (row.is_worse, row.is_better) == (verdict == "worse", verdict == "better")
    assert row.change == pytest.approx(now / 100 - 1)


def test_what_was_nothing_and_is_something_is_worse() -> None:
    assert (Row("channel", CALLS, 0, 0).change, Row("channel", CALLS, 0, 0.1).change) == (0, math.inf)
    assert Row("channel", CALLS, 0, 0.1).is_worse


def test_what_fits_is_compared_without_a_note() -> None:
    comparison = compare({CALLS: counted()}, {CALLS: counted(104)})
    assert comparison.rows == [Row("channel", CALLS, 100, 104)]
    assert (comparison.notes, comparison.passed) == ([], True)


def test_one_figure_that_is_worse_fails_it_all() -> None:
    stored, now = counted(100, requests=10), counted(50, requests=10.6)
    comparison = compare({CALLS: stored}, {CALLS: now})
    assert [row.run for row in comparison.rows if row.is_worse] == ["requests"]
    assert not comparison.passed


def test_another_python_is_compared_by_calls_alone() -> None:
    """Its bytecodes and instructions are others; what the library calls is not."""
    other = attrs.evolve(HERE, python="3.14", build="3.14.0")
    all_four = (BYTECODES, CALLS, C_CALLS, INSTRUCTIONS)
    comparison = compare(dict.fromkeys(all_four, counted()), dict.fromkeys(all_four, counted(200, other)))
    assert [row.counter for row in comparison.rows] == [CALLS, C_CALLS]
    assert not comparison.passed
    assert [note.split(": ")[-1] for note in comparison.notes] == [
        "not compared",
        "compared all the same",
        "compared all the same",
        "not compared",
    ]


def test_another_trio_is_compared_with_a_note() -> None:
    other = attrs.evolve(HERE, trio="0.36.0")
    comparison = compare({BYTECODES: counted()}, {BYTECODES: counted(200, other)})
    assert ([row.is_worse for row in comparison.rows], len(comparison.notes)) == ([True], 1)
    assert "trio 0.35.0, counted with 0.36.0" in comparison.notes[0]


def test_another_build_has_a_wider_limit_for_instructions_alone() -> None:
    other = attrs.evolve(HERE, build="3.11.9 (there)")
    both = (BYTECODES, INSTRUCTIONS)
    comparison = compare(dict.fromkeys(both, counted()), dict.fromkeys(both, counted(108, other)))
    assert [(row.counter, row.is_worse) for row in comparison.rows] == [(BYTECODES, True), (INSTRUCTIONS, False)]
    assert comparison.rows[1].limit == LIMIT_BETWEEN_BUILDS
    assert ["3.11.7 (here)" in note for note in comparison.notes] == [True]


def test_what_has_no_counterpart_is_noted() -> None:
    """A new run, a new counter, and a counter that cannot be counted here; nothing passes silently."""
    comparison = compare(
        {CALLS: counted(), INSTRUCTIONS: counted()}, {CALLS: counted(requests=1), BYTECODES: counted()}
    )
    assert [row.run for row in comparison.rows] == ["channel"]
    assert comparison.notes == [
        "calls: nothing is stored for requests, which is not compared",
        "bytecodes: nothing is stored, and nothing compared",
        "instructions: not counted here, not compared",
    ]


def test_nothing_compared_has_not_passed() -> None:
    assert not compare({}, {CALLS: counted()}).passed


def test_the_yardstick_is_no_run() -> None:
    both = {INSTRUCTIONS: counted(yardstick=2_600)}, {INSTRUCTIONS: counted(yardstick=9_999)}
    assert [row.run for row in compare(*both).rows] == ["channel"]


def test_functions_that_changed_most_come_first() -> None:
    """What is little and was not stored with the others is not taken for new."""
    stored = Figure(100, {"same": 50, "gone": 10, "grown": 40})
    now = Figure(100.9, {"same": 50, "grown": 45, "little": 0.9, "new": 5.5})
    assert [(shift.function, shift.difference) for shift in shifts(stored, now)] == [
        ("gone", -10),
        ("new", 5.5),
        ("grown", 5),
        ("same", 0),
    ]


def test_functions_that_cost_most_come_first_where_nothing_is_stored() -> None:
    found = shifts(None, Figure(3, {"cheap": 1, "dear": 2}))
    assert [(shift.function, shift.stored) for shift in found] == [("dear", None), ("cheap", None)]
