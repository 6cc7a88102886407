"""The command: how long it soaks, what it prints, and its exit status."""

from __future__ import annotations

import gc
import logging
import math
import re
import signal
from pathlib import Path
from typing import Any

import pytest
import trio

from benchmarks import __main__ as command
from benchmarks.soak import command as soak_command
from benchmarks.soak.command import soak
from benchmarks.soak.growth import Growth
from benchmarks.soak.report import Outcome
from benchmarks.soak.storm import Storm, make_storm
from benchmarks.soak.watching import dumping_on_request, watching


def quick() -> Growth:
    """Looks for growth within a few rounds."""
    return Growth(warm_up=2, every=1, readings=1)


def test_a_short_soak_finds_nothing_and_says_what_it_did(capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main(["soak", "--rounds", "25", "--seed", "11"]) == 0
    printed = capsys.readouterr().out
    assert re.match(r"seed 11: [\d.]+ s, 25 rounds\n", printed)
    assert printed.endswith("\nno violation\n")
    for what in ("messages", "requests", "restarts", "cancellations", "terminations", "threads", "dead letters"):
        assert re.search(rf"^{what}: +[1-9]", printed, re.MULTILINE), what


def test_the_time_ends_it_after_the_round(capsys: pytest.CaptureFixture[str]) -> None:
    """At least one round is played, and another one is not begun."""
    assert command.main(["soak", "--seconds", "1e-9"]) == 0
    assert ", 1 rounds\n" in capsys.readouterr().out


def test_a_list_that_leaks_is_found() -> None:
    """What is still held after the rounds is named."""
    leaked: list[Storm] = []

    def make(*arguments: Any, **options: Any) -> Storm:  # noqa: ANN401 - what `make_storm` takes
        leaked.append(make_storm(*arguments, **options))
        return leaked[-1]

    outcome = Outcome(5, quick())
    soak(outcome, seconds=math.inf, rounds=9, make=make)
    assert outcome.rounds == len(leaked) == 9
    assert "library objects grow by " in "\n".join(outcome.faults)
    assert "benchmarks.soak." in "\n".join(outcome.faults)
    assert outcome.status == 1


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="the system does not tell resident memory")
def test_memory_that_leaks_is_found() -> None:
    """Also where no object tells of it."""
    leaked: list[bytes] = []

    def make(*arguments: Any, **options: Any) -> Storm:  # noqa: ANN401 - what `make_storm` takes
        leaked.append(b"x" * 4_000_000)
        return make_storm(*arguments, **options)

    outcome = Outcome(5, quick())
    soak(outcome, seconds=math.inf, rounds=9, make=make)
    assert "resident memory grow by " in "\n".join(outcome.faults)


def test_a_round_that_breaks_is_a_violation_with_its_seed() -> None:
    def make(*_arguments: object, **_options: object) -> Storm:
        raise RuntimeError("broken")

    outcome = Outcome(5, Growth())
    soak(outcome, seconds=math.inf, make=make)
    text = outcome.as_text()
    assert outcome.status == 1
    assert "VIOLATION in round 1 of seed 5:" in text
    assert "RuntimeError: broken" in text
    assert text.endswith("python -m benchmarks soak --seed 5 --rounds 1")


def test_only_the_first_faults_are_shown() -> None:
    outcome = Outcome(5, Growth(), faults=[f"fault {number}" for number in range(23)])
    text = outcome.as_text()
    assert "* fault 19\n* and 3 more\n" in text


@pytest.mark.parametrize(
    "arguments",
    [
        ["--seconds", "0"],
        ["--seconds", "-1"],
        ["--seconds", "nan"],
        ["--seconds", "inf"],
        ["--seconds", "long"],
        ["--rounds", "0"],
        ["--rounds", "1.5"],
        ["--seed", "x"],
        ["--fast"],
        ["now"],
    ],
    ids=" ".join,
)
def test_misuse_is_told_in_one_line(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as raised:
        command.main(["soak", *arguments])
    captured = capsys.readouterr()
    assert raised.value.code == 2
    assert (len(captured.err.splitlines()), captured.out) == (1, "")
    assert captured.err.startswith("python -m benchmarks")


def test_options_for_measuring_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as raised:
        command.main(["--quick", "soak"])
    assert raised.value.code == 2
    assert len(capsys.readouterr().err.splitlines()) == 1


def test_an_interrupt_tells_the_round(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def interrupt(outcome: Outcome, **_options: object) -> None:
        outcome.rounds = 7
        raise KeyboardInterrupt

    monkeypatch.setattr(soak_command, "soak", interrupt)
    assert command.main(["soak", "--seed", "3"]) == 130
    assert capsys.readouterr().err.endswith("interrupted in round 7 of seed 3\n")


def test_records_of_the_library_are_counted_and_not_shown(caplog: pytest.LogCaptureFixture) -> None:
    logger = logging.getLogger("orchestra_trio")
    with watching() as watch:
        logger.warning("a warning")
        logger.info("below the level")
    logger.warning("another")
    assert watch.records == {"warning": 1}
    assert [record.message for record in caplog.records] == ["another"]


def test_what_is_raised_where_nobody_can_catch_it_is_a_fault() -> None:
    class Broken:
        def __del__(self) -> None:
            raise ValueError("in a finalizer")

    with watching() as watch:
        Broken()
        gc.collect()
    (fault,) = watch.take_faults()
    assert "in a finalizer" in fault
    assert watch.take_faults() == []


@pytest.mark.skipif(not hasattr(signal, "SIGQUIT"), reason="there is no such signal")
async def test_where_everybody_stands_is_printed_on_request(capsys: pytest.CaptureFixture[str]) -> None:
    with dumping_on_request(lambda: "here"):
        signal.raise_signal(signal.SIGQUIT)
        await trio.lowlevel.checkpoint()
    assert capsys.readouterr().err == "here\n"
