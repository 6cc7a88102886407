"""What the works have in common: the clock that sees who is missing, and how messages are shared out."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks import workload
from benchmarks.workload import EVERY, LOADERS, Stopwatch, check_count, part_of, share, urgents_among


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """A clock that is a second further each time that it is read."""
    seconds = iter(range(100))
    monkeypatch.setattr(workload, "perf_counter", lambda: next(seconds))


@pytest.mark.usefixtures("clock")
def test_the_first_begins_and_the_last_ends() -> None:
    """What the others say in between costs no look at the clock."""
    watch = Stopwatch(receivers=3)
    for _ in range(2):
        watch.begin()
    for _ in range(3):
        watch.end()
    assert watch.seconds == 1


@pytest.mark.parametrize(("begins", "ends"), [(0, 0), (0, 2), (1, 0), (1, 1), (2, 1)])
def test_a_work_that_did_not_end_has_no_time(begins: int, ends: int) -> None:
    """One receiver of several that has not come to its end is enough."""
    watch = Stopwatch(receivers=2)
    for _ in range(begins):
        watch.begin()
    for _ in range(ends):
        watch.end()
    with pytest.raises(RuntimeError, match="did not come to its end"):
        _ = watch.seconds


@given(count=st.integers(0, 10_000), parties=st.integers(1, 100))
def test_shares_are_those_of_dealing_out_one_by_one(count: int, parties: int) -> None:
    dealt = [len(range(index, count, parties)) for index in range(parties)]
    assert [share(count, index, parties) for index in range(parties)] == dealt


@given(st.integers(0, 10_000))
def test_about_one_in_so_many_is_urgent(count: int) -> None:
    assert abs(urgents_among(count) - count / EVERY) <= LOADERS
    assert urgents_among(count) >= 1 or not count, "there is always something to look at"


@pytest.mark.parametrize("found", [0, 4, 6])
def test_what_is_missing_or_too_much_is_an_error(found: int) -> None:
    check_count("answers", 5, 5)
    with pytest.raises(RuntimeError, match=f"answers: {found} in place of 5"):
        check_count("answers", found, 5)


@pytest.mark.parametrize(("count", "done"), [(1000, 100), (105, 10), (3, 1)])
def test_a_part_of_a_work_tells_the_time_of_the_whole(count: int, done: int) -> None:
    """In proportion to what was done, which is at least something."""
    asked: list[int] = []

    def timed(messages: int) -> float:
        asked.append(messages)
        return 2.0 * messages

    assert part_of(timed, 10)(count) == pytest.approx(2.0 * count)
    assert asked == [done]
