"""Rounds: each way to end one is without fault, and faults that were planted are found."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any, get_args

import attrs
import pytest
import trio

from benchmarks.soak import rounds
from benchmarks.soak.ledger import Inside
from benchmarks.soak.members import AnyContext, Member
from benchmarks.soak.messages import Echo, Work
from benchmarks.soak.plan import Plan, Way
from benchmarks.soak.rounds import Round
from benchmarks.soak.storm import CAPACITIES, Storm, make_storm
from tests.benchmarks.soak.samples import plan

if TYPE_CHECKING:
    from collections.abc import Callable


def with_ears(subsystem: type[Member]) -> Callable[..., Storm]:
    """Make storms with another subsystem in one place."""

    def make(traffic: Any, **numbers: Any) -> Storm:  # noqa: ANN401 - what `make_storm` takes
        storm: Any = make_storm(traffic, **numbers)
        changed: Storm = attrs.evolve(storm, ears=subsystem("ears", traffic, (), alone=False))
        return changed

    return make


@pytest.mark.parametrize("way", get_args(Way))
async def test_a_round_that_ends_in_this_way_is_without_fault(way: Way) -> None:
    played = Round(plan(way))
    assert await played.play() == []
    assert played.running is not None
    if way in ("leave", "close the input"):
        assert played.ledger.accepted


@pytest.mark.parametrize("capacity", CAPACITIES)
async def test_a_round_with_restarts_and_cancelled_steps_is_without_fault(capacity: int) -> None:
    drawn = attrs.evolve(plan(), capacity=capacity, hiccups=0.3, cuts=0.5, dumps=True)
    played = Round(drawn)
    assert await played.play() == []
    assert played.ledger.count_notes()["hiccups"] > 0


class Miscounting(Member):
    """Counts one that it has not received."""

    async def play(self, ctx: AnyContext) -> None:
        await super().play(ctx)
        self.ledger.receive(self.name, Echo(self.ledger.make(Echo, self.name), 0), ctx.epoch, alone=False)


class Boasting(Member):
    """Says that it has sent what it has not."""

    async def play(self, ctx: AnyContext) -> None:
        self.ledger.accepted.add(self.ledger.make(Work, self.name))
        await super().play(ctx)


class Failing(Member):
    """Fails for no reason that the soak knows."""

    async def play(self, ctx: AnyContext) -> None:
        await trio.lowlevel.checkpoint()
        raise ValueError("nobody knows")


class Lingering(Member):
    """Leaves a task behind."""

    async def play(self, ctx: AnyContext) -> None:
        trio.lowlevel.spawn_system_task(trio.sleep_forever)
        await super().play(ctx)


class Unending(Member):
    """Says that a job has begun, and never that it has ended."""

    async def play(self, ctx: AnyContext) -> None:
        self.ledger.inside.add(Inside(self.name, "job"))
        await super().play(ctx)


@pytest.mark.parametrize(
    ("subsystem", "fault"),
    [
        (Miscounting, "ears has counted "),
        (Boasting, "(Work of ears) accepted, and neither received nor dead"),
        (Failing, "ValueError: nobody knows"),
        (Lingering, "tasks are left after the end: 1"),
        (Unending, "ears is still in the midst of a job"),
    ],
)
async def test_a_planted_fault_is_found(subsystem: type[Member], fault: str) -> None:
    found = await Round(plan(), with_ears(subsystem)).play()
    assert fault in "\n".join(found)


async def test_a_failure_that_was_to_come_and_did_not_is_found() -> None:
    played = Round(plan())
    played.plan = attrs.evolve(played.plan, way="close the input")
    assert await played.play() == []
    played.plan = attrs.evolve(played.plan, way="fail in the block")
    assert "open() raised nothing" in "\n".join(played._find_wrong_errors())


def test_a_thread_that_is_left_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rounds, "_OWN", (__name__,))
    running, done = threading.Event(), threading.Event()

    def linger() -> None:
        running.set()
        done.wait()

    assert list(rounds._find_left_threads()) == []
    thread = threading.Thread(target=linger)
    thread.start()
    running.wait()
    try:
        (fault,) = rounds._find_left_threads()
        assert "in linger" in fault
    finally:
        done.set()
        thread.join()


def test_a_plan_is_that_of_its_seed_and_number() -> None:
    assert Plan.draw(3, 7) == Plan.draw(3, 7)
    assert len({Plan.draw(seed, number) for seed in range(5) for number in range(5)}) == 25


def test_all_ways_to_end_a_round_are_drawn() -> None:
    assert {Plan.draw(1, number).way for number in range(100)} == set(get_args(Way))
