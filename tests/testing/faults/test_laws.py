"""The laws hold around interceptors that change nothing, and those of signals around all faults."""

from __future__ import annotations

from contextlib import contextmanager, suppress
from functools import partial
from typing import TYPE_CHECKING, Any, Never

import attrs
import pytest
import trio
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestra_trio import Orchestra, Priority, Subsystem, SubsystemContext, subsystem
from orchestra_trio.testing.faults.chances import delay, drop, duplicate, reorder
from orchestra_trio.testing.faults.intercepted import intercept
from orchestra_trio.testing.tracing.laws.checking import check_laws
from orchestra_trio.testing.tracing.recorder import recording
from tests.laws import test_back_pressure, test_cancellation, test_conservation, test_drain, test_order, test_signals
from tests.laws.drawing import episodes
from tests.laws.scripts import Player
from tests.runtime.samples import Tick
from tests.testing.faults.lines import play

if TYPE_CHECKING:
    from collections.abc import Iterator

    from orchestra_trio import RunningOrchestra


def nothing(_: object) -> None:
    """Change nothing."""


@contextmanager
def everything_intercepted(times: int) -> Iterator[None]:
    """Let the subsystems of all episodes be intercepted, so many times over."""
    original = Player.subsystem

    def intercepted(player: Player, place: int) -> Any:  # noqa: ANN401 - of any types
        made: Any = original(player, place)
        for _ in range(times):
            made = intercept(made, on_receive=nothing, on_send=nothing, on_signal=nothing)
        return made

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Player, "subsystem", intercepted)
        yield


CALM = ("leave", "close", "terminate")

LAWS: list[tuple[Any, Any]] = [
    (test_conservation.test_every_accepted_message_is_received_once_or_dead, episodes()),
    (test_order.test_messages_of_one_task_in_one_lane_arrive_in_order, episodes(one_receiver=True)),
    (test_signals.test_signals_first_in_order_and_no_message_overtakes_them, episodes(one_receiver=True)),
    (test_signals.test_who_receives_to_the_end_misses_no_broadcast, episodes(one_receiver=True, endings=("leave",))),
    (test_back_pressure.test_no_lane_is_ever_beyond_its_capacity, episodes(cancelled=False, endings=CALM[::2])),
    (
        test_cancellation.test_a_cancelled_send_sent_nothing_and_send_many_its_first_items,
        episodes(endings=("leave", "cancel", "outer")),
    ),
    (test_drain.test_the_input_ends_after_all_upstream_have_ended, episodes(endings=CALM)),
    (test_drain.test_members_of_a_cycle_end_one_at_a_time, episodes(endings=CALM, focus="cycles")),
]


@pytest.mark.parametrize(("law", "strategy"), LAWS, ids=[law.__name__ for law, _ in LAWS])
@given(times=st.integers(1, 3), data=st.data())
@settings(max_examples=20)
def test_a_law_holds_around_interceptors(law: Any, strategy: Any, times: int, data: st.DataObject) -> None:  # noqa: ANN401 - a test of hypothesis
    """Receiving, sending, requests, jobs and cancellation are what they are without any."""
    episode = data.draw(strategy)
    with everything_intercepted(times):
        law.hypothesis.inner_test(episode)


@attrs.frozen
class Stamped:
    """A message that says what its sender had received."""

    epoch: int


@attrs.frozen
class Passed:
    """The same, one subsystem further."""

    epoch: int


class Chain(Orchestra[Tick], message_capacity=3, signal_capacity=2):
    """Three that hear the same signals."""

    source: Subsystem[Never, Stamped, Tick] = subsystem(unbounded={Stamped: "a test"})
    relay: Subsystem[Stamped, Passed, Tick] = subsystem(priority=True)
    sink: Subsystem[Passed, Never, Tick] = subsystem(priority=True)


@attrs.define(eq=False)
class Heard:
    """Receives to the end, and sees to it that signals come first, and in time."""

    running: RunningOrchestra[Any, Any] | None = None
    signals: list[int] = attrs.Factory(list)

    async def receive(self, ctx: SubsystemContext[Any, Any, Any]) -> int | None:
        """Return the epoch that a message is stamped with; None for a signal."""
        is_queued = self.running is not None and self.running.statistics().subsystems[ctx.name].signals.channel_len > 0
        incoming = await ctx.receive()
        if isinstance(incoming, Tick):
            self.signals.append(incoming.number)
            return None
        assert not is_queued, "a message came before a signal"
        assert incoming.epoch <= ctx.epoch, "a message overtook a broadcast"
        return int(incoming.epoch)

    async def relay(self, ctx: SubsystemContext[Any, Any, Any]) -> None:
        with suppress(trio.EndOfChannel):
            while True:
                epoch = await self.receive(ctx)
                if epoch is not None:
                    await ctx.send(Passed(ctx.epoch), priority=[Priority.NORMAL, Priority.HIGH][epoch % 2])

    async def sink(self, ctx: SubsystemContext[Any, Any, Any]) -> None:
        with suppress(trio.EndOfChannel):
            while True:
                await self.receive(ctx)


async def source(ctx: SubsystemContext[Any, Any, Any]) -> None:
    with suppress(trio.EndOfChannel):
        for number in range(30):
            message = Stamped(ctx.epoch)
            match number % 4:
                case 0:
                    ctx.send_unbounded(message)
                case 1:
                    await ctx.send(message, priority=Priority.HIGH)
                case _:
                    await ctx.send(message)
            with suppress(trio.WouldBlock):
                ctx.receive_nowait()


seeds = st.integers(0, 3)
wrappers: list[Any] = [
    st.builds(lambda seed: partial(drop, probability=0.3, seed=seed), seeds),
    st.builds(lambda seed: partial(duplicate, probability=0.3, seed=seed), seeds),
    st.builds(lambda seed: partial(delay, seconds=(0, 0.3), probability=0.5, seed=seed), seeds),
    st.builds(lambda seed, window: partial(reorder, window=window, seed=seed), seeds, st.integers(2, 4)),
]
stacks = st.lists(st.one_of(wrappers), max_size=3)


@given(st.tuples(stacks, stacks, stacks), st.lists(st.sampled_from([0, 0, 0.1, 0.7]), max_size=8))
def test_signals_come_first_and_no_message_overtakes_a_broadcast(
    layers: tuple[list[Any], list[Any], list[Any]], pauses: list[float]
) -> None:
    """Laws 3 and 5, as the faulty subsystems see them themselves; and every one hears all signals, in order.

    From outside they are subsystems like others: all laws hold between them.
    """
    relaying, sinking = Heard(), Heard()
    subsystems: list[Any] = [source, relaying.relay, sinking.sink]
    for place, stack in enumerate(layers):
        for one in stack:
            subsystems[place] = one(subsystems[place])

    async def main() -> None:
        async with Chain(source=subsystems[0], relay=subsystems[1], sink=subsystems[2]).open() as running:
            relaying.running = sinking.running = running
            for number, pause in enumerate(pauses):
                await trio.sleep(pause)
                await running.broadcast_signal(Tick(number))

    with recording() as traces:
        play(main)
    for trace in traces:
        check_laws(trace)
    assert len(traces) == 1
    assert relaying.signals == sinking.signals == list(range(len(pauses)))
