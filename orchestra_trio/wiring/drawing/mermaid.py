"""A picture of a wiring as a flowchart of Mermaid, which GitHub and others draw inside Markdown."""

from __future__ import annotations

import re
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from orchestra_trio.wiring.drawing.picture import Arrow, Kind, Node, Picture, Sample

__all__ = ["encode", "to_mermaid"]

_HARMFUL: Final = re.compile(r"""[^\w \-.,:;()/+'[\]]|(?<!\w)_+|_+(?!\w)""")

SHAPES: Mapping[Kind, tuple[str, str]] = MappingProxyType(
    {
        "subsystem": ("[", "]"),
        "thread": ("[[", "]]"),
        "route_message": ("([", "])"),
        "handle": ("([", "])"),
        "on_event": ("{{", "}}"),
        "outgoing": ("([", "])"),
        "nobody": ("((", "))"),
    }
)
LOOKS: Mapping[Sample, str] = MappingProxyType(
    {
        "bounded": "solid arrow",
        "unbounded": "dotted arrow",
        "blocking path": "thick red arrow",
        "blocking node": "red box",
        "calm path": "blue arrow",
        "calm node": "blue box",
        "thread": "box with double sides",
        "conditional": "dashed box",
        "disabled": "dashed grey box, with its condition",
        "wip": "dashed grey box",
        "queue": "12/64",
        "nobody": "circle",
    }
)
# Colours that stand out on light and dark pages alike; text is left to the page's theme but where there is a fill.
CLASSES: Mapping[str, str] = MappingProxyType(
    {
        "blocking": "fill:#fbe3e0,stroke:#b3261e,color:#1c1b1f",
        "calm": "fill:#e3eefb,stroke:#1f5fa8,color:#1c1b1f",
        "conditional": "stroke-dasharray:5 4",
        "absent": "fill:#f1f2f4,stroke:#8a919c,color:#6b7280,stroke-dasharray:5 4",
        "legend": "fill:none,stroke:#8a919c,text-align:left",
    }
)
LINES: Mapping[str, str] = MappingProxyType(
    {
        "blocking": "stroke:#b3261e,stroke-width:3px",
        "calm": "stroke:#3b7dd8",
        "faded": "stroke:#8a919c",
    }
)


def to_mermaid(picture: Picture) -> str:
    """Return the picture as the text of a flowchart, without the fence that Markdown wants around it."""
    lines = [*_title(picture), "flowchart TB", *map(_node, picture.nodes), *map(_arrow, picture.arrows)]
    if texts := [*picture.notes, *(f"{LOOKS[one.sample]}: {one.meaning}" for one in picture.legend)]:
        lines.append(f"    legend[{_label(texts)}]")
    classes: dict[str, list[str]] = {"legend": ["legend"] if texts else []}
    for node in picture.nodes:
        for name in _classes(node):
            classes.setdefault(name, []).append(node.key)
    for name, look in CLASSES.items():
        if members := classes.get(name):
            lines += [f"    classDef {name} {look}", f"    class {','.join(members)} {name}"]
    numbers: dict[str, list[str]] = {}
    for number, arrow in enumerate(picture.arrows):
        if (style := _look(arrow)) is not None:
            numbers.setdefault(style, []).append(str(number))
    lines += [f"    linkStyle {','.join(numbers[name])} {look}" for name, look in LINES.items() if name in numbers]
    return "\n".join([*lines, ""])


def _title(picture: Picture) -> Iterator[str]:
    if picture.title is not None:
        signals = f", signals: {', '.join(picture.signals)}" if picture.signals else ""
        yield from ("---", f'title: "{_yaml(picture.title + signals)}"', "---")


def _node(node: Node) -> str:
    opening, closing = SHAPES[node.kind]
    return f"    {node.key}{opening}{_label([node.title, *node.subtitle, *node.queue_lines])}{closing}"


def _arrow(arrow: Arrow) -> str:
    line = "-.->" if arrow.lane == "unbounded" else "==>" if arrow.cycling == "blocking" else "-->"
    label = f"|{_label(arrow.lines)}|" if arrow.lines else ""
    return f"    {arrow.source} {line}{label} {arrow.target}"


def _classes(node: Node) -> Iterator[str]:
    if node.presence in ("wip", "disabled"):
        yield "absent"
        return
    if node.cycling != "no":
        yield node.cycling
    if node.presence == "conditional":
        yield "conditional"


def _look(arrow: Arrow) -> str | None:
    if arrow.cycling != "no":
        return arrow.cycling
    return "faded" if arrow.is_faded else None


def _label(lines: Iterable[str]) -> str:
    return f'"{"<br/>".join(map(_escaped, lines))}"'


def _escaped(text: str) -> str:
    """Return the text as Mermaid's entity codes where it could mean something in a label, Markdown included."""
    return encode(text, _HARMFUL)


def encode(text: str, harmful: re.Pattern[str]) -> str:
    """Return the text with what matches as Mermaid's entity codes, and a space for what cannot be printed."""
    plain = "".join(one if one.isprintable() else " " for one in text)
    return harmful.sub(_coded, plain)


def _coded(match: re.Match[str]) -> str:
    return "".join(f"#{ord(one)};" for one in match[0])


def _yaml(text: str) -> str:
    plain = "".join(one if one.isprintable() else " " for one in text)
    return plain.replace("\\", "\\\\").replace('"', '\\"')
