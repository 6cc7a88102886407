"""An orchestra's class written out."""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import Any, Generic, Literal, Never, TypeVar

import pytest

from orchestra_trio import (
    BlockingSubsystem,
    Orchestra,
    Restart,
    Subsystem,
    Weighted,
    feature,
    subsystem,
    subsystem_if,
)
from orchestra_trio.wiring.expand import expand
from orchestra_trio.wiring.type_texts import TypeTexts
from tests.wiring.samples import Fetch, Imported, Parse, Store, Tick

T = TypeVar("T")
SAMPLES = "tests.wiring.samples"


class Whole(Orchestra[Tick, Imported], Generic[T], message_capacity=7, outgoing=Store, unconsumed="allow"):
    """All that a class can declare."""

    source: Subsystem[Never, Fetch | Imported] = subsystem(unbounded={Fetch: "one in all"})
    middle: BlockingSubsystem[Fetch, Parse, Tick] = subsystem(
        priority=True, select=Weighted(1, 1, 1), restart=Restart(max_restarts=2), restart_group="pair"
    )
    last: Subsystem[Parse, Store] = subsystem_if(feature("a") & ~feature("b"), restart_group="pair")
    later: Subsystem[str] = subsystem(wip=True)
    things: list[T]
    limit: int | None = None

    async def on_event(self, event: Imported, running: object) -> None: ...


def test_it_is_a_module() -> None:
    """It parses, and has the class and its builder with a method for all that can be set."""
    tree = ast.parse(expand(Whole.__declaration__))
    classes = {node.name: node for node in tree.body if isinstance(node, ast.ClassDef)}
    assert list(classes) == ["Missing", "Given", "Whole", "WholeBuilder"]
    methods = [node.name for node in classes["WholeBuilder"].body if isinstance(node, ast.FunctionDef)]
    assert methods == [
        *(f"{before}{name}{after}" for name in ("source", "middle", "last") for before, after in WAYS),
        "things",
        "limit",
        "message_channel_capacity",
        "signal_channel_capacity",
        "features",
        "build",
        "build_with_connector",
    ]


WAYS = [("", ""), ("", "_with"), ("replace_", "")]


@pytest.mark.parametrize(
    "line",
    [
        "class Whole(Orchestra[tests.wiring.samples.Tick, tests.wiring.samples.Imported], Generic[T]):",
        "    # message_capacity: 7 (set)",
        "    # signal_capacity: 64",
        "    # outgoing: Store (set)",
        "    # sends Fetch to middle (unbounded)",
        "    # sends Imported to nobody",
        "    # sends Store out",
        "    # consumes Fetch, from source",
        "    # consumes str, from outside",
        "    # lanes: bounded 7, priority 7, unbounded, signals 64",
        "    # Fetch is sent unbounded: one in all",
        "    # strategy: Weighted(priority=1, unbounded=1, bounded=1)",
        "    last: _last = subsystem_if((feature('a') & ~feature('b')))",
        "    later: _later = subsystem(wip=True)",
        "    things: list[T]",
        "    limit: int | None = ...",
        f"_middle: TypeAlias = BlockingSubsystem[{SAMPLES}.Fetch, {SAMPLES}.Parse, {SAMPLES}.Tick]",
    ],
)
def test_it_says(line: str) -> None:
    assert line in expand(Whole.__declaration__).splitlines()


def test_restarts_are_shown_with_their_group() -> None:
    assert "Restart(max_restarts=2, " in expand(Whole.__declaration__)
    assert "group 'pair'" in expand(Whole.__declaration__)


def local() -> type:
    class Hidden: ...

    return Hidden


@pytest.mark.parametrize(
    ("expression", "text"),
    [
        (None, "None"),
        (int, "int"),
        (Fetch, "tests.wiring.samples.Fetch"),
        (dict[str, list[Fetch]], "dict[str, list[tests.wiring.samples.Fetch]]"),
        (int | None, "int | None"),
        (tuple[int, ...], "tuple[int, ...]"),
        (Callable[[int], str], "collections.abc.Callable[[int], str]"),
        (Callable[..., None], "collections.abc.Callable[..., None]"),
        (Literal["a", 1], "Literal['a', 1]"),
        (Any, "Any"),
        (Never, "Never"),
        (T, "T"),
        ("Later", "'Later'"),
        (local(), "Any"),
    ],
)
def test_types_as_source(expression: object, text: str) -> None:
    """What no module has a name for is `Any`."""
    assert TypeTexts().text(expression) == text
