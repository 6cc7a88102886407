"""Properties of a subject, as users write them with hypothesis; and of the harness itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Never

import trio
import trio.testing
from hypothesis import given
from hypothesis import strategies as st

from orchestra_trio.testing.harness.opening import open_harness
from tests.runtime.samples import Item, Other
from tests.testing.harness.samples import bursting, counting, relay

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from orchestra_trio.testing.harness.harness import Harness

numbers = st.lists(st.integers(0, 20), max_size=20)
capacities = st.integers(1, 4)


def run(test: Callable[[], Awaitable[None]]) -> None:
    trio.run(test, clock=trio.testing.MockClock(autojump_threshold=0))


@given(sent=numbers, capacity=capacities, peer_capacity=capacities)
def test_a_relay_sends_on_what_it_gets_in_order(sent: list[int], capacity: int, peer_capacity: int) -> None:
    """Whatever the capacities are, and however far the test is behind."""

    async def test() -> None:
        async with open_harness(relay, message_capacity=capacity, peer_capacity=peer_capacity) as harness:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(harness.send_many, [Item(number) for number in sent])
                for number in sent:
                    assert (await harness.expect(Other)).number == number
            await harness.expect_nothing()

    run(test)


@given(sent=numbers)
def test_a_counter_counts(sent: list[int]) -> None:
    async def test() -> None:
        async with open_harness(counting) as harness:
            await harness.send_many([Item(number) for number in sent])
            harness.close_input()
            assert await harness.expect(Other) == Other(len(sent))

    run(test)


Steps = st.lists(
    st.sampled_from(["one", "many", "unordered", "wrong", "wrong many", "cancelled", "nothing"]), max_size=20
)


@given(steps=Steps, capacity=capacities, in_time=st.booleans())
def test_nothing_is_lost_however_it_is_expected(steps: list[str], capacity: int, in_time: bool) -> None:
    """Failed and cancelled expectations leave all messages in their order; met ones take theirs."""
    count = 60

    async def test() -> None:
        async with open_harness(bursting, peer_capacity=capacity, strict=False) as harness:
            await harness.send(Item(count))
            taken: list[int] = []
            for step in steps:
                taken += [message.number for message in await take(harness, step)]
                if in_time:
                    await trio.testing.wait_all_tasks_blocked()
            rest = await harness.expect_many(Other, count - len(taken))
            assert taken + [message.number for message in rest] == list(range(count))
            await harness.expect_nothing()

    run(test)


async def take(harness: Harness[Item, Other, Never], step: str) -> list[Other]:
    """Expect something in one way; return what was taken."""
    taken: list[Other] = []
    with trio.CancelScope() as scope:
        try:
            match step:
                case "one":
                    taken.append(await harness.expect(Other))
                case "many":
                    taken += await harness.expect_many(Other, 2)
                case "unordered":
                    taken += await harness.expect_unordered(Other, Other)
                case "wrong":
                    await harness.expect(Other, lambda message: message.number < 0)
                case "wrong many":
                    await harness.expect_many(Item, 3)
                case "cancelled":
                    scope.cancel()
                    await harness.expect(Other)
                case _:
                    await harness.expect_nothing()
        except AssertionError:
            assert step in ("wrong", "wrong many", "nothing")
        else:
            assert step in ("one", "many", "unordered")
    return taken
