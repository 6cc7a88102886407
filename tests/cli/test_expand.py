"""The command `expand`. What type checkers accept of what it writes is in `type_tests/building.py`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from orchestra_trio.cli import main

if TYPE_CHECKING:
    import pytest

STUB = Path(__file__).resolve().parents[2] / "type_tests" / "expanded.pyi"


def test_the_stub_that_type_checkers_read_is_what_it_writes(capsys: pytest.CaptureFixture[str]) -> None:
    """After a change: `orchestra-trio expand type_tests.wiring:Pipeline -o type_tests/expanded.pyi`."""
    assert main(["expand", "type_tests.wiring:Pipeline"]) == 0
    assert capsys.readouterr().out == STUB.read_text("utf-8")


def test_into_a_file(tmp_path: Path) -> None:
    file = tmp_path / "stub.pyi"
    assert main(["expand", "type_tests.wiring:Pipeline", "-o", str(file)]) == 0
    assert file.read_text("utf-8") == STUB.read_text("utf-8")
