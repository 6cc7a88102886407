"""How works are measured, and what is made of it. Pure but for the clock: it knows neither trio nor any work.

* In each *round* ours and the peers take turns (A B C A B C ...), so that what slows the machine down for a while
  slows all of them down. One after another, they drift apart by a factor of two on shared machines.
* The *ratio* is that of the best rounds: what disturbs a measurement only ever makes it slower. Beside it stands the
  *spread*: the lowest and the highest ratio within one round.
* There are several rounds in each of several *processes*: the layout of memory and the seed of hashes are chosen once
  for a process, and move figures by some per cent. The best rounds are those of all processes.
* Each contender runs once, briefly, before the first round of a process, and that run does not count.
* The garbage collector is off while a contender runs, and has just run: its passes would strike by chance.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterable, Sequence
from importlib.util import find_spec
from typing import Final, TypeAlias

import attrs

__all__ = ["OURS", "Peer", "Row", "Samples", "Timed", "Work", "compare", "measure", "merge", "missing_packages"]

Timed: TypeAlias = Callable[[int], float]
"""Does a work as many times as it is told, and returns how many seconds that took."""

Samples: TypeAlias = dict[str, dict[str, list[float]]]
"""For each work, for each contender: its seconds per unit, round by round."""

OURS: Final = "ours"
"""The contender that is measured against the others."""

WARM_UP: Final = 0.1
"""The share of the count in the run that does not count."""


@attrs.frozen
class Peer:
    """Somebody else who does the same work."""

    name: str
    timed: Timed
    at_least: float | None = None
    """The goal: how many times the peer's throughput ours should be; None where it is only compared."""
    package: str | None = None
    """What must be installed for it; None if nothing more than for ours."""

    @property
    def is_missing(self) -> bool:
        """Whether it cannot run, since its package is not installed."""
        return self.package is not None and find_spec(self.package) is None


@attrs.frozen
class Work:
    """One thing that is measured: ours, and the peers that it is measured against, all with the same count."""

    name: str
    timed: Timed
    peers: Sequence[Peer]
    count: int
    """How many units make one measurement; a multiple of 1,000. Enough for 50 ms of ours."""
    unit: str = "message"
    public_only: bool = False
    """Whether the library uses trio's public interface alone. That is settled when it is imported."""


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

    @property
    def is_reached(self) -> bool | None:
        """Whether the ratio is at its goal; None where it has none."""
        return None if self.at_least is None else self.ratio >= self.at_least


def measure(works: Iterable[Work], *, rounds: int, scale: float = 1.0) -> Samples:
    """Measure works in this process, each with its peers, but for those that are missing.

    Args:
        works: What to measure, one after another.
        rounds: How many times each contender of a work has its turn; at least 1.
        scale: By how much each count is multiplied; it stays a multiple of 100.
    """
    return {work.name: _time_rounds(work, rounds, max(100, int(work.count * scale) // 100 * 100)) for work in works}


def merge(parts: Iterable[Samples]) -> Samples:
    """Return the rounds of all parts together, in their order: a round stays a round."""
    merged: Samples = {}
    for part in parts:
        for work, contenders in part.items():
            rounds_of = merged.setdefault(work, {})
            for contender, rounds in contenders.items():
                rounds_of.setdefault(contender, []).extend(rounds)
    return merged


def compare(works: Iterable[Work], samples: Samples) -> list[Row]:
    """Return the rows of all works and peers that were measured, in the order in which they are listed."""
    return [
        _row(work, peer, samples[work.name][OURS], samples[work.name][peer.name])
        for work in works
        if work.name in samples
        for peer in work.peers
        if peer.name in samples[work.name]
    ]


def missing_packages(works: Iterable[Work]) -> list[str]:
    """Return what is not installed, and keeps peers from being measured."""
    return sorted({peer.package for work in works for peer in work.peers if peer.package and peer.is_missing})


def _time_rounds(work: Work, rounds: int, count: int) -> dict[str, list[float]]:
    contenders = {OURS: work.timed, **{peer.name: peer.timed for peer in work.peers if not peer.is_missing}}
    for timed in contenders.values():
        _time(timed, max(100, int(count * WARM_UP) // 100 * 100))
    seconds: dict[str, list[float]] = {name: [] for name in contenders}
    for _ in range(rounds):
        for name, timed in contenders.items():
            seconds[name].append(_time(timed, count) / count)
    return seconds


def _time(timed: Timed, count: int) -> float:
    was_enabled = gc.isenabled()
    gc.collect()
    gc.disable()
    try:
        return timed(count)
    finally:
        if was_enabled:
            gc.enable()


def _row(work: Work, peer: Peer, ours: Sequence[float], others: Sequence[float]) -> Row:
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
    )
