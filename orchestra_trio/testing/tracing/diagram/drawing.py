"""Drawing a trace: which of its events are shown, and how much is folded or left out for it to fit on a page."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from functools import partial
from itertools import accumulate, groupby
from typing import TYPE_CHECKING, Final

from orchestra_trio.testing.tracing.diagram.folding import common_shapes, fold, mix
from orchestra_trio.testing.tracing.diagram.reading import read
from orchestra_trio.testing.tracing.diagram.rows import MOMENT, NOBODY, Row
from orchestra_trio.testing.tracing.diagram.telling import tell
from orchestra_trio.testing.tracing.diagram.writing import places_of, time_text, write

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence

    from orchestra_trio.testing.tracing.diagram.rows import Node, Place
    from orchestra_trio.testing.tracing.trace import Trace, TraceEvent

__all__ = ["draw"]

_MARGIN: Final = 6
"""How many events are shown before and after each that the caller asks for."""

_FOLDINGS: Final = ((12, True), (3, True), (3, False))
"""Until it fits: how often a pattern must come to be folded, and whether types of messages differ in shape."""

_FEW_TIMES: Final = 10
"""How often the time is shown where showing it at every change takes too many lines."""

_MIXINGS: Final = (12, 2)
"""Where no folding suffices: how often an arrow or note must come to be mixed with others."""

_REACH: Final = 4
"""For each line that there is room for, so many rows of the beginning and of the end may be shown."""

_LEAST_ROOM: Final = 8


def draw(
    trace: Trace,
    *,
    outside: str,
    first: int | None,
    last: int | None,
    around: Collection[TraceEvent],
    subsystems: Collection[str] | None,
    max_lines: int,
) -> str:
    """Return the trace as the text of a sequence diagram; see `Trace.to_mermaid`.

    Args:
        trace: The trace.
        outside: What the embedding program is called.
        first: As there.
        last: As there.
        around: As there.
        subsystems: As there.
        max_lines: As there.
    """

    def name_of(place: Place) -> str:
        return outside if place is None else place

    events = list(trace.events)  # threads may go on recording
    facts = read(events)
    among = None if subsystems is None else _places_named(subsystems, events, trace, outside)
    if among is not None:
        origins = {message: event.sender for message, event in facts.sent.items()}
        events = [event for event in events if among & _concerned(event, origins)]
    shown = {event.number for event in around}
    rows: list[Row] = []
    for is_kept, piece in _pieces(events, first=first, last=last, shown=shown):
        if is_kept:
            rows += tell(piece, facts, shown=shown, among=among, name_of=name_of)
        else:
            rows.append(_gap(len(piece), piece[0].time))
    nodes = _fitted(rows, max_lines - 1 - len(set(places_of(rows))))
    return "\n".join([*write(nodes, _in_order(nodes, trace), name_of), ""])


def _places_named(names: Collection[str], events: Sequence[TraceEvent], trace: Trace, outside: str) -> frozenset[Place]:
    known: set[Place] = {None, *trace.subsystems}
    for event in events:
        known |= {event.subsystem, event.sender}
    places = {None if name == outside and name not in known else name for name in names}
    if unknown := sorted(str(place) for place in places - known):
        raise ValueError(f"nothing of the trace is about {', '.join(unknown)}")
    return frozenset(places)


def _concerned(event: TraceEvent, origins: Mapping[int, Place]) -> set[Place]:
    match event.kind:
        case "receive":
            if event.message is None or event.message not in origins:
                return {event.subsystem}
            return {event.subsystem, origins[event.message]}
        case "broadcast":
            return set(event.audience)
        case "start" | "end of input" | "exit" | "error" | "job" | "job end":
            return {event.subsystem}
        case _:
            return {event.subsystem, event.sender}


def _pieces(
    events: Sequence[TraceEvent], *, first: int | None, last: int | None, shown: Collection[int]
) -> Iterator[tuple[bool, list[TraceEvent]]]:
    """Yield stretches of events, and whether they are to be drawn."""
    kept: set[int] = set()
    if first is not None:
        kept |= set(range(first))
    if last is not None:
        kept |= set(range(len(events) - last, len(events)))
    for place, event in enumerate(events):
        if event.number in shown:
            kept |= set(range(place - _MARGIN, place + _MARGIN + 1))
    is_all = first is None and last is None and not shown
    for is_kept, piece in groupby(enumerate(events), key=lambda one: is_all or one[0] in kept):
        yield is_kept, [event for _, event in piece]


def _note(text: str, time: float, events: int) -> Row:
    """Return a note over all participants."""
    return Row(arrow="", ends=(), before=text, began=time, ended=time, events=events)


def _left_out(rows: Sequence[Row]) -> list[Node]:
    return [_gap(sum(row.events for row in rows), rows[0].began)] if rows else []


def _gap(events: int, time: float) -> Row:
    return _note(f"{events:,} event{'' if events == 1 else 's'} left out", time, events)


def _fitted(rows: Sequence[Row], room: int) -> list[Node]:
    """Return the rows, folded as far as they must be to take no more lines, without the middle where nothing helps."""
    room = max(room, _LEAST_ROOM)
    few = max(MOMENT, (rows[-1].ended - rows[0].began) / _FEW_TIMES) if rows else MOMENT
    for least, with_types in _FOLDINGS:
        folded = fold(rows, least=least, with_types=with_types)
        for step in (MOMENT, few):
            nodes = list(_with_times(folded, step))
            if _height(nodes) <= room:
                return nodes
    for least in _MIXINGS:
        mixed = partial(mix, common=common_shapes(rows, least=least))
        if abridged := _abridged(rows, room, few, mixed, range(room - 4, room // 2, -4)):
            return abridged
    return _abridged(rows, room, few, _left_out, range(room - 1, 0, -1)) or _left_out(rows)


def _abridged(
    rows: Sequence[Row], room: int, step: float, stand_in: Callable[[Sequence[Row]], list[Node]], spaces: Iterable[int]
) -> list[Node] | None:
    """Return the beginning and, twice as long, the end, folded; between them what stands for the middle.

    Args:
        rows: All rows.
        room: How many lines there may be.
        step: After how long the time is shown anew.
        stand_in: Returns what stands for the middle.
        spaces: How many lines of beginning and end together to try, until all fits; if nothing does, None is returned.
    """
    reach = min(_REACH * room, len(rows) // 2)
    beginning, ending = (fold(part, least=3, with_types=True) for part in (rows[:reach], rows[-reach:]))
    for space in spaces:
        head = beginning[: _count_fitting(beginning, space // 3)]
        tail = ending[len(ending) - _count_fitting(ending[::-1], space - _height(head)) :]
        middle = rows[_count_rows(rows, head) : len(rows) - _count_rows(rows[::-1], tail)]
        nodes = list(_with_times([*head, *stand_in(middle), *tail], step))
        if _height(nodes) <= room:
            return nodes
    return None


def _count_rows(rows: Sequence[Row], nodes: Sequence[Node]) -> int:
    """Return how many of these rows the nodes stand for."""
    events = sum(one.events for one in nodes)
    return bisect_left(list(accumulate(row.events for row in rows)), events) + 1 if events else 0


def _count_fitting(nodes: Sequence[Node], room: int) -> int:
    """Return how many of the first nodes take no more lines."""
    return bisect_right(list(accumulate(one.height for one in nodes)), room)


def _height(nodes: Iterable[Node]) -> int:
    return sum(one.height for one in nodes)


def _with_times(nodes: Sequence[Node], step: float) -> Iterator[Node]:
    """Yield the nodes, and a note with the time wherever that has gone on by a step."""
    time = 0.0
    for node in nodes:
        tells_time = node.is_block and node.ended - node.began >= MOMENT
        if node.began - time >= step and not tells_time:
            time = node.began
            yield _note(f"at {time_text(time)}", time, 0)
        yield node
        time = node.ended if tells_time else time


def _in_order(nodes: Sequence[Node], trace: Trace) -> list[Place]:
    """Return the participants, from left to right: the outside, the subsystems in the order of the wiring, others."""
    seen = dict.fromkeys(places_of(nodes))
    order = dict.fromkeys((None, "on_event", *trace.subsystems, *(place for place in seen if place != NOBODY), NOBODY))
    return [place for place in order if place in seen] or [*trace.subsystems] or [None]
