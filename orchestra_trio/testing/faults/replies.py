"""Reply ends in messages: who loses a message on the way must tell the requester."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from orchestra_trio.delivery.oneshot import OneshotSender
from orchestra_trio.testing.parts import attributes_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = ["close_replies", "reply_ends"]


def reply_ends(message: object) -> list[OneshotSender[Any]]:
    """Return the reply ends that a message carries in its fields; deeper ones are not looked for."""
    return [value for value in _values(message) if isinstance(value, OneshotSender)]


def close_replies(message: object, instead: Iterable[object] = ()) -> None:
    """Close the reply ends of a message that goes no further, but for those that go on in what took its place."""
    ends = reply_ends(message)
    if ends:
        kept = {id(end) for one in instead for end in reply_ends(one)}
        for end in ends:
            if id(end) not in kept:
                end.close()


def _values(message: object) -> Iterator[object]:
    yield message
    for _, value in attributes_of(message):
        yield value
    if isinstance(message, tuple | list):
        yield from cast("tuple[object, ...]", message)
