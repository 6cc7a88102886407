"""What drives an orchestra while it is measured: a function of the user's."""

import inspect
from collections.abc import Awaitable, Callable, Generator
from contextlib import closing
from typing import Any, TypeAlias, cast

import attrs
import trio

from orchestra_trio import RunningOrchestra
from orchestra_trio.cli.printing import Misuse

__all__ = ["Load", "Routing", "Running", "read_load"]

Running: TypeAlias = RunningOrchestra[Any, Any]
Load: TypeAlias = Callable[[Running], Awaitable[object]]
"""Drives a running orchestra until it returns, or is cancelled."""

_KINDS = "a load is an async function that takes the running orchestra, or a generator function that yields messages"


@attrs.frozen
class Routing:
    """The load of a generator function: routes what it yields."""

    make_messages: Callable[[], Generator[object]]
    """Called once."""
    rate: float | None = None
    """Messages per second; None for as fast as they are taken."""

    async def __call__(self, running: Running) -> None:
        """Route messages until there are no more.

        One that had to wait for room does not put off those after it: they follow at once, until all are on time.
        """
        await trio.lowlevel.checkpoint()
        begun = trio.current_time()
        with closing(self.make_messages()) as messages:
            for count, message in enumerate(messages):
                if self.rate is not None and trio.current_time() < begun + count / self.rate:
                    await trio.sleep_until(begun + count / self.rate)
                await running.route_message(message)


def read_load(name: str, function: object, rate: float | None) -> Load:
    """Return the load that a function of the user's is.

    Args:
        name: What the user calls it.
        function: What was found under that name.
        rate: Messages per second, for a generator function alone.

    Raises:
        Misuse: It is none.
    """
    if not callable(function) or isinstance(function, type):
        raise Misuse(f"{name} is no function: {_KINDS}")
    called = (function, getattr(function, "__call__", function))  # noqa: B004 - to look at it
    if any(map(inspect.isgeneratorfunction, called)):
        _check_arguments(name, function)
        return Routing(cast("Callable[[], Generator[object]]", function), rate)
    if not any(map(inspect.iscoroutinefunction, called)):
        raise Misuse(f"{name} is neither: {_KINDS}")
    if rate is not None:
        raise Misuse(f"--rate is for generator functions; {name} is an async function, which has a pace of its own")
    _check_arguments(name, function, None)
    return cast("Load", function)


def _check_arguments(name: str, function: Callable[..., object], *arguments: object) -> None:
    try:
        inspect.signature(function).bind(*arguments)
    except TypeError as error:
        given = "the running orchestra alone" if arguments else "no arguments"
        raise Misuse(f"{name} is called with {given}, which it does not allow: {error}") from error
