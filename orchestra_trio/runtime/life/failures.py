"""What went wrong in a running orchestra: recorded where it was raised, and raised once, by `open()`.

Tasks of the library let nothing but `trio.Cancelled` pass, so that no group of the library's own nurseries is ever
built; the exceptions themselves are kept here in the order in which they were raised.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import attrs
import trio

from orchestra_trio.errors import AnnotateErrorOrigin, OrchestraError, a_type

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = ["Failures", "members", "without", "without_cancelled"]


def without_cancelled(error: BaseException) -> BaseException | None:
    """Return an exception without the cancellations in it; None where it is nothing but cancellation."""
    return without(trio.Cancelled, error)


def without(
    unwanted: type[BaseException] | tuple[type[BaseException], ...], error: BaseException
) -> BaseException | None:
    """Return an exception without those of some kinds in it, which groups may hold; None where nothing is left."""
    if isinstance(error, unwanted):
        return None
    group = _as_group(error)
    if group is None:
        return error
    found, others = group.split(unwanted)
    return error if found is None else others  # the group itself, where nothing is taken out: a copy may lose its type


def members(error: BaseException) -> Sequence[BaseException]:
    """Return what a group directly contains; of another exception, itself."""
    group = _as_group(error)
    return (error,) if group is None else group.exceptions


def _as_group(error: BaseException) -> BaseExceptionGroup[BaseException] | None:
    # isinstance() alone cannot say what a group contains.
    return cast("BaseExceptionGroup[BaseException]", error) if isinstance(error, BaseExceptionGroup) else None


@attrs.define
class Failures:
    """The errors of one running orchestra, the first one first."""

    orchestra: str
    stop: Callable[[], object]
    """Cancels everything."""
    wrap: Callable[[Exception, str], Exception] | None = None
    """The class's `error=`."""
    errors: list[BaseException] = attrs.Factory(list[BaseException])

    def record(
        self,
        error: BaseException,
        origin: str,
        in_hand: type | None,
        *,
        job: str | None = None,
    ) -> None:
        """Record what left a task of the orchestra, and stop everything.

        Args:
            error: The exception; a group that user code raised stays whole.
            origin: The subsystem's name, or that of a hook.
            in_hand: The type of the last message that was handed out there; None before the first.
            job: The name of the job, where it was one.
        """
        try:
            annotated = self._annotated(error, origin, in_hand, job)
        except BaseException as fault:  # noqa: ASYNC103, BLE001 - recorded, in place of the error that it hides
            fault.__cause__ = error
            annotated = fault
        self.errors.append(annotated)
        self.stop()

    def record_plain(self, error: BaseException) -> None:
        """Record what did not come from a subsystem, as it is, and stop everything."""
        self.errors.append(error)
        self.stop()

    def raise_group(self) -> None:
        """Raise all errors as one group, if there are any."""
        if self.errors:
            message = f"{self.orchestra} was stopped by an error"
            raise BaseExceptionGroup(message, self.errors)

    def _annotated(self, error: BaseException, origin: str, in_hand: type | None, job: str | None) -> BaseException:
        if isinstance(error, AnnotateErrorOrigin):
            replacement = error.with_origin(origin)
            if replacement is not error and replacement.__cause__ is None:
                replacement.__cause__ = error
            return replacement
        if not isinstance(error, Exception):
            return error
        message = "" if in_hand is None else f", with {a_type(in_hand)} in hand"
        task = "" if job is None else f", in its job {job!r}"
        error.add_note(f"orchestra_trio: raised in {origin!r} of {self.orchestra}{task}{message}")
        if self.wrap is None or isinstance(error, OrchestraError):
            return error
        if isinstance(self.wrap, type) and isinstance(error, self.wrap):
            return error
        wrapped = self.wrap(error, origin)
        wrapped.__cause__ = error
        return wrapped
