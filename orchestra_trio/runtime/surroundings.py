"""What holds for every orchestra that is opened in a context, whoever opens it: for tests and for what observes."""

from __future__ import annotations

from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

import attrs

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

__all__ = ["Surroundings", "limited", "on_opening", "surroundings"]


@attrs.frozen
class Surroundings:
    """What holds for every orchestra that is opened in a context."""

    on_open: tuple[Callable[[Any], object], ...] = ()
    """Each is called with every `RunningOrchestra` before its subsystems start; what they raise, `open()` raises."""
    capacity: int | None = None
    """The most items that a lane holds, whatever its slot says; None leaves that to the slot."""


surroundings: ContextVar[Surroundings] = ContextVar("surroundings", default=Surroundings())  # noqa: B039 - it is frozen


def limited(capacity: int) -> int:
    """Return the capacity that a lane has here, which was declared with this one."""
    limit = surroundings.get().capacity
    return capacity if limit is None else min(capacity, limit)


@contextmanager
def on_opening(tell: Callable[[Any], object]) -> Generator[None]:
    """Tell somebody of every orchestra that is opened in this context while the block lasts; see `Surroundings`."""
    around = surroundings.get()
    token = surroundings.set(attrs.evolve(around, on_open=(*around.on_open, tell)))
    try:
        yield
    finally:
        surroundings.reset(token)
