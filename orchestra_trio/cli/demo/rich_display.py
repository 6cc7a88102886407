"""The display for terminals. It needs rich, from the extra `demo`."""

import re
from pathlib import Path

from rich.box import SIMPLE_HEAD
from rich.console import Console, Group
from rich.live import Live
from rich.padding import Padding
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from orchestra_trio import OrchestraStatistics
from orchestra_trio.cli.demo.display import print_standing
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

__all__ = ["RichDisplay"]


class RichDisplay:
    """Shows what waits where while it works, and removes that when it has ended."""

    def __init__(self, interval: float = 0.1, console: Console | None = None) -> None:
        self.interval = interval
        self._console = Console(highlight=False) if console is None else console
        self._spinner = Spinner("dots")
        self._live = self._make_live()

    def show_start(self, folder: Path) -> None:
        """See `Display`."""
        self._console.print(Text.assemble("indexing ", (printable(folder), "cyan"), " (Ctrl-C ends it in order)"))
        self._live.start()

    def show_progress(self, totals: Totals, statistics: OrchestraStatistics) -> None:
        """See `Display`."""
        line = Table.grid(padding=(0, 1))
        line.add_row(self._spinner, Text(describe_progress(totals, statistics), no_wrap=True, overflow="ellipsis"))
        self._live.update(Group(line, _make_queues(statistics)), refresh=True)

    def show_note(self, note: str) -> None:
        """See `Display`."""
        self._console.print(Text(note, "yellow"))

    def show_standing(self, standing: str) -> None:
        """See `Display`."""
        self._live.stop()  # the other stream may go to the same terminal
        print_standing(standing)
        self._live = self._make_live()  # the old one would clear as many lines above as it had drawn
        self._live.start()

    def end_progress(self) -> None:
        """See `Display`."""
        self._live.stop()

    def show_skipped(self, skipped: tuple[Skipped, ...], folder: Path, most: int | None) -> None:
        """See `Display`."""
        if skipped:
            self._print_heading("skipped")
        for line in list_skipped(skipped, folder, most):
            self._console.print(Padding(Text(line, "dim" if line.startswith(" ") else ""), (0, 0, 0, 2)))

    def show_totals(self, totals: Totals, seconds: float) -> None:
        """See `Display`."""
        self._print_heading("indexed")
        self._console.print(Padding(Text(describe_totals(totals, seconds)), (0, 0, 0, 2)))

    def show_answer(self, answer: Answer, folder: Path) -> None:
        """See `Display`."""
        self._print_heading(describe_answer(answer))
        hits = Table.grid(padding=(0, 2, 0, 0))
        hits.add_column(justify="right", style="dim", min_width=8)
        words = re.compile(rf"\b({'|'.join(map(re.escape, answer.words))})\b", re.IGNORECASE)
        for hit in answer.hits:
            score, place, line = describe_hit(hit, folder)
            text = Text(line)
            text.highlight_regex(words, "bold green")
            hits.add_row(score, Group(Text(place, "cyan"), text))
        self._console.print(hits)

    def show_meters(self, statistics: OrchestraStatistics) -> None:
        """See `Display`."""
        self._print_heading("meters")
        table = Table(box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
        for number, heading in enumerate(METERS):
            table.add_column(heading, justify="left" if number < 2 else "right")  # noqa: PLR2004 - names, then figures
        for row in meter_rows(statistics):
            table.add_row(*row)
        self._console.print(table)

    def _make_live(self) -> Live:
        # Drawn at every sign of progress, and by no thread of its own.
        return Live(console=self._console, auto_refresh=False, transient=True)

    def _print_heading(self, heading: str) -> None:
        self._console.print()
        self._console.print(Text(heading, "bold"))


def _make_queues(statistics: OrchestraStatistics) -> Table:
    """Return how many messages wait for each subsystem: where it is slow, they queue up."""
    table = Table.grid(padding=(0, 1))
    for subsystem in statistics.subsystems.values():
        waiting = subsystem.bounded.channel_len
        table.add_row(
            Text(f"  {subsystem.name}", "dim"), Text(f"{waiting:>3}"), Text("▪" * waiting, "green", no_wrap=True)
        )
    return table
