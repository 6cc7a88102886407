"""What the demo shows, and the plain way of showing it: lines, for anything that is no terminal."""

import sys
from contextlib import suppress
from pathlib import Path
from typing import Protocol, TextIO

import attrs

from orchestra_trio import OrchestraStatistics
from orchestra_trio.cli.demo.messages import Answer, Skipped, Totals
from orchestra_trio.cli.demo.report import (
    METERS,
    describe_answer,
    describe_hit,
    describe_progress,
    describe_totals,
    list_skipped,
    meter_rows,
)
from orchestra_trio.cli.printing import printable

__all__ = ["Display", "PlainDisplay", "choose_display", "print_standing"]


class Display(Protocol):
    """Where the demo shows what it does, in the order of these methods."""

    @property
    def interval(self) -> float:
        """Seconds between two calls of `show_progress`."""
        ...

    def show_start(self, folder: Path) -> None:
        """Say what is about to be done."""
        ...

    def show_progress(self, totals: Totals, statistics: OrchestraStatistics) -> None:
        """Show how far it has come."""
        ...

    def show_note(self, note: str) -> None:
        """Say something that was not to be expected."""
        ...

    def show_standing(self, standing: str) -> None:
        """Show where every subsystem stands, on the standard error stream."""
        ...

    def end_progress(self) -> None:
        """Make room for what has come of it. Doing this twice does nothing."""
        ...

    def show_skipped(self, skipped: tuple[Skipped, ...], folder: Path, most: int | None) -> None:
        """Name the files that were skipped, for each reason no more than `most`."""
        ...

    def show_totals(self, totals: Totals, seconds: float) -> None:
        """Show what was done, and how fast."""
        ...

    def show_answer(self, answer: Answer, folder: Path) -> None:
        """Show one answer."""
        ...

    def show_meters(self, statistics: OrchestraStatistics) -> None:
        """Show the meters of all subsystems."""
        ...


@attrs.frozen
class PlainDisplay:
    """Prints lines, each as soon as there is something to say."""

    interval: float = 1
    file: TextIO = attrs.field(factory=lambda: sys.stdout)

    def show_start(self, folder: Path) -> None:
        """See `Display`."""
        self._print(f"indexing {printable(folder)} (Ctrl-C ends it in order)")

    def show_progress(self, totals: Totals, statistics: OrchestraStatistics) -> None:
        """See `Display`."""
        self._print(describe_progress(totals, statistics))

    def show_note(self, note: str) -> None:
        """See `Display`."""
        self._print(note)

    def show_standing(self, standing: str) -> None:
        """See `Display`."""
        print_standing(standing)

    def end_progress(self) -> None:
        """See `Display`."""

    def show_skipped(self, skipped: tuple[Skipped, ...], folder: Path, most: int | None) -> None:
        """See `Display`."""
        if skipped:
            self._print("\nskipped")
        for line in list_skipped(skipped, folder, most):
            self._print(f"  {line}")

    def show_totals(self, totals: Totals, seconds: float) -> None:
        """See `Display`."""
        self._print(f"\nindexed\n  {describe_totals(totals, seconds)}")

    def show_answer(self, answer: Answer, folder: Path) -> None:
        """See `Display`."""
        self._print(f"\n{describe_answer(answer)}")
        for hit in answer.hits:
            score, place, line = describe_hit(hit, folder)
            self._print(f"  {score:>6}  {place}\n          {line}".rstrip())

    def show_meters(self, statistics: OrchestraStatistics) -> None:
        """See `Display`."""
        rows = [METERS, *meter_rows(statistics)]
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        self._print("\nmeters")
        for name, lane, *figures in rows:
            texts = [name.ljust(widths[0]), lane.ljust(widths[1]), *map(str.rjust, figures, widths[2:])]
            self._print("  " + "  ".join(texts))

    def _print(self, text: str) -> None:
        print(text, file=self.file, flush=True)


def print_standing(standing: str) -> None:
    """Print where every subsystem stands to the standard error stream; that nobody reads it is no failure."""
    with suppress(OSError):
        print(standing, file=sys.stderr, flush=True)


def choose_display(interval: float | None) -> Display:
    """Return the display for the standard output stream: with rich, if it is there and this is a terminal.

    Args:
        interval: Seconds between two signs of progress; None for what suits the display.
    """
    if sys.stdout.isatty():
        try:
            from orchestra_trio.cli.demo.rich_display import RichDisplay  # noqa: PLC0415 - rich is an extra
        except ImportError:
            pass
        else:
            return RichDisplay(0.1 if interval is None else interval)
    return PlainDisplay(1 if interval is None else interval)
