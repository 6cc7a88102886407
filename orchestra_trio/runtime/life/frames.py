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
        for frame, _ in traceback.walk_tb(one.__traceback__):
            if not _is_suspended(frame):
                with suppress(RuntimeError):  # it is running
                    frame.clear()
        found += [one.__cause__, one.__context__]
        found += [inner for inner in members(one) if inner is not one]


_YIELD: Final = dis.opmap["YIELD_VALUE"]


def _is_suspended(frame: FrameType) -> bool:
    """Return whether a frame may be that of a coroutine or generator which is suspended, and would end if cleared.

    An error may have one in its traceback: of a task that caught it and handed it on to a subsystem, which raised it
    again. Such frames stand at the instruction that suspends. From Python 3.13 on they refuse to be cleared.
    """
    if sys.version_info >= (3, 13):
        return False
    return frame.f_code.co_code[frame.f_lasti] == _YIELD
