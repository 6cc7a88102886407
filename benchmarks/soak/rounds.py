"""One round: an orchestra is opened, loaded, inspected, ended in its way, and audited."""

from __future__ import annotations

import gc
import sys
import threading
import traceback
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NoReturn

import attrs
import trio

from benchmarks.soak.audit import OUTSIDE, find_faults_at_the_end, find_faults_on_the_way
from benchmarks.soak.ledger import Ledger
from benchmarks.soak.messages import Fatal, Hiccup, Imported, Lookup, Note, Nudge, Poison, Put, Query, Work
from benchmarks.soak.storm import ALONE, DEAF, MORTAL, Storm, make_storm

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator

    from benchmarks.soak.plan import Plan
    from benchmarks.soak.traffic import Traffic
    from orchestra_trio import RunningOrchestra, StopReport

__all__ = ["Round"]

_OWN = ("orchestra_trio", "benchmarks.soak")
"""Where the code of an orchestra's threads comes from."""


@attrs.define(eq=False)
class Round:
    """One round."""

    plan: Plan
    make: Callable[..., Storm] = make_storm
    ledger: Ledger = attrs.Factory(lambda: Ledger(DEAF))
    running: RunningOrchestra[Any, Any] | None = None
    traffic: Traffic = attrs.Factory(lambda self: self.plan.make_traffic(self.ledger), takes_self=True)
    _outer: trio.CancelScope = attrs.Factory(trio.CancelScope)
    _errors: list[BaseException] = attrs.Factory(list[BaseException])
    _report: StopReport | None = None

    async def play(self) -> list[str]:
        """Play the round to its end; return what is wrong, each in a sentence."""
        plan, tasks = self.plan, trio.lowlevel.current_statistics().tasks_living
        storm = self.make(self.traffic, capacity=plan.capacity, load=plan.load, hops=plan.hops)
        try:
            with self._outer, _interpreting(plan.switch, collects=plan.collects):
                async with storm.open() as running:
                    self.running = running
                    await self._drive(running)
        except BaseExceptionGroup as group:
            self._errors += _leaves(group)
            if not all(isinstance(error, Exception) for error in self._errors):
                raise  # an interrupt
        found = [*self._find_wrong_errors(), *_find_left_threads()]
        left = trio.lowlevel.current_statistics().tasks_living - tasks
        if left:
            found.append(f"tasks are left after the end: {left}")
        if self.running is not None:
            numbers = self.running.statistics()
            found += find_faults_at_the_end(self.ledger, numbers, plan.capacity, alone=ALONE)
            found += self._find_wrong_report()
        for error in self._errors:
            traceback.clear_frames(error.__traceback__)
        self._errors.clear()
        return found

    async def _drive(self, running: RunningOrchestra[Any, Any]) -> None:
        """Load the orchestra, and bring it to its end."""
        async with trio.open_nursery() as nursery:
            for companion in (self._read, self._call, self._inspect):
                nursery.start_soon(companion, running)
            async with trio.open_nursery() as feeders:
                for _ in range(2):
                    feeders.start_soon(self._feed, running)
                await trio.sleep(self.plan.pause)
                if self.plan.way != "leave":
                    await self._end(running)
            nursery.cancel_scope.cancel()

    async def _end(self, running: RunningOrchestra[Any, Any]) -> None:
        """End the round in its way; returns only where the block goes on after that."""
        ledger = self.ledger
        match self.plan.way:
            case "close the input":
                running.close_input()
                if self.traffic.happens(0.5):
                    await running.wait_stopped()
            case "terminate":
                ledger.note("terminations")
                signal = ledger.next_tick() if self.traffic.happens(0.5) else None
                with self.traffic.limit():
                    self._report = await running.terminate(signal, grace=self.plan.grace)
            case "cancel":
                ledger.note("runs cancelled")
                running.cancel()
                await trio.sleep_forever()
            case "cancel from outside":
                ledger.note("runs cancelled")
                self._outer.cancel()
                await trio.sleep_forever()
            case "fail in a subsystem":
                await running.send_signal(self.traffic.chance.choice(MORTAL), Poison())
                await trio.sleep_forever()
            case _:
                _fail_in_block()

    async def _read(self, running: RunningOrchestra[Any, Any]) -> None:
        """Read what goes out."""
        async for report in running.outgoing:
            self.ledger.receive(OUTSIDE, report, 0, alone=False)

    async def _call(self, running: RunningOrchestra[Any, Any]) -> None:
        """Broadcast, again and again."""
        while True:
            with self.traffic.limit():
                tick = self.ledger.next_tick()
                epoch = await running.broadcast_signal(tick)
                if epoch != tick.number:
                    self.ledger.faults.append(f"broadcast {tick.number} was given the epoch {epoch}")
                if self.traffic.happens(0.3):
                    await running.wait_epoch(epoch)
            await trio.sleep(self.traffic.pause())

    async def _inspect(self, running: RunningOrchestra[Any, Any]) -> None:
        """Look at the numbers, and nudge somebody, again and again."""
        while True:
            name, nudge = self.traffic.chance.choice(MORTAL), Nudge()
            with self.traffic.limit(always=True):
                await running.send_signal(name, nudge)
            self.ledger.faults += find_faults_on_the_way(self.ledger, running.statistics(), self.plan.capacity)
            if self.plan.dumps and self.traffic.happens(0.2):
                self.ledger.note("dumps")
                running.dump()
            await trio.sleep(self.traffic.pause())

    async def _feed(self, running: RunningOrchestra[Any, Any]) -> None:
        """Route messages, ask, and send events, from outside."""
        for _ in range(self.plan.feeds):
            with self.traffic.limit():
                try:
                    await self._feed_once(running)
                except trio.ClosedResourceError:
                    return
                except trio.WouldBlock:
                    self.ledger.note("refused for want of room")

    async def _feed_once(self, running: RunningOrchestra[Any, Any]) -> None:
        ledger, chance = self.ledger, self.traffic.chance
        kind = chance.choice([Work, Put, Note])
        match self.traffic.pick(3, 2, 2, 2):
            case 0:
                number = ledger.make(kind, "the block")
                with ledger.sending(number):
                    await running.route_message(kind(number, self.plan.hops))
            case 1:
                number = ledger.make(kind, "the block")
                with ledger.sending(number):
                    running.route_message_nowait(kind(number, self.plan.hops))
            case 2:
                question = chance.choice([Lookup, Query])
                number = ledger.make(question, "the block")
                with ledger.requesting(number, "the block"):
                    if await running.request(question, number) != 2 * number + 1:
                        ledger.faults.append(f"the block asked {number}, and got a wrong answer")
            case _:
                try:
                    await running.handle.send(Imported(self.plan.hops))
                except trio.BrokenResourceError:
                    return  # the input is closed
                ledger.note("events accepted")

    def _find_wrong_errors(self) -> Iterator[str]:
        """Check that the round failed, or not, as it was to."""
        way = self.plan.way
        kinds = {type(error) for error in self._errors}
        for error in self._errors:
            if not isinstance(error, Hiccup | Fatal):
                yield "an error that nobody raised:\n" + "".join(traceback.format_exception(error))
        if way.startswith("fail") != (Fatal in kinds):
            yield f"the round was to {way}, and open() raised {', '.join(kind.__name__ for kind in kinds) or 'nothing'}"
        if Hiccup in kinds and way in ("leave", "close the input"):
            yield f"a failure that is survived came out, although nobody cancelled: {self._errors}"

    def _find_wrong_report(self) -> Iterator[str]:
        """Check what `terminate` told."""
        if self._report is None or self.running is None:
            return
        finished, cancelled = set(self._report.finished), set(self._report.cancelled)
        for name, one in self.running.statistics().subsystems.items():
            told = (name in finished) + (name in cancelled)
            # One that ended by itself, just after it was cancelled, counts as cancelled in the report alone.
            if told != (one.state != "failed") or (one.state == "cancelled" and name not in cancelled):
                yield f"{name} has ended as {one.state}, and the report is {self._report}"
        left: dict[str, int] = {}
        for dead in self.ledger.dead:
            if dead.reason == "left over" and dead.consumer is not None:
                left[dead.consumer] = left.get(dead.consumer, 0) + 1
        if left != self._report.undelivered:
            yield f"the report says of what was not delivered {self._report.undelivered}, and that is {left}"


@contextmanager
def _interpreting(switch: float, *, collects: bool) -> Generator[None]:
    """Let the interpreter switch between threads after so many seconds, and collect garbage, or not."""
    usual, collected = sys.getswitchinterval(), gc.isenabled()
    sys.setswitchinterval(switch)
    if not collects:
        gc.disable()
    try:
        yield
    finally:
        sys.setswitchinterval(usual)
        if collected:
            gc.enable()


def _fail_in_block() -> NoReturn:
    raise Fatal("the block")


def _leaves(error: BaseException) -> list[BaseException]:
    """Return what a group contains, however deep."""
    if isinstance(error, BaseExceptionGroup):
        return [leaf for one in error.exceptions for leaf in _leaves(one)]
    return [error]


def _find_left_threads() -> Iterator[str]:
    """Look for threads that still run something of the orchestra."""
    own = threading.get_ident()
    for ident, frame in sys._current_frames().items():  # noqa: SLF001 - the only way to see all threads
        if ident == own:
            continue
        modules = {str(one.f_globals.get("__name__")) for one, _ in traceback.walk_stack(frame)}
        if any(name.startswith(_OWN) for name in modules):
            yield "a thread is left after the end:\n" + "".join(traceback.format_stack(frame))
