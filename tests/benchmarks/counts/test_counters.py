"""Counting in this process and in others: repeatable, and what is added is counted."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import attrs
import pytest
from trio._core import _run

from benchmarks.counts.child import CountingFailed, count_in_child
from benchmarks.counts.comparing import Row
from benchmarks.counts.counters import BYTECODES, C_CALLS, CALLS, Figure, count, settled
from benchmarks.counts.runs import RUNS, Run
from orchestra_trio import SubsystemContext
from orchestra_trio.delivery import credit

if TYPE_CHECKING:
    from collections.abc import Callable

BUDGET = 3.7
"""The calls of Python functions that a message may take, sent and received."""

BY_NAME = {run.name: attrs.evolve(run, size=400) for run in RUNS}


def in_a_loop(count: int) -> Callable[[], object]:
    """One call of a Python function and two of C functions for each unit, and five at the first use of all."""

    def unit(number: int) -> int:
        return len(str(abs(number)))

    def run() -> None:
        for number in range(count):
            unit(number)
        for _ in range(5):
            unit(0)

    return run


def with_more_work(run: Run) -> Run:
    """The same run, in which each send calls one more function."""
    send = SubsystemContext.send

    def nothing() -> None:
        pass

    async def slower(self: object, message: object) -> None:
        nothing()
        await send(self, message)  # type: ignore[arg-type]  # it is one

    def prepare(units: int) -> Callable[[], object]:
        do = run.prepare(units)

        def run_slower() -> None:
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(SubsystemContext, "send", slower)
                do()

        return run_slower

    return attrs.evolve(run, prepare=prepare)


def test_calls_are_those_of_one_unit() -> None:
    """What a run needs once is not in it."""
    counted = count(Run("loop", "unit", 10, in_a_loop), (CALLS, C_CALLS))
    name = f"{__name__.rpartition('.')[2]}.in_a_loop.<locals>.unit"
    [(function, number)] = counted[CALLS].functions.items()
    assert (function.endswith(name), number, counted[CALLS].total) == (True, 1.0, 1.0)
    assert counted[C_CALLS] == Figure(2.0, {"len": 1.0, "abs": 1.0})


def test_bytecodes_are_those_of_one_unit_whatever_its_size() -> None:
    small, large = (count(Run("loop", "unit", size, in_a_loop), (BYTECODES,))[BYTECODES] for size in (10, 300))
    assert small == large
    assert small.total == sum(small.functions.values()) > 10


@pytest.mark.parametrize("counters", [(BYTECODES,), (CALLS, C_CALLS)], ids=" ".join)
def test_equal_runs_give_equal_counts(counters: tuple[str, ...]) -> None:
    """To the last one, in one process."""
    assert count(BY_NAME["ping-pong"], counters) == count(BY_NAME["ping-pong"], counters)


def test_processes_count_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever is set around them, and whatever else is counted beside it."""
    names = ["requests", "channel"]
    first = count_in_child((CALLS, C_CALLS), names)
    monkeypatch.setenv("ORCHESTRA_TRIO_PUBLIC_ONLY", "1")
    monkeypatch.setenv("PYTHONHASHSEED", "42")
    second = count_in_child((CALLS, C_CALLS), names[1:])
    assert list(first[CALLS]) == names
    assert second == {counter: {"channel": figures["channel"]} for counter, figures in first.items()}


def test_added_work_is_found() -> None:
    """One function that does nothing, called once for each message, is past the limit of calls and of bytecodes."""
    run = BY_NAME["one-at-a-time"]
    for counter, counters in ((CALLS, (CALLS, C_CALLS)), (BYTECODES, (BYTECODES,))):
        usual, slower = (count(one, counters)[counter] for one in (run, with_more_work(run)))
        assert Row(run.name, counter, usual.total, slower.total).is_worse
        assert any("nothing" in function for function in set(slower.functions) - set(usual.functions))


def test_hooks_and_chance_are_as_before() -> None:
    """Counting leaves alone what others have set, and what trio draws next."""
    before = sys.gettrace(), sys.getprofile()
    count(BY_NAME["requests"], (CALLS,))
    count(BY_NAME["requests"], (BYTECODES,))
    assert (sys.gettrace(), sys.getprofile()) == before

    chance: Any = _run._r  # trio's own
    state = chance.getstate()
    with settled():
        assert chance.getstate() != state
        chance.random()
    assert chance.getstate() == state


def test_a_message_takes_the_calls_of_its_budget_at_most() -> None:
    """What the head of `credit` says; exact, since it is counted."""
    assert f"{BUDGET} calls of Python functions per message" in " ".join((credit.__doc__ or "").split())
    counted = count_in_child((CALLS, C_CALLS), ["one-at-a-time"])
    assert counted[CALLS]["one-at-a-time"].total <= BUDGET


def test_a_process_that_fails_is_told(capfd: pytest.CaptureFixture[str]) -> None:
    """It says itself what went wrong."""
    with pytest.raises(CountingFailed, match=r"^the process that counts sheep failed, with status 1$"):
        count_in_child(["sheep"], ["channel"])
    assert "KeyError: 'sheep'" in capfd.readouterr().err
