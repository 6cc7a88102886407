"""Which files are text."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from orchestra_trio.cli.demo.messages import Document, Skipped
from orchestra_trio.cli.demo.reader import read_file

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("data", "text"),
    [(b"", ""), (b"a\r\nb", "a\r\nb"), ("grün".encode(), "grün"), (b"\xef\xbb\xbfmark", "mark")],
    ids=["empty", "lines", "UTF-8", "byte order mark"],
)
def test_text(tmp_path: Path, data: bytes, text: str) -> None:
    file = tmp_path / "file"
    file.write_bytes(data)
    assert read_file(file) == Document(file, text, len(data))


@pytest.mark.parametrize(
    ("data", "reason"),
    [(b"PK\0\1", "binary"), (b"gr\xfcn", "not UTF-8"), (b"123456789", "larger than 8 bytes"), (b"\0" * 9, "binary")],
)
def test_no_text(tmp_path: Path, data: bytes, reason: str) -> None:
    file = tmp_path / "file"
    file.write_bytes(data)
    assert read_file(file, size_limit=8) == Skipped(file, reason)


def test_largest_file(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_bytes(b"12345678")
    assert read_file(file, size_limit=8) == Document(file, "12345678", 8)


def test_unreadable(tmp_path: Path) -> None:
    assert read_file(tmp_path / "gone") == Skipped(tmp_path / "gone", "No such file or directory")
    assert read_file(tmp_path) == Skipped(tmp_path, "Is a directory")
