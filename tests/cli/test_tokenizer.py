"""What a word is, and that long texts are cut between words."""

from __future__ import annotations

from hypothesis import example, given
from hypothesis import strategies as st

from orchestra_trio.cli.demo.tokenizer import slices, words_of


def test_words_are_folded() -> None:
    assert words_of("The snake_case of Straße, x2!") == ["the", "snake_case", "of", "strasse", "x2"]


def test_text_without_words() -> None:
    assert words_of("") == []
    assert words_of('"-(*)\n') == []


@given(st.text())
@example("ΟΔΟΣ. οδος")
@example("İ")
def test_words_stay_as_they_are(text: str) -> None:
    """A word that was found is found again when it is asked for alone."""
    for word in words_of(text):
        assert words_of(word) == [word]


@given(st.text(), st.integers(1, 5))
def test_slices_are_the_text(text: str, size: int) -> None:
    assert "".join(slices(text, size)) == text


@given(st.text(alphabet="aä_1 \n."), st.integers(1, 5))
def test_slices_cut_no_word(text: str, size: int) -> None:
    """Word for word, a text in slices is the text; and all slices but the last are as long as asked for."""
    parts = list(slices(text, size))
    assert [word for part in parts for word in words_of(part)] == words_of(text)
    assert all(len(part) >= size for part in parts[:-1])
