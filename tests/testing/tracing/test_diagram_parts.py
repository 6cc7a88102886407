"""Diagrams as texts: names and texts that Mermaid takes; parts of traces; any traces, and those of random runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestra_trio.testing.tracing.recorder import recording
from tests.laws.drawing import episodes
from tests.laws.performance import perform
from tests.testing.tracing.sequences import Made, body_of, read_sequence, traces

if TYPE_CHECKING:
    from orchestra_trio.testing.tracing.trace import Trace
    from tests.laws.wirings import Episode


def test_participants_stand_in_the_order_of_the_wiring() -> None:
    """The outside first, then what handles events; then those that the wiring knows, then others."""
    made = Made(names=("b", "a", "unused"))
    for sender, to in [("a", "later"), ("a", "b"), ("a", None), (None, "on_event")]:
        made.pass_on(sender, to, "X")
    assert read_sequence(made.text).labels == ("outside", "on_event", "b", "a", "later")


def test_nobody_takes_part_in_an_empty_trace_but_those_of_the_wiring() -> None:
    assert read_sequence(Made().text).labels == ("a", "b", "c")
    assert read_sequence(Made(names=()).text).labels == ("outside",)


@pytest.mark.parametrize("name", ["end", "Loop", "participant", "_a", "été", "outside", "p1", "p0"])
def test_names_that_mermaid_would_not_take_get_others(name: str) -> None:
    made = Made(names=(name, "p0", "p1"))
    made.pass_on(None, name, "X")
    made.pass_on("p0", "p1", "X")
    assert read_sequence(made.text).labels == ("outside", *dict.fromkeys([name, "p0", "p1"]))


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("a;b", "a#59;b"),
        ("a#35;b", "a#35;35#59;b"),
        ("wrap:a", "wrap#58;a"),
        ("<br/>", "#60;br/#62;"),
        ("%%{init}%%", "#37;#37;#123;init#125;#37;#37;"),
        ("a\nb", "a b"),
        ("Item(n=1, s='été')", "Item(n=1, s='été')"),
        ("", "?"),
    ],
)
def test_texts_are_escaped(text: str, written: str) -> None:
    made = Made()
    made.add("block", "b", sender="a", lane="bounded", text=text)
    assert body_of(made.text) == [f"Note over a: waits for room at b for {written}"]


def test_long_texts_are_cut() -> None:
    made = Made()
    made.pass_on("a", "b", "X" * 65)
    assert body_of(made.text) == [f"a->>b: {'X' * 61}..."]


def conversation() -> Made:
    """Twenty requests, of a and c in turn, each with its answer."""
    made = Made()
    for number in range(20):
        made.time = number
        asking = "ac"[number % 2]
        made.pass_on(asking, "b", f"Ask({number})", is_request=True)
        made.add("answer", asking, sender="b", detail="Ask")
    return made


def test_the_beginning_and_the_end_alone() -> None:
    made = conversation()
    assert body_of(made.trace.to_mermaid(first=2, last=3)) == [
        "a->>b: request Ask(0)",
        "Note over a,c: 55 events left out",
        "Note over a,c: at 19 s",
        "c->>b: request Ask(19)",
        "b-->>c: answer to Ask",
    ]
    assert body_of(made.trace.to_mermaid(last=0)) == ["Note over a,c: 60 events left out"]


def test_the_surroundings_of_some_events() -> None:
    """What was asked for has a background, so that it is found."""
    made = conversation()
    assert body_of(made.trace.to_mermaid(around=[made.events[30]])) == [
        "Note over a,c: 24 events left out",
        "Note over a,c: at 8 s",
        "a->>b: request Ask(8)",
        "b-->>a: answer to Ask",
        "Note over a,c: at 9 s",
        "c->>b: request Ask(9)",
        "b-->>c: answer to Ask",
        "Note over a,c: at 10 s",
        "rect rgba(31, 95, 168, 0.25)",
        "    a->>b: request Ask(10)",
        "end",
        "b-->>a: answer to Ask",
        "Note over a,c: at 11 s",
        "c->>b: request Ask(11)",
        "b-->>c: answer to Ask",
        "Note over a,c: at 12 s",
        "a->>b: request Ask(12)",
        "Note over a,c: 23 events left out",
    ]


def test_some_subsystems_alone() -> None:
    """What they sent, wherever it was received; signals only as far as they are for them."""
    made = Made()
    made.pass_on("a", "b", "X")
    late = made.send("b", "c", "Y")
    for message in made.broadcast("a", "c"):
        made.take(message)
    made.take(late)
    made.pass_on("c", None, "Z")
    made.add("start", "c")
    assert body_of(made.trace.to_mermaid(subsystems=["b"])) == [
        "a->>b: X",
        "b-)c: Y",
        "Note over c: takes Y from b",
    ]
    assert body_of(made.trace.to_mermaid(subsystems={"a"})) == [
        "a->>b: X",
        "Note over a: broadcast Tick, epoch 3, taken at once by a",
    ]
    assert body_of(made.trace.to_mermaid(subsystems={"outside"}))[-1] == "c->>outside: Z"


def test_subsystems_that_there_are_not_are_refused() -> None:
    with pytest.raises(ValueError, match=r"^nothing of the trace is about d, e$"):
        conversation().trace.to_mermaid(subsystems=["e", "a", "d"])


@given(traces(), st.integers(0, 40))
def test_any_trace_makes_a_diagram(trace: Trace, max_lines: int) -> None:
    """Of lines that Mermaid takes, always the same, and no more of them than were asked for."""
    text = trace.to_mermaid(max_lines=max_lines)
    sequence = read_sequence(text)
    assert len(sequence.lines) <= max(max_lines - 1 - len(sequence.participants), 8)
    assert text == trace.to_mermaid(max_lines=max_lines)


@given(traces(), st.data())
def test_any_part_of_a_trace_makes_a_diagram(trace: Trace, data: st.DataObject) -> None:
    first, last = (data.draw(st.none() | st.integers(0, 80)) for _ in range(2))
    around = data.draw(st.lists(st.sampled_from(trace.events))) if trace.events else []
    names = data.draw(st.none() | st.lists(st.sampled_from(["outside", *trace.subsystems])))
    read_sequence(trace.to_mermaid(first=first, last=last, around=around, subsystems=names))


@given(episodes())
def test_any_run_makes_a_diagram(episode: Episode) -> None:
    with recording() as traces:
        perform(episode)
    for trace in traces:
        sequence = read_sequence(trace.to_mermaid())
        assert len(sequence.lines) <= 60
        assert set(sequence.labels) <= {"outside", "on_event", "(nobody)", *(f"s{n}" for n in range(6))}
