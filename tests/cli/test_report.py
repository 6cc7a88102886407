"""How the demo words what it has to say."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestra_trio.cli.demo.messages import Answer, Hit, Skipped, Totals
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
from tests.cli.samples import make_statistics

FOLDER = Path("/folder")
HIT = Hit(FOLDER / "sub" / "file", 1.239, 7, "a line")


def test_progress() -> None:
    totals = Totals(1, 2000, 3, (Skipped(FOLDER, "binary"),))
    assert describe_progress(totals, make_statistics()) == "   2.5 s  1 file, 2,000 tokens, 1 skipped"


def test_totals_have_rates() -> None:
    assert describe_totals(Totals(1000, 5000, 3_000_000), 2) == (
        "1,000 files, 5,000 tokens, 3.0 MB in 2.0 s: 500 files/s, 2,500 tokens/s, 1.5 MB/s"
    )


def test_skipped_files_are_named_by_reason() -> None:
    skipped = tuple(Skipped(FOLDER / name, reason) for name, reason in [("b", "y"), ("z", "x"), ("a", "y"), ("c", "y")])
    assert list(list_skipped(skipped, FOLDER, None)) == ["x: 1", "  z", "y: 3", "  a", "  b", "  c"]
    assert list(list_skipped(skipped, FOLDER, 2))[2:] == ["y: 3", "  a", "  b", "  and 1 more (--skipped names all)"]


@pytest.mark.parametrize(
    ("answer", "text"),
    [
        (Answer("", (), 0, ()), "query: nothing to ask for"),
        (Answer("?!", (), 0, ()), "query '?!': no word in it"),
        (Answer("word", ("word",), 0, ()), "query 'word': 0 files"),
        (Answer("word", ("word",), 1, (HIT,)), "query 'word': 1 file"),
        (Answer("a\nb", ("a", "b"), 3, (HIT,)), r"query 'a\nb': 3 files, the best 1"),
    ],
)
def test_answer(answer: Answer, text: str) -> None:
    assert describe_answer(answer) == text


def test_hit() -> None:
    assert describe_hit(HIT, FOLDER) == ("1.24", str(Path("sub/file:7")), "a line")
    assert describe_hit(Hit(Path("/x"), 0, None, ""), FOLDER) == ("0.00", str(Path("/x")), "")


def test_meters_of_lanes_with_traffic() -> None:
    [row] = meter_rows(make_statistics())
    assert dict(zip(METERS, row, strict=True)) == {
        "subsystem": "reader",
        "lane": "bounded",
        "sent": "1,200",
        "received": "1,200",
        "peak": "32",
        "blocked": "4",
        "flight": "2.000 ms",
    }


@given(st.text(st.characters()))
def test_printable_text_commands_no_terminal(text: str) -> None:
    """It is one line, of what can be seen."""
    assert printable(text).isprintable()
    if text.isprintable():
        assert printable(text) == text
