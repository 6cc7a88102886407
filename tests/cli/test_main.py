"""What the command line does with what a command raises."""

from __future__ import annotations

import importlib
import io
import sys
from importlib.metadata import PackageNotFoundError
from typing import TYPE_CHECKING, NoReturn

import pytest
import trio

from orchestra_trio import cli
from orchestra_trio.cli.demo import command

if TYPE_CHECKING:
    from pathlib import Path


def raising(error: BaseException) -> object:
    """Return a stand-in for what the demo runs."""

    async def index_folder(*_: object) -> NoReturn:
        await trio.lowlevel.checkpoint()
        raise error

    return index_folder


def run_demo(monkeypatch: pytest.MonkeyPatch, folder: Path, error: BaseException) -> int:
    """Run the demo in a process without file descriptors; what it runs raises an error."""
    monkeypatch.setattr(sys, "stdout", io.StringIO())
    monkeypatch.setattr(command, "index_folder", raising(error))
    return cli.main(["demo", str(folder)])


def test_interrupt_where_nothing_handles_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """As while the report is printed."""
    assert run_demo(monkeypatch, tmp_path, KeyboardInterrupt()) == 130


def test_failure_in_nested_groups(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The first error is the one that counts."""
    inner = ExceptionGroup("inner", [OSError("the first"), OSError("the second")])
    assert run_demo(monkeypatch, tmp_path, ExceptionGroup("outer", [inner])) == 1
    assert capsys.readouterr().err == "orchestra-trio demo: error: the first\n"


def test_error_that_nobody_foresaw(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """It keeps its traceback, and so do those beside it."""
    group = ExceptionGroup("", [ValueError("a fault"), OSError("another")])
    with pytest.RaisesGroup(ValueError, OSError):
        run_demo(monkeypatch, tmp_path, group)


def test_version_of_a_checkout(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def version(name: str) -> NoReturn:
        raise PackageNotFoundError(name)

    monkeypatch.setattr(cli, "version", version)
    with pytest.raises(SystemExit):
        cli.main(["--version"])
    assert capsys.readouterr().out == "orchestra-trio (not installed)\n"


def test_importing_the_program_runs_nothing() -> None:
    assert importlib.import_module("orchestra_trio.__main__").main is cli.main
