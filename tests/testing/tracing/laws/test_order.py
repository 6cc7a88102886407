"""Law 2 planted against: messages that overtake others in a lane, and senders that overtake those who wait."""

from __future__ import annotations

import attrs
import pytest

from orchestra_trio.testing.tracing.laws.checking import find_violations
from tests.testing.tracing.laws.editing import Edited
from tests.testing.tracing.laws.good import play_full, play_line, recorded


@pytest.fixture
def line() -> Edited:
    return Edited(recorded(play_line))


@pytest.fixture
def full() -> Edited:
    return Edited(recorded(play_full))


def test_messages_that_are_received_in_another_order(line: Edited) -> None:
    first, second = (line.one("receive", text=f"Item(number={number})") for number in (2, 3))
    line.swap(first, second)
    sent = [line.one("send", text=f"Item(number={number})") for number in (2, 3)]
    assert line.check(2, *sent, second) == (
        f"Item(number=3) is received from the bounded lane of relay before Item(number=2), "
        f"which task {sent[0].task} of source sent earlier"
    )


def test_a_message_that_comes_last_instead_of_first(line: Edited) -> None:
    """Each that is received before it tells so."""
    late = line.one("receive", text="Other(number=2)")
    line.move(late, after=line.one("receive", text="Other(number=5)"))
    found = find_violations(line.done())
    assert [(one.law, one.events[0].text) for one in found] == [(2, late.text)] * 3


def test_messages_of_different_tasks_may_overtake(line: Edited) -> None:
    """The law speaks of each sending task."""
    sent = line.one("send", text="Item(number=3)")
    line.change(sent, task="another")
    line.swap(*(line.one("receive", text=f"Item(number={number})") for number in (2, 3)))
    assert find_violations(line.done()) == []


def test_messages_of_threads_count_as_those_of_one_task(line: Edited) -> None:
    for number in (2, 3):
        line.change(line.one("send", text=f"Item(number={number})"), task=None)
    line.swap(*(line.one("receive", text=f"Item(number={number})") for number in (2, 3)))
    sent = [line.one("send", text=f"Item(number={number})") for number in (2, 3)]
    told = line.check(2, *sent, line.one("receive", text="Item(number=3)"))
    assert told.endswith("which a thread of source sent earlier")


def test_senders_that_wait_are_let_in_in_another_order(full: Edited) -> None:
    one, three = (full.one("block", text=f"Item(number={number})") for number in (1, 3))
    full.swap(one, three)
    let_in = full.one("send", text="Item(number=1)")
    assert full.check(2, three, one, let_in) == (
        "Item(number=1) of outside is let into the bounded lane of sink before Item(number=3) of outside, "
        "which began to wait earlier"
    )


def test_a_sender_that_overtakes_those_who_wait(full: Edited) -> None:
    """One that comes while others wait, and finds the room that they wait for."""
    sent = full.one("send", text="Item(number=3)")
    full.drop(full.one("block", text="Item(number=3)"))
    full.swap(sent, full.one("send", text="Item(number=1)"))
    full.swap(full.one("receive", text="Item(number=3)"), full.one("receive", text="Item(number=1)"))
    assert full.check(2, full.one("block", text="Item(number=1)"), sent) == (
        "Item(number=3) of outside is put into the bounded lane of sink, "
        "while Item(number=1) of outside waits for room there"
    )


def test_who_waited_before_the_recording_began_comes_first(full: Edited) -> None:
    """The trace does not know of them, where the lane was full then."""
    sent = full.one("send", text="Item(number=3)")
    full.drop(full.one("send", text="Item(number=0)"), full.one("block", text="Item(number=3)"))
    full.drop(full.one("receive", text="Item(number=0)"))
    full.swap(sent, full.one("send", text="Item(number=1)"))
    full.swap(full.one("receive", text="Item(number=3)"), full.one("receive", text="Item(number=1)"))
    full.drop(full.one("exit"))
    participants = tuple(attrs.evolve(one, lying={"bounded": 1}) for one in full.trace.participants)
    full.trace = attrs.evolve(full.trace, participants=participants, is_from_start=False)
    assert not [one for one in find_violations(full.done()) if one.law == 2]
    full.trace = attrs.evolve(full.trace, is_from_start=True)
    assert [one for one in find_violations(full.done()) if one.law == 2]
