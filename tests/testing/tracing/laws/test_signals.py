"""Laws 3 to 5 planted against: signals after messages, in another order, skipped, or after what came after them."""

from __future__ import annotations

import attrs
import pytest

from orchestra_trio.testing.tracing.laws.checking import find_violations
from tests.testing.tracing.laws.editing import Edited
from tests.testing.tracing.laws.good import play_line, recorded


@pytest.fixture
def line() -> Edited:
    return Edited(recorded(play_line))


def test_a_message_that_is_received_while_a_signal_lies_there(line: Edited) -> None:
    """What comes back from nobody: the source has not heard the last signal when it sends the first message."""
    first = line.one("receive", text="Item(number=2)")
    line.move(first, before=line.one("receive", epoch=2, subsystem="relay"))
    assert line.check(3, line.one("send", epoch=2, subsystem="relay"), first) == (
        "relay receives Item(number=2) from its bounded lane, while a signal lies in its signal lane: Tick(number=2)"
    )


def test_a_message_that_is_received_before_all_signals(line: Edited) -> None:
    first = line.one("receive", text="Item(number=2)")
    line.move(first, before=line.one("receive", epoch=1, subsystem="relay"))
    told = line.check(3, line.one("send", epoch=1, subsystem="relay"), first, only=False)
    assert told.endswith("while a signal lies in its signal lane: Tick(number=1)")


def test_a_signal_from_before_the_recording_began_comes_first_too(line: Edited) -> None:
    participants = tuple(
        attrs.evolve(one, lying={"signals": 1}) if one.name == "sink" else one for one in line.trace.participants
    )
    line.trace = attrs.evolve(line.trace, participants=participants)
    line.drop(*(event for event in line.events if event.lane == "signals" and event.subsystem == "sink"))
    received = line.one("receive", text="Other(number=2)")
    told = line.check(3, received, only=False)
    assert told.endswith("a signal lies in its signal lane: one from before the recording began")


def test_signals_that_are_received_in_another_order(line: Edited) -> None:
    first, second = (line.one("receive", epoch=epoch, subsystem="relay") for epoch in (1, 2))
    line.swap(first, second)
    told = line.check(4, line.one("send", epoch=1, subsystem="relay"), second)
    assert told == "relay receives broadcast 2 and skips broadcast 1, which was sent to it earlier"
    assert [one.message for one in find_violations(line.done())][1:] == ["relay receives broadcast 1 after broadcast 2"]


def test_a_broadcast_that_one_never_receives(line: Edited) -> None:
    line.drop(line.one("receive", epoch=1, subsystem="sink"))
    second = line.one("receive", epoch=2, subsystem="sink")
    told = line.check(4, line.one("send", epoch=1, subsystem="sink"), second, only=False)
    assert told == "sink receives broadcast 2 and skips broadcast 1, which was sent to it earlier"
    assert [one.law for one in find_violations(line.done())] == [4, 3], "each signal that lies there is told of once"


def test_a_broadcast_whose_number_is_too_small(line: Edited) -> None:
    for event in [event for event in line.events if event.epoch == 2]:
        line.change(event, epoch=1)
    assert {one.law for one in find_violations(line.done())} == {4}
    assert line.check(4, *line.all("broadcast")) == "the broadcast of Tick(number=2) is number 1, after number 1"


def test_a_broadcast_that_one_had_received_before_the_recording_began(line: Edited) -> None:
    participants = tuple(attrs.evolve(one, epoch=2 * (one.name == "sink")) for one in line.trace.participants)
    line.trace = attrs.evolve(line.trace, participants=participants)
    first = line.one("receive", epoch=1, subsystem="sink")
    assert line.check(4, first) == "sink receives broadcast 1 after broadcast 2"


def test_a_broadcast_that_overtakes_a_signal_from_before_the_recording(line: Edited) -> None:
    participants = tuple(
        attrs.evolve(one, lying={"signals": 1}) if one.name == "source" else one for one in line.trace.participants
    )
    line.trace = attrs.evolve(line.trace, participants=participants)
    told = line.check(4, line.one("receive", epoch=1, subsystem="source"))
    assert told == "source receives broadcast 1 before a signal that lay there when the recording began"


def test_signals_for_one_subsystem_are_in_order_too(line: Edited) -> None:
    for event in [event for event in line.events if event.lane == "signals" and event.subsystem == "relay"]:
        line.change(event, epoch=None)
    first, second = line.all("receive", lane="signals", subsystem="relay")
    line.swap(first, second)
    sent, _ = line.all("send", lane="signals", subsystem="relay")
    told = line.check(4, sent, second, only=False)
    assert told == "relay receives Tick(number=2) and skips Tick(number=1), which was sent to it earlier"


def test_a_message_that_overtakes_the_signal_that_caused_it(line: Edited) -> None:
    """Its sender had received the broadcast when it sent it."""
    message = line.one("receive", text="Item(number=2)")
    line.move(message, before=line.one("receive", epoch=1, subsystem="relay"))
    sent, heard = line.one("send", text="Item(number=2)"), line.one("receive", epoch=1, subsystem="source")
    told = line.check(5, heard, sent, message, only=False)
    assert told == "relay receives Item(number=2) before broadcast 1, which source had received when it sent that"
    assert {one.law for one in find_violations(line.done())} == {3, 5}


def test_a_signal_that_comes_to_one_after_the_message_that_it_caused(line: Edited) -> None:
    """The broadcast was late at its lane, so the mailbox could not know better."""
    sent, received = (line.one(kind, epoch=2, subsystem="relay") for kind in ("send", "receive"))
    late = line.one("receive", text="Item(number=4)")
    line.move(sent, after=late)
    line.move(received, after=sent)
    caused, heard = line.one("send", text="Item(number=4)"), line.one("receive", epoch=2, subsystem="source")
    told = line.check(5, heard, caused, late, only=False)
    assert told == "relay receives Item(number=4) before broadcast 2, which source had received when it sent that"
    assert {one.law for one in find_violations(line.done())} == {1, 5}


def test_who_does_not_subscribe_has_no_watermark(line: Edited) -> None:
    """The law is about broadcasts that the consumer hears."""
    for event in line.all("broadcast"):
        line.change(event, audience=("source", "sink"))
    line.drop(*(event for event in line.events if event.lane == "signals" and event.subsystem == "relay"))
    assert find_violations(line.done()) == []
