"""Letting go of errors that nobody will see, with all that their frames hold.

A traceback keeps the local variables of the frames that it went through. One of them may be a reply end, or a message
that carries one: its requester would wait until the garbage collector happens to run.
"""

from __future__ import annotations

import dis
import sys
import traceback
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from orchestra_trio.runtime.life.failures import members

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType

__all__ = ["let_go"]


def let_go(error: BaseException) -> None:
    """Clear the frames of an error, and of all that it contains or came from."""
    seen: set[int] = set()
    found: list[BaseException | None] = [error]
    while found:
        one = found.pop()
        if one is None or id(one) in seen:
            continue
        seen.add(id(one))
        for frame in _frames_of(one):
            if not _is_suspended(frame):
                with suppress(RuntimeError):  # it is running
                    frame.clear()
        found += [one.__cause__, one.__context__]
        found += [inner for inner in members(one) if inner is not one]


def _frames_of(error: BaseException) -> Iterator[FrameType]:
    """Return the frames of an error's traceback, and those that had called the first of them, which it keeps, too."""
    yield from (frame for frame, _ in traceback.walk_tb(error.__traceback__))
    caller = None if error.__traceback__ is None else error.__traceback__.tb_frame.f_back
    while caller is not None:
        yield caller
        caller = caller.f_back


_YIELD: Final = dis.opmap["YIELD_VALUE"]


def _is_suspended(frame: FrameType) -> bool:
    """Return whether a frame may be that of a coroutine or generator which is suspended, and would end if cleared.

    An error may have one in its traceback: of a task that caught it and handed it on to a subsystem, which raised it
    again. Such frames stand at the instruction that suspends. From Python 3.13 on they refuse to be cleared.
    """
    if sys.version_info >= (3, 13):
        return False
    return frame.f_code.co_code[frame.f_lasti] == _YIELD
