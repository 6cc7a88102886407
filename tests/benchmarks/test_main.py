"""The command line: what it prints and writes, and its exit status."""

from __future__ import annotations

import json
import subprocess
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

import pytest

from benchmarks import __main__ as command
from benchmarks import works
from benchmarks.report.stored import as_data
from tests.benchmarks.fakes import SUITE, Children
from tests.benchmarks.report.samples import REPORT

if TYPE_CHECKING:
    from benchmarks.child import Measured

PICTURES = ["growths.svg", "quantities.svg", "ratios.svg"]

needs_matplotlib = pytest.mark.skipif(find_spec("matplotlib") is None, reason="the extra `plot` is not installed")


@pytest.fixture
def children(monkeypatch: pytest.MonkeyPatch) -> Children:
    """Fake children, of a small suite."""
    children = Children()
    monkeypatch.setattr(command, "SUITE", SUITE)
    monkeypatch.setattr(command, "measure_in_child", children.measure_in_child)
    return children


@pytest.fixture
def stored(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A run that was measured before, and others that are not what they should be, in the present folder."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "broken.json").write_text('{"schema": 2', "utf-8")
    (tmp_path / "foreign.json").write_text('{"version": 1}', "utf-8")
    (tmp_path / "old.json").write_text('{"schema": 1, "rows": []}', "utf-8")
    file = tmp_path / "run.json"
    file.write_text(json.dumps(as_data(REPORT)), "utf-8")
    return file


def hide_matplotlib(monkeypatch: pytest.MonkeyPatch) -> None:
    def find(name: str, *arguments: Any) -> Any:  # noqa: ANN401 - as of what it stands for
        return None if name == "matplotlib" else find_spec(name, *arguments)

    monkeypatch.setattr(command, "find_spec", find)


def misuse(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    """Return the one line that misuse is told in."""
    with pytest.raises(SystemExit) as raised:
        command.main(arguments)
    captured = capsys.readouterr()
    assert raised.value.code == 2
    assert (len(captured.err.splitlines()), captured.out) == (1, "")
    assert captured.err.startswith("python -m benchmarks")
    return captured.err


def test_a_full_run_takes_several_processes_and_rounds_of_each_kind(children: Children) -> None:
    assert command.main([]) == 0
    for public_only in (False, True):
        rounds = [number for kind, number, scale in children.asked if kind is public_only and scale == 1.0]
        assert len(rounds) >= 3
        assert min(rounds) >= 3
    assert {*children.names} == {*SUITE.names}


def test_what_may_be_measured_is_the_suite_of_the_works(capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main(["--list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert all(line.startswith(f"{name}: ") for line, name in zip(lines, works.SUITE.names, strict=True))


@pytest.mark.usefixtures("children")
def test_what_is_printed_is_also_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Goals that are missed do not show in the exit status."""
    file = tmp_path / "figures.json"
    assert command.main(["--quick", "--json", str(file)]) == 0

    printed = capsys.readouterr().out
    data = json.loads(file.read_text("utf-8"))
    assert [(row["work"], row["peer"]) for row in data["rows"]] == [
        (work.name, peer.name) for work in SUITE.works for peer in work.peers
    ]
    assert all(row["ratio"] == pytest.approx(2.0) for row in data["rows"])
    assert {row["is_reached"] for row in data["rows"]} == {None, True, False}
    assert [(row["growth"], row["times"], row["is_reached"]) for row in data["growths"]] == [("startup", 1.0, True)]
    assert [(row["quantity"], row["whose"], row["figure"]) for row in data["quantities"]] == [
        ("waiting", "ours", 1.0),
        ("waiting", "slow", 2.0),
    ]
    assert (data["quick"], data["private_in_use"]) == (True, True)
    assert printed.startswith(data["machine"]["cpu"])
    assert len([line for line in printed.splitlines() if line.startswith("| ")]) == 3 + sum(
        len(data[kind]) for kind in ("rows", "growths", "quantities")
    )
    assert "not to be quoted" in printed


@pytest.mark.usefixtures("children")
def test_the_best_round_of_each_process_is_written(tmp_path: Path) -> None:
    file = tmp_path / "figures.json"
    assert command.main(["--json", str(file)]) == 0
    data = json.loads(file.read_text("utf-8"))
    for row in data["rows"]:
        assert row["ours_by_process"] == pytest.approx([1.0] * data["processes"])
    assert data["growths"][0]["sizes"][0]["by_process"] == pytest.approx([1.0] * data["processes"])
    assert data["quantities"][0]["by_process"] == [1.0] * data["processes"]


@pytest.mark.parametrize(
    ("parts", "names"),
    [
        (["ping"], ["ping-pong"]),
        (["PING", "start"], ["ping-pong", "startup"]),
        (["wait", "public"], ["waiting", "one at a time, public"]),
        (["one at", "one at"], ["one at a time", "one at a time, public"]),
    ],
)
def test_only_what_is_named_is_measured(parts: list[str], names: list[str], children: Children) -> None:
    """A process that would measure nothing is not started."""
    assert command.main(["--quick", *(word for part in parts for word in ("--only", part))]) == 0
    assert children.names == names
    assert len(children.asked) == len({name.endswith("public") for name in names})


def test_what_is_named_but_not_there_is_misuse_and_what_is_there_is_told(
    children: Children, capsys: pytest.CaptureFixture[str]
) -> None:
    line = misuse(["--only", "ping", "--only", "pang"], capsys)
    assert "no name contains 'pang'; there are: one at a time; ping-pong; one at a time, public; startup" in line
    assert children.asked == []


@pytest.mark.parametrize(
    ("arguments", "lines"),
    [
        (
            [],
            [
                "one at a time: against slow; fast",
                "ping-pong: against slow",
                "one at a time, public: against slow",
                "startup: at 10, 1,000",
                "waiting: of ours; slow",
            ],
        ),
        (["--only", "p"], ["ping-pong: against slow", "one at a time, public: against slow", "startup: at 10, 1,000"]),
    ],
    ids=["all", "some"],
)
def test_what_may_be_measured_is_listed(
    arguments: list[str], lines: list[str], children: Children, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command.main(["--list", *arguments]) == 0
    assert capsys.readouterr().out.splitlines() == lines
    assert children.asked == []


def test_two_runs_are_compared(children: Children, stored: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main(["--compare", str(stored), "run.json"]) == 0
    assert "no change is beyond the spread" in capsys.readouterr().out
    assert children.asked == []


@needs_matplotlib
def test_what_was_measured_is_drawn(children: Children, tmp_path: Path) -> None:
    """The folder is made where it is not there."""
    folder = tmp_path / "new" / "pictures"
    assert command.main(["--plot", str(folder), "--only", "o"]) == 0
    assert sorted(file.name for file in folder.iterdir()) == ["ratios.svg"]
    assert command.main(["--plot", str(folder)]) == 0
    assert sorted(file.name for file in folder.iterdir()) == PICTURES
    assert "one at a time (1.00 per message)" in (folder / "ratios.svg").read_text("utf-8")
    assert children.asked != []


@needs_matplotlib
def test_a_run_that_was_measured_before_is_drawn(children: Children, stored: Path) -> None:
    assert command.main(["--plot", "pictures", "--from", "run.json"]) == 0
    folder = stored.parent / "pictures"
    assert sorted(file.name for file in folder.iterdir()) == PICTURES
    for file in folder.iterdir():
        assert ET.parse(file).getroot().tag == "{http://www.w3.org/2000/svg}svg"  # noqa: S314 - it is our own
    assert children.asked == []


def test_without_matplotlib_nothing_is_drawn_and_that_is_told_before_measuring(
    children: Children, stored: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    hide_matplotlib(monkeypatch)
    for arguments in (["--plot", "pictures"], ["--plot", "pictures", "--from", "run.json"]):
        assert "orchestra-trio[plot]" in misuse(arguments, capsys)
    assert not (stored.parent / "pictures").exists()
    assert children.asked == []
    assert command.main(["--quick"]) == 0


@pytest.mark.parametrize(
    "arguments",
    [
        ["--slow"],
        ["work"],
        ["--json"],
        ["--quick=yes"],
        ["--json", "no/such/folder/x.json"],
        ["--json", "."],
        ["--only"],
        ["--only", ""],
        ["--plot"],
        ["--from", "run.json"],
        ["--compare", "run.json"],
        ["--compare", "run.json", "missing.json"],
        ["--compare", "broken.json", "run.json"],
        ["--compare", "foreign.json", "run.json"],
        ["--compare", "run.json", "old.json"],
        ["--compare", "run.json", "."],
        ["--compare", "run.json", "run.json", "--quick"],
        ["--compare", "run.json", "run.json", "--plot", "pictures"],
        ["--list", "--quick"],
        ["--list", "--json", "x.json"],
        ["--only", "ping", "soak"],
        ["--list", "soak"],
    ],
    ids=" ".join,
)
@pytest.mark.usefixtures("stored")
def test_misuse_is_told_in_one_line(
    arguments: list[str], children: Children, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """And at once: nothing has been measured or written by then."""
    before = sorted(tmp_path.rglob("*"))
    assert misuse(arguments, capsys).startswith("python -m benchmarks: ")
    assert children.asked == []
    assert sorted(tmp_path.rglob("*")) == before


@needs_matplotlib
@pytest.mark.parametrize(
    "arguments",
    [
        ["--plot", "run.json"],
        ["--plot", "run.json/pictures"],
        pytest.param(["--plot", "/proc"], marks=pytest.mark.skipif(not Path("/proc").is_dir(), reason="only Linux")),
        ["--plot", "pictures", "--from", "missing.json"],
        ["--plot", "pictures", "--from", "broken.json"],
        ["--plot", "pictures", "--from", "old.json"],
        ["--plot", "pictures", "--from", "run.json", "--quick"],
        ["--plot", "pictures", "--only", "pang"],
    ],
    ids=" ".join,
)
@pytest.mark.usefixtures("stored")
def test_misuse_of_drawing_is_told_in_one_line(
    arguments: list[str], children: Children, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """No folder is left behind."""
    assert misuse(arguments, capsys).startswith("python -m benchmarks: ")
    assert children.asked == []
    assert not (tmp_path / "pictures").exists()


def test_a_child_that_fails_is_told_by_the_exit_status(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(*_names: object, **_plan: object) -> Measured:
        raise subprocess.CalledProcessError(3, "child")

    monkeypatch.setattr(command, "measure_in_child", fail)
    assert command.main(["--quick"]) == 1
    assert "failed, with status 3" in capsys.readouterr().err


def test_an_interrupt_ends_it_without_a_traceback(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupt(*_names: object, **_plan: object) -> Measured:
        raise KeyboardInterrupt

    monkeypatch.setattr(command, "measure_in_child", interrupt)
    assert command.main([]) == 130
    assert capsys.readouterr().err.endswith("interrupted\n")
