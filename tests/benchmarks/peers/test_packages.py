"""Peers that are not installed."""

from __future__ import annotations

import sys

import pytest

from benchmarks.works import SUITE, WORKS

PACKAGES = ["anyio", "culsans", "janus", "pykka", "xoscar"]


@pytest.fixture
def _bare(monkeypatch: pytest.MonkeyPatch) -> None:
    for package in PACKAGES:
        monkeypatch.setitem(sys.modules, package, None)  # as if it could not be found


@pytest.mark.usefixtures("_bare")
def test_missing_packages_only_leave_out_peers() -> None:
    """Each peer that needs a package says so: what is left runs without them."""
    for work in WORKS:
        here = [peer for peer in work.peers if not peer.is_missing]
        assert here, "each work has a peer that everybody has"
        assert all(peer.timed(100) > 0 for peer in here)


@pytest.mark.usefixtures("_bare")
def test_missing_packages_are_named() -> None:
    assert SUITE.missing_packages == PACKAGES
