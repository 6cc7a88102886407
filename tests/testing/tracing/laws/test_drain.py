"""Law 10 planted against: components that are told to end too early, and members of a cycle at the same time."""

from __future__ import annotations

import attrs
import pytest

from orchestra_trio.testing.tracing.laws.checking import find_violations
from tests.testing.tracing.laws.editing import Edited
from tests.testing.tracing.laws.good import play_line, play_loop, recorded


@pytest.fixture
def line() -> Edited:
    return Edited(recorded(play_line))


@pytest.fixture
def loop() -> Edited:
    return Edited(recorded(play_loop))


def test_one_that_is_told_to_end_before_who_sends_to_it_has_ended(line: Edited) -> None:
    told = line.one("end of input", subsystem="relay")
    line.move(told, before=line.one("exit", subsystem="source"))
    assert line.check(10, told) == "relay is told that its input has ended before source, upstream of it, has ended"


def test_one_that_is_told_to_end_before_the_first_of_a_chain_has_ended(line: Edited) -> None:
    """Who sends to it directly has ended, but not who sends to that one."""
    end = line.one("exit", subsystem="source")
    line.drop(line.one("end of input", subsystem="relay"))
    line.move(end, after=line.one("exit", subsystem="sink"))
    told = line.one("end of input", subsystem="sink")
    assert line.check(10, told) == "sink is told that its input has ended before source, upstream of it, has ended"


def test_one_that_had_ended_before_the_recording_began_is_not_waited_for(line: Edited) -> None:
    line.drop(line.one("exit", subsystem="source"))
    assert {one.law for one in find_violations(line.done())} == {10}
    participants = tuple(attrs.evolve(one, has_ended=one.name == "source") for one in line.trace.participants)
    line.trace = attrs.evolve(line.trace, participants=participants)
    assert not [one for one in find_violations(line.done()) if one.law == 10]


def test_members_of_a_cycle_that_are_told_to_end_at_the_same_time(loop: Edited) -> None:
    told = loop.one("end of input", subsystem="pong")
    loop.move(told, after=loop.one("end of input", subsystem="ping"))
    assert loop.check(10, told) == (
        "pong is told that its input has ended before ping has ended, which is declared before it in the same cycle"
    )


def test_members_of_a_cycle_that_end_in_another_order(loop: Edited) -> None:
    for kind in ("end of input", "exit"):
        loop.swap(loop.one(kind, subsystem="ping"), loop.one(kind, subsystem="pong"))
    assert loop.check(10, loop.one("end of input", subsystem="pong")).startswith("pong is told")


def test_one_downstream_of_a_cycle_waits_for_all_its_members(loop: Edited) -> None:
    told = loop.one("end of input", subsystem="sink")
    loop.move(told, before=loop.one("exit", subsystem="pong"))
    assert loop.check(10, told) == "sink is told that its input has ended before pong, upstream of it, has ended"
