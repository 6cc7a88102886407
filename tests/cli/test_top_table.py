"""The table of the command `top`, by itself."""

from __future__ import annotations

import io
import math
from typing import Any

import pytest
from rich.console import Console

from orchestra_trio.cli.top.state import NotAState, read_state
from orchestra_trio.cli.top.table import show_state


def lane(length: int = 0, capacity: int | None = 10, **figures: Any) -> dict[str, Any]:  # noqa: ANN401
    quiet = {"peak": 0, "sent": 0, "received": 0, "blocked": 0, "received_rate": 0.0, "blocked_rate": 0.0}
    return {"length": length, "capacity": capacity, **quiet, "flight": None, **figures}


def subsystem(name: str, **facts: Any) -> dict[str, Any]:  # noqa: ANN401
    usual = {"state": "running", "epoch": 0, "jobs": 0, "restarts": 0, "group": None, "lanes": {}, "waits": []}
    return {"name": name, **usual, **facts}


def state(*subsystems: dict[str, Any], **facts: Any) -> dict[str, Any]:  # noqa: ANN401
    totals = {"received_rate": 1234.5, "blocked_rate": 6.7, "lying": 8, "waiting": 9, "restarts": 2}
    usual = {
        "schema": 1,
        "name": "Shop",
        "time": 1000.0,
        "uptime": 61.4,
        "ended": False,
        "epoch": 3,
        "totals": totals,
        "dead_letters": {},
        "deadlocks": [],
        "folding": None,
    }
    return {**usual, "subsystems": list(subsystems), **facts}


def drawn(data: dict[str, Any], height: int | None = None) -> str:
    text = io.StringIO()
    Console(file=text, width=140, highlight=False).print(show_state(read_state(data), height))
    return text.getvalue()


def test_totals() -> None:
    assert drawn(state()).splitlines()[0].rstrip() == (
        "Shop  up 61 s  1,234 received/s  7 blocked/s  8 lying  9 waiting  epoch 3  2 restarts  dead letters: none"
    )
    text = drawn(state(ended=True, dead_letters={"left over": 1200, "wip": 1}))
    assert "Shop  ended  " in text
    assert "dead letters: 1,200 left over, 1 wip" in text


def test_a_row() -> None:
    lanes = {
        "signals": lane(1, 2, received_rate=3.0),
        "bounded": lane(9, 10, received_rate=1000.0, blocked=12, blocked_rate=2.0, flight={"p99": 0.0015}),
        "unbounded": lane(40, None, flight={"p99": 0.0005}),
    }
    waits = [
        {"task": "t", "kind": "send", "subsystem": "sink", "lane": "bounded", "type": "Item", "seconds": 2.25},
        {"task": "u", "kind": "request", "subsystem": "sink", "lane": None, "type": "Ask", "seconds": 1.0},
        {"task": "v", "kind": "receive", "subsystem": "a", "lane": None, "type": None, "seconds": 9.0},
    ]
    text = drawn(state(subsystem("a", lanes=lanes, waits=waits, jobs=4, restarts=1, members=3)))
    row = next(line for line in text.splitlines() if line.strip().startswith("a (3)"))
    assert row.split()[2:] == [
        "running", "1,003", "2", "12", "50", "███████░", "9/10", "1.500", "ms", "4", "1",
        "room", "at", "sink,", "2.2", "s", "(+1)",
    ]  # fmt: skip


def test_deadlocks() -> None:
    one = {"cycle": ["a", "b"], "members": ["a", "b"], "message": "a and b", "since": 990.0, "holds": True}
    text = drawn(state(deadlocks=[one, {**one, "since": None, "holds": False}]))
    assert "DEADLOCK for 10 s: a and b" in text
    assert "a deadlock was resolved: a and b" in text


def test_only_the_busiest_fit_on_a_screen() -> None:
    """In the order in which they are declared."""
    quiet = [subsystem(f"quiet{number}") for number in range(50)]
    busy = subsystem("busy", lanes={"bounded": lane(5)})
    failed = subsystem("broken", state="failed")
    rows = [*quiet[:25], busy, *quiet[25:], failed]
    text = drawn(state(*rows), height=10)
    assert text.index("busy") < text.index("broken")
    assert "quiet" not in text
    assert "and 50 more that are less busy" in text
    assert "quiet49" in drawn(state(*rows))


def test_how_it_was_folded() -> None:
    assert "by name" in drawn(state(folding={"rule": "by name", "shown": 1, "of": 2, "groups": []}))


def test_nothing_that_comes_commands_the_terminal() -> None:
    bad = "\x1b]0;x\x07"
    one: dict[str, Any] = {"cycle": [], "members": [], "message": bad, "since": None, "holds": True}
    wait = {"task": bad, "kind": "send", "subsystem": bad, "lane": bad, "type": bad, "seconds": 1}
    rows = [subsystem(bad, state=bad, waits=[wait])]
    text = drawn(state(*rows, name=bad, deadlocks=[one], dead_letters={bad: 1}, folding={"rule": bad}))
    assert "\x1b" not in text
    assert "\x07" not in text
    assert "[red]" in drawn(state(subsystem("[red]x")))  # nor is it markup


@pytest.mark.parametrize(
    "data",
    [
        None,
        [],
        {},
        "text",
        {"schema": 2},
        {"schema": 1},
        state(subsystem("a", lanes=3)),
        state(subsystem("a", waits=[{}])),
        {**state(), "totals": []},
        {**state(), "time": "soon"},
        {**state(), "epoch": math.inf},
        {**state(), "deadlocks": [{"message": "m", "since": "a", "holds": True}]},
    ],
)
def test_what_is_no_state(data: Any) -> None:  # noqa: ANN401
    with pytest.raises(NotAState):
        read_state(data)
