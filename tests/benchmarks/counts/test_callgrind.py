"""Counting instructions, with a fake valgrind: `make counts` uses the real one, which takes a while."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from benchmarks.counts.callgrind import count_instructions, is_installed, read_parts
from benchmarks.counts.child import CountingFailed
from benchmarks.counts.runs import RUNS, YARDSTICK

if TYPE_CHECKING:
    from pathlib import Path

SIZES = {run.name: run.size for run in (*RUNS, YARDSTICK)}


def fake_valgrind(folder: Path, monkeypatch: pytest.MonkeyPatch, parts: list[int], *, status: int = 0) -> None:
    """Put a program first in PATH that writes parts with so many instructions, and runs nothing."""
    script = folder / "valgrind"
    lines = [f'echo "summary: {number}" >"$out.{index}"' for index, number in enumerate(parts, 1)]
    find = "for each; do case $each in --callgrind-out-file=*) out=${each#*=};; esac; done"
    script.write_text("\n".join(["#!/bin/sh", find, *lines, f"exit {status}", ""]), "utf-8")
    script.chmod(0o755)
    monkeypatch.setenv("PATH", str(folder), prepend=":")


def test_instructions_are_counted_in_yardsticks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What lies before and after the runs is no part of them, nor what a run needs once."""
    run, yardstick = 120 * SIZES["channel"], 30 * SIZES["yardstick"]
    fake_valgrind(tmp_path, monkeypatch, [999, 7 + run, 999, 7 + 2 * run, 999, yardstick, 999, 2 * yardstick])
    counted = count_instructions(["channel"])
    assert {name: figure.total for name, figure in counted.items()} == {"channel": 4.0, "yardstick": 30.0}


def test_too_few_parts_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake_valgrind(tmp_path, monkeypatch, [1, 2, 3])
    with pytest.raises(CountingFailed, match=r"^callgrind wrote 3 parts where 8 were expected$"):
        count_instructions(["channel"])


def test_a_valgrind_that_fails_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake_valgrind(tmp_path, monkeypatch, [], status=3)
    with pytest.raises(CountingFailed, match=r"^the process that counts instructions failed, with status 3$"):
        count_instructions(["channel"])


def test_it_is_told_whether_there_is_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert not is_installed()
    fake_valgrind(tmp_path, monkeypatch, [])
    assert is_installed()


def test_parts_are_read_in_their_order(tmp_path: Path) -> None:
    """Whose names sort otherwise; the last one, the rest of the process, has no number."""
    for number in (10, 9, 1):
        (tmp_path / f"out.{number}").write_text(f"part: {number}\n\nsummary: {number}00\ntotals: 7\n", "utf-8")
    (tmp_path / "out").write_text("summary: 5\n", "utf-8")
    assert read_parts(tmp_path) == [100, 900, 1000]
