"""Taking samples, in rounds in which the contenders take turns."""

from __future__ import annotations

import gc
from typing import TYPE_CHECKING, Final, TypeAlias, TypeVar

from benchmarks.harness.kinds import OURS, Growth, Quantity, Work

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

__all__ = ["QuantitySamples", "Samples", "measure", "measure_growths", "measure_quantities", "merge"]

SampleT = TypeVar("SampleT")

Samples: TypeAlias = dict[str, dict[str, list[float]]]
"""For each work or growth, for each contender: its seconds per unit, round by round.

The contenders of a growth are its sizes, as text: children report in JSON, which knows no other keys.
"""

QuantitySamples: TypeAlias = dict[str, dict[str, list[dict[str, float]]]]
"""For each quantity, for each contender: its figures by label, round by round."""

WARM_UP: Final = 0.1
"""The share of the count in the run that does not count."""


def measure(works: Iterable[Work], *, rounds: int, scale: float = 1.0) -> Samples:
    """Measure works in this process, each with its peers, but for those that are missing.

    Args:
        works: What to measure, one after another.
        rounds: How many times each contender of a work has its turn; at least 1.
        scale: By how much each count is multiplied; it stays a multiple of 100.
    """
    return {work.name: _time_work(work, rounds, _scale(work.count, scale)) for work in works}


def measure_growths(growths: Iterable[Growth], *, rounds: int, scale: float = 1.0) -> Samples:
    """Measure growths in this process.

    Args:
        growths: What to measure, one after another.
        rounds: How many times each size has its turn; at least 1.
        scale: Sizes above the largest one times this are left out, but never the smallest.
    """
    return {growth.name: _time_growth(growth, rounds, scale) for growth in growths}


def measure_quantities(quantities: Iterable[Quantity], *, rounds: int, scale: float = 1.0) -> QuantitySamples:
    """Measure quantities in this process; the arguments are those of `measure`."""
    return {one.name: _measure_quantity(one, rounds, _scale(one.count, scale)) for one in quantities}


def merge(parts: Iterable[dict[str, dict[str, list[SampleT]]]]) -> dict[str, dict[str, list[SampleT]]]:
    """Return the rounds of all parts together, in their order: a round stays a round."""
    merged: dict[str, dict[str, list[SampleT]]] = {}
    for part in parts:
        for work, contenders in part.items():
            rounds_of = merged.setdefault(work, {})
            for contender, rounds in contenders.items():
                rounds_of.setdefault(contender, []).extend(rounds)
    return merged


def _time_work(work: Work, rounds: int, count: int) -> dict[str, list[float]]:
    contenders = {OURS: work.timed, **{peer.name: peer.timed for peer in work.peers if not peer.is_missing}}
    seconds = _take_turns(contenders, rounds, count)
    return {name: [one / count for one in samples] for name, samples in seconds.items()}


def _time_growth(growth: Growth, rounds: int, scale: float) -> dict[str, list[float]]:
    sizes = [size for size in growth.sizes if size <= growth.sizes[-1] * scale] or growth.sizes[:1]
    _undisturbed(growth.timed, sizes[0])
    samples: dict[str, list[float]] = {str(size): [] for size in sizes}
    for _ in range(rounds):
        for size in sizes:
            samples[str(size)].append(_undisturbed(growth.timed, size))
    return samples


def _measure_quantity(one: Quantity, rounds: int, count: int) -> dict[str, list[dict[str, float]]]:
    contenders = {OURS: one.measured, **{peer.name: peer.measured for peer in one.peers if not peer.is_missing}}
    return {name: [*map(dict, samples)] for name, samples in _take_turns(contenders, rounds, count).items()}


def _take_turns(
    contenders: Mapping[str, Callable[[int], SampleT]], rounds: int, count: int
) -> dict[str, list[SampleT]]:
    for contender in contenders.values():
        _undisturbed(contender, _scale(count, WARM_UP))
    samples: dict[str, list[SampleT]] = {name: [] for name in contenders}
    for _ in range(rounds):
        for name, contender in contenders.items():
            samples[name].append(_undisturbed(contender, count))
    return samples


def _scale(count: int, scale: float) -> int:
    return max(100, int(count * scale) // 100 * 100)


def _undisturbed(measured: Callable[[int], SampleT], count: int) -> SampleT:
    was_enabled = gc.isenabled()
    gc.collect()
    gc.disable()
    try:
        return measured(count)
    finally:
        if was_enabled:
            gc.enable()
