"""Traces as data: lines of JSON, read and written, and lines for people."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, get_args

import attrs
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from orchestra_trio.records import HappeningKind, LaneName, LaneStep
from orchestra_trio.testing.tracing.trace import FROM_BEFORE, Participant, Trace, TraceEvent, place_name

if TYPE_CHECKING:
    from pathlib import Path

LANES = get_args(LaneName)
STEPS = get_args(LaneStep)
OTHERS = ("start", "end of input", "exit", "error", "job", "job end", "broadcast", "answer", "no answer")

names = st.none() | st.text(max_size=5)
numbers = st.none() | st.integers(0, 10)
times = st.floats(0, 1e6, allow_nan=False)
events = st.builds(
    TraceEvent,
    number=st.integers(0, 10),
    time=times,
    kind=st.sampled_from((*STEPS, *OTHERS, "dead letter")),
    subsystem=names,
    task=names,
    sender=names,
    lane=st.none() | st.sampled_from(LANES),
    message=numbers,
    type=names,
    text=names,
    is_request=st.booleans(),
    epoch=numbers,
    audience=st.lists(st.text(max_size=5), max_size=3).map(tuple),
    detail=names | st.just(FROM_BEFORE),
)
participants = st.builds(
    Participant,
    name=st.text(max_size=5),
    capacities=st.dictionaries(st.sampled_from(LANES), st.none() | st.integers(1, 9)),
    weights=st.none() | st.dictionaries(st.sampled_from(LANES[1:]), st.integers(1, 9)),
    lying=st.dictionaries(st.sampled_from(LANES), st.integers(1, 9)),
    epoch=st.integers(0, 9),
    has_ended=st.booleans(),
    is_shared=st.booleans(),
)
traces = st.builds(
    Trace,
    orchestra=st.text(max_size=5),
    participants=st.lists(participants, max_size=3).map(tuple),
    components=st.lists(st.lists(st.text(max_size=5), max_size=3).map(tuple), max_size=3).map(tuple),
    edges=st.lists(st.tuples(st.text(max_size=5), st.text(max_size=5)), max_size=3).map(tuple),
    epoch=st.integers(0, 9),
    is_from_start=st.booleans(),
    events=st.lists(events, max_size=5),
)

FIRST = TraceEvent(number=0, time=0, kind="send", subsystem="sink", lane="bounded", message=0, epoch=0)
"""Its numbers are 0, which equals False; that was left out once."""
HEAD = Trace(
    orchestra="Duo",
    participants=(Participant(name="source", capacities={}), Participant(name="sink", capacities={"bounded": 1})),
    components=(("source",), ("sink",)),
    edges=(("source", "sink"),),
)


def fields(trace: Trace) -> dict[str, Any]:
    """All that a trace says; traces themselves are equal only to themselves."""
    return attrs.asdict(trace, recurse=False)


# --- JSON lines ------------------------------------------------------------------------------------------------------


@given(traces)
@example(attrs.evolve(HEAD, events=[FIRST]))
def test_what_is_written_as_json_is_read_again(trace: Trace) -> None:
    lines = trace.to_json_lines().splitlines()
    assert len(lines) == 1 + len(trace)
    assert fields(Trace.from_json_lines(lines)) == fields(trace)


def test_events_are_written_without_what_says_nothing() -> None:
    lines = attrs.evolve(HEAD, events=[FIRST]).to_json_lines().splitlines()
    assert json.loads(lines[1]) == {
        "number": 0,
        "time": 0,
        "kind": "send",
        "subsystem": "sink",
        "lane": "bounded",
        "message": 0,
        "epoch": 0,
    }


def test_a_file_is_written_and_read(tmp_path: Path) -> None:
    trace = attrs.evolve(HEAD, events=[attrs.evolve(FIRST, text="señal\N{LINE SEPARATOR}")])
    trace.write(tmp_path / "trace.jsonl")
    assert fields(Trace.read(tmp_path / "trace.jsonl")) == fields(trace)
    assert len((tmp_path / "trace.jsonl").read_bytes().split(b"\n")) == 3


def test_empty_lines_are_passed_over() -> None:
    lines = attrs.evolve(HEAD, events=[FIRST]).to_json_lines().splitlines()
    assert len(Trace.from_json_lines(["", lines[0], " ", lines[1], ""])) == 1


@pytest.mark.parametrize(
    ("lines", "fault"),
    [
        ([], "there is no line of a trace"),
        (["<html>"], "line 1 is not of a trace: JSONDecodeError: Expecting value"),
        (["[]"], "line 1 is not of a trace: TypeError: "),
        (["{}"], "line 1 is not of a trace: KeyError: 'orchestra'"),
        (["[" * 100_000], "line 1 is not of a trace: RecursionError: "),
        (["3"], "line 1 is not of a trace: TypeError: "),
    ],
)
def test_what_is_no_trace_is_refused(lines: list[str], fault: str) -> None:
    with pytest.raises(ValueError, match=fault):
        Trace.from_json_lines(lines)


@pytest.mark.parametrize(
    "line",
    [
        '{"number": 1}',
        '{"number": 1, "time": 0, "kind": "send", "subsystem": null, "payload": 3}',
        '{"number": "1", "time": 0, "kind": "send", "subsystem": null}',
        '{"number": 1, "time": null, "kind": "send", "subsystem": null}',
        '{"number": 1, "time": 0, "kind": ["send"], "subsystem": null}',
        '{"number": 1, "time": 0, "kind": "send", "subsystem": null, "audience": 3}',
        "[1, 2]",
        "null",
        '{"number": 1, "ti',
    ],
)
def test_a_line_that_is_no_event_is_refused(line: str) -> None:
    head, first = attrs.evolve(HEAD, events=[FIRST]).to_json_lines().splitlines()
    with pytest.raises(ValueError, match="line 3 is not of a trace: "):
        Trace.from_json_lines([head, first, line])


def test_a_file_that_is_no_text_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "trace.jsonl"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ValueError, match=r"trace\.jsonl is not of a trace"):
        Trace.read(path)


def test_a_file_that_is_not_there_is_an_error_of_the_system(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="nothing"):
        Trace.read(tmp_path / "nothing")


# --- What is known of the orchestra ----------------------------------------------------------------------------------


def test_participants_are_found_by_name() -> None:
    assert HEAD.participant("sink").capacities == {"bounded": 1}
    with pytest.raises(KeyError, match="nobody"):
        HEAD.participant("nobody")


def test_subsystems_are_in_the_order_of_the_wiring() -> None:
    assert HEAD.subsystems == ("source", "sink")


def test_a_trace_has_ended_when_all_subsystems_have() -> None:
    ends = [TraceEvent(number=number, time=0, kind="exit", subsystem=name) for number, name in enumerate(["sink"])]
    assert not attrs.evolve(HEAD, events=ends).has_ended
    before = (attrs.evolve(HEAD.participants[0], has_ended=True), HEAD.participants[1])
    assert attrs.evolve(HEAD, events=ends, participants=before).has_ended


def test_a_trace_is_a_row_of_events() -> None:
    trace = attrs.evolve(HEAD, events=[FIRST])
    assert list(trace) == [FIRST]
    assert len(trace) == 1
    assert str(trace) == str(FIRST)


# --- Lines for people ------------------------------------------------------------------------------------------------


def line(kind: HappeningKind, **facts: Any) -> str:  # noqa: ANN401 - fields of an event
    """The line of an event, without its number and time."""
    whole: dict[str, Any] = {"number": 7, "message": 7, "subsystem": "sink", "sender": "source", **facts}
    text = str(TraceEvent(time=1.25, kind=kind, **whole))
    assert text.startswith("    7      1.250s  ")
    return text.removeprefix("    7      1.250s  ")


BOUNDED: dict[str, Any] = {"lane": "bounded", "text": "Item(1)", "type": "Item"}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (line("send", **BOUNDED), "source sends Item(1) to sink [bounded]"),
        (line("send", **BOUNDED, is_request=True), "source requests Item(1) to sink [bounded]"),
        (line("send", **{**BOUNDED, "message": 3}), "source sends Item(1) to sink [bounded], having waited"),
        (line("send", **{**BOUNDED, "sender": None}), "outside sends Item(1) to sink [bounded]"),
        (line("send", lane="signals", text="Tick()", epoch=3), "source sends Tick() to sink [signals, epoch 3]"),
        (line("send", lane="bounded", type="Item"), "source sends Item to sink [bounded]"),
        (line("receive", **BOUNDED), "sink receives Item(1) [bounded]"),
        (
            line("receive", **{**BOUNDED, "message": None}, detail=FROM_BEFORE),
            "sink receives Item(1) [bounded], sent before the recording began",
        ),
        (line("block", **BOUNDED), "source waits to send Item(1) to sink [bounded]"),
        (line("withdraw", **BOUNDED), "source withdraws Item(1) to sink [bounded]"),
        (line("dead letter", **BOUNDED, detail="wip"), "dead letter from source to sink [bounded]: Item(1) (wip)"),
        (
            line("dead letter", **{**BOUNDED, "subsystem": None}, detail="unconsumed"),
            "dead letter from source to nobody [bounded]: Item(1) (unconsumed)",
        ),
        (line("start"), "sink starts"),
        (line("end of input"), "sink is told that its input has ended"),
        (line("exit", detail="finished"), "sink ends: finished"),
        (line("error", text="ValueError('no {}')"), "sink fails with ValueError('no {}')"),
        (line("error", text="ValueError()", detail="work"), "sink fails in job work with ValueError()"),
        (line("job", detail="work"), "sink begins job work"),
        (line("job end", detail="work"), "sink ends job work"),
        (
            line("broadcast", text="Tick()", epoch=2, audience=("a", "b")),
            "broadcast of Tick() as epoch 2 to a, b",
        ),
        (line("broadcast", text="Tick()", epoch=2), "broadcast of Tick() as epoch 2 to nobody"),
        (line("answer", detail="Ask"), "sink gets an answer to Ask from source"),
        (line("no answer", subsystem=None, detail="Ask"), "outside gets no answer to Ask from source"),
    ],
)
def test_events_read_as_sentences(text: str, told: str) -> None:
    assert text == told


@given(events)
def test_every_event_has_one_line(event: TraceEvent) -> None:
    """Whatever is in it, and whatever is not."""
    assert str(event).startswith(f"{event.number:>5}  ")
    assert len(str(event).splitlines()) == 1


def test_the_embedding_program_is_called_outside() -> None:
    assert [place_name(None), place_name("sink")] == ["outside", "sink"]
