"""The pytest plugin: each test runs pytest in a process of its own, as users do, with the plugin found by itself."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable  # noqa: TC003 - an alias names it
from typing import TYPE_CHECKING, TypeAlias

import pytest

if TYPE_CHECKING:
    from pathlib import Path

HEAD = """
from __future__ import annotations
from typing import NamedTuple
import pytest, trio
from orchestra_trio import Orchestra, Subsystem, SubsystemContext
from orchestra_trio.testing import Schedule, explore

class Item(NamedTuple):
    number: int

class Sink(Orchestra):
    sink: Subsystem[Item]

async def sink(ctx: SubsystemContext[Item]) -> None:
    async for _ in ctx:
        pass

async def fill(count: int) -> None:
    async with Sink(sink=sink).open() as running:
        for number in range(count):
            await running.route_message(Item(number))
"""

Run: TypeAlias = "Callable[..., tuple[int, str]]"


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Runs pytest on a test file; returns its exit status and what it prints."""

    def run(text: str, *words: str) -> tuple[int, str]:
        (tmp_path / "pytest.ini").write_text("[pytest]\ntrio_mode = true\n", encoding="utf-8")
        (tmp_path / "test_it.py").write_text(HEAD + text, encoding="utf-8")
        command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *words]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
        return done.returncode, done.stdout + done.stderr

    return run


def test_the_traces_of_a_failed_test_are_shown_within_bounds(run: Run) -> None:
    text = """
async def test_it(orchestra_traces: list) -> None:
    await fill(100)
    assert len(orchestra_traces) == 1
    assert False
"""
    status, output = run(text, "--orchestra-trace=7")
    assert status == 1
    assert "orchestra_trio: trace of Sink" in output
    assert re.search(r"\.\.\. \d+ events before; --orchestra-trace=EVENTS shows more", output)
    assert len(re.findall(r"^ +\d+ +0\.\d+s ", output, re.MULTILINE)) == 7
    assert "sink ends: finished" in output
    assert "trace of" not in run(text, "--orchestra-trace=0")[1]


def test_the_traces_of_a_test_that_passes_are_not_shown(run: Run) -> None:
    status, output = run("async def test_it(orchestra_traces: list) -> None:\n    await fill(1)\n")
    assert (status, "trace of" in output) == (0, False)


def test_of_many_runs_the_last_one_is_kept(run: Run) -> None:
    text = """
def test_it(orchestra_traces: list) -> None:
    explore(lambda: fill(1), schedules=50)
    assert len(orchestra_traces) == 1
"""
    assert run(text)[0] == 0


def test_a_failure_under_a_schedule_says_how_to_run_it_again(run: Run) -> None:
    text = """
def test_it(orchestra_traces: list) -> None:
    order: list[str] = []

    async def note(name: str) -> None:
        await trio.lowlevel.checkpoint()
        order.append(name)

    async def main() -> None:
        order.clear()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(note, "a")
            nursery.start_soon(note, "b")
        await fill(1)
        assert order == ["a", "b"]

    explore(main)
"""
    status, output = run(text)
    assert status == 1
    assert re.search(r'to run that again: replay\(main, "\d+:1"\)', output)
    assert "orchestra_trio: trace of Sink" in output


def test_a_hang_under_the_clock_fails_at_once(run: Run) -> None:
    status, output = run("""
async def test_it(orchestra_clock: object) -> None:
    async with Sink(sink=sink).open():
        await trio.sleep_forever()
""")
    assert status == 1
    assert "Hang: all tasks wait, and nothing will wake any of them" in output
    assert "sink: running, waits to receive" in output


def test_the_clock_jumps_in_tests_by_hypothesis_too(run: Run) -> None:
    status, output = run("""
from hypothesis import HealthCheck, given, settings, strategies as st

@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=5)
@given(number=st.integers(0, 3))
async def test_passes(orchestra_clock: object, number: int) -> None:
    await trio.sleep(10_000)

@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(number=st.integers(0, 9))
async def test_hangs(orchestra_clock: object, number: int) -> None:
    if number > 3:
        await trio.sleep_forever()
""")
    assert (status, "1 failed, 1 passed" in output) == (1, True)
    assert "number=4" in output


def test_the_harness_fixture_holds_a_conversation(run: Run) -> None:
    text = """
async def echo(ctx: SubsystemContext[Item, Other]) -> None:
    async for item in ctx:
        await ctx.send(Other(item.number))

class Other(NamedTuple):
    number: int

async def test_it(orchestra_harness: object) -> None:
    async with orchestra_harness(echo, consumes=Item, sends=Other) as harness:
        await harness.send(Item(3))
        assert await harness.expect(Other) == Other(3)
"""
    assert run(text)[0] == 0


def test_without_its_fixtures_it_changes_nothing(run: Run) -> None:
    """Also where pytest-trio and hypothesis are not in use."""
    status, output = run("def test_it() -> None:\n    pass\n", "-p", "no:trio", "-p", "no:hypothesispytest")
    assert status == 0, output
