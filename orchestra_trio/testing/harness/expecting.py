"""What a test expects the subject to send."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic, TypeVar, overload

import trio

from orchestra_trio.errors import type_name
from orchestra_trio.testing.harness.expectations import Expectation, Matching
from orchestra_trio.testing.harness.side import Side
from orchestra_trio.testing.harness.threads import Limit

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Expecting"]

OutT = TypeVar("OutT")
A = TypeVar("A")
B = TypeVar("B")
C = TypeVar("C")
D = TypeVar("D")
T = TypeVar("T")


class Expecting(Side, Generic[OutT]):
    """The calls of `Harness` that take what the subject has sent."""

    @overload
    async def expect(
        self, expected: type[T], predicate: Callable[[T], object] | None = None, /, *, within: float | None = None
    ) -> T: ...
    @overload
    async def expect(self, expected: Callable[[OutT], object], /, *, within: float | None = None) -> OutT: ...
    async def expect(self, expected: Any, predicate: Any = None, /, *, within: float | None = None) -> Any:
        """Wait for the next message that the subject sends, which must be what is expected.

        Args:
            expected: A type, or a predicate: a function of the message whose result is true.
            predicate: One more condition, where `expected` is a type.
            within: Seconds to wait, on trio's clock; the harness's if None.

        Returns:
            The message.

        Raises:
            ExpectationFailed: The next message is another one, and stays the next; or none came in time.
            TypeError: It is neither type nor predicate.

        Checkpoint:
            Always one.

        Cancellation:
            Changes nothing: what has come stays the next message.
        """
        return (await self._expect_row([Expectation.of(expected, predicate)], within))[0]

    @overload
    async def expect_many(
        self,
        expected: type[T],
        count: int,
        predicate: Callable[[T], object] | None = None,
        /,
        *,
        within: float | None = None,
    ) -> list[T]: ...
    @overload
    async def expect_many(
        self, expected: Callable[[OutT], object], count: int, /, *, within: float | None = None
    ) -> list[OutT]: ...
    async def expect_many(
        self, expected: Any, count: int, predicate: Any = None, /, *, within: float | None = None
    ) -> list[Any]:
        """Wait for so many messages in a row, each of which must be what is expected.

        Where one is not, all of them stay, and are the next messages. Otherwise as `expect`; `within` is for all of
        them together.

        Raises:
            ExpectationFailed: Another message came among them, or they did not all come in time.
            ValueError: The count is less than 1.
        """
        if count < 1:
            message = f"count must be at least 1, not {count}; expect_nothing() waits for nothing"
            raise ValueError(message)
        return await self._expect_row([Expectation.of(expected, predicate)] * count, within)

    @overload
    async def expect_unordered(self, a: type[A], b: type[B], /, *, within: float | None = None) -> tuple[A, B]: ...
    @overload
    async def expect_unordered(
        self, a: type[A], b: type[B], c: type[C], /, *, within: float | None = None
    ) -> tuple[A, B, C]: ...
    @overload
    async def expect_unordered(
        self, a: type[A], b: type[B], c: type[C], d: type[D], /, *, within: float | None = None
    ) -> tuple[A, B, C, D]: ...
    @overload
    async def expect_unordered(
        self, *expected: type[Any] | Callable[[OutT], object], within: float | None = None
    ) -> tuple[Any, ...]: ...
    async def expect_unordered(self, *expected: Any, within: float | None = None) -> tuple[Any, ...]:
        """Wait for as many messages as there are arguments; each must be what one of them expects, in any order.

        Where one is not, all of them stay, and are the next messages. Otherwise as `expect`; `within` is for all of
        them together.

        Args:
            expected: Types and predicates. Which message stands for which is found so that all are met, if that can be.
            within: As for `expect`.

        Returns:
            The messages in the order of the arguments.

        Raises:
            ExpectationFailed: A message came that is none of those expected, or they did not all come in time.
        """
        matching = Matching([Expectation.of(one) for one in expected])
        arrived = self._session.arrived
        with self._session.taking():
            limit = await self._begin(within)
            for count in range(1, len(expected) + 1):
                has_come = await self._session.has_arrived(count, limit)
                if not (has_come and matching.add(arrived[count - 1].message)):
                    wanted = ", and ".join(map(str, matching.expectations))
                    missing = f"; what is left: {', and '.join(map(str, matching.open))}" if count > 1 else ""
                    outcome = self._outcome(count, limit.seconds, has_come=has_come)
                    raise self._session.failed(f"{wanted}, in any order", f"{outcome}{missing}", arrived[:count])
            messages = [one.message for one in arrived[: len(expected)]]
            del arrived[: len(expected)]
        return tuple(messages[place] for place in matching.order)

    async def expect_nothing(self, *, within: float | None = None) -> None:
        """See that the subject sends nothing for so long: under a clock that jumps, until nothing moves any more.

        Args:
            within: Seconds, on trio's clock; the harness's if None. What the subject would do later is not seen.

        Raises:
            ExpectationFailed: A message has come. It stays the next one.

        Checkpoint:
            Always one.

        Cancellation:
            Changes nothing.
        """
        with self._session.taking():
            limit = await self._begin(within)
            if await self._session.has_arrived(1, limit):
                nothing = f"nothing for {limit.seconds:g} s"
                raise self._session.failed(nothing, "but a message came", self._session.arrived[:1])

    async def _begin(self, within: float | None) -> Limit:
        """Begin to wait."""
        await trio.lowlevel.checkpoint()
        return Limit(self._seconds(within))

    async def _expect_row(self, row: list[Expectation], within: float | None) -> list[Any]:
        """Wait for messages in a row."""
        session, arrived = self._session, self._session.arrived
        with session.taking():
            limit = await self._begin(within)
            for count, expectation in enumerate(row, 1):
                has_come = await session.has_arrived(count, limit)
                if not (has_come and expectation.is_met_by(arrived[count - 1].message)):
                    wanted = str(expectation) if len(row) == 1 else f"{len(row)} times {expectation} in a row"
                    outcome = self._outcome(count, limit.seconds, has_come=has_come)
                    raise session.failed(wanted, f"{outcome}{self._hint(expectation)}", arrived[:count])
            messages = [one.message for one in arrived[: len(row)]]
            del arrived[: len(row)]
        return messages

    def _outcome(self, count: int, seconds: float, *, has_come: bool) -> str:
        """Say what happened in place of the message of this number."""
        if has_come:
            return "but something else came" if count == 1 else f"but the last of these {count} messages does not fit"
        when = "and will come: the subject has ended" if self._session.live.has_ended else f"within {seconds:g} s"
        return f"but {'nothing' if count == 1 else f'only {count - 1}'} came {when}"

    def _hint(self, expectation: Expectation) -> str:
        """Say why what is expected can never come, where the wiring tells."""
        plan = self._session.plan
        for wanted in expectation.types:
            if not any(issubclass(wanted, one) or issubclass(one, wanted) for one in plan.sends):
                sent = ", ".join(map(type_name, plan.sends)) or "nothing"
                return f"; {plan.name!r} is wired to send {sent}, and no {type_name(wanted)}"
            if not any(issubclass(wanted, one) or issubclass(one, wanted) for one in plan.heard):
                return f"; {plan.name!r} consumes {type_name(wanted)} itself, so that none comes out"
        return ""
