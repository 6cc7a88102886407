"""Making rows of samples: the best rounds, how they compare, the spread, and whether a goal is reached.

Samples are those of all processes, merged. Told how many rounds a process had, a row also keeps the best of each
process: how far these lie apart says how far two runs of the same would.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from benchmarks.harness.kinds import OURS, Growth, Peer, Quantity, Work

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from benchmarks.harness.measuring import QuantitySamples, Samples

__all__ = [
    "GrowthRow",
    "QuantityRow",
    "Row",
    "SizeFigure",
    "compare",
    "compare_growths",
    "compare_quantities",
]


@attrs.frozen
class Row:
    """One work against one peer."""

    work: str
    unit: str
    peer: str
    ours_us: float
    """Microseconds per unit, in the best round."""
    peer_us: float
    """The same of the peer."""
    ratio: float
    """How many times the peer's throughput ours is, by the best rounds."""
    lowest: float
    """The lowest ratio within one round."""
    highest: float
    """The highest ratio within one round."""
    at_least: float | None
    """The goal for the ratio, if it has one."""
    ours_by_process: list[float]
    """`ours_us` of each process."""
    peer_by_process: list[float]
    """`peer_us` of each process."""

    @property
    def is_reached(self) -> bool | None:
        """Whether the ratio is at its goal; None where it has none."""
        return None if self.at_least is None else self.ratio >= self.at_least


@attrs.frozen
class SizeFigure:
    """What a growth costs at one size."""

    size: int
    us: float
    """Microseconds per unit, in the best round."""
    by_process: list[float]
    """The same of each process."""


@attrs.frozen
class GrowthRow:
    """One growth."""

    growth: str
    unit: str
    sizes: list[SizeFigure]
    """Those that were measured, ascending."""
    small: int
    """The size that is compared with `large`."""
    large: int
    times: float | None
    """How many times the figure at the small size that at the large one is; None if they were not both measured."""
    lowest: float | None
    """The lowest `times` within one round."""
    highest: float | None
    """The highest `times` within one round."""
    at_most: float | None
    """The goal for `times`, if it has one."""

    @property
    def is_reached(self) -> bool | None:
        """Whether it grows no more than its goal says; None where it has none, or a size is not there."""
        return None if self.at_most is None or self.times is None else self.times <= self.at_most


@attrs.frozen
class QuantityRow:
    """One figure of a quantity, of ours or of one peer."""

    quantity: str
    unit: str
    label: str
    whose: str
    """`OURS`, or the name of the peer."""
    figure: float
    """In the best round: the lowest."""
    highest: float
    """In the worst round."""
    by_process: list[float]
    """`figure` of each process."""
    ratio: float | None
    """How many times ours the peer's figure is: above 1, ours is better; None for ours, or if ours is 0."""


def compare(works: Iterable[Work], samples: Samples, *, rounds: int | None = None) -> list[Row]:
    """Return the rows of all works and peers that were measured, in the order in which they are listed.

    Args:
        works: What may have been measured.
        samples: What was.
        rounds: How many rounds each process had; None if there was one process.
    """
    return [
        _row(work, peer, samples[work.name][OURS], samples[work.name][peer.name], rounds)
        for work in works
        if work.name in samples
        for peer in work.peers
        if peer.name in samples[work.name]
    ]


def compare_growths(growths: Iterable[Growth], samples: Samples, *, rounds: int | None = None) -> list[GrowthRow]:
    """Return the rows of all growths that were measured; the arguments are those of `compare`."""
    return [_growth_row(growth, samples[growth.name], rounds) for growth in growths if growth.name in samples]


def compare_quantities(
    quantities: Iterable[Quantity], samples: QuantitySamples, *, rounds: int | None = None
) -> list[QuantityRow]:
    """Return a row for each figure that was measured: label by label, ours before the peers'."""
    return [
        _quantity_row(one, label, whose, samples[one.name], rounds)
        for one in quantities
        if one.name in samples
        for label in samples[one.name][OURS][0]
        for whose in (OURS, *(peer.name for peer in one.peers))
        if whose in samples[one.name]
    ]


def _row(work: Work, peer: Peer, ours: Sequence[float], others: Sequence[float], rounds: int | None) -> Row:
    ratios = [other / own for own, other in zip(ours, others, strict=True)]
    return Row(
        work=work.name,
        unit=work.unit,
        peer=peer.name,
        ours_us=min(ours) * 1e6,
        peer_us=min(others) * 1e6,
        ratio=min(others) / min(ours),
        lowest=min(ratios),
        highest=max(ratios),
        at_least=peer.at_least,
        ours_by_process=[best * 1e6 for best in _best_by_process(ours, rounds)],
        peer_by_process=[best * 1e6 for best in _best_by_process(others, rounds)],
    )


def _growth_row(growth: Growth, samples: dict[str, list[float]], rounds: int | None) -> GrowthRow:
    sizes = sorted(map(int, samples))
    small, large = growth.between or (growth.sizes[0], growth.sizes[-1])
    at_small, at_large = samples.get(str(small), []), samples.get(str(large), [])
    within = [above / below for below, above in zip(at_small, at_large, strict=False)]  # one of them may be empty
    return GrowthRow(
        growth=growth.name,
        unit=growth.unit,
        sizes=[
            SizeFigure(
                size,
                min(samples[str(size)]) * 1e6,
                [best * 1e6 for best in _best_by_process(samples[str(size)], rounds)],
            )
            for size in sizes
        ],
        small=small,
        large=large,
        times=min(at_large) / min(at_small) if within else None,
        lowest=min(within, default=None),
        highest=max(within, default=None),
        at_most=growth.at_most,
    )


def _quantity_row(
    one: Quantity, label: str, whose: str, samples: dict[str, list[dict[str, float]]], rounds: int | None
) -> QuantityRow:
    figures = [figures[label] for figures in samples[whose]]
    ours = min(figures[label] for figures in samples[OURS])
    return QuantityRow(
        quantity=one.name,
        unit=one.unit,
        label=label,
        whose=whose,
        figure=min(figures),
        highest=max(figures),
        by_process=_best_by_process(figures, rounds),
        ratio=min(figures) / ours if whose != OURS and ours else None,
    )


def _best_by_process(samples: Sequence[float], rounds: int | None) -> list[float]:
    step = rounds or len(samples)
    return [min(samples[first : first + step]) for first in range(0, len(samples), step)]
