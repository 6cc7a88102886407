"""What is to be seen, before it is drawn: nodes, arrows, cycles, figures."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestra_trio.wiring.drawing.composing import compose
from orchestra_trio.wiring.drawing.figures import Figures, Queue, Traffic
from orchestra_trio.wiring.drawing.picture import folded
from orchestra_trio.wiring.graph import Edge, build_graph
from tests.wiring.drawing.samples import FIGURES, Kitchen, live, type_called

if TYPE_CHECKING:
    from orchestra_trio.wiring.drawing.picture import Arrow, Node, Picture


def nodes_of(picture: Picture) -> dict[str, Node]:
    return {node.key: node for node in picture.nodes}


def arrows_of(picture: Picture) -> dict[tuple[str, str, str], Arrow]:
    titles = {node.key: node.title for node in picture.nodes}
    return {(titles[one.source], titles[one.target], one.lane): one for one in picture.arrows}


def test_slots_come_in_declaration_order_and_then_the_marks() -> None:
    """A mark for each slot that takes or gives something at the edge, and the pair for events."""
    picture = compose(Kitchen.graph())
    assert [(node.title, node.kind) for node in picture.nodes] == [
        ("waiter", "subsystem"),
        ("cook", "subsystem"),
        ("larder", "thread"),
        ("chef", "subsystem"),
        ("tracer", "subsystem"),
        ("later", "subsystem"),
        ("handle", "handle"),
        ("on_event", "on_event"),
        ("route_message", "route_message"),
        ("outgoing", "outgoing"),
        ("nobody", "nobody"),
    ]
    assert picture.title == "Kitchen"
    assert picture.signals == ("Go", "Halt")


def test_edges_of_one_pair_and_lane_are_one_arrow() -> None:
    """Types are listed as declared; the two lanes of one pair stay apart, in self loops too."""
    arrows = arrows_of(compose(Kitchen.graph()))
    assert arrows["waiter", "cook", "bounded"].types == ("Cut", "Boil", "Fry", "Bake", "Taste")
    assert arrows["cook", "cook", "bounded"].types == ("Again",)
    assert arrows["cook", "cook", "unbounded"].types == ("Mull",)
    assert {place for place in arrows if place[2] == "outside"} == {
        ("handle", "on_event", "outside"),
        ("route_message", "waiter", "outside"),
        ("cook", "outgoing", "outside"),
        ("waiter", "nobody", "outside"),
    }


def test_long_lists_of_types_are_folded_in_labels() -> None:
    """As long as it is no shorter to say how many more there are."""
    arrow = arrows_of(compose(Kitchen.graph()))["waiter", "cook", "bounded"]
    assert arrow.lines == ("Cut", "Boil", "Fry", "+2 more")
    assert folded(("a", "b", "c", "d")) == ("a", "b", "c", "d")


def test_presence_conditions_and_signals_stand_under_the_title() -> None:
    """Also what a graph says of slots that are not in use with the features that were given."""
    picture = compose(Kitchen.graph())
    lines = {node.title: node.subtitle for node in picture.nodes if node.is_slot}
    assert lines == {
        "waiter": ("hears Go",),
        "cook": ("hears Go, Halt",),
        "larder": ("hears Halt",),
        "chef": (),
        "tracer": ("if (trace & ~lite)",),
        "later": ("not built yet",),
    }
    graph = Kitchen.graph()
    without = compose(build_graph(graph.nodes, graph.edges, ["tracer", "later"], graph.boundary))
    tracer = nodes_of(without)["n4"]
    assert (tracer.presence, tracer.subtitle) == ("disabled", ("not in use: if (trace & ~lite)",))


def test_arrows_to_slots_that_are_not_in_use_are_faded() -> None:
    faded = {place for place, arrow in arrows_of(compose(Kitchen.graph())).items() if arrow.is_faded}
    assert faded == {("cook", "later", "bounded")}


def test_cycles_that_can_block_are_told_from_those_that_cannot() -> None:
    """Members of both, and the steps of the cycle that is named; an unbounded step breaks a cycle."""
    ball = type_called("Ball")
    graph = build_graph(
        "abcdef",
        [
            Edge("a", "b", ball, "bounded"),
            Edge("b", "a", ball, "bounded"),
            Edge("b", "c", ball, "bounded"),
            Edge("c", "a", ball, "bounded"),
            Edge("d", "e", ball, "bounded"),
            Edge("e", "d", ball, "unbounded"),
            Edge("e", "f", ball, "bounded"),
        ],
    )
    picture = compose(graph)
    assert {node.title: node.cycling for node in picture.nodes} == {
        "a": "blocking",
        "b": "blocking",
        "c": "blocking",
        "d": "calm",
        "e": "calm",
        "f": "no",
    }
    assert {place[:2]: arrow.cycling for place, arrow in arrows_of(picture).items()} == {
        ("a", "b"): "blocking",
        ("b", "a"): "blocking",
        ("b", "c"): "no",
        ("c", "a"): "no",
        ("d", "e"): "calm",
        ("e", "d"): "calm",
        ("e", "f"): "no",
    }
    assert picture.notes == ("can block: a -[Ball]-> b -[Ball]-> a", "cannot block: d -[Ball]-> e -[Ball]-> d")


def test_each_cycle_that_can_block_is_drawn() -> None:
    """Also where unbounded steps join several of them to one component."""
    ball = type_called("Ball")
    bounded = [("a", "b"), ("b", "a"), ("c", "d"), ("d", "c")]
    edges = [Edge(one, other, ball, "bounded") for one, other in bounded]
    edges += [Edge("b", "c", ball, "unbounded"), Edge("d", "a", ball, "unbounded")]
    arrows = arrows_of(compose(build_graph("abcd", edges)))
    assert {place[:2] for place, arrow in arrows.items() if arrow.cycling == "blocking"} == set(bounded)


def test_a_member_that_only_unbounded_steps_bring_back_is_calm() -> None:
    """It lies in one component with a cycle that can block, and on none itself."""
    ball = type_called("Ball")
    edges = [Edge("a", "a", ball, "bounded"), Edge("a", "b", ball, "bounded"), Edge("b", "a", ball, "unbounded")]
    picture = compose(build_graph("ab", edges))
    assert [node.cycling for node in picture.nodes] == ["blocking", "calm"]


def test_many_cycles_are_folded_in_notes() -> None:
    ball = type_called("Ball")
    picture = compose(build_graph("abcdef", [Edge(name, name, ball, "bounded") for name in "abcdef"]))
    assert len(picture.blocking_cycles) == 6
    assert picture.notes[3] == "can block: +3 more"


def test_the_legend_explains_what_occurs_and_nothing_else() -> None:
    def samples(picture: Picture) -> set[str]:
        return {entry.sample for entry in picture.legend}

    assert samples(compose(build_graph("a", []))) == set()
    assert samples(compose(build_graph("ab", [Edge("a", "b", int, "bounded")]))) == {"bounded"}
    assert samples(compose(Kitchen.graph())) == {
        "bounded",
        "unbounded",
        "blocking path",
        "blocking node",
        "thread",
        "conditional",
        "wip",
        "nobody",
    }
    assert samples(compose(live(Kitchen.graph()))) == samples(compose(Kitchen.graph())) | {"queue"}


def test_figures_stand_at_arrows() -> None:
    """Priority messages count with the bounded ones; what was routed from outside gets a mark where it had none."""
    arrows = arrows_of(compose(live(Kitchen.graph())))
    figures = {place[:2]: arrow.figure for place, arrow in arrows.items() if place[0] != place[1]}
    assert figures == {
        ("waiter", "cook"): "1,216 sent, 12 urgent",
        ("waiter", "larder"): "0 sent",
        ("cook", "chef"): "0 sent",
        ("chef", "cook"): "0 sent",
        ("cook", "tracer"): "0 sent",
        ("cook", "later"): None,
        ("handle", "on_event"): None,
        ("route_message", "waiter"): "9 sent",
        ("route_message", "larder"): "2 sent",
        ("cook", "outgoing"): "6 sent",
        ("waiter", "nobody"): None,
    }
    assert arrows["cook", "cook", "bounded"].figure == "7 sent"
    assert arrows["cook", "cook", "unbounded"].figure == "3 sent"
    assert arrows["route_message", "larder", "outside"].lines == ("2 sent",)


def test_an_arrow_that_is_alone_stands_for_all_lanes() -> None:
    """A type that is declared unbounded may be sent bounded too; entries for one place are added up."""
    graph = build_graph("ab", [Edge("a", "b", int, "unbounded")])
    figures = Figures(
        (Traffic("a", "b", "unbounded", 1), Traffic("a", "b", "bounded", 2), Traffic("a", "b", "bounded", 4))
    )
    assert compose(live(graph, figures)).arrows[0].figure == "7 sent"


def test_figures_of_unknown_slots_are_left_out() -> None:
    """Traffic without a slot to draw it at neither breaks the picture nor shows in it."""
    figures = Figures((Traffic(None, "ghost", "bounded", 1),), (Queue("ghost", "bounded", 1, 2),))
    assert len(compose(live(Kitchen.graph(), figures)).nodes) == len(compose(live(Kitchen.graph(), Figures())).nodes)


def test_lanes_are_shown_where_something_waits_and_the_bounded_one_where_it_is_used() -> None:
    """In the order in which statistics show them."""
    nodes = {node.title: node.queue_lines for node in compose(live(Kitchen.graph())).nodes}
    assert nodes["cook"] == ("unbounded 3", "bounded 60/64")
    assert nodes["waiter"] == ("bounded 0/1,024",)
    assert nodes["chef"] == ()
    idle = Figures(queues=(Queue("a", "bounded", 0, 4), Queue("b", "bounded", 0, 4), Queue("b", "signals", 1, 4)))
    picture = compose(live(build_graph("ab", [Edge("a", "b", int, "bounded")]), idle))
    assert [node.queue_lines for node in picture.nodes] == [(), ("signals 1/4", "bounded 0/4")]


def test_figures_change_nothing_but_what_they_add() -> None:
    """A graph with figures equals the one without: they are a moment of it."""
    assert live(Kitchen.graph()) == Kitchen.graph()
    assert live(Kitchen.graph()).figures is FIGURES
