"""How much room text takes up."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestra_trio.wiring.drawing.svg.text import printable, shortened, width_of, wrapped


@given(st.text(), st.integers(4, 60))
def test_shortened_text_keeps_both_ends(text: str, longest: int) -> None:
    short = shortened(text, longest)
    assert len(short) == min(len(text), longest)
    if short != text:
        head, _, tail = short.partition("…") if "…" not in text else (short[: longest // 2], "", "")
        assert text.startswith(head)
        assert text.endswith(tail)


def test_east_asian_characters_count_twice() -> None:
    assert width_of("名前", 10) == 2 * width_of("ab", 10)


@given(st.lists(st.text("abc_", min_size=1, max_size=12), min_size=1), st.integers(60, 200))
def test_wrapped_lines_fit_and_lose_no_word(words: list[str], width: int) -> None:
    """Where no word is too long."""
    lines = list(wrapped(" ".join(words), width, 8))
    assert " ".join(lines).split(" ") == words
    assert all(width_of(line, 8, code=False) <= width for line in lines)


def test_a_word_that_is_too_long_is_shortened() -> None:
    assert list(wrapped("a " + "b" * 50 + " c", 60, 10)) == ["a", "bbbbb…bbbb", "c"]


@pytest.mark.parametrize(("text", "shown"), [("a\tb\n", "a b "), ("a\ud800b\x00", "a b "), ("é名", "é名")])
def test_what_has_no_look_becomes_a_space(text: str, shown: str) -> None:
    assert printable(text) == shown
