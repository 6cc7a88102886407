"""The index on the disk: what goes in is found, and nothing that is asked is an error."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from orchestra_trio.cli.demo import database as database_module
from orchestra_trio.cli.demo.database import Database, DatabaseUnusable
from orchestra_trio.cli.demo.messages import Entry
from orchestra_trio.cli.demo.tokenizer import words_of


def entry(path: Path, text: str) -> Entry:
    words = words_of(text)
    return Entry(path, " ".join(words), len(words), len(text))


@given(st.text(min_size=1))
@example('say "cheese"')
@example("NOT AND OR NEAR")
@example("ΟΔΟΣ. Straße, İstanbul, x², ⅷ, snake_case")
def test_every_word_of_a_file_finds_it(text: str) -> None:
    """What the tokenizer takes for a word, the database does, too."""
    with closing(Database.open(None)) as database:
        database.add([entry(Path("other"), "something else"), entry(Path("file"), text)])
        for word in words_of(text):
            assert Path("file") in [hit.path for hit in database.search(word, 2).hits]
        if words_of(text):
            assert Path("file") in [hit.path for hit in database.search(text, 2).hits]


@given(
    st.text() | st.lists(st.sampled_from(['"', "AND", "(", ")", "*", "NEAR(", "text:", "-", "^", "\0"])).map("".join)
)
@example("\ud800")
def test_no_question_is_a_syntax_error(question: str) -> None:
    with closing(Database.open(None)) as database:
        database.add([entry(Path("file"), "some words")])
        answer = database.search(question, 1)
    assert answer.matches == len(answer.hits)
    assert answer.question == question


def test_question_with_thousands_of_words() -> None:
    words = " ".join(f"word{number}" for number in range(5000))
    with closing(Database.open(None)) as database:
        database.add([entry(Path("file"), words)])
        assert database.search(words, 1).matches == 1


def test_hits_have_all_words_and_the_best_comes_first() -> None:
    with closing(Database.open(None)) as database:
        database.add(
            [
                entry(Path("a"), "one two"),
                entry(Path("b"), "one one two two"),
                entry(Path("c"), "one"),
                entry(Path("d"), "nothing"),
            ]
        )
        answer = database.search("two ONE two", 1)
    assert answer.words == ("two", "one")
    assert answer.matches == 2
    assert [hit.path for hit in answer.hits] == [Path("b")]


def test_kept_index_is_renewed(tmp_path: Path) -> None:
    """A file that is indexed again is in it once, with its new words; one that is gone is forgotten."""
    index = tmp_path / "index"
    stays, goes = tmp_path / "stays", tmp_path / "goes"
    stays.touch()
    goes.touch()
    with closing(Database.open(index)) as database:
        database.add([entry(stays, "old common"), entry(goes, "common")])
        assert database.paths() == [goes, stays]
    goes.unlink()
    with closing(Database.open(index)) as database:
        database.add([entry(stays, "new common")])
        assert database.paths() == [stays]
        assert [hit.path for hit in database.search("common", 9).hits] == [stays]
        assert database.search("old", 9).matches == 0
        assert database.search("new", 9).matches == 1


def test_batch_is_added_whole_or_not_at_all() -> None:
    with closing(Database.open(None)) as database:
        with pytest.raises(UnicodeEncodeError):
            database.add([entry(Path("file"), "words"), entry(Path("\ud800"), "words")])
        assert database.paths() == []


def test_typical_word() -> None:
    """It is frequent, but not in most files; too short words and those with digits do not count."""
    with closing(Database.open(None)) as database:
        assert database.typical_word() == ""
        database.add([entry(Path(str(number)), "everywhere " * 9) for number in range(7)])
        database.add([entry(Path("file"), "tiny tiny tiny number5 number5 number5 typical typical another")])
        assert database.typical_word() == "typical"


@pytest.mark.parametrize("name", [".", "missing/index"])
def test_file_that_cannot_be_opened(tmp_path: Path, name: str) -> None:
    with pytest.raises(DatabaseUnusable, match="unable to open database file"):
        Database.open(tmp_path / name)


def test_name_that_sqlite_refuses() -> None:
    with pytest.raises(DatabaseUnusable):
        Database.open(Path("x" * 10_000))


def test_file_that_is_no_database(tmp_path: Path) -> None:
    """It stays as it is."""
    file = tmp_path / "letter.txt"
    file.write_text("Dear reader, " * 99, "utf-8")
    with pytest.raises(DatabaseUnusable, match=r"letter\.txt: file is not a database"):
        Database.open(file)
    assert file.read_text("utf-8") == "Dear reader, " * 99


def test_database_of_another_program(tmp_path: Path) -> None:
    """It stays as it is."""
    file = tmp_path / "theirs"
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("CREATE TABLE theirs (x)")
    before = file.read_bytes()
    with pytest.raises(DatabaseUnusable, match="another program"):
        Database.open(file)
    assert file.read_bytes() == before


def test_database_in_use(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever writes to it must be done first."""
    monkeypatch.setattr(database_module, "PATIENCE", 0)
    Database.open(tmp_path / "index").close()
    with closing(sqlite3.connect(tmp_path / "index", isolation_level=None)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        with pytest.raises(DatabaseUnusable, match="locked"):
            Database.open(tmp_path / "index")


def test_sqlite_without_full_text_search(monkeypatch: pytest.MonkeyPatch) -> None:
    schema = [statement.replace("fts5", "fts5_that_is_not_there") for statement in database_module._SCHEMA]
    monkeypatch.setattr(database_module, "_SCHEMA", schema)
    with pytest.raises(DatabaseUnusable, match=r"^this Python's SQLite has no full-text search"):
        Database.open(None)
