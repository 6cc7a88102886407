"""Tests of one subsystem with the harness: each reads like a conversation with it.

Run them with `pytest examples/test_harness.py`. The subsystem under test is a cache: it answers questions from what it
remembers, asks a database for the rest, and forgets everything at a signal.
"""

# ruff: noqa: ARG001 - tests ask for fixtures by naming them

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import trio
from hypothesis import given
from hypothesis import strategies as st

from orchestra_trio.testing import open_harness

if TYPE_CHECKING:
    from trio.testing import MockClock

    from orchestra_trio import OneshotSender, SubsystemContext


class Get(NamedTuple):
    """Somebody wants the value of a key."""

    reply: OneshotSender[str]
    key: str


class Load(NamedTuple):
    """The cache asks the database for the value of a key."""

    reply: OneshotSender[str]
    key: str


class Missed(NamedTuple):
    """The cache had to ask the database."""

    key: str


class Clear(NamedTuple):
    """A signal: forget everything."""


async def cache(ctx: SubsystemContext[Get, Load | Missed, Clear]) -> None:
    """Answer from memory, else from the database."""
    known: dict[str, str] = {}
    async for incoming in ctx:
        match incoming:
            case Clear():
                known.clear()
            case Get(reply, key):
                if key not in known:
                    await ctx.send(Missed(key))
                    with trio.fail_after(5):
                        known[key] = await ctx.request(Load, key)
                reply.send(known[key])


async def test_it_asks_the_database_once(autojump_clock: MockClock) -> None:
    async with open_harness(cache) as harness, trio.open_nursery() as nursery:
        nursery.start_soon(harness.request, Get, "a")
        await harness.expect(Missed, lambda message: message.key == "a")
        load = await harness.expect(Load)
        harness.reply(load, "apple")

        assert await harness.request(Get, "a") == "apple"
        await harness.expect_nothing()


async def test_a_signal_makes_it_forget(autojump_clock: MockClock) -> None:
    async with open_harness(cache) as harness, trio.open_nursery() as nursery:
        nursery.start_soon(harness.request, Get, "a")
        _, load = await harness.expect_unordered(Missed, Load)
        harness.reply(load, "apple")

        epoch = await harness.signal(Clear())
        await harness.wait_epoch(epoch)
        nursery.start_soon(harness.request, Get, "a")
        _, load = await harness.expect_unordered(Missed, Load)
        harness.reply(load, "apricot")


async def test_a_database_that_is_silent_is_an_error(autojump_clock: MockClock) -> None:
    """Five seconds of a clock that jumps: the test takes no time."""
    async with open_harness(cache, within=10) as harness:
        async with harness.expect_error(trio.TooSlowError):
            await harness.request(Get, "a")
        await harness.expect_unordered(Missed, Load)


async def test_it_takes_one_question_at_a_time(autojump_clock: MockClock) -> None:
    """While it waits for the database, questions fill its lane, and whoever asks more has to wait."""
    async with open_harness(cache, message_capacity=1) as harness, trio.open_nursery() as nursery:
        for key in "abc":
            nursery.start_soon(harness.request, Get, key)
        for _ in range(3):
            missed, load = await harness.expect_unordered(Missed, Load)
            assert missed.key == load.key
            harness.reply(load, load.key.upper())
        assert harness.statistics().bounded.peak_channel_len == 1
        assert harness.statistics().bounded.blocked >= 1


@given(keys=st.lists(st.sampled_from("abc")))
async def test_it_asks_once_for_each_key(keys: list[str]) -> None:
    """A property: whatever is asked, all answers are right, and the database hears of each key once."""
    heard: list[str] = []

    async with open_harness(cache) as harness, trio.open_nursery() as nursery:

        async def database() -> None:
            while True:
                _, load = await harness.expect_unordered(Missed, Load, within=math.inf)
                heard.append(load.key)
                harness.reply(load, load.key.upper())

        nursery.start_soon(database)
        for key in keys:
            assert await harness.request(Get, key) == key.upper()
        nursery.cancel_scope.cancel()

    assert sorted(heard) == sorted(set(keys))
