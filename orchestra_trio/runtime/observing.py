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

from orchestra_trio.delivery.tapped import tap_lane
from orchestra_trio.records import DeadLetter, Happening, HappeningKind

if TYPE_CHECKING:
    from collections.abc import Callable

    from orchestra_trio.delivery.lanes import Lane, Offer
    from orchestra_trio.delivery.mailbox import Mailbox
    from orchestra_trio.records import LaneStep

__all__ = ["Observer", "Observers"]

Observer: TypeAlias = "Callable[[Happening], object]"


@attrs.define(eq=False)
class Observers:
    """Those who observe one running orchestra, in the order in which they came."""

    fail: Callable[[BaseException], object]
    """Takes what an observer raises, after the step that it was told of."""
    clock: Callable[[], float]
    observers: tuple[Observer, ...] = ()
    _token: trio.lowlevel.TrioToken = attrs.Factory(trio.lowlevel.current_trio_token)
    _thread: int = attrs.Factory(get_ident)

    def tell(self, kind: HappeningKind, subsystem: str | None, *, task: object = None, **facts: Any) -> None:  # noqa: ANN401 - fields of a Happening
        """Tell all observers; one that raises is told no more."""
        if task is None:
            task = self._current_task()
        happening = Happening(kind, self.clock(), subsystem, task, **facts)
        for observer in self.observers:
            try:
                observer(happening)
            except BaseException as error:  # noqa: ASYNC103, BLE001 - recorded, and raised again by `open()`
                self.observers = tuple(one for one in self.observers if one is not observer)
                self._token.run_sync_soon(self.fail, error)  # not amid a step, and in trio's thread

    def tap(self, mailbox: Mailbox[Any, Any], consumer: str | None) -> None:
        """Tell of every step of the lanes of a mailbox from now on."""
        for lane in (mailbox.signals, *mailbox.message_lanes):
            tap_lane(lane, partial(self._tell_step, consumer))

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
