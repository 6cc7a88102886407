"""Law 9: a cancelled call changed nothing. Every async call that returns normally has checked for cancellation."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

import attrs
import trio
import trio.testing
from hypothesis import given
from hypothesis import strategies as st

from orchestra_trio import OneshotSender, Orchestra, Readout, Subsystem, SubsystemContext, open_oneshot, subsystem
from tests.laws.drawing import episodes
from tests.laws.performance import perform, run
from tests.laws.wirings import MESSAGES, SIGNALS, Episode, Message

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from orchestra_trio import RunningOrchestra
    from tests.laws.recorder import Attempt

Parcel: Any = MESSAGES[0]
Other: Any = MESSAGES[1]
Tick: Any = SIGNALS[0]


@given(episodes(endings=("leave", "cancel", "outer")))
def test_a_cancelled_send_sent_nothing_and_send_many_its_first_items(episode: Episode) -> None:
    """Of a list the first ones, but not all; of what was taken from an iterator, all but the last one."""
    performance = perform(episode)
    fates = {entry.number for entry in performance.recorder.trace if entry.what in {"got", "dead"}}
    batches: dict[int, list[Attempt]] = defaultdict(list)
    for attempt in performance.recorder.attempts.values():
        if attempt.batch is not None:
            batches[attempt.batch].append(attempt)
        elif attempt.outcome == "cancelled" and attempt.how != "request":
            assert attempt.number not in fates, attempt
    for batch in batches.values():
        sent = [attempt.number in fates for attempt in batch]
        assert sent == sorted(sent, reverse=True), batch
        if batch[0].outcome == "sent":
            assert all(sent), batch
        elif batch[0].how == "list":
            assert not all(sent), batch
        else:
            assert sent == [True] * (len(batch) - 1) + [False], batch


@given(episodes(one_receiver=True))
def test_a_cancelled_broadcast_has_been_delivered(episode: Episode) -> None:
    """Each broadcast moved the epoch, and no subsystem that heard a later one has missed it."""
    performance = perform(episode)
    recorder = performance.recorder
    if performance.is_opened:
        assert performance.epoch == len(recorder.signals)
    for number, plan in enumerate(episode.slots):
        who = f"s{number}"
        heard = [entry.number for entry in recorder.trace if entry[:2] == ("heard", who)]
        broadcasts = [one for one in heard if one in recorder.signals]
        due = [one for one in recorder.signals if recorder.kinds[one] in plan.signals]
        assert broadcasts == due[: len(broadcasts)]


CALLS: dict[str, Callable[[SubsystemContext[Any, Any, Any], RunningOrchestra[Any, Any]], Awaitable[object]]] = {
    "send": lambda ctx, _: ctx.send(Other(1)),
    "send_many of a list": lambda ctx, _: ctx.send_many([Other(1), Other(2), Other(3), Other(4)]),
    "send_many of nothing": lambda ctx, _: ctx.send_many([]),
    "send_many of an iterator": lambda ctx, _: ctx.send_many(iter([Other(1), Other(2), Other(3), Other(4)])),
    "send_many of an empty iterator": lambda ctx, _: ctx.send_many(iter([])),
    "request": lambda ctx, _: ctx.request(_make),
    "receive": lambda ctx, _: ctx.receive(),
    "receive_many": lambda ctx, _: ctx.receive_many(2),
    "receive_signal": lambda ctx, _: ctx.receive_signal(),
    "async for": lambda ctx, _: ctx.__anext__(),
    "start": lambda ctx, _: ctx.start(_job),
    "route_message": lambda _, running: running.route_message(Other(1)),
    "outside request": lambda _, running: running.request(_make),
    "wait_epoch": lambda _, running: running.wait_epoch(0),
    "outgoing.receive": lambda _, running: running.outgoing.receive(),
    "wait_input_closed": lambda _, running: running.wait_input_closed(),
    "wait_stopped": lambda _, running: running.wait_stopped(),
    "terminate": lambda _, running: running.terminate(Tick(1)),
    "broadcast_signal": lambda _, running: running.broadcast_signal(Tick(1)),
    "send_signal": lambda _, running: running.send_signal("busy", Tick(1)),
}
DELIVERED = {"broadcast_signal", "send_signal", "terminate"}
"""Cancelled, they have done their work all the same."""


def _make(reply: OneshotSender[int]) -> Message:
    made: Message = Other(1, 0, reply)
    return made


async def _job(**options: trio.TaskStatus[None]) -> None:
    await trio.lowlevel.checkpoint()
    options["task_status"].started()


class Pair(Orchestra[Tick], yield_every=5):
    busy: Subsystem[Parcel, Other, Tick] = subsystem(message_capacity=4, priority=True)
    idle: Subsystem[Other] = subsystem(message_capacity=3)


@attrs.define
class Snapshot:
    """The meters of both subsystems, without how often senders had to wait."""

    readouts: list[Readout]

    @classmethod
    def of(cls, running: RunningOrchestra[Any, Any]) -> Snapshot:
        lanes = ("signals", "priority", "unbounded", "bounded")
        every = running.statistics().subsystems.values()
        return cls([attrs.evolve(getattr(one, lane), blocked=0) for one in every for lane in lanes])


@attrs.define
class Scene:
    """A subsystem makes one call, which is cancelled, while lanes are as full as they are."""

    call: str
    within: float | None
    """When it is cancelled, in seconds; None for before it begins."""
    filling: tuple[int, int, int]
    """What lies in its own lane, in that of the other subsystem, and how many signals."""
    calls_before: int
    running: Any = None

    async def busy(self, ctx: SubsystemContext[Any, Any, Any]) -> None:
        await trio.testing.wait_all_tasks_blocked()
        for _ in range(self.calls_before):
            await ctx.send_many([])
        before = Snapshot.of(self.running)
        with trio.CancelScope() as scope:
            if self.within is None:
                scope.cancel()
            else:
                scope.deadline = trio.current_time() + self.within
            await CALLS[self.call](ctx, self.running)
        if self.within is None:
            assert scope.cancelled_caught
        if scope.cancelled_caught and not self.may_have_changed_something():
            assert Snapshot.of(self.running) == before
        self.running.cancel()

    def may_have_changed_something(self) -> bool:
        """Some calls are not all or nothing, but every call is that was cancelled before it began; signals are not."""
        is_gradual = self.call.startswith("send_many") or "request" in self.call
        return self.call in DELIVERED or (self.within is not None and is_gradual)

    async def idle(self, _: SubsystemContext[Any]) -> None:
        await trio.sleep_forever()

    async def play(self) -> None:
        own, others, signals = self.filling
        async with Pair(busy=self.busy, idle=self.idle).open() as self.running:
            for number in range(own):
                self.running.route_message_nowait(Parcel(number))
            for number in range(others):
                self.running.route_message_nowait(Other(number))
            for number in range(signals):
                self.running.send_signal_nowait("busy", Tick(number))
            await trio.sleep_forever()


@given(
    st.sampled_from(sorted(CALLS)),
    st.sampled_from([None, 0.0, 1.0]),
    st.tuples(st.integers(0, 4), st.integers(0, 3), st.integers(0, 2)),
    st.integers(0, 6),
    st.integers(0, 2**32),
)
def test_a_cancelled_call_leaves_all_meters_as_they_were(
    call: str, within: float | None, filling: tuple[int, int, int], calls_before: int, seed: int
) -> None:
    """Cancelled before it began, whatever lies in the lanes, or while it waited; and it always notices the former."""
    scene = Scene(call, within, filling, calls_before)
    run(scene.play, seed)


@given(
    st.lists(st.tuples(st.integers(0, 3), st.booleans()), max_size=4),
    st.integers(0, 6),
    st.booleans(),
    st.integers(0, 2**32),
)
def test_a_cancelled_oneshot_call_loses_no_answer(
    waits: list[tuple[int, bool]], answered_at: int, with_cancel: bool, seed: int
) -> None:
    """Whenever a wait for the answer is cancelled, also in the step in which it comes, a later one still gets it."""

    async def main() -> None:
        async with trio.open_nursery() as nursery:
            reply, answer = open_oneshot[int]()
            scopes: list[trio.CancelScope] = []

            async def give() -> None:
                await trio.sleep(answered_at)
                assert reply.send(7)
                for scope in scopes if with_cancel else ():
                    scope.cancel()

            nursery.start_soon(give)
            answers: list[int] = []
            for within, at_once in waits:
                with trio.move_on_after(within) as scope:
                    scopes.append(scope)
                    if at_once:
                        scope.cancel()
                    answers.append(await answer.receive())
                    break
            if not answers:
                answers.append(await answer.receive())
            assert answers == [7]

    run(main, seed)


@given(st.sampled_from(["open", "run", "serve"]), st.integers(0, 2**32))
def test_a_cancelled_opening_begins_nothing_that_lasts(how: str, seed: int) -> None:
    """In a scope that is cancelled already, the block is not run, and all tasks have ended."""

    async def wait(ctx: SubsystemContext[Any, Any, Any]) -> None:
        await trio.sleep_forever()

    async def main() -> None:
        pair = Pair(busy=wait, idle=wait)
        before = trio.lowlevel.current_statistics().tasks_living
        with trio.CancelScope() as scope:
            scope.cancel()
            if how != "open":
                await (pair.run if how == "run" else pair.serve)()
            async with pair.open():
                raise AssertionError
        assert scope.cancelled_caught
        assert trio.lowlevel.current_statistics().tasks_living == before

    run(main, seed)
