"""Playing one run under a steering."""

from __future__ import annotations

import random
from functools import update_wrapper
from typing import TYPE_CHECKING, Any, TypeVar, cast

import attrs
import trio
from trio.testing import MockClock

from orchestra_trio.runtime.life.incarnation import call_users
from orchestra_trio.runtime.surroundings import surroundings
from orchestra_trio.testing.hangs import MOST_STEPS, watching
from orchestra_trio.testing.scheduling.choosing import Choosing, check_available
from orchestra_trio.testing.scheduling.steering import steering_of_run

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from orchestra_trio.testing.scheduling.steering import Steering

__all__ = ["play"]

T = TypeVar("T")


def play(
    steering: Steering,
    async_fn: Callable[..., Awaitable[T]],
    *args: object,
    clock: trio.abc.Clock | None = None,
    most_steps: int = MOST_STEPS,
) -> T | None:
    """Run an async function, with its steps decided by a steering that has not been used.

    The `random` module begins with the same state in each run, and gets its own back.

    Returns:
        What the function returns; None where it was cancelled as a whole.
    """
    check_available()
    choosing = Choosing(steering)
    chance = random.getstate()
    random.seed(0)
    try:
        return trio.run(
            _main(steering, choosing, async_fn, args, most_steps),
            clock=MockClock(autojump_threshold=0) if clock is None else clock,
            instruments=[choosing],
        )
    except trio.TrioInternalError as error:
        doom = choosing.ready.doom
        if doom is not None and error.__cause__ is doom:
            raise doom from None
        raise
    finally:
        random.setstate(chance)
        steering.steps, steering.interleaving = choosing.ready.step, choosing.ready.digest
        if steering.error is not None:
            raise steering.error


def _main(
    steering: Steering,
    choosing: Choosing,
    async_fn: Callable[..., Awaitable[T]],
    args: tuple[object, ...],
    most_steps: int,
) -> Callable[[], Awaitable[T | None]]:
    """Return what is run: the function, with what is around it."""

    def give_up(error: BaseException) -> None:
        choosing.ready.doom = error

    async def main() -> T | None:
        if steering.course.narrow:
            surroundings.set(attrs.evolve(surroundings.get(), capacity=1))
        steering_of_run.set(steering)  # in the context of this run alone
        with watching(steering.whole, most_steps, give_up), steering.whole:
            result: Any = await call_users(async_fn, *args)
            return cast("T", result)
        return None

    function: Any = async_fn
    return update_wrapper(main, function)
