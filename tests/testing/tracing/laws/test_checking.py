"""The checker as a whole: it finds nothing in random wirings, however they are recorded, and its error reads well."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import attrs
import pytest
import trio
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestra_trio.runtime.surroundings import surroundings
from orchestra_trio.testing.tracing.laws.checking import check_laws, find_violations
from orchestra_trio.testing.tracing.laws.violations import LawsViolated
from orchestra_trio.testing.tracing.recorder import record, recording
from orchestra_trio.testing.tracing.trace import Participant, Trace, TraceEvent
from tests.laws.drawing import CALM, episodes
from tests.laws.performance import perform
from tests.laws.restart_scenes import Scene, play, scenes
from tests.laws.staging import perform as perform_with_threads
from tests.laws.test_blocking import ENDINGS, plans
from tests.testing.tracing.laws.editing import Edited
from tests.testing.tracing.laws.good import play_full, play_line, recorded

if TYPE_CHECKING:
    from collections.abc import Generator

    from orchestra_trio import RunningOrchestra
    from tests.laws.threads import Ending, Plan
    from tests.laws.wirings import Episode

steps = st.integers(1, 60)
parts = st.integers(0, 100)


class Late(trio.abc.Instrument):
    """Begins to record an orchestra after so many steps of tasks."""

    def __init__(self, running: RunningOrchestra[Any, Any], steps: int, traces: list[Trace]) -> None:
        self.running = running
        self.steps = steps
        self.traces = traces

    def after_task_step(self, task: trio.lowlevel.Task) -> None:
        self.steps -= 1
        if not self.steps:
            self.traces.append(record(self.running))


@contextmanager
def recorded_late(steps: int) -> Generator[list[Trace]]:
    """Record what is opened in this context, but not from the beginning."""
    traces: list[Trace] = []

    def begin(running: RunningOrchestra[Any, Any]) -> None:
        trio.lowlevel.add_instrument(Late(running, steps, traces))

    around = surroundings.get()
    token = surroundings.set(attrs.evolve(around, on_open=(*around.on_open, begin)))
    try:
        yield traces
    finally:
        surroundings.reset(token)


def check(traces: list[Trace], part: int) -> None:
    """See that no law is broken in traces, as they are, as they are read from a file, and at some moment before."""
    for trace in traces:
        check_laws(trace)
        assert find_violations(Trace.from_json_lines(trace.to_json_lines().splitlines())) == []
        earlier = attrs.evolve(trace, events=trace.events[: len(trace) * part // 100])
        if not earlier.has_ended:
            check_laws(earlier)


@settings(max_examples=max(1, settings().max_examples // 2))
@given(episodes(raises=True), steps, parts)
def test_random_wirings_keep_the_laws(episode: Episode, steps: int, part: int) -> None:
    """Whatever subsystems do, fail at, and are cancelled out of, and from wherever they are recorded."""
    with recording() as traces, recorded_late(steps) as late_traces:
        perform(episode, raises=True)
    assert all(trace.has_ended for trace in traces)
    check([*traces, *late_traces], part)


@settings(max_examples=max(1, settings().max_examples // 4))
@given(episodes(focus="crowds") | episodes(focus="cycles", endings=CALM), steps, parts)
def test_crowds_and_cycles_keep_the_laws(episode: Episode, steps: int, part: int) -> None:
    """Many senders that wait, and drains of cycles."""
    with recording() as traces, recorded_late(steps) as late_traces:
        perform(episode)
    check([*traces, *late_traces], part)


@settings(max_examples=max(1, settings().max_examples // 4))
@given(scenes(), steps, parts)
def test_restarts_keep_the_laws(scene: Scene, steps: int, part: int) -> None:
    with recording() as traces, recorded_late(steps) as late_traces:
        play(scene)
    check([*traces, *late_traces], part)


@settings(max_examples=max(1, settings().max_examples // 4))
@given(plans(), st.sampled_from(ENDINGS), steps, parts)
def test_threads_keep_the_laws(plan: Plan, ending: Ending, steps: int, part: int) -> None:
    """Also where they go on while the recording begins."""
    with recording() as traces, recorded_late(steps) as late_traces:
        perform_with_threads(attrs.evolve(plan, ending=ending))
    check([*traces, *late_traces], part)


def test_a_good_trace_passes() -> None:
    check_laws(recorded(play_line))


def test_an_empty_trace_passes() -> None:
    check_laws(Trace(orchestra="Empty", participants=(), components=(), edges=()))


def test_events_of_subsystems_that_the_trace_does_not_know_pass() -> None:
    event = TraceEvent(number=0, time=0, kind="send", subsystem="nowhere", sender="nobody", lane="bounded", message=0)
    known = Participant(name="known", capacities={})
    end = TraceEvent(number=1, time=0, kind="end of input", subsystem="known")
    edges = (("nowhere", "known"), ("known", "nobody"))
    check_laws(
        Trace(orchestra="Odd", participants=(known,), components=(("known",),), edges=edges, events=[event, end])
    )


def test_the_error_names_the_law_and_shows_the_events() -> None:
    line = Edited(recorded(play_line))
    line.swap(*(line.one("receive", text=f"Item(number={number})") for number in (2, 3)))
    with pytest.raises(LawsViolated) as caught:
        check_laws(line.done())
    told = "Item(number=3) is received from the bounded lane of relay before Item(number=2)"
    assert str(caught.value).splitlines() == [
        "what happened in Line breaks the laws:",
        f"law 2, order: {told}, which task source of source sent earlier",
        *(f"  {event}" for event in caught.value.violations[0].events),
    ]
    assert [event.kind for event in caught.value.violations[0].events] == ["send", "send", "receive"]


def test_the_error_shows_five_violations_and_counts_the_others() -> None:
    line = Edited(recorded(play_line))
    line.drop(*line.all("send", lane="bounded"))
    with pytest.raises(AssertionError) as caught:
        check_laws(line.done())
    assert isinstance(caught.value, LawsViolated)
    assert len(caught.value.violations) == 8
    lines = str(caught.value).splitlines()
    assert sum(line.startswith("law 1, conservation: ") for line in lines) == 5
    assert lines[-1] == "... and 3 more"


def test_violations_come_in_the_order_of_the_events() -> None:
    full = Edited(recorded(play_full))
    full.move(full.one("end of input"), before=full.one("send", text="Item(number=3)"))
    full.repeat(full.one("send", text="Item(number=0)"), after=full.one("send", text="Item(number=0)"))
    found = find_violations(full.done())
    assert [one.law for one in found] == [1, 7, 7]
    assert [one.events[-1].number for one in found] == sorted(one.events[-1].number for one in found)
