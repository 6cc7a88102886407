"""Finding the reply end that a message carries."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from orchestra_trio.delivery.oneshot import OneshotSender
from orchestra_trio.errors import a_type
from orchestra_trio.testing.parts import attributes_of

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["reply_end_of"]


def reply_end_of(message: object) -> OneshotSender[Any]:
    """Return the reply end among a message's attributes and fields.

    Raises:
        ValueError: It carries none, or several.
    """
    found: dict[str, OneshotSender[Any]] = {
        name: value for name, value in _parts(message) if isinstance(value, OneshotSender)
    }
    ends = {id(end): end for end in found.values()}
    if len(ends) == 1:
        return next(iter(ends.values()))
    carries = f"several reply ends, {', '.join(found)}" if found else "no reply end"
    remedy = "send on the one that is meant" if found else "only requests can be answered"
    text = f"{a_type(type(message))} carries {carries}: {remedy}"
    raise ValueError(text)


def _parts(message: object) -> Iterator[tuple[str, object]]:
    for name in getattr(message, "_fields", ()):
        yield name, getattr(message, name, None)
    for name, value in attributes_of(message):
        if not name.startswith("__"):
            yield name, value
