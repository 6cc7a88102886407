"""The command: what it prints, writes and stores, and its exit status."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from benchmarks.counts import __main__ as command
from benchmarks.counts.child import CountingFailed
from benchmarks.counts.counters import BYTECODES, CALLS, INSTRUCTIONS, Figure
from benchmarks.counts.figures import Versions
from benchmarks.counts.runs import RUNS

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


class Fake:
    """Counts what it is told, in place of processes."""

    def __init__(self, **totals: float) -> None:
        self.totals = totals
        self.asked: list[list[str]] = []

    def __call__(self, names: Sequence[str], _instructions: bool) -> dict[str, dict[str, Figure]]:
        self.asked.append(list(names))
        figures = {}
        for name in names:
            total = self.totals.get(name, 100.0)
            figures[name] = Figure(total, {"usual": 100.0, "added": total - 100.0})
        return {BYTECODES: figures, CALLS: figures}


@pytest.fixture
def folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Path:
    """Stored figures of 100 each."""
    assert command.main(["--update"], folder=tmp_path / "stored", counting=Fake()) == 0
    assert capsys.readouterr().out.startswith("stored bytecodes, calls of 7 runs in ")
    return tmp_path / "stored"


def test_what_is_as_stored_passes(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main([], folder=folder, counting=Fake()) == 0
    printed = capsys.readouterr().out
    assert printed.endswith(f"\n{2 * len(RUNS)} figures compared, none is worse\n")
    assert len([line for line in printed.splitlines() if line.endswith("+0.0%")]) == 2 * len(RUNS)


def test_what_is_worse_fails_and_says_by_how_much_and_where(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main([], folder=folder, counting=Fake(requests=106.0)) == 1
    lines = capsys.readouterr().out.splitlines()
    assert [line for line in lines if line.startswith("WORSE")] == [
        f"WORSE requests: {counter} +6.0%, past +5% (100.000 -> 106.000 per request); "
        "where: python -m benchmarks.counts --where requests"
        for counter in (BYTECODES, CALLS)
    ]
    assert lines[-1].endswith("if that is meant: python -m benchmarks.counts --update")


def test_what_is_better_passes_and_should_be_stored(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main([], folder=folder, counting=Fake(batches=90.0)) == 0
    printed = capsys.readouterr().out
    assert "\nbatches: bytecodes better by 10.0%\n" in printed
    assert "\nto store the figures of now: python -m benchmarks.counts --update\n" in printed


def test_where_shows_what_was_added(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    fake = Fake(requests=106.0)
    assert command.main(["--where", "requests"], folder=folder, counting=fake) == 0
    assert fake.asked == [["requests"]]
    table = capsys.readouterr().out.split("\n\n")[1].splitlines()
    assert [line.split() for line in table[1:]] == [
        ["0.000", "6.000", "+6.000", "added"],
        ["100.000", "100.000", "+0.000", "usual"],
    ]


def test_only_some_runs_are_counted_and_written(folder: Path, tmp_path: Path) -> None:
    fake = Fake(channel=200.0)
    file = tmp_path / "out.json"
    arguments = ["--only", "channel", "--only", "batches", "--json", str(file)]
    assert command.main(arguments, folder=folder, counting=fake) == 1
    assert fake.asked == [["batches", "channel"]]
    data = json.loads(file.read_text("utf-8"))
    assert [(row["run"], row["change"], row["is_worse"]) for row in data["rows"][:2]] == [
        ("batches", 0.0, False),
        ("channel", 1.0, True),
    ]
    assert data["passed"] is False
    assert data["versions"][CALLS]["python"] == Versions.here().python


def test_nothing_stored_is_no_success(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main([], folder=tmp_path, counting=Fake()) == 1
    assert "\nnothing was compared; to store figures: " in capsys.readouterr().out
    assert command.main(["--where", "channel"], folder=tmp_path, counting=Fake()) == 0
    assert "nothing is stored: those that cost most" in capsys.readouterr().out


def test_figures_of_another_python_are_compared_as_far_as_they_fit(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """And --update stores those of this one beside them."""
    python = Versions.here().python
    foreign = folder / "3.99.json"
    text = (folder / f"{python}.json").read_text("utf-8").replace(f'"python": "{python}"', '"python": "3.99"')
    foreign.write_text(text, "utf-8")
    (folder / f"{python}.json").unlink()

    assert command.main([], folder=folder, counting=Fake()) == 0
    printed = capsys.readouterr().out
    assert f"note: bytecodes: stored for Python 3.99, counted with {python}: not compared\n" in printed
    assert printed.endswith(f"\n{len(RUNS)} figures compared, none is worse\n")

    assert command.main(["--update"], folder=folder, counting=Fake()) == 0
    assert (foreign.read_text("utf-8"), (folder / f"{python}.json").exists()) == (text, True)


def test_update_replaces_what_is_broken(folder: Path) -> None:
    (file,) = folder.iterdir()
    before = file.read_text("utf-8")
    file.write_text("{", "utf-8")
    assert command.main(["--update"], folder=folder, counting=Fake()) == 0
    assert file.read_text("utf-8") == before


def test_a_broken_file_is_told_in_one_line(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (file,) = folder.iterdir()
    file.write_text("{", "utf-8")
    fake = Fake()
    with pytest.raises(SystemExit) as raised:
        command.main([], folder=folder, counting=fake)
    captured = capsys.readouterr()
    assert (raised.value.code, len(captured.err.splitlines()), captured.out, fake.asked) == (2, 1, "", [])


@pytest.mark.parametrize(
    "arguments",
    [
        ["--fast"],
        ["work"],
        ["--only", "work"],
        ["--where", "work"],
        ["--where", "channel", "--update"],
        ["--update", "--only", "channel"],
        ["--update", "--json", "x.json"],
        ["--json", "no/such/folder/x.json"],
    ],
    ids=" ".join,
)
def test_misuse_is_told_in_one_line(
    arguments: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """And at once: nothing has been counted by then."""
    monkeypatch.chdir(tmp_path)
    fake = Fake()
    with pytest.raises(SystemExit) as raised:
        command.main(arguments, folder=tmp_path, counting=fake)
    captured = capsys.readouterr()
    assert raised.value.code == 2
    assert (len(captured.err.splitlines()), captured.out) == (1, "")
    assert captured.err.startswith("python -m benchmarks.counts: ")
    assert (fake.asked, list(tmp_path.iterdir())) == ([], [])


def test_a_process_that_fails_and_an_interrupt_are_told(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def fail(_names: Sequence[str], _instructions: bool) -> dict[str, dict[str, Figure]]:
        raise CountingFailed("it failed")

    def interrupt(_names: Sequence[str], _instructions: bool) -> dict[str, dict[str, Figure]]:
        raise KeyboardInterrupt

    assert command.main([], folder=folder, counting=fail) == 1
    assert command.main([], folder=folder, counting=interrupt) == 130
    assert capsys.readouterr().err.splitlines() == [
        "python -m benchmarks.counts: it failed",
        "python -m benchmarks.counts: interrupted",
    ]


def test_all_is_counted_for_true() -> None:
    counted = command.count_all(["requests"], False)
    assert list(counted) == [BYTECODES, CALLS, "C calls"]
    assert all(figures["requests"].total > 10 for figures in counted.values())
    assert INSTRUCTIONS not in counted
