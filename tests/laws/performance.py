"""Playing an episode under a mock clock and a seeded schedule, watched after every step of every task."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import attrs
import trio
import trio.testing

from tests.laws.recorder import Recorder
from tests.laws.scripts import Player
from tests.laws.wirings import SIGNALS, Hooks, make_class, name_of

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

    from orchestra_trio import Readout, RunningOrchestra, StopReport
    from tests.laws.wirings import Ending, Episode

__all__ = ["Performance", "perform", "run"]

HORIZON = 1e6
"""Seconds on the mock clock after which a run counts as hanging."""

MOST_STEPS = 50_000
"""Steps of tasks after which a run counts as one that never ends."""

GRACE = 20


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Let a seed alone decide which task trio runs next, and all orders be possible."""
    from trio._core import _run  # noqa: PLC0415 - trio has no public way to explore schedules

    internals: Any = _run
    before = internals._ALLOW_DETERMINISTIC_SCHEDULING, internals._r.getstate()
    internals._ALLOW_DETERMINISTIC_SCHEDULING = True
    internals._r.seed(seed)
    try:
        yield
    finally:
        internals._ALLOW_DETERMINISTIC_SCHEDULING = before[0]
        internals._r.setstate(before[1])


def run(async_fn: Callable[[], Awaitable[object]], seed: int) -> None:
    """Run a scene of its own under a mock clock and a seeded schedule; one that hangs fails."""

    async def within_horizon() -> None:
        with trio.fail_after(HORIZON):
            await async_fn()

    with seeded(seed):
        trio.run(within_horizon, clock=trio.testing.MockClock(autojump_threshold=0))


@attrs.define(eq=False)
class Watch(trio.abc.Instrument):
    """Checks after every step of a task what holds at every moment."""

    episode: Episode
    recorder: Recorder
    scope: trio.CancelScope
    run: Any = None
    fault: AssertionError | None = None
    steps: int = 0

    def after_task_step(self, task: trio.lowlevel.Task) -> None:
        self.steps += 1
        try:
            assert self.steps < MOST_STEPS, "it never ends"
            if self.run is not None:
                for number, plan in enumerate(self.episode.slots):
                    if not plan.wip:
                        self.check(name_of(number), plan.capacity, self.run.subsystems[name_of(number)].mailbox)
            for who, calls in self.recorder.calls.items():
                assert calls <= self.episode.yield_every, f"{calls} calls of {who} without a schedule point"
        except AssertionError as fault:
            self.fault = self.fault or fault
            self.scope.cancel()
        finally:
            self.recorder.calls.clear()

    def check(self, name: str, capacity: int, mailbox: Any) -> None:  # noqa: ANN401 - of any types
        """Conservation and back-pressure, and that nobody sleeps who could go on."""
        received = self.recorder.received[name]
        taken = 0
        lanes = [lane for lane in (mailbox.priority, mailbox.unbounded, mailbox.bounded) if lane is not None]
        for lane in lanes:
            readout: Readout = lane.read()
            where = name, lane.name
            what = f"{name}.{lane.name}: {readout}"
            left_over = self.recorder.left_over[where]
            assert readout.sent == readout.received + readout.channel_len + left_over, what
            lost = self.recorder.unlaned[where]
            accepted = self.recorder.accepted[where]
            assert accepted <= readout.sent + lost <= accepted + self.recorder.pending[where], what
            if lane.name != "unbounded":
                assert max(readout.channel_len, readout.peak_channel_len) <= capacity, what
                assert not lane.offers or readout.channel_len == capacity, f"a sender sleeps, {what}"
            assert not (mailbox.receivers and lane.items), f"a receiver sleeps, {what}"
            taken += readout.received
        assert received <= taken <= received + self.recorder.receiving[name], f"{name} received {received}, not {taken}"
        signals: Readout = mailbox.signals.read()
        if not mailbox.signals.is_shut:
            assert signals.sent == signals.received + signals.channel_len, f"{name}: {signals}"
        sleeps = mailbox.receivers or mailbox.signal_receivers
        assert not (sleeps and signals.channel_len), f"a receiver sleeps over a signal of {name}"


@attrs.define(eq=False)
class Performance:
    """What came of an episode."""

    episode: Episode
    recorder: Recorder
    group: BaseExceptionGroup[BaseException] | None = None
    is_opened: bool = False
    """Whether it was not cancelled while it opened."""
    closed_at: float = 0
    tasks_left: int = 0
    report: StopReport | None = None
    lanes: dict[tuple[str, str], Readout] = attrs.Factory(dict)
    """The last readings."""
    reasons: dict[Any, int] = attrs.Factory(dict)
    """The library's own counts of dead letters."""
    epoch: int = 0
    """The library's own count of broadcasts."""
    waits: str = ""
    """Who waited for what, if it hung."""


def perform(episode: Episode, *, raises: bool = False) -> Performance:
    """Play an episode.

    Raises:
        AssertionError: Something did not hold at some moment, it hung, or raised what no script had raised.
    """
    performance = Performance(episode, Recorder())
    clock = trio.testing.MockClock(autojump_threshold=0)
    with seeded(episode.seed):
        watch = trio.run(_Theatre(performance).main, clock=clock)
    if watch.fault is not None:
        raise watch.fault
    assert not performance.waits, f"it hangs: {performance.waits}"
    if performance.group is not None and not raises:
        raise performance.group
    return performance


@attrs.define(eq=False)
class _Theatre:
    performance: Performance

    async def main(self) -> Watch:
        """Open the orchestra, and note how it ended and what outlives it."""
        performance = self.performance
        async with trio.open_nursery() as nursery:
            watch = Watch(performance.episode, performance.recorder, nursery.cancel_scope)
            player = Player(performance.episode, performance.recorder)
            nursery.start_soon(self.alarm, player, nursery.cancel_scope)
            trio.lowlevel.add_instrument(watch)
            before = trio.lowlevel.current_statistics().tasks_living
            try:
                with trio.CancelScope() as outer:
                    await self.open(player, watch, outer)
            except BaseExceptionGroup as group:
                performance.group = group
            performance.recorder.note("closed", None)
            performance.closed_at = trio.current_time()
            performance.tasks_left = trio.lowlevel.current_statistics().tasks_living - before
            trio.lowlevel.remove_instrument(watch)
            self.read(player)
            nursery.cancel_scope.cancel()
        return watch

    async def alarm(self, player: Player, scope: trio.CancelScope) -> None:
        await trio.sleep(HORIZON)
        running = player.running
        if running is not None:
            waits = running.map_subsystems(lambda one: (one.name, one.state, one.waits, one.bounded.channel_len))
            self.performance.waits = repr(waits)
        scope.cancel()

    def read(self, player: Player) -> None:
        running = player.running
        if running is None:
            return
        statistics = running.statistics()
        for name, one in statistics.subsystems.items():
            for lane in ("priority", "unbounded", "bounded"):
                self.performance.lanes[name, lane] = getattr(one, lane)
        self.performance.reasons = statistics.dead_letters
        self.performance.epoch = statistics.epoch

    async def open(self, player: Player, watch: Watch, outer: trio.CancelScope) -> None:
        """Open the orchestra, let the load come in, and end it."""
        episode = self.performance.episode
        hooks = Hooks()
        hooks.on_event = player.on_event
        hooks.on_dead_letter = self.performance.recorder.bury
        subsystems: dict[str, Any] = {
            name_of(number): player.subsystem(number) for number, plan in enumerate(episode.slots) if not plan.wip
        }
        orchestra = make_class(episode, hooks)(**subsystems)
        if episode.ending.how == "outer":
            outer.deadline = trio.current_time() + episode.ending.pause
        async with orchestra.open() as running:
            player.running = running
            self.performance.is_opened = True
            watch.run = running._run
            voice = player.outside()
            async with trio.open_nursery() as nursery:
                for steps in episode.load:
                    nursery.start_soon(player.play_child, voice, steps, 2)
                nursery.start_soon(self.end, episode.ending, player, running)
            self.performance.recorder.note("left", None)

    async def end(self, ending: Ending, player: Player, running: RunningOrchestra[Any, Any]) -> None:
        if ending.how not in {"leave", "outer"}:
            await trio.sleep(ending.pause)
        match ending.how:
            case "close":
                running.close_input()
            case "cancel":
                running.cancel()
            case "terminate":
                signal = None
                if ending.signal is not None:
                    number = player.recorder.next_number()
                    signal = SIGNALS[ending.signal](number)
                    player.recorder.broadcast(number, ending.signal)
                self.performance.report = await running.terminate(signal, grace=GRACE)
