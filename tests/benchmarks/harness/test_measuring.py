"""How samples are taken and put together."""

from __future__ import annotations

import gc

import pytest

from benchmarks.harness import (
    OURS,
    Growth,
    Peer,
    Quantity,
    QuantityPeer,
    Samples,
    Work,
    measure,
    measure_growths,
    measure_quantities,
    merge,
)
from tests.benchmarks.harness.contenders import Notes, never


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


def test_the_sizes_of_a_growth_take_turns_and_its_figures_are_left_as_they_are() -> None:
    """They are per unit already; the first turn, of the smallest size, does not count."""
    notes = Notes()
    samples = measure_growths([Growth("growth", notes.contender("a"), [10, 300], "thing")], rounds=2)

    assert notes.calls == [("a", 10), *[("a", 10), ("a", 300)] * 2]
    assert samples == {"growth": {"10": [10.0, 10.0], "300": [300.0, 300.0]}}


@pytest.mark.parametrize(
    ("scale", "sizes"), [(1.0, ["10", "100", "1000"]), (0.1, ["10", "100"]), (0.02, ["10"]), (0.0001, ["10"])]
)
def test_a_scaled_growth_leaves_out_what_is_large(scale: float, sizes: list[str]) -> None:
    growth = Growth("growth", Notes().contender("a"), [10, 100, 1000], "thing")
    assert list(measure_growths([growth], rounds=1, scale=scale)["growth"]) == sizes


def test_ours_and_the_peers_of_a_quantity_take_turns() -> None:
    """All labels come from the same run; the first turn of each does not count."""
    notes = Notes()
    quantity = Quantity("wait", notes.measuring("a"), "us", 2000, [QuantityPeer("b", notes.measuring("b"))])
    samples = measure_quantities([quantity], rounds=2, scale=0.5)

    assert notes.calls == [("a", 100), ("b", 100), *[("a", 1000), ("b", 1000)] * 2]
    assert samples == {"wait": {whose: [{"p50": 1.0, "count": 1000.0}] * 2 for whose in (OURS, "b")}}


def test_a_peer_that_is_not_installed_is_not_measured() -> None:
    notes = Notes()
    here = Peer("here", notes.contender("here"), package="trio")
    gone = Peer("gone", never, package="no_such_package")
    samples = measure([Work("work", notes.contender("a"), [gone, here], 100)], rounds=1)
    assert list(samples["work"]) == [OURS, "here"]

    quantity = Quantity(
        "wait", notes.measuring("a"), "us", 100, [QuantityPeer("gone", notes.measuring("gone"), "no_such_package")]
    )
    assert list(measure_quantities([quantity], rounds=1)["wait"]) == [OURS]
    assert "gone" not in {name for name, _ in notes.calls}


def test_merged_rounds_stay_in_their_order_and_works_may_be_in_some_parts_only() -> None:
    parts: list[Samples] = [
        {"a": {OURS: [1.0], "peer": [2.0]}},
        {"b": {OURS: [5.0]}},
        {"a": {OURS: [3.0], "peer": [4.0]}},
    ]
    assert merge(parts) == {"a": {OURS: [1.0, 3.0], "peer": [2.0, 4.0]}, "b": {OURS: [5.0]}}
    assert parts[0] == {"a": {OURS: [1.0], "peer": [2.0]}}, "the parts are left as they were"
