"""Deadlocks are found exactly when there are any: none is missed, none is invented.

The same tangle is played twice under the same schedule: once left to hang, while an oracle asks, whenever nothing can
move, who is stuck by what the tasks themselves have written down; and once with detection.
"""

from __future__ import annotations

import logging
import re
from collections import Counter
from typing import TYPE_CHECKING

import pytest
import trio
from hypothesis import event, given
from hypothesis import strategies as st

from orchestra_trio import DeadlockDetected
from tests.laws.entangled import Boom, play
from tests.laws.ledger import Wait
from tests.laws.oracle import stuck_among
from tests.laws.performance import run
from tests.laws.tangles import corpus, tangles
from tests.runtime.watch.stuck import MsgA, MsgB, Pair, fills, takes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.laws.ledger import Outcome
    from tests.laws.tangles import Tangle
    from tests.runtime.samples import AnyContext

_LINK = re.compile(r"(\w+) -\[(\w+): (\w+)\]->")


@pytest.fixture(autouse=True, scope="module")
def quiet() -> Iterator[None]:
    """Every tangle ends with warnings about what was left in its lanes."""
    logger = logging.getLogger("orchestra_trio")
    level = logger.level
    logger.setLevel(logging.ERROR)
    yield
    logger.setLevel(level)


def check(tangle: Tangle) -> Outcome:
    """Play a tangle both ways, and compare; return how it went when it was left to hang."""
    hung = play(tangle, "ignore")
    stopped = play(tangle, "error")
    assert not hung.errors
    if not hung.stuck:
        assert not stopped.errors, "invented"
        assert not hung.stuck_at_last
        return hung
    found = [error for error in stopped.errors if isinstance(error, DeadlockDetected)]
    assert found, "missed"
    assert all(isinstance(error, DeadlockDetected | Boom) for error in stopped.errors)
    (deadlock,) = found
    assert stopped.stopped_at == hung.stuck_at, "it is found when it comes to be"
    members = {*deadlock.members}
    assert hung.stuck <= hung.stuck_at_last
    assert all(hung.moved.get(name, 0) <= stopped.stopped_at for name in members), (
        "who was left to hang never moved again"
    )
    check_members(hung, members)
    check_cycle(hung, deadlock)
    return hung


def check_members(hung: Outcome, members: set[str]) -> None:
    """They are stuck by themselves, without others."""
    assert members <= hung.stuck
    for name in members:
        assert {wait.target for wait in hung.waits if wait.who == name} <= members


def check_cycle(hung: Outcome, deadlock: DeadlockDetected) -> None:
    """Each link is a wait that a task has written down; a request may wait to be let into the bounded lane."""
    links = _LINK.findall(str(deadlock))
    assert tuple(name for name, _, _ in links) == deadlock.cycle
    for (name, how, type_name), (target, _, _) in zip(links, links[1:] + links[:1], strict=True):
        ways = {how, "request"} if how == "bounded" else {how}
        assert any(Wait(name, target, way, type_name) in hung.waits for way in ways)


@given(tangles())
def test_a_deadlock_is_found_exactly_when_the_oracle_sees_one(tangle: Tangle) -> None:
    """Its members never move again when they are left to hang, and its cycle is one of what they waited for."""
    hung = check(tangle)
    event("deadlock" if hung.stuck else "hangs otherwise" if hung.waits_at_last else "ends")
    if hung.stuck:
        event("deadlock " + ("at once" if not hung.stuck_at else "later"))
        for doing in hung.doings:
            event(f"deadlock with a task {doing}")


@given(st.integers(0, 2**32), st.integers(0, 12))
def test_a_wait_that_another_task_ends_in_the_very_moment(seed: int, steps: int) -> None:
    """It is either found or not, as its cycle was there or not; who was not found stuck goes on."""
    scope = trio.CancelScope()
    went_on: list[bool] = []

    async def a(ctx: AnyContext) -> None:
        with scope:
            await fills(MsgB())(ctx)
        went_on.append(True)
        await takes(ctx)

    async def scene() -> None:
        async with Pair(a=a, b=fills(MsgA())).open() as running:
            for _ in range(steps):
                await trio.lowlevel.checkpoint()
            scope.cancel()
            await trio.sleep(10)
            running.cancel()

    errors: list[BaseException] = []
    try:
        run(scene, seed)
    except BaseExceptionGroup as group:
        errors += group.exceptions
    assert [type(error) for error in errors] == ([] if went_on else [DeadlockDetected])
    event("not found" if went_on else "found")


def test_what_is_drawn_is_worth_drawing() -> None:
    """A good share of the tangles deadlocks, and another does not; and of each kind there are enough."""
    seen: Counter[str] = Counter()
    for tangle in corpus(150):
        hung = check(tangle)
        kind = "deadlock" if hung.stuck else "hang" if hung.waits_at_last else "end"
        seen[kind] += 1
        if hung.stuck:
            seen["late"] += bool(hung.stuck_at)
            seen["large"] += len(hung.stuck) > 2
            seen["alone"] += len(hung.stuck) == 1
            seen["besides others"] += len(hung.stuck) < len(tangle.knots)
            seen.update(hung.doings)
    least = {"deadlock": 50, "end": 25, "hang": 15, "late": 25, "large": 15, "alone": 10, "besides others": 20}
    least |= {"sending": 50, "requesting": 15, "joining": 5, "idling": 1}
    assert {kind: seen[kind] for kind in least if seen[kind] < least[kind]} == {}


def test_the_oracle() -> None:
    """By hand: a greatest set, not a cycle."""
    assert stuck_among({}) == set()
    assert stuck_among({"a": ["b"], "b": ["a"]}) == {"a", "b"}
    assert stuck_among({"a": ["b"], "b": ["a", None]}) == set()
    assert stuck_among({"a": ["b", "c"], "b": ["a"], "c": [None]}) == set()
    assert stuck_among({"a": ["b"], "b": ["a"], "c": ["a"], "d": ["c", "e"], "e": []}) == {"a", "b", "c"}
    assert stuck_among({"a": ["a"], "b": ["gone"]}) == {"a"}
