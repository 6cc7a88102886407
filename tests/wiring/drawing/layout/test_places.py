"""Where the vertices of a layer stand."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestra_trio.wiring.drawing.layout.places import Vertex, place, spread
from tests.wiring.drawing.samples import tangles

SPOTS = st.floats(-100, 100)
WISHES = st.lists(st.tuples(SPOTS, st.floats(0.1, 10), st.floats(0, 20)), min_size=1, max_size=8)


def cost(spots: list[float], wishes: list[tuple[float, float, float]]) -> float:
    return sum(weight * (spot - wanted) ** 2 for spot, (wanted, weight, _) in zip(spots, wishes, strict=True))


@given(WISHES, st.data())
def test_spread_is_in_order_apart_and_the_best_there_is(
    wishes: list[tuple[float, float, float]], data: st.DataObject
) -> None:
    """No other places that keep the distances are nearer to those wanted."""
    wanted, weights, apart = (list(column) for column in zip(*wishes, strict=True))
    found = spread(wanted, weights, apart)
    for (one, other), distance in zip(pairwise(found), apart[1:], strict=True):
        assert other - one >= distance - 1e-9
    other_places = [data.draw(SPOTS)]
    for distance in apart[1:]:
        other_places.append(other_places[-1] + distance + data.draw(st.floats(0, 30)))
    assert cost(found, wishes) <= cost(other_places, wishes) + 1e-6


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ([0, 100], [0, 100]),
        ([0, 0], [-5, 5]),
        ([10, 0], [0, 10]),
        ([0, 0, 60], [-5, 5, 60]),
        ([0, 2, 4], [-8, 2, 12]),
        ([], []),
    ],
)
def test_spread_by_example(wanted: list[float], found: list[float]) -> None:
    assert spread(wanted, [1.0] * len(wanted), [10.0] * len(wanted)) == pytest.approx(found)


@given(tangles())
def test_vertices_keep_their_order_and_their_distance(
    drawn: tuple[list[list[int]], list[tuple[int, int]]],
) -> None:
    layers, links = drawn
    count = sum(map(len, layers))
    vertices = [Vertex(number % 4, number % 3, gap=1 + number % 2) for number in range(count)]
    strands = [[link[1]] for link in links[:2]]
    places = place(layers, vertices, links, strands)
    for layer in layers:
        for one, other in pairwise(layer):
            gap = max(vertices[one].gap, vertices[other].gap)
            assert places[other] - places[one] >= vertices[one].after + vertices[other].before + gap - 1e-6


def test_a_strand_with_room_is_exactly_straight() -> None:
    layers = [[0], [1, 5], [2, 6], [3, 7], [4]]
    links = [(0, 1), (1, 2), (2, 3), (3, 4), (0, 5), (5, 6), (6, 7), (7, 4)]
    wide = [Vertex(3.0 * number, 3.0 * number, 5) for number in range(8)]
    places = place(layers, wide, links, [[1, 2, 3], [5, 6, 7]])
    assert places[1] == places[2] == places[3]
    assert places[5] == places[6] == places[7]
