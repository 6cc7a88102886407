"""The library itself made wrong, one place at a time: what is recorded then breaks the law that the place keeps."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import trio

from orchestra_trio.delivery.lanes import Lane
from orchestra_trio.delivery.mailbox import Mailbox
from orchestra_trio.delivery.strategies import _WeightedChooser
from orchestra_trio.runtime.drain import Drain
from orchestra_trio.runtime.signals import Signals
from orchestra_trio.testing.tracing.laws.checking import find_violations
from tests.testing.tracing.laws.editing import laws_broken
from tests.testing.tracing.laws.good import play_full, play_line, play_loop, play_shared, recorded

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from orchestra_trio.delivery.lanes import Reply, Sender
    from orchestra_trio.runtime.life.live import LiveSubsystem


def broken(play: Callable[[], Awaitable[object]]) -> set[int]:
    """Play a scene with a library that is wrong, and return the laws that it breaks."""
    return laws_broken([recorded(play, is_good=False)])


def test_nothing_is_broken_where_the_library_is_right() -> None:
    for play in (play_line, play_full, play_shared, play_loop):
        assert broken(play) == set()


def test_messages_before_signals(monkeypatch: pytest.MonkeyPatch) -> None:
    right = Mailbox.take

    def take(self: Mailbox[Any, Any]) -> object:
        return self.bounded.take() if self.bounded.items else right(self)

    monkeypatch.setattr(Mailbox, "take", take)
    trace = recorded(play_line, is_good=False)
    first = find_violations(trace)[0]
    assert first.law == 3
    assert [event.kind for event in first.events] == ["send", "receive"]
    assert [event.lane for event in first.events] == ["signals", "bounded"]
    assert laws_broken([trace]) == {3, 5}


def test_a_lane_that_ignores_its_capacity(monkeypatch: pytest.MonkeyPatch) -> None:
    right = Lane.post

    def post(self: Lane[Any], item: object, sender: str | None, reply: Reply | None = None) -> bool:
        self._limit, limit = 1000, self._limit
        try:
            return right(self, item, sender, reply)
        finally:
            self._limit = limit

    monkeypatch.setattr(Lane, "post", post)
    assert broken(play_full) == {7}


def test_a_lane_that_makes_senders_wait_too_early(monkeypatch: pytest.MonkeyPatch) -> None:
    right = Lane.post

    def post(self: Lane[Any], item: object, sender: str | None, reply: Reply | None = None) -> bool:
        return (bool(self.items) or self.name != "bounded") and right(self, item, sender, reply)

    monkeypatch.setattr(Lane, "post", post)
    trace = recorded(play_full, is_good=False)
    assert laws_broken([trace]) == {7}
    assert "has room for 1" in find_violations(trace)[0].message


def test_a_lane_that_lets_nobody_in(monkeypatch: pytest.MonkeyPatch) -> None:
    """A lost wake-up: the room is there, and who waits for it sleeps on."""
    right = Lane.take

    def take(self: Lane[Any]) -> object:
        if not self.items:
            return right(self)
        self._taken += 1
        return self.items.popleft()

    monkeypatch.setattr(Lane, "take", take)
    trace = recorded(play_full, is_good=False)
    assert laws_broken([trace]) == {7}
    assert "still waits to send" in find_violations(trace)[0].message


def test_a_lane_that_puts_messages_in_at_the_wrong_end(monkeypatch: pytest.MonkeyPatch) -> None:
    right = Lane.post

    def post(self: Lane[Any], item: object, sender: str | None, reply: Reply | None = None) -> bool:
        is_posted = right(self, item, sender, reply)
        self.items.rotate(1)
        return is_posted

    monkeypatch.setattr(Lane, "post", post)
    assert broken(play_line) == {2, 4}


def test_a_lane_that_lets_the_last_in_first(monkeypatch: pytest.MonkeyPatch) -> None:
    right = Lane.offer

    def offer(self: Lane[Any], waiting: Sender, item: object, sender: str | None, reply: Reply | None) -> bool:
        has_to_wait = right(self, waiting, item, sender, reply)
        self.offers.move_to_end(waiting, last=False)
        return has_to_wait

    monkeypatch.setattr(Lane, "offer", offer)
    assert broken(play_full) == {2}


def test_a_lane_that_loses_a_message(monkeypatch: pytest.MonkeyPatch) -> None:
    right, posted = Lane.post, [0]

    def post(self: Lane[Any], item: object, sender: str | None, reply: Reply | None = None) -> bool:
        is_posted = right(self, item, sender, reply)
        posted[0] += self.name == "bounded"
        if posted[0] == 3 and self.name == "bounded" and self.items:
            self.items.pop()
        return is_posted

    monkeypatch.setattr(Lane, "post", post)
    assert broken(play_line) == {1, 2}


def test_a_lane_that_delivers_a_message_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    right = Lane.take

    def take(self: Lane[Any]) -> object:
        item = right(self)
        if self.name == "bounded" and self.taken == 2:
            self.items.appendleft(item)
        return item

    monkeypatch.setattr(Lane, "take", take)
    trace = recorded(play_line, is_good=False)
    assert laws_broken([trace]) == {1}
    assert find_violations(trace)[0].message.endswith("but it was not there")


def test_a_broadcast_that_skips_one(monkeypatch: pytest.MonkeyPatch) -> None:
    right = Mailbox.put_signal
    calls: list[Mailbox[Any, Any]] = []

    def put_signal(self: Mailbox[Any, Any], signal: object, epoch: int | None) -> None:
        calls.append(self)
        if len(calls) != 3:
            right(self, signal, epoch)

    monkeypatch.setattr(Mailbox, "put_signal", put_signal)
    trace = recorded(play_line, is_good=False)
    assert find_violations(trace)[0].law == 1
    assert "broadcast 1 of Tick(number=1) was not sent to" in find_violations(trace)[0].message


def test_a_broadcast_that_comes_to_the_last_one_later(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who has it already may send on what the last one then receives too early."""
    right = Signals.commit

    def commit(self: Signals, signal: object) -> list[Any]:
        live = self.subsystems.pop("relay")
        recipients = right(self, signal)
        self.subsystems["relay"] = live
        trio.lowlevel.current_trio_token().run_sync_soon(late, self, live, signal, self.epoch)
        return recipients

    def late(self: Signals, live: LiveSubsystem, signal: object, epoch: int) -> None:
        trio.lowlevel.current_trio_token().run_sync_soon(live.mailbox.put_signal, signal, epoch)

    monkeypatch.setattr(Signals, "commit", commit)
    assert 1 in broken(play_line)


def test_broadcasts_that_are_received_in_another_order(monkeypatch: pytest.MonkeyPatch) -> None:
    right = Mailbox.put_signal

    def put_signal(self: Mailbox[Any, Any], signal: object, epoch: int | None) -> None:
        right(self, signal, epoch)
        self.signals.items.rotate(1)
        self._epochs.rotate(1)

    monkeypatch.setattr(Mailbox, "put_signal", put_signal)
    assert broken(play_line) == {4}


def test_a_watermark_that_is_off_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """A mailbox hands out one message before the signal."""
    right = Mailbox.take
    taken: list[object] = []

    def take(self: Mailbox[Any, Any]) -> object:
        if not taken and self.signals.items and self.bounded.items:
            taken.append(self.bounded.take())
            return taken[0]
        return right(self)

    monkeypatch.setattr(Mailbox, "take", take)
    assert broken(play_line) == {3, 5}


@pytest.mark.parametrize("place", [0, 1, -1])
def test_a_strategy_that_favours_one_lane(monkeypatch: pytest.MonkeyPatch, place: int) -> None:
    monkeypatch.setattr(_WeightedChooser, "__call__", lambda _, ready: ready[place])
    assert broken(play_shared) == {6}


def test_a_strategy_with_one_pick_too_few(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its period is as long as it should be, but the middle lane's picks go to the first."""
    right = _WeightedChooser._picks_anew
    monkeypatch.setattr(
        _WeightedChooser,
        "_picks_anew",
        lambda self, ready: (ready[0] if one == "unbounded" else one for one in right(self, ready)),
    )
    assert broken(play_shared) == {6}


@pytest.mark.parametrize("play", [play_line, play_loop])
def test_a_drain_that_ends_all_at_once(monkeypatch: pytest.MonkeyPatch, play: Callable[[], Awaitable[object]]) -> None:
    def begin(self: Drain) -> None:
        for live in self.subsystems.values():
            live.close_input()

    monkeypatch.setattr(Drain, "begin", begin)
    assert 10 in broken(play)


def test_a_drain_that_forgets_one_of_those_upstream(monkeypatch: pytest.MonkeyPatch) -> None:
    right = Drain.begin

    def begin(self: Drain) -> None:
        self.subsystems["sink"].close_input()
        right(self)

    monkeypatch.setattr(Drain, "begin", begin)
    trace = recorded(play_line, is_good=False)
    first = find_violations(trace)[0]
    assert first.law == 10
    assert first.message == "sink is told that its input has ended before relay, upstream of it, has ended"


def test_members_of_a_cycle_that_end_in_another_order(monkeypatch: pytest.MonkeyPatch) -> None:
    right = Drain._end_next
    monkeypatch.setattr(Drain, "_end_next", lambda self, waiting: right(self, iter([*waiting][::-1])))
    assert broken(play_loop) == {10}
