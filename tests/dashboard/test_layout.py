"""Where to draw what, and how many subsystems are folded."""

from __future__ import annotations

import re
import shutil
import sys
from typing import TYPE_CHECKING, Any

import pytest
import trio

from orchestra_trio.dashboard.folding import Folding
from orchestra_trio.dashboard.rows import make_rows
from orchestra_trio.dashboard.snapshot import Look, describe
from orchestra_trio.dashboard.wiring import Shown, Wiring, read_wiring
from orchestra_trio.wiring.drawing.layout.plan import Box, Line
from tests.dashboard.asking import chain_of, in_process
from tests.runtime.samples import Collect, Duo, Item, Ring, Sends, idle

if TYPE_CHECKING:
    from trio.testing import MockClock

PATH = re.compile(r"M -?[\d.]+ -?[\d.]+( C (-?[\d.]+ -?[\d.]+(, )?){3})+")


def check(layout: dict[str, Any]) -> None:
    """See that all lies within the drawing, that no boxes overlap, and that all ways are ways."""
    boxes = [*layout["nodes"].values(), *layout["marks"]]
    for box in boxes:
        assert box["x"] >= 0
        assert box["y"] >= 0
        assert box["x"] + box["width"] <= layout["width"]
        assert box["y"] + box["height"] <= layout["height"]
    for number, one in enumerate(boxes):
        for other in boxes[:number]:
            apart_x = one["x"] >= other["x"] + other["width"] or other["x"] >= one["x"] + one["width"]
            apart_y = one["y"] >= other["y"] + other["height"] or other["y"] >= one["y"] + one["height"]
            assert apart_x or apart_y
    for edge in layout["edges"]:
        assert PATH.fullmatch(edge["path"])
        assert set(edge["label"]) == {"x", "y"}


@pytest.mark.parametrize("has_helper", [True, False])
async def test_a_layout(autojump_clock: MockClock, monkeypatch: pytest.MonkeyPatch, *, has_helper: bool) -> None:
    """Also where there is neither python-igraph nor Graphviz."""
    if not has_helper:
        monkeypatch.setitem(sys.modules, "igraph", None)
        monkeypatch.setattr(shutil, "which", lambda _: None)
    async with Ring(ping=idle, pong=idle).open() as running, in_process(running) as page:
        layout = await page.json("/api/layout")
        check(layout)
        assert list(layout["nodes"]) == ["ping", "pong"]
        assert [(one["sender"], one["consumer"], one["lane"]) for one in layout["edges"]] == [
            ("ping", "pong", "bounded"),
            ("pong", "ping", "bounded"),
        ]
        assert await page.json("/api/layout") == layout


@pytest.mark.parametrize("has_helper", [True, False])
async def test_marks_stand_where_messages_come_in_and_go_out(
    autojump_clock: MockClock, monkeypatch: pytest.MonkeyPatch, *, has_helper: bool
) -> None:
    if not has_helper:
        monkeypatch.setitem(sys.modules, "igraph", None)
        monkeypatch.setattr(shutil, "which", lambda _: None)
    async with chain_of(20).open() as running, in_process(running) as page:
        layout = await page.json("/api/layout")
        check(layout)
        assert [(one["kind"], one["subsystem"]) for one in layout["marks"]] == [("in", "s0"), ("out", "s19")]
        ends = [(one["sender"], one["consumer"]) for one in layout["edges"]]
        assert set(ends) == {(None, "s0"), ("s19", None), *((f"s{one}", f"s{one + 1}") for one in range(19))}
        running.cancel()


async def test_a_thousand_subsystems_are_folded(autojump_clock: MockClock) -> None:
    """It says how; a group can be opened, two hundred members at a time."""
    async with chain_of(1000, "shard_").open() as running, in_process(running) as page:
        await trio.sleep(1.5)
        state = await page.json("/api/state")
        assert state["folding"]["rule"].startswith(
            "1,000 subsystems are shown as 50 entries; together: blocks of 20 in"
        )
        assert (state["folding"]["shown"], state["folding"]["of"]) == (50, 1000)
        first = state["subsystems"][0]
        assert (first["name"], first["members"], first["state"]) == ("shard_0 … shard_19", 20, "running")
        assert len(first["waits"]) == 20
        assert {"name": first["name"], "members": 20} == state["folding"]["groups"][0]
        layout = await page.json("/api/layout")
        check(layout)
        assert set(layout["nodes"]) == {one["name"] for one in state["subsystems"]}
        places = {(one["sender"], one["consumer"], one["lane"]) for one in state["edges"]}
        assert {(one["sender"], one["consumer"], one["lane"]) for one in layout["edges"]} == places
        response = await page.client.get("/api/state", params={"group": first["name"]})
        opened = response.json()
        assert [one["name"] for one in opened["subsystems"]] == [f"shard_{number}" for number in range(20)]
        assert all(one["group"] == first["name"] for one in opened["subsystems"])
        assert (opened["folding"]["shown"], opened["folding"]["of"], opened["folding"]["offset"]) == (20, 20, 0)
        assert opened["totals"] == state["totals"]
        history = await page.json("/api/history")
        assert set(history["subsystems"]) == set(layout["nodes"])
        assert (await page.json("/api/subsystems/shard_7"))["group"] == first["name"]
        running.cancel()


def test_rows() -> None:
    """What is sent to stands below; arrows to oneself, to neighbours and back have ways of their own."""
    pairs = [(0, 1), (0, 2), (2, 1), (1, 1), (2, 0)]
    plan = make_rows([Box(50, 20)] * 3, [Line(source, target, Box(9, 9)) for source, target in pairs])
    first, second, third = plan.boxes
    assert first.y < second.y == third.y
    assert second.x + second.width <= third.x - third.width / 2
    for (source, target), route in zip(pairs, plan.routes, strict=True):
        assert len(route.points) == 4
        for number, (x, y) in ((source, route.points[0]), (target, route.points[-1])):
            box = plan.boxes[number]
            assert abs(x - box.x) in {0, box.width / 2}
            assert abs(y - box.y) <= box.height / 2
    assert make_rows([], []).boxes == ()


def test_large_groups_are_opened_in_parts() -> None:
    """Only at multiples of what is shown at once, so that nobody can ask for ever new views."""
    names = tuple(f"s{number}" for number in range(450))
    wiring = Wiring(names, {name: {} for name in names}, (), Folding("all", {"s*": names}, dict.fromkeys(names, "s*")))
    for offset, expected in ((0, names[:200]), (200, names[200:400]), (400, names[400:])):
        shown = wiring.view("s*", offset)
        assert shown is not None
        assert tuple(shown.entries) == expected
    for group, offset in (("s*", 600), ("s*", 20), ("s*", -1), ("s*", -200), ("x*", 0), (None, 200)):
        assert wiring.view(group, offset) is None


async def test_figures_of_a_group_are_added_up(autojump_clock: MockClock) -> None:
    sink = Collect()
    async with Duo(source=Sends(*map(Item, range(32))), sink=sink).open() as running:
        wiring = read_wiring(running.graph(), ["source", "sink"])
        before = Look(now=trio.current_time(), unix=0, statistics=running.statistics())
        await trio.sleep(4)
        now = Look(now=trio.current_time(), unix=4, statistics=running.statistics())
        state = describe(before, now, wiring, Shown({"all": ("source", "sink")}), interval=4)
        (whole,) = state["subsystems"]
        assert (whole["members"], whole["state"]) == (2, "running")
        assert whole["lanes"]["bounded"]["received"] == 32
        assert whole["lanes"]["bounded"]["received_rate"] == 8
        assert whole["lanes"]["bounded"]["capacity"] == 2
        assert whole["fullest"] == 0
        assert [(one["sender"], one["consumer"]) for one in state["edges"]] == [("all", "all")]
