"""Who waits for signals alone may be let wait for anything, or wait no longer: in a mailbox, and in a shared one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from orchestra_trio.delivery.mailbox import EMPTY, Mailbox
from orchestra_trio.delivery.shared import SharedMailbox
from orchestra_trio.delivery.strategies import Biased
from tests.delivery.models import FakeClock, FakeReceiver

if TYPE_CHECKING:
    from collections.abc import Callable

    from orchestra_trio.records import LaneChooser, LaneStrategy, MessageLane

AnyMailbox = Mailbox[Any, Any]


@pytest.fixture(params=[Mailbox, SharedMailbox])
def make(request: pytest.FixtureRequest) -> Callable[[LaneStrategy], AnyMailbox]:
    """Make a mailbox with this strategy."""

    def make_mailbox(strategy: LaneStrategy) -> AnyMailbox:
        mailbox: AnyMailbox = request.param(
            message_capacity=2, signal_capacity=2, priority_capacity=2, strategy=strategy, clock=FakeClock()
        )
        return mailbox

    return make_mailbox


@pytest.fixture
def mailbox(make: Callable[[LaneStrategy], AnyMailbox]) -> AnyMailbox:
    return make(Biased("priority", "unbounded", "bounded"))


def listen(mailbox: AnyMailbox) -> FakeReceiver:
    """Let somebody wait for signals alone."""
    receiver = FakeReceiver()
    mailbox.signal_receivers[receiver] = None
    return receiver


def wait(mailbox: AnyMailbox) -> FakeReceiver:
    """Let somebody wait for anything."""
    receiver = FakeReceiver()
    mailbox.receivers[receiver] = None
    return receiver


def test_who_is_widened_gets_at_once_what_the_strategy_chooses(mailbox: AnyMailbox) -> None:
    assert mailbox.priority is not None
    listening = listen(mailbox)
    mailbox.bounded.post("late", None)
    mailbox.priority.post("soon", None)
    mailbox.widen(listening)
    assert listening.got == ["soon"]
    assert not mailbox.signal_receivers
    assert not mailbox.receivers


def test_who_is_widened_waits_behind_those_who_wait_for_anything(mailbox: AnyMailbox) -> None:
    """And counts as one of them, for signals too."""
    first, listening, other = wait(mailbox), listen(mailbox), listen(mailbox)
    mailbox.widen(listening)
    mailbox.put_signal("signal", 1)
    for number in range(2):
        mailbox.bounded.post(number, None)
    assert (first.got, listening.got, other.got) == ([0], [1], ["signal"])


def test_who_was_served_meanwhile_is_let_alone(mailbox: AnyMailbox) -> None:
    listening = listen(mailbox)
    mailbox.put_signal("signal", None)
    mailbox.bounded.post("message", None)
    mailbox.widen(listening)
    assert listening.got == ["signal"]
    assert mailbox.take() == "message"


def test_who_gets_the_last_item_is_not_told_of_the_end(mailbox: AnyMailbox) -> None:
    """All others are."""
    first, second = listen(mailbox), listen(mailbox)
    mailbox.bounded.post("last", None)
    mailbox.close_input()
    assert first.ends == second.ends == 0
    mailbox.widen(second)
    assert (second.got, second.ends) == (["last"], 0)
    assert (first.got, first.ends) == ([], 1)


def test_who_leaves_waits_no_longer(mailbox: AnyMailbox) -> None:
    """Whatever they waited for; and is told whether they did."""
    for waiting in (wait(mailbox), listen(mailbox)):
        assert mailbox.leave(waiting)
        assert not mailbox.leave(waiting)
    mailbox.put_signal("signal", None)
    mailbox.bounded.post("message", None)
    assert [mailbox.take(), mailbox.take(), mailbox.take()] == ["signal", "message", EMPTY]


class Failing:
    """A strategy that fails, once."""

    def __init__(self) -> None:
        self.has_failed = False

    def chooser(self) -> LaneChooser:
        return self

    def __call__(self, ready: tuple[MessageLane, ...]) -> MessageLane:
        if not self.has_failed:
            self.has_failed = True
            raise LookupError
        return ready[0]

    def reset(self) -> None:
        """Begin anew."""


def test_a_strategy_that_fails_leaves_who_is_widened_where_they_were(
    make: Callable[[LaneStrategy], AnyMailbox],
) -> None:
    """They can be widened again, and nothing is lost."""
    mailbox = make(Failing())
    assert mailbox.priority is not None
    listening = listen(mailbox)
    mailbox.bounded.post("bounded", None)
    mailbox.priority.post("priority", None)
    with pytest.raises(LookupError):
        mailbox.widen(listening)
    assert list(mailbox.signal_receivers) == [listening]
    mailbox.widen(listening)
    assert listening.got == ["priority"]
    assert mailbox.take() == "bounded"
