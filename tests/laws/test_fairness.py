"""Law 6: with lanes always ready, over any sum-of-weights picks each lane gets its weight, plus or minus one."""

from __future__ import annotations

from collections import Counter
from contextlib import suppress
from itertools import cycle, groupby
from typing import Any

import attrs
import pytest
import trio
import trio.testing
from hypothesis import example, given
from hypothesis import strategies as st

from orchestra_trio import Biased, Orchestra, Priority, Subsystem, SubsystemContext, Weighted, subsystem
from tests.laws.performance import run


@attrs.frozen
class High:
    number: int


@attrs.frozen
class Free:
    number: int


@attrs.frozen
class Low:
    number: int


NAMES = {High: "priority", Free: "unbounded", Low: "bounded"}


def make_class(strategy: Weighted | Biased, capacity: int) -> type[Orchestra]:
    class Crowd(Orchestra, yield_every=1):
        high: Subsystem[Any, High] = subsystem(consumes=())
        free: Subsystem[Any, Free] = subsystem(consumes=(), unbounded={Free: "as many as the test asks for"})
        low: Subsystem[Any, Low] = subsystem(consumes=())
        consumer: Subsystem[High | Free | Low] = subsystem(
            message_capacity=capacity, priority=True, select=strategy, after_exit="dead_letter"
        )

    return Crowd


@attrs.define
class Scene:
    """Three senders with as much as they get rid of, and a consumer that picks at its own pace."""

    strategy: Weighted | Biased
    lanes: frozenset[str]
    """The lanes that are used."""
    capacity: int
    pauses: list[int]
    """How many schedule points the consumer waits before each pick, in turns."""
    picks: list[tuple[frozenset[str], str]] = attrs.Factory(list)
    """Which lanes were ready when the consumer asked, by the meters, and which it was given a message from."""
    running: Any = None

    def numbers(self, lane: str) -> range:
        return range(60 if lane in self.lanes else 0)

    async def send_high(self, ctx: SubsystemContext[Any, High]) -> None:
        for number in self.numbers("priority"):
            await ctx.send(High(number), priority=Priority.HIGH)

    async def send_free(self, ctx: SubsystemContext[Any, Free]) -> None:
        for number in self.numbers("unbounded"):
            ctx.send_unbounded(Free(number))
        await trio.lowlevel.checkpoint()

    async def send_low(self, ctx: SubsystemContext[Any, Low]) -> None:
        for number in self.numbers("bounded"):
            await ctx.send(Low(number))

    async def consume(self, ctx: SubsystemContext[Any]) -> None:
        await trio.testing.wait_all_tasks_blocked()
        with suppress(trio.WouldBlock, trio.EndOfChannel):
            for pause in cycle(self.pauses):
                for _ in range(pause):
                    await trio.lowlevel.checkpoint()
                statistics = self.running.statistics().subsystems["consumer"]
                ready = frozenset(name for name in NAMES.values() if getattr(statistics, name).channel_len)
                self.picks.append((ready, NAMES[type(ctx.receive_nowait())]))

    async def play(self) -> None:
        made: Any = make_class(self.strategy, self.capacity)
        orchestra = made(high=self.send_high, free=self.send_free, low=self.send_low, consumer=self.consume)
        async with orchestra.open() as self.running:
            pass


def picks_of(
    strategy: Weighted | Biased, lanes: frozenset[str], capacity: int, pauses: list[int], seed: int
) -> list[tuple[frozenset[str], str]]:
    """Play a scene, and return the consumer's picks."""
    scene = Scene(strategy, lanes, capacity, pauses)
    run(scene.play, seed)
    return scene.picks


several_lanes = st.sets(st.sampled_from(sorted(NAMES.values())), min_size=2).map(frozenset)
weights = st.integers(1, 5)
pauses = st.lists(st.integers(0, 4), min_size=1, max_size=3).filter(any)
seeds = st.integers(0, 2**32)


@given(weights, weights, weights, several_lanes, st.integers(1, 4), pauses, seeds)
@example(16, 4, 1, frozenset(NAMES.values()), 2, [4], 0)
def test_each_lane_gets_its_weight(
    priority: int, unbounded: int, bounded: int, lanes: frozenset[str], capacity: int, waits: list[int], seed: int
) -> None:
    strategy = Weighted(priority, unbounded, bounded)
    picks = picks_of(strategy, lanes, capacity, waits, seed)
    assert picks
    for ready, group in groupby(picks, lambda pick: pick[0]):
        chosen = [lane for _, lane in group]
        total = sum(getattr(strategy, lane) for lane in ready)
        for first in range(len(chosen) - total + 1):
            counts = Counter(chosen[first : first + total])
            for lane in ready:
                assert abs(counts[lane] - getattr(strategy, lane)) <= 1, (strategy, ready, chosen)


@given(st.permutations(sorted(NAMES.values())), several_lanes, st.integers(1, 4), pauses, seeds)
def test_a_biased_mailbox_serves_the_first_ready_lane(
    order: list[Any], lanes: frozenset[str], capacity: int, waits: list[int], seed: int
) -> None:
    for ready, lane in picks_of(Biased(*order), lanes, capacity, waits, seed):
        assert lane == next(one for one in order if one in ready)


@pytest.mark.parametrize("lanes", [frozenset({"priority", "bounded"}), frozenset({"unbounded", "bounded"})])
def test_two_lanes_stay_always_ready(lanes: frozenset[str]) -> None:
    """The premise of the law: with slow picks and waiting senders, the two lanes are ready at nearly every pick."""
    picks = picks_of(Weighted(), lanes, 2, [4], 0)
    assert sum(ready == lanes for ready, _ in picks) > 50
