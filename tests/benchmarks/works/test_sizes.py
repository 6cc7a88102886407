"""What is measured at several sizes comes to its end at each; how fast is not tested."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import trio

from benchmarks.works import GROWTHS, SUITE, lives, wide
from benchmarks.works.lives import Lives
from tests.runtime.samples import idle

if TYPE_CHECKING:
    from benchmarks.harness import Growth
    from benchmarks.works.wide import Shape


@pytest.mark.parametrize("growth", GROWTHS, ids=lambda one: one.name)
def test_a_growth_is_measured_at_its_sizes(growth: Growth) -> None:
    """The sizes of its goal among them."""
    assert list(growth.sizes) == sorted({*growth.sizes})
    assert growth.between is None or {*growth.between} <= {*growth.sizes}
    assert growth.timed(growth.sizes[0]) > 0
    assert growth.timed(4) > 0


def test_names_are_unique() -> None:
    assert len({*SUITE.names}) == len(SUITE.names)


def test_one_life_gives_a_figure_for_each_growth(monkeypatch: pytest.MonkeyPatch) -> None:
    """None of them is given twice, and another life begins where a figure is missing."""
    monkeypatch.setattr(lives, "_LEAST", 1)
    lived: list[int] = []
    chain = Lives("chain")

    def run(live: object, size: int) -> dict[str, float]:
        del live
        lived.append(size)
        return {"startup": len(lived), "drain": 10 * len(lived)}

    monkeypatch.setattr(trio, "run", run)
    assert [chain.timed("startup", 3), chain.timed("startup", 3)] == [1, 2]
    assert [chain.timed("drain", 3), chain.timed("drain", 3), chain.timed("drain", 3)] == [10, 20, 30]
    assert chain.timed("startup", 5) == 4
    assert lived == [3, 3, 3, 5]


@pytest.mark.parametrize("shape", ["chain", "star", "ring"])
def test_wirings(shape: Shape) -> None:
    """Of each shape and size, made once."""
    made = wide.declare(shape, 5)
    edges = {(edge.sender, edge.consumer) for edge in made.cls.graph().edges}
    chain = {(f"slot_{number}", f"slot_{number + 1}") for number in range(4)}
    spokes = {(f"slot_{number}", "slot_0") for number in range(1, 5)}
    expected = {
        "chain": chain,
        "ring": chain | {("slot_4", "slot_0")},
        "star": spokes | {(hub, rim) for rim, hub in spokes},
    }
    assert edges == expected[shape]
    assert wide.declare(shape, 5) is made
    trio.run(made.hold([idle] * 5).run)
