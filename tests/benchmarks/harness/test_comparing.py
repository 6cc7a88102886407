"""How samples are compared: the best rounds, the spread, and the goals."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.harness import (
    OURS,
    Growth,
    Peer,
    Quantity,
    QuantityPeer,
    compare,
    compare_growths,
    compare_quantities,
)
from tests.benchmarks.harness.contenders import Notes, never, work

if TYPE_CHECKING:
    from benchmarks.harness import QuantitySamples, Samples

SECONDS = st.floats(1e-9, 1.0)


def growth(*, between: tuple[int, int] | None = None, at_most: float | None = None) -> Growth:
    return Growth("growth", never, [10, 100, 1000], "thing", between, at_most)


def test_only_what_was_measured_has_a_row() -> None:
    """A peer may be missing, or a work left out."""
    works = [work(Peer("gone", never), Peer("here", never)), work(Peer("here", never), name="other")]
    samples: Samples = {"work": {OURS: [1.0], "here": [1.0]}}
    assert [(row.work, row.peer) for row in compare(works, samples)] == [("work", "here")]


def test_the_ratio_is_of_the_best_rounds_and_the_spread_within_one() -> None:
    """The best of ours and the best of the peer need not be of one round."""
    samples: Samples = {"work": {OURS: [2e-6, 1e-6], "peer": [4e-6, 5e-6]}}
    (row,) = compare([work(Peer("peer", never))], samples)

    assert (row.ours_us, row.peer_us) == pytest.approx((1.0, 4.0))
    assert (row.ratio, row.lowest, row.highest) == pytest.approx((4.0, 2.0, 5.0))


@given(st.lists(st.tuples(SECONDS, SECONDS), min_size=1))
def test_the_ratio_is_that_of_the_figures_shown(rounds: list[tuple[float, float]]) -> None:
    ours, others = ([pair[side] for pair in rounds] for side in (0, 1))
    (row,) = compare([work(Peer("peer", never))], {"work": {OURS: ours, "peer": others}})

    assert row.ratio == pytest.approx(row.peer_us / row.ours_us)
    assert row.lowest <= row.highest
    assert row.lowest * row.ours_us <= max(others) * 1e6 * (1 + 1e-9)


def test_rounds_that_do_not_match_are_refused() -> None:
    with pytest.raises(ValueError, match="shorter"):
        compare([work(Peer("peer", never))], {"work": {OURS: [1.0, 1.0], "peer": [1.0]}})


@pytest.mark.parametrize(("at_least", "is_reached"), [(None, None), (4.1, False), (4.0, True), (3.9, True)])
def test_a_goal_is_reached_by_the_ratio_at_least(at_least: float | None, is_reached: bool | None) -> None:
    samples: Samples = {"work": {OURS: [1.0], "peer": [4.0]}}
    (row,) = compare([work(Peer("peer", never, at_least=at_least))], samples)
    assert row.is_reached is is_reached


@pytest.mark.parametrize(("rounds", "best"), [(2, [1e6, 3e6]), (1, [2e6, 1e6, 3e6, 4e6]), (None, [1e6])])
def test_the_best_round_of_each_process_is_kept(rounds: int | None, best: list[float]) -> None:
    """Without a number of rounds, all of them were of one process."""
    seconds = [2.0, 1.0, 3.0, 4.0]
    (row,) = compare([work(Peer("peer", never))], {"work": {OURS: seconds, "peer": seconds}}, rounds=rounds)
    (grown,) = compare_growths([growth()], {"growth": {"10": seconds}}, rounds=rounds)
    assert row.ours_by_process == row.peer_by_process == grown.sizes[0].by_process == pytest.approx(best)


def test_a_growth_compares_the_sizes_of_its_goal() -> None:
    samples: Samples = {"growth": {"10": [9e-6, 9e-6], "100": [2e-6, 1e-6], "1000": [4e-6, 3e-6]}}
    (row,) = compare_growths([growth(between=(100, 1000), at_most=2)], samples)

    assert [one.size for one in row.sizes] == [10, 100, 1000]
    assert [one.us for one in row.sizes] == pytest.approx([9.0, 1.0, 3.0])
    assert (row.small, row.large) == (100, 1000)
    assert (row.times, row.lowest, row.highest) == pytest.approx((3.0, 2.0, 3.0))


def test_a_growth_without_a_goal_compares_the_smallest_size_with_the_largest() -> None:
    (row,) = compare_growths([growth()], {"growth": {"1000": [2.0], "10": [1.0]}})
    assert (row.small, row.large, row.times, row.is_reached) == (10, 1000, 2.0, None)
    assert [one.size for one in row.sizes] == [10, 1000], "in order, whatever that of the samples is"


@pytest.mark.parametrize("sizes", [["10"], ["1000"], ["100"]])
def test_sizes_that_were_not_measured_are_not_compared(sizes: list[str]) -> None:
    """A quick run leaves out the large ones; then a goal is neither reached nor missed."""
    (row,) = compare_growths([growth(at_most=2)], {"growth": {size: [1.0] for size in sizes}})
    assert (row.times, row.lowest, row.highest, row.is_reached) == (None, None, None, None)


@pytest.mark.parametrize(("at_most", "is_reached"), [(None, None), (2.1, True), (2.0, True), (1.9, False)])
def test_a_goal_of_a_growth_is_reached_by_at_most(at_most: float | None, is_reached: bool | None) -> None:
    (row,) = compare_growths([growth(at_most=at_most)], {"growth": {"10": [1.0], "1000": [2.0]}})
    assert row.is_reached is is_reached


def test_the_best_round_of_each_figure_of_a_quantity_counts() -> None:
    """Label by label, ours first; the best rounds of two labels need not be the same."""
    notes = Notes()
    quantity = Quantity("wait", notes.measuring("a"), "us", 100, [QuantityPeer("peer", notes.measuring("b"))])
    samples: QuantitySamples = {
        "wait": {
            OURS: [{"p50": 2.0, "p99": 8.0}, {"p50": 1.0, "p99": 9.0}],
            "peer": [{"p50": 4.0, "p99": 4.0}, {"p50": 5.0, "p99": 6.0}],
        }
    }
    rows = compare_quantities([quantity], samples, rounds=1)

    assert [(row.label, row.whose, row.figure, row.highest, row.ratio) for row in rows] == [
        ("p50", OURS, 1.0, 2.0, None),
        ("p50", "peer", 4.0, 5.0, 4.0),
        ("p99", OURS, 8.0, 9.0, None),
        ("p99", "peer", 4.0, 6.0, 0.5),
    ]
    assert {(row.quantity, row.unit) for row in rows} == {("wait", "us")}
    assert rows[0].by_process == [2.0, 1.0]


def test_nothing_is_so_many_times_a_figure_of_0() -> None:
    notes = Notes()
    quantity = Quantity("size", notes.measuring("a"), "bytes", 100, [QuantityPeer("peer", notes.measuring("b"))])
    rows = compare_quantities([quantity], {"size": {OURS: [{"all": 0.0}], "peer": [{"all": 4.0}]}})
    assert [row.ratio for row in rows] == [None, None]
