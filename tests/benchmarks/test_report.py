"""What is printed and written."""

from __future__ import annotations

import json

import attrs
import pytest

from benchmarks.harness import Row
from benchmarks.report import Machine, Report, describe_machine

ROW = Row("one by one", "message", "peer", 0.8, 7.2, 9.0, 8.5, 9.25, 9, [0.8, 0.9], [7.2, 7.5])
MACHINE = Machine("Abacus", 2, "Linux x86_64", "CPython 3.11.0", {"trio": "0.35.0"})
REPORT = Report(MACHINE, False, 5, 6, private_in_use=True, missing=[], rows=[ROW])


def test_the_table_has_aligned_columns_and_is_markdown() -> None:
    below = attrs.evolve(ROW, work="another", unit="round trip", at_least=None)
    assert attrs.evolve(REPORT, rows=[ROW, below]).as_text().splitlines()[:4] == [
        "| work       | peer | ours, us | peer, us | per        | ratio | spread       | at least | reached |",
        "|------------|------|----------|----------|------------|-------|--------------|----------|---------|",
        "| one by one | peer | 0.80     | 7.20     | message    | 9.00  | 8.50 to 9.25 | 9        | yes     |",
        "| another    | peer | 0.80     | 7.20     | round trip | 9.00  | 8.50 to 9.25 |          |         |",
    ]


def test_a_goal_that_is_not_reached_is_said_to_be_so() -> None:
    text = attrs.evolve(REPORT, rows=[attrs.evolve(ROW, at_least=10)]).as_text()
    assert "| 10       | no      |" in text


@pytest.mark.parametrize(
    ("limited", "line"),
    [
        (attrs.evolve(REPORT, quick=True), "not to be quoted"),
        (attrs.evolve(REPORT, missing=["pykka"]), "no comparison with pykka: it is not installed"),
        (attrs.evolve(REPORT, private_in_use=False), "trio's public interface alone"),
    ],
    ids=["quick", "missing", "public only"],
)
def test_what_limits_the_figures_is_said_only_where_it_does(limited: Report, line: str) -> None:
    assert line in limited.as_text()
    assert line not in REPORT.as_text()


def test_the_data_survives_json_and_has_the_fields_that_are_documented() -> None:
    data = json.loads(json.dumps(REPORT.as_data()))
    assert data == {
        "schema": 1,
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
    }


def test_the_machine_is_told_in_one_line() -> None:
    assert str(MACHINE) == "Abacus, 2 cores, Linux x86_64; CPython 3.11.0 (and its asyncio); trio 0.35.0"
    here = describe_machine()
    assert here.cpu
    assert "trio" in here.packages
    assert len(str(here).splitlines()) == 1
