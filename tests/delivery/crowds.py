"""Threads that meet at one shared mailbox: all at once, stumbling over each other, and doing what tasks do there."""

from __future__ import annotations

import random
import sys
import time
from collections import Counter
from contextlib import contextmanager
from threading import Barrier, Event, Thread
from typing import TYPE_CHECKING, Any, Final

import attrs

from orchestra_trio.delivery.mailbox import Empty
from orchestra_trio.delivery.shared import SharedMailbox
from orchestra_trio.delivery.strategies import Weighted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import FrameType

    from orchestra_trio.delivery.lanes import Lane

PATIENCE: Final = 60
"""Seconds after which a thread counts as one that waits for ever."""


def make_mailbox(capacity: float = 1, priority: int | None = None) -> SharedMailbox[Any, Any]:
    return SharedMailbox(
        message_capacity=capacity,
        signal_capacity=1,
        priority_capacity=priority,
        strategy=Weighted(),
        clock=lambda: 0.0,
        tof_every=3,
    )


@contextmanager
def hasty() -> Iterator[None]:
    """Let threads be switched as often as possible."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    try:
        yield
    finally:
        sys.setswitchinterval(before)


class Stumbling:
    """Lets other threads run before many a line of lanes and mailboxes, as a system under load might."""

    def __init__(self, *seeds: int) -> None:
        self.random = random.Random(repr(seeds))

    def trace(self, frame: FrameType, event: str, _: object) -> Any:  # noqa: ANN401 - what sys.settrace wants
        if not frame.f_code.co_filename.endswith(("lanes.py", "mailbox.py", "shared.py")):
            return None
        if event == "line" and not self.random.randrange(6):
            time.sleep(0)  # gives up the interpreter, and does not sleep
        return self.trace


def at_once(*functions: Callable[[], object], seed: int = 0) -> None:
    """Call each function in a thread of its own, all beginning together; raise what any of them raised."""
    barrier = Barrier(len(functions))
    errors: list[BaseException] = []

    def call(function: Callable[[], object], stumbling: Stumbling) -> None:
        try:
            barrier.wait(PATIENCE)
            sys.settrace(stumbling.trace)
            function()
        except Exception as error:  # noqa: BLE001 - raised again below
            errors.append(error)

    threads = [
        Thread(target=call, args=(function, Stumbling(seed, place)), daemon=True)
        for place, function in enumerate(functions)
    ]
    with hasty():
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(PATIENCE)
    assert not any(thread.is_alive() for thread in threads), "a thread waits for ever"
    if errors:
        raise errors[0]


@attrs.define(eq=False)
class Waits:
    """Somebody in a thread who waits at a mailbox, as either receiver or sender."""

    log: list[object]
    """What was received from the mailbox, in the order in which that happened."""
    told: Event = attrs.Factory(Event)
    ended: int = 0
    admitted: int = 0

    def hand(self, item: object) -> None:
        self.log.append(item)
        self.told.set()

    def end(self) -> None:
        self.ended += 1
        self.told.set()

    def admit(self) -> None:
        self.admitted += 1
        self.told.set()

    def refuse(self, error: BaseException | None) -> None:
        raise AssertionError(error)

    def wait(self) -> None:
        assert self.told.wait(PATIENCE), "nobody woke it"


@attrs.define(eq=False)
class Crowd:
    """Senders and receivers of one mailbox, each in a thread: they do what tasks do in `waiting`."""

    mailbox: SharedMailbox[Any, Any]
    messages: int = 60
    log: list[Any] = attrs.Factory(list)
    accepted: list[Any] = attrs.Factory(list)
    sending: int = 0
    faults: list[object] = attrs.Factory(list)

    def send_one(self, lane: Lane[Any], item: object, sender: str) -> None:
        if not lane.post(item, sender):
            waits = Waits(self.log)
            if lane.offer(waits, item, sender, None):
                waits.wait()

    def sender(self, name: str, lane: Lane[Any]) -> Callable[[], None]:
        """One by one, or several at once, waiting for room."""

        def send() -> None:
            items = [(name, lane.name, number) for number in range(self.messages)]
            done = 0
            while done < len(items):
                if done % 3:
                    self.send_one(lane, items[done], name)
                    done += 1
                else:
                    done += lane.post_many(items[: done + 4], done, name)
                    if done < len(items):
                        self.send_one(lane, items[done], name)
                        done += 1
            self.accepted += items
            self.leave()

        self.sending += 1
        return send

    def leave(self) -> None:
        """The last sender closes the input."""
        with self.mailbox.lock:
            self.sending -= 1
            if not self.sending:
                self.mailbox.close_input()

    def fickle_sender(self, name: str, lane: Lane[Any]) -> Callable[[], None]:
        """One that does not always wait until there is room."""

        def send() -> None:
            for number in range(self.messages):
                item, waits = (name, lane.name, number), Waits(self.log)
                gone = not lane.post(item, name) and lane.offer(waits, item, name, None) and lane.withdraw(waits)
                if not gone:
                    self.accepted.append(item)
                if waits.admitted and gone:
                    self.faults.append(item)
            self.leave()

        self.sending += 1
        return send

    def receiver(self, how: str) -> Callable[[], None]:
        def receive() -> None:
            while self.receive(how):
                pass

        return receive

    def receive(self, how: str) -> bool:
        """Take something, waiting if need be; return whether more may come."""
        mailbox, waits = self.mailbox, Waits(self.log)
        with mailbox.lock:  # so that the log has the order in which things were taken
            found = mailbox.take_many(3) if how == "many" else [mailbox.take()]
            found = [one for one in found if not isinstance(one, Empty)]
            self.log += found
            if found or mailbox.is_exhausted:
                return bool(found)
            mailbox.receivers[waits] = None
            if how == "fickle":
                assert mailbox.leave(waits)
                return True
        waits.wait()
        return not waits.ended

    def watch(self) -> None:
        """Read the meters while all this goes on."""
        while self.sending:
            for lane in self.mailbox.message_lanes:
                readout = lane.read()
                if readout.sent != readout.received + readout.channel_len or readout.peak_channel_len > lane.capacity:
                    self.faults.append(readout)

    def check(self) -> None:
        """Conservation, order per sender and lane, capacities: what must hold whoever was faster."""
        assert self.faults == []
        assert Counter(self.log) == Counter(self.accepted)
        assert max(Counter(self.log).values()) == 1
        last: dict[tuple[str, str], int] = {}
        for name, lane, number in self.log:
            assert number > last.get((name, lane), -1), f"{name} was overtaken by itself in the {lane} lane"
            last[name, lane] = number
        for one in self.mailbox.message_lanes:
            readout = one.read()
            assert (readout.sent, readout.channel_len) == (readout.received, 0)
            assert readout.received == sum(lane == one.name for _, lane, _ in self.log)
            assert readout.peak_channel_len <= one.capacity
            assert not one.offers
        assert not self.mailbox.receivers
