"""Which line of a file is shown, and which part of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from orchestra_trio.cli.demo.excerpt import best_line, best_line_of
from orchestra_trio.cli.demo.tokenizer import words_of

if TYPE_CHECKING:
    from pathlib import Path


def test_line_with_most_words() -> None:
    text = "one\n  Two  and\tONE\ntwo one\n"
    assert best_line_of(text, ("one", "two")) == (2, "Two and ONE")


def test_no_line() -> None:
    assert best_line_of("", ("one",)) == (None, "")
    assert best_line_of("twone\n", ("one",)) == (None, "")


def test_long_line_is_cut_around_a_word() -> None:
    line = "x " * 500 + "here" + " y" * 500
    number, excerpt = best_line_of(line, ("here",), width=20)
    assert number == 1
    assert excerpt == "… x x here y y y y y …"


def test_long_line_that_begins_with_the_word() -> None:
    assert best_line_of("here" + " y" * 50, ("here",), width=10) == (1, "here y y y…")


@given(st.text(), st.integers(1, 20))
def test_excerpt_is_bounded(text: str, width: int) -> None:
    _, excerpt = best_line_of(text, tuple(words_of(text)), width)
    assert len(excerpt) <= width + 2


def test_file_that_is_gone(tmp_path: Path) -> None:
    assert best_line(tmp_path / "gone", ("one",)) == (None, "")


def test_file_that_is_there(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("zero\none\n", "utf-8")
    assert best_line(tmp_path / "file", ("one",)) == (2, "one")
