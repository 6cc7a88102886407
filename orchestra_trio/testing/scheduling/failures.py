"""What counts as a failure of a program, and when two failures are of the same kind."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import trio

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["is_failure", "kind_of"]

_WISHES = (KeyboardInterrupt, SystemExit, GeneratorExit, trio.TrioInternalError)


def is_failure(error: BaseException) -> bool:
    """Return whether an exception tells of a fault in the program, not of the wish to end it, nor of one in trio."""
    return not any(isinstance(leaf, _WISHES) for leaf in _leaves(error))


def kind_of(error: BaseException) -> type[BaseException] | frozenset[type[BaseException]]:
    """Return what two failures of the same kind have in common: their type, or the types of what is in the group."""
    if not isinstance(error, BaseExceptionGroup):
        return type(error)
    return frozenset(type(leaf) for leaf in _leaves(cast("BaseException", error)))


def _leaves(error: BaseException) -> Iterator[BaseException]:
    if not isinstance(error, BaseExceptionGroup):
        yield error
        return
    for inner in cast("BaseExceptionGroup[BaseException]", error).exceptions:
        yield from _leaves(inner)
