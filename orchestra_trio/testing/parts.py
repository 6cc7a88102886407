"""The parts of a message: where reply ends are looked for in it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["attributes_of"]


def attributes_of(message: object) -> Iterator[tuple[str, object]]:
    """Return the attributes of a message, whether they have slots or not, each with its name; None where one is unset.

    Those of a tuple with names are its items, and none of them.
    """
    yield from getattr(message, "__dict__", {}).items()
    for base in type(message).__mro__:
        slots = vars(base).get("__slots__", ())
        for name in (slots,) if isinstance(slots, str) else slots:
            yield name, getattr(message, name, None)
