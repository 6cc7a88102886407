"""The command `check`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from orchestra_trio.cli import main

if TYPE_CHECKING:
    import pytest

TARGET = "tests.wiring.wirings:Knots"


def test_each_finding_is_a_line_and_the_status_is_1(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", TARGET]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert [line.split(":")[1].strip() for line in lines] == [
        "blocking cycle",
        "unsent",
        "unconsumed",
        "unreachable",
        "unreachable",
    ]
    assert "a -[B]-> b -[A]-> a" in lines[0]
    assert "--allow-cycle a,b" in lines[0]


def test_what_is_allowed_is_no_finding(capsys: pytest.CaptureFixture[str]) -> None:
    options = ["--allow-cycle", "b,a", "--allow-unsent", "Start", "--allow-unconsumed", "Lost"]
    options += ["--allow-unreachable", "x", "--allow-unreachable", "y"]
    assert main(["check", TARGET, *options]) == 0
    assert capsys.readouterr().out == "Knots: nothing found\n"


def test_what_is_allowed_and_does_not_occur_is_a_finding(capsys: pytest.CaptureFixture[str]) -> None:
    """So the list of what is allowed stays true."""
    options = ["--allow-cycle", "a,b,start", "--allow-unsent", "B", "--format", "json"]
    assert main(["check", TARGET, *options]) == 1
    printed = json.loads(capsys.readouterr().out)
    assert printed["orchestra"] == "Knots"
    needless = [one["subject"] for one in printed["findings"] if one["kind"] == "needless"]
    assert needless == [["a", "b", "start"], ["B"]]


def test_a_cycle_of_unknown_slots_is_misuse(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", TARGET, "--allow-cycle", "a,nobody"]) == 2
    assert "Knots has no slot 'nobody'; it has start, a, b, x, y" in capsys.readouterr().err
