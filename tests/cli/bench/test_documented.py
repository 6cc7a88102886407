"""The command that the documentation shows, run: its output is that of the documentation, but for the figures."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from orchestra_trio.cli import main

if TYPE_CHECKING:
    import pytest

PAGE = Path(__file__).resolve().parents[3] / "docs" / "howto" / "benchmarking.md"


def without_figures(text: str) -> str:
    """Return the words of a report; how steady it was is only told after enough looks."""
    words = re.sub(r"\d[\d,.]*(?= |$)", "#", " ".join(text.split()))
    return words.replace("In each fifth of the time it was # to # messages/s. ", "")


def test_output_is_that_of_the_page(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    page = PAGE.read_text("utf-8")
    [app, *_] = re.findall(r"^```python\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    [command, *_] = re.findall(r"^\$ orchestra-trio (.*)$", page, re.MULTILINE)
    [shown, *_] = re.findall(r"^```text\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    (tmp_path / "app.py").write_text(app, "utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.delitem(sys.modules, "app", raising=False)
    assert main([*command.split(), "--seconds", "1", "--warm-up", "0.2"]) == 0
    assert without_figures(capsys.readouterr().out) == without_figures(shown)
    del sys.modules["app"]
