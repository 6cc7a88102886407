"""Telling observers what happens in a running orchestra, in the step in which it happens.

Nothing is told before somebody asks: then the lanes are tapped, and the few other places find somebody to tell. Lanes
of blocking subsystems tell from the threads that make the steps, under the lock of the mailbox.
"""

from __future__ import annotations

from functools import partial
from threading import get_ident
from typing import TYPE_CHECKING, Any, TypeAlias

import attrs
import trio

from orchestra_trio.delivery.tapped import tap_asks, tap_lane
from orchestra_trio.records import DeadLetter, Happening, HappeningKind

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from orchestra_trio.delivery.lanes import Lane, Offer
    from orchestra_trio.delivery.mailbox import Mailbox
    from orchestra_trio.records import LaneName, LaneStep

__all__ = ["FlightObserver", "FlightObservers", "Observer", "Observers"]

Observer: TypeAlias = "Callable[[Happening], object]"
FlightObserver: TypeAlias = "Callable[[str | None, LaneName, float], object]"


@attrs.define(eq=False)
class Observers:
    """Those who observe one running orchestra, in the order in which they came."""

    fail: Callable[[BaseException], object]
    """Takes what an observer raises, after the step that it was told of."""
    mailboxes: Mapping[str | None, Mailbox[Any, Any]]
    """All there are, by whom they belong to."""
    clock: Callable[[], float]
    observers: tuple[Observer, ...] = ()
    asking: tuple[Observer, ...] = ()
    """Those of them who want to know of asks, too."""
    _token: trio.lowlevel.TrioToken = attrs.Factory(trio.lowlevel.current_trio_token)
    _thread: int = attrs.Factory(get_ident)

    def __attrs_post_init__(self) -> None:
        """Tell of every step of the lanes from now on."""
        for consumer, mailbox in self.mailboxes.items():
            for lane in (mailbox.signals, *mailbox.message_lanes):
                tap_lane(lane, partial(self._tell_step, consumer))

    def add(self, observer: Observer, *, asks: bool) -> None:
        """Tell one more."""
        self.observers += (observer,)
        if asks:
            if not self.asking:
                for consumer, mailbox in self.mailboxes.items():
                    tap_asks(mailbox, partial(self.tell, "ask", consumer))
            self.asking += (observer,)

    def tell(self, kind: HappeningKind, subsystem: str | None, *, task: object = None, **facts: Any) -> None:  # noqa: ANN401 - fields of a Happening
        """Tell all observers; one that raises is told no more."""
        if task is None:
            task = self._current_task()
        happening = Happening(kind, self.clock(), subsystem, task, **facts)
        for observer in self.asking if kind == "ask" else self.observers:
            try:
                observer(happening)
            except BaseException as error:  # noqa: ASYNC103, BLE001 - recorded, and raised again by `open()`
                self.observers = tuple(one for one in self.observers if one is not observer)
                self.asking = tuple(one for one in self.asking if one is not observer)
                self._token.run_sync_soon(self.fail, error)  # not amid a step, and in trio's thread

    def tell_dead_letter(self, letter: DeadLetter) -> None:
        """Tell of a dead letter."""
        self.tell(
            "dead letter",
            letter.consumer,
            sender=letter.sender,
            lane=letter.lane,
            payload=letter.message,
            detail=letter.reason,
        )

    def tell_refused(self, lane: Lane[Any], offer: Offer[Any], consumer: str | None, waiting: object) -> None:
        """Tell of a sender that waited for room in vain, and gets an error."""
        self._tell_step(
            consumer, "withdraw", lane, offer.item, offer.sender, is_request=offer.reply is not None, who=waiting
        )

    def _tell_step(
        self,
        consumer: str | None,
        step: LaneStep,
        lane: Lane[Any],
        item: object,
        sender: str | None,
        *,
        is_request: bool = False,
        who: object = None,
    ) -> None:
        task = getattr(who, "task", None)
        self.tell(step, consumer, task=task, sender=sender, lane=lane.name, payload=item, is_request=is_request)

    def _current_task(self) -> trio.lowlevel.Task | None:
        if get_ident() != self._thread:
            return None
        try:
            return trio.lowlevel.current_task()
        except RuntimeError:  # trio itself calls: a deadline has passed, or the interpreter collects
            return None


@attrs.define(eq=False)
class FlightObservers:
    """Those who are told of times of flight in one running orchestra; without any, no lane tells."""

    fail: Callable[[BaseException], object]
    """Takes what an observer raises, after the step that it was told of."""
    mailboxes: Callable[[], Iterable[tuple[str | None, Mailbox[Any, Any]]]]
    """Returns all there are, with whom they belong to."""
    _observers: tuple[FlightObserver, ...] = ()
    _token: trio.lowlevel.TrioToken = attrs.Factory(trio.lowlevel.current_trio_token)

    def add(self, observer: FlightObserver) -> Callable[[], None]:
        """Tell one more; return what is to be called to tell them no more."""
        self._observers += (observer,)
        for consumer, lane in self._lanes():
            lane.on_flight = partial(self._tell, consumer, lane.name)
        return partial(self._remove, observer)

    def _remove(self, observer: FlightObserver) -> None:
        self._observers = tuple(one for one in self._observers if one is not observer)
        if not self._observers:
            for _, lane in self._lanes():
                lane.on_flight = None

    def _lanes(self) -> Iterator[tuple[str | None, Lane[Any]]]:
        for consumer, mailbox in self.mailboxes():
            for lane in (mailbox.signals, *mailbox.message_lanes):
                yield consumer, lane

    def _tell(self, consumer: str | None, lane: LaneName, seconds: float) -> None:
        for observer in self._observers:
            try:
                observer(consumer, lane, seconds)
            except BaseException as error:  # noqa: ASYNC103, BLE001 - recorded, and raised again by `open()`
                self._remove(observer)
                self._token.run_sync_soon(self.fail, error)
