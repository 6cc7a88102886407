"""The command `graph`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import pytest

from orchestra_trio.cli import main
from tests.wiring.wirings import Knots

if TYPE_CHECKING:
    from pathlib import Path

TARGET = "tests.wiring.wirings:Knots"


def test_mermaid_is_the_default(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["graph", TARGET]) == 0
    assert capsys.readouterr().out == Knots.graph().to_mermaid()


@pytest.mark.parametrize(
    ("ending", "beginning"), [("dot", "digraph"), ("gv", "digraph"), ("mmd", "---"), ("txt", "---")]
)
def test_the_format_goes_by_the_ending_of_the_file(ending: str, beginning: str, tmp_path: Path) -> None:
    """Another ending means Mermaid."""
    file = tmp_path / f"wiring.{ending}"
    assert main(["graph", TARGET, "-o", str(file)]) == 0
    assert file.read_text("utf-8").startswith(beginning)


def test_an_option_overrules_the_ending(tmp_path: Path) -> None:
    file = tmp_path / "wiring.dot"
    assert main(["graph", TARGET, "--format", "json", "--output", str(file)]) == 0
    assert json.loads(file.read_text("utf-8")) == json.loads(json.dumps(Knots.graph().to_json()))


def test_svg(tmp_path: Path) -> None:
    file = tmp_path / "wiring.svg"
    assert main(["graph", TARGET, "-o", str(file)]) == 0
    assert ET.parse(file).getroot().tag.endswith("svg")  # noqa: S314 - our own


def test_a_file_that_cannot_be_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["graph", TARGET, "-o", str(tmp_path / "no" / "where.svg")]) == 1
    assert capsys.readouterr().err.count("\n") == 1


def test_an_unknown_format_is_misuse(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["graph", TARGET, "--format", "png"])
    assert ended.value.code == 2
    assert capsys.readouterr().err.count("\n") == 1
