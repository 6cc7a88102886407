"""What is kept of a run, as JSON, and read again."""

from __future__ import annotations

import copy
import json
from typing import TYPE_CHECKING, Any

import attrs
import pytest

from benchmarks.report.stored import Report, UnreadableError, as_data, from_data, load
from tests.benchmarks.report.samples import GROWTH, QUANTITIES, REPORT, ROW

if TYPE_CHECKING:
    from pathlib import Path


def test_the_data_survives_json_and_has_the_fields_that_are_documented() -> None:
    data = json.loads(json.dumps(as_data(REPORT)))
    assert data == {
        "schema": 2,
        "machine": {
            "cpu": "Abacus",
            "cores": 2,
            "system": "Linux x86_64",
            "python": "CPython 3.11.0",
            "packages": {"trio": "0.35.0"},
        },
        "quick": False,
        "processes": 5,
        "rounds": 6,
        "private_in_use": True,
        "missing": [],
        "rows": [{**attrs.asdict(ROW), "is_reached": True}],
        "growths": [{**attrs.asdict(GROWTH), "is_reached": True}],
        "quantities": [attrs.asdict(row) for row in QUANTITIES],
    }


@pytest.mark.parametrize(
    "report",
    [
        REPORT,
        attrs.evolve(REPORT, quick=True, missing=["pykka"], rows=[], growths=[], quantities=[]),
        attrs.evolve(REPORT, growths=[attrs.evolve(GROWTH, times=None, lowest=None, highest=None, at_most=None)]),
    ],
    ids=["full", "empty", "sizes left out"],
)
def test_what_is_written_is_read_as_it_was(report: Report, tmp_path: Path) -> None:
    file = tmp_path / "run.json"
    file.write_text(json.dumps(as_data(report)), "utf-8")
    assert load(file) == report


def test_whole_numbers_are_figures_too() -> None:
    data = as_data(REPORT)
    data["rows"][0]["ratio"] = 9
    assert from_data(data).rows[0].ratio == 9


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        (["schema"], 1, "has schema 1, not 2"),
        (["quick"], 1, "unexpected 'quick'"),
        (["rounds"], True, "unexpected 'rounds'"),
        (["machine"], "Abacus", "unexpected 'machine'"),
        (["machine", "packages"], {"trio": 35}, "unexpected 'packages'"),
        (["rows"], {}, "unexpected 'rows'"),
        (["rows", 0], [], "unexpected 'rows'"),
        (["rows", 0, "ratio"], "9", "unexpected 'ratio'"),
        (["rows", 0, "ratio"], True, "unexpected 'ratio'"),
        (["rows", 0, "ratio"], float("nan"), "unexpected 'ratio'"),
        (["rows", 0, "ratio"], None, "unexpected 'ratio'"),
        (["growths", 0, "sizes", 0], {"size": 10, "us": 1.0}, "lacks 'by_process' in 'sizes'"),
    ],
)
def test_what_is_not_as_documented_is_told(path: list[str | int], value: object, message: str) -> None:
    data: Any = copy.deepcopy(as_data(REPORT))
    inner = data
    for step in path[:-1]:
        inner = inner[step]
    inner[path[-1]] = value
    with pytest.raises(UnreadableError, match=message):
        from_data(data)


@pytest.mark.parametrize("data", [[], None, "schema", {}, {"version": 2}])
def test_what_others_wrote_is_told(data: object) -> None:
    with pytest.raises(UnreadableError, match="not written by these benchmarks"):
        from_data(data)


@pytest.mark.parametrize(
    ("content", "message"),
    [(None, "cannot read .*: No such file"), (b"{", "is no JSON"), (b"\xff", "is no JSON"), (b"[]", "run.json is not")],
    ids=["missing", "broken", "binary", "foreign"],
)
def test_a_file_that_cannot_be_used_is_told_in_one_line(content: bytes | None, message: str, tmp_path: Path) -> None:
    file = tmp_path / "run.json"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(UnreadableError, match=message) as raised:
        load(file)
    assert len(str(raised.value).splitlines()) == 1
