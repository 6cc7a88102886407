"""What a slot says about failures that its subsystem may survive: how often it begins anew, when, and with whom."""

from __future__ import annotations

import math
import random
from typing import TYPE_CHECKING, Any, Generic, Literal, TypeAlias

import attrs
from typing_extensions import TypeVar, override

from orchestra_trio.errors import type_name

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Restart", "RestartOrder", "fresh"]

ContextT = TypeVar("ContextT")
ResultT = TypeVar("ResultT")

RestartOrder: TypeAlias = Literal["all", "rest"]
"""Who of a group begins anew: all of it, or the one that failed and those after it in the order of the wiring."""


def _check_count(_restart: Restart, attribute: attrs.Attribute[Any], value: object) -> None:
    if not isinstance(value, int) or isinstance(value, bool):
        message = f"{attribute.name} must be an integer, not {type_name(type(value))}"
        raise TypeError(message)
    if value < 1:
        message = f"{attribute.name} must be at least 1, not {value}; leave restart= out for no restarts"
        raise ValueError(message)


def _check_number(_restart: Restart, attribute: attrs.Attribute[Any], value: object) -> None:
    if not isinstance(value, int | float) or isinstance(value, bool):
        message = f"{attribute.name} must be a number, not {type_name(type(value))}"
        raise TypeError(message)
    least = {"factor": 1, "within": math.ulp(0)}.get(attribute.name, 0)
    most = {"jitter": 1, "backoff": math.nextafter(math.inf, 0)}.get(attribute.name, math.inf)
    if not least <= value <= most:
        bounds = {"factor": "at least 1", "within": "above 0", "jitter": "from 0 to 1", "backoff": "finite, at least 0"}
        message = f"{attribute.name} must be {bounds.get(attribute.name, 'at least 0')}, not {value!r}"
        raise ValueError(message)


def _check_errors(_restart: Restart, _attribute: attrs.Attribute[Any], value: Any) -> None:  # noqa: ANN401 - checked here
    kinds: list[Any] = [*value] if isinstance(value, tuple) else [value]
    if not kinds or not all(isinstance(kind, type) and issubclass(kind, Exception) for kind in kinds):
        message = f"on={value!r} must be an exception class, or a tuple of them, under Exception"
        raise TypeError(message)


def _check_order(_restart: Restart, _attribute: attrs.Attribute[Any], value: object) -> None:
    if value not in ("all", "rest"):
        message = f'order={value!r} is unknown; write "all" or "rest"'
        raise ValueError(message)


@attrs.frozen
class Restart:
    """Lets a subsystem begin anew after an error: `subsystem(restart=Restart(max_restarts=3, within=60))`.

    The main task and all jobs of the failed incarnation have ended before the next one is called, with a context on
    the same mailbox: what lies in it stays, and so does the epoch. The message in hand is not given again. The error
    goes to the log. One error too many is the first error of the orchestra, as without a restart.

    Raises:
        TypeError: An argument is of the wrong type.
        ValueError: A number is out of its bounds.

    Source:
        Users of Rust orchestra build this by hand; the limit over a time is that of Erlang's supervisors.
    """

    max_restarts: int = attrs.field(default=3, validator=_check_count)
    """How many failures within the time `within` are survived; at least 1."""

    within: float = attrs.field(default=60, validator=_check_number)
    """Seconds, above 0; `math.inf` counts all failures."""

    backoff: float = attrs.field(default=0.1, validator=_check_number)
    """Seconds between the end of the failed incarnation and the next one, at least 0."""

    factor: float = attrs.field(default=2, validator=_check_number)
    """What the backoff is multiplied by for each further failure within the time; at least 1."""

    max_backoff: float = attrs.field(default=30, validator=_check_number)
    """The most seconds that the backoff grows to."""

    jitter: float = attrs.field(default=0, validator=_check_number)
    """Which share of the backoff is left to chance, from 0 to 1: so that what failed together does not retry so."""

    on: type[Exception] | tuple[type[Exception], ...] = attrs.field(default=Exception, validator=_check_errors)
    """Which errors are survived; a group only if all that it contains are."""

    order: RestartOrder = attrs.field(default="all", validator=_check_order)
    """Who begins anew with it, where its slot has a `restart_group`."""

    def delay(self, failures: int) -> float:
        """Return how many seconds to wait after so many failures within the time, at least one."""
        try:
            grown = self.backoff and self.backoff * float(self.factor) ** (failures - 1)
        except OverflowError:
            grown = math.inf
        return min(self.max_backoff, grown) * (1 - self.jitter * random.random())  # noqa: S311 - spreads load; it keeps no secret


class _Fresh(Generic[ContextT, ResultT]):
    """A subsystem that is made anew for each incarnation."""

    def __init__(self, factory: Callable[[], Callable[[ContextT], ResultT]]) -> None:
        self._factory = factory

    @override
    def __repr__(self) -> str:
        return f"fresh({self._factory!r})"

    def __call__(self, ctx: ContextT, /) -> ResultT:
        return self._factory()(ctx)


def fresh(factory: Callable[[], Callable[[ContextT], ResultT]]) -> Callable[[ContextT], ResultT]:
    """Return a subsystem that calls a factory for each incarnation: `Pipeline(fetcher=fresh(Fetcher))`.

    For objects that must not be used again after they have failed. Each opening of the orchestra, too, gets its own.

    Args:
        factory: Called without arguments; returns a subsystem. What it raises is an error of the subsystem.

    Raises:
        TypeError: The factory cannot be called.
    """
    given: object = factory
    if not callable(given):
        message = f"fresh() takes a factory, such as a class, not {type_name(type(given))}"
        raise TypeError(message)
    return _Fresh(factory)
