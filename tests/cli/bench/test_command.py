"""The whole command: what it prints, and its exit status."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import orchestra_trio
from orchestra_trio.cli import main
from orchestra_trio.cli.bench.tables import WIDTH

if TYPE_CHECKING:
    from collections.abc import Iterator

PACKAGE_FOLDER = Path(orchestra_trio.__path__[0]).parent
"""The package under test is the one that the process imports, too."""

APP = """
from contextlib import contextmanager
import pathlib
import trio
from orchestra_trio import Orchestra, Subsystem, subsystem
from tests.cli.bench.samples import Asking, Chain, Cook, Eater, Raw, Source, answer_slowly, ask, make_chain

def slow_end():
    return make_chain(eater=0.001)

instance = slow_end()

def failing():
    return Chain(first=Source(), middle=Cook(), last=Eater(fails_at=5))

def asking():
    return Asking(asker=ask, answerer=answer_slowly)

class Idle(Orchestra):
    idle: Subsystem[Raw]

def idle():
    return Idle(idle=ask)

class Waiting(Orchestra):
    idle: Subsystem[Raw] = subsystem(readiness=True)

async def wait_for_nobody(ctx):
    print("begun", flush=True)
    await trio.sleep_forever()

def waiting():
    return Waiting(idle=wait_for_nobody)

class Deaf(Orchestra):
    deaf: Subsystem[Raw]

async def compute_for_ever(ctx):
    print("begun", flush=True)
    while True:
        pass

def deaf():
    return Deaf(deaf=compute_for_ever)

@contextmanager
def kept():
    pathlib.Path("opened").touch()
    try:
        yield slow_end()
    finally:
        pathlib.Path("closed").touch()

@contextmanager
def failing_to_make():
    raise OSError("no such thing")
    yield

@contextmanager
def making_nothing():
    yield 3

async def make_async(): ...
def make_number(): return 3
def make_with(argument): ...
def make_wrongly(): 1 / 0

def raws():
    number = 0
    while True:
        yield Raw(number)
        number += 1

async def stay(running):
    await trio.sleep_forever()

async def fail(running):
    raise KeyError("no\\nwhere")

async def misroute(running):
    await running.route_message(3)
"""

QUICK = ["--seconds", "0.2", "--warm-up", "0.05"]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The current folder has a module; what is imported from there is forgotten afterwards."""
    (tmp_path / "bench_app.py").write_text(APP, "utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    yield tmp_path
    sys.modules.pop("bench_app", None)


@pytest.mark.parametrize("target", ["slow_end", "instance", "kept"])
def test_report(target: str, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """An orchestra, a function that makes one, or a context manager around one."""
    assert main(["bench", f"bench_app:{target}", *QUICK, "--json", "figures.json"]) == 0
    printed = capsys.readouterr()
    assert printed.err == ""
    assert re.match(r"Chain: [\d,.]+ messages/s for \d+\.\d s; ", printed.out)
    assert re.search(r"^  first +middle +bounded +\d+ +\d+  Raw$", printed.out, re.MULTILINE)
    assert re.search(r"^  last limits: its bounded lane was full for ", printed.out, re.MULTILINE)
    assert max(map(len, printed.out.splitlines())) <= WIDTH
    figures = json.loads((folder / "figures.json").read_text("utf-8"))
    assert figures["limits"][0]["subsystem"] == "last"
    assert (folder / "opened").exists() == (folder / "closed").exists() == (target == "kept")


@pytest.mark.parametrize(("options", "routed"), [([], None), (["--rate", "0.001"], 1)])
def test_generator_function_as_load(
    options: list[str], routed: int | None, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """With one in a thousand seconds, the first is due at the beginning."""
    arguments = ["--load", "bench_app:raws", "--seconds", "0.3", "--warm-up", "0", "--json", "figures.json"]
    assert main(["bench", "bench_app:asking", *arguments, *options]) == 0
    [edge] = [
        one for one in json.loads((folder / "figures.json").read_text("utf-8"))["edges"] if one["sender"] == "(outside)"
    ]
    if routed is None:
        assert edge["messages"] > 10
    else:
        assert edge["messages"] == routed


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (
            ["failing"],
            "bench_app:failing failed: ValueError: too hot (raised in 'last' of Chain, with a Cooked in hand; ",
        ),
        (["asking", "--load", "bench_app:fail"], "--load bench_app:fail failed: KeyError: 'no\\nwhere' ("),
        (
            ["asking", "--load", "bench_app:misroute"],
            "failed: UndeclaredMessage: the embedding program of Asking cannot",
        ),
        (["asking", "--warm-up", "600"], "s, within the warm-up: nothing was measured; give it more to do"),
        (["asking", "--warm-up", "0"], "nothing was sent: where it does not feed itself, it needs a --load"),
        (["asking", "--load", "bench_app:stay", *QUICK], "nothing was sent"),
    ],
)
def test_failures_are_one_line(arguments: list[str], problem: str, capsys: pytest.CaptureFixture[str]) -> None:
    """It says what failed and where, and ends with 1."""
    target, *others = arguments
    assert main(["bench", "--seconds", "600", f"bench_app:{target}", *others]) == 1
    errors = capsys.readouterr().err
    assert errors.startswith("orchestra-trio bench: error: ")
    assert problem in errors
    assert errors.count("\n") == 1


def test_place_of_a_failure_is_in_the_users_code(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Not in that of the library, which has raised it."""
    assert main(["bench", "bench_app:asking", "--load", "bench_app:misroute"]) == 1
    line = APP[: APP.index("route_message(3)")].count("\n") + 1
    assert f"({folder / 'bench_app.py'}:{line})" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["bench_app"], "'bench_app' is no target: write module:name of a function that makes an orchestra"),
        (["bench_app:nothing"], "bench_app has no 'nothing'; it has Asking, Chain, "),
        (["bench_app:Orchestra"], "bench_app:Orchestra is the base class"),
        (
            ["bench_app:Chain"],
            "missing 3 required keyword-only arguments: 'first', 'middle', and 'last'; name a function",
        ),
        (["bench_app:make_with"], "missing 1 required positional argument: 'argument'; it is called without arguments"),
        (["bench_app:make_wrongly"], "bench_app:make_wrongly makes no orchestra: ZeroDivisionError: division by zero"),
        (["bench_app:make_async"], "bench_app:make_async is an async function: what makes an orchestra must not be"),
        (["bench_app:make_number"], "bench_app:make_number makes what is of type int, no orchestra; it has "),
        (["bench_app:QUICK"], "bench_app has no 'QUICK'"),
        (["bench_app:__name__"], "bench_app:__name__ is of type str, no orchestra; it has "),
        (["bench_app:failing_to_make"], "bench_app:failing_to_make makes no orchestra: OSError: no such thing"),
        (["bench_app:making_nothing"], "bench_app:making_nothing yields what is of type int, no orchestra"),
        (["bench_app:asking", "--load", "raws"], "'raws' is no target: write module:function, such as app.loads:crawl"),
        (
            ["bench_app:asking", "--load", "bench_app:make_number"],
            "bench_app:make_number is neither: a load is an async",
        ),
        (["bench_app:asking", "--rate", "5"], "--rate says how fast the messages of a --load are routed"),
        (["bench_app:asking", "--load", "bench_app:fail", "--rate", "5"], "--rate is for generator functions"),
        (["bench_app:asking", "--json", "missing/x"], "--json: No such file or directory: 'missing/x'"),
    ],
)
def test_misuse_is_one_line(arguments: list[str], problem: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing was run, and it ends with 2."""
    assert main(["bench", *arguments]) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.startswith("orchestra-trio bench: error: ")
    assert problem in printed.err
    assert printed.err.count("\n") == 1


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        ([], "required: TARGET"),
        (["x:y", "--seconds", "0"], "--seconds: '0' is no positive number"),
        (["x:y", "--seconds", "inf"], "--seconds: 'inf' is no positive number"),
        (["x:y", "--warm-up", "-1"], "--warm-up: '-1' is neither 0 nor a positive number"),
        (["x:y", "--warm-up", "soon"], "--warm-up: 'soon' is neither 0 nor a positive number"),
        (["x:y", "--rate", "nan"], "--rate: 'nan' is no positive number"),
    ],
)
def test_wrong_arguments(arguments: list[str], problem: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["bench", *arguments])
    assert caught.value.code == 2
    errors = capsys.readouterr().err
    assert problem in errors
    assert errors.count("\n") == 1


def test_demo_is_an_example(capsys: pytest.CaptureFixture[str]) -> None:
    demo = "orchestra_trio.cli.demo.bench"
    assert main(["bench", f"{demo}:indexing", "--load", f"{demo}:walk", "--seconds", "1", "--warm-up", "0"]) == 0
    printed = capsys.readouterr()
    assert printed.err == ""
    assert re.search(r"^  tokenizer +index +bounded .* Entry$", printed.out, re.MULTILINE)


def start(*arguments: str) -> subprocess.Popen[str]:
    """Start the command, with warnings as errors."""
    folders = [str(PACKAGE_FOLDER), str(Path(__file__).resolve().parents[3])]
    return subprocess.Popen(
        [sys.executable, "-W", "error", "-m", "orchestra_trio", "bench", *arguments],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
        env={**os.environ, "PYTHONPATH": os.pathsep.join(folders)},
    )


def wait_for_begun(process: subprocess.Popen[str]) -> None:
    """Wait until a subsystem has run."""
    assert process.stdout is not None
    assert process.stdout.readline() == "begun\n"


@pytest.mark.skipif(os.name != "posix", reason="the system has no such signals")
def test_interrupt_shows_the_figures_so_far(folder: Path) -> None:
    with (folder / "bench_app.py").open("a", encoding="utf-8") as app:
        app.write(
            "async def interrupt_later(running):\n"
            "    import os, signal\n"
            "    while running.statistics().subsystems['last'].bounded.received < 5:\n"
            "        await trio.sleep(0.01)\n"
            "    os.kill(os.getpid(), signal.SIGINT)\n"
            "    await trio.sleep_forever()\n"
        )
    arguments = ["--load", "bench_app:interrupt_later", "--seconds", "600", "--warm-up", "0"]
    with start("bench_app:kept", *arguments) as process:
        output, errors = process.communicate()
    assert (process.returncode, errors) == (130, "")
    assert "\n  Interrupted: these are the figures so far.\n" in output
    assert re.search(r"^  first +middle +bounded ", output, re.MULTILINE)
    assert (folder / "closed").exists()


@pytest.mark.skipif(os.name != "posix", reason="the system has no such signals")
def test_interrupt_while_it_opens() -> None:
    with start("bench_app:waiting", "--load", "bench_app:stay") as process:
        wait_for_begun(process)
        process.send_signal(signal.SIGINT)
        output, errors = process.communicate()
    assert (process.returncode, output) == (130, "")
    assert errors == "orchestra-trio bench: error: interrupted before anything was measured\n"


@pytest.mark.skipif(os.name != "posix", reason="the system has no such signals")
def test_second_interrupt_ends_it_at_once() -> None:
    """Also where a subsystem does not let go of trio's thread."""
    with start("bench_app:deaf") as process:
        wait_for_begun(process)
        while process.poll() is None:
            process.send_signal(signal.SIGINT)
            with suppress(subprocess.TimeoutExpired):  # two at once would count as one
                process.wait(0.05)
        output, errors = process.communicate()
    assert (process.returncode, output, errors) == (-signal.SIGINT, "", "")
