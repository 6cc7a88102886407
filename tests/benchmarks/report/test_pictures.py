"""What is drawn."""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import attrs
import pytest

from tests.benchmarks.report.samples import GROWTH, QUANTITIES, REPORT, ROW

pytest.importorskip("matplotlib", reason="the extra `plot` is not installed")

from benchmarks.report.pictures import draw

if TYPE_CHECKING:
    from benchmarks.report.stored import Report

TEXT = "{http://www.w3.org/2000/svg}text"


def texts(picture: str) -> list[str]:
    return [element.text or "" for element in ET.fromstring(picture).iter(TEXT)]  # noqa: S314 - it is our own


def test_a_run_with_all_kinds_of_figures_has_three_pictures_with_their_names() -> None:
    pictures = draw(REPORT)
    assert list(pictures) == ["ratios.svg", "growths.svg", "quantities.svg"]

    ratios, growths, quantities = map(texts, pictures.values())
    assert {"one by one (0.80 per message)", "peer (7.20)", "9.00x, goal 9"} <= {*ratios}
    assert {"startup", "1.20x from 100 to 10,000; goal: at most 2", "microseconds per subsystem"} <= {*growths}
    assert {"high lane, us", "p99, ours", "p99, peer", "1,500"}.isdisjoint({*ratios})
    assert {"high lane, us", "p99, ours", "p99, peer", "20.00", "50.00 (2.50x)"} <= {*quantities}


def test_each_picture_says_on_what_it_was_measured_and_what_limits_it() -> None:
    limited = attrs.evolve(REPORT, quick=True, private_in_use=False)
    for full, picture in zip(draw(REPORT).values(), draw(limited).values(), strict=True):
        assert "Abacus, 2 cores" in full
        assert "best rounds of 5 x 6 (processes x rounds)" in texts(full)
        assert "quick" not in full
        assert "a quick run, whose figures are not to be quoted" in texts(picture)
        assert "all figures are those of trio's public interface alone" in texts(picture)


@pytest.mark.parametrize(
    ("report", "names"),
    [
        (attrs.evolve(REPORT, rows=[], growths=[]), ["quantities.svg"]),
        (attrs.evolve(REPORT, rows=[], quantities=[]), ["growths.svg"]),
        (attrs.evolve(REPORT, growths=[attrs.evolve(GROWTH, sizes=GROWTH.sizes[:1])], quantities=[]), ["ratios.svg"]),
        (attrs.evolve(REPORT, rows=[], growths=[], quantities=[]), []),
    ],
    ids=["quantities", "growths", "one size is no curve", "nothing"],
)
def test_there_is_a_picture_only_where_there_is_something_to_draw(report: Report, names: list[str]) -> None:
    assert list(draw(report)) == names


def test_the_same_run_gives_the_same_pictures() -> None:
    assert draw(REPORT) == draw(attrs.evolve(REPORT))


@pytest.mark.parametrize(
    "report",
    [
        attrs.evolve(REPORT, rows=[attrs.evolve(ROW, ratio=r, lowest=r, highest=r) for r in (1e-4, 1.0, 1e5)]),
        attrs.evolve(REPORT, quantities=[attrs.evolve(QUANTITIES[0], figure=0.0), QUANTITIES[1]]),
        attrs.evolve(REPORT, quantities=[attrs.evolve(QUANTITIES[0], figure=0.0, highest=0.0)]),
        attrs.evolve(REPORT, growths=[attrs.evolve(GROWTH, growth=str(n), unit=str(n % 2)) for n in range(20)]),
        attrs.evolve(REPORT, growths=[attrs.evolve(GROWTH, times=None)]),
    ],
    ids=["far apart", "some 0", "all 0", "more than there are colours", "not compared"],
)
def test_whatever_the_figures_are_they_are_drawn(report: Report) -> None:
    assert len(draw(report)) == 3
