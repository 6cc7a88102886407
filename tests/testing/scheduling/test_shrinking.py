"""Shrinking alone, of scripts that fail by a rule instead of a run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from orchestra_trio.testing.scheduling.script import Script
from orchestra_trio.testing.scheduling.shrinking import Shrinking, Trial

if TYPE_CHECKING:
    from collections.abc import Callable

STEPS = 60


def shrunk(script: Script, fails: Callable[[Script], bool], most_runs: int = 1000) -> Shrinking:
    def run(tried: Script) -> Trial | None:
        return Trial(tried, STEPS) if fails(tried) else None

    shrinking = Shrinking(Trial(script, STEPS), run, most_runs)
    shrinking.shrink()
    return shrinking


many = st.dictionaries(st.integers(4, STEPS), st.integers(1, 5), min_size=20).map(
    lambda one: tuple(sorted(one.items()))
)


@given(many, st.data())
def test_only_what_is_needed_is_left(deviations: tuple[tuple[int, int], ...], data: st.DataObject) -> None:
    """Where the failure needs certain deviations, and each of at least a certain choice."""
    needed = data.draw(st.lists(st.sampled_from(deviations), min_size=1, max_size=3, unique=True))

    def fails(script: Script) -> bool:
        has = dict(script.deviations)
        return all(has.get(step, 0) >= choice for step, choice in needed)

    script = Script(deviations, cancel=(7, 1), narrow=True)
    assert shrunk(script, fails).best.script == Script(tuple(sorted(needed)))


def test_one_deviation_that_does_as_well_takes_the_place_of_two() -> None:
    def fails(script: Script) -> bool:
        return {(8, 1), (9, 1)} <= set(script.deviations) or (10, 1) in script.deviations

    assert str(shrunk(Script.parse("4-7:2 8-9:1 30:1"), fails).best.script) == "10:1"


def test_a_cancellation_is_moved_to_where_nothing_else_is_needed() -> None:
    def fails(script: Script) -> bool:
        return str(script) in {"5:1 6:cancel", "8:cancel1"}

    assert str(shrunk(Script.parse("5:1 6:cancel"), fails).best.script) == "8:cancel1"


def test_a_fault_that_is_needed_stays() -> None:
    script = Script.parse("capacity=1 5-9:1 6:cancel1")
    assert shrunk(script, lambda one: one.narrow).best.script == Script(narrow=True)
    assert shrunk(script, lambda one: one.cancel == (6, 1)).best.script == Script(cancel=(6, 1))


def test_runs_are_bounded() -> None:
    deviations = tuple((step, 1) for step in range(4, 1000))
    shrinking = shrunk(Script(deviations), lambda one: len(one.deviations) >= 500, most_runs=50)
    assert shrinking.runs == 50
    assert 500 <= len(shrinking.best.script.deviations) < len(deviations)
