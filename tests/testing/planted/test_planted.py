"""The library under its own tools: real bugs, planted in a copy of it, are found by exploring schedules."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.testing.planted.bugs import BUGS, Bug, plant
from tests.testing.planted.finding import find

if TYPE_CHECKING:
    from pathlib import Path

MOST = 400
"""Schedules; each bug is found sooner from one of the seeds by one of the strategies, which are always the same."""

SEEDS = (0, MOST, 2 * MOST)


@pytest.mark.parametrize("bug", BUGS, ids=lambda bug: bug.name)
def test_a_planted_bug_is_found(bug: Bug) -> None:
    found = find(bug, MOST, SEEDS)
    assert any(one is not None for counts in found.values() for one in counts), bug.what


def test_without_a_bug_nothing_is_found() -> None:
    assert find(None, MOST, SEEDS[:1]) == {"uniform": [None], "priorities": [None]}


def test_a_bug_that_does_not_fit_the_library_any_more_is_named(tmp_path: Path) -> None:
    bug = Bug("stale", "nothing", "delivery/lanes.py", "this text stands nowhere", "")
    with pytest.raises(LookupError, match=r"^stale: delivery/lanes\.py has 0 times"):
        plant(bug, tmp_path)
