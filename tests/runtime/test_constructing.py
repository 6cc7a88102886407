"""What can stand in a slot, and what the constructor says of everything else."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

import pytest
import trio

from orchestra_trio import BlockingSubsystem, DeclarationError, Orchestra, Subsystem, feature, subsystem_if
from tests.runtime.samples import AnyContext, Item, Other, idle

if TYPE_CHECKING:
    from collections.abc import Generator


class Three(Orchestra):
    """A slot of each kind."""

    task: Subsystem[Item]
    thread: BlockingSubsystem[Other]
    maybe: Subsystem[str] = subsystem_if(feature("maybe"))


class Worker:
    """An object of it is a subsystem; the class is not."""

    async def __call__(self, ctx: AnyContext) -> None:
        await idle(ctx)


def block(_: object) -> None: ...


def complaint(**fields: Any) -> str:  # noqa: ANN401 - of wrong types
    make: Any = Three
    with pytest.raises(DeclarationError) as caught:
        make(**{"task": idle, "thread": block, **fields})
    assert caught.value.slot in fields
    return str(caught.value)


@pytest.mark.parametrize(
    ("slot", "kind"), [("task", "an async callable"), ("maybe", "an async callable"), ("thread", "a callable")]
)
def test_what_cannot_be_called(slot: str, kind: str) -> None:
    """The error names class and slot, what was given, and what to set instead; for a conditional slot too."""
    assert complaint(**{slot: 3}) == f"Three.{slot}: an int is no subsystem; set it to {kind} that takes a context"
    assert complaint(**{slot: "idle"}) == f"Three.{slot}: a str is no subsystem; set it to {kind} that takes a context"


def test_none_is_no_subsystem() -> None:
    """It only leaves a conditional slot empty."""
    assert complaint(task=None) == (
        "Three.task: None is no subsystem; set it to an async callable that takes a context"
    )
    maybe: Any = None
    assert Three(task=idle, thread=block, maybe=maybe).maybe is None


@pytest.mark.parametrize("slot", ["task", "maybe", "thread"])
def test_a_class_is_no_subsystem(slot: str) -> None:
    """Calling it would make an object, and run nothing."""
    assert complaint(**{slot: Worker}) == (
        f"Three.{slot}: the class Worker is no subsystem; set it to an object of the class, Worker(...)"
    )


def test_a_class_of_awaitables_is_an_async_callable() -> None:
    class Awaited:
        def __init__(self, ctx: AnyContext) -> None:
            self.ctx = ctx

        def __await__(self) -> Generator[Any, Any, None]:
            return idle(self.ctx).__await__()

    assert Three(task=Awaited, thread=block).task is Awaited


@pytest.mark.parametrize("slot", ["task", "maybe", "thread"])
def test_a_coroutine_is_no_subsystem(slot: str) -> None:
    """Somebody has called the function; it is closed, so that Python does not warn of it besides."""
    coroutine = trio.sleep(1)  # noqa: ASYNC105 - the mistake
    assert complaint(**{slot: coroutine}) == (
        f"Three.{slot}: a coroutine is no subsystem; set it to the async function itself, without calling it"
    )
    with pytest.raises(RuntimeError, match="cannot reuse already awaited coroutine"):
        coroutine.send(None)


@pytest.mark.parametrize(
    "given",
    [idle, Worker(), Worker().__call__, functools.partial(idle)],
    ids=["function", "object", "method", "partial"],
)
def test_an_async_function_is_no_blocking_subsystem(given: object) -> None:
    """Its thread would get a coroutine, and end."""
    assert complaint(thread=given) == (
        "Three.thread: an async function is no blocking subsystem; "
        "annotate the slot as a Subsystem, or set it to a function that is not async"
    )
