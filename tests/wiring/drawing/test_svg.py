"""Pictures in SVG: what is drawn, where, and in which style."""

from __future__ import annotations

import re
from itertools import combinations

import pytest
from hypothesis import example, given, settings

from examples.network_node import NetworkNode
from orchestra_trio.cli.demo.wiring import Indexing
from orchestra_trio.wiring.drawing.composing import compose
from orchestra_trio.wiring.graph import Edge, WiringGraph, build_graph
from tests.wiring.drawing.reading import SvgArrow, SvgNode, SvgPicture, read_svg
from tests.wiring.drawing.samples import Kitchen, graphs, live, one_edge, type_called

PICTURES = {
    "demo": Indexing.graph(),
    "network_node": NetworkNode.graph(),
    "kitchen": Kitchen.graph(),
    "live kitchen": live(Kitchen.graph()),
}
"""What everybody will look at."""

CLOSEST = 8
"""Pixels between two arrows at one box."""


def node_called(picture: SvgPicture, title: str) -> SvgNode:
    return next(one for one in picture.nodes.values() if title in one.texts)


def arrow_of(picture: SvgPicture, text: str) -> SvgArrow:
    return next(one for one in picture.arrows if text in one.texts)


def check_places(picture: SvgPicture) -> None:
    """Nothing lies on top of anything else, and arrows lead from border to border."""
    boxes = {key: node.area for key, node in picture.nodes.items()}
    labels = {number: arrow.label for number, arrow in enumerate(picture.arrows) if arrow.label is not None}
    for (one, area), (other, second) in combinations([*boxes.items(), *labels.items()], 2):
        assert not area.overlaps(second), (one, other)
    ends = [(one.source, one.points[0]) for one in picture.arrows]
    ends += [(one.target, one.points[-1]) for one in picture.arrows]
    for (one, (x, y)), (other, (u, v)) in combinations(ends, 2):
        assert one != other or abs(x - u) + abs(y - v) > CLOSEST, one
    for number, arrow in enumerate(picture.arrows):
        assert boxes[arrow.source].is_border(*arrow.points[0])
        assert boxes[arrow.target].is_border(*arrow.points[-1])
        for point in arrow.points:
            assert not any(area.holds(*point) for area in boxes.values()), (arrow.title, point)
            assert not any(area.holds(*point) for other, area in labels.items() if other != number), (
                arrow.title,
                point,
            )
    right = max((area.right for area in [*boxes.values(), *labels.values()]), default=0)
    bottom = max((area.bottom for area in [*boxes.values(), *labels.values()]), default=0)
    assert right <= picture.width
    assert bottom <= picture.height


@pytest.mark.parametrize("name", PICTURES)
def test_nothing_lies_on_top_of_anything_else(name: str) -> None:
    """Boxes and labels keep apart, and no line runs through a box, or through the label of another line."""
    check_places(read_svg(PICTURES[name].to_svg()))


@pytest.mark.parametrize("name", PICTURES)
def test_labels_of_one_arrow_name_its_types(name: str) -> None:
    picture = compose(PICTURES[name])
    drawn = read_svg(PICTURES[name].to_svg())
    assert [arrow.texts for arrow in drawn.arrows] == [arrow.lines for arrow in picture.arrows]
    assert [(one.source, one.target) for one in drawn.arrows] == [(one.source, one.target) for one in picture.arrows]


@pytest.mark.parametrize("name", ["demo", "network_node"])
def test_pictures_are_of_a_sensible_size(name: str) -> None:
    """The demo fits on a page, the large one on a large screen."""
    drawn = read_svg(PICTURES[name].to_svg())
    limits = {"demo": (900, 900), "network_node": (1800, 1800)}
    assert (drawn.width, drawn.height) <= limits[name]
    assert drawn.height <= limits[name][1]


@pytest.mark.parametrize(
    ("title", "styles"),
    [
        ("waiter", {"slot", "subsystem", "built"}),
        ("cook", {"slot", "subsystem", "built", "blocking"}),
        ("larder", {"slot", "thread", "built"}),
        ("tracer", {"slot", "subsystem", "conditional"}),
        ("later", {"slot", "subsystem", "wip"}),
        ("route_message", {"mark", "route_message", "built"}),
        ("handle", {"mark", "handle", "built"}),
        ("on_event", {"mark", "on_event", "built"}),
        ("outgoing", {"mark", "outgoing", "built"}),
        ("nobody", {"mark", "nobody", "built"}),
    ],
)
def test_nodes_are_told_apart(title: str, styles: set[str]) -> None:
    assert node_called(read_svg(Kitchen.graph().to_svg()), title).styles == styles | {"node"}


def test_shapes_of_nodes() -> None:
    """A thread's box has double sides, and nobody is a circle, which arrows reach in the middle of a side."""
    picture = read_svg(Kitchen.graph().to_svg())
    assert node_called(picture, "larder").shapes == 3
    assert node_called(picture, "waiter").shapes == 1
    nobody = node_called(picture, "nobody").area
    assert nobody.right - nobody.left == pytest.approx(nobody.bottom - nobody.top, abs=0.2)
    x, y = arrow_of(picture, "Lost").points[-1]
    assert min(abs(2 * x - nobody.left - nobody.right), abs(2 * y - nobody.top - nobody.bottom)) < 0.3


@pytest.mark.parametrize(
    ("text", "styles"),
    [
        ("Put", {"bounded"}),
        ("Mull", {"unbounded"}),
        ("Again", {"bounded", "blocking"}),
        ("Later", {"bounded", "faded"}),
        ("Order", {"outside"}),
        ("Dish", {"outside"}),
        ("Lost", {"outside"}),
        ("Outside", {"outside"}),
    ],
)
def test_arrows_are_told_apart(text: str, styles: set[str]) -> None:
    assert arrow_of(read_svg(Kitchen.graph().to_svg()), text).styles == styles | {"arrow"}


def test_every_style_that_tells_apart_has_a_look() -> None:
    """In light and in dark: a rule in the style element for each class."""
    style = re.search(r"<style>(.*)</style>", Kitchen.graph().to_svg(), re.DOTALL)
    assert style is not None
    light, dark = style[1].split("@media (prefers-color-scheme: dark)")
    for look in ("blocking", "calm", "wip", "disabled", "mark"):
        assert f".orchestra .{look} .box" in light
        assert f".orchestra .{look} .box" in dark
    for look in ("blocking", "calm", "faded", "outside"):
        assert f".orchestra .{look} .line" in light
        assert f".orchestra .{look} .line" in dark
    assert re.search(r"\.unbounded \.line \{ stroke-dasharray", light)
    assert re.search(r"\.conditional \.box, .* \{ stroke-dasharray", light)


def test_notes_and_conditions_stand_in_the_boxes() -> None:
    picture = read_svg(Kitchen.graph().to_svg())
    assert node_called(picture, "tracer").texts == ("tracer", "if (trace & ~lite)")
    assert node_called(picture, "cook").texts == ("cook", "hears Go, Halt")
    assert picture.heading == ("Kitchen", "signals: Go, Halt", "can block: cook -[Again]-> cook")


def test_calm_cycles() -> None:
    drawn = read_svg(build_graph("ab", [Edge("a", "b", int, "bounded"), Edge("b", "a", str, "unbounded")]).to_svg())
    assert all("calm" in node.styles for node in drawn.nodes.values())
    assert all("calm" in arrow.styles for arrow in drawn.arrows)
    assert drawn.heading == ("cannot block: a -[int]-> b -[str]-> a",)


def test_the_legend_shows_what_occurs() -> None:
    assert read_svg(build_graph("a", []).to_svg()).samples == {}
    for graph in PICTURES.values():
        assert list(read_svg(graph.to_svg()).samples.items()) == [
            (entry.sample, entry.meaning) for entry in compose(graph).legend
        ]


def test_figures_are_drawn() -> None:
    """Numbers on arrows and in boxes, and a gauge for each lane that has a capacity."""
    picture = read_svg(live(Kitchen.graph()).to_svg())
    assert arrow_of(picture, "Fry").texts[-1] == "1,216 sent, 12 urgent"
    cook = node_called(picture, "cook")
    assert cook.texts == ("cook", "hears Go, Halt", "unbounded 3", "bounded 60/64")
    assert cook.levels == pytest.approx([60 / 64], abs=0.01)
    assert list(node_called(picture, "waiter").levels) == [0]


def test_people_who_cannot_see_it_are_told_what_it_is() -> None:
    svg = Kitchen.graph().to_svg()
    picture = read_svg(svg)
    assert 'role="img"' in svg
    assert picture.title == "The wiring of Kitchen"
    assert picture.description == (
        "Subsystems: 6; arrows between them: 8; cycles that can block: 1; can block: cook -[Again]-> cook"
    )
    assert arrow_of(picture, "Fry").title == "waiter to cook: Cut, Boil, Fry, Bake, Taste"
    assert node_called(picture, "later").title == "later; not built yet"


def test_nothing_comes_from_outside() -> None:
    """Neither scripts nor references: the picture is safe to show anywhere."""
    svg = live(Kitchen.graph()).to_svg()
    assert svg.count("http") == 1  # the name of SVG's namespace
    assert not re.search(r"<script|href|url\(|@import|\son\w+=", svg)


@pytest.mark.parametrize("name", ["f.<locals>.Found", "a\"b'c", "a&amp;b", "]]>", "a\x00b", "名前"])
def test_names_are_escaped(name: str) -> None:
    """The document stays well-formed, and shows the name; what has no look becomes a space."""
    shown = name.replace("\x00", " ")
    arrow = read_svg(one_edge(name).to_svg()).arrows[0]
    assert arrow.texts == (shown,)
    assert arrow.title == f"a to b: {shown}"


def test_long_names_are_shortened_and_whole_under_the_pointer() -> None:
    name = "some_function.<locals>.AnOuterClass.AnInnerClass.AMessageOfIt"
    arrow = read_svg(one_edge(name).to_svg()).arrows[0]
    assert arrow.texts == ("some_function.<loca…Class.AMessageOfIt",)
    assert name in arrow.title


def test_an_empty_wiring_is_a_picture_too() -> None:
    picture = read_svg(build_graph((), []).to_svg())
    assert (picture.nodes, picture.arrows) == ({}, ())


def test_both_directions_keep_their_distance(monkeypatch: pytest.MonkeyPatch) -> None:
    """Loops, labels and lanes in a picture that runs to the right, which small wirings rarely do by themselves."""
    for cost in ("width", "height"):
        monkeypatch.setattr(
            "orchestra_trio.wiring.drawing.svg.document._cost", lambda plan, cost=cost: getattr(plan, cost)
        )
        for graph in PICTURES.values():
            picture = read_svg(graph.to_svg())
            check_places(picture)


@given(graphs())
@example(build_graph("a", [Edge("a", "a", type_called("x"), lane) for lane in ("bounded", "unbounded")]))
@settings(max_examples=60)
def test_any_wiring_is_drawn_whole_and_clearly(graph: WiringGraph) -> None:
    """Every node and arrow once, nothing on top of anything else, and the same text again for the same graph."""
    picture, svg = compose(graph), graph.to_svg()
    drawn = read_svg(svg)
    assert list(drawn.nodes) == [node.key for node in picture.nodes]
    assert [(one.source, one.target) for one in drawn.arrows] == [(one.source, one.target) for one in picture.arrows]
    check_places(drawn)
    assert svg == graph.to_svg()
