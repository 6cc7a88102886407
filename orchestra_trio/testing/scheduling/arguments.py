"""What is asked of schedules, looked at before anything runs: misuse must not pass for a finding, nor for none."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any, cast

import trio

from orchestra_trio.errors import a_type, type_name

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from orchestra_trio.testing.scheduling.strategies import Strategy

__all__ = ["check_count", "check_options", "check_runnable"]


def check_runnable(async_fn: object, operation: str) -> None:
    """See that an async function can be run here.

    Raises:
        RuntimeError: Called within a run of trio.
        TypeError: It is no function.
    """
    if trio.lowlevel.in_trio_run():
        raise RuntimeError(f"{operation} runs trio itself: call it from a sync function, such as a sync test")
    if inspect.iscoroutine(async_fn):
        cast("Coroutine[Any, Any, Any]", async_fn).close()
        name = async_fn.__name__
        raise TypeError(f"{operation} calls the function itself, many times: give {name}, not {name}()")
    if not callable(async_fn):
        raise TypeError(f"{operation} needs an async function, not {a_type(type(async_fn))}")


def check_count(name: str, value: object, *, least: int = 1) -> None:
    """See that something is an integer, and not too small.

    Raises:
        TypeError: It is no integer.
        ValueError: It is too small.
    """
    if not isinstance(value, int) or isinstance(value, bool):
        raise TypeError(f"{name} must be an integer, not {value!r}")
    if value < least:
        raise ValueError(f"{name} must be at least {least}, not {value}")


def check_options(strategy: Strategy | None, lag: int | None, most_steps: int) -> None:
    """See that what all schedules have in common is as it must be.

    Raises:
        TypeError: Something is of the wrong type.
        ValueError: Something is too small.
    """
    given: object = strategy
    if isinstance(given, type):
        name = type_name(given)
        raise TypeError(f"the class {name} is no strategy: give an object, {name}()")
    if given is not None and not callable(getattr(given, "begin", None)):
        raise TypeError(f"{given!r} is no strategy: give one such as Uniform() or Priorities()")
    if lag is not None:
        check_count("lag", lag, least=0)
    check_count("most_steps", most_steps)
