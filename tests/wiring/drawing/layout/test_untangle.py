"""Fewer crossings."""

from __future__ import annotations

from itertools import combinations

from hypothesis import given

from orchestra_trio.wiring.drawing.layout.untangle import crossings, untangled
from tests.wiring.drawing.samples import tangles


def crossings_one_by_one(layers: list[list[int]], links: list[tuple[int, int]]) -> int:
    """The definition: two links cross where their ends stand in opposite orders."""
    spots = {vertex: (level, spot) for level, layer in enumerate(layers) for spot, vertex in enumerate(layer)}
    count = 0
    for (a, b), (c, d) in combinations(links, 2):
        if spots[a][0] == spots[c][0]:
            count += (spots[a][1] - spots[c][1]) * (spots[b][1] - spots[d][1]) < 0
    return count


@given(tangles())
def test_crossings_are_counted_as_defined(drawn: tuple[list[list[int]], list[tuple[int, int]]]) -> None:
    assert crossings(*drawn) == crossings_one_by_one(*drawn)


@given(tangles())
def test_the_order_found_is_an_order_and_no_worse_than_any_start(
    drawn: tuple[list[list[int]], list[tuple[int, int]]],
) -> None:
    layers, links = drawn
    backwards = [layer[::-1] for layer in layers]
    found = untangled([layers, backwards], links)
    assert [sorted(layer) for layer in found] == [sorted(layer) for layer in layers]
    assert crossings(found, links) <= min(crossings(layers, links), crossings(backwards, links))
    alone = [crossings(untangled([start], links), links) for start in (layers, backwards)]
    assert crossings(found, links) == min(alone)
    assert untangled([layers, backwards], links) == found


def test_what_can_be_untangled_is() -> None:
    """A ladder that was twisted has no crossing at the end."""
    layers = [[0, 1, 2, 3], [7, 6, 5, 4], [10, 8, 11, 9]]
    links = [(0, 4), (1, 5), (2, 6), (3, 7), (4, 8), (5, 9), (6, 10), (7, 11)]
    assert crossings(layers, links) > 0
    assert crossings(untangled([layers], links), links) == 0


def test_a_start_that_is_best_is_kept() -> None:
    assert untangled([[[1, 0], [2, 3]]], [(1, 2), (0, 3)]) == [[1, 0], [2, 3]]
