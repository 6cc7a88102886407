"""Law 1 planted against: messages that are lost, doubled or come from nowhere, and broadcasts that miss somebody."""

from __future__ import annotations

import attrs
import pytest

from orchestra_trio.testing.tracing.laws.checking import find_violations
from orchestra_trio.testing.tracing.trace import FROM_BEFORE
from tests.testing.tracing.laws.editing import Edited
from tests.testing.tracing.laws.good import play_full, play_line, recorded


@pytest.fixture
def line() -> Edited:
    return Edited(recorded(play_line))


@pytest.fixture
def full() -> Edited:
    return Edited(recorded(play_full))


def test_a_message_that_nobody_receives(line: Edited) -> None:
    line.drop(line.one("receive", text="Other(number=5)"))
    sent = line.one("send", text="Other(number=5)")
    assert line.check(1, sent) == (
        "Other(number=5) was sent by relay to the bounded lane of sink, and is lost: "
        "neither received nor a dead letter at the end"
    )


def test_a_trace_that_has_not_ended_may_hold_messages(line: Edited) -> None:
    line.drop(line.one("receive", text="Other(number=5)"), line.one("exit", subsystem="sink"))
    assert find_violations(line.done()) == []


def test_a_message_that_is_received_twice(line: Edited) -> None:
    received = line.one("receive", text="Other(number=5)")
    line.repeat(received, after=received)
    again = line.events[line.events.index(received) + 1]
    message = find_violations(line.done())[0].message
    assert message == "Other(number=5) is received from the bounded lane of sink, but it was received already"
    assert again == received


def test_a_message_that_was_never_sent(line: Edited) -> None:
    line.drop(line.one("send", text="Other(number=5)"))
    received = line.one("receive", text="Other(number=5)")
    told = line.check(1, received)
    assert told == "Other(number=5) is received from the bounded lane of sink, but it was never sent"


def test_a_message_that_did_not_lie_there(line: Edited) -> None:
    """As the recorder tells of an object that it has not seen come."""
    received = line.change(line.one("receive", text="Other(number=5)"), message=None)
    line.drop(line.one("send", text="Other(number=5)"))
    told = line.check(1, received)
    assert told == "Other(number=5) is received from the bounded lane of sink, but it was not there"


def test_a_message_that_is_received_by_another_than_its_consumer(line: Edited) -> None:
    received = line.change(line.one("receive", text="Other(number=5)"), subsystem="relay")
    told = line.check(1, line.one("send", text="Other(number=5)"), received, only=False)
    assert told.endswith("from the bounded lane of relay, but it was in the bounded lane of sink")


def test_more_from_before_the_recording_than_lay_there(line: Edited) -> None:
    line.drop(line.one("send", text="Other(number=5)"))
    received = line.change(line.one("receive", text="Other(number=5)"), message=None, detail=FROM_BEFORE)
    told = line.check(1, received)
    assert told.endswith("but all that lay there when the recording began has left it")


def test_a_message_from_before_the_recording_that_is_lost(line: Edited) -> None:
    participants = tuple(
        attrs.evolve(one, lying={"bounded": 1}) if one.name == "sink" else one for one in line.trace.participants
    )
    line.trace = attrs.evolve(line.trace, participants=participants)
    told = line.check(1)
    assert told.startswith("1 of those that lay in the bounded lane of sink when the recording began are lost")


def test_a_message_that_is_let_in_after_it_was_withdrawn(full: Edited) -> None:
    gone = full.one("withdraw")
    let_in = attrs.evolve(full.one("send", text="Item(number=3)"), message=gone.message, text=gone.text)
    full.events.insert(full.events.index(full.one("receive", text="Item(number=3)")) + 1, let_in)
    told = full.check(1, gone, let_in)
    assert told == "Item(number=2) is put into the bounded lane of sink, but it was withdrawn"


def test_a_message_that_is_buried_after_it_was_received(full: Edited) -> None:
    received = full.one("receive", text="Item(number=3)")
    buried = attrs.evolve(received, kind="dead letter", detail="left over")
    full.events.insert(full.events.index(full.one("exit")) + 1, buried)
    told = full.check(1, received, buried)
    assert told == "Item(number=3) is buried in the bounded lane of sink, but it was received already"


def test_a_message_left_over_that_never_lay_there(full: Edited) -> None:
    received = full.one("receive", text="Item(number=3)")
    buried = attrs.evolve(received, kind="dead letter", detail="left over", message=1000)
    full.events.append(buried)
    assert full.check(1, buried) == "Item(number=3) is buried in the bounded lane of sink, but it was never sent"


def test_a_broadcast_that_skips_one(line: Edited) -> None:
    line.drop(line.one("send", epoch=2, subsystem="sink"), line.one("receive", epoch=2, subsystem="sink"))
    after = line.one("send", text="Item(number=4)")
    told = line.check(1, line.one("broadcast", epoch=2), after, only=False)
    assert told == "broadcast 2 of Tick(number=2) was not sent to sink, subscribed and alive"


def test_a_broadcast_that_comes_to_one_late(line: Edited) -> None:
    """It is one step: no other step of trio's thread comes between."""
    sent = line.one("send", epoch=2, subsystem="relay")
    after = line.one("send", text="Item(number=4)")
    line.move(sent, after=after)
    told = line.check(1, line.one("broadcast", epoch=2), after)
    assert told == "broadcast 2 of Tick(number=2) was not sent to relay, subscribed and alive"


def test_who_has_ended_misses_no_broadcast(line: Edited) -> None:
    participants = tuple(attrs.evolve(one, has_ended=one.name == "sink") for one in line.trace.participants)
    line.trace = attrs.evolve(line.trace, participants=participants)
    line.drop(*(event for event in line.events if event.subsystem == "sink" and event.kind != "dead letter"))
    told = [one.message for one in find_violations(line.done())]
    assert not any("broadcast" in message for message in told)


def test_steps_of_threads_come_between_those_of_a_broadcast(line: Edited) -> None:
    """At lanes that threads use, a step of theirs may have the name of the task that it wakes."""
    sent = line.one("send", text="Item(number=4)")
    line.move(sent, before=line.one("send", epoch=2, subsystem="sink"))
    participants = tuple(attrs.evolve(one, is_shared=one.name == "relay") for one in line.trace.participants)
    line.trace = attrs.evolve(line.trace, participants=participants)
    assert find_violations(line.done()) == []
