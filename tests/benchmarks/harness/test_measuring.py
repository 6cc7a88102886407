"""How samples are taken, put together and compared."""

from __future__ import annotations

import gc

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.harness import OURS, Peer, Samples, Timed, Work, compare, measure, merge, missing_packages

SECONDS = st.floats(1e-9, 1.0)


@attrs.define
class Notes:
    """Contenders that only note that they were called, and say that they took a second for each unit."""

    calls: list[tuple[str, int]] = attrs.Factory(list[tuple[str, int]])

    def contender(self, name: str) -> Timed:
        def timed(count: int) -> float:
            self.calls.append((name, count))
            return float(count)

        return timed


def never(count: int) -> float:
    raise AssertionError(f"this is not to be measured, {count} times or at all")


def work(*peers: Peer, name: str = "work", count: int = 1000) -> Work:
    return Work(name, never, peers, count)


def test_contenders_take_turns_within_each_round() -> None:
    """The first turn of each is brief and does not count."""
    notes = Notes()
    peers = [Peer(name, notes.contender(name)) for name in "bc"]
    samples = measure([Work("work", notes.contender("a"), peers, 2000)], rounds=2)

    assert notes.calls == [("a", 200), ("b", 200), ("c", 200), *[("a", 2000), ("b", 2000), ("c", 2000)] * 2]
    assert samples == {"work": {OURS: [1.0, 1.0], "b": [1.0, 1.0], "c": [1.0, 1.0]}}


@pytest.mark.parametrize(("scale", "counted"), [(1.0, 2000), (0.1, 200), (0.07, 100), (0.0001, 100)])
def test_a_scaled_count_stays_a_multiple_of_a_hundred(scale: float, counted: int) -> None:
    """Batches come out even, and something is always measured."""
    notes = Notes()
    measure([Work("work", notes.contender("a"), [], 2000)], rounds=1, scale=scale)
    assert notes.calls[-1] == ("a", counted)


@pytest.mark.parametrize("enabled", [True, False])
def test_the_collector_is_off_while_a_contender_runs_and_then_as_before(enabled: bool) -> None:
    seen: list[bool] = []

    def timed(_count: int) -> float:
        seen.append(gc.isenabled())
        return 1.0

    was_enabled = gc.isenabled()
    try:
        (gc.enable if enabled else gc.disable)()
        measure([Work("work", timed, [], 100)], rounds=1)
        assert (seen, gc.isenabled()) == ([False, False], enabled)
    finally:
        (gc.enable if was_enabled else gc.disable)()


def test_a_peer_that_is_not_installed_is_left_out_and_named() -> None:
    notes = Notes()
    here = Peer("here", notes.contender("here"), package="trio")
    gone = Peer("gone", never, package="no_such_package")
    works = [Work("work", notes.contender("a"), [gone, here], 100), work(gone, name="other")]

    samples = measure(works[:1], rounds=1)
    assert list(samples["work"]) == [OURS, "here"]
    assert [row.peer for row in compare(works, samples)] == ["here"]
    assert missing_packages(works) == ["no_such_package"]


def test_merged_rounds_stay_in_their_order_and_works_may_be_in_some_parts_only() -> None:
    parts: list[Samples] = [
        {"a": {OURS: [1.0], "peer": [2.0]}},
        {"b": {OURS: [5.0]}},
        {"a": {OURS: [3.0], "peer": [4.0]}},
    ]
    assert merge(parts) == {"a": {OURS: [1.0, 3.0], "peer": [2.0, 4.0]}, "b": {OURS: [5.0]}}
    assert parts[0] == {"a": {OURS: [1.0], "peer": [2.0]}}, "the parts are left as they were"


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
