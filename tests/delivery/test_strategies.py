"""Strategies: how the picks are shared (law 6), what is remembered, and what is refused.

The oracle `smooth` keeps the share of every lane as exact fractions and knows neither periods nor caches.
"""

from __future__ import annotations

import copy
from fractions import Fraction
from itertools import combinations, permutations
from typing import TYPE_CHECKING, Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestra_trio.delivery import strategies
from orchestra_trio.delivery.strategies import Biased, Weighted

if TYPE_CHECKING:
    from orchestra_trio.records import LaneChooser, LaneStrategy, MessageLane

ALL: tuple[MessageLane, ...] = ("priority", "unbounded", "bounded")
PAIRS: list[tuple[MessageLane, ...]] = list(combinations(ALL, 2))
READY: list[tuple[MessageLane, ...]] = [*PAIRS, ALL]

small_weights = st.builds(Weighted, *[st.integers(1, 50)] * 3)
pairs = st.sampled_from(PAIRS)
ready_sets = st.sampled_from(READY)


def weights_of(strategy: Weighted, ready: tuple[MessageLane, ...]) -> dict[MessageLane, int]:
    return {lane: getattr(strategy, lane) for lane in ready}


def picks_of(chooser: LaneChooser, ready: tuple[MessageLane, ...], count: int) -> list[MessageLane]:
    return [chooser(ready) for _ in range(count)]


def smooth(weights: dict[MessageLane, int], count: int) -> list[MessageLane]:
    """Pick who, by its share of all picks so far and this one, is owed most; the earlier lane of equals."""
    total = sum(weights.values())
    had = dict.fromkeys(weights, 0)
    picks: list[MessageLane] = []
    for number in range(1, count + 1):
        owed = {lane: Fraction(weight * number, total) - had[lane] for lane, weight in weights.items()}
        most: MessageLane = next(lane for lane in weights if owed[lane] == max(owed.values()))
        had[most] += 1
        picks.append(most)
    return picks


@given(small_weights, ready_sets)
def test_weighted_is_smooth_weighted_round_robin(strategy: Weighted, ready: tuple[MessageLane, ...]) -> None:
    weights = weights_of(strategy, ready)
    count = 2 * sum(weights.values()) + 1
    assert picks_of(strategy.chooser(), ready, count) == smooth(weights, count)


@given(small_weights, ready_sets)
def test_sum_of_weights_picks_at_any_offset_give_each_lane_its_weight(
    strategy: Weighted, ready: tuple[MessageLane, ...]
) -> None:
    """Law 6, and more: the counts are exact, wherever the window begins."""
    weights = weights_of(strategy, ready)
    total = sum(weights.values())
    picks = picks_of(strategy.chooser(), ready, 3 * total)
    for offset in range(2 * total + 1):
        window = picks[offset : offset + total]
        assert {lane: window.count(lane) for lane in ready} == weights


@given(small_weights, ready_sets)
def test_no_lane_is_ever_a_whole_pick_off_its_share_since_beginning_anew(
    strategy: Weighted, ready: tuple[MessageLane, ...]
) -> None:
    """Two lanes are at most half a pick off; with three, one is at most 2/3 ahead and 5/6 behind."""
    weights = weights_of(strategy, ready)
    total = sum(weights.values())
    ahead, behind = (Fraction(1, 2), Fraction(1, 2)) if len(ready) == 2 else (Fraction(2, 3), Fraction(5, 6))
    had = dict.fromkeys(ready, 0)
    for number, lane in enumerate(picks_of(strategy.chooser(), ready, total), 1):
        had[lane] += 1
        for one in ready:
            assert -behind <= had[one] - Fraction(number * weights[one], total) <= ahead


@given(small_weights, pairs, st.integers(0, 200), st.integers(1, 100))
def test_any_window_of_two_lanes_is_at_most_one_pick_off(
    strategy: Weighted, ready: tuple[MessageLane, ...], offset: int, length: int
) -> None:
    weights = weights_of(strategy, ready)
    window = picks_of(strategy.chooser(), ready, offset + length)[offset:]
    for lane in ready:
        assert abs(window.count(lane) - Fraction(length * weights[lane], sum(weights.values()))) <= 1


def test_default_weights_spread_the_picks() -> None:
    p, u, b = ALL
    assert picks_of(Weighted().chooser(), ALL, 21) == [p, p, u, p, p, p, p, u, p, p, b, p, p, p, u, p, p, p, u, p, p]


@given(small_weights, st.lists(st.none() | ready_sets, max_size=60))
def test_another_set_of_ready_lanes_or_a_reset_begins_anew(
    strategy: Weighted, steps: list[tuple[MessageLane, ...] | None]
) -> None:
    """A step of None is a reset; what came before one, or before a change, has no influence after it."""
    chooser = strategy.chooser()
    before: tuple[MessageLane, ...] | None = None
    same = 0
    for ready in steps:
        if ready is None:
            chooser.reset()
        else:
            same = same + 1 if ready == before else 1
            assert chooser(ready) == smooth(weights_of(strategy, ready), same)[-1]
        before = ready


@given(small_weights, st.lists(st.booleans(), max_size=60))
def test_choosers_of_one_strategy_are_independent(strategy: Weighted, turns: list[bool]) -> None:
    choosers = strategy.chooser(), strategy.chooser()
    expected = smooth(weights_of(strategy, ALL), len(turns))
    for which in (False, True):
        assert [choosers[turn](ALL) for turn in turns if turn is which] == expected[: turns.count(which)]
    assert choosers[0] is not choosers[1]


def test_equal_sets_need_not_be_the_same_object() -> None:
    chooser = Weighted(1, 1, 1).chooser()
    equals: list[tuple[MessageLane, ...]] = [(*PAIRS[0], "bounded") for _ in range(4)]
    assert equals[0] is not equals[1]
    assert [chooser(ready) for ready in equals] == [*ALL, "priority"]


def test_absurd_weights_are_exact_and_keep_nothing() -> None:
    strategy = Weighted(10**30, 10**30 - 1, 1)
    chooser = strategy.chooser()
    assert picks_of(chooser, ALL, 50) == smooth(weights_of(strategy, ALL), 50)
    state: Any = chooser
    assert not state._periods


def test_weights_with_a_large_common_divisor_have_a_short_period() -> None:
    chooser: Any = Weighted(3 * 10**9, 2 * 10**9, 10**9).chooser()
    assert picks_of(chooser, ALL, 60) == smooth({"priority": 3, "unbounded": 2, "bounded": 1}, 60)
    assert [len(period) for period in chooser._periods.values()] == [6]


@pytest.mark.parametrize("longer", [0, 1])
def test_the_longest_kept_period_and_the_next(longer: int) -> None:
    strategy = Weighted(strategies._LONGEST_KEPT_PERIOD - 1 + longer, 1, 1)
    ready = PAIRS[0]
    chooser: Any = strategy.chooser()
    count = 2 * strategies._LONGEST_KEPT_PERIOD + 5
    assert picks_of(chooser, ready, count) == smooth(weights_of(strategy, ready), count)
    assert len(chooser._periods) == 1 - longer


@pytest.mark.parametrize("lane", ALL)
@pytest.mark.parametrize(
    ("weight", "error", "says"),
    [
        (0, ValueError, "at least 1, not 0"),
        (-3, ValueError, "at least 1, not -3"),
        (1.0, TypeError, "an integer, not float"),
        (True, TypeError, "an integer, not bool"),
        ("4", TypeError, "an integer, not str"),
        (None, TypeError, "an integer, not NoneType"),
    ],
)
def test_weights_that_are_no_positive_integers_are_refused(
    lane: str, weight: object, error: type[Exception], says: str
) -> None:
    with pytest.raises(error, match=rf"^the weight of the {lane} lane must be {says}$"):
        Weighted(**dict[str, Any]({lane: weight}))


@pytest.mark.parametrize("order", [*permutations(ALL)])
@pytest.mark.parametrize("ready", [*READY, *[(lane,) for lane in ALL]])
def test_biased_picks_the_first_ready_lane_always(
    order: tuple[MessageLane, ...], ready: tuple[MessageLane, ...]
) -> None:
    strategy = Biased(*order)
    chooser = strategy.chooser()
    expected = next(lane for lane in order if lane in ready)
    assert picks_of(chooser, ready, 3) == [expected] * 3
    chooser.reset()
    assert chooser(ready) == expected
    assert strategy.order == order


@pytest.mark.parametrize(
    "order",
    [
        (),
        ("priority",),
        ("priority", "unbounded"),
        ("priority", "unbounded", "unbounded"),
        ("priority", "unbounded", "bounded", "bounded"),
        ("priority", "unbounded", "signals"),
        ("priority", "unbounded", []),
        (("priority", "unbounded", "bounded"),),
    ],
)
def test_biased_orders_that_do_not_name_each_lane_once_are_refused(order: tuple[Any, ...]) -> None:
    with pytest.raises(ValueError, match=r"^the order must name each of priority, unbounded, bounded exactly once"):
        Biased(*order)


@pytest.mark.parametrize("strategy", [Weighted(), Biased("bounded", "priority", "unbounded")])
def test_strategies_are_frozen_data(strategy: LaneStrategy) -> None:
    twin = copy.copy(strategy)
    assert twin == strategy
    assert hash(twin) == hash(strategy)
    for name in ("priority", "order"):
        with pytest.raises(attrs.exceptions.FrozenInstanceError):
            setattr(twin, name, None)


def test_ones_own_strategy_is_a_strategy() -> None:
    class Alternate:
        def __call__(self, ready: tuple[MessageLane, ...], /) -> MessageLane:
            return ready[-1]

        def reset(self) -> None:
            pass

        def chooser(self) -> LaneChooser:
            return self

    own: LaneStrategy = Alternate()
    assert own.chooser()(ALL) == "bounded"
