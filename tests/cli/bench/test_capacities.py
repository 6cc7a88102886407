"""What capacities are suggested."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestra_trio.cli.bench.capacities import FEWEST, SMALLEST, Suggestion, Usage, suggest


@pytest.mark.parametrize(
    ("capacity", "usage", "suggestion"),
    [
        (1024, Usage(messages=99, blocked=7, peak=3, full=0.9), Suggestion(None, "too few")),
        (64, Usage(messages=5000, blocked=1, peak=64, full=0.5), Suggestion(64, "always full")),
        (64, Usage(messages=5000, blocked=1, peak=64, full=0.49), Suggestion(128, "bursts")),
        (100, Usage(messages=5000, blocked=9, peak=100, full=0.1), Suggestion(256, "bursts")),
        (1024, Usage(messages=5000, blocked=0, peak=256, full=0), Suggestion(512, "to spare")),
        (1024, Usage(messages=5000, blocked=0, peak=257, full=0), Suggestion(1024, "fits")),
        (1024, Usage(messages=5000, blocked=0, peak=33, full=0), Suggestion(128, "to spare")),
        (1024, Usage(messages=5000, blocked=0, peak=0, full=0), Suggestion(8, "to spare")),
        (8, Usage(messages=5000, blocked=0, peak=0, full=0), Suggestion(8, "fits")),
        (1, Usage(messages=5000, blocked=1, peak=1, full=0.2), Suggestion(2, "bursts")),
    ],
)
def test_rule(capacity: int, usage: Usage, suggestion: Suggestion) -> None:
    assert suggest(capacity, usage) == suggestion


@given(
    capacity=st.integers(1, 5000),
    messages=st.integers(FEWEST, 10**6),
    blocked=st.integers(0, 3),
    peak_share=st.floats(0, 1),
    full=st.floats(0, 1),
)
def test_nobody_would_have_waited_for_the_suggestion(
    capacity: int, messages: int, blocked: int, peak_share: float, full: float
) -> None:
    """Where senders waited it is no less than declared, else there is room for the peak, and it is no more."""
    peak = int(capacity * peak_share)
    suggested = suggest(capacity, Usage(messages, blocked, peak, full)).capacity
    assert suggested is not None
    if blocked:
        assert suggested >= capacity
    else:
        assert min(2 * peak, capacity) <= suggested <= capacity
        assert suggested >= min(SMALLEST, capacity)
