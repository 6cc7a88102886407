"""How the demo words what it has to say: text without any style, which every display lays out in its way."""

from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from statistics import median

from orchestra_trio import OrchestraStatistics, Readout
from orchestra_trio.cli.demo.messages import Answer, Hit, Skipped, Totals
from orchestra_trio.cli.printing import printable

__all__ = [
    "METERS",
    "describe_answer",
    "describe_hit",
    "describe_progress",
    "describe_totals",
    "list_skipped",
    "meter_rows",
    "relative",
]

METERS = ("subsystem", "lane", "sent", "received", "peak", "blocked", "flight")
"""The headings of `meter_rows`; the flight is the median of the sampled ones."""


def describe_progress(totals: Totals, statistics: OrchestraStatistics) -> str:
    """Return one line on how far it has come."""
    line = f"{statistics.uptime:6.1f} s  {_count(totals.files, 'file')}, {_count(totals.tokens, 'token')}"
    return f"{line}, {len(totals.skipped):,} skipped"


def describe_totals(totals: Totals, seconds: float) -> str:
    """Return one line on what was done, and how fast."""
    files, tokens, size = (round(amount / seconds, 1) for amount in (totals.files, totals.tokens, totals.size / 1e6))
    return (
        f"{_count(totals.files, 'file')}, {_count(totals.tokens, 'token')}, {totals.size / 1e6:,.1f} MB "
        f"in {seconds:.1f} s: {files:,.0f} files/s, {tokens:,.0f} tokens/s, {size:,.1f} MB/s"
    )


def list_skipped(skipped: tuple[Skipped, ...], folder: Path, most: int | None) -> Iterator[str]:
    """Return the files that were skipped, by reason: a line for each reason, and one for each file.

    Args:
        skipped: The files.
        folder: What names are relative to.
        most: Name no more for each reason; None for all.
    """
    by_reason: defaultdict[str, list[str]] = defaultdict(list)
    for one in skipped:
        by_reason[one.reason].append(relative(one.path, folder))
    for reason, names in sorted(by_reason.items()):
        yield f"{reason}: {len(names):,}"
        for name in sorted(names)[:most]:
            yield f"  {name}"
        if most is not None and len(names) > most:
            yield f"  and {len(names) - most:,} more (--skipped names all)"


def describe_answer(answer: Answer) -> str:
    """Return the line above the hits."""
    if not answer.question:
        return "query: nothing to ask for"
    if not answer.words:
        matches = "no word in it"
    elif answer.matches > len(answer.hits):
        matches = f"{_count(answer.matches, 'file')}, the best {len(answer.hits)}"
    else:
        matches = _count(answer.matches, "file")
    return f"query '{printable(answer.question)}': {matches}"


def describe_hit(hit: Hit, folder: Path) -> tuple[str, str, str]:
    """Return score, place and line of a hit."""
    number = "" if hit.line_number is None else f":{hit.line_number}"
    return f"{hit.score:.2f}", f"{relative(hit.path, folder)}{number}", printable(hit.line)


def meter_rows(statistics: OrchestraStatistics) -> list[tuple[str, ...]]:
    """Return the meters of all lanes through which something went, as text: see `METERS`."""
    return [
        (subsystem.name, lane, *_readout(readout))
        for subsystem in statistics.subsystems.values()
        for lane in ("signals", "priority", "unbounded", "bounded")
        if (readout := getattr(subsystem, lane)).sent
    ]


def relative(path: Path, folder: Path) -> str:
    """Return how to name a file: relative to the folder, if it lies there."""
    return printable(path.relative_to(folder) if path.is_relative_to(folder) else path)


def _readout(readout: Readout) -> Iterator[str]:
    for count in (readout.sent, readout.received, readout.peak_channel_len, readout.blocked):
        yield f"{count:,}"
    yield f"{median(readout.tof) * 1e3:,.3f} ms" if readout.tof else "-"


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
