"""What a folder's listing has, and what is left out of it."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import pytest

from orchestra_trio.cli.demo.messages import Skipped
from orchestra_trio.cli.demo.walker import list_folder

if TYPE_CHECKING:
    from pathlib import Path


def test_listing_is_sorted(tmp_path: Path) -> None:
    for name in ("b.txt", "ä.txt", "a.txt"):
        (tmp_path / name).touch()
    for name in ("two", "one"):
        (tmp_path / name).mkdir()
    listing = list_folder(tmp_path)
    assert listing.files == [tmp_path / "a.txt", tmp_path / "b.txt", tmp_path / "ä.txt"]
    assert listing.folders == [tmp_path / "one", tmp_path / "two"]
    assert listing.skipped == []


def test_ignored_names_are_folders_names(tmp_path: Path) -> None:
    """A file that is named like an ignored folder is found."""
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "cache").touch()
    (tmp_path / "cache").mkdir()
    ignored = frozenset({"cache"})
    assert list_folder(tmp_path, ignored).folders == [tmp_path / "sub"]
    assert list_folder(tmp_path / "sub", ignored).files == [tmp_path / "sub" / "cache"]


def test_links_are_not_followed(tmp_path: Path) -> None:
    (tmp_path / "loop").symlink_to(tmp_path)
    (tmp_path / "nowhere").symlink_to(tmp_path / "missing")
    listing = list_folder(tmp_path)
    assert listing.skipped == [Skipped(tmp_path / name, "symbolic link") for name in ("loop", "nowhere")]
    assert not listing.files
    assert not listing.folders


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="the system has no named pipes")
def test_named_pipe_is_skipped(tmp_path: Path) -> None:
    """To read from one could take for ever."""
    os.mkfifo(tmp_path / "pipe")
    assert list_folder(tmp_path).skipped == [Skipped(tmp_path / "pipe", "not a regular file")]


@pytest.mark.skipif(sys.platform != "linux", reason="names of files are text there")
def test_name_that_is_no_text_is_skipped(tmp_path: Path) -> None:
    os.close(os.open(os.fsencode(tmp_path) + b"/\xff", os.O_CREAT))
    [skipped] = list_folder(tmp_path).skipped
    assert skipped.reason == "name is not Unicode"


def test_folder_that_is_gone(tmp_path: Path) -> None:
    gone = tmp_path / "gone"
    assert list_folder(gone).skipped == [Skipped(gone, "No such file or directory")]
