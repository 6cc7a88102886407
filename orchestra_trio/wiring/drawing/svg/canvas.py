"""Elements of SVG, one after the other, as text."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, TypeAlias

import attrs

from orchestra_trio.wiring.drawing.svg.text import printable

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from orchestra_trio.wiring.drawing.layout.plan import Point

__all__ = ["Canvas"]

Value: TypeAlias = "str | float"

HEAD, HALF_HEAD = 9.0, 4.0
THICKER = 1.25
NEAR = 0.01


@attrs.define
class Canvas:
    """What has been drawn so far."""

    parts: list[str] = attrs.field(factory=list[str])

    def tag(self, name: str, attributes: Mapping[str, Value], content: str | None = None) -> None:
        """Add an element; texts are escaped, numbers are rounded."""
        opened = f"<{name}{_listed(attributes)}"
        self.parts.append(f"{opened}/>" if content is None else f"{opened}>{escape(printable(content))}</{name}>")

    def begin(self, style: str, title: str | None = None, **attributes: str) -> None:
        """Begin a group, with the text that is shown where the pointer rests on it."""
        self.parts.append(f"<g{_listed({'class': style, **attributes})}>")
        if title is not None:
            self.tag("title", {}, title)

    def end(self) -> None:
        """End a group."""
        self.parts.append("</g>")

    def text(self, x: float, y: float, content: str, style: str) -> None:
        """Add a line of text, by its base line."""
        self.tag("text", {"x": x, "y": y, "class": style}, content)

    def box(self, style: str, x: float, y: float, width: float, height: float, radius: float = 0) -> None:
        """Add a rectangle, by its middle."""
        begin = {"x": x - width / 2, "y": y - height / 2}
        self.tag("rect", {"class": style, **begin, "width": width, "height": height, "rx": radius})

    def polygon(self, style: str, corners: Iterable[Point]) -> None:
        """Add a polygon."""
        self.tag("polygon", {"class": style, "points": " ".join(f"{_number(x)},{_number(y)}" for x, y in corners)})

    def upright(self, style: str, x: float, y: float, height: float) -> None:
        """Add an upright line, by its middle."""
        self.tag("path", {"class": style, "d": f"M {_number(x)} {_number(y - height / 2)} v {_number(height)}"})

    def arrow(self, points: Sequence[Point], *, is_thick: bool = False) -> None:
        """Add a line of Bézier curves, with the head of an arrow at its end.

        Every arrow ends at a right angle to the border that it reaches, so that its head has one of four directions.
        """
        end_x, end_y = points[-1]
        before_x, before_y = next(one for one in reversed(points) if abs(one[0] - end_x) + abs(one[1] - end_y) > NEAR)
        aside, up = end_x - before_x, end_y - before_y
        along_x, along_y = ((aside > 0) - (aside < 0), 0) if abs(aside) > abs(up) else (0, (up > 0) - (up < 0))
        size, half = (HEAD * THICKER, HALF_HEAD * THICKER) if is_thick else (HEAD, HALF_HEAD)
        base_x, base_y = end_x - along_x * size, end_y - along_y * size
        texts = [f"{_number(x)} {_number(y)}" for x, y in (*points[:-1], (base_x, base_y))]
        curves = (f"C {', '.join(texts[place : place + 3])}" for place in range(1, len(texts), 3))
        self.tag("path", {"class": "line", "d": f"M {texts[0]} {' '.join(curves)}"})
        left = (base_x - along_y * half, base_y + along_x * half)
        right = (base_x + along_y * half, base_y - along_x * half)
        self.polygon("head", [(end_x, end_y), left, right])


def _listed(attributes: Mapping[str, Value]) -> str:
    return "".join(
        f' {name}="{escape(value) if isinstance(value, str) else _number(value)}"' for name, value in attributes.items()
    )


def _number(value: float) -> str:
    return f"{round(value, 1) + 0:.1f}".removesuffix(".0")  # plus nought: there is a negative one
