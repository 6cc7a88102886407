"""What `explore` finds, as data."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import attrs
import pytest

from orchestra_trio.testing.scheduling.exploring import explore

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

_NOTE = re.compile(
    r"orchestra_trio: schedule (?P<count>[\d,]+) of at most [\d,]+ fails; shrunk to\n"
    r"(?P<description>(?:  .*\n)+)"
    r'to run that again: replay\(\w+, "(?P<text>[^"]*)".*\)\n'
    r"as it was found:   replay\(\w+, (?P<seed>\d+).*\)"
)


@attrs.frozen
class Found:
    """A failure, and what its note says."""

    error: BaseException
    count: int
    """How many schedules it took."""
    seed: int
    text: str
    """Of the shrunk schedule."""
    description: str


def find(async_fn: Callable[[], Awaitable[object]], **settings: Any) -> Found:  # noqa: ANN401 - passed on
    """Explore, see that it fails, and return how."""
    try:
        explore(async_fn, **settings)
    except BaseException as error:  # noqa: BLE001, ASYNC103 - it is what was looked for
        (note,) = error.__notes__
        told = _NOTE.fullmatch(note)
        assert told is not None, note
        count = int(told["count"].replace(",", ""))
        return Found(error, count, int(told["seed"]), told["text"], told["description"])  # noqa: ASYNC104 - as above
    pytest.fail("nothing was found")


def schedules_needed(async_fn: Callable[[], Awaitable[object]], **settings: Any) -> int:  # noqa: ANN401 - passed on
    """Return how many schedules `explore` runs until one fails."""
    return find(async_fn, **settings).count
