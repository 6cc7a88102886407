"""Stored figures."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

import pytest
import trio

from benchmarks.counts.counters import BYTECODES, CALLS, Figure
from benchmarks.counts.figures import STORED, Counted, FiguresBroken, Versions, find_file, load, merge, save
from benchmarks.counts.runs import RUNS

if TYPE_CHECKING:
    from pathlib import Path

HERE = Versions.here()


def test_what_is_saved_is_loaded(tmp_path: Path) -> None:
    """But for the functions that have next to no part in it."""
    figure = Figure(100.25, {"dear": 99.0, "cheap": 1.0, "little": 0.25})
    save(tmp_path / "3.11.json", {CALLS: Counted(HERE, {"channel": figure})})
    kept = Figure(100.25, {"dear": 99.0, "cheap": 1.0})
    assert load(tmp_path / "3.11.json") == {CALLS: Counted(HERE, {"channel": kept})}


def test_what_could_not_be_counted_is_kept() -> None:
    old, new = (Counted(HERE, {"channel": Figure(number)}) for number in (1.0, 2.0))
    assert merge({CALLS: old, BYTECODES: old}, {CALLS: new}) == {CALLS: new, BYTECODES: old}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "null",
        '{"calls": 3}',
        '{"calls": {"figures": {}}}',
        '{"calls": {"versions": {}, "figures": {}}}',
        json.dumps({"calls": {"versions": {}, "figures": {"channel": {"total": 1}}}}),
        json.dumps({"calls": {"versions": {}, "figures": {"channel": {"total": "1", "functions": {}}}}}),
        json.dumps({"calls": {"versions": {}, "figures": {}, "colour": "red"}}),
    ],
)
def test_a_broken_file_is_told_in_one_line(text: str, tmp_path: Path) -> None:
    file = tmp_path / "3.11.json"
    file.write_text(text, "utf-8")
    with pytest.raises(
        FiguresBroken, match=r"3\.11\.json holds no figures: .+; store new ones with --update$"
    ) as raised:
        load(file)
    assert "\n" not in str(raised.value)


def test_a_file_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    with pytest.raises(FiguresBroken, match=r"cannot read .*: Is a directory$"):
        load(tmp_path)


def test_the_file_of_the_nearest_python_is_found(tmp_path: Path) -> None:
    """Other files are none of ours."""
    assert find_file(tmp_path, "3.12") is None
    for name in ("3.9.json", "3.11.json", "3.13.json", "notes.json", "3.12.txt"):
        (tmp_path / name).touch()
    found = {python: find_file(tmp_path, python) for python in ("3.8", "3.11", "3.12", "3.14")}
    assert {python: file and file.name for python, file in found.items()} == {
        "3.8": "3.9.json",
        "3.11": "3.11.json",
        "3.12": "3.11.json",
        "3.14": "3.13.json",
    }


def test_versions_are_those_of_this_process() -> None:
    assert HERE.build.startswith(f"{sys.version.split()[0]} ")
    assert (HERE.python in HERE.build, HERE.trio) == (True, trio.__version__)


def test_what_is_stored_is_of_all_runs() -> None:
    for file in STORED.glob("*.json"):
        for counter, counted in load(file).items():
            assert {run.name for run in RUNS} <= set(counted.figures), counter
            assert counted.versions.python == file.stem
