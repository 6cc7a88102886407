"""The ledger: what each way to send leaves in it, however it ends."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

import pytest
import trio

from benchmarks.soak.ledger import Ledger
from benchmarks.soak.messages import Work
from orchestra_trio import DeadLetter, open_oneshot

if TYPE_CHECKING:
    from trio.testing import MockClock


def make(ledger: Ledger, count: int) -> list[int]:
    return [ledger.make(Work, "a") for _ in range(count)]


def test_a_message_counts_once_its_sending_has_come_to_its_end() -> None:
    ledger = Ledger()
    first, second = make(ledger, 2)
    with ledger.sending(first):
        assert not ledger.accepted
    with pytest.raises(trio.WouldBlock), ledger.sending(second):
        raise trio.WouldBlock
    assert ledger.accepted == {first}


def test_of_a_stream_that_was_cut_short_all_count_but_the_last_that_was_taken() -> None:
    ledger = Ledger()
    numbers = make(ledger, 3)
    with suppress(trio.EndOfChannel), ledger.sending_stream() as taken:
        taken.extend(numbers)
        raise trio.EndOfChannel
    assert ledger.accepted == set(numbers[:2])


def test_of_a_list_that_was_cut_short_nobody_knows_how_many_count() -> None:
    ledger = Ledger()
    numbers = make(ledger, 3)
    with pytest.raises(KeyError), ledger.sending_list(numbers):
        raise KeyError
    assert (ledger.accepted, ledger.cut_short) == (set(), [numbers])
    with ledger.sending_list(numbers):
        pass
    assert ledger.accepted == set(numbers)


async def test_a_request_counts_when_no_answer_will_come() -> None:
    ledger = Ledger()
    (number,) = make(ledger, 1)
    reply, answer = open_oneshot[int]()
    reply.close()
    with ledger.requesting(number, "a"):
        await answer.receive()
    assert (ledger.accepted, ledger.unsure, ledger.inside) == ({number}, set(), set())
    assert ledger.count_notes() == {"requests": 1, "requests unanswered": 1}


async def test_of_a_request_that_was_cancelled_nobody_knows(autojump_clock: MockClock) -> None:
    ledger = Ledger()
    (number,) = make(ledger, 1)
    with trio.move_on_after(1), ledger.requesting(number, "a"):
        assert [(one.name, one.kind) for one in ledger.inside] == [("a", "request")]
        await trio.sleep_forever()
    assert (ledger.accepted, ledger.unsure, ledger.inside) == (set(), {number}, set())


def test_who_begins_anew_while_something_of_the_old_is_left_is_at_fault() -> None:
    ledger = Ledger()
    with ledger.beginning("a"):
        pass
    with ledger.being("a", "job"), ledger.beginning("a"), ledger.beginning("b"):
        pass
    assert ledger.faults == ["a began anew while of its old incarnation there was still: job"]
    assert ledger.begun == ["a", "a", "b"]


def test_a_dead_letter_that_is_no_message_is_a_fault() -> None:
    ledger = Ledger()
    ledger.bury(DeadLetter(Work(7, 0), "a", "b", "bounded", "left over"))
    assert [(one.number, one.consumer, one.reason) for one in ledger.dead] == [(7, "b", "left over")]
    ledger.bury(DeadLetter("text", "a", "b", "bounded", "left over"))
    assert ledger.faults == ["a dead letter is no message of this round: 'text'"]
