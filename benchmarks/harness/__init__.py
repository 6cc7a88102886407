"""How figures are measured, and what is made of them. Pure but for the clock: it knows neither trio nor any work.

`kinds` says what may be measured, `suite` holds what is; `measuring` takes the samples, and `comparing` makes rows of
them. For all three kinds:

* In each *round* the contenders take turns (A B C A B C ...), so that what slows the machine down for a while slows
  all of them down. One after another, they drift apart by a factor of two on shared machines.
* What counts is the *best round*: what disturbs a measurement only ever makes it worse. A *ratio* is that of the best
  rounds; beside it stands the *spread*: the lowest and the highest ratio within one round.
* There are several rounds in each of several *processes*: the layout of memory and the seed of hashes are chosen once
  for a process, and move figures by some per cent. The best rounds are those of all processes.
* Each contender runs once, briefly, before the first round of a process, and that run does not count.
* The garbage collector is off while a contender runs, and has just run: its passes would strike by chance.
"""

from __future__ import annotations

from benchmarks.harness.comparing import (
    GrowthRow,
    QuantityRow,
    Row,
    SizeFigure,
    compare,
    compare_growths,
    compare_quantities,
)
from benchmarks.harness.kinds import OURS, Growth, Measuring, Peer, Quantity, QuantityPeer, Timed, Work
from benchmarks.harness.measuring import (
    QuantitySamples,
    Samples,
    measure,
    measure_growths,
    measure_quantities,
    merge,
)
from benchmarks.harness.suite import Suite

__all__ = [
    "OURS",
    "Growth",
    "GrowthRow",
    "Measuring",
    "Peer",
    "Quantity",
    "QuantityPeer",
    "QuantityRow",
    "QuantitySamples",
    "Row",
    "Samples",
    "SizeFigure",
    "Suite",
    "Timed",
    "Work",
    "compare",
    "compare_growths",
    "compare_quantities",
    "measure",
    "measure_growths",
    "measure_quantities",
    "merge",
]
