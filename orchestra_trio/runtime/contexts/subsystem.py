"""What stands in a slot: the protocols of subsystems."""

from __future__ import annotations

from typing import TYPE_CHECKING, Never, Protocol

from typing_extensions import TypeVar

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from orchestra_trio.runtime.contexts.blocking import BlockingSubsystemContext
    from orchestra_trio.runtime.contexts.context import SubsystemContext

__all__ = ["BlockingSubsystem", "Subsystem"]

In_contra = TypeVar("In_contra", contravariant=True)
Out_co = TypeVar("Out_co", covariant=True, default=Never)
Sig = TypeVar("Sig", default=Never)


class Subsystem(Protocol[In_contra, Out_co, Sig]):
    """Any async callable that takes a context: a function, a bound method, an object with `__call__`.

    As an annotation in an orchestra's class, `name: Subsystem[Consumes, Sends, Signals]` makes a slot; what it neither
    sends nor hears is left out, or `Never`.

    Source:
        The trait of the same name in Rust orchestra.
    """

    def __call__(self, ctx: SubsystemContext[In_contra, Out_co, Sig], /) -> Awaitable[None]:
        """Run until the work is done, or the input has ended."""
        ...


class BlockingSubsystem(Protocol[In_contra, Out_co, Sig]):
    """Any function that takes a blocking context, and may block: it runs in a thread of its own.

    `name: BlockingSubsystem[Consumes, Sends, Signals]` makes a slot, as with `Subsystem`.

    Source:
        Subsystems of Rust orchestra that are declared `blocking`.
    """

    def __call__(self, ctx: BlockingSubsystemContext[In_contra, Out_co, Sig], /) -> None:
        """Run until the work is done, or the input has ended."""
        ...
