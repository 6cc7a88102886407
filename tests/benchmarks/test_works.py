"""Each work and each peer moves its messages and comes to its end; how fast is not tested."""

from __future__ import annotations

import gc
from typing import TYPE_CHECKING

import pytest

from benchmarks.harness import Peer, Quantity, QuantityPeer, Work, compare, measure
from benchmarks.workload import BATCH
from benchmarks.works import QUANTITIES, WORKS

if TYPE_CHECKING:
    from collections.abc import Iterator

INSTALLED = [(work, peer) for work in WORKS for peer in work.peers if not peer.is_missing]
OF_QUANTITIES = [(one, peer) for one in QUANTITIES for peer in one.peers if not peer.is_missing]

FEW, MORE = 5 * BATCH, 15 * BATCH
"""The latter are more than a channel holds, so that senders wait too."""


@pytest.mark.parametrize("work", WORKS, ids=lambda work: work.name)
def test_a_work_comes_to_its_end(work: Work) -> None:
    assert work.count % 1000 == 0
    assert work.timed(FEW) > 0


@pytest.mark.parametrize(("work", "peer"), INSTALLED, ids=lambda one: one.name)
def test_a_peer_does_the_same_work(work: Work, peer: Peer) -> None:
    assert peer.timed(MORE) > 0


@pytest.mark.parametrize("one", QUANTITIES, ids=lambda one: one.name)
def test_a_quantity_is_measured(one: Quantity) -> None:
    assert one.count % 1000 == 0
    assert min(one.measured(FEW).values()) > 0


@pytest.mark.parametrize(("one", "peer"), OF_QUANTITIES, ids=lambda one: one.name)
def test_of_a_peer_the_same_is_measured(one: Quantity, peer: QuantityPeer) -> None:
    assert list(peer.measured(MORE)) == list(one.measured(BATCH))


def test_names_are_unique() -> None:
    """Samples are kept by them."""
    kinds: list[Work | Quantity] = [*WORKS, *QUANTITIES]
    assert len({one.name for one in kinds}) == len(kinds)
    for one in kinds:
        assert len({peer.name for peer in one.peers}) == len(one.peers)


@pytest.fixture
def _frozen() -> Iterator[None]:
    """The collector passes over what there is by now: there is a pass before each contender runs."""
    gc.freeze()
    yield
    gc.unfreeze()


@pytest.mark.usefixtures("_frozen")
def test_all_works_can_be_measured_in_one_process() -> None:
    rows = compare(WORKS, measure(WORKS, rounds=1, scale=0.001))
    assert [(row.work, row.peer) for row in rows] == [(work.name, peer.name) for work, peer in INSTALLED]
    assert all(row.ours_us > 0 and row.peer_us > 0 for row in rows)
