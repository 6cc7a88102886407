"""The audit: what does not add up is found, and what does is not."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs
import pytest

from benchmarks.soak.audit import find_faults_at_the_end, find_faults_on_the_way
from benchmarks.soak.ledger import Dead, Inside, Ledger
from benchmarks.soak.messages import Poison, Tick, Work
from tests.benchmarks.soak.samples import numbers, readout, subsystem

if TYPE_CHECKING:
    from orchestra_trio import OrchestraStatistics


@pytest.fixture
def ledger() -> Ledger:
    """Three messages of `a` to `b`: two received, one left over; and two broadcasts that `b` heard."""
    ledger = Ledger()
    made = [Work(ledger.make(Work, "a"), 0) for _ in range(3)]
    ledger.accepted.update(one.number for one in made)
    for epoch in (1, 2):
        ledger.receive("b", Tick(epoch), epoch, alone=True)
    for message in made[:2]:
        ledger.receive("b", message, 2, alone=True)
    ledger.dead.append(Dead(made[2].number, "b", "bounded", "left over"))
    ledger.epoch = 2
    ledger.begun += ["a", "b"]
    return ledger


def told(sent: int = 3, received: int = 2, channel_len: int = 0, peak: int = 2, epoch: int = 2) -> OrchestraStatistics:
    """What the orchestra says of the same."""
    consumer = subsystem("b", readout(sent, received, channel_len, peak), readout(2, 2), epoch)
    return numbers(subsystem("a"), consumer, epoch=2, dead_letters={"left over": 1})


def faults(ledger: Ledger, statistics: OrchestraStatistics, capacity: int = 8) -> str:
    return "\n".join(find_faults_at_the_end(ledger, statistics, capacity, alone={"b"}))


def test_what_adds_up_has_no_fault(ledger: Ledger) -> None:
    assert faults(ledger, told()) == ""


def test_a_message_that_is_lost_is_named(ledger: Ledger) -> None:
    ledger.accepted.add(ledger.make(Work, "a"))
    assert faults(ledger, told()) == "messages 4 (Work of a) accepted, and neither received nor dead"


def test_a_message_that_comes_twice_is_named_with_its_places(ledger: Ledger) -> None:
    ledger.dead.append(Dead(1, "b", "bounded", "stopping"))
    assert "messages 1 (Work of a) came out more than once, the first one at b and at dead" in faults(ledger, told())


def test_a_message_that_was_refused_must_not_come(ledger: Ledger) -> None:
    ledger.accepted.discard(1)
    assert "messages 1 (Work of a) not accepted, and received or dead all the same" in faults(ledger, told())


def test_a_request_that_was_cancelled_may_have_come(ledger: Ledger) -> None:
    ledger.accepted.discard(1)
    ledger.unsure.update([1, ledger.make(Work, "a")])
    assert faults(ledger, told()) == ""


def test_of_a_list_that_was_cut_short_only_the_first_may_have_come(ledger: Ledger) -> None:
    fourth = ledger.make(Work, "a")
    ledger.accepted -= {2, 3}
    ledger.cut_short.append([2, 3, fourth])
    assert faults(ledger, told()) == ""

    ledger.cut_short[0] = [2, fourth, 3]
    assert "of a list that was cut short, not the first were accepted" in faults(ledger, told())


@pytest.mark.parametrize("wrong", [told(sent=4), told(channel_len=1), told(received=3)])
def test_a_lane_that_does_not_add_up_is_found_at_any_moment(ledger: Ledger, wrong: OrchestraStatistics) -> None:
    assert list(find_faults_on_the_way(ledger, told(), 8)) == []
    (fault,) = find_faults_on_the_way(ledger, wrong, 8)
    assert fault.startswith("lane bounded of b:")


def test_a_lane_that_held_more_than_its_capacity_is_found(ledger: Ledger) -> None:
    assert faults(ledger, told(peak=3), capacity=2) == "lane bounded of b has held 3 messages, with room for 2"


def test_what_subsystems_have_counted_is_held_against_their_lanes(ledger: Ledger) -> None:
    ledger.received["b"].pop()
    ledger.signals.append("b")
    found = faults(ledger, told())
    assert "b has counted 1 messages, and its lanes say 2" in found
    assert "b has counted 3 signals, and its lane says 2" in found


def test_dead_letters_are_held_against_what_the_hook_was_told(ledger: Ledger) -> None:
    ledger.dead[0] = attrs.evolve(ledger.dead[0], reason="stopping")
    assert "dead letters: {'stopping': 1}, and counted are {'left over': 1}" in faults(ledger, told())


def test_events_are_held_against_their_channel(ledger: Ledger) -> None:
    ledger.note("events accepted")
    assert faults(ledger, told()) == "events accepted: 1, and the orchestra says 0"


@pytest.mark.parametrize("heard", [[1], [2, 1], [1, 1, 2], [1, 3]])
def test_broadcasts_are_heard_once_and_in_order(ledger: Ledger, heard: list[int]) -> None:
    ledger.heard["b"][:] = heard
    assert "b has the epoch 2, and heard the broadcasts" in faults(ledger, told())


def test_where_several_receive_broadcasts_may_be_noted_in_another_order(ledger: Ledger) -> None:
    ledger.heard["b"].reverse()
    assert find_faults_at_the_end(ledger, told(), 8, alone=set()) == []


def test_an_epoch_that_nobody_broadcast_is_found(ledger: Ledger) -> None:
    ledger.epoch = 3
    assert faults(ledger, told()) == "3 broadcasts were made, and the orchestra's epoch is 2"


def test_messages_of_one_task_come_in_their_order(ledger: Ledger) -> None:
    ledger.received["b"].reverse()
    assert faults(ledger, told()) == "b received messages 2 (Work of a), 1 (Work of a) in this order"


def test_who_is_still_in_the_midst_of_something_is_named(ledger: Ledger) -> None:
    ledger.inside.add(Inside("b", "request"))
    assert faults(ledger, told()) == "b is still in the midst of a request"


def test_restarts_are_held_against_the_calls(ledger: Ledger) -> None:
    ledger.begun += ["b", "b", "b"]
    assert faults(ledger, told()) == "b was called 4 times, and is said to have begun anew 0 times"


def test_an_epoch_is_that_of_the_signal_that_was_received_last() -> None:
    ledger = Ledger()
    ledger.receive("b", Tick(2), 3, alone=False)
    ledger.receive("b", Poison(), 0, alone=True)
    assert ledger.faults == []
    ledger.receive("b", Tick(2), 3, alone=True)
    ledger.receive("b", Tick(2), 1, alone=False)
    assert len(ledger.faults) == 2


def test_no_message_overtakes_a_broadcast_that_its_sender_had_received() -> None:
    ledger = Ledger(deaf=frozenset({"c"}))
    ledger.receive("a", Tick(1), 1, alone=True)
    work = Work(ledger.make(Work, "a"), 0)
    ledger.receive("b", work, 1, alone=True)
    ledger.receive("c", work, 0, alone=True)
    assert ledger.faults == []
    ledger.receive("b", work, 0, alone=True)
    assert ledger.faults == ["b received Work of a at epoch 0, which was sent at 1"]
