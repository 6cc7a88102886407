"""The command line: what it prints and writes, and its exit status."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING

import pytest

from benchmarks import __main__ as command
from benchmarks.child import Measured
from benchmarks.harness import OURS
from benchmarks.works import WORKS

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[tuple[bool, int, float]]:
    """Fake children: each reports what it was asked for, and figures in which a peer is twice as slow as ours."""
    asked: list[tuple[bool, int, float]] = []

    def measure_in_child(*, public_only: bool, rounds: int, scale: float) -> Measured:
        asked.append((public_only, rounds, scale))
        samples = {
            work.name: {OURS: [1e-6], **{peer.name: [2e-6] for peer in work.peers}}
            for work in WORKS
            if work.public_only == public_only
        }
        return Measured(not public_only, samples)

    monkeypatch.setattr(command, "measure_in_child", measure_in_child)
    return asked


def test_a_full_run_takes_several_processes_and_rounds_of_each_kind(asked: list[tuple[bool, int, float]]) -> None:
    assert command.main([]) == 0
    for public_only in (False, True):
        rounds = [number for kind, number, scale in asked if kind is public_only and scale == 1.0]
        assert len(rounds) >= 3
        assert min(rounds) >= 3


@pytest.mark.usefixtures("asked")
def test_what_is_printed_is_also_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Goals that are missed do not show in the exit status."""
    file = tmp_path / "figures.json"
    assert command.main(["--quick", "--json", str(file)]) == 0

    printed = capsys.readouterr().out
    data = json.loads(file.read_text("utf-8"))
    assert [(row["work"], row["peer"]) for row in data["rows"]] == [
        (work.name, peer.name) for work in WORKS for peer in work.peers
    ]
    assert all(row["ratio"] == pytest.approx(2.0) for row in data["rows"])
    assert {row["is_reached"] for row in data["rows"]} == {None, True, False}
    assert (data["quick"], data["private_in_use"]) == (True, True)
    assert printed.startswith(data["machine"]["cpu"])
    assert len([line for line in printed.splitlines() if line.startswith("| ")]) == 1 + len(data["rows"])
    assert "not to be quoted" in printed


@pytest.mark.parametrize(
    "arguments",
    [["--slow"], ["work"], ["--json"], ["--quick=yes"], ["--json", "no/such/folder/x.json"], ["--json", "."]],
    ids=" ".join,
)
def test_misuse_is_told_in_one_line(
    arguments: list[str],
    asked: list[tuple[bool, int, float]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """And at once: nothing has been measured by then."""
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as raised:
        command.main(arguments)

    captured = capsys.readouterr()
    assert raised.value.code == 2
    assert (len(captured.err.splitlines()), captured.out) == (1, "")
    assert captured.err.startswith("python -m benchmarks: ")
    assert asked == []


def test_a_child_that_fails_is_told_by_the_exit_status(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(**_plan: object) -> Measured:
        raise subprocess.CalledProcessError(3, "child")

    monkeypatch.setattr(command, "measure_in_child", fail)
    assert command.main(["--quick"]) == 1
    assert "failed, with status 3" in capsys.readouterr().err


def test_an_interrupt_ends_it_without_a_traceback(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupt(**_plan: object) -> Measured:
        raise KeyboardInterrupt

    monkeypatch.setattr(command, "measure_in_child", interrupt)
    assert command.main([]) == 130
    assert capsys.readouterr().err.endswith("interrupted\n")
