"""The text of a schedule and the data say the same."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestra_trio.testing.scheduling.script import Script

numbers = st.integers(1, 40)
scripts = st.builds(
    Script,
    st.dictionaries(numbers, st.integers(1, 3)).map(lambda one: tuple(sorted(one.items()))),
    st.none() | st.tuples(numbers, st.integers(0, 3)),
    st.booleans(),
    st.none() | st.integers(0, 30),
)


@given(scripts)
def test_text_and_data_are_inverse(script: Script) -> None:
    assert Script.parse(str(script)) == script


def test_steps_that_follow_each_other_are_written_as_one() -> None:
    script = Script(((3, 1), (4, 1), (5, 1), (6, 2), (8, 2)), cancel=(6, 0), narrow=True, lag=0)
    assert str(script) == "lag=0 capacity=1 3-5:1 6:cancel 6:2 8:2"
    assert not str(Script())


@pytest.mark.parametrize("text", ["14", "14:0", "0:1", "x", "1:1,2:1", "capacity=2", "5:cancelled", "-3:1", "3-:1"])
def test_what_is_no_schedule_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"is written as in .*no part of one"):
        Script.parse(f"1:1 {text}")


@given(scripts)
def test_the_plain_order_is_the_smallest(script: Script) -> None:
    assert (script.size > Script().size) == (script != Script(lag=script.lag))
