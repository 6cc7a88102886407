"""What a test does with one subsystem: a conversation with it, line by line."""

from __future__ import annotations

import re
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Generic, TypeVar

import attrs

from orchestra_trio.errors import a_type
from orchestra_trio.runtime.life.failures import members
from orchestra_trio.testing.harness.expecting import Expecting
from orchestra_trio.testing.harness.lookout import is_at_rest
from orchestra_trio.testing.harness.sending import Sending
from orchestra_trio.testing.harness.threads import Limit

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from orchestra_trio.records import StopReport, SubsystemStatistics

__all__ = ["CaughtError", "Harness"]

InT = TypeVar("InT")
OutT = TypeVar("OutT")
SigT = TypeVar("SigT")
E = TypeVar("E", bound=BaseException)


@attrs.define(eq=False)
class CaughtError(Generic[E]):
    """The error of the subject that `expect_error` waits for."""

    _error: E | None = None

    @property
    def value(self) -> E:
        """The error itself, once the block of `expect_error` was left.

        Raises:
            RuntimeError: It was not left yet.
        """
        if self._error is None:
            message = "the error is known once the block of expect_error was left"
            raise RuntimeError(message)
        return self._error


class Harness(Sending[InT, SigT], Expecting[OutT], Generic[InT, OutT, SigT]):
    """A test's side of the conversation with one subsystem, the *subject*. `Harness[Consumes, Sends, Signals]`.

    What the subject sends lies in the lanes of a peer until the test expects something: then messages are taken from
    there, one by one, in the order in which a subsystem would receive them. So full lanes make the subject wait as
    they do in an orchestra. `expect` looks at the next message, whatever that is: it skips nothing. A message that is
    not what was expected stays the next one, also for the calls that follow a failure or a cancellation.

    Each call waits for `within` seconds at the most, on trio's clock: the harness's, unless the call says otherwise;
    `request` cannot say otherwise, and `signal` waits as the class's `signal_timeout` says.
    Under a clock that jumps these pass as soon as nothing can move any more, so that a hang fails at once; under one
    that the test moves itself, when it does. While a thread of the subject is at work, they are counted on the system's
    clock.

    Messages are taken by one task at a time; another one that tries to gets `trio.BusyResourceError`.
    """

    def __repr__(self) -> str:
        return f"<Harness of {self.name!r}: {self.statistics().state}>"

    @property
    def epoch(self) -> int:
        """The number of the last broadcast that the subject received; 0 before the first."""
        return self.statistics().epoch

    def statistics(self) -> SubsystemStatistics:
        """Return how the subject stands now. Changes nothing."""
        return self.running.statistics().subsystems[self.name]

    async def wait_at_rest(self, *, within: float | None = None) -> None:
        """Wait until the subject's lanes are empty and all its tasks wait to receive, or it has ended.

        Background jobs do not count.

        Args:
            within: Seconds to wait, on trio's clock; the harness's if None.

        Raises:
            ExpectationFailed: It has not come to rest in time.

        Checkpoint:
            Always one.

        Cancellation:
            Changes nothing.
        """
        live, seconds = self._session.live, self._seconds(within)
        if not await self._session.wait_until(lambda: is_at_rest(live), Limit(seconds)):
            raise self._session.failed(f"the subject to come to rest within {seconds:g} s", "but it did not")

    async def wait_epoch(self, epoch: int, *, within: float | None = None) -> None:
        """Wait until the subject has received all broadcasts up to this epoch, or has ended.

        Args:
            epoch: What `signal` returned.
            within: Seconds to wait, on trio's clock; the harness's if None.

        Raises:
            ExpectationFailed: It has not received them in time.

        Checkpoint:
            Always one.

        Cancellation:
            Changes nothing.
        """
        seconds = self._seconds(within)
        if not await Limit(seconds).keeps(self._session.live, lambda: self.running.wait_epoch(epoch)):
            raise self._session.failed(f"broadcast {epoch} to be received within {seconds:g} s", "but it was not")
        await self._session.give_way()

    async def expect_end(self, *, within: float | None = None) -> None:
        """Wait until the subject has ended normally, by itself or because its input was closed.

        What it has sent before can still be expected afterwards.

        Args:
            within: Seconds to wait, on trio's clock; the harness's if None.

        Raises:
            ExpectationFailed: It has not ended in time.

        Checkpoint:
            Always one.

        Cancellation:
            Changes nothing.
        """
        live, seconds = self._session.live, self._seconds(within)
        if not await self._session.wait_until(lambda: live.has_ended, Limit(seconds)):
            raise self._session.failed(f"the subject to end within {seconds:g} s", "but it runs on")

    @asynccontextmanager
    async def expect_error(
        self, expected: type[E] | tuple[type[E], ...], *, match: str | None = None, within: float | None = None
    ) -> AsyncGenerator[CaughtError[E]]:
        """Expect that the subject fails while a block runs, or soon after: `async with harness.expect_error(...)`.

        The block is cancelled where it stands when the subject has failed. Otherwise its end waits for that. The test
        goes on after the block, with a subject that has ended: what it had sent before can still be expected. Without
        this call, an error of the subject cancels the test and comes out of `open_harness`, in a group as from `open`.

        Args:
            expected: The type of the error, or a tuple of types.
            match: A regular expression that is searched for in its text; None for any text.
            within: Seconds to wait at the end of the block, on trio's clock; the harness's if None.

        Yields:
            What holds the error, as `value`, once the block was left.

        Raises:
            ExpectationFailed: The subject has not failed in time.
            BaseExceptionGroup: It has failed with something else, or with several errors.
            RuntimeError: The subject has ended for good, or an error is being expected already.

        Checkpoint:
            Leaving the block always is one.

        Cancellation:
            Changes nothing.
        """
        session, seconds = self._session, self._seconds(within)
        self._check_not_over()
        caught = CaughtError[E]()
        with session.expecting_failure():
            yield caught
            if not await Limit(seconds).keeps(session.live, session.over.wait):
                raise session.failed(f"{_named(expected)} of the subject within {seconds:g} s", "but it did not fail")
        await session.over.wait()
        failure, session.failure = session.failure, None
        if failure is None:
            raise session.failed(f"{_named(expected)} of the subject", "but it did not fail")
        inside = members(failure)
        error = inside[0]
        if len(inside) > 1 or not isinstance(error, expected) or not re.search(match or "", str(error)):
            text = "" if match is None else f" that matches {match!r}"
            failure.add_note(f"expected {_named(expected)}{text} of {self.name!r}")
            raise failure
        caught._error = error  # noqa: SLF001 - the other half of this call

    def close_input(self) -> None:
        """Give the subject end-of-input: what lies in its lanes is still received, and then it is to end.

        What it sends meanwhile can be expected as before. Closing it again does nothing. Not a checkpoint.
        """
        self._session.close_input()

    async def terminate(self, signal: SigT | None = None, *, grace: float = 10) -> StopReport:
        """Broadcast a signal, close the input, and cancel the subject when the grace is over, as `terminate` does.

        What it has sent, also meanwhile, can be expected afterwards.

        Args:
            signal: What tells the subject to end; None for none.
            grace: Seconds that it has, on trio's clock.

        Returns:
            What `RunningOrchestra.terminate` does, of the subject alone.

        Raises:
            UndeclaredMessage: It is no signal of the subject; nothing has happened.
            ValueError: The grace is negative; nothing has happened.
            trio.ClosedResourceError: The subject was terminated before, or has failed.

        Checkpoint:
            Always one.

        Cancellation:
            The signal stays delivered and the input closed; the subject drains on.
        """
        self._check_not_over()
        return await self._session.terminate(signal, grace)

    def cancel(self) -> None:
        """Cancel the subject, but not the test. What it has sent can still be expected. Not a checkpoint."""
        self._session.stop()


def _named(kinds: type[BaseException] | tuple[type[BaseException], ...]) -> str:
    return " or ".join(a_type(one) for one in (kinds if isinstance(kinds, tuple) else (kinds,)))
