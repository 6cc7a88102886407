"""What a message is expected to be, in words; and who of several meets whom."""

from __future__ import annotations

from itertools import permutations
from typing import Any, Generic, NamedTuple, TypeVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestra_trio.testing.harness.expectations import Expectation, Matching
from tests.runtime.samples import Item, LateTick, Other, Tick

T = TypeVar("T")


class Boxed(NamedTuple, Generic[T]):
    """A message that holds anything."""

    value: T


def is_small(message: Item) -> bool:
    return message.number < 3


@pytest.mark.parametrize(
    ("expected", "message", "is_met"),
    [
        (Item, Item(1), True),
        (Item, Other(1), False),
        (Tick, LateTick(), True),
        (LateTick, Tick(), False),
        (Item | Other, Other(1), True),
        (Item | Other, Tick(), False),
        (Boxed[int], Boxed("of whatever"), True),
        (is_small, Item(1), True),
        (is_small, Item(5), False),
    ],
)
def test_it_is_met_by(expected: object, message: object, is_met: bool) -> None:
    assert Expectation.of(expected).is_met_by(message) is is_met


def test_a_predicate_is_asked_about_the_right_types_alone() -> None:
    expectation = Expectation.of(Item, is_small)
    assert not expectation.is_met_by("no number here")
    assert expectation.is_met_by(Item(1))
    assert not expectation.is_met_by(Item(3))


def test_it_is_told_in_words() -> None:
    line = f"{__file__}:{is_small.__code__.co_firstlineno}"
    nameless: Any = lambda message: message.number == 1  # noqa: E731 - that is the point
    here = f"{__file__}:{nameless.__code__.co_firstlineno}"
    assert str(Expectation.of(Item)) == "an Item"
    assert str(Expectation.of(Item | Other)) == "an Item or an Other"
    assert str(Expectation.of(Item, is_small)) == f"an Item for which is_small, at {line}, holds"
    assert str(Expectation.of(is_small)) == f"a message for which is_small, at {line}, holds"
    told = str(Expectation.of(nameless))
    assert told.startswith(
        f"a message for which the predicate at {here} (nameless: Any = lambda message: message.number"
    )
    assert str(Expectation.of(Item, {1: 2}.get)) == "an Item for which dict.get holds"


@pytest.mark.parametrize(
    ("arguments", "what"),
    [
        ((3,), "an int cannot be expected"),
        ((is_small, is_small), "two predicates cannot be expected"),
        ((Item, 3), "a predicate is a function of the message, not an int"),
    ],
)
def test_what_cannot_be_expected_is_refused(arguments: tuple[object, ...], what: str) -> None:
    with pytest.raises(TypeError, match=what):
        Expectation.of(*arguments)


Options = st.lists(st.sets(st.integers(0, 4)), min_size=5, max_size=5)


@given(options=Options)
def test_messages_are_matched_if_there_is_any_way(options: list[set[int]]) -> None:
    """As long as the messages so far can each meet an expectation, they are placed; against all ways there are."""
    matching = Matching([Expectation.of(lambda number, place=place: place in options[number]) for place in range(5)])
    for count in range(1, 6):
        can_be = any(
            all(place in options[number] for number, place in enumerate(places))
            for places in permutations(range(5), count)
        )
        assert matching.add(count - 1) is can_be
        if not can_be:
            return
        assert len(matching.open) == 5 - count
    assert sorted(matching.order) == list(range(5))
    assert all(place in options[number] for place, number in enumerate(matching.order))
