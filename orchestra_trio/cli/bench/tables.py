"""A report as text, no line of which is longer than `WIDTH`. Pure."""

import textwrap
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from orchestra_trio.cli.bench.capacities import FEWEST
from orchestra_trio.cli.bench.limits import LEAST, Limit
from orchestra_trio.cli.bench.looking import ANSWERS, OUTGOING, Place
from orchestra_trio.cli.bench.report import FlightReport, LaneReport, Report
from orchestra_trio.cli.printing import printable

__all__ = ["WIDTH", "describe"]

WIDTH: Final = 100

MOST_ROWS: Final = 40
"""The most rows of a table."""

_NAME: Final = 18
_BUSY: Final = 0.9
"""From this share on, trio's thread is what limits."""
_MOSTLY: Final = 0.5

_Row = Sequence[str]


def describe(report: Report) -> str:
    """Return a report as text: a line that sums it up, what limits it, and the tables."""
    blocks = [
        _lines(_summary(report)),
        "\n".join(f"  {line}" for one in _findings(report) for line in _wrap(one)),
        _edges(report),
        _lanes(report),
        _flights(report),
        _subsystems(report),
    ]
    return "\n\n".join(block for block in blocks if block)


def _summary(report: Report) -> str:
    begun = f"{report.orchestra}: {_number(report.per_second)} messages/s for {report.seconds:.1f} s"
    return f"{begun}; {_verdict(report)}"


def _verdict(report: Report) -> str:
    held = [limit for limit in report.limits if limit.share >= _MOSTLY]
    if report.computed >= _BUSY:
        behind = f", and {_who(report.limits[0])} most of all" if report.limits else ""
        return f"trio's thread limits it{behind}"
    if held:
        return f"{_who(held[0])} limits it"
    if report.limits:
        return f"{_who(report.limits[0])} limits it at times"
    return "no lane limits it"


def _who(limit: Limit) -> str:
    name = limit.place.subsystem
    return "who reads what goes out" if name == OUTGOING else printable(name)


def _findings(report: Report) -> Iterator[str]:
    if report.ending == "interrupted":
        yield "Interrupted: these are the figures so far."
    if report.ending == "ended":
        yield "It ended by itself, before its time was over."
    for limit in report.limits:
        yield _explain(limit)
    if not report.limits:
        yield "No lane was full for long while senders waited for it: what comes in is handled as fast as it comes."
    yield (
        f"trio's thread computed for {_percent(report.computed)} of the time"
        + ("; all subsystems share it, but for those in threads." if report.computed >= _BUSY else ".")
    )
    if report.parts:
        parts = f"{_number(min(report.parts))} to {_number(max(report.parts))}"
        yield f"In each fifth of the time it was {parts} messages/s."
    for lane in report.lanes:
        if lane.capacity is None and lane.grown > FEWEST:
            where = Place(lane.subsystem, lane.lane)
            yield f"{where} has grown by {lane.grown:,} messages, and nothing bounds it: its consumer is too slow."
    if report.dead_letters:
        reasons = ", ".join(f"{count:,} {reason}" for reason, count in report.dead_letters.items())
        yield f"Dead letters, which nobody received: {reasons}."
    yield (
        f"Shares are of {report.looks:,} looks. A limit is what remains when one follows, from each lane that was full "
        f"and waited for in {_percent(LEAST)} of the looks or more, who kept its consumer waiting most of that time."
    )


def _explain(limit: Limit) -> str:
    place, share = limit.place, _percent(limit.share)
    limits = "limits" if limit.share >= _MOSTLY else "limits at times"
    if limit.is_circle:
        circle = " -> ".join(dict.fromkeys(one.subsystem for one in limit.chain))
        what = f"others waited for answers of {place.subsystem}" if place.lane == ANSWERS else f"{place} was full"
        return f"{circle}: these wait for each other in a circle; {what} for {share} of the time."
    if place.lane == ANSWERS:
        text = f"{place.subsystem} {limits}: others waited for its answers for {share} of the time"
    elif place.subsystem == OUTGOING:
        text = f"what goes out {limits}: `running.outgoing` was full for {share} of the time"
    else:
        text = f"{place.subsystem} {limits}: its {place.lane} lane was full for {share} of the time"
    if place.subsystem != OUTGOING:
        text += ", and meanwhile nobody kept it waiting"
    if len(limit.chain) > 1:
        shown = zip(limit.chain, limit.shares, strict=True)
        text += "; so it came to be: " + " <- ".join(f"{one} ({_percent(part)})" for one, part in reversed(list(shown)))
    return f"{text}."


def _edges(report: Report) -> str:
    heading = ("from", "to", "lane", "messages", "per second", "types")
    rows = [
        (one.sender, one.consumer, one.lane, f"{one.messages:,}", _number(one.per_second), " | ".join(one.types))
        for one in report.edges
    ]
    return _table("messages", heading, rows, texts=(0, 1, 2, 5))


def _lanes(report: Report) -> str:
    heading = ("subsystem", "lane", "per second", "capacity", "peak", "full", "blocked", "suggested capacity")
    rows = [
        (
            one.subsystem,
            one.lane,
            _number(one.per_second),
            "-" if one.capacity is None else f"{one.capacity:,}",
            f"{one.peak:,}",
            _percent(one.full),
            f"{one.blocked:,}",
            _suggested(one),
        )
        for one in report.lanes
    ]
    return _table("lanes", heading, rows, texts=(0, 1, 7))


_WHY: Final = {
    "too few": f"fewer than {FEWEST} messages",
    "always full": "more would only fill, too",
    "bursts": "senders waited at times",
    "to spare": "twice the peak is enough",
    "fits": "as it is",
}


def _suggested(lane: LaneReport) -> str:
    if lane.suggestion is None:
        return ""
    number = "-" if lane.suggestion.capacity is None else f"{lane.suggestion.capacity:,}"
    return f"{number}: {_WHY[lane.suggestion.why]}"


def _flights(report: Report) -> str:
    heading = ("subsystem", "lane", "timed", "p50", "p90", "p99", "longest")
    rows = [(one.subsystem, one.lane, *_flight(one.flights)) for one in report.lanes if one.flights is not None]
    return _table("time of flight, from entering a lane to leaving it, of every 16th message", heading, rows, (0, 1))


def _flight(flights: FlightReport) -> Iterator[str]:
    yield f"{flights.timed:,}"
    for seconds in (flights.p50, flights.p90, flights.p99, flights.longest):
        yield f"{seconds * 1e3:,.3f} ms"


def _subsystems(report: Report) -> str:
    heading = ("subsystem", "tasks", "for input", "for room", "for answers", "for none of these")
    rows = [
        (one.subsystem, f"{one.tasks:.1f}", *map(_percent, (one.input, one.room, one.answers, one.busy)))
        for one in report.subsystems
    ]
    return _table("what the tasks of each subsystem waited for", heading, rows, texts=(0,))


def _table(title: str, heading: _Row, rows: Sequence[_Row], texts: Iterable[int]) -> str:
    """Return a table with its title; columns of texts are set to the left, and cut where they are too wide.

    Where there are more than `MOST_ROWS` rows, the last line says how many are left out.
    """
    if not rows:
        return ""
    left = set(texts)
    cells = [[printable(cell) for cell in row] for row in (heading, *rows[:MOST_ROWS])]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    for number in left - {len(heading) - 1}:
        widths[number] = min(widths[number], _NAME)
    for _ in range(2 * len(widths) + sum(widths) - WIDTH):
        widths[max(left, key=widths.__getitem__)] -= 1
    lines = [title]
    for row in cells:
        shown = [_fit(cell, width) for cell, width in zip(row, widths, strict=True)]
        set_out = [
            cell.ljust(width) if number in left else cell.rjust(width)
            for number, (cell, width) in enumerate(zip(shown, widths, strict=True))
        ]
        lines.append("  " + "  ".join(set_out).rstrip())
    if len(rows) > MOST_ROWS:
        lines.append(f"  and {len(rows) - MOST_ROWS:,} more (--json has all)")
    return "\n".join(lines)


def _fit(text: str, width: int) -> str:
    return text if len(text) <= width else text[: width - 1] + "…"


def _lines(text: str) -> str:
    return "\n".join(textwrap.wrap(printable(text), WIDTH, break_on_hyphens=False))


def _wrap(text: str) -> list[str]:
    return textwrap.wrap(printable(text), WIDTH - 4, subsequent_indent="  ", break_on_hyphens=False)


def _number(number: float) -> str:
    return f"{number:,.0f}" if number >= 10 else f"{number:,.1f}"  # noqa: PLR2004 - below, a digit more says something


def _percent(share: float) -> str:
    return f"{share:.0%}".replace("%", " %")
