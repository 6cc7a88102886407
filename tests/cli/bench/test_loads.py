"""Which functions are a load."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import pytest

from orchestra_trio.cli.bench.loads import Routing, read_load
from orchestra_trio.cli.printing import Misuse

if TYPE_CHECKING:
    from collections.abc import Generator


async def drive(running: object) -> None: ...


async def drive_nothing() -> None: ...


def generate() -> Generator[int]:
    yield 1


def generate_many(count: int) -> Generator[int]:
    yield count


class Driver:
    async def __call__(self, running: object) -> None: ...


class Generating:
    def __call__(self) -> Generator[int]:
        yield 1


@pytest.mark.parametrize("function", [drive, Driver(), partial(drive)])
def test_async_functions_are_called_as_they_are(function: object) -> None:
    assert read_load("x:f", function, None) is function


@pytest.mark.parametrize("function", [generate, Generating(), partial(generate_many, 3)])
@pytest.mark.parametrize("rate", [None, 7.5])
def test_messages_of_generator_functions_are_routed(function: object, rate: float | None) -> None:
    load = read_load("x:f", function, rate)
    assert isinstance(load, Routing)
    assert (load.make_messages, load.rate) == (function, rate)


@pytest.mark.parametrize(
    ("function", "rate", "complaint"),
    [
        (3, None, "x:f is no function: a load is an async function that takes the running orchestra, or"),
        (Driver, None, "x:f is no function"),
        (len, None, "x:f is neither: a load is"),
        (drive, 5.0, "--rate is for generator functions; x:f is an async function"),
        (drive_nothing, None, "x:f is called with the running orchestra alone, which it does not allow: too many"),
        (generate_many, None, "x:f is called with no arguments, which it does not allow: missing a required"),
    ],
)
def test_anything_else_is_misuse(function: object, rate: float | None, complaint: str) -> None:
    with pytest.raises(Misuse) as caught:
        read_load("x:f", function, rate)
    assert complaint in str(caught.value)
