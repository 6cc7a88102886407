"""What the two displays show of the same things."""

from __future__ import annotations

import io
import re
import sys
from contextlib import closing
from typing import TYPE_CHECKING

import pytest
import trio
from rich.console import Console

from orchestra_trio.cli.demo.database import Database
from orchestra_trio.cli.demo.display import Display, PlainDisplay, choose_display, print_standing
from orchestra_trio.cli.demo.messages import Totals
from orchestra_trio.cli.demo.program import Outcome, Work, index_folder
from orchestra_trio.cli.demo.rich_display import RichDisplay
from tests.cli.samples import make_statistics

if TYPE_CHECKING:
    from pathlib import Path

CURSOR_UP = "\x1b[1A"
ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


async def show_all(display: Display, folder: Path) -> Outcome:
    """Index a folder, and show everything."""
    _sender, interrupts = trio.open_memory_channel[int](1)
    work = Work(folder=folder, questions=("needle [b]", "?"), interval=0.0001)
    display.show_start(folder)
    with closing(Database.open(None)) as database:
        outcome = await index_folder(work, database, display, interrupts)
    assert outcome.totals is not None
    display.show_progress(outcome.totals, outcome.statistics)
    display.show_note("a note")
    display.end_progress()
    display.show_skipped(outcome.totals.skipped, folder, 1)
    display.show_totals(outcome.totals, 1)
    for answer in outcome.answers:
        display.show_answer(answer, folder)
    display.show_meters(outcome.statistics)
    return outcome


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "[b]file").write_text("first\nhere is a Needle, [b] and needles\n", "utf-8")
    (tmp_path / "one.bin").write_bytes(b"\0")
    (tmp_path / "two.bin").write_bytes(b"\0")
    return tmp_path


EXPECTED = (
    "indexing ",
    "a note",
    "skipped",
    "  binary: 2",
    "    one.bin",
    "    and 1 more (--skipped names all)",
    "  1 file, 8 tokens,",
    "query 'needle [b]': 1 file",
    "[b]file:2",
    "here is a Needle, [b] and needles",
    "query '?': no word in it",
    "meters",
)


def check_order(text: str) -> None:
    """Everything is there, in this order."""
    place = -1
    for part in EXPECTED:
        place = text.find(part, place + 1)
        assert place >= 0, part


async def test_plain_display(folder: Path) -> None:
    file = io.StringIO()
    await show_all(PlainDisplay(file=file), folder)
    check_order(file.getvalue())
    assert "\x1b" not in file.getvalue()
    assert re.search(r"^  reader     bounded     3         3 ", file.getvalue(), re.MULTILINE)


@pytest.mark.parametrize("width", [100, 72])
async def test_rich_display(folder: Path, width: int) -> None:
    file = io.StringIO()
    console = Console(file=file, force_terminal=True, width=width, height=30, color_system="standard", highlight=False)
    await show_all(RichDisplay(console=console), folder)
    text = ESCAPES.sub("", file.getvalue())
    check_order(text)
    assert re.search(r"reader +bounded +3 +3 ", text)
    assert "\x1b[1;32mNeedle\x1b[0m" in file.getvalue()
    assert "1;32mneedles" not in file.getvalue()


async def test_rich_display_is_narrow(folder: Path) -> None:
    """There is no width at which it fails."""
    file = io.StringIO()
    await show_all(RichDisplay(console=Console(file=file, force_terminal=True, width=5)), folder)
    assert "1file,8tokens" in "".join(ESCAPES.sub("", file.getvalue()).split())


async def test_nothing_skipped(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("text", "utf-8")
    plain, rich = io.StringIO(), io.StringIO()
    for display in (PlainDisplay(file=plain), RichDisplay(console=Console(file=rich, width=100))):
        await show_all(display, tmp_path)
    assert "\nskipped" not in plain.getvalue() + rich.getvalue()


@pytest.mark.parametrize("kind", ["plain", "rich"])
def test_standing_goes_to_the_error_stream(
    kind: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is drawn elsewhere makes room for it, and does not clear it away afterwards."""
    monkeypatch.setenv("TERM", "xterm-256color")
    file = io.StringIO()
    rich = RichDisplay(console=Console(file=file, force_terminal=True, width=100))
    display: Display = rich if kind == "rich" else PlainDisplay(file=file)
    display.show_start(tmp_path)
    display.show_progress(Totals(), make_statistics())
    display.show_standing("[b]where all stand")
    place = file.tell()
    display.show_progress(Totals(), make_statistics())
    drawn = file.getvalue()[place:]
    display.end_progress()
    assert capsys.readouterr().err == "[b]where all stand\n"
    assert "where all stand" not in file.getvalue()
    assert "0 files" in drawn
    assert CURSOR_UP not in drawn


class Unread(io.StringIO):
    """A stream that nobody reads any more."""

    def write(self, _: str) -> int:
        raise BrokenPipeError


def test_nobody_reads_the_error_stream(monkeypatch: pytest.MonkeyPatch) -> None:
    """That is no reason to end."""
    monkeypatch.setattr(sys, "stderr", Unread())
    print_standing("where all stand")


class Terminal(io.StringIO):
    """A stream that says that it is a terminal."""

    def isatty(self) -> bool:
        return True


def test_display_for_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", Terminal())
    assert isinstance(choose_display(None), RichDisplay)
    assert choose_display(0.7).interval == 0.7


def test_display_for_a_terminal_without_rich(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", Terminal())
    monkeypatch.setitem(sys.modules, "orchestra_trio.cli.demo.rich_display", None)
    assert isinstance(choose_display(None), PlainDisplay)


def test_display_for_anything_else(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", io.StringIO())
    assert isinstance(choose_display(None), PlainDisplay)
    assert choose_display(0.7).interval == 0.7
