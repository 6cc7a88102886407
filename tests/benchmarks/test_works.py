"""Each work and each peer moves its messages and comes to its end; how fast is not tested."""

from __future__ import annotations

import pytest

from benchmarks.harness import Peer, Work, compare, measure
from benchmarks.workload import BATCH, Stopwatch
from benchmarks.works import WORKS

INSTALLED = [(work, peer) for work in WORKS for peer in work.peers if not peer.is_missing]


@pytest.mark.parametrize("work", WORKS, ids=lambda work: work.name)
def test_a_work_comes_to_its_end(work: Work) -> None:
    assert work.timed(5 * BATCH) > 0


@pytest.mark.parametrize(("work", "peer"), INSTALLED, ids=lambda one: one.name)
def test_a_peer_does_the_same_work(work: Work, peer: Peer) -> None:
    """More messages than a channel holds, so that senders wait too."""
    assert work.count % 1000 == 0
    assert peer.timed(15 * BATCH) > 0


def test_names_are_unique() -> None:
    """Samples are kept by them."""
    assert len({work.name for work in WORKS}) == len(WORKS)
    for work in WORKS:
        assert len({peer.name for peer in work.peers}) == len(work.peers)


def test_all_works_can_be_measured_in_one_process() -> None:
    rows = compare(WORKS, measure(WORKS, rounds=1, scale=0.001))
    assert [(row.work, row.peer) for row in rows] == [(work.name, peer.name) for work, peer in INSTALLED]
    assert all(row.ours_us > 0 and row.peer_us > 0 for row in rows)


def test_a_work_that_did_not_end_has_no_time() -> None:
    watch = Stopwatch()
    watch.begin()
    with pytest.raises(RuntimeError, match="did not come to its end"):
        _ = watch.seconds
