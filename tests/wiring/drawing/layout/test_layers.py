"""Which layer each box lies in."""

from __future__ import annotations

import networkx as nx
from hypothesis import given
from hypothesis import strategies as st

from orchestra_trio.wiring.drawing.layout.layers import assign_layers, backward_links

LINKS = st.integers(1, 8).flatmap(
    lambda count: st.tuples(
        st.just(count),
        st.lists(st.tuples(st.integers(0, count - 1), st.integers(0, count - 1), st.integers(1, 3)), max_size=20),
    )
)


@given(LINKS)
def test_without_the_backward_links_there_is_no_cycle(drawn: tuple[int, list[tuple[int, int, int]]]) -> None:
    """Whatever the links, loops apart; and where there is no cycle, nothing leads backwards."""
    count, links = drawn
    straight = [link for link in links if link[0] != link[1]]
    backward = backward_links(count, straight)
    kept: nx.DiGraph[int] = nx.DiGraph([link[:2] for number, link in enumerate(straight) if number not in backward])
    assert nx.is_directed_acyclic_graph(kept)
    if nx.is_directed_acyclic_graph(nx.DiGraph([link[:2] for link in straight])):
        assert not backward


def test_the_heavier_link_of_two_leads_forwards() -> None:
    assert backward_links(2, [(0, 1, 1), (1, 0, 3)]) == {0}
    assert backward_links(2, [(0, 1, 3), (1, 0, 1)]) == {1}


def test_of_equals_the_first_declared_comes_first() -> None:
    assert backward_links(3, [(0, 1, 1), (1, 2, 1), (2, 0, 1)]) == {2}


@given(LINKS)
def test_links_lead_to_later_layers(drawn: tuple[int, list[tuple[int, int, int]]]) -> None:
    """From the first layer on, and no more layers than the longest way needs."""
    count, links = drawn
    forward = [(min(one, other), max(one, other), weight) for one, other, weight in links if one != other]
    layers = assign_layers(count, forward)
    assert len(layers) == count
    assert min(layers) == 0
    assert all(layers[source] < layers[target] for source, target, _ in forward)
    model: nx.DiGraph[int] = nx.DiGraph([link[:2] for link in forward])
    assert max(layers) <= nx.dag_longest_path_length(model, weight=None, default_weight=1)


def test_boxes_come_near_to_what_they_lead_to() -> None:
    """A source that feeds the end of a chain stands right before it, not at the beginning."""
    chain = [(0, 1, 1), (1, 2, 1), (2, 3, 1)]
    assert assign_layers(5, [*chain, (4, 3, 1)]) == [0, 1, 2, 3, 2]
    assert assign_layers(5, [*chain, (0, 4, 2), (4, 3, 1)]) == [0, 1, 2, 3, 1]
    assert assign_layers(5, [*chain, (0, 4, 1)]) == [0, 1, 2, 3, 1]


def test_nothing_at_all() -> None:
    assert assign_layers(0, []) == []
    assert backward_links(0, []) == set()
