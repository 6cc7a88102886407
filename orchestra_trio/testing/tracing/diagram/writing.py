"""Writing rows and loops as lines of a Mermaid sequence diagram."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

import attrs

from orchestra_trio.testing.tracing.diagram.rows import MOMENT, Loop
from orchestra_trio.wiring.drawing.mermaid import encode

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from orchestra_trio.testing.tracing.diagram.rows import Node, Place, Row, Tone

__all__ = ["places_of", "time_text", "write"]

_COLOURS: Final[dict[Tone, str]] = {"error": "rgba(179, 38, 30, 0.25)", "shown": "rgba(31, 95, 168, 0.25)"}
"""Backgrounds on which text is read on light and dark pages alike."""

_HARMFUL: Final = re.compile(r"""[^\w \-.,()/+'"=!?*|@~^[\]]""")
"""What could mean something in a text. (A colon does at its beginning, and anywhere behind the word "style".)"""

_PLAIN_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9_]*")

_KEYWORD: Final = re.compile(
    "accdescr|acctitle|activate|actor|alt|and|as|autonumber|box|break|constructor|create|critical|deactivate|destroy|"
    "details|else|end|left|link|links|loop|note|nowrap|off|opt|option|over|par|par_over|participant|properties|rect|"
    "right|sequencediagram|style|title|wrap",
    re.IGNORECASE,
)
"""Names that Mermaid would not take for names."""


def places_of(nodes: Iterable[Node]) -> Iterator[Place]:
    """Yield whom nodes are about, in the order in which they come, again and again."""
    for node in nodes:
        yield from places_of(node.body) if isinstance(node, Loop) else node.ends


def write(nodes: Sequence[Node], places: Sequence[Place], name_of: Callable[[Place], str]) -> list[str]:
    """Return the lines of the diagram.

    Args:
        nodes: What it shows.
        places: The participants, from left to right.
        name_of: Returns what a place is called.
    """
    ids: dict[Place, str] = {}
    lines = ["sequenceDiagram"]
    taken = {name_of(place) for place in places}
    for number, place in enumerate(places):
        name = name_of(place)
        is_plain = _PLAIN_NAME.fullmatch(name) and not _KEYWORD.fullmatch(name) and name not in ids.values()
        ids[place] = name if is_plain else _free(f"p{number}", taken)
        lines.append(f"    participant {ids[place]}{'' if is_plain else f' as {_encoded(name)}'}")
    writer = _Writer(ids, {place: rank for rank, place in enumerate(places)}, name_of)
    for node in nodes:
        lines += (f"    {line}" for line in writer.write(node, is_inner=False))
    return lines


def _free(name: str, taken: set[str]) -> str:
    while name in taken:
        name += "_"
    taken.add(name)
    return name


def _encoded(text: str) -> str:
    return encode(text, _HARMFUL).strip() or "?"


def _span_text(node: Node) -> str:
    """Return from when to when."""
    return f"{time_text(node.began)} to {time_text(node.ended)}"


def time_text(time: float) -> str:
    """Return a time in seconds, as short as milliseconds allow."""
    return f"{time:,.3f}".rstrip("0").rstrip(".") + " s"


def _times_text(node: Node, *, is_inner: bool) -> str:
    """Return how often, and from when to when."""
    if isinstance(node, Loop) and node.is_mixed:
        many = f"{node.events:,} events in no regular order"
    else:
        many = f"{node.most:,} times" if node.fewest == node.most else f"{node.fewest:,} to {node.most:,} times"
    return many if is_inner or node.ended - node.began < MOMENT else f"{many}, {_span_text(node)}"


@attrs.frozen
class _Writer:
    ids: Mapping[Place, str]
    ranks: Mapping[Place, int]
    name_of: Callable[[Place], str]

    def write(self, node: Node, *, is_inner: bool) -> Iterator[str]:
        """Yield the lines of a node."""
        times = _times_text(node, is_inner=is_inner) if node.is_block else ""
        if not isinstance(node, Loop):
            line = self._line(node, times)
            colour = _COLOURS.get(node.tone)
            yield from [line] if colour is None else (f"rect {colour}", f"    {line}", "end")
            return
        indent = "    " if times else ""
        if times:
            yield f"loop {times}"
        for one in node.body:
            yield from (f"{indent}{line}" for line in self.write(one, is_inner=True))
        if times:
            yield "end"

    def _line(self, row: Row, times: str) -> str:
        text = f"{row.text}, {times}" if times else row.text
        if row.arrow:
            source, target = row.ends
            return f"{self.ids[source]}{row.arrow}{self.ids[target]}: {_encoded(text)}"
        ends = sorted(row.ends or self.ids, key=self.ranks.__getitem__)
        first, last = ends[0], ends[-1]
        over = self.ids[first] if first == last else f"{self.ids[first]},{self.ids[last]}"
        if self.ranks[last] - self.ranks[first] >= len(ends):  # it lies over others, too
            text = f"{text} ({', '.join(map(self.name_of, ends))})"
        return f"Note over {over}: {_encoded(text)}"
