"""Reads pictures back: what stands where in an SVG document, and which nodes and arrows a text has."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import attrs

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Area", "SvgArrow", "SvgNode", "SvgPicture", "mermaid_arrows", "mermaid_nodes", "read_svg"]

NAMESPACE = "{http://www.w3.org/2000/svg}"
STEPS = 12
SLACK = 0.25
"""Coordinates are rounded to a tenth."""


@attrs.frozen
class Area:
    """A rectangle."""

    left: float
    top: float
    right: float
    bottom: float

    def overlaps(self, other: Area) -> bool:
        beside = self.right <= other.left + SLACK or other.right <= self.left + SLACK
        return not beside and not (self.bottom <= other.top + SLACK or other.bottom <= self.top + SLACK)

    def holds(self, x: float, y: float) -> bool:
        """Whether a point lies inside, and not at the border."""
        return self.left + SLACK < x < self.right - SLACK and self.top + SLACK < y < self.bottom - SLACK

    def is_border(self, x: float, y: float) -> bool:
        inside = self.left - SLACK <= x <= self.right + SLACK and self.top - SLACK <= y <= self.bottom + SLACK
        return inside and not self.holds(x, y)


@attrs.frozen
class SvgNode:
    key: str
    styles: frozenset[str]
    title: str
    texts: tuple[str, ...]
    area: Area
    shapes: int
    """How many elements its outline has."""
    levels: tuple[float, ...]
    """How far its gauges are filled, each as a part of its width."""


@attrs.frozen
class SvgArrow:
    source: str
    target: str
    styles: frozenset[str]
    title: str
    texts: tuple[str, ...]
    label: Area | None
    points: tuple[tuple[float, float], ...]
    """Points on its line, close to each other, from its beginning to the tip of its head."""


@attrs.frozen
class SvgPicture:
    width: float
    height: float
    title: str
    description: str
    nodes: dict[str, SvgNode]
    arrows: tuple[SvgArrow, ...]
    samples: dict[str, str]
    """The legend: what each sample is said to mean."""
    heading: tuple[str, ...]


def read_svg(text: str) -> SvgPicture:
    """Read a document that `to_svg` has made."""
    root = ET.fromstring(text)  # noqa: S314 - it was made by the code under test
    drawing = next(one for one in root if one.get("class") == "drawing")
    legend = [one for one in root if one.get("class") == "legend"]
    groups = list(drawing)
    _, _, width, height = map(float, root.attrib["viewBox"].split())
    return SvgPicture(
        width=width,
        height=height,
        title=_texts(root, "title")[0],
        description=_texts(root, "desc")[0],
        nodes={one.attrib["data-node"]: _node(one) for one in groups if "data-node" in one.attrib},
        arrows=tuple(_arrow(one) for one in groups if "data-source" in one.attrib),
        samples={
            sample.attrib["data-sample"]: meaning.text or ""
            for one in legend
            for sample, meaning in zip(list(one)[::2], list(one)[1::2], strict=True)
        },
        heading=tuple(_texts(root, "text")),
    )


def _texts(element: ET.Element, tag: str) -> list[str]:
    return [one.text or "" for one in element.findall(NAMESPACE + tag)]


def _styles(element: ET.Element) -> frozenset[str]:
    return frozenset(element.attrib["class"].split())


def _node(group: ET.Element) -> SvgNode:
    boxes = [one for one in group if one.get("class") == "box"]
    gauges = [list(one) for one in group if one.tag == NAMESPACE + "g"]
    return SvgNode(
        key=group.attrib["data-node"],
        styles=_styles(group),
        title=_texts(group, "title")[0],
        texts=tuple(_texts(group, "text")),
        area=_area(boxes[0]),
        shapes=len(boxes),
        levels=tuple(sum(_width(bar) for bar in bars[1:]) / _width(bars[0]) for bars in gauges),
    )


def _width(element: ET.Element) -> float:
    return float(element.attrib["width"])


def _arrow(group: ET.Element) -> SvgArrow:
    under = [one for one in group if one.get("class") == "under"]
    path = next(one for one in group if one.get("class") == "line")
    head = next(one for one in group if one.get("class") == "head")
    return SvgArrow(
        source=group.attrib["data-source"],
        target=group.attrib["data-target"],
        styles=_styles(group),
        title=_texts(group, "title")[0],
        texts=tuple(_texts(group, "text")),
        label=_area(under[0]) if under else None,
        points=(*_along(path.attrib["d"]), _corners(head)[0]),
    )


def _area(element: ET.Element) -> Area:
    if element.tag == NAMESPACE + "polygon":
        corners = _corners(element)
        return Area(
            min(x for x, _ in corners),
            min(y for _, y in corners),
            max(x for x, _ in corners),
            max(y for _, y in corners),
        )
    x, y, width, height = (float(element.attrib[name]) for name in ("x", "y", "width", "height"))
    return Area(x, y, x + width, y + height)


def _corners(element: ET.Element) -> list[tuple[float, float]]:
    numbers = [float(one) for one in re.split(r"[ ,]", element.attrib["points"])]
    return list(zip(numbers[::2], numbers[1::2], strict=True))


def _along(path: str) -> Iterator[tuple[float, float]]:
    numbers = [float(one) for one in re.findall(r"-?[\d.]+", path)]
    points = list(zip(numbers[::2], numbers[1::2], strict=True))
    yield points[0]
    for place in range(0, len(points) - 1, 3):
        (ax, ay), (bx, by), (cx, cy), (dx, dy) = points[place : place + 4]
        for step in range(1, STEPS + 1):
            t = step / STEPS
            u = 1 - t
            yield (
                u**3 * ax + 3 * u * u * t * bx + 3 * u * t * t * cx + t**3 * dx,
                u**3 * ay + 3 * u * u * t * by + 3 * u * t * t * cy + t**3 * dy,
            )


def mermaid_nodes(text: str) -> list[str]:
    """The keys of all nodes, the legend left out."""
    return re.findall(
        r'^    (\w+)(?:\[|\(|\{)[\[(\{]*"[^"\n]*"[\])\}]+$', text.replace("    legend[", "legend["), re.MULTILINE
    )


def mermaid_arrows(text: str) -> list[tuple[str, str, str, str]]:
    """Source, line, label and target of all arrows."""
    found = re.findall(r'^    (\w+) (-->|-\.->|==>)(?:\|"([^"\n]*)"\|)? (\w+)$', text, re.MULTILINE)
    return [(source, line, label, target) for source, line, label, target in found]
