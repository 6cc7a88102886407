"""Where objects are that were seen to be sent: in which lane they lie, or wait for room; found by identity.

Objects are kept for as long as they are there, so that none is taken for another that was made in its place.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

if TYPE_CHECKING:
    from orchestra_trio.records import LaneName

__all__ = ["Known", "Lying", "Place", "Waiting"]

Place: TypeAlias = "tuple[str | None, LaneName]"
"""Whose lane, and which."""


class Known(NamedTuple):
    """What is known of an object that lies in a lane, or waits for room."""

    number: int
    epoch: int | None


def _kept(place: Place, item: object) -> object:
    """Return what keeps an object in its place alive: itself, but for events, of whose end nobody is told."""
    return None if place[0] == "on_event" else item


class Lying:
    """Objects that lie in lanes, found by identity."""

    def __init__(self) -> None:
        self._places: dict[Place, dict[int, tuple[object, deque[Known]]]] = {}

    def put(self, place: Place, item: object, known: Known) -> None:
        """Note that an object lies there, once or once more."""
        lying = self._places.setdefault(place, {})
        if id(item) not in lying:
            lying[id(item)] = (_kept(place, item), deque())
        lying[id(item)][1].append(known)

    def take(self, place: Place, item: object) -> Known | None:
        """Return what is known of the oldest such object there, and forget it; None where there is none."""
        lying = self._places.get(place, {})
        if id(item) not in lying:
            return None
        _, found = lying[id(item)]
        known = found.popleft()
        if not found:
            del lying[id(item)]
        return known

    def forget(self, place: Place) -> None:
        """Forget all that lies in a lane."""
        self._places.pop(place, None)


class Waiting:
    """Objects that wait for room, found by identity and by the task that waits, which waits for one thing at a time."""

    def __init__(self) -> None:
        self._places: dict[Place, dict[int, tuple[int, Known, object]]] = {}

    def put(self, place: Place, task: object, item: object, known: Known) -> None:
        """Note that a task waits for room for an object."""
        waiting = self._places.setdefault(place, {})
        waiting.pop(id(task), None)  # nobody was told that it gave up
        waiting[id(task)] = (id(item), known, _kept(place, item))

    def take(self, place: Place, task: object, item: object) -> Known | None:
        """Return what is known of the object for which this task waits, and forget it; None if it does not."""
        waiting = self._places.get(place, {})
        if id(task) not in waiting or waiting[id(task)][0] != id(item):
            return None
        return waiting.pop(id(task))[1]

    def take_oldest(self, place: Place, item: object) -> Known | None:
        """Return what is known of the object for which any task waits, and forget it; None if none does."""
        waiting = self._places.get(place, {})
        task = next((task for task, (item_id, _, _) in waiting.items() if item_id == id(item)), None)
        return None if task is None else waiting.pop(task)[1]
