"""Law 7 planted against: lanes that hold too much, and senders that wait although there is room."""

from __future__ import annotations

import attrs
import pytest

from orchestra_trio.testing.tracing.laws.checking import find_violations
from tests.testing.tracing.laws.editing import Edited
from tests.testing.tracing.laws.good import play_full, play_line, recorded


@pytest.fixture
def full() -> Edited:
    return Edited(recorded(play_full))


def test_a_lane_that_holds_more_than_its_capacity(full: Edited) -> None:
    let_in = full.one("send", text="Item(number=1)")
    full.move(let_in, before=full.one("receive", text="Item(number=0)"))
    assert full.check(7, let_in) == (
        "Item(number=1) of outside is put into the bounded lane of sink, which then holds 2; its capacity is 1"
    )


def test_a_sender_that_is_not_made_to_wait(full: Edited) -> None:
    block, sent = full.one("block", text="Item(number=1)"), full.one("send", text="Item(number=1)")
    full.drop(block)
    full.move(sent, after=full.one("send", text="Item(number=0)"))
    assert full.check(7, sent).endswith("which then holds 2; its capacity is 1")


def test_what_lay_there_when_the_recording_began_takes_room(full: Edited) -> None:
    participants = tuple(attrs.evolve(one, lying={"bounded": 1}) for one in full.trace.participants)
    full.trace = attrs.evolve(full.trace, participants=participants)
    first = full.one("send", text="Item(number=0)")
    assert full.check(7, first, only=False).endswith("which then holds 2; its capacity is 1")


def test_signals_may_exceed_their_capacity() -> None:
    line = Edited(recorded(play_line))
    participants = tuple(
        attrs.evolve(one, capacities={**one.capacities, "signals": 1}) for one in line.trace.participants
    )
    line.trace = attrs.evolve(line.trace, participants=participants)
    assert find_violations(line.done()) == []


def test_a_sender_that_begins_to_wait_though_there_is_room(full: Edited) -> None:
    block = full.one("block", text="Item(number=1)")
    full.move(block, before=full.one("send", text="Item(number=0)"))
    told = full.check(7, block, only=False)
    assert (
        told == "outside waits to send Item(number=1) into the bounded lane of sink, which holds 0 and has room for 1"
    )


def test_a_sender_that_is_not_let_in_when_there_is_room(full: Edited) -> None:
    """Somebody forgot to wake it: trio's thread goes on with something else before it is let in."""
    let_in, end = full.one("send", text="Item(number=3)"), full.one("end of input")
    full.move(end, before=let_in)
    cause = full.one("receive", text="Item(number=1)")
    told = full.check(7, full.one("block", text="Item(number=3)"), cause, end)
    assert told == (
        "outside still waits to send Item(number=3) into the bounded lane of sink, "
        "which has had room since Item(number=1) left it"
    )


def test_a_sender_that_gives_up_though_there_is_room(full: Edited) -> None:
    gone = full.one("withdraw")
    full.drop(full.one("send", text="Item(number=1)"), full.one("receive", text="Item(number=1)"))
    full.drop(full.one("block", text="Item(number=1)"))
    cause = full.one("receive", text="Item(number=0)")
    full.move(gone, after=cause)
    told = full.check(7, full.one("block", text="Item(number=2)"), cause, gone)
    assert told.startswith("outside still waits to send Item(number=2) into the bounded lane of sink")


def test_threads_go_on_while_one_makes_room(full: Edited) -> None:
    """At lanes that threads use, nothing is said by what happens elsewhere meanwhile."""
    full.move(full.one("end of input"), before=full.one("send", text="Item(number=3)"))
    participants = tuple(attrs.evolve(one, is_shared=True) for one in full.trace.participants)
    full.trace = attrs.evolve(full.trace, participants=participants)
    assert find_violations(full.done()) == []
