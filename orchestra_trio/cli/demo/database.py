"""The database under the index: SQLite's full-text search. It knows no task, and belongs to one thread at a time."""

import os
import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import Self

from orchestra_trio.cli.demo.excerpt import best_line
from orchestra_trio.cli.demo.messages import Answer, Entry, Hit
from orchestra_trio.cli.demo.tokenizer import words_of

__all__ = ["Database", "DatabaseUnusable"]

PATIENCE = 2
"""Seconds to wait for other programs that write to the same database."""

_APPLICATION_ID = 0x6F726368
"""Marks our databases, so that those of other programs stay as they are."""

# The words come folded and with spaces between them: the tokenizer decides what a word is. For SQLite's own "ascii"
# tokenizer, all characters beyond ASCII belong to words, so that it cuts at these spaces alone.
_SCHEMA = (
    f"PRAGMA application_id = {_APPLICATION_ID}",
    "CREATE TABLE IF NOT EXISTS files (id INTEGER PRIMARY KEY, path TEXT NOT NULL UNIQUE)",
    """CREATE VIRTUAL TABLE IF NOT EXISTS words USING fts5 (text, tokenize = "ascii tokenchars '_'")""",
    "CREATE VIRTUAL TABLE IF NOT EXISTS vocabulary USING fts5vocab (words, row)",
)

_SEARCH = """
    SELECT path, -bm25(words) FROM words JOIN files ON files.id = words.rowid
    WHERE words MATCH ? ORDER BY rank, path LIMIT ?
"""

# The most frequent word of some length that no more than a quarter of the files have.
_TYPICAL_WORD = """
    SELECT term FROM vocabulary
    WHERE length(term) BETWEEN 5 AND 20 AND term NOT GLOB '*[0-9_]*' AND doc <= (SELECT (count(*) + 3) / 4 FROM files)
    ORDER BY cnt DESC, term LIMIT 1
"""


class DatabaseUnusable(Exception):
    """A database cannot be opened for writing, or is none of ours."""

    def __init__(self, file: Path | None, reason: str) -> None:
        self.file = file
        self.reason = reason
        super().__init__(reason if file is None else f"{file}: {reason}")


class Database:
    """The words of files, to be searched."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        """See `open`."""
        self._connection = connection

    @classmethod
    def open(cls, file: Path | None) -> Self:
        """Open a database for writing, making it if need be.

        Files that are in it and exist no more are forgotten.

        Args:
            file: None for a temporary one.

        Raises:
            DatabaseUnusable: Says why.
        """
        try:
            # Without a name, SQLite makes a database that is deleted when it is closed.
            connection = sqlite3.connect(file or "", timeout=PATIENCE, isolation_level=None, check_same_thread=False)
        except sqlite3.Error as error:
            raise DatabaseUnusable(file, str(error)) from error
        database = cls(connection)
        try:
            database._prepare(file)
        except sqlite3.Error as error:
            database.close()
            no_search = "no such module" in str(error)
            reason = "this Python's SQLite has no full-text search (FTS5)" if no_search else str(error)
            raise DatabaseUnusable(file, reason) from error
        except DatabaseUnusable:
            database.close()
            raise
        return database

    def close(self) -> None:
        """Close it: a temporary one is gone then."""
        self._connection.close()

    def add(self, entries: Sequence[Entry]) -> None:
        """Add files in one transaction, in place of what the index had of them before."""
        connection = self._connection
        connection.execute("BEGIN IMMEDIATE")
        with connection:  # commits, or rolls back
            for entry in entries:
                path = str(entry.path)
                connection.execute("INSERT OR IGNORE INTO files (path) VALUES (?)", [path])
                [row] = connection.execute("SELECT id FROM files WHERE path = ?", [path]).fetchone()
                connection.execute("INSERT OR REPLACE INTO words (rowid, text) VALUES (?, ?)", [row, entry.words])

    def search(self, question: str, limit: int) -> Answer:
        """Return the files that have all words of a question, best first.

        Args:
            question: Anything; what is no word in it does not count.
            limit: The most hits to return.
        """
        words = tuple(dict.fromkeys(words_of(question)))
        if not words:
            return Answer(question, words, 0, ())
        # Between quotes, nothing is syntax to FTS5; and a word has no quotes in it.
        match = " ".join(f'"{word}"' for word in words)
        [matches] = self._connection.execute("SELECT count(*) FROM words WHERE words MATCH ?", [match]).fetchone()
        rows = self._connection.execute(_SEARCH, [match, limit])
        hits = tuple(Hit(Path(path), score, *best_line(Path(path), words)) for path, score in rows)
        return Answer(question, words, matches, hits)

    def typical_word(self) -> str:
        """Return a word that says something about what is indexed; nothing if there is none."""
        row = self._connection.execute(_TYPICAL_WORD).fetchone()
        return "" if row is None else str(row[0])

    def paths(self) -> list[Path]:
        """Return the files that are in the index."""
        return [Path(path) for [path] in self._connection.execute("SELECT path FROM files ORDER BY path")]

    def _prepare(self, file: Path | None) -> None:
        connection = self._connection
        connection.execute("BEGIN IMMEDIATE")  # fails if it cannot be written
        with connection:
            [mark] = connection.execute("PRAGMA application_id").fetchone()
            [tables] = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
            if tables and mark != _APPLICATION_ID:
                raise DatabaseUnusable(file, "this is a database of another program")
            for statement in _SCHEMA:
                connection.execute(statement)
            gone = [[str(path)] for path in self.paths() if not os.path.lexists(path)]
            connection.executemany("DELETE FROM words WHERE rowid = (SELECT id FROM files WHERE path = ?)", gone)
            connection.executemany("DELETE FROM files WHERE path = ?", gone)
