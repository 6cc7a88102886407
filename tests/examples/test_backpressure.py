"""The example of back-pressure: on the mock clock, every figure is exact."""

from __future__ import annotations

from typing import TYPE_CHECKING

from examples import backpressure

if TYPE_CHECKING:
    import pytest
    from trio.testing import MockClock


async def test_output(autojump_clock: MockClock, capsys: pytest.CaptureFixture[str]) -> None:
    """The lane is full, parcels wait, and signals do not."""
    await backpressure.main()
    assert capsys.readouterr().out.splitlines() == [
        "lane: 4 of 4 parcels, 13 of 24 sent",
        "signal: heard after 0.000 s, while 3 couriers are out",
        "message: the last one waited 0.250 s, 6 are delivered",
        "lane: 4 of 4 parcels, 22 of 24 sent",
        "signal: heard after 0.000 s, while 3 couriers are out",
        "message: the last one waited 0.050 s, 15 are delivered",
        "end: all 24 delivered",
    ]
