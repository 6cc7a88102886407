"""Long traces as diagrams: what is folded, what stays visible, and that a page is enough."""

from __future__ import annotations

import random
import re
from typing import TYPE_CHECKING

import pytest
import trio
from hypothesis import given
from hypothesis import strategies as st

from orchestra_trio import Orchestra, Subsystem
from orchestra_trio.testing.tracing.diagram.folding import common_shapes, fold, mix
from orchestra_trio.testing.tracing.diagram.rows import Row
from orchestra_trio.testing.tracing.recorder import recording
from tests.runtime.samples import AnyContext, Item, Other, Tick
from tests.testing.tracing.sequences import Made, body_of, read_sequence

if TYPE_CHECKING:
    from collections.abc import Sequence

    from trio.testing import MockClock

    from orchestra_trio.testing.tracing.diagram.rows import Node


def test_a_run_of_the_same_becomes_one_arrow() -> None:
    """It says how often it came, what was the first and what the last, and from when to when."""
    made = Made()
    for number in range(37):
        made.time = number / 4
        made.pass_on("a", "b", f"Item({number})")
    assert body_of(made.text) == ["a->>b: Item(0) ... Item(36), 37 times, 0 s to 9 s"]


def test_a_run_of_a_pattern_becomes_a_loop() -> None:
    made = Made()
    made.pass_on("b", "c", "Go")
    for number in range(12):
        made.pass_on("a", "b", f"Ask({number})", is_request=True)
        made.add("answer", "a", sender="b", detail="Ask")
    made.pass_on("b", "c", "Done")
    assert body_of(made.text) == [
        "b->>c: Go",
        "loop 12 times",
        "    a->>b: request Ask(0) ... Ask(11)",
        "    b-->>a: answer to Ask",
        "end",
        "b->>c: Done",
    ]


def test_short_runs_stay_as_they_are_on_a_page_that_has_room() -> None:
    made = Made()
    for number in range(11):
        made.pass_on("a", "b", f"Item({number})")
    assert body_of(made.text) == [f"a->>b: Item({number})" for number in range(11)]
    assert body_of(made.trace.to_mermaid(max_lines=11)) == ["a->>b: Item(0) ... Item(10), 11 times"]


def test_a_loop_whose_turns_differ_in_number() -> None:
    """A number is no part of the shape, so that such loops are found at all; and once is a number, too."""
    made = Made()
    for turn, count in enumerate([1, 3, 2, 2, 1, 3, 3, 2, 1, 1, 2, 3]):
        for number in range(count):
            made.pass_on("a", "b", f"Item({number})")
        made.pass_on("b", "c", f"Sum({turn})")
    made.pass_on("a", "b", "Stop")
    assert body_of(made.trace.to_mermaid(max_lines=20)) == [
        "loop 12 times",
        "    a->>b: Item(0) ... Item(2), 1 to 3 times",
        "    b->>c: Sum(0) ... Sum(11)",
        "end",
        "a->>b: Stop",
    ]


def test_what_overtakes_is_not_folded_with_what_does_not() -> None:
    """The one place where the order is another one than that of sending stays to be seen."""
    made = Made()
    messages = [made.send("a", "b", f"Item({number})") for number in range(40)]
    messages[20], messages[21] = messages[21], messages[20]
    made.add("job", "b", detail="work")
    for message in messages:
        made.take(message)
    assert body_of(made.text) == [
        "a-)b: Item(0) ... Item(39), 40 times",
        "Note over b: begins job work",
        "Note over b: takes Item(0) ... Item(19) from a, 20 times",
        "Note over b: takes Item(21) from a, overtakes Item(20)",
        "Note over b: takes Item(20) ... Item(39) from a, 19 times",
    ]


def test_rows_that_overtake_are_folded_with_each_other() -> None:
    made = Made()
    urgent = []
    for number in range(12):
        made.send("a", "b", f"Item({number})")
        urgent.append(made.send("a", "b", f"Stop({number})", lane="priority"))
    made.add("start", "b")
    for message in urgent:
        made.take(message)
    assert body_of(made.text)[-1] == (
        "Note over b: takes Stop(0) ... Stop(11) [priority] from a, overtakes others, 12 times"
    )


def test_what_has_no_order_is_summed_up_between_beginning_and_end() -> None:
    """What is rare stays where it was."""
    dice = random.Random(0)
    made = Made()
    for number in range(1000):
        made.pass_on(*dice.choice([("a", "b"), ("a", "c"), ("b", "c"), ("c", "b")]), f"Item({number})")
        if number == 500:
            made.add("error", "b", type="ValueError", text="ValueError()")
    sequence = read_sequence(made.text)
    assert len(made.text.splitlines()) <= 60
    assert "Item(0)" in sequence.lines[0]
    assert "Item(999)" in sequence.lines[-1]
    plain = "\n".join(sequence.lines)
    assert re.search(r"(?s)loop [\d,]+ events in no regular order\n.*error ValueError\(\).*in no regular order", plain)


def test_where_nothing_helps_the_middle_is_left_out() -> None:
    """Two thirds of what is left are the end, which tells more of a failure."""
    made = Made(names=tuple(f"s{number}" for number in range(10)))
    for number in range(100):
        made.pass_on(f"s{number % 10}", f"s{number // 10}", f"Item({number})")
    lines = body_of(made.trace.to_mermaid(max_lines=41))
    assert len(lines) == 30
    assert [line.partition(": ")[2] for line in lines[:9]] == [f"Item({number})" for number in range(9)]
    assert lines[9] == "Note over s0,s9: 142 events left out"
    assert [line.partition(": ")[2] for line in lines[10:]] == [f"Item({number})" for number in range(80, 100)]


class Flow(Orchestra[Tick], message_capacity=8):
    source: Subsystem[Item, Other]
    sink: Subsystem[Other, Item, Tick]


@pytest.mark.parametrize("pause", [0, 0.1])
async def test_ten_thousand_events_fit_on_a_page(pause: float, autojump_clock: MockClock) -> None:
    """Whatever the schedule is; and the one broadcast among them is seen."""

    async def source(ctx: AnyContext) -> None:
        for number in range(2500):
            await ctx.send(Other(number))

    async def sink(ctx: AnyContext) -> None:
        async for incoming in ctx:
            await trio.sleep(pause)
            if incoming == Other(1000):
                await running.broadcast_signal(Tick(1000))

    with recording() as traces:
        async with Flow(source=source, sink=sink).open() as running:
            pass
    text = traces[0].to_mermaid()
    assert len(traces[0]) > 5000
    assert len(text.splitlines()) <= 60
    assert any("broadcast Tick" in line for line in read_sequence(text).lines)


def rows_of(names: str) -> list[Row]:
    """A row for each letter, all of different text."""
    return [
        Row(arrow="", ends=(None,), before=name, first=f"{place}", last=f"{place}", began=place, ended=place)
        for place, name in enumerate(names)
    ]


def pattern_of(nodes: Sequence[Node]) -> str:
    """What the nodes say, as a regular expression."""
    parts = []
    for node in nodes:
        if isinstance(node, Row):
            part = re.escape(node.before)
        elif node.is_mixed:
            parts.append(f"[{''.join(one.before for one in node.body if isinstance(one, Row))}]{{{node.events}}}")
            continue
        else:
            part = f"(?:{pattern_of(node.body)})"
        parts.append(f"{part}{{{node.fewest},{node.most}}}")
    return "".join(parts)


names = st.lists(st.tuples(st.text("abc", min_size=1, max_size=5), st.integers(1, 9))).map(
    lambda runs: "".join(pattern * times for pattern, times in runs)
)


@given(names, st.integers(2, 12))
def test_folding_says_what_was_there(name: str, least: int) -> None:
    """The rows are what the folded form says, in order; nothing is lost, and nothing grows."""
    rows = rows_of(name)
    nodes = fold(rows, least=least, with_types=True)
    assert re.fullmatch(pattern_of(nodes), name)
    assert sum(node.events for node in nodes) == len(rows)
    assert [node.began for node in nodes] == sorted(node.began for node in nodes)
    assert all(node.height <= 26 for node in nodes)
    assert not nodes or (nodes[0].began, nodes[-1].ended) == (0, len(rows) - 1)


@given(names, st.integers(2, 12))
def test_mixing_says_what_was_there(name: str, least: int) -> None:
    rows = rows_of(name)
    nodes = mix(rows, common=common_shapes(rows, least=least))
    assert re.fullmatch(pattern_of(nodes), name)
    assert sum(node.events for node in nodes) == len(rows)
    assert sum(node.height for node in nodes) <= len(rows)


def test_loops_are_no_longer_than_one_can_look_at() -> None:
    parts = ["abcdefghij" * 3, "klmnopqrst" * 3, "uvwxyzABCD" * 3, "E"]
    nodes = fold(rows_of("".join(parts) * 3), least=3, with_types=True)
    assert [node.height for node in nodes] == [12, 12, 12, 1] * 3


@pytest.mark.parametrize(
    ("name", "pattern"),
    [
        ("a" * 5 + "b", "a{5}b"),
        ("aab" * 3, "(?:aab){3}"),
        ("abc" * 3 + "x" + "abc" + "x" + "abc" * 4 + "x", "(?:(?:abc){1,4}x){3}"),
        ("aaaabaaabaaaaaab", "(?:a{3,6}b){3}"),
        ("xabab", "xabab"),
        ("xababab", "x(?:ab){3}"),
    ],
)
def test_patterns_and_patterns_of_them_are_found(name: str, pattern: str) -> None:
    nodes = fold(rows_of(name), least=3, with_types=True)
    assert re.sub(r"\{1,1\}|(?<=\{)(\d+),(?=\1\})", "", pattern_of(nodes)) == pattern
