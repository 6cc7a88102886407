"""Tests of a small orchestra under many schedules: a cache that must never go on with a value that has changed.

Run them with `pytest examples/test_cache.py`. The page "An ordering bug, found and mended" of the documentation tells
how the cache came to count changes.
"""

# ruff: noqa: ARG001 - tests ask for fixtures by naming them

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

import pytest
import trio
from hypothesis import given
from hypothesis import strategies as st

from orchestra_trio import OneshotSender, Orchestra, Subsystem, SubsystemContext
from orchestra_trio.testing import Priorities, Schedule, check_laws, delay, explore, recording, schedules

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from orchestra_trio.testing import Trace


class Get(NamedTuple):
    """A customer asks for the number of pieces in stock."""

    reply: OneshotSender[int]
    key: str


class Load(NamedTuple):
    """The cache asks the store."""

    reply: OneshotSender[int]
    key: str


class Put(NamedTuple):
    """The stock has changed."""

    key: str
    value: int


class Changed(NamedTuple):
    """What the cache knows of a key is no longer true."""

    key: str


class Cache:
    """Answers at once what it knows, and asks the store for the rest; several questions at a time."""

    def __init__(self) -> None:
        """Know nothing."""
        self.known: dict[str, int] = {}
        self.changes: Counter[str] = Counter()

    async def __call__(self, ctx: SubsystemContext[Get | Changed, Load]) -> None:
        """Serve until the input ends."""
        async for message in ctx:
            match message:
                case Get(reply, key) if key in self.known:
                    reply.send(self.known[key])
                case Get(reply, key):
                    ctx.start_soon(self.look_up, ctx, reply, key)
                case Changed(key):
                    self.known.pop(key, None)
                    self.changes[key] += 1

    async def look_up(self, ctx: SubsystemContext[Get | Changed, Load], reply: OneshotSender[int], key: str) -> None:
        """Ask the store, and remember the answer if it is still true."""
        changes = self.changes[key]
        value = await ctx.request(Load, key)
        if changes == self.changes[key]:
            self.known[key] = value
        reply.send(value)


async def keep_store(ctx: SubsystemContext[Load | Put, Changed]) -> None:
    """Keep the stock, and tell the cache of changes."""
    values: Counter[str] = Counter()
    async for message in ctx:
        match message:
            case Load(reply, key):
                reply.send(values[key])
            case Put(key, value):
                values[key] = value
                await ctx.send(Changed(key))


class Shop(Orchestra):
    """A store, and a cache in front of it."""

    cache: Subsystem[Get | Changed, Load]
    store: Subsystem[Load | Put, Changed]


def make_shop() -> Shop:
    """Return a shop with an empty cache."""
    return Shop(cache=Cache(), store=keep_store)


async def sell(make: Callable[[], Shop], puts: Sequence[int]) -> int:
    """Let customers ask while the stock changes; return what the cache says when all is quiet."""
    async with make().open() as shop:
        async with trio.open_nursery() as customers:
            for value in puts:
                customers.start_soon(shop.request, Get, "apples")
                await trio.lowlevel.checkpoint()  # a send that finds room need not let others run
                await shop.route_message(Put("apples", value))
        await trio.sleep(1)
        when_quiet = await shop.request(Get, "apples")
    return when_quiet  # noqa: RET504 - outside of the block, which may absorb a cancellation


def test_the_cache_forgets_what_has_changed() -> None:
    """A thousand schedules, half of them after the manner that finds deep bugs sooner."""

    async def main() -> None:
        assert await sell(make_shop, [2, 5]) == 5

    assert explore(main).schedules == 1000


class HastyCache(Cache):
    """The cache as it was: it keeps an answer to a question that was asked before a change."""

    async def look_up(self, ctx: SubsystemContext[Get | Changed, Load], reply: OneshotSender[int], key: str) -> None:
        """Ask the store, and remember the answer."""
        self.known[key] = await ctx.request(Load, key)
        reply.send(self.known[key])


def test_a_hasty_cache_is_found() -> None:
    """The test finds the bug that it is there for."""

    async def main() -> None:
        assert await sell(lambda: Shop(cache=HastyCache(), store=keep_store), [2, 5]) == 5

    with pytest.raises(AssertionError):
        explore(main)


@given(puts=st.lists(st.integers(0, 9), min_size=1, max_size=4), schedule=schedules(Priorities()))
def test_the_cache_forgets_whatever_the_stock_was(puts: list[int], schedule: Schedule) -> None:
    """Hypothesis draws the changes and the schedule, and would shrink both."""
    assert schedule.run(sell, make_shop, puts) == puts[-1]


@given(puts=st.lists(st.integers(0, 9), min_size=1, max_size=4), schedule=schedules(cancel=True))
def test_no_message_is_lost(puts: list[int], schedule: Schedule) -> None:
    """Whatever is cancelled, and when: what was sent is received once, or accounted for."""
    with recording() as traces:
        schedule.run(sell, make_shop, puts)
    for trace in traces:
        check_laws(trace)


async def test_a_slow_answer_is_not_kept(orchestra_clock: object, orchestra_traces: list[Trace]) -> None:
    """Without schedules: the fault `delay` holds back what the cache asks of the store."""

    def make_slow_shop() -> Shop:
        shop = make_shop()
        return shop.replace(store=delay(shop.store, Load, seconds=0.5))

    assert await sell(make_slow_shop, [2, 5]) == 5
    (trace,) = orchestra_traces  # shown if this test fails
    check_laws(trace)
