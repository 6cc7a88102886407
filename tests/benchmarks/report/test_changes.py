"""What is said about two runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.report.changes import Change, changes, changes_as_text, differences
from tests.benchmarks.report.samples import GROWTH, MACHINE, QUANTITIES, REPORT, ROW

if TYPE_CHECKING:
    from benchmarks.report.machine import Machine
    from benchmarks.report.stored import Report

FIGURES = st.lists(st.floats(0.1, 10.0), min_size=5, max_size=5)


def run(ours: list[float], peer: list[float]) -> Report:
    """A run of one work, with these figures of its processes."""
    row = attrs.evolve(
        ROW,
        ours_us=min(ours),
        peer_us=min(peer),
        ratio=min(peer) / min(ours),
        ours_by_process=ours,
        peer_by_process=peer,
    )
    return attrs.evolve(REPORT, processes=len(ours), rows=[row], growths=[], quantities=[])


def found(before: Report, after: Report) -> dict[str, Change]:
    return {f"{one.name}, {one.of}": one for one in changes(before, after)}


def test_a_run_has_not_changed_from_itself() -> None:
    """All kinds of figures are compared."""
    one = found(REPORT, REPORT)
    assert list(one) == [
        "one by one, ours",
        "one by one, ratio to peer",
        "startup, at 10",
        "startup, at 100",
        "startup, at 10,000",
        "startup, 10,000 to 100",
        "high lane, p99, ours",
        "high lane, p99, ratio to peer",
    ]
    assert {(change.change, change.beyond) for change in one.values()} == {(1.0, "")}


def test_a_change_above_1_is_for_the_better_of_times_and_of_ratios() -> None:
    """Twice as fast, beside a peer that is as fast as before."""
    one = found(run([2.0, 2.1, 2.2, 2.3], [8.0, 8.0, 8.0, 8.0]), run([1.0, 1.1, 1.2, 1.3], [8.0, 8.0, 8.0, 8.0]))
    ours, ratio = one["one by one, ours"], one["one by one, ratio to peer"]
    assert (ours.before, ours.after, ours.change, ours.beyond) == (2.0, 1.0, 2.0, "better")
    assert (ratio.before, ratio.after, ratio.change, ratio.beyond) == (4.0, 8.0, 2.0, "better")


def test_what_slows_down_the_machine_shows_in_ours_but_not_in_the_ratio() -> None:
    one = found(run([1.0, 1.1, 1.2, 1.3], [8.0, 8.8, 9.6, 10.4]), run([2.0, 2.2, 2.4, 2.6], [16.0, 17.6, 19.2, 20.8]))
    assert (one["one by one, ours"].change, one["one by one, ours"].beyond) == (0.5, "worse")
    assert (one["one by one, ratio to peer"].change, one["one by one, ratio to peer"].beyond) == (1.0, "")


@given(FIGURES, FIGURES)
def test_a_change_is_beyond_the_spread_if_the_processes_of_the_runs_do_not_mix(
    before: list[float], after: list[float]
) -> None:
    """Then, and only then, sorting them all puts those of one run before those of the other."""
    change = found(run(before, [1.0] * 5), run(after, [1.0] * 5))["one by one, ours"]
    ranks = sorted([*((one, "before") for one in before), *((one, "after") for one in after)])
    sides = [side for _, side in ranks]
    apart = sides[:5] in (["before"] * 5, ["after"] * 5) and ranks[4][0] != ranks[5][0]
    assert change.beyond == (("worse" if sides[0] == "before" else "better") if apart else "")
    assert change.change == pytest.approx(min(before) / min(after))


def test_growths_and_quantities_are_better_if_there_is_less_of_them() -> None:
    processes = [1.0] * 5
    grown = attrs.evolve(GROWTH, sizes=[attrs.evolve(one, by_process=processes) for one in GROWTH.sizes])
    worse = attrs.evolve(
        GROWTH, times=2.4, sizes=[attrs.evolve(one, us=one.us * 2, by_process=[2.0] * 5) for one in grown.sizes]
    )
    waits = [attrs.evolve(row, by_process=processes) for row in QUANTITIES]
    lower = [attrs.evolve(waits[0], figure=10.0, by_process=[0.5] * 5), attrs.evolve(waits[1], ratio=5.0)]
    before = attrs.evolve(REPORT, rows=[], growths=[grown], quantities=waits)
    one = found(before, attrs.evolve(before, growths=[worse], quantities=lower))

    assert {name: (change.change, change.beyond) for name, change in one.items()} == {
        "startup, at 10": (0.5, "worse"),
        "startup, at 100": (0.5, "worse"),
        "startup, at 10,000": (0.5, "worse"),
        "startup, 10,000 to 100": (0.5, ""),
        "high lane, p99, ours": (2.0, "better"),
        "high lane, p99, ratio to peer": (2.0, "better"),
    }


def test_a_figure_that_is_not_above_0_has_no_change() -> None:
    none = attrs.evolve(QUANTITIES[0], figure=0.0)
    before = attrs.evolve(REPORT, rows=[], growths=[], quantities=[QUANTITIES[0]])
    (change,) = changes(before, attrs.evolve(before, quantities=[none]))
    assert (change.change, change.beyond) == (None, "")
    assert "| 20.00  | 0.00  |        |" in changes_as_text(before, attrs.evolve(before, quantities=[none]))


def test_what_is_beyond_the_spread_is_listed() -> None:
    text = changes_as_text(run([2.0] * 4, [8.0] * 4), run([1.0] * 4, [4.0] * 4))
    assert text.splitlines() == [
        "| figure     | of            | unit           | before | after | change | beyond the spread |",
        "|------------|---------------|----------------|--------|-------|--------|-------------------|",
        "| one by one | ours          | us per message | 2.00   | 1.00  | 2.00   | better            |",
        "| one by one | ratio to peer | times          | 4.00   | 4.00  | 1.00   |                   |",
        "",
        "change: above 1 for the better, below 1 for the worse; ours alone also follows the machine",
        "beyond the spread between processes are 1 of 2 changes:",
        "* one by one, ours: 2.00, better",
    ]


def test_where_nothing_is_beyond_the_spread_that_is_said() -> None:
    same = run([1.0] * 4, [2.0] * 4)
    assert changes_as_text(same, same).endswith("no change is beyond the spread between processes")


def test_few_processes_do_not_tell_what_is_noise() -> None:
    before, after = run([2.0] * 4, [2.0] * 4), run([1.0] * 3, [1.0] * 3)
    assert {change.beyond for change in changes(before, after)} == {""}
    assert "what is noise cannot be told" in changes_as_text(before, after)


def test_what_is_in_one_run_only_is_named() -> None:
    """A work by its name, a peer of a work that is in both with that."""
    peers = [ROW, attrs.evolve(ROW, peer="other")]
    before = attrs.evolve(REPORT, rows=peers, growths=[])
    after = attrs.evolve(REPORT, rows=[ROW], quantities=[])
    lines = changes_as_text(before, after).splitlines()
    assert [line for line in lines if line.startswith("only ")] == [
        "only before: one by one, ratio to other",
        "only before: high lane",
        "only after: startup",
    ]


def test_runs_that_have_no_figure_in_common_are_told_apart() -> None:
    text = changes_as_text(attrs.evolve(REPORT, growths=[], quantities=[]), attrs.evolve(REPORT, rows=[]))
    assert "only before: one by one" in text
    assert "only after: startup" in text


@pytest.mark.parametrize(
    ("other", "difference"),
    [
        (attrs.evolve(MACHINE, cpu="Abaque"), "Abacus and Abaque"),
        (attrs.evolve(MACHINE, cores=4), "2 cores and 4 cores"),
        (attrs.evolve(MACHINE, python="PyPy 3.11.1"), "CPython 3.11.0 and PyPy 3.11.1"),
        (attrs.evolve(MACHINE, packages={"trio": "0.36.0"}), "trio 0.35.0 and 0.36.0"),
        (attrs.evolve(MACHINE, packages={"trio": "0.35.0", "anyio": "4"}), "anyio none and 4"),
    ],
    ids=["cpu", "cores", "python", "version", "installed"],
)
def test_a_difference_of_the_machines_is_warned_of_in_one_line(other: Machine, difference: str) -> None:
    after = attrs.evolve(REPORT, machine=other)
    assert differences(REPORT, after) == [difference]
    (warning,) = [line for line in changes_as_text(REPORT, after).splitlines() if "warning" in line]
    assert warning.endswith(difference)


def test_a_difference_of_how_it_was_measured_is_one_too() -> None:
    after = attrs.evolve(REPORT, quick=True, private_in_use=False)
    assert differences(REPORT, after) == [
        "trio's private parts in use and trio's public interface alone",
        "a full run and a quick run",
    ]


def test_another_version_of_the_library_is_what_is_compared() -> None:
    before, after = (
        attrs.evolve(REPORT, machine=attrs.evolve(MACHINE, packages={"orchestra-trio": version}))
        for version in ("1", "2")
    )
    assert differences(before, after) == []
    assert "warning" not in changes_as_text(before, after)
