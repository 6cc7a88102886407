"""Guest runs: they go on only while something is asked of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import trio
import trio.lowlevel

from orchestra_trio.testing.hangs import Hang, NeverEnds
from orchestra_trio.testing.wirings.guest import GuestRun

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def guest() -> Iterator[GuestRun]:
    made = GuestRun(most_steps=2000)
    yield made
    made.close()


async def sleep(seconds: float) -> float:
    await trio.sleep(seconds)
    return trio.current_time()


def test_what_is_asked_is_done_and_the_clock_jumps(guest: GuestRun) -> None:
    assert guest.do(sleep, 5) == 5
    assert guest.do(sleep, 5000) == 5005


def test_tasks_live_on_and_stand_still_between(guest: GuestRun) -> None:
    ticks: list[float] = []

    async def tick() -> None:
        while True:
            ticks.append(await sleep(10))

    async def start() -> None:
        guest.nursery.start_soon(tick)
        await trio.lowlevel.checkpoint()

    guest.do(start)
    assert ticks == []
    guest.do(sleep, 25)
    assert ticks == [10, 20]


def test_it_can_go_on_until_all_tasks_wait(guest: GuestRun) -> None:
    done: list[int] = []

    async def work() -> None:
        for number in range(10):
            await trio.lowlevel.checkpoint()
            done.append(number)

    async def start() -> None:
        guest.nursery.start_soon(work)
        await trio.lowlevel.checkpoint()

    guest.do(start, then_rest=True)
    assert len(done) == 10


def test_errors_come_out_and_the_run_goes_on(guest: GuestRun) -> None:
    async def fail() -> None:
        await trio.lowlevel.checkpoint()
        raise LookupError

    with pytest.raises(LookupError):
        guest.do(fail)
    assert guest.do(sleep, 1) == 1


def test_a_hang_is_found_at_once(guest: GuestRun) -> None:
    with pytest.raises(Hang, match=r"^all tasks wait"):
        guest.do(trio.sleep_forever)
    assert guest.do(sleep, 1) == 1


def test_what_never_ends_is_stopped(guest: GuestRun) -> None:
    async def spin() -> None:
        while True:  # noqa: ASYNC110 - it never ends
            await trio.lowlevel.checkpoint()

    with pytest.raises(NeverEnds):
        guest.do(spin)


def test_an_error_of_a_task_ends_the_run() -> None:
    guest = GuestRun()

    async def fail() -> None:
        await trio.lowlevel.checkpoint()
        raise LookupError

    async def start() -> None:
        guest.nursery.start_soon(fail)
        await trio.sleep(1)

    with pytest.RaisesGroup(LookupError):
        guest.do(start)
    with pytest.raises(RuntimeError, match=r"^the run has ended"):
        guest.do(sleep, 1)


def test_closing_cancels_what_still_runs(guest: GuestRun) -> None:
    ended: list[str] = []

    async def wait() -> None:
        try:
            await trio.sleep_forever()
        finally:
            ended.append("cancelled")

    async def start() -> None:
        guest.nursery.start_soon(wait)
        await trio.lowlevel.checkpoint()

    guest.do(start, then_rest=True)
    guest.close()
    assert ended == ["cancelled"]
    guest.close()  # again, which does nothing
