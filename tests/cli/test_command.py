"""The whole command, as a process: what it prints, and its exit status."""

from __future__ import annotations

import os
import re
import signal
import sqlite3
import subprocess
import sys
import sysconfig
from contextlib import closing, suppress
from pathlib import Path
from typing import IO, TYPE_CHECKING

import pytest

import orchestra_trio
from orchestra_trio.cli.demo.database import Database

if TYPE_CHECKING:
    from collections.abc import Iterator

PACKAGE_FOLDER = Path(orchestra_trio.__path__[0]).parent
"""The package under test is the one that the process imports, too."""

MODULE = ("-m", "orchestra_trio")
WITHOUT_RICH = (
    "-c",
    "import sys; sys.modules['rich'] = None; from orchestra_trio.cli import main; sys.exit(main(sys.argv[1:]))",
)


def start(
    *arguments: str | Path,
    program: tuple[str, ...] = MODULE,
    stdout: int = subprocess.PIPE,
    stderr: int = subprocess.PIPE,
) -> subprocess.Popen[str]:
    """Start the command, with warnings as errors."""
    return subprocess.Popen(
        [sys.executable, "-W", "error", *program, *arguments],
        stdin=subprocess.DEVNULL,
        stdout=stdout,
        stderr=stderr,
        encoding="utf-8",
        env={**os.environ, "PYTHONPATH": str(PACKAGE_FOLDER), "PYTHONIOENCODING": "utf-8", "TERM": "xterm-256color"},
    )


def run(*arguments: str | Path) -> tuple[int, str, str]:
    """Return the exit status, and what was printed to both streams."""
    with start(*arguments) as process:
        output, errors = process.communicate()
    return process.returncode, output, errors


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with some text in it."""
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "grün.txt").write_text("A needle in\na haystack of needles\n", "utf-8")
    (folder / "hay.txt").write_text("just hay" * 999, "utf-8")
    (folder / "x.bin").write_bytes(b"\0")
    return folder


@pytest.fixture
def long_work(tmp_path: Path) -> Path:
    """A folder of text that takes long to index: all files are the same one."""
    folder = tmp_path / "long"
    folder.mkdir()
    first = folder / "0.txt"
    first.write_text("".join(f"line {number} has words\n" for number in range(20_000)), "utf-8")
    for number in range(1, 3000):
        (folder / f"{number}.txt").hardlink_to(first)
    return folder


def wait_for_files(output: IO[str]) -> None:
    """Read lines until one says that files are in the index."""
    for line in output:
        if re.search(r" s  [1-9]\d* files?, ", line):
            return
    pytest.fail("it ended before it could be interrupted")


def test_answers(folder: Path) -> None:
    status, output, errors = run("demo", folder, "--query", "HAYSTACK needle", "--query", '"AND(')
    assert (status, errors) == (0, "")
    assert "  binary: 1\n    x.bin\n" in output
    assert "\n  2 files, " in output
    assert "query 'HAYSTACK needle': 1 file\n" in output
    assert "  grün.txt:1\n          A needle in\n" in output
    assert "query '\"AND(': 0 files\n" in output
    assert re.search(r"^  index +bounded +4 +4 ", output, re.MULTILINE)
    assert "\x1b" not in output


def test_standard_library() -> None:
    """Without a folder, it has questions of its own, and passes over what was installed there."""
    status, output, errors = run("demo", "--limit", "100")
    assert (status, errors) == (0, "")
    assert output.startswith(f"indexing {Path(sysconfig.get_path('stdlib')).absolute()} ")
    assert "  100 files, " in output or "skipped" in output
    assert "query 'cancel pending future':" in output
    assert "site-packages" not in output


def test_sample_question(folder: Path) -> None:
    """Without a query, it asks for something that is there."""
    status, output, errors = run("demo", folder)
    assert (status, errors) == (0, "")
    assert re.search(r"query '\w+': 1 file\n", output)


def test_empty_folder(tmp_path: Path) -> None:
    status, output, errors = run("demo", tmp_path)
    assert (status, errors) == (0, "")
    assert "  0 files, 0 tokens, 0.0 MB in " in output
    assert "query: nothing to ask for\n" in output


def test_all_skipped_files_are_named(tmp_path: Path) -> None:
    for number in range(10):
        (tmp_path / f"{number}.bin").write_bytes(b"\0")
    _, output, _ = run("demo", tmp_path)
    assert "    4.bin\n    and 5 more (--skipped names all)\n" in output
    _, output, _ = run("demo", tmp_path, "--skipped")
    assert "    9.bin\n" in output
    assert "more" not in output


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="here, everything is readable")
def test_unreadable_files_and_folders_are_named(folder: Path) -> None:
    (folder / "locked").mkdir(mode=0)
    (folder / "secret.txt").touch(mode=0)
    status, output, errors = run("demo", folder)
    (folder / "locked").chmod(0o700)
    assert (status, errors) == (0, "")
    assert "  Permission denied: 2\n    locked\n    secret.txt\n" in output


def test_database_is_kept(folder: Path, tmp_path: Path) -> None:
    """A second run renews it, and answers about all that is in it."""
    index = tmp_path / "index"
    status, output, errors = run("demo", folder, "--database", index)
    assert (status, errors) == (0, "")
    assert output.endswith("\nthe index has 2 files\n")
    (folder / "new.txt").write_text("needle again", "utf-8")
    status, output, errors = run("demo", folder, "--database", index, "--query", "needle")
    assert (status, errors) == (0, "")
    assert "query 'needle': 2 files\n" in output
    assert output.endswith("\nthe index has 3 files\n")


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        ([], "arguments are required: COMMAND"),
        (["dance"], "invalid choice: 'dance'"),
        (["demo", "one", "two"], "unrecognized arguments: two"),
        (["demo", "missing\nfolder"], r"'missing\nfolder': No such file or directory"),
        (["demo", ""], "'': No such file or directory"),
        (["demo", __file__], "Not a directory"),
        (["demo", "--limit", "0"], "--limit: '0' is no positive whole number"),
        (["demo", "--readers", "-1"], "--readers: '-1' is no positive whole number"),
        (["demo", "--readers", "many"], "--readers: 'many' is no positive whole number"),
        (["demo", "--interval", "nan"], "--interval: 'nan' is no positive number"),
        (["demo", "--interval", "soon"], "--interval: 'soon' is no positive number"),
        (["demo", "--query"], "--query: expected one argument"),
        (["demo", ".", "--database", "missing/index"], "missing/index: unable to open database file"),
        (["demo", ".", "--database", __file__], "file is not a database"),
    ],
)
def test_misuse_gives_one_line(arguments: list[str], problem: str) -> None:
    status, output, errors = run(*arguments)
    assert (status, output) == (2, "")
    assert errors.startswith("orchestra-trio")
    assert problem in errors
    assert errors.count("\n") == 1


def test_help_explains_the_exit_status() -> None:
    status, output, _ = run("demo", "--help")
    assert status == 0
    text = " ".join(output.split())
    assert "130 after Ctrl-C, 143 after SIGTERM" in text
    assert "SIGQUIT and SIGUSR1, where the system has them, print to the standard error stream where every" in text


def test_version() -> None:
    status, output, _ = run("--version")
    assert status == 0
    assert output.startswith("orchestra-trio ")


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_interrupt_ends_it_in_order(long_work: Path, tmp_path: Path, number: int, status: int) -> None:
    """What was found by then is indexed, answered about, and kept."""
    index = tmp_path / "index"
    with start("demo", long_work, "--database", index, "--query", "line", "--interval", "0.01") as process:
        assert process.stdout is not None
        wait_for_files(process.stdout)
        process.send_signal(number)
        output, errors = process.communicate()
    assert (process.returncode, errors) == (status, "")
    assert "\nending: what was found is still indexed" in "\n" + output
    match = re.search(r"^indexed\n  (\d+) files, ", output, re.MULTILINE)
    assert match is not None
    assert 0 < int(match[1]) < 3000
    assert f"query 'line': {match[1]} files, the best 5\n" in output
    with closing(Database.open(index)) as database:
        assert database.search("words", 1).matches == len(database.paths()) == int(match[1])


def test_interrupts_in_quick_succession(long_work: Path) -> None:
    """Whether it ended in order or at once, there is no traceback."""
    with start("demo", long_work, "--query", "line", "--interval", "0.01") as process:
        assert process.stdout is not None
        wait_for_files(process.stdout)
        process.send_signal(signal.SIGINT)
        for line in process.stdout:
            if line.startswith("ending"):
                break
        process.send_signal(signal.SIGINT)
        output, errors = process.communicate()
    assert (process.returncode, errors) == (130, "")
    assert "\nmeters\n" in output


@pytest.mark.parametrize("name", ["SIGUSR1", "SIGQUIT"])
def test_signal_shows_where_everything_stands(long_work: Path, tmp_path: Path, name: str) -> None:
    """On the standard error stream; and it goes on until it is interrupted."""
    if not hasattr(signal, name):
        pytest.skip("the system has no such signal")
    file = tmp_path / "errors"
    with (
        file.open("w", encoding="utf-8") as errors,
        start("demo", long_work, "--query", "line", "--interval", "0.01", stderr=errors.fileno()) as process,
    ):
        assert process.stdout is not None
        wait_for_files(process.stdout)
        process.send_signal(getattr(signal, name))
        for _ in process.stdout:
            if "\nreporter: " in file.read_text("utf-8"):
                break
        process.send_signal(signal.SIGINT)
        output, _ = process.communicate()
    assert process.returncode == 130
    assert "query 'line': " in output
    standing = file.read_text("utf-8")
    assert standing.startswith("Indexing: up ")
    subsystems = ["walker", "reader", "tokenizer", "index", "reporter"]
    assert re.findall(r"^(\w+): (?:running|ending)", standing, re.MULTILINE) == subsystems


def test_reader_of_the_output_goes_away(long_work: Path) -> None:
    """As `head` does: that ends it, without a word."""
    with start("demo", long_work, "--interval", "0.01") as process:
        assert process.stdout is not None
        assert process.stderr is not None
        wait_for_files(process.stdout)
        process.stdout.close()
        errors = process.stderr.read()
    assert (process.returncode, errors) == (1, "")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="the system has no file that is always full")
def test_output_that_cannot_be_written(folder: Path) -> None:
    with Path("/dev/full").open("w", encoding="utf-8") as full, start("demo", folder, stdout=full.fileno()) as process:
        _, errors = process.communicate()
    assert process.returncode == 1
    assert errors == "orchestra-trio demo: error: [Errno 28] No space left on device\n"


def test_database_that_fails_later(folder: Path, tmp_path: Path) -> None:
    """One line says what went wrong."""
    index = tmp_path / "index"
    Database.open(index).close()
    with closing(sqlite3.connect(index)) as connection:
        connection.execute("CREATE TRIGGER refuse BEFORE INSERT ON files BEGIN SELECT raise(ABORT, 'no more'); END")
    status, _, errors = run("demo", folder, "--database", index)
    assert (status, errors) == (1, "orchestra-trio demo: error: no more\n")


@pytest.mark.skipif(os.name != "posix", reason="the system has no pseudo-terminals")
@pytest.mark.parametrize("program", [MODULE, WITHOUT_RICH], ids=["rich", "plain"])
def test_terminal(folder: Path, program: tuple[str, ...]) -> None:
    """With rich there are colours; without, it is as plain as anywhere else."""
    outer, inner = os.openpty()
    with start("demo", folder, "--query", "needle", program=program, stdout=inner) as process:
        os.close(inner)
        output = b"".join(_read_all(outer)).decode()
        assert process.stderr is not None
        errors = process.stderr.read()
    os.close(outer)
    assert (process.returncode, errors) == (0, "")
    assert "query 'needle': 1 file" in output
    assert ("\x1b[" in output) == (program is MODULE)


def _read_all(terminal: int) -> Iterator[bytes]:
    with suppress(OSError):  # at the end, Linux says that there is an error
        while data := os.read(terminal, 4096):
            yield data
