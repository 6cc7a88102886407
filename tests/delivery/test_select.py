"""Selections: who is asked first, nothing lost or doubled whatever is cancelled or closed, and how they end.

The last tests run random sends, closes and cancellations over several channels.
"""

from __future__ import annotations

import math
from collections.abc import AsyncIterator
from functools import partial
from typing import TYPE_CHECKING, Any, assert_type

import attrs
import pytest
import trio
from hypothesis import given
from hypothesis import strategies as st
from trio.testing import MockClock, assert_checkpoints, wait_all_tasks_blocked

from orchestra_trio.delivery.open_channels import open_metered_channel, open_unbounded_channel
from orchestra_trio.delivery.select import select, select_with_strategy
from orchestra_trio.records import PollNext
from tests.delivery.models import Counting, Waiter, results, waiting

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from orchestra_trio.delivery.ends import MeteredReceiver, MeteredSender


def filled(items: Iterable[Any], *, close: bool = True, yield_every: int = 1) -> MeteredReceiver[Any]:
    """Return the receiver of an unbounded channel in which these lie."""
    sender, receiver = open_unbounded_channel[Any](yield_every=yield_every)
    for item in items:
        sender.send_nowait(item)
    if close:
        sender.close()
    return receiver


def always(answer: PollNext) -> Callable[[object], PollNext]:
    return lambda _: answer


async def collect(selection: AsyncIterator[Any]) -> list[Any]:
    return [item async for item in selection]


both = pytest.mark.parametrize(
    "select_two",
    [select, lambda left, right: select_with_strategy(left, right, always(PollNext.LEFT), None)],
    ids=["select", "select_with_strategy"],
)


# --- Round robin -----------------------------------------------------------------------------------------------------


async def test_two_channels_that_always_have_something_take_turns() -> None:
    assert await collect(select(filled("aaaa"), filled("bbbb"))) == list("abababab")


async def test_any_number_of_channels_take_turns_and_the_others_go_on_when_one_ends() -> None:
    assert await collect(select(filled("aaa"), filled("b"), filled("cc"), filled("dddd"))) == list("abcdacdadd")


async def test_next_asked_is_the_one_behind_the_one_served_last() -> None:
    senders, receivers = zip(*[open_metered_channel[str](9) for _ in range(4)], strict=True)
    selection = select(*receivers)
    served = []
    for ready in ("c", "abcd", "", "ac", "d"):
        for letter in ready:
            senders["abcd".index(letter)].send_nowait(letter)
        served.append(await anext(selection))
    assert served == ["c", "d", "a", "b", "c"]


async def test_turn_goes_on_behind_who_was_waited_for() -> None:
    senders, receivers = zip(*[open_metered_channel[str](1) for _ in range(3)], strict=True)
    selection = select(*receivers)
    async with waiting(selection.__anext__) as waiters:
        senders[1].send_nowait("b")
    for sender, letter in zip(senders, "abc", strict=True):
        sender.send_nowait(letter)
    assert [*results(waiters), *[await anext(selection) for _ in range(3)]] == ["b", "c", "a", "b"]


async def test_selection_of_one_is_as_its_receiver_and_of_none_ends_at_once() -> None:
    assert await collect(select(filled("abc"))) == list("abc")
    nothing: AsyncIterator[int] = select()
    with assert_checkpoints():
        assert await collect(nothing) == []


async def test_same_channel_may_be_selected_twice() -> None:
    sender, receiver = open_metered_channel[int](10)
    selection = select(receiver, receiver.clone(), receiver)
    async with waiting(selection.__anext__, selection.__anext__) as waiters:
        for number in range(4):
            sender.send_nowait(number)
        sender.close()
    assert [*results(waiters), *await collect(selection)] == [0, 1, 2, 3]


def test_selection_is_made_outside_of_a_run_too() -> None:
    assert trio.run(collect, select(filled("ab"), filled("c"))) == ["a", "c", "b"]


async def test_types_of_the_messages_are_known() -> None:
    numbers, words, letters = filled([1]), filled(["word"]), filled([b"x"])
    a: MeteredReceiver[int] = numbers
    b: MeteredReceiver[str] = words
    c: MeteredReceiver[bytes] = letters
    two = select(a, b)
    assert_type(two, AsyncIterator[int | str])
    assert_type(select(a), AsyncIterator[int])
    assert_type(select(a, b, c), AsyncIterator[int | str | bytes])
    assert_type(select(a, b, c, a), AsyncIterator[int | str | bytes])
    assert_type(select(a, b, c, a, b), AsyncIterator[int | str | bytes])
    assert_type(select(*[a, a]), AsyncIterator[int])
    by_strategy = select_with_strategy(a, b, always(PollNext.RIGHT), None)
    assert_type(by_strategy, AsyncIterator[int | str])
    assert await collect(by_strategy) == ["word", 1]


@pytest.mark.parametrize("thing", [None, 1, trio.open_memory_channel[int](1)[1]])
def test_other_things_than_metered_receivers_are_refused(thing: Any) -> None:  # noqa: ANN401
    match = f"only a MeteredReceiver can be selected from, not {type(thing).__qualname__}"
    with pytest.raises(TypeError, match=match):
        select(filled("a"), thing)
    with pytest.raises(TypeError, match=match):
        select_with_strategy(thing, filled("a"), always(PollNext.LEFT), None)


# --- Strategies ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("answer", "expected"), [(PollNext.LEFT, "aaabb"), (PollNext.RIGHT, "bbaaa")], ids=["left", "right"]
)
async def test_preferred_side_goes_first_and_the_other_when_that_is_empty(answer: PollNext, expected: str) -> None:
    selection = select_with_strategy(filled("aaa"), filled("bb"), always(answer), None)
    assert await collect(selection) == list(expected)


async def test_strategy_may_change_its_state() -> None:
    def left_every_third_time(state: list[int]) -> PollNext:
        state[0] += 1
        return PollNext.RIGHT if state[0] % 3 else PollNext.LEFT

    state = [0]
    selection = select_with_strategy(
        filled("aa", close=False), filled("bbbb", close=False), left_every_third_time, state
    )
    assert [await anext(selection) for _ in range(6)] == list("bbabba")
    assert state == [6]


async def test_strategy_is_asked_before_a_wait_too_and_whoever_comes_first_is_served() -> None:
    asked: list[None] = []

    def left(_: None) -> PollNext:
        asked.append(None)
        return PollNext.LEFT

    sender, right = open_metered_channel[int](1)
    selection = select_with_strategy(filled("", close=False), right, left, None)
    async with waiting(selection.__anext__) as waiters:
        assert len(asked) == 1
        sender.send_nowait(1)
    assert results(waiters) == [1]
    assert len(asked) == 1


@pytest.mark.parametrize("order", [1, -1], ids=["left ends", "right ends"])
async def test_strategy_is_not_asked_once_a_side_has_ended(order: int) -> None:
    def refuse(_: None) -> PollNext:
        raise AssertionError

    left, right = (filled(""), filled("abc"))[::order]
    assert await collect(select_with_strategy(left, right, refuse, None)) == list("abc")


async def test_strategy_that_raises_or_answers_otherwise_takes_nothing() -> None:
    def answer(state: list[Any]) -> PollNext:
        one: Any = state.pop()
        if isinstance(one, Exception):
            raise one
        chosen: PollNext = one
        return chosen

    state = [PollNext.RIGHT, "left", KeyError("why")]
    selection = select_with_strategy(filled("a"), filled("b"), answer, state)
    with pytest.raises(KeyError):
        await anext(selection)
    with pytest.raises(TypeError, match=r"must return a PollNext, not str"):
        await anext(selection)
    assert await collect(selection) == ["b", "a"]


@given(st.text("ab", max_size=30), st.lists(st.sampled_from(PollNext), min_size=30, max_size=30))
def test_strategy_against_two_plain_lists(items: str, answers: list[PollNext]) -> None:
    left = [item for item in enumerate(items) if item[1] == "a"]
    right = [item for item in enumerate(items) if item[1] == "b"]
    remaining = iter(answers)
    selection = select_with_strategy(filled(left), filled(right), next, remaining)
    expected = []
    asked = 0
    while left and right:
        expected.append((left if answers[asked] is PollNext.LEFT else right).pop(0))
        asked += 1
    assert trio.run(collect, selection) == expected + left + right
    assert list(remaining) == answers[asked:]


# --- Ends and errors -------------------------------------------------------------------------------------------------


@both
async def test_all_ended_ends_the_iteration_for_good(select_two: Callable[..., AsyncIterator[Any]]) -> None:
    selection = select_two(filled("a"), filled(""))
    assert await collect(selection) == ["a"]
    for _ in range(2):
        with assert_checkpoints(), pytest.raises(StopAsyncIteration):
            await anext(selection)


@both
async def test_ends_while_waiting(select_two: Callable[..., AsyncIterator[Any]]) -> None:
    """One that ends is left, and the other waited for; the last to end ends the iteration."""
    first, left = open_metered_channel[int](1)
    second, right = open_metered_channel[int](1)
    selection = select_two(left, right)
    async with waiting(selection.__anext__, selection.__anext__, selection.__anext__) as waiters:
        first.close()
        await wait_all_tasks_blocked()
        assert results(waiters) == ["waits"] * 3
        second.send_nowait(1)
        second.close()
    assert waiters[0].result == 1
    assert [type(one) for one in results(waiters)[1:]] == [StopAsyncIteration] * 2
    assert await collect(selection) == []


@both
@pytest.mark.parametrize("which", [0, 1])
async def test_receiver_closed_before_the_call_is_an_error_and_takes_nothing(
    select_two: Callable[..., AsyncIterator[Any]], which: int
) -> None:
    receivers = [filled("abc"), filled("def")]
    selection = select_two(*receivers)
    assert await anext(selection) == "a"
    receivers[which].close()
    for _ in range(2):
        with pytest.raises(trio.ClosedResourceError):
            await anext(selection)
    assert receivers[1 - which].statistics().current_buffer_used == 3 - which


@both
@pytest.mark.parametrize("which", [0, 1])
async def test_receiver_closed_while_waited_for_is_an_error_and_the_other_is_left(
    select_two: Callable[..., AsyncIterator[Any]], which: int
) -> None:
    senders, receivers = zip(*[open_metered_channel[int](1) for _ in range(2)], strict=True)
    async with waiting(select_two(*receivers).__anext__) as waiters:
        receivers[which].close()
        senders[1 - which].send_nowait(1)
    assert isinstance(waiters[0].result, trio.ClosedResourceError)
    assert receivers[1 - which].receive_nowait() == 1


async def test_clone_closed_while_waited_for_leaves_its_channel_to_others() -> None:
    sender, receiver = open_metered_channel[int](1)
    clone = receiver.clone()
    async with waiting(select(receiver, clone).__anext__) as waiters:
        clone.close()
        assert sender.statistics().tasks_waiting_receive == 0
        sender.send_nowait(1)
    assert isinstance(waiters[0].result, trio.ClosedResourceError)
    assert receiver.receive_nowait() == 1


async def test_task_that_was_served_gets_its_message_though_a_receiver_is_closed_then() -> None:
    sender, receiver = open_metered_channel[int](1)
    _, other = open_metered_channel[int](1)
    async with waiting(select(receiver, other).__anext__) as waiters:
        sender.send_nowait(1)
        receiver.close()
        other.close()
    assert results(waiters) == [1]


async def test_receiver_closed_after_its_channel_was_found_to_have_ended_is_not_missed() -> None:
    ended = filled("")
    selection = select(ended, filled("ab"))
    assert await anext(selection) == "a"
    ended.close()
    assert await collect(selection) == ["b"]


async def test_task_that_was_served_gets_its_message_though_another_finds_the_channel_ended(
    mock_clock: MockClock,
) -> None:
    sender, receiver = open_metered_channel[int](1, yield_every=100)
    selection = select(receiver)
    async with waiting(selection.__anext__) as waiters:
        sender.send_nowait(1)
        sender.close()
        with pytest.raises(StopAsyncIteration):
            await anext(selection)  # no schedule point: the task that was served has not run yet
        assert results(waiters) == ["waits"]
    assert results(waiters) == [1]


# --- Cancellation ----------------------------------------------------------------------------------------------------


@both
@pytest.mark.parametrize("yield_every", [1, 100])
async def test_cancelled_before_the_call_takes_nothing(
    select_two: Callable[..., AsyncIterator[Any]], yield_every: int
) -> None:
    selection = select_two(filled("a", yield_every=yield_every), filled("", yield_every=yield_every))
    for _ in range(3):
        with trio.CancelScope() as scope:
            scope.cancel()
            await anext(selection)
        assert scope.cancelled_caught
    assert await collect(selection) == ["a"]


@both
async def test_cancel_while_waiting_leaves_all_queues_and_the_iteration_goes_on(
    select_two: Callable[..., AsyncIterator[Any]],
) -> None:
    senders, receivers = zip(*[open_metered_channel[int](1) for _ in range(2)], strict=True)
    selection = select_two(*receivers)
    async with waiting(selection.__anext__) as waiters:
        assert [one.statistics().tasks_waiting_receive for one in receivers] == [1, 1]
        waiters[0].scope.cancel()
    assert results(waiters) == ["cancelled"]
    assert [one.statistics().tasks_waiting_receive for one in receivers] == [0, 0]
    assert not any(one._parked for one in receivers)
    for number, sender in enumerate(senders):
        sender.send_nowait(number)
        sender.close()
    assert await collect(selection) == [0, 1]


async def test_one_step_never_takes_two_messages() -> None:
    senders, receivers = zip(*[open_metered_channel[int](1) for _ in range(3)], strict=True)
    async with waiting(select(*receivers).__anext__) as waiters:
        for number, sender in enumerate(senders):
            sender.send_nowait(number)
    assert results(waiters) == [0]
    assert [one.statistics().current_buffer_used for one in receivers] == [0, 1, 1]


async def test_iteration_broken_off_leaves_the_rest_in_the_channels() -> None:
    receivers = filled("abc"), filled("def")
    async for item in select(*receivers):
        if item == "b":
            break
    assert [receiver.receive_nowait() for receiver in receivers] == ["c", "e"]


# --- Checkpoints -----------------------------------------------------------------------------------------------------


async def test_every_step_is_a_full_checkpoint_by_default() -> None:
    selection = select(filled("ab"), filled("c", yield_every=100))
    for _ in range(3):
        with assert_checkpoints():
            await anext(selection)


async def test_steps_are_schedule_points_by_the_smallest_yield_every(mock_clock: MockClock) -> None:
    selection = select(filled(range(40), yield_every=4), filled(range(40), yield_every=100))
    counts = []
    async with Counting() as counting:
        for _ in range(16):
            await anext(selection)
            counts.append(counting.count)
    assert counts == [number // 4 for number in range(1, 17)]


async def test_step_that_waited_has_a_whole_budget_again(mock_clock: MockClock) -> None:
    sender, receiver = open_metered_channel[int](10, yield_every=4)
    selection = select(receiver)
    for number in range(2):
        sender.send_nowait(number)
        await anext(selection)
    async with waiting(selection.__anext__):
        for number in range(4):
            sender.send_nowait(number)
    async with Counting() as counting:
        for _ in range(3):
            await anext(selection)
    assert counting.count == 0


# --- Anything that may happen ----------------------------------------------------------------------------------------


@attrs.define
class Selecting:
    """A selection over several channels, and what went into and came out of each."""

    senders: list[MeteredSender[Any]]
    receivers: list[MeteredReceiver[Any]]
    selection: AsyncIterator[tuple[int, int]]
    nursery: trio.Nursery
    tasks: list[Waiter] = attrs.Factory(list)
    numbers: int = 0
    sent: list[tuple[int, int]] = attrs.Factory(list)
    sending: list[tuple[Waiter, tuple[int, int]]] = attrs.Factory(list)
    received_aside: list[tuple[int, int]] = attrs.Factory(list)

    def do(self, kind: str, which: int) -> None:
        place = which % len(self.senders)
        self.numbers += 1
        item = (place, self.numbers)
        if kind == "send":
            self.sending.append((Waiter(partial(self.senders[place].send, item)), item))
            self.nursery.start_soon(self.sending[-1][0].run)
        elif kind == "send_nowait":
            try:
                self.senders[place].send_nowait(item)
            except (trio.WouldBlock, trio.ClosedResourceError):
                return
            self.sent.append(item)
        elif kind == "receive aside":
            try:
                self.received_aside.append(self.receivers[place].receive_nowait())
            except (trio.WouldBlock, trio.EndOfChannel):
                return
        elif kind == "close":
            self.senders[place].close()
        elif kind == "step":
            self.tasks.append(Waiter(self.selection.__anext__))
            self.nursery.start_soon(self.tasks[-1].run)
        else:
            tasks = self.tasks if kind == "cancel a step" else [task for task, _ in self.sending]
            if tasks:
                tasks[which % len(tasks)].scope.cancel()


async def play(capacities: list[float], by_strategy: bool, steps: list[tuple[str, int, bool]]) -> None:
    opened = [open_metered_channel[Any](capacity) for capacity in capacities]
    receivers = [receiver for _, receiver in opened]
    selection: AsyncIterator[Any] = select(*receivers)
    if by_strategy:
        toggle = iter([PollNext.LEFT, PollNext.RIGHT, PollNext.RIGHT] * 1000)
        selection = select_with_strategy(receivers[0], receivers[-1], next, toggle)
    async with trio.open_nursery() as nursery:
        made = Selecting([sender for sender, _ in opened], receivers, selection, nursery)
        for kind, which, at_rest in steps:
            if at_rest or kind == "send":  # tasks that send at once come in any order
                await wait_all_tasks_blocked()
            made.do(kind, which)
            if kind == "send":
                await wait_all_tasks_blocked()
        await wait_all_tasks_blocked()
        for sender in made.senders:
            sender.close()
    made.sent += [item for task, item in made.sending if task.result is None]
    received = [one for one in results(made.tasks) if isinstance(one, tuple)]
    left = await collect(selection)
    assert all(isinstance(one, tuple | StopAsyncIteration) or one == "cancelled" for one in results(made.tasks))
    everything = received + made.received_aside + left
    if by_strategy:
        everything += await collect(select(*receivers))  # of those in the middle
    # Nothing is lost, and nothing came twice.
    assert sorted(everything) == sorted(made.sent)
    # What is left comes in each channel's own order, after all that went before.
    for place in range(len(capacities)):
        rest = [number for channel, number in left if channel == place]
        assert rest == sorted(rest)
        assert not rest or all(number < rest[0] for channel, number in received if channel == place)


happenings = st.sampled_from(
    ["send", "send_nowait", "step"] * 4 + ["cancel a step", "cancel a send"] * 2 + ["receive aside", "close"]
)


@given(
    st.lists(st.one_of(st.integers(0, 2), st.just(math.inf)), min_size=1, max_size=4),
    st.booleans(),
    st.lists(st.tuples(happenings, st.integers(0, 12), st.booleans()), max_size=40),
)
def test_nothing_is_lost_or_doubled_whatever_happens(
    capacities: list[float], by_strategy: bool, steps: list[tuple[str, int, bool]]
) -> None:
    trio.run(play, capacities, by_strategy, steps, clock=MockClock())


@given(st.lists(st.integers(0, 8), max_size=5))
def test_round_robin_against_plain_rounds(counts: list[int]) -> None:
    receivers = [filled([place] * count) for place, count in enumerate(counts)]
    expected = [place for turn in range(8) for place, count in enumerate(counts) if turn < count]
    assert trio.run(collect, select(*receivers)) == expected
